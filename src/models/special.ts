/** Scalar special functions that losses and activations need, free of overflow and cancellation. */

/** 1 / (1 + e^−z) */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z))
  const e = Math.exp(z)
  return e / (1 + e)
}

/** log(1 + e^z) */
export const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

// Cody's rational approximations to erf and erfc (Mathematics of Computation 23, 1969), highest power last.
const erfP = [3209.37758913846947, 377.485237685302021, 113.864154151050156, 3.1611237438705656, 0.185777706184603153]
const erfQ = [2844.23683343917062, 1282.61652607737228, 244.024637934444173, 23.6012909523441209, 1]
const midP = [
  1230.33935479799725, 2051.07837782607147, 1712.04761263407058, 881.95222124176909, 298.635138197400131,
  66.1191906371416295, 8.88314979438837594, 0.564188496988670089, 2.15311535474403846e-8
]
const midQ = [
  1230.33935480374942, 3439.36767414372164, 4362.61909014324716, 3290.79923573345963, 1621.38957456669019,
  537.181101862009858, 117.693950891312499, 15.7449261107098347, 1
]
const farP = [
  6.58749161529837803e-4, 0.0160837851487422766, 0.125781726111229246, 0.360344899949804439, 0.305326634961232344,
  0.0163153871373020978
]
const farQ = [
  0.00233520497626869185, 0.0605183413124413191, 0.527905102951428412, 1.87295284992346725, 2.56852019228982242, 1
]
const poly = (c: readonly number[], x: number): number => {
  let y = 0
  for (let i = c.length - 1; i >= 0; i--) y = y * x + c[i]
  return y
}

const SQRT_PI = 1.7724538509055160273
const SQRT_2_OVER_PI = 0.79788456080286535588
/** From here on the approximation in 1/x² applies: 4√2. */
const FAR = 5.65685424949238

/** e^{x²} erfc(x) for x ≥ 0. */
export function erfcx(x: number): number {
  if (x <= 0.46875) return Math.exp(x * x) * (1 - (x * poly(erfP, x * x)) / poly(erfQ, x * x))
  if (x <= 4) return poly(midP, x) / poly(midQ, x)
  const y = 1 / (x * x)
  return (1 / SQRT_PI - (y * poly(farP, y)) / poly(farQ, y)) / x
}

/** erfc(x) for x ≥ 0. */
export function erfc(x: number): number {
  if (x <= 0.46875) return 1 - (x * poly(erfP, x * x)) / poly(erfQ, x * x)
  return Math.exp(-x * x) * erfcx(x)
}

/** log Φ(z), Φ the standard normal distribution function. */
export function logNormalCdf(z: number): number {
  if (z >= 0) return Math.log1p(-0.5 * erfc(z * Math.SQRT1_2))
  return -0.5 * z * z + Math.log(0.5 * erfcx(-z * Math.SQRT1_2))
}

/**
 * The hazard r(z) = φ(z)/Φ(z) and its excess r(z) + z. In the lower tail the excess is about −1/z, the difference of two
 * large numbers: there r = t/(1−w), t = −z, with w from Cody's form, so that r + z = t w/(1−w).
 */
export function normalHazard(z: number): { r: number; excess: number } {
  if (z < -FAR) {
    const t = -z
    const y = 2 / (t * t)
    const w = (SQRT_PI * y * poly(farP, y)) / poly(farQ, y)
    return { r: t / (1 - w), excess: (t * w) / (1 - w) }
  }
  const r =
    z < 0
      ? SQRT_2_OVER_PI / erfcx(-z * Math.SQRT1_2)
      : (0.5 * SQRT_2_OVER_PI * Math.exp(-0.5 * z * z)) / (1 - 0.5 * erfc(z * Math.SQRT1_2))
  return { r, excess: r + z }
}

/** −log(1 − exp(−e^z)) */
export function cloglogEvent(z: number): number {
  if (z < -36) return -z
  const u = Math.exp(z)
  return u < 0.7 ? -Math.log(-Math.expm1(-u)) : -Math.log1p(-Math.exp(-u))
}

/**
 * q = u/(e^u − 1) and u dq/du for u = e^z: minus the first and second derivative of log(1 − exp(−e^z)) are −q, −u dq/du.
 * With k = 1 − u/(1 − e^−u), u dq/du = q k; for small u, k by its series
 * −u/2 − u²/12 + u⁴/720 − u⁶/30240 + u⁸/1209600 − u¹⁰/47900160.
 */
export function cloglogRatio(u: number): { q: number; slope: number } {
  if (u > 700) return { q: 0, slope: 0 }
  const q = u === 0 ? 1 : u / Math.expm1(u)
  const s = u * u
  const series = 1 / 12 - s * (1 / 720 - s * (1 / 30240 - s * (1 / 1209600 - s / 47900160)))
  const k = u < 0.25 ? -u / 2 - s * series : 1 - u / -Math.expm1(-u)
  return { q, slope: q * k }
}
