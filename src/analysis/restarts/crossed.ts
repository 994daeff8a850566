/**
 * The probability that one method does better than another over starts and resamples of the rows, as Bouthillier and others (2021) recommend: of
 * a run of A and a run of B on the same resample, A's has the better value, ties counting half; the mean over the resamples of what
 * outperform.ts says within each. Where the resamples of A are not those of B, any run of A is compared with any of B. The runs of a study are a
 * design of starts alone.
 *
 * Intervals: percentiles of a bootstrap (Efron 1979) that draws starts, orders and resamples each anew, and takes the runs where they cross (McCullagh
 * 2000; Owen 2007, the pigeonhole bootstrap), so that a few resamples do not pass for many runs; from them also: better beyond doubt is what has an
 * interval above 1/2, and better in a way that matters a probability of 3/4 at least. Where A or B is always better, contests that share neither a
 * start nor a resample are counted.
 */
import type { Outperforms } from '../../core/comparisonResult.js'
import type { Levels } from '../variance.js'
import { Contest, resampled, resamples, withInterval, type Side } from './outperform.js'

/** Runs of starts × orders × resamples, at the places (start · orders + order) · resamples + resample. */
export interface CrossedSide extends Side {
  readonly levels: Levels
}

/** Runs that differ in their start alone. */
export const ofStarts = (side: Side): CrossedSide => ({ ...side, levels: [side.losses.length, 1, 1] })

/** What both sides share. */
export interface Pairing {
  /** Whether start and order i are the same. */
  readonly starts: boolean
  /** Whether resample i is. */
  readonly rows: boolean
}

/** The runs on one resample. */
function on(side: CrossedSide, resample: number): Side {
  const S = side.levels[2]
  const take = (values: Float64Array): Float64Array => values.filter((_, r) => r % S === resample)
  return { losses: take(side.losses), values: side.values.map(take) }
}

/** How often each run of a grid is drawn, from how often each level of its factors is. */
function product(factors: readonly ArrayLike<number>[]): Float64Array {
  return factors.reduce<Float64Array>((counts, factor) => {
    const out = new Float64Array(counts.length * factor.length)
    counts.forEach((n, i) => {
      for (let j = 0; j < factor.length; j++) out[i * factor.length + j] = n * factor[j]
    })
    return out
  }, Float64Array.of(1))
}

/** That A is better than B by each value, for each k: [value][k]. */
export function outperforms(a: CrossedSide, b: CrossedSide, paired: Pairing, ks: readonly number[]): Outperforms[][] {
  const S = paired.rows ? a.levels[2] : 1
  const contests = paired.rows
    ? Array.from({ length: S }, (_, s) => new Contest(on(a, s), on(b, s), paired.starts))
    : [new Contest(a, b, paired.starts)]
  /** Levels that a side's runs of a contest cross. */
  const factors = ({ levels }: CrossedSide): readonly number[] => (paired.rows ? levels.slice(0, 2) : levels)
  const mean = (countsA: Float64Array, countsB: Float64Array, often: ArrayLike<number>): number[][] => {
    const sum = a.values.map(() => new Array<number>(ks.length).fill(0))
    contests.forEach((contest, s) => {
      if (often[s] === 0) return
      contest
        .probabilities(countsA, countsB, ks)
        .forEach((list, m) => list.forEach((p, n) => (sum[m][n] += (often[s] * p) / S)))
    })
    return sum
  }
  const ones = (side: CrossedSide): Float64Array => product(factors(side).map(n => new Uint8Array(n).fill(1)))
  const found = mean(ones(a), ones(b), new Uint8Array(S).fill(1))
  const drawn = found.map(list => list.map(() => new Float64Array(resamples)))
  for (let r = 0; r < resamples; r++) {
    let at = 0
    const draw = (n: number): Uint16Array => resampled(n, r, (at += n) - n)
    const often = draw(S)
    const countsA = product(factors(a).map(draw))
    const countsB = paired.starts ? countsA : product(factors(b).map(draw))
    mean(countsA, countsB, often).forEach((list, m) => list.forEach((p, n) => (drawn[m][n][r] = p)))
  }
  const fewest = (k: number): number =>
    Math.min(...[a, b].map(({ levels: [I, , R] }) => Math.min(Math.floor(I / k), R > 1 ? R : I)))
  return found.map((list, m) => list.map((p, n) => withInterval(p, drawn[m][n], ks[n], Math.max(1, fewest(ks[n])))))
}
