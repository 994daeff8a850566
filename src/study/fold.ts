/**
 * Parts → what a study knows of its end points: distinct points, verdicts, metrics. Parts are taken in ascending order of their starts,
 * so that everything follows from the runs alone, whoever ran them, in which pieces and when.
 */
import { Aggregate, type AggregateResult } from '../analysis/aggregate.js'
import { defaultTolerances, openClusters, type Clusters, type Tolerances } from '../analysis/cluster.js'
import { DistinctPoints } from '../analysis/distinctPoints.js'
import type { Candidates, Compared } from '../analysis/multiplicity/candidates.js'
import { halfOf, unseenBound, type FirstHalf } from '../analysis/coverage.js'
import { listedStarts, type Others } from '../analysis/clusterTable.js'
import { hashIntegers } from '../analysis/sketch.js'
import { Spare } from '../core/spare.js'
import { LimitClusterer, type Limit } from '../analysis/limits.js'
import { reasonWords, VerdictCode, type UnfinishedReason } from '../core/result.js'
import { scoresOf } from '../models/scores.js'
import type { Diverging, Facts, Part, Range } from '../runs/part.js'
import { startsOf, type Points } from '../runs/points.js'
import { runsOfEnds } from '../runs/ends.js'
import type { EndRuns, Rows } from '../runs/table.js'
import { addCandidates, openCandidates } from './multiplicity/models.js'
import type { Setup } from './setup.js'

const kinds = ['minima', 'degenerate', 'saddles', 'flatSaddles'] as const
type Kind = (typeof kinds)[number]

/** Where an end is filed; undefined for one that is no stationary point. */
function kindOf(verdict: number, nullity: number): Kind | undefined {
  if (verdict === VerdictCode.minimum) return 'minima'
  if (verdict === VerdictCode.degenerate) return 'degenerate'
  if (verdict === VerdictCode.saddle) return nullity === 0 ? 'saddles' : 'flatSaddles'
  return undefined
}

/** Runs folded together. */
export interface Folded extends AggregateResult {
  readonly range: Range
  readonly tolerances: Tolerances
  /** Distinct points by kind, each ascending by loss, then first start; `id` is unique over all of them, in that order. */
  readonly minima: DistinctPoints
  readonly degenerate: DistinctPoints
  readonly saddles: DistinctPoints
  readonly diverging: Diverging | undefined
  /** Of runs to infinity, by loss. */
  readonly limits: readonly Limit[]
  /** Unfinished runs by their reason. */
  readonly unfinished: Readonly<Record<UnfinishedReason, number>>
  /** What coverage needs. */
  readonly firstHalf: FirstHalf
  /** Of the parts, in ascending order. */
  readonly points: readonly Points[]
  /** Runs whose predictions are compared; none for models without data. */
  readonly compared: Compared | undefined
}

/** Outputs of degenerate points that are held at a time, in numbers. */
const outputNumbers = 2 ** 20

/** Numbers of points become their ids. */
function rename(numbers: Int32Array, ids: Int32Array): void {
  for (let i = 0; i < numbers.length; i++) if (numbers[i] >= 0) numbers[i] = ids[numbers[i]]
}

/** How many runs have each code. */
function tally(codes: Uint8Array, { counts }: EndRuns): Float64Array {
  const sums = new Float64Array(256)
  for (let e = 0; e < codes.length; e++) sums[codes[e]] += counts[e]
  return sums
}

/** Of each end, the runs after the first one; undefined where there are none. */
function othersOf({ start, end }: Rows, { counts, first }: EndRuns): (Others | undefined)[] {
  const others = Array.from(counts, count => (count > 1 ? { count: count - 1, starts: [] as number[] } : undefined))
  let wanted = 0
  for (const list of others) if (list) wanted += Math.min(list.count, listedStarts)
  for (let i = 0; wanted > 0; i++) {
    const starts = others[end[i]]?.starts
    if (!starts || starts.length === listedStarts || i === first[end[i]]) continue
    starts.push(start[i])
    wanted--
  }
  return others
}

export class Fold {
  private readonly aggregate: Aggregate
  private readonly clusters: Clusters
  private diverging: Diverging | undefined
  private readonly limits: LimitClusterer
  private readonly unfinished = { budget: 0, saturated: 0, kink: 0, stalled: 0, unjudged: 0 } satisfies Record<
    UnfinishedReason,
    number
  >
  private readonly points: Points[] = []
  private readonly candidates: Candidates | undefined
  private readonly spare = new Spare()
  private end = -Infinity
  private readonly half: number
  /** Runs with verdict `minimum` of starts below the half, and below each end of a part. */
  private beforeHalf = 0
  private readonly before = new Map<number, number>()
  private minimumRuns = 0

  /** @param range the starts that are asked for */
  constructor(
    private readonly setup: Setup,
    private readonly range: Range,
    private readonly tolerances: Tolerances = defaultTolerances
  ) {
    const metricNames = scoresOf(setup.model)
    const { parameters } = setup.objective
    const expected = range.count
    this.aggregate = new Aggregate({ parameters, metricNames, test: setup.test !== undefined, expected })
    this.clusters = openClusters(setup.problem, tolerances)
    this.limits = new LimitClusterer(setup.model, tolerances)
    this.candidates = openCandidates(setup, expected)
    this.half = range.first + halfOf(range.count)
  }

  /** Distinct minima so far. */
  get minima(): number {
    return this.clusters.minima.size
  }

  /** Takes the runs of a part, whose starts must all lie above those taken before. */
  async add(part: Part): Promise<void> {
    const { first, count, rows, coded, facts } = part
    if (first < this.end) throw new Error(`part ${first} comes after ${this.end}`)
    this.end = first + count
    const { start, end, ends } = rows
    const runs = runsOfEnds(rows)
    const verdicts = tally(ends.verdict, runs)
    const pointOf = await this.file(rows, runs)
    const hash = hashIntegers(start, this.spare.u32(start.length))
    this.aggregate.addBlock({ count: rows.count, start, end, ends: { ...ends, point: pointOf }, runs, hash, coded })
    if (facts.ends) this.aggregate.addRange(facts.ends.low, facts.ends.high)
    if (this.candidates) addCandidates(this.candidates, this.setup, part, hash)
    if (facts.classCounts.length > 0)
      this.aggregate.addClassCounts(facts.classCounts, rows.count - verdicts[VerdictCode.failed])
    this.diverging ??= facts.diverging
    await this.fileLimits(rows, facts)
    const reasons = tally(ends.reason, runs)
    for (const reason of Object.keys(this.unfinished) as UnfinishedReason[])
      this.unfinished[reason] += reasons[reasonWords.indexOf(reason)]
    const point = new Int32Array(rows.count)
    for (let i = 0; i < point.length; i++) point[i] = pointOf[end[i]]
    this.spare.give({ hash })
    this.points.push({ start: startsOf(start), point })
    this.minimumRuns += verdicts[VerdictCode.minimum]
    if (first + count <= this.half) this.beforeHalf = this.minimumRuns
    else if (first < this.half) this.beforeHalf += this.minimaBelowHalf(rows)
    this.before.set(first + count, this.minimumRuns)
  }

  private minimaBelowHalf({ start, end, ends: { verdict } }: Rows): number {
    let runs = 0
    for (let i = 0; i < start.length && start[i] < this.half; i++) if (verdict[end[i]] === VerdictCode.minimum) runs++
    return runs
  }

  /**
   * Upper limit of the probability of minima not seen yet after starts 0 … end−1, all taken, by those from end / 2 on; undefined where
   * neither is the end of a part.
   */
  unseen(end: number, confidence: number): number | undefined {
    const runs = this.before.get(end / 2)
    if (runs === undefined || !this.before.has(end)) return undefined
    const { size, count, firstStart } = this.clusters.minima.source.table
    const minima = { count: count.subarray(0, size), firstStart: firstStart.subarray(0, size) }
    return unseenBound(minima, { end: end / 2, runs }, confidence)
  }

  /** Files ends under the distinct points that they belong to; a number for each that is unique over kinds, −1 for none. */
  private async file(rows: Rows, runs: EndRuns): Promise<Int32Array> {
    const { start, ends } = rows
    const { count, verdict, nullity, gradientNorm, precision, conditioned: theta, copy } = ends
    const { lossScale } = this.setup.frame
    const loss = lossScale === 1 ? ends.loss : ends.loss.map(v => v / lossScale)
    const P = this.setup.certifier.objective.parameters
    const numbers = new Int32Array(count).fill(-1)
    const others = othersOf(rows, runs)
    const flat: number[] = []
    const numberOf = (kind: Kind, id: number): number => id * kinds.length + kinds.indexOf(kind)
    for (let e = 0; e < count; e++) {
      const kind = kindOf(verdict[e], nullity[e])
      if (kind === 'degenerate' || kind === 'flatSaddles') flat.push(e)
      else if (kind) {
        const values = [start[runs.first[e]], loss[e], gradientNorm[e], precision[e], theta, e * P] as const
        numbers[e] = numberOf(kind, this.clusters[kind].add(...values, copy?.[e], others[e]))
      }
    }
    await this.withOutputs(theta, flat, (e, z) => {
      const kind = verdict[e] === VerdictCode.saddle ? 'flatSaddles' : 'degenerate'
      const values = [start[runs.first[e]], loss[e], gradientNorm[e], precision[e], z, theta, e * P] as const
      numbers[e] = numberOf(kind, this.clusters[kind].add(...values, others[e]))
    })
    return numbers
  }

  /** Calls `use` with what the network computes at rows `which` of theta [R, P] on the rows that degenerate points are compared on. */
  private async withOutputs(
    theta: Float64Array,
    which: ArrayLike<number>,
    use: (i: number, z: Float64Array) => void
  ): Promise<void> {
    const { objective } = this.setup.certifier
    const { data } = this.clusters.degenerate
    const P = objective.parameters
    const width = data.rows * data.model.outputs
    const together = Math.max(1, Math.floor(outputNumbers / width))
    for (let from = 0; from < which.length; from += together) {
      const count = Math.min(together, which.length - from)
      const some = new Float64Array(count * P)
      for (let n = 0; n < count; n++) some.set(theta.subarray(which[from + n] * P, (which[from + n] + 1) * P), n * P)
      const z = await objective.outputs(some, data)
      for (let n = 0; n < count; n++) use(which[from + n], z.subarray(n * width, (n + 1) * width))
    }
  }

  /** Files runs to infinity, of which a way is known, under their limits. */
  private async fileLimits(rows: Rows, { growing }: Facts): Promise<void> {
    if (growing.size === 0) return
    const P = this.setup.certifier.objective.parameters
    const { start, end, ends } = rows
    const which: number[] = []
    for (let i = 0; i < rows.count; i++) if (growing.has(start[i])) which.push(i)
    const endOf = Uint32Array.from(which, i => end[i])
    let n = 0
    await this.withOutputs(ends.conditioned, endOf, (e, z) => {
      const i = which[n++]
      this.limits.add({
        start: start[i],
        loss: ends.limit[e],
        uncertainty: ends.limitError[e],
        growing: growing.get(start[i]) ?? [],
        z,
        theta: ends.conditioned.slice(e * P, (e + 1) * P)
      })
    })
  }

  /** The end: nothing may be added after it. @param count starts that were asked for in the end, where the study has stopped itself */
  result(count = this.range.count): Folded {
    const { tolerances, diverging } = this
    const range = { ...this.range, count }
    const stopped = count < this.range.count
    const firstHalf = stopped
      ? { end: count / 2, runs: this.before.get(count / 2) ?? 0 }
      : { end: this.half, runs: this.beforeHalf }
    const all = DistinctPoints.of(kinds.map(kind => this.clusters[kind].source))
    const ids = new Int32Array(kinds.length * Math.max(0, ...kinds.map(kind => this.clusters[kind].size)))
    all.idsByRow().forEach((rows, k) => rows.forEach((id, row) => (ids[row * kinds.length + k] = id)))
    const of = (...wanted: Kind[]): DistinctPoints => all.from(...wanted.map(kind => kinds.indexOf(kind)))
    const result = this.aggregate.result()
    for (const { point } of this.points) rename(point, ids)
    return {
      ...result,
      range,
      tolerances,
      waterfall: result.waterfall.map(w => ({ ...w, point: w.point === null ? null : ids[w.point] })),
      minima: of('minima'),
      degenerate: of('degenerate'),
      saddles: of('saddles', 'flatSaddles'),
      diverging,
      limits: this.limits.limits(),
      unfinished: this.unfinished,
      firstHalf,
      compared: this.candidates?.result(),
      points: this.points
    }
  }
}
