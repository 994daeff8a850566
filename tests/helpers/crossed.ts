// Made-up methods whose losses are starts + resamples + noise, all normal, so that the probability that one beats the other is known.
import { ofStarts, outperforms, type CrossedSide } from '../../src/analysis/restarts/crossed.js'
import type { Side } from '../../src/analysis/restarts/outperform.js'
import type { Outperforms } from '../../src/core/comparisonResult.js'
import type { Levels } from '../../src/analysis/variance.js'
import { Stream, normalQuantile, uniform, words } from '../../src/core/rng.js'

const normal = (count: number, number: number): Float64Array =>
  Float64Array.from(words(17, Stream.bootstrap, number, 0, count), w => normalQuantile(uniform(w)))

/** Runs whose losses are those of a function of their levels. */
export const side = (
  levels: Levels,
  value: (start: number, order: number, resample: number) => number
): CrossedSide => {
  const [I, O, S] = levels
  const losses = Float64Array.from({ length: I * O * S }, (_, r) =>
    value(Math.floor(r / (O * S)), Math.floor(r / S) % O, r % S)
  )
  return { levels, losses, values: [losses] }
}

/** Standard deviations of what starts, resamples (beyond what both methods share) and noise give to a loss. */
export interface Deviations {
  readonly start: number
  readonly rows: number
  readonly noise: number
}
export const deviations = {
  'starts matter most': { start: 1, rows: 0.2, noise: 0.5 },
  'rows matter most': { start: 0.2, rows: 1, noise: 0.5 },
  'noise matters most': { start: 0.3, rows: 0.3, noise: 1 }
} as const satisfies Record<string, Deviations>

/** Two methods, of which the first is better by `shift`; `number` is that of the simulated study. */
export function madeUp(levels: Levels, number: number, { start, rows, noise }: Deviations, shift: number) {
  const [I, , S] = levels
  const [startsA, startsB] = [0, 1].map(n => normal(I, 10 * number + n))
  const [common, rowsA, rowsB] = [2, 3, 4].map(n => normal(S, 10 * number + n))
  const [noiseA, noiseB] = [5, 6].map(n => normal(I * S, 10 * number + n))
  const made = (starts: Float64Array, own: Float64Array, rest: Float64Array, moved: number): CrossedSide =>
    side(levels, (i, _, s) => start * starts[i] + 3 * common[s] + rows * own[s] + noise * rest[i * S + s] + moved)
  return [made(startsA, rowsA, noiseA, 0), made(startsB, rowsB, noiseB, shift)] as const
}

/** Of so many studies, those whose interval holds the true probability, Φ(0.6) = 0.7257469. */
export function coverage(levels: Levels, own: Deviations, studies: number): number {
  // There are two of each deviation, one a method.
  const shift = 0.6 * Math.sqrt(2 * (own.start ** 2 + own.rows ** 2 + own.noise ** 2))
  let held = 0
  for (let n = 0; n < studies; n++) {
    const [[{ interval }]] = outperforms(...madeUp(levels, n, own, shift), { starts: false, rows: true }, [1])
    if (interval[0] <= 0.7257469 && 0.7257469 <= interval[1]) held++
  }
  return held
}

/** Of runs that differ in their start alone. */
export const ofRuns = (a: Side, b: Side, paired: boolean, ks: readonly number[]): Outperforms[][] =>
  outperforms(ofStarts(a), ofStarts(b), { starts: paired, rows: true }, ks)
