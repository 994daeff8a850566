/** The error function, by Cody's rational approximations (Mathematics of Computation 23, 1969); relative error a few roundings. */
const smallP = [3209.37758913846947, 377.485237685302021, 113.864154151050156, 3.1611237438705656, 0.185777706184603153]
const smallQ = [2844.23683343917062, 1282.61652607737228, 244.024637934444173, 23.6012909523441209, 1]
const midP = [
  1230.33935479799725, 2051.07837782607147, 1712.04761263407058, 881.95222124176909, 298.635138197400131,
  66.1191906371416295, 8.88314979438837594, 0.564188496988670089, 2.15311535474403846e-8
]
const midQ = [
  1230.33935480374942, 3439.36767414372164, 4362.61909014324716, 3290.79923573345963, 1621.38957456669019,
  537.181101862009858, 117.693950891312499, 15.7449261107098347, 1
]
const horner = (c: readonly number[], x: number): number => c.reduceRight((sum, v) => sum * x + v, 0)

export function erf(x: number): number {
  const t = Math.abs(x)
  if (t <= 0.46875) return (x * horner(smallP, x * x)) / horner(smallQ, x * x)
  // From 5.93 on, erfc is below half a rounding of 1.
  if (t >= 6) return Math.sign(x)
  const tail = Number.isNaN(x) ? NaN : (Math.exp(-t * t) * horner(midP, Math.min(t, 6))) / horner(midQ, Math.min(t, 6))
  return Math.sign(x) * (1 - tail)
}
