/** Runs whose predictions are compared: all that did not fail, or, where there are too many, the best one and a sample by hash. */
import type { LevelSets } from './measures.js'
import { hashInteger, ThinnedSample } from '../sketch.js'

/** A run: how good it is, and where it ended. */
interface Candidate {
  readonly score: number
  readonly loss: number
  readonly start: number
}

/** The better first: by score, then loss, then start. */
const byScore = (a: Candidate, b: Candidate): number => a.score - b.score || a.loss - b.loss || a.start - b.start

export interface Compared {
  /** [M], the best first, in the order of the level sets. */
  readonly start: Float64Array
  readonly score: Float64Array
  readonly loss: Float64Array
  /** [M, P] */
  readonly theta: Float64Array
  /** Runs that were offered, of which M are here. */
  readonly offered: number
}

export class Candidates {
  private readonly sample: ThinnedSample
  private best: (Candidate & { readonly theta: Float64Array }) | undefined
  private offered = 0

  /**
   * @param parameters P
   * @param capacity runs that are kept at most
   */
  constructor(
    private readonly parameters: number,
    capacity: number
  ) {
    this.sample = new ThinnedSample(3 + parameters, capacity)
  }

  /** Takes row i of theta [R, P]. Scores that are not finite are refused, and runs whose parameters are not there. */
  add(score: number, loss: number, start: number, theta: Float64Array, i: number): void {
    const { parameters: P, sample } = this
    if (!Number.isFinite(score) || !Number.isFinite(loss) || Number.isNaN(theta[i * P])) return
    this.offered++
    const one = { score, loss, start }
    if (!this.best || byScore(one, this.best) < 0) this.best = { ...one, theta: theta.slice(i * P, (i + 1) * P) }
    const hash = hashInteger(start)
    const row = sample.takes(hash) ? sample.slot(hash) : -1
    if (row < 0) return
    sample.column(0)[row] = score
    sample.column(1)[row] = loss
    sample.column(2)[row] = start
    for (let p = 0; p < P; p++) sample.column(3 + p)[row] = theta[i * P + p]
  }

  /** The runs kept; undefined where there is none. */
  result(): Compared | undefined {
    const { best, sample, parameters: P } = this
    if (!best) return undefined
    const [score, loss, start] = [0, 1, 2].map(c => sample.column(c))
    const rows = Array.from({ length: sample.count }, (_, row) => ({
      row,
      score: score[row],
      loss: loss[row],
      start: start[row]
    })).filter(one => one.start !== best.start)
    rows.sort(byScore)
    const theta = new Float64Array((rows.length + 1) * P)
    theta.set(best.theta)
    for (let p = 0; p < P; p++) {
      const column = sample.column(3 + p)
      rows.forEach(({ row }, n) => (theta[(n + 1) * P + p] = column[row]))
    }
    const all = [best, ...rows]
    return {
      start: Float64Array.from(all, one => one.start),
      score: Float64Array.from(all, one => one.score),
      loss: Float64Array.from(all, one => one.loss),
      theta,
      offered: this.offered
    }
  }
}

/** The level sets of models by their scores [M], ascending; `tolerance` is what counts as equal. */
export function levelSets(
  scores: Float64Array,
  runs: Float64Array,
  epsilons: readonly number[],
  tolerance: number
): LevelSets {
  const sizes = epsilons.map(epsilon => {
    const end = scores.findIndex(score => score > scores[0] + epsilon + tolerance)
    return end < 0 ? scores.length : end
  })
  return { runs, sizes }
}
