/** One session of a study: what is on the disk already, the missing runs, and the fold of them all, in step with the search. */
import type { WorkError } from '../core/errors.js'
import type { Tolerances } from '../analysis/cluster.js'
import { confidenceOfLook } from '../analysis/coverage.js'
import type { StudyDirectory } from '../runs/directory.js'
import type { Cost, Entry } from '../runs/list.js'
import { Spare } from '../core/spare.js'
import { missing, partRanges, partRows, type Part, type Range } from '../runs/part.js'
import { rowBytes } from '../runs/table.js'
import { Fold, type Folded } from './fold.js'
import { layoutOf, search, type Planned, type SearchOptions, type Sink } from './run.js'
import type { Setup } from './setup.js'
import { hasLoss } from '../models/model.js'

/** How far a study has come. */
export interface StudyProgress {
  /** Runs that have ended. */
  readonly done: number

  /** Runs that are wanted. */
  readonly total: number
  /** Distinct minima so far. */
  readonly minima: number
}

export interface Outcome {
  readonly folded: Folded
  readonly runs: number
  /** Starts that were asked for. */
  readonly requested: number
  /** Whether the study ended by itself before all starts that were asked for, having seen enough. */
  readonly enough: boolean
  readonly interrupted: boolean
  /** Why the engine could not go on, where it broke down. */
  readonly failure: WorkError | undefined
  /** Of all runs, those of earlier sessions included. */
  readonly cost: Cost
  /** What happened to the engine, in sentences. */
  readonly notes: readonly string[]
}

export interface SessionOptions extends SearchOptions {
  readonly onProgress?: (progress: StudyProgress) => void
  /** Told every part before it is folded; its rows are not to be read any more after that. */
  readonly onPart?: (part: Part) => void
  readonly tolerances?: Tolerances
  /** Stop when the bound of the unseen probability is at most this. */
  readonly unseen?: number
  /** Starts that are wanted however small the bound is. */
  readonly atLeast?: number
  /** Fold what there is, and run nothing. */
  readonly storedOnly?: boolean
}

/** Half of the starts after which a study looks first whether it may stop. */
const firstLook = 256

/** Bytes of parts that wait in memory for one before them; beyond, parts are read from the disk when it is their turn. */
const waitingBytes = 64 * 2 ** 20

const sumOf = (costs: readonly Cost[]): Cost =>
  costs.reduce((a, b) => ({ seconds: a.seconds + b.seconds, f: a.f + b.f, g: a.g + b.g, H: a.H + b.H }), {
    seconds: 0,
    f: 0,
    g: 0,
    H: 0
  })

const bytesOf = ({ rows, layout }: Part): number => rows.count * rowBytes(layout)

/** Hands parts to a fold in ascending order, whatever the order in which they come. */
class InOrder {
  private readonly ranges: Range[] = []
  private readonly waiting = new Map<number, Part | Entry>()
  private next = 0
  private draining: Promise<void> = Promise.resolve()
  /** End of the study, where it has stopped itself. */
  end: number | undefined
  readonly stop = new AbortController()

  constructor(
    private readonly fold: Fold,
    private readonly directory: StudyDirectory | undefined,
    expected: readonly Range[],
    private readonly options: SessionOptions,
    private readonly spare: Spare
  ) {
    this.ranges.push(...[...expected].sort((a, b) => a.first - b.first))
    for (const entry of directory?.parts ?? []) this.waiting.set(entry.first, entry)
  }

  /** A complete part; `entry` once it is on the disk. Settles when all that can be folded is. */
  offer(part: Part, entry: Entry | undefined): Promise<void> {
    const soon = part.first === this.ranges[this.next]?.first || this.waitingBytes() + bytesOf(part) <= waitingBytes
    this.waiting.set(part.first, entry && !soon ? entry : part)
    if (entry && !soon) this.giveBack(part)
    return this.drain()
  }

  private waitingBytes(): number {
    let bytes = 0
    for (const at of this.waiting.values()) if ('rows' in at && 'layout' in at) bytes += bytesOf(at)
    return bytes
  }

  drain(): Promise<void> {
    this.draining = this.draining.then(async () => {
      for (; this.next < this.ranges.length; this.next++) {
        const { first } = this.ranges[this.next]
        const at = this.waiting.get(first)
        if (!at || this.options.signal?.aborted || this.end !== undefined) return
        this.waiting.delete(first)
        await this.take(at)
      }
    })
    return this.draining
  }

  /** The rest, beside parts that are not complete; what is missing is left out. */
  async finish(left: readonly Part[]): Promise<void> {
    await this.draining
    for (const part of left) this.waiting.set(part.first, part)
    for (; this.next < this.ranges.length && this.end === undefined; this.next++) {
      const at = this.waiting.get(this.ranges[this.next].first)
      if (at) await this.take(at)
    }
  }

  private async take(at: Part | Entry): Promise<void> {
    const part = 'file' in at ? await this.directory!.read(at) : at
    this.options.onPart?.(part)
    await this.fold.add(part)
    this.giveBack(part)
    this.look(part.first + part.count)
  }

  private giveBack({ rows, coded }: Part): void {
    this.spare.give(rows, rows.ends)
    coded.giveBack()
  }

  /** Looks at the bound each time that the starts have doubled: what came to pass in between is of no account, so neither is a kill. */
  private look(end: number): void {
    const { unseen, atLeast = 0 } = this.options
    const j = Math.log2(end / firstLook)
    if (unseen === undefined || !Number.isInteger(j) || j < 1 || end < atLeast) return
    const bound = this.fold.unseen(end, confidenceOfLook(j))
    if (bound === undefined || bound > unseen) return
    this.end = end
    this.stop.abort()
  }
}

/**
 * Runs what is missing of the starts of `range`, keeps it in `directory` where there is one, and folds all runs together.
 * @throws WorkError when nothing can be written any more; what had been is listed
 */
export async function runSession(
  setup: Setup,
  identity: string,
  range: Range,
  directory?: StudyDirectory,
  options: SessionOptions = {}
): Promise<Outcome> {
  const stored = directory?.parts ?? []
  const known = (await directory?.readOpen()) ?? []
  const most = partRows(rowBytes(layoutOf(setup)))
  const plan = missing(range, stored).flatMap(gap =>
    partRanges(gap.first, gap.first + gap.count, most).map((planned): Planned => {
      const under = known.find(k => k.part.first === planned.first && k.part.count <= planned.count)
      return under ? { ...planned, known: under } : planned
    })
  )
  // Later sessions find the loss in the record, and this in the list.
  const chosen = [
    ...(setup.config.model.loss === undefined && hasLoss(setup.model)
      ? [`No loss was named; ${setup.data.loss} suits the target ${setup.data.target}.`]
      : []),
    ...setup.remarks
  ]
  for (const text of chosen) await directory?.remark(text)
  const fold = new Fold(setup, range, options.tolerances)
  const spare = new Spare()
  const order = new InOrder(fold, directory, [...stored, ...plan], options, spare)
  let done =
    stored.reduce((sum, e) => sum + e.rows, 0) + plan.reduce((sum, p) => sum + (p.known?.part.rows.count ?? 0), 0)
  const spent: Cost[] = []
  const before = stored.map(e => e.cost)
  await order.drain()
  const sink: Sink = {
    async complete(part, cost) {
      spent.push(cost)
      await order.offer(part, await directory?.add(part, cost))
    },
    ...(directory ? { keep: (part, cost) => directory.keep(part, cost) } : {})
  }
  const onRuns: SearchOptions['onRuns'] = async (rows, layout) => {
    done += rows.count
    options.onProgress?.({ done, total: range.count, minima: fold.minima })
    await options.onRuns?.(rows, layout)
  }
  const { left, failure } =
    options.storedOnly === true
      ? { left: known, failure: undefined }
      : order.end !== undefined
        ? { left: [], failure: undefined }
        : await search(setup, identity, plan, sink, {
            ...options,
            spare,
            onRuns,
            signal: options.signal ? AbortSignal.any([options.signal, order.stop.signal]) : order.stop.signal
          })
  const remarks = [...chosen, ...(setup.engine.notes ?? [])]
  for (const text of remarks) await directory?.remark(text)
  await order.finish(left.map(l => l.part))
  const count = order.end ?? range.count
  if (order.end !== undefined) await directory?.forget(order.end)
  const folded = fold.result(count)
  return {
    folded,
    runs: folded.runs,
    requested: count,
    enough: order.end !== undefined,
    interrupted: folded.runs < count,
    failure,
    cost: sumOf([...before, ...spent, ...left.map(l => l.cost)]),
    notes: directory?.notes ?? remarks
  }
}

/** A study without a directory: all its starts, folded. */
export const runInMemory = (setup: Setup, options: SessionOptions = {}): Promise<Outcome> =>
  runSession(setup, '', { first: 0, count: setup.config.starts.count }, undefined, options)
