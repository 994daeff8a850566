/**
 * Which runs to infinity approach the same limit: of the loss, within its uncertainties, and of the predictions on the rows. Memory
 * grows with the number of distinct limits.
 */
import { predictedMeans } from '../models/means.js'
import { defaultTolerances, type Tolerances } from './cluster.js'
import type { Model } from '../models/types.js'

/** Runs are stopped short of their limit, so that their predictions agree to no more than this, relative to max(1, largest). */
export const samePredictions = 1e-2

/** A distinct limit. */
export interface Limit {
  readonly loss: number
  readonly uncertainty: number
  readonly count: number
  readonly firstStart: number
  /** [P] The first run, where its optimiser left it. */
  readonly theta: Float64Array
  /** Places of parameters that grow without bound. */
  readonly growing: readonly number[]
}

/** A run to infinity; `z` are its outputs on some rows, [N, C]. */
export interface LimitRun {
  readonly start: number
  readonly loss: number
  readonly uncertainty: number
  readonly z: Float64Array
  readonly theta: Float64Array
  readonly growing: readonly number[]
}

type Entry = { -readonly [K in keyof Limit]: Limit[K] } & { predictions: Float64Array }

export class LimitClusterer {
  private readonly entries: Entry[] = []

  constructor(
    private readonly model: Model,
    private readonly tolerances: Tolerances = defaultTolerances
  ) {}

  add({ start, loss, uncertainty, z, theta, growing }: LimitRun): void {
    const predictions = predictedMeans(this.model, z)
    const entry = this.entries.find(e => this.same(e, loss, uncertainty, predictions))
    if (!entry) {
      this.entries.push({ loss, uncertainty, count: 1, firstStart: start, theta, growing, predictions })
      return
    }
    entry.count++
    // The limit known best stands for all; the first run is shown.
    if (uncertainty < entry.uncertainty || (uncertainty === entry.uncertainty && start < entry.firstStart))
      Object.assign(entry, { loss, uncertainty })
    if (start < entry.firstStart) Object.assign(entry, { firstStart: start, theta, growing, predictions })
  }

  /** Sorted by loss. */
  limits(): Limit[] {
    return [...this.entries].sort((a, b) => a.loss - b.loss || a.firstStart - b.firstStart)
  }

  private same(entry: Entry, loss: number, uncertainty: number, predictions: Float64Array): boolean {
    // Of an exact limit the predictions are known as well: those of runs still on their way may differ.
    if (uncertainty === 0 && entry.uncertainty === 0) return entry.loss === loss
    const reach = this.tolerances.degenerateLoss * Math.max(1, Math.abs(loss)) + entry.uncertainty + uncertainty
    if (!(Math.abs(entry.loss - loss) <= reach)) return false
    const size = predictions.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
    return predictions.every((v, i) => Math.abs(v - entry.predictions[i]) <= samePredictions * size)
  }
}
