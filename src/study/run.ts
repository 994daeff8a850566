/** Ranges of starts → parts: search, judge and score, and gather the runs of each part until it is complete. */
import { exhausted, isExhausted, WorkError } from '../core/errors.js'
import { Spare } from '../core/spare.js'
import type { RunRequest } from '../engines/types.js'
import { scoresOf } from '../models/scores.js'
import type { Cost } from '../runs/list.js'
import { missing, type Diverging, type Ends, type Facts, type Part, type Range } from '../runs/part.js'
import { CodedRuns, Coder } from '../core/coded.js'
import { EndTable, inOrder } from '../runs/ends.js'
import { makeRuns, pickRows, pickRuns, placeRuns, type Layout, type Rows, type RunBlock } from '../runs/table.js'
import { judgeChoice, lowest, sampled, sliceOf } from './choice.js'
import { judged } from './judged.js'
import { fullLayout, joined, thinning, type Thin } from './thinning.js'
import type { Setup } from './setup.js'

/** The columns of a study's rows. */
export const layoutOf = (setup: Setup): Layout => ({
  parameters: setup.names,
  metrics: scoresOf(setup.model),
  test: setup.test !== undefined,
  keep: setup.keep
})

/** The request for runs first … first+count−1 of a study. */
export function requestOf(setup: Setup, range: Range, extra: Partial<RunRequest> = {}): RunRequest {
  const { config, program, optimizer, steps } = setup
  return {
    program,
    starts: setup.starts.of(range),
    stop: { steps, gradient: config.stop.gradient },
    ...(optimizer.batch ? { batch: { ...optimizer.batch, seed: config.starts.seed } } : {}),
    ...extra
  }
}

export interface SearchOptions {
  /** Lanes over all threads; never changes a result. */
  readonly lanes?: number
  readonly signal?: AbortSignal
  /** Told the runs that have been judged, in the user's coordinates; awaited, and not to be read any more after that. */
  readonly onRuns?: (rows: Rows, layout: Layout) => Promise<void> | void
  /** Where arrays are taken from; those of the rows of complete parts too, which the sink may give back. */
  readonly spare?: Spare
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

type Evaluations = Omit<Cost, 'seconds'>

/** A part under way. */
class Gathering {
  private readonly runs
  private readonly ends: EndTable
  /** 1: taken up, 2: there. */
  private readonly state: Uint8Array
  private filled = 0
  private classCounts: Float64Array
  private readonly growing: Map<number, readonly number[]>
  private diverging: Diverging | undefined
  private spread: Ends | undefined
  private readonly thin: Thin | undefined
  private cost = { seconds: 0, f: 0, g: 0, H: 0 }
  /** Blocks that are judged when the part is complete. */
  readonly held: RunBlock[] = []
  /** Runs that have come since the part was last kept. */
  fresh = 0

  constructor(
    setup: Setup,
    private readonly identity: string,
    private readonly layout: Layout,
    readonly range: Range,
    known: Planned['known'],
    private readonly spare: Spare,
    private readonly coder: Coder
  ) {
    this.thin = layout.keep === 'none' ? thinning(setup) : undefined
    this.runs = makeRuns(layout, range.count, spare)
    this.ends = new EndTable(layout, spare)
    this.state = new Uint8Array(range.count)
    this.classCounts = known?.part.facts.classCounts.slice() ?? new Float64Array(0)
    this.growing = new Map(known?.part.facts.growing)
    this.diverging = known?.part.facts.diverging
    this.spread = known?.part.facts.ends
    if (!known) return
    this.cost = { ...known.cost }
    this.filled = known.part.rows.count
    this.place(known.part.rows)
  }

  /** Puts runs in their places. */
  private place(rows: Rows): void {
    const { start } = rows
    const { first } = this.range
    const places = this.spare.u32(start.length)
    for (let i = 0; i < places.length; i++) {
      places[i] = start[i] - first
      this.state[places[i]] = 2
    }
    placeRuns(this.runs, rows, places, this.ends.add(rows.ends))
    this.spare.give({ places })
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

  /**
   * Takes up the runs from place `from` of `start` on, as long as they belong to this part: places[i] becomes `number`, or −1 for one that
   * has been taken up already, as where gaps are joined.
   * @returns the place of the first run of another part
   */
  claim(start: Float64Array, from: number, places: Int32Array, number: number): number {
    const { state } = this
    const { first, count } = this.range
    let i = from
    for (; i < start.length; i++) {
      const at = start[i] - first
      if (!(at >= 0 && at < count)) break
      places[i] = state[at] === 0 ? number : -1
      if (state[at] === 0) state[at] = 1
    }
    return i
  }

  /** Adds runs with their parameters, and returns what is kept of them. */
  add(whole: Rows, told: Facts, ...spent: readonly Evaluations[]): Rows {
    const { rows, facts } = this.thinned(whole, told)
    this.place(rows)
    this.filled += rows.count
    this.fresh += rows.count
    const { classCounts } = this
    if (classCounts.length === 0) this.classCounts = facts.classCounts.slice()
    else for (let i = 0; i < classCounts.length; i++) classCounts[i] += facts.classCounts[i] ?? 0
    this.note(facts, ...spent)
    return rows
  }

  private thinned(rows: Rows, facts: Facts): ReturnType<Thin> {
    return this.thin ? this.thin(rows, facts) : { rows, facts }
  }

  private there(): Uint32Array {
    const which = new Uint32Array(this.filled)
    for (let i = 0, n = 0; i < this.state.length; i++) if (this.state[i] === 2) which[n++] = i
    return which
  }

  /** Puts judged runs in the place of the same ones unjudged; their search and scores have been counted. */
  replace(whole: Rows, told: Facts, judging: Evaluations): void {
    const { rows, facts } = this.thinned(whole, told)
    this.place(rows)
    this.note(facts, judging)
  }

  private note({ growing, diverging, ends }: Facts, ...spent: readonly Evaluations[]): void {
    for (const key of ['f', 'g', 'H'] as const) for (const part of spent) this.cost[key] += part[key]
    this.spread = joined(this.spread, ends)
    for (const [start, places] of growing) this.growing.set(start, places)
    if (diverging && !(this.diverging && this.diverging.start < diverging.start)) this.diverging = diverging
  }

  /** The complete part, in arrays of `spare`; nothing may be asked of this any more. */
  finish(seconds: number): { part: Part; cost: Cost } {
    const all = { ...this.runs, ends: this.ends.ends() }
    const rows = inOrder(all, this.layout, this.spare)
    if (rows !== all) {
      this.ends.giveBack()
      this.spare.give({ end: all.end })
    }
    return this.withFacts(rows, seconds)
  }

  /** What is there, and what it has cost; `seconds` pass to it. */
  part(seconds: number): { part: Part; cost: Cost } {
    const all = { ...this.runs, ends: this.ends.copy() }
    return this.withFacts(inOrder(pickRows(all, this.there()), this.layout), seconds)
  }

  private withFacts(rows: Rows, seconds: number): { part: Part; cost: Cost } {
    this.cost.seconds += seconds
    this.fresh = 0
    const { identity, layout, range, growing, diverging, spread } = this
    const facts = {
      classCounts: this.classCounts.slice(),
      growing,
      ...(diverging ? { diverging } : {}),
      ...(spread ? { ends: spread } : {})
    }
    const coded = new CodedRuns(rows, this.coder, this.spare)
    return { part: { identity, ...range, layout, rows, coded, facts }, cost: { ...this.cost } }
  }
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

function placesEqual(values: Int32Array, wanted: number): Uint32Array {
  const out: number[] = []
  for (let i = 0; i < values.length; i++) if (values[i] === wanted) out.push(i)
  return Uint32Array.from(out)
}

/** The search of one study's missing runs. */
class Search {
  private readonly layout: Layout
  /** Of runs with their parameters, as they come. */
  private readonly full: Layout
  private readonly open = new Map<Planned, Gathering>()
  /** Time that has passed since the last part was handed over belongs to the next. */
  private since = performance.now()
  private kept = performance.now()
  private keeping = false
  private keepEvery = keepMilliseconds
  private readonly failures: unknown[] = []
  private readonly spare: Spare
  private readonly coder = new Coder()

  constructor(
    private readonly setup: Setup,
    private readonly identity: string,
    private readonly plan: readonly Planned[],
    private readonly sink: Sink,
    private readonly options: SearchOptions
  ) {
    this.layout = layoutOf(setup)
    this.full = fullLayout(this.layout)
    this.spare = options.spare ?? new Spare()
  }

  /** What of a part need not be run again: nothing where all its runs must be there to tell which are the best. */
  private knownOf(planned: Planned): Planned['known'] {
    return judgeChoice(this.setup.config).choose === 'best' ? undefined : planned.known
  }

  private gathering(planned: Planned): Gathering {
    let at = this.open.get(planned)
    if (!at) {
      at = new Gathering(this.setup, this.identity, this.layout, planned, this.knownOf(planned), this.spare, this.coder)
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

  /** The same of every run of a block; −1 too for those that have been taken up already. */
  private placesOf(start: Float64Array): Int32Array {
    const places = new Int32Array(this.spare.u32(start.length).buffer)
    for (let i = 0; i < start.length;) {
      const number = this.planned(start[i])
      if (number < 0) places[i++] = -1
      else i = this.gathering(this.plan[number]).claim(start, i, places, number)
    }
    return places
  }

  /** What is to be run, as few ranges. */
  private wanted(): Range[] {
    const list: Range[] = []
    for (const planned of this.plan)
      for (const gap of this.knownOf(planned) ? this.gathering(planned).gaps() : [planned]) {
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
      const gathering = this.gathering(planned)
      if (!(await this.gather(gathering, runs))) return
      if (!gathering.isComplete) continue
      const isHeld = gathering.held.length > 0
      if (isHeld) await this.judgeBest(gathering)
      this.open.delete(planned)
      const { part, cost } = gathering.finish(this.elapsed())
      if (isHeld) await this.options.onRuns?.(part.rows, this.layout)
      await this.sink.complete(part, cost)
    }
    this.spare.give({ places })
    if (performance.now() - this.kept > this.keepEvery) await this.keep()
  }

  /** Judges and scores runs and adds them, a slice at a time; false where the study was stopped before all were judged. */
  private async gather(gathering: Gathering, runs: RunBlock): Promise<boolean> {
    const { setup, layout, full, options, spare } = this
    const { choose, share } = judgeChoice(setup.config)
    const isBest = choose === 'best'
    if (isBest) gathering.held.push(runs)
    const slice = sliceOf(setup.problem.rows, setup.objective.parameters)
    for (let from = 0; from < runs.count; from += slice) {
      if (from > 0 && options.signal?.aborted) return false
      const size = Math.min(slice, runs.count - from)
      const part =
        size === runs.count
          ? runs
          : pickRuns(
              runs,
              Uint32Array.from({ length: size }, (_, k) => from + k)
            )
      const which = isBest ? [] : choose === 'sample' ? sampled(part.start, share) : undefined
      const { rows, facts, searching, judging, holders } = await judged(setup, full, part, spare, which)
      const added = gathering.add(rows, facts, searching, judging)
      if (isBest) continue
      await options.onRuns?.(added, layout)
      spare.give(...holders)
    }
    return true
  }

  /** Judges the runs of a complete part with the lowest losses. */
  private async judgeBest(gathering: Gathering): Promise<void> {
    const { setup, full, spare } = this
    const { share } = judgeChoice(setup.config)
    for (const [n, which] of lowest(gathering.held, share).entries()) {
      if (which.length === 0) continue
      const { rows, facts, judging } = await judged(
        setup,
        full,
        pickRuns(gathering.held[n], Uint32Array.from(which)),
        spare
      )
      gathering.replace(rows, facts, judging)
    }
    gathering.held.length = 0
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

  /** The runs of a range as they end, as many starts at a time as may lie in memory. */
  private async *blocks(range: Range, extra: Partial<RunRequest>): AsyncGenerator<RunBlock> {
    const { objective, starts } = this.setup
    const end = range.first + range.count
    for (let first = range.first; first < end && !extra.signal?.aborted; first += starts.together) {
      const count = Math.min(starts.together, end - first)
      yield* objective.minimise(requestOf(this.setup, { first, count }, extra), this.spare)
    }
  }

  async run(): Promise<Searched> {
    const { lanes, signal } = this.options
    const extra = { ...(lanes === undefined ? {} : { lanes }), ...(signal ? { signal } : {}) }
    const inFlight = new Set<Promise<void>>()
    let failure: WorkError | undefined
    try {
      for (const range of this.wanted()) {
        if (signal?.aborted || this.failures.length > 0) break
        for await (const block of this.blocks(range, extra)) {
          const work = this.absorb(block)
            .catch((error: unknown) => void this.failures.push(error))
            .finally(() => inFlight.delete(work))
          inFlight.add(work)
          if (inFlight.size >= blocksInFlight) await Promise.race(inFlight)
          if (this.failures.length > 0) break
        }
      }
    } catch (error) {
      if (error instanceof WorkError) failure = error
      else if (isExhausted(error)) failure = new WorkError(exhausted)
      else throw error
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
