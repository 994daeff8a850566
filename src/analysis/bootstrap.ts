/** Intervals from replicates of an estimate over resamples of the rows. */
import { normalQuantile } from '../core/rng.js'
import { normalCdf } from '../models/algebra.js'

/**
 * The α quantile of R ascending replicates: the order statistic (R + 1) α, between two by interpolation of the normal quantile (Davison and
 * Hinkley 1997, eq. 5.8, as R's `boot`); the extreme one beyond.
 */
export function replicateQuantile(sorted: ArrayLike<number>, alpha: number): number {
  const R = sorted.length
  const at = (R + 1) * alpha
  const k = Math.floor(at)
  if (k < 1) return sorted[0]
  if (k >= R) return sorted[R - 1]
  if (k === at || sorted[k - 1] === sorted[k]) return sorted[k - 1]
  const low = normalQuantile(k / (R + 1))
  const high = normalQuantile((k + 1) / (R + 1))
  return sorted[k - 1] + ((normalQuantile(alpha) - low) / (high - low)) * (sorted[k] - sorted[k - 1])
}

/** What replicates say of an estimate. */
export interface Replicated {
  /** Standard deviation with R − 1. */
  readonly standardError: number
  /** Mean less the estimate. */
  readonly bias: number
  readonly percentile: readonly [number, number]
  readonly basic: readonly [number, number]
  /** null where all replicates lie on one side of the estimate. */
  readonly bca: readonly [number, number] | null
}

/**
 * Percentile, basic and bias-corrected accelerated intervals (Efron 1987; Efron and Tibshirani 1993, ch. 14; Davison and Hinkley 1997,
 * eqs. 5.6, 5.18 and 5.20 f.): with w = Φ⁻¹(share of replicates below the estimate) and the acceleration
 * a = Σ d³ / (6 (Σ d²)^{3/2}), d the mean of the jackknife values less each of them, the ends are the quantiles
 * Φ(w + (w + z_α) / (1 − a (w + z_α))). Jackknife values of groups of rows give the same a but for sampling, as third and second moments of
 * sums grow alike.
 * @param values [R] replicates, R ≥ 2
 * @param jackknife estimates without each row, or each group of rows
 */
export function replicated(
  estimate: number,
  values: Float64Array,
  jackknife: Float64Array,
  confidence: number
): Replicated {
  const R = values.length
  const sorted = values.slice().sort()
  const mean = values.reduce((a, b) => a + b, 0) / R
  const variance = values.reduce((a, v) => a + (v - mean) ** 2, 0) / (R - 1)
  const tail = (1 - confidence) / 2
  const ends = (low: number, high: number): readonly [number, number] => [
    replicateQuantile(sorted, low),
    replicateQuantile(sorted, high)
  ]
  const percentile = ends(tail, 1 - tail)
  let below = 0
  for (const v of values) if (v < estimate) below++
  const a = acceleration(jackknife)
  const level = (alpha: number): number => {
    const w = normalQuantile(below / R)
    const z = w + normalQuantile(alpha)
    return normalCdf(w + z / (1 - a * z))
  }
  return {
    standardError: Math.sqrt(variance),
    bias: mean - estimate,
    percentile,
    basic: [2 * estimate - percentile[1], 2 * estimate - percentile[0]],
    bca: below > 0 && below < R ? ends(level(tail), level(1 - tail)) : null
  }
}

function acceleration(jackknife: Float64Array): number {
  const mean = jackknife.reduce((a, b) => a + b, 0) / jackknife.length
  let [squares, cubes] = [0, 0]
  for (const v of jackknife) {
    squares += (mean - v) ** 2
    cubes += (mean - v) ** 3
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0
}
