/**
 * What a study says about all its runs together: verdicts, spread of the end points, quantiles of metrics and steps, agreement
 * of predictions, and the waterfall of losses. Streaming, in bounded memory, and independent of the order in which runs end.
 */
import { VerdictCode, verdicts } from '../core/result.js'
import { hashInteger, QuantileSketch, ThinnedSample } from './sketch.js'
import type { MetricSet, Quantiles, Verdict } from '../core/result.js'
import type { Rows } from '../runs/table.js'

/** Losses as found within this of the best one, times max(1, |best|), are as good as it (where there is no accuracy). */
export const sameLossTolerance = 1e-6
/** Accuracies closer than this are equal: they are ratios of the same few sums. */
const sameAccuracyTolerance = 1e-12
/** Points of the waterfall at most. */
export const waterfallPoints = 2000

type MetricName = keyof MetricSet<number>

export interface AggregateOptions {
  /** P */
  readonly parameters: number
  /** Columns of the metrics, as `scoreNames(loss)` gives them. */
  readonly metricNames: readonly MetricName[]
  readonly test: boolean
}

/** Runs, in any order. Rows of a failed run may hold anything; they are left out where the summary says so. */
export type AggregatedRows = Pick<
  Rows,
  'count' | 'start' | 'verdict' | 'loss' | 'lossFound' | 'theta' | 'steps' | 'train' | 'test'
> & {
  /** [count] number of the distinct point, −1 for none. */
  readonly point: Int32Array
}

export interface WaterfallPoint {
  readonly loss: number
  readonly verdict: Verdict
  readonly point: number | null
}

export interface AggregateResult {
  readonly runs: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly spread: { readonly parameters: number; readonly loss: number }
  readonly train: MetricSet<Quantiles>
  readonly test?: MetricSet<Quantiles>
  readonly asGoodAsBest: number
  readonly disagreement: number
  readonly steps: Quantiles
  readonly waterfall: readonly WaterfallPoint[]
  /** Whether all quartiles are exact, not those of a sample of runs. */
  readonly exactQuantiles: boolean
}

/** How many values lie within a tolerance of the best (largest) one, streaming. */
class BestCounter {
  private best = -Infinity
  private width = 0
  private readonly bins = new Map<number, number>()

  constructor(private readonly tolerance: number) {}

  /** Values `sign` · values[i · width + at] of the rows `which`. */
  addColumn(values: Float64Array, width: number, at: number, sign: 1 | -1, which: Uint32Array): void {
    let last = NaN
    let times = 0
    for (let n = 0; n < which.length; n++) {
      const value = sign * values[which[n] * width + at]
      // Runs of equal values are common.
      if (value === last) {
        times++
        continue
      }
      this.add(last, times)
      last = value
      times = 1
    }
    this.add(last, times)
  }

  private add(value: number, times: number): void {
    if (!(value > -Infinity)) return
    if (value > this.best) this.rise(value)
    if (value < this.best - this.reach()) return
    // Bins of 1/1024 of the tolerance bound the memory; a value counts with its bin.
    const bin = Math.round(value / this.width)
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + times)
  }

  private reach(): number {
    return this.tolerance * Math.max(1, Math.abs(this.best))
  }

  private rise(value: number): void {
    this.best = value
    // The bin width is a power of two times the tolerance, so that old bins fall into new ones whole when it changes.
    const width = (this.tolerance * 2 ** Math.floor(Math.log2(Math.max(1, Math.abs(value))))) / 1024
    const old = [...this.bins]
    const oldWidth = this.width
    this.width = width
    this.bins.clear()
    for (const [bin, times] of old) {
      if (bin * oldWidth < value - this.reach()) continue
      const moved = Math.round((bin * oldWidth) / width)
      this.bins.set(moved, (this.bins.get(moved) ?? 0) + times)
    }
  }

  get count(): number {
    let sum = 0
    for (const [bin, times] of this.bins) if (bin * this.width >= this.best - this.reach()) sum += times
    return sum
  }
}

export class Aggregate {
  private readonly verdictCounts = new Float64Array(verdicts.length)
  private readonly low: Float64Array
  private readonly high: Float64Array
  private lowLoss = Infinity
  private highLoss = -Infinity
  private readonly train: QuantileSketch[]
  private readonly test: QuantileSketch[]
  private readonly steps = new QuantileSketch()
  private readonly waterfall = new ThinnedSample(3)
  /** The smallest certified loss, which a thinned waterfall must not lose. */
  private readonly lowest = { loss: Infinity, start: Infinity, verdict: 0, point: -1 }
  private readonly accuracyAt: number
  private readonly bestAccuracy = new BestCounter(sameAccuracyTolerance)
  private readonly bestLoss = new BestCounter(sameLossTolerance)
  private finished = 0
  private classCounts: Float64Array | undefined
  private classified = 0

  constructor(private readonly options: AggregateOptions) {
    const { parameters, metricNames, test } = options
    this.low = new Float64Array(parameters).fill(Infinity)
    this.high = new Float64Array(parameters).fill(-Infinity)
    this.train = metricNames.map(() => new QuantileSketch())
    this.test = test ? metricNames.map(() => new QuantileSketch()) : []
    this.accuracyAt = metricNames.indexOf('accuracy')
  }

  addBlock(block: AggregatedRows): void {
    const { count, start, verdict, train, test } = block
    const M = this.train.length
    const hashes = new Uint32Array(count)
    for (let r = 0; r < count; r++) hashes[r] = hashInteger(start[r])
    for (let r = 0; r < count; r++) this.verdictCounts[verdict[r]]++
    const all = new Uint32Array(count)
    for (let r = 0; r < count; r++) all[r] = r
    const finished = verdict.includes(VerdictCode.failed) ? all.filter(r => verdict[r] !== VerdictCode.failed) : all
    this.steps.addColumn(new Float64Array(block.steps), 1, 0, all, hashes)
    this.finished += finished.length
    for (let m = 0; m < M; m++) this.train[m].addColumn(train, M, m, finished, hashes)
    if (test) for (let m = 0; m < this.test.length; m++) this.test[m].addColumn(test, M, m, finished, hashes)
    if (this.accuracyAt >= 0) this.bestAccuracy.addColumn(train, M, this.accuracyAt, 1, finished)
    else this.bestLoss.addColumn(block.lossFound, 1, 0, -1, finished)
    this.addLosses(block, finished, hashes)
    this.addEnds(block)
  }

  /** Ranges of the end points. */
  private addEnds({ count, verdict, loss, theta }: AggregatedRows): void {
    const { low, high } = this
    const P = low.length
    let { lowLoss, highLoss } = this
    for (let r = 0; r < count; r++) {
      if (verdict[r] !== VerdictCode.minimum && verdict[r] !== VerdictCode.degenerate) continue
      if (loss[r] < lowLoss) lowLoss = loss[r]
      if (loss[r] > highLoss) highLoss = loss[r]
      if (!theta) continue
      for (let p = 0, q = r * P; p < P; p++, q++) {
        const value = theta[q]
        if (value < low[p]) low[p] = value
        if (value > high[p]) high[p] = value
      }
    }
    this.lowLoss = lowLoss
    this.highLoss = highLoss
  }

  /** Where the parameters of end points lie whose rows do not tell, [P] each. */
  addRange(low: Float64Array, high: Float64Array): void {
    for (let p = 0; p < this.low.length; p++) {
      this.low[p] = Math.min(this.low[p], low[p])
      this.high[p] = Math.max(this.high[p], high[p])
    }
  }

  /**
   * How many of `runs` runs predict each class on each training row, [N, C'] (`Scores.classCounts`); over blocks, summed. Failed
   * runs must not be among them.
   */
  addClassCounts(counts: Float64Array, runs: number): void {
    this.classified += runs
    if (!this.classCounts) {
      this.classCounts = Float64Array.from(counts)
      return
    }
    for (let i = 0; i < counts.length; i++) this.classCounts[i] += counts[i]
  }

  private addLosses({ start, verdict, point, loss }: AggregatedRows, which: Uint32Array, hashes: Uint32Array): void {
    const { lowest, waterfall } = this
    let least = lowest.loss
    for (let n = 0; n < which.length; n++) {
      const r = which[n]
      const value = loss[r]
      if (!Number.isFinite(value)) continue
      if (value < least || (value === least && start[r] < lowest.start)) {
        least = value
        Object.assign(lowest, { loss: value, start: start[r], verdict: verdict[r], point: point[r] })
      }
      if (!waterfall.takes(hashes[r])) continue
      const row = waterfall.slot(hashes[r])
      if (row < 0) continue
      waterfall.column(0)[row] = value
      waterfall.column(1)[row] = verdict[r]
      waterfall.column(2)[row] = point[r]
    }
  }

  result(): AggregateResult {
    const count = (verdict: Verdict): number => this.verdictCounts[VerdictCode[verdict]]
    const counts = Object.fromEntries(verdicts.map(v => [v, count(v)])) as Record<Verdict, number>
    const quantiles = (sketches: readonly QuantileSketch[]): MetricSet<Quantiles> =>
      Object.fromEntries(sketches.map((sketch, m) => [this.options.metricNames[m], sketch.result()]))
    const best = this.accuracyAt >= 0 ? this.bestAccuracy : this.bestLoss
    return {
      runs: this.verdictCounts.reduce((sum, n) => sum + n, 0),
      verdicts: counts,
      spread: this.spread(),
      train: quantiles(this.train),
      ...(this.options.test ? { test: quantiles(this.test) } : {}),
      asGoodAsBest: this.finished > 0 ? best.count / this.finished : 0,
      disagreement: disagreement(this.classCounts, this.classified),
      steps: this.steps.result(),
      waterfall: this.waterfallSample(),
      exactQuantiles: [...this.train, ...this.test, this.steps].every(sketch => sketch.isExact)
    }
  }

  /** Largest difference between two end points that are minima or degenerate, relative to max(1, |value|); 0 without any. */
  private spread(): { parameters: number; loss: number } {
    const relative = (low: number, high: number): number =>
      high > low ? (high - low) / Math.max(1, Math.abs(low), Math.abs(high)) : 0
    let parameters = 0
    for (let p = 0; p < this.low.length; p++) parameters = Math.max(parameters, relative(this.low[p], this.high[p]))
    return { parameters, loss: relative(this.lowLoss, this.highLoss) }
  }

  /** Certified losses, ascending, evenly spaced by rank, the smallest and the largest kept included. */
  private waterfallSample(): WaterfallPoint[] {
    const { waterfall, lowest } = this
    const [losses, codes, points] = [0, 1, 2].map(c => waterfall.column(c))
    const order = Uint32Array.from({ length: waterfall.count }, (_, i) => i)
    order.sort((a, b) => losses[a] - losses[b] || codes[a] - codes[b] || points[a] - points[b])
    const size = Math.min(waterfallPoints, order.length)
    const word = (loss: number, verdict: number, point: number): WaterfallPoint => ({
      loss,
      verdict: verdicts[verdict],
      point: point < 0 ? null : point
    })
    const list = Array.from({ length: size }, (_, i) => {
      const at = order[size === 1 ? 0 : Math.round((i * (order.length - 1)) / (size - 1))]
      return word(losses[at], codes[at], points[at])
    })
    if (list.length > 0 && lowest.loss < list[0].loss) list[0] = word(lowest.loss, lowest.verdict, lowest.point)
    return list
  }
}

/**
 * Mean share of rows on which two of n runs predict different classes, over all pairs of runs: per row
 * 1 − Σ_c k_c (k_c − 1) / (n (n − 1)), where k_c of the runs predict class c. 0 for fewer than two runs or no classes.
 */
export function disagreement(counts: Float64Array | undefined, runs: number): number {
  if (!counts || counts.length === 0 || runs < 2) return 0
  // Every row's counts sum to `runs`, so Σ over all entries of k (runs − k) counts each differing ordered pair once.
  let differing = 0
  let total = 0
  for (const k of counts) {
    differing += k * (runs - k)
    total += k
  }
  const rows = total / runs
  return differing / (rows * runs * (runs - 1))
}
