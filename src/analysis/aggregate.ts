/**
 * What a study says about all its runs together: verdicts, spread of the end points, quantiles of metrics and steps, agreement
 * of predictions, and the waterfall of losses. Streaming, in bounded memory, and independent of the order in which runs end.
 */
import { VerdictCode, verdicts } from '../core/result.js'
import { OutcomeCounter, type Outcomes } from './restarts/outcomes.js'
import { QuantileSketch, sampleCapacity, ThinnedSample, type Tally } from './sketch.js'
import type { MetricSet, Quantiles, Summary, Verdict } from '../core/result.js'
import type { Coded, CodedRuns } from '../core/coded.js'
import type { EndRows, EndRuns, Rows } from '../runs/table.js'

/** Losses as found within this of the best one, times max(1, |best|), are as good as it (where there is no accuracy). */
export const sameLossTolerance = 1e-6
/** Accuracies closer than this are equal: they are ratios of the same few sums. */
export const sameAccuracyTolerance = 1e-12
const histogramBins = 30
/** Points of the waterfall at most. */
export const waterfallPoints = 2000

type MetricName = keyof MetricSet<number>

/** Of the runs of a block: those that failed are in the tallies of the steps alone. */
interface Columns {
  readonly steps: Coded
  readonly train: readonly Coded[]
  readonly test: readonly Coded[]
}

export interface AggregateOptions {
  /** P */
  readonly parameters: number
  /** Columns of the metrics, as `scoreNames(loss)` gives them. */
  readonly metricNames: readonly MetricName[]
  readonly test: boolean
  /** Runs at most, so that nothing has to grow. */
  readonly expected?: number
}

/** Runs, in any order. Rows of a failed run may hold anything; they are left out where the summary says so. */
export type AggregatedRows = Pick<Rows, 'count' | 'start' | 'end'> & {
  readonly ends: Pick<EndRows, 'count' | 'verdict' | 'loss' | 'theta'> & {
    /** [ends] number of the distinct point, −1 for none. */
    readonly point: Int32Array
  }
  readonly runs: Pick<EndRuns, 'counts' | 'first'>
  /** [count] `hashInteger` of the starts. */
  readonly hash: Uint32Array
  readonly coded: CodedRuns
}

/** [count] 1 for the runs of a block that did not fail; undefined where none did. */
function finishedOf({ end, ends: { verdict } }: AggregatedRows): Uint8Array | undefined {
  if (!verdict.includes(VerdictCode.failed)) return undefined
  return Uint8Array.from(end, e => (verdict[e] === VerdictCode.failed ? 0 : 1))
}

/** A column with the tallies of the runs that are there. */
function among(coded: Coded, there: Uint8Array | undefined): Coded {
  if (!there) return coded
  const counts = new Uint32Array(coded.counts.length)
  for (let r = 0; r < there.length; r++) counts[coded.codes[r]] += there[r]
  return { ...coded, counts }
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
  readonly histogram: Summary['metrics']['histogram']
  readonly asGoodAsBest: number
  readonly disagreement: number
  readonly steps: Quantiles
  /** Of all runs. */
  readonly totalSteps: number
  readonly waterfall: readonly WaterfallPoint[]
  /** Losses as found, with the scores on held-out rows, where there are any. */
  readonly outcomes: Outcomes
  /** Whether all quartiles are exact, not those of a sample of runs. */
  readonly exactQuantiles: boolean
}

/** How many values lie within a tolerance of the best (largest) one, streaming. */
class BestCounter {
  private best = -Infinity
  private width = 0
  private readonly bins = new Map<number, number>()

  constructor(private readonly tolerance: number) {}

  /** `sign` times the values of runs. */
  addTally({ values, counts }: Tally, sign: 1 | -1): void {
    for (let j = 0; j < values.length; j++) if (counts[j] > 0) this.add(sign * values[j], counts[j])
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

/** Runs of one verdict that are at one point, at a loss. */
interface Level {
  readonly loss: number
  readonly verdict: number
  readonly point: number
  runs: number
}

/** Columns of the sample of runs. */
const sampled = { loss: 0, verdict: 1, point: 2, steps: 3 } as const
const firstMetric = Object.keys(sampled).length

export class Aggregate {
  private readonly verdictCounts = new Float64Array(verdicts.length)
  private readonly low: Float64Array
  private readonly high: Float64Array
  private lowLoss = Infinity
  private highLoss = -Infinity
  /** Of all runs: certified loss (NaN where there is none), verdict and point, steps, then the metrics; those of failed runs are NaN. */
  private readonly sample: ThinnedSample
  private readonly train: QuantileSketch[]
  private readonly test: QuantileSketch[]
  private readonly steps: QuantileSketch
  private readonly outcomes: OutcomeCounter
  /** The smallest certified loss, which a thinned waterfall must not lose. */
  private readonly lowest = { loss: Infinity, start: Infinity, verdict: 0, point: -1 }
  private readonly accuracyAt: number
  private readonly bestAccuracy = new BestCounter(sameAccuracyTolerance)
  private readonly bestLoss = new BestCounter(sameLossTolerance)
  private finished = 0
  private totalSteps = 0
  private classCounts: Float64Array | undefined
  private classified = 0

  constructor(private readonly options: AggregateOptions) {
    const { parameters, metricNames, test, expected } = options
    this.low = new Float64Array(parameters).fill(Infinity)
    this.high = new Float64Array(parameters).fill(-Infinity)
    const M = metricNames.length
    this.sample = new ThinnedSample(firstMetric + (test ? 2 * M : M), sampleCapacity, expected)
    this.steps = new QuantileSketch(this.sample, sampled.steps)
    this.train = metricNames.map((_, m) => new QuantileSketch(this.sample, firstMetric + m))
    this.test = test ? metricNames.map((_, m) => new QuantileSketch(this.sample, firstMetric + M + m)) : []
    this.outcomes = new OutcomeCounter(this.test.length)
    this.accuracyAt = metricNames.indexOf('accuracy')
  }

  addBlock(block: AggregatedRows): void {
    const { ends, runs, coded } = block
    const { metricNames, test } = this.options
    const there = finishedOf(block)
    const scores = (name: 'train' | 'test'): Coded[] => metricNames.map((_, m) => among(coded.of(name, m), there))
    const columns = { steps: coded.of('steps'), train: scores('train'), test: test ? scores('test') : [] }
    this.draw(block, columns, there)
    for (let e = 0; e < ends.count; e++) this.verdictCounts[ends.verdict[e]] += runs.counts[e]
    const { values, counts } = columns.steps
    this.steps.add(columns.steps)
    for (let j = 0; j < values.length; j++) this.totalSteps += values[j] * counts[j]
    this.addFinished(columns, among(coded.of('lossFound'), there), there)
    this.findLowest(block)
    this.addEnds(ends)
  }

  private addFinished({ train, test }: Columns, lossFound: Coded, there: Uint8Array | undefined): void {
    const losses = lossFound.counts.reduce((sum, n) => sum + n, 0)
    this.finished += losses
    this.outcomes.addWithout(lossFound.codes.length - losses)
    train.forEach((scores, m) => this.train[m].add(scores))
    test.forEach((scores, m) => this.test[m].add(scores))
    if (this.accuracyAt >= 0) this.bestAccuracy.addTally(train[this.accuracyAt], 1)
    else this.bestLoss.addTally(lossFound, -1)
    this.outcomes.add(lossFound, test, there)
  }

  /** Takes the runs that the sample wants. */
  private draw({ hash, end, ends }: AggregatedRows, columns: Columns, there: Uint8Array | undefined): void {
    const { sample } = this
    const which = sample.take(hash)
    const loss = ends.loss.map((v, e) => (ends.verdict[e] === VerdictCode.failed || !Number.isFinite(v) ? NaN : v))
    sample.fill(sampled.loss, loss, which, 1, 0, end)
    sample.fill(sampled.verdict, Float64Array.from(ends.verdict), which, 1, 0, end)
    sample.fill(sampled.point, Float64Array.from(ends.point), which, 1, 0, end)
    sample.fill(sampled.steps, columns.steps.values, which, 1, 0, columns.steps.codes)
    const scores = [...columns.train, ...columns.test]
    scores.forEach(({ values, codes }, m) => sample.fill(firstMetric + m, values, which, 1, 0, codes))
    if (!there) return
    const from = sample.count - which.length
    which.forEach((r, n) => {
      if (there[r] === 0)
        for (let c = firstMetric; c < firstMetric + scores.length; c++) sample.column(c)[from + n] = NaN
    })
  }

  /** Ranges of the end points. */
  private addEnds({ count, verdict, loss, theta }: AggregatedRows['ends']): void {
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

  private findLowest({ start, ends: { count, verdict, loss, point }, runs: { first } }: AggregatedRows): void {
    const { lowest } = this
    let least = lowest.loss
    for (let e = 0; e < count; e++) {
      const value = loss[e]
      if (!(value <= least) || value === -Infinity || verdict[e] === VerdictCode.failed) continue
      const from = start[first[e]]
      if (value === least && from >= lowest.start) continue
      least = value
      Object.assign(lowest, { loss: value, start: from, verdict: verdict[e], point: point[e] })
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
      histogram: this.histogram(),
      asGoodAsBest: this.finished > 0 ? best.count / this.finished : 0,
      disagreement: disagreement(this.classCounts, this.classified),
      steps: this.steps.result(),
      totalSteps: this.totalSteps,
      waterfall: this.waterfallSample(),
      outcomes: this.outcomes.result(),
      exactQuantiles: [...this.train, ...this.test, this.steps].every(sketch => sketch.isExact)
    }
  }

  /** Of the metric by which such models are judged. */
  private histogram(): AggregateResult['histogram'] {
    const { metricNames } = this.options
    const metric = (['accuracy', 'r2', 'devianceExplained'] as const).find(name => metricNames.includes(name))
    if (!metric) return undefined
    const at = metricNames.indexOf(metric)
    const train = this.train[at].histogram(histogramBins)
    const test = this.test[at]?.histogram(histogramBins)
    return train && { metric, train, ...(test ? { test } : {}) }
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
    const { lowest } = this
    const levels = this.levels()
    const runs = levels.reduce((sum, level) => sum + level.runs, 0)
    const size = Math.min(waterfallPoints, runs)
    const word = ({ loss, verdict, point }: Omit<Level, 'runs'>): WaterfallPoint => ({
      loss,
      verdict: verdicts[verdict],
      point: point < 0 ? null : point
    })
    let at = 0
    let above = levels[0]?.runs ?? 0
    const list = Array.from({ length: size }, (_, i) => {
      const rank = size === 1 ? 0 : Math.round((i * (runs - 1)) / (size - 1))
      while (rank >= above) above += levels[++at].runs
      return word(levels[at])
    })
    if (list.length > 0 && lowest.loss < list[0].loss) list[0] = word(lowest)
    return list
  }

  /** The runs of the sample that have a loss, by what the waterfall says of them, ascending. */
  private levels(): Level[] {
    const { sample } = this
    const [losses, codes, points] = [sampled.loss, sampled.verdict, sampled.point].map(c => sample.column(c))
    const byLoss = new Map<number, Map<number, Level>>()
    let last: Level | undefined
    for (let i = 0; i < sample.count; i++) {
      const loss = losses[i]
      const verdict = codes[i]
      const point = points[i]
      if (loss !== loss) continue
      // Mostly there are long runs of one level.
      if (last?.loss === loss && last.verdict === verdict && last.point === point) {
        last.runs++
        continue
      }
      let same = byLoss.get(loss)
      if (!same) byLoss.set(loss, (same = new Map<number, Level>()))
      const key = point * verdicts.length + verdict
      last = same.get(key)
      if (last) last.runs++
      else same.set(key, (last = { loss, verdict, point, runs: 1 }))
    }
    return [...byLoss.values()]
      .flatMap(same => [...same.values()])
      .sort((a, b) => a.loss - b.loss || a.verdict - b.verdict || a.point - b.point)
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
