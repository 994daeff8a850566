/** Ranges of starts → parts: search, judge and score, and gather the runs of each part until it is complete. */
import { WorkError } from '../core/errors.js'
import { VerdictCode } from '../core/result.js'
import type { RunRequest } from '../engines/types.js'
import { linearPart, mapPoints } from '../models/network/parameterMap.js'
import { classCount, scoresOf } from '../models/scores.js'
import type { Cost } from '../runs/directory.js'
import { missing, type Diverging, type Facts, type Part, type Range } from '../runs/part.js'
import {
  makeRows,
  pickRows,
  pickRuns,
  placeRows,
  rowsFrom,
  type Layout,
  type Rows,
  type RunBlock
} from '../runs/table.js'
import { userRows } from './present.js'
import type { Setup } from './setup.js'

/** The columns of a study's rows. */
export const layoutOf = (setup: Setup): Layout => ({
  parameters: setup.names,
  metrics: scoresOf(setup.network),
  test: setup.test !== undefined,
  keep: setup.keep
})

/** The request for runs first … first+count−1 of a study. */
export function requestOf(setup: Setup, { first, count }: Range, extra: Partial<RunRequest> = {}): RunRequest {
  const { config, frame, program, optimizer, steps } = setup
  return {
    program,
    starts: {
      kind: 'random',
      seed: config.starts.seed,
      first,
      count,
      init: config.starts.init,
      ...(frame.fromAsked ? { map: frame.fromAsked } : {})
    },
    stop: { steps, gradient: config.stop.gradient },
    ...(optimizer.batch ? { batch: { ...optimizer.batch, seed: config.starts.seed } } : {}),
    ...extra
  }
}

export interface SearchOptions {
  /** Lanes over all threads; never changes a result. */
  readonly lanes?: number
  readonly signal?: AbortSignal
  /** Told the runs that have been judged, in the user's coordinates; awaited. */
  readonly onRuns?: (rows: Rows, layout: Layout) => Promise<void> | void
}

/** Where the runs go. */
export interface Sink {
  /** A complete part; awaited, so a slow writer slows the study down instead of filling memory. */
  complete(part: Part, cost: Cost): Promise<void>
  /** What there is of a part so far, now and then and when the search ends before it is complete. */
  keep?(part: Part, cost: Cost): Promise<void>
}

export interface Planned extends Range {
  /** Runs of it that are known already. */
  readonly known?: { readonly part: Part; readonly cost: Cost }
}

/** Blocks that are judged at the same time: enough to keep the cores busy while one is being filed. */
const blocksInFlight = 2
/** Runs that have ended are put on the disk after this long at most, and so that it takes a small share of the time. */
const keepMilliseconds = 2000
const keepShare = 20
/** Gaps that lie closer than this are run as one: starting a search anew costs more than a few runs twice. */
const joinedStarts = 64

/** A part under way. */
class Gathering {
  private readonly rows
  /** 1: taken up, 2: there. */
  private readonly state: Uint8Array
  private filled = 0
  private classCounts: Float64Array
  private readonly growing: Map<number, readonly number[]>
  private diverging: Diverging | undefined
  private cost = { seconds: 0, f: 0, g: 0, H: 0 }
  /** Runs that have come since the part was last kept. */
  fresh = 0

  constructor(
    private readonly identity: string,
    private readonly layout: Layout,
    readonly range: Range,
    known: Planned['known']
  ) {
    this.rows = makeRows(layout, range.count)
    this.state = new Uint8Array(range.count)
    this.classCounts = known?.part.facts.classCounts.slice() ?? new Float64Array(0)
    this.growing = new Map(known?.part.facts.growing)
    this.diverging = known?.part.facts.diverging
    if (!known) return
    this.cost = { ...known.cost }
    const places = this.places(known.part.rows.start)
    placeRows(this.rows, known.part.rows, places)
    for (const at of places) this.state[at] = 2
    this.filled = places.length
  }

  private places(start: Float64Array): Uint32Array {
    const { first } = this.range
    const places = new Uint32Array(start.length)
    for (let i = 0; i < places.length; i++) places[i] = start[i] - first
    return places
  }

  get isComplete(): boolean {
    return this.filled === this.range.count
  }

  get isEmpty(): boolean {
    return this.filled === 0
  }

  /** Ranges of starts that are not there yet. */
  gaps(): Range[] {
    const { first } = this.range
    const there: Range[] = []
    this.state.forEach((s, i) => {
      const last = there.at(-1)
      if (s !== 2) return
      if (last && last.first + last.count === first + i) there[there.length - 1] = { ...last, count: last.count + 1 }
      else there.push({ first: first + i, count: 1 })
    })
    return missing(this.range, there)
  }

  /** Takes a run up; false for one that has been already, as where gaps are joined. */
  claim(start: number): boolean {
    const at = start - this.range.first
    if (this.state[at] !== 0) return false
    this.state[at] = 1
    return true
  }

  add(rows: ReturnType<typeof rowsFrom>, facts: Facts, spent: Omit<Cost, 'seconds'>): void {
    const places = this.places(rows.start)
    placeRows(this.rows, rows, places)
    for (let i = 0; i < places.length; i++) this.state[places[i]] = 2
    this.filled += rows.count
    this.fresh += rows.count
    const { classCounts } = this
    if (classCounts.length === 0) this.classCounts = facts.classCounts.slice()
    else for (let i = 0; i < classCounts.length; i++) classCounts[i] += facts.classCounts[i] ?? 0
    for (const [start, places] of facts.growing) this.growing.set(start, places)
    const { diverging } = facts
    if (diverging && !(this.diverging && this.diverging.start < diverging.start)) this.diverging = diverging
    for (const key of ['f', 'g', 'H'] as const) this.cost[key] += spent[key]
  }

  private there(): Uint32Array {
    const which = new Uint32Array(this.filled)
    for (let i = 0, n = 0; i < this.state.length; i++) if (this.state[i] === 2) which[n++] = i
    return which
  }

  /** What is there, and what it has cost; `seconds` pass to it. */
  part(seconds: number): { part: Part; cost: Cost } {
    this.cost.seconds += seconds
    this.fresh = 0
    const { identity, layout, range, growing, diverging } = this
    const rows = this.isComplete ? this.rows : pickRows(this.rows, this.there())
    const facts = { classCounts: this.classCounts.slice(), growing, ...(diverging ? { diverging } : {}) }
    return { part: { identity, ...range, layout, rows, facts }, cost: { ...this.cost } }
  }
}

/** Rows of θ of the runs that did not fail. */
function finite(block: RunBlock, verdict: Uint8Array, P: number): { theta: Float64Array; which?: number[] } {
  if (!verdict.includes(VerdictCode.failed)) return block
  const which: number[] = []
  for (let i = 0; i < block.count; i++) if (verdict[i] !== VerdictCode.failed) which.push(i)
  const theta = new Float64Array(which.length * P)
  which.forEach((i, n) => theta.set(block.theta.subarray(i * P, (i + 1) * P), n * P))
  return { theta, which }
}

/** Scores back to the places of the block; failed runs get NaN. */
function spreadOut(values: Float64Array, which: readonly number[] | undefined, count: number, M: number): Float64Array {
  if (!which) return values
  const out = new Float64Array(count * M).fill(NaN)
  which.forEach((i, n) => out.set(values.subarray(n * M, (n + 1) * M), i * M))
  return out
}

/** The direction in which the data are separated, in conditioned coordinates; 0 where that is not known. */
function separating({ network, frame, separation, objective }: Setup): Float64Array {
  const { direction } = separation
  return direction.length === 0
    ? new Float64Array(objective.parameters)
    : mapPoints(network, linearPart(frame.fromUser), Float64Array.from(direction))
}

/** Verdicts and scores of finished runs. */
async function judged(setup: Setup, layout: Layout, block: RunBlock) {
  const { certifier, test, network, program } = setup
  const P = setup.objective.parameters
  const M = layout.metrics.length
  const result = await setup.judgeRuns(block.theta, block, block.count)
  const { theta, which } = finite(block, result.verdict, P)
  const train = await certifier.objective.score(theta)
  const held = test ? await certifier.objective.score(theta, test) : undefined
  const spread = (values: Float64Array): Float64Array => spreadOut(values, which, block.count, M)
  const conditioned = rowsFrom(
    layout,
    block,
    { ...result, conditioned: result.theta },
    {
      train: spread(train.values),
      ...(held ? { test: spread(held.values) } : {})
    }
  )
  const rows = userRows(network, setup.frame, conditioned)
  let diverging: Diverging | undefined
  for (let i = 0; i < block.count; i++) {
    if (result.verdict[i] !== VerdictCode.diverging || (diverging && diverging.start <= block.start[i])) continue
    const direction = result.ways.get(i)?.direction ?? separating(setup)
    const point = result.theta.slice(i * P, (i + 1) * P)
    diverging = { start: block.start[i], loss: result.loss[i], theta: point, direction }
  }
  const classCounts = classCount(network) > 0 ? train.classCounts : new Float64Array(0)
  const growing = new Map([...result.ways].map(([i, way]) => [block.start[i], way.growing] as const))
  const facts: Facts = { classCounts, growing, ...(diverging ? { diverging } : {}) }
  const steps = block.steps.reduce((sum, n) => sum + n, 0)
  const g = steps + result.steps
  return { rows, facts, spent: { f: g + result.losses, g, H: result.steps + (program.needs === 'H' ? steps : 0) } }
}

/** How often each value occurs; mostly there are long runs of one. */
function occurrences(values: Int32Array): Map<number, number> {
  const counts = new Map<number, number>()
  for (let i = 0, from = 0; i < values.length; from = i) {
    while (i < values.length && values[i] === values[from]) i++
    counts.set(values[from], (counts.get(values[from]) ?? 0) + i - from)
  }
  return counts
}

function placesEqual(values: Int32Array, wanted: number): number[] {
  const out: number[] = []
  for (let i = 0; i < values.length; i++) if (values[i] === wanted) out.push(i)
  return out
}

/** The search of one study's missing runs. */
class Search {
  private readonly layout: Layout
  private readonly open = new Map<Planned, Gathering>()
  /** Time that has passed since the last part was handed over belongs to the next. */
  private since = performance.now()
  private kept = performance.now()
  private keeping = false
  private keepEvery = keepMilliseconds
  private readonly failures: unknown[] = []

  constructor(
    private readonly setup: Setup,
    private readonly identity: string,
    private readonly plan: readonly Planned[],
    private readonly sink: Sink,
    private readonly options: SearchOptions
  ) {
    this.layout = layoutOf(setup)
  }

  private gathering(planned: Planned): Gathering {
    let at = this.open.get(planned)
    if (!at) {
      at = new Gathering(this.identity, this.layout, planned, planned.known)
      this.open.set(planned, at)
    }
    return at
  }

  /** The place in the plan of the part that a start belongs to; −1 for none. */
  private planned(start: number): number {
    const { plan } = this
    let low = 0
    let high = plan.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (plan[middle].first + plan[middle].count <= start) low = middle + 1
      else high = middle
    }
    return plan[low] && plan[low].first <= start ? low : -1
  }

  /** The same of every run of a block; −1 too for those that have been taken up already, as where gaps are joined. */
  private placesOf(start: Float64Array): Int32Array {
    const places = new Int32Array(start.length)
    let [number, first, end] = [-1, Infinity, -Infinity]
    let gathering: Gathering | undefined
    for (let i = 0; i < start.length; i++) {
      const s = start[i]
      if (!(s >= first && s < end)) {
        number = this.planned(s)
        const planned = this.plan[number]
        ;[first, end] = planned ? [planned.first, planned.first + planned.count] : [Infinity, -Infinity]
        gathering = planned && this.gathering(planned)
      }
      places[i] = gathering?.claim(s) ? number : -1
    }
    return places
  }

  /** What is to be run, as few ranges. */
  private wanted(): Range[] {
    const list: Range[] = []
    for (const planned of this.plan)
      for (const gap of planned.known ? this.gathering(planned).gaps() : [planned]) {
        const last = list.at(-1)
        const end = last ? last.first + last.count : 0
        if (last && gap.first - end < joinedStarts && !this.crosses(end, gap.first))
          list[list.length - 1] = { first: last.first, count: gap.first + gap.count - last.first }
        else list.push({ first: gap.first, count: gap.count })
      }
    return list
  }

  /** Whether starts from … to−1 hold some that no part wants. */
  private crosses(from: number, to: number): boolean {
    for (let s = from; s < to; s++) if (this.planned(s) < 0) return true
    return false
  }

  private elapsed(): number {
    const now = performance.now()
    const seconds = (now - this.since) / 1000
    this.since = now
    return seconds
  }

  private async absorb(block: RunBlock): Promise<void> {
    const places = this.placesOf(block.start)
    for (const [number, count] of occurrences(places)) {
      if (number < 0) continue
      const planned = this.plan[number]
      const runs = count === block.count ? block : pickRuns(block, placesEqual(places, number))
      const { rows, facts, spent } = await judged(this.setup, this.layout, runs)
      const gathering = this.gathering(planned)
      gathering.add(rows, facts, spent)
      await this.options.onRuns?.(rows, this.layout)
      if (!gathering.isComplete) continue
      this.open.delete(planned)
      const { part, cost } = gathering.part(this.elapsed())
      await this.sink.complete(part, cost)
    }
    if (performance.now() - this.kept > this.keepEvery) await this.keep()
  }

  private async keep(): Promise<void> {
    if (!this.sink.keep || this.keeping) return
    this.keeping = true
    const began = performance.now()
    try {
      for (const gathering of this.open.values()) {
        if (gathering.fresh === 0) continue
        const { part, cost } = gathering.part(this.elapsed())
        await this.sink.keep(part, cost)
      }
    } finally {
      this.keeping = false
      this.kept = performance.now()
      this.keepEvery = Math.max(keepMilliseconds, keepShare * (this.kept - began))
    }
  }

  async run(): Promise<Searched> {
    const { objective } = this.setup
    const { lanes, signal } = this.options
    const extra = { ...(lanes === undefined ? {} : { lanes }), ...(signal ? { signal } : {}) }
    const inFlight = new Set<Promise<void>>()
    let failure: WorkError | undefined
    try {
      for (const range of this.wanted()) {
        if (signal?.aborted || this.failures.length > 0) break
        for await (const block of objective.minimise(requestOf(this.setup, range, extra))) {
          const work = this.absorb(block)
            .catch((error: unknown) => void this.failures.push(error))
            .finally(() => inFlight.delete(work))
          inFlight.add(work)
          if (inFlight.size >= blocksInFlight) await Promise.race(inFlight)
          if (this.failures.length > 0) break
        }
      }
    } catch (error) {
      if (!(error instanceof WorkError)) throw error
      failure = error
    }
    await Promise.all(inFlight)
    await this.keep()
    if (this.failures.length > 0) throw this.failures[0]
    const left = [...this.open.values()].filter(g => !g.isEmpty).map(g => g.part(this.elapsed()))
    return { left, failure }
  }
}

export interface Searched {
  /** Parts that are not complete. */
  readonly left: readonly { readonly part: Part; readonly cost: Cost }[]
  /** Why the engine could not go on, where it broke down. */
  readonly failure: WorkError | undefined
}

/**
 * Runs the starts of `plan`, in ascending order and apart, that are not known yet. When stopped by the signal, what has ended is
 * handed over. @throws what the sink throws; WorkError of the engine is returned, since the runs that had ended count
 */
export const search = (
  setup: Setup,
  identity: string,
  plan: readonly Planned[],
  sink: Sink,
  options: SearchOptions = {}
): Promise<Searched> => new Search(setup, identity, plan, sink, options).run()
