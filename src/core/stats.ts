/**
 * Quantiles, binomial intervals and the incomplete beta function behind them. Written here because no installed library
 * has them; nothing in this file knows about runs.
 */
import { normalQuantile } from './rng.js'
import type { Quantiles } from './result.js'

/** Quantile `q` of ascending values by linear interpolation between order statistics (Hyndman & Fan 1996, type 7); NaN when empty. */
export function quantileSorted(sorted: ArrayLike<number>, q: number): number {
  const n = sorted.length
  if (n === 0) return NaN
  const at = q * (n - 1)
  const low = Math.floor(at)
  const a = sorted[low]
  const b = sorted[Math.min(low + 1, n - 1)]
  // No arithmetic where none is needed: a constant stays exactly constant, and 0 · ∞ does not arise.
  return a === b || at === low ? a : a + (at - low) * (b - a)
}

/** NaN of none. */
export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** min, quartiles and max of ascending values. */
export const quantilesSorted = (sorted: ArrayLike<number>): Quantiles => ({
  min: quantileSorted(sorted, 0),
  q25: quantileSorted(sorted, 0.25),
  median: quantileSorted(sorted, 0.5),
  q75: quantileSorted(sorted, 0.75),
  max: quantileSorted(sorted, 1)
})

/** log r − u for r = 1 + u, without cancellation for small u: its Taylor series −u²/2 + u³/3 − … below |u| = 0.1. */
function logMinus(r: number, u: number): number {
  if (Math.abs(u) > 0.1) return Math.log(r) - u
  let power = u
  let sum = 0
  for (let k = 2; k < 40; k++) {
    power *= -u
    const term = power / k
    sum += term
    if (Math.abs(term) <= Number.EPSILON * Math.abs(sum)) break
  }
  return sum
}

/**
 * δ(z) = log Γ(z) − [(z − ½) log z − z + ½ log 2π], for z > 0. Stirling's series (DLMF 5.11.1) above 10; below, the exact
 * recurrence δ(z) = δ(z + 1) + (z + ½) log(1 + 1/z) − 1.
 */
function stirlingError(z: number): number {
  let sum = 0
  let a = z
  for (; a < 10; a++) sum += (a + 0.5) * Math.log1p(1 / a) - 1
  const r = 1 / (a * a)
  return sum + (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360)))))) / a
}

/** log Γ(z), z > 0. */
export const logGamma = (z: number): number =>
  (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + stirlingError(z)

/**
 * x^a (1−x)^b / B(a, b). The large logarithms are combined before they are formed, as deviations from the mode (Loader
 * 2000), so that the result keeps its digits for counts of many millions.
 */
function betaFactor(x: number, a: number, b: number): number {
  const n = a + b
  const u = (x * n - a) / a
  const v = -(a / b) * u
  const deviation = a * logMinus((x / a) * n, u) + b * logMinus(((1 - x) / b) * n, v)
  const exponent = deviation + stirlingError(n) - stirlingError(a) - stirlingError(b)
  return Math.sqrt((a / n) * (b / (2 * Math.PI))) * Math.exp(exponent)
}

/** Continued fraction of I_x(a, b) (DLMF 8.17.22) by the modified Lentz method; converges fast for x < (a+1)/(a+b+2). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  let c = 1
  let d = 1 - ((a + b) * x) / (a + 1)
  d = 1 / (Math.abs(d) < tiny ? tiny : d)
  let h = d
  // The number of terms grows like the square root of the larger parameter.
  const limit = 200 + 20 * Math.sqrt(Math.max(a, b))
  for (let m = 1; m <= limit; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    let factor = 1
    for (const term of [even, odd]) {
      d = 1 + term * d
      c = 1 + term / c
      d = 1 / (Math.abs(d) < tiny ? tiny : d)
      if (Math.abs(c) < tiny) c = tiny
      factor = c * d
      h *= factor
    }
    if (Math.abs(factor - 1) <= 4 * Number.EPSILON) break
  }
  return h
}

/**
 * Regularised incomplete beta function I_x(a, b), a, b > 0: the distribution function of Beta(a, b). Cephes' `incbet` (npm cephes 3.3.3),
 * which libraries mostly wrap, is 3e-3 off at a = b = 5·10⁶, where limits for ten million runs need it.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x > 0)) return x <= 0 ? 0 : NaN
  if (x >= 1) return 1
  if (x < (a + 1) / (a + b + 2)) return (betaFactor(x, a, b) * betaFraction(x, a, b)) / a
  return 1 - (betaFactor(x, a, b) * betaFraction(1 - x, b, a)) / b
}

/** x with I_x(a, b) = p, by bisection to neighbouring doubles or relative 1e-15. */
export function betaQuantile(p: number, a: number, b: number): number {
  let low = 0
  let high = 1
  for (let i = 0; i < 1100; i++) {
    const middle = 0.5 * (low + high)
    if (middle <= low || middle >= high || high - low <= 1e-15 * low) break
    if (incompleteBeta(middle, a, b) < p) low = middle
    else high = middle
  }
  return 0.5 * (low + high)
}

/**
 * One-sided upper limit of Clopper and Pearson (1934) for a binomial probability after `k` hits in `n` trials: the p at which
 * as few as k hits still has probability 1 − confidence. 1 when n = 0.
 */
export function clopperPearsonUpper(k: number, n: number, confidence: number): number {
  if (!(n > 0) || k >= n) return 1
  if (k === 0) return -Math.expm1(Math.log1p(-confidence) / n)
  return betaQuantile(confidence, k + 1, n - k)
}

/** Two-sided limits of Clopper and Pearson for a binomial probability, each at half of the error; [0, 1] when n = 0. */
export function clopperPearson(k: number, n: number, confidence: number): readonly [number, number] {
  const tail = 0.5 * (1 - confidence)
  return [k > 0 ? betaQuantile(tail, k, n - k + 1) : 0, clopperPearsonUpper(k, n, 1 - tail)]
}

/** Two-sided score interval of Wilson (1927) for a binomial probability; [0, 1] when n = 0. */
export function wilsonInterval(k: number, n: number, confidence: number): [number, number] {
  if (!(n > 0)) return [0, 1]
  const z = -normalQuantile(0.5 * (1 - confidence))
  const share = k / n
  const z2 = (z * z) / n
  const middle = (share + 0.5 * z2) / (1 + z2)
  const half = (z / (1 + z2)) * Math.sqrt((share * (1 - share)) / n + (0.25 * z2) / n)
  return [k === 0 ? 0 : Math.max(0, middle - half), k === n ? 1 : Math.min(1, middle + half)]
}
