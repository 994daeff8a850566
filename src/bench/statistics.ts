/** Statistics of timings and of runs to a target: medians with spread, bootstrap intervals, expected running time, profiles. */
import { Stream, uniform, words } from '../core/rng.js'
import { mean, quantileSorted } from '../core/stats.js'

export const ascending = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort()
export const median = (values: ArrayLike<number>): number => quantileSorted(ascending(values), 0.5)

export interface Interval {
  readonly low: number
  readonly high: number
}

/** Resamples of a bootstrap. */
export const bootstrapResamples = 2000
export const bootstrapConfidence = 0.95

/**
 * Percentile bootstrap (Efron 1979) of a statistic of one or more independent samples; each is resampled with replacement.
 * Deterministic: the draws come from the counter-based generator. Statistics that are not finite count as +∞.
 */
export function bootstrap<T>(
  samples: readonly (readonly T[])[],
  statistic: (...samples: T[][]) => number,
  { resamples = bootstrapResamples, confidence = bootstrapConfidence, seed = 1 } = {}
): Interval {
  if (samples.some(s => s.length === 0)) return { low: NaN, high: NaN }
  const values = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    let first = 0
    const drawn = samples.map(sample => {
      const w = words(seed, Stream.bootstrap, r, first, sample.length)
      first += sample.length
      return Array.from(w, word => sample[Math.floor(uniform(word) * sample.length)])
    })
    const value = statistic(...drawn)
    values[r] = Number.isNaN(value) ? Infinity : value
  }
  values.sort()
  const tail = (1 - confidence) / 2
  return { low: quantileSorted(values, tail), high: quantileSorted(values, 1 - tail) }
}

export interface Ratio extends Interval {
  readonly ratio: number
}

/** How many times as fast B is as A: median seconds of A over median seconds of B, with its bootstrap interval. */
export function speedRatio(a: readonly number[], b: readonly number[]): Ratio {
  const statistic = (x: readonly number[], y: readonly number[]): number => median(x) / median(y)
  return { ratio: statistic(a, b), ...bootstrap([a, b], statistic) }
}

/** A run on its way to a target: what it spent until it was reached, or, where it was not, all that it spent. */
export interface Attempt {
  readonly cost: number
  readonly reached: boolean
}

/**
 * Expected running time of independent restarts until one reaches the target (Auger and Hansen 2005): everything spent, by
 * runs that reached it and runs that did not, over the number that did. Infinite when none did.
 */
export function expectedRunningTime(attempts: readonly Attempt[]): number {
  const hits = attempts.reduce((n, a) => n + (a.reached ? 1 : 0), 0)
  return hits === 0 ? Infinity : attempts.reduce((sum, a) => sum + a.cost, 0) / hits
}

/** The expected running time with its bootstrap interval over the runs. */
export function runningTime(attempts: readonly Attempt[]): Interval & { readonly value: number } {
  return { value: expectedRunningTime(attempts), ...bootstrap([attempts], expectedRunningTime, { resamples: 1000 }) }
}

/** Restarts of one simulated sequence are no more than this. */
const mostRestarts = 100_000

/**
 * Costs of independent restarts until one reaches the target (Auger and Hansen 2005), one simulated sequence for each run: it begins with that
 * run, and while a run does not reach the target, one drawn at random follows. Runs that never reach it give none. Their mean tends to the
 * expected running time.
 */
export function restartedCosts(attempts: readonly Attempt[], seed = 1): number[] {
  if (!attempts.some(a => a.reached)) return []
  return attempts.flatMap((first, r) => {
    let { cost, reached } = first
    for (let k = 0; !reached && k < mostRestarts; k++) {
      const [word] = words(seed, Stream.bootstrap, r, k, 1)
      const next = attempts[Math.floor(uniform(word) * attempts.length)]
      cost += next.cost
      reached = next.reached
    }
    return reached ? [cost] : []
  })
}

/** Steps of an empirical distribution function: `share` of the attempts had reached the target at `cost`. */
export interface EcdfStep {
  readonly cost: number
  readonly share: number
}

/** ECDF of the costs to the target over all attempts; those that never reach it keep it below 1. */
export function ecdf(attempts: readonly Attempt[]): EcdfStep[] {
  const costs = ascending(attempts.filter(a => a.reached).map(a => a.cost))
  const steps: EcdfStep[] = []
  costs.forEach((cost, i) => {
    const share = (i + 1) / attempts.length
    if (steps.at(-1)?.cost === cost) steps[steps.length - 1] = { cost, share }
    else steps.push({ cost, share })
  })
  return steps
}

/** ρ(τ): share of the problems that a solver solves within τ times the cost of the best solver. */
export interface Profile {
  readonly solver: string
  /** Ascending in `factor`; between two points the curve is flat. */
  readonly points: readonly { readonly factor: number; readonly share: number }[]
}

/**
 * Performance profiles (Dolan and Moré 2002). `costs[solver][problem]` is positive, or infinite where the solver failed;
 * a problem that no solver solves still counts among the problems.
 */
export function performanceProfiles(costs: Readonly<Record<string, Readonly<Record<string, number>>>>): Profile[] {
  const problems = [...new Set(Object.values(costs).flatMap(c => Object.keys(c)))]
  const best = new Map(problems.map(p => [p, Math.min(...Object.values(costs).map(c => c[p] ?? Infinity))]))
  return Object.entries(costs).map(([solver, own]) => {
    const factors = ascending(problems.map(p => (own[p] ?? Infinity) / best.get(p)!).filter(Number.isFinite))
    const points: { factor: number; share: number }[] = []
    factors.forEach((factor, i) => {
      const point = { factor, share: (i + 1) / problems.length }
      if (points.at(-1)?.factor === factor) points[points.length - 1] = point
      else points.push(point)
    })
    return { solver, points }
  })
}

/** Geometric mean of positive values. */
export const geometricMean = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)))
