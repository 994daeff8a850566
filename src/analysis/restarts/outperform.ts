/**
 * The probability that one method does better than another: of a run of A and a run of B, or of the best of k runs of each, A's has the better
 * value, ties counting half (Mann and Whitney 1947). Over all pairs of runs, or of sets of k runs; exact, nothing simulated. Where the same starts were
 * given to both, run is compared with run from one start. What crossed.ts draws for its intervals comes from here, too.
 */
import type { Outperforms } from '../../core/comparisonResult.js'
import { Stream, words } from '../../core/rng.js'
import { clopperPearson, quantileSorted } from '../../core/stats.js'
import { roundingOf } from '../../core/ties.js'
import { confidence, survival } from './bestOf.js'

/** Resamples of the bootstrap. */
export const resamples = 1000

/** The runs of a method: the loss by which the best of several is taken, and values of which less is better; NaN is worse than all. */
export interface Side {
  /** [R] */
  readonly losses: Float64Array
  /** [R] each. */
  readonly values: readonly Float64Array[]
}

/** Places of values in ascending order, equal ones and those that differ by rounding in one; NaN and infinities in the last. */
function places(values: Float64Array): { readonly at: Int32Array; readonly count: number } {
  const at = new Int32Array(values.length)
  const order = Uint32Array.from(values.keys()).filter(i => Number.isFinite(values[i]))
  order.sort((i, j) => values[i] - values[j])
  let first = NaN
  let place = -1
  for (const i of order) {
    if (!(values[i] - first <= roundingOf(first))) {
      first = values[i]
      place++
    }
    at[i] = place
  }
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) at[i] = place + 1
  return { at, count: place + 2 }
}

/** One side by places: of the losses among its own, and of each value among those of both sides. */
interface Placed {
  readonly runs: number
  readonly byLoss: ReturnType<typeof places>
  readonly byValue: readonly Int32Array[]
}

/** Probability of each run to be the best of k, equally good ones in turn, where run i is there `counts[i]` times: [R]. */
function chosen({ runs, byLoss }: Placed, counts: ArrayLike<number>, k: number): Float64Array {
  const out = new Float64Array(runs)
  if (k === 1) {
    for (let i = 0; i < runs; i++) out[i] = counts[i] / runs
    return out
  }
  const together = new Float64Array(byLoss.count)
  for (let i = 0; i < runs; i++) together[byLoss.at[i]] += counts[i]
  const above = survival(together, runs, k)
  for (let i = 0; i < runs; i++) {
    const g = byLoss.at[i]
    if (counts[i] > 0) out[i] = ((above[g] - above[g + 1]) * counts[i]) / together[g]
  }
  return out
}

export class Contest {
  private readonly a: Placed
  private readonly b: Placed
  private readonly levels: readonly number[]

  /** @param paired whether run i of both is from one start, and there are as many of each */
  constructor(
    a: Side,
    b: Side,
    private readonly paired: boolean
  ) {
    const [nA, nB] = [a.losses.length, b.losses.length]
    const pooled = a.values.map((values, m) => {
      const all = new Float64Array(nA + nB)
      all.set(values)
      all.set(b.values[m], nA)
      return places(all)
    })
    this.levels = pooled.map(p => p.count)
    this.a = { runs: nA, byLoss: places(a.losses), byValue: pooled.map(p => p.at.subarray(0, nA)) }
    this.b = { runs: nB, byLoss: places(b.losses), byValue: pooled.map(p => p.at.subarray(nA)) }
  }

  /** Of value m and the best of k: the probability that A is better, runs being there as often as `counts` say. */
  private probability(
    [weightsA, weightsB]: readonly [Float64Array, Float64Array],
    counts: ArrayLike<number>,
    k: number,
    m: number
  ): number {
    const { a, b } = this
    const [atA, atB] = [a.byValue[m], b.byValue[m]]
    if (this.paired && k === 1) {
      let sum = 0
      for (let i = 0; i < a.runs; i++) sum += counts[i] * (atA[i] < atB[i] ? 1 : atA[i] === atB[i] ? 0.5 : 0)
      return sum / a.runs
    }
    const of = new Float64Array(this.levels[m])
    const against = new Float64Array(this.levels[m])
    for (let i = 0; i < a.runs; i++) of[atA[i]] += weightsA[i]
    for (let j = 0; j < b.runs; j++) against[atB[j]] += weightsB[j]
    // What A wins and what B wins, so that what never happens is exactly 0.
    let [won, lost, worseA, worseB] = [0, 0, 0, 0]
    for (let l = of.length - 1; l >= 0; l--) {
      won += of[l] * (worseB + 0.5 * against[l])
      lost += against[l] * (worseA + 0.5 * of[l])
      worseA += of[l]
      worseB += against[l]
    }
    return won / (won + lost)
  }

  /** That A is better by each value, for each k: [value][k], where run i is there `counts[i]` times, as often in all as there are runs. */
  probabilities(countsA: ArrayLike<number>, countsB: ArrayLike<number>, ks: readonly number[]): number[][] {
    const weights = ks.map(k => [chosen(this.a, countsA, k), chosen(this.b, countsB, k)] as const)
    return this.levels.map((_, m) => ks.map((k, n) => this.probability(weights[n], countsA, k, m)))
  }
}

/**
 * A probability with the percentile interval of what resamples gave. A bootstrap of what is always so says nothing of how often it is not: where it
 * is 0 or 1, the end is that of Clopper and Pearson for as many disjoint contests as there are.
 */
export function withInterval(probability: number, drawn: Float64Array, k: number, contests: number): Outperforms {
  drawn.sort()
  const tail = (1 - confidence) / 2
  const [low, high] = [quantileSorted(drawn, tail), quantileSorted(drawn, 1 - tail)]
  return {
    k,
    probability,
    interval: [
      probability === 0 ? 0 : probability === 1 ? clopperPearson(contests, contests, confidence)[0] : low,
      probability === 1 ? 1 : probability === 0 ? clopperPearson(0, contests, confidence)[1] : high
    ]
  }
}

/** How often each of n runs is drawn in a resample, by words first … first + n − 1 of its stream. */
export function resampled(n: number, resample: number, first: number): Uint16Array {
  const counts = new Uint16Array(n)
  for (const word of words(1, Stream.bootstrap, resample, first, n)) counts[Math.floor((word * n) / 4294967296)]++
  return counts
}
