/** Runs whose predictions are compared: all that did not fail, or, where there are too many, the best one and a sample by hash. */
import type { Coded } from '../../core/coded.js'
import type { LevelSets } from './measures.js'
import { ThinnedSample } from '../sketch.js'

/** A run: how good it is, and where it ended. */
interface Candidate {
  readonly score: number
  readonly loss: number
  readonly start: number
}

/** Whether a run is better than another: by score, then loss, then start. */
const isBetter = (a: Candidate, b: Candidate): boolean =>
  (a.score - b.score || a.loss - b.loss || a.start - b.start) < 0

export interface Compared {
  readonly best: Candidate
  /** [M] scores, that of the best run first and the others in the order in which they came. */
  readonly score: Float64Array
  /** [M, P] */
  readonly theta: Float64Array
  /** Runs that were offered, of which M are here. */
  readonly offered: number
}

/** A column by its distinct values, and [count] which of them a run has. */
type Column = Pick<Coded, 'codes' | 'values'>

/** Columns of runs that are offered. */
export interface Offered {
  readonly start: Float64Array
  /** [count] `hashInteger` of the starts. */
  readonly hash: Uint32Array
  /** Better where lower. */
  readonly score: Column
  readonly loss: Column
  /** [·, P] */
  readonly theta: Float64Array
  /** [count] the row of `theta` that is a run's; absent: its own. */
  readonly row?: Uint32Array
}

/** Columns of the sample before the parameters. */
const sampled = { start: 0, score: 1 } as const
const firstParameter = Object.keys(sampled).length

export class Candidates {
  private readonly sample: ThinnedSample
  private best: (Candidate & { readonly theta: Float64Array }) | undefined
  private offered = 0
  private room = new Uint8Array(0)

  /**
   * @param parameters P
   * @param capacity runs that are kept at most
   * @param expected runs that will be offered at most
   */
  constructor(
    private readonly parameters: number,
    capacity: number,
    expected?: number
  ) {
    this.sample = new ThinnedSample(firstParameter + parameters, capacity, expected)
  }

  /** Scores and losses that are not finite are refused, and runs whose parameters are not there. */
  add({ start, hash, score, loss, theta, row }: Offered): void {
    const { parameters: P, sample } = this
    if (this.room.length < start.length) this.room = new Uint8Array(start.length)
    const offered = this.room.fill(0)
    let refused = 0
    let best = this.best?.score ?? Infinity
    let lowest = this.best?.loss ?? Infinity
    for (let i = 0; i < start.length; i++) {
      const from = (row ? row[i] : i) * P
      const s = score.values[score.codes[i]]
      const f = loss.values[loss.codes[i]]
      // The difference of a finite number and itself is 0.
      if (s - s !== 0 || f - f !== 0 || theta[from] !== theta[from]) {
        refused++
        continue
      }
      offered[i] = 1
      if (s > best || (s === best && f > lowest)) continue
      this.compete({ score: s, loss: f, start: start[i] }, theta, from)
      best = this.best!.score
      lowest = this.best!.loss
    }
    this.offered += start.length - refused
    const which = sample.take(hash, refused > 0 ? offered : undefined)
    sample.fill(sampled.start, start, which)
    sample.fill(sampled.score, score.values, which, 1, 0, score.codes)
    for (let p = 0; p < P; p++) sample.fill(firstParameter + p, theta, which, P, p, row)
  }

  private compete(one: Candidate, theta: Float64Array, from: number): void {
    const { best, parameters: P } = this
    if (!best || isBetter(one, best)) this.best = { ...one, theta: theta.slice(from, from + P) }
  }

  /** The runs kept; undefined where there is none. */
  result(): Compared | undefined {
    const { best, sample, parameters: P } = this
    if (!best) return undefined
    const kept = sample.column(sampled.start).subarray(0, sample.count).indexOf(best.start)
    const M = sample.count + (kept < 0 ? 1 : 0)
    const score = new Float64Array(M)
    const theta = new Float64Array(M * P)
    // A few rows of all columns at a time, so that what is written stays in the cache.
    const together = 64
    const columns = Array.from({ length: P }, (_, p) => sample.column(firstParameter + p))
    const scores = sample.column(sampled.score)
    for (let first = 0; first < sample.count; first += together) {
      const end = Math.min(first + together, sample.count)
      for (let p = 0; p < P; p++) {
        const column = columns[p]
        for (let row = first; row < end; row++) if (row !== kept) theta[rowAfterBest(row, kept) * P + p] = column[row]
      }
      for (let row = first; row < end; row++) if (row !== kept) score[rowAfterBest(row, kept)] = scores[row]
    }
    score[0] = best.score
    theta.set(best.theta)
    const { score: bestScore, loss, start: bestStart } = best
    return { best: { score: bestScore, loss, start: bestStart }, score, theta, offered: this.offered }
  }
}

/** The row of a run of the sample behind the best one, which was row `best` of it; −1: was not in it. */
const rowAfterBest = (row: number, best: number): number => (best >= 0 && row > best ? row : row + 1)

/** The places of models in their level sets: those of the least ε first, in the order given otherwise. */
export interface Levels {
  readonly order: Uint32Array
  readonly sizes: LevelSets['sizes']
}

/** The level sets of models by their scores [M], that of the best one first; `tolerance` is what counts as equal. ε ascend. */
export function levelSets(scores: Float64Array, epsilons: readonly number[], tolerance: number): Levels {
  const limits = Float64Array.from(epsilons, epsilon => scores[0] + epsilon + tolerance)
  const E = limits.length
  const level = new Uint8Array(scores.length)
  const ends = new Array<number>(E + 1).fill(0)
  for (let m = 0; m < scores.length; m++) {
    let e = 0
    while (e < E && scores[m] > limits[e]) e++
    level[m] = e
    ends[e]++
  }
  for (let e = 1; e <= E; e++) ends[e] += ends[e - 1]
  const sizes = ends.slice(0, E)
  const next = [0, ...sizes]
  const order = new Uint32Array(sizes[E - 1])
  for (let m = 0; m < scores.length; m++) if (level[m] < E) order[next[level[m]]++] = m
  return { order, sizes }
}
