/**
 * The columns of a run: what is known of it, how it is held in memory, and who finds it out. Engines' blocks, judged blocks, scored
 * blocks and stored rows are columns of this table; a new column is one line here.
 */
import { reasonWords, verdicts } from '../core/result.js'
import type { Spare } from '../core/spare.js'
import { statusNames } from '../core/status.js'

/** Who fills a column: the engine that searches, the judge, the scores of predictions, or what thins parameters out. */
export type Filler = 'search' | 'judge' | 'scores' | 'thinning'
/** Numbers per run: one, one for each parameter, for each metric, or for each report scalar of the program. */
export type Width = 'one' | 'parameters' | 'metrics' | 'report'

type Values = Float64Array | Uint32Array | Uint8Array

interface ArrayTypes {
  readonly f64: Float64Array
  readonly u32: Uint32Array
  readonly u8: Uint8Array
}

interface Column {
  readonly by: Filler
  /** Its name in the block of who fills it. */
  readonly field: string
  readonly type: keyof ArrayTypes
  readonly width: Width
  /** Absent: not stored. `text`: codes are stored as words. `integer`: INT64. `prefix`: of the names of a wide column. */
  readonly stored?: { readonly text?: readonly string[]; readonly integer?: true; readonly prefix?: string }
}

/**
 * All columns, in the order in which they are stored. What the judge fills is of ends, which many runs share: most runs of a study come
 * to one of a few points.
 */
export const columns = {
  start: { by: 'search', field: 'start', type: 'f64', width: 'one', stored: { integer: true } },
  /** Place in `verdicts`. */
  verdict: { by: 'judge', field: 'verdict', type: 'u8', width: 'one', stored: { text: verdicts } },
  /** Why an unfinished run is unfinished: place in `reasonWords`. */
  reason: { by: 'judge', field: 'reason', type: 'u8', width: 'one', stored: { text: reasonWords } },
  status: { by: 'search', field: 'status', type: 'u8', width: 'one', stored: { text: statusNames } },
  /** Certified. */
  loss: { by: 'judge', field: 'loss', type: 'f64', width: 'one', stored: {} },
  /** Where the optimiser stopped. */
  lossFound: { by: 'search', field: 'loss', type: 'f64', width: 'one', stored: {} },
  /** max |g_p|, certified. */
  gradientNorm: { by: 'judge', field: 'gradientNorm', type: 'f64', width: 'one', stored: {} },
  gradientNormFound: { by: 'search', field: 'gradientNorm', type: 'f64', width: 'one', stored: {} },
  /** Relative Newton step still predicted after polishing; Infinity where there is no stationary point. */
  precision: { by: 'judge', field: 'precision', type: 'f64', width: 'one', stored: {} },
  /** Limit of the loss along a diverging run, and how far it may be wrong; NaN where there is none. */
  limit: { by: 'judge', field: 'limit', type: 'f64', width: 'one', stored: {} },
  limitError: { by: 'judge', field: 'limitError', type: 'f64', width: 'one', stored: {} },
  /** Negative and zero eigenvalues. */
  index: { by: 'judge', field: 'index', type: 'u32', width: 'one' },
  nullity: { by: 'judge', field: 'nullity', type: 'u32', width: 'one', stored: {} },
  /** Of the optimiser; each costs one evaluation of what the program needs. */
  steps: { by: 'search', field: 'steps', type: 'u32', width: 'one', stored: {} },
  /** Scores at the point as found, on the training rows and on the held-out ones. */
  train: { by: 'scores', field: 'train', type: 'f64', width: 'metrics', stored: { prefix: 'train.' } },
  test: { by: 'scores', field: 'test', type: 'f64', width: 'metrics', stored: { prefix: 'test.' } },
  /** Certified (as found, where polishing found no stationary point), and as found, in the user's coordinates. */
  theta: { by: 'judge', field: 'theta', type: 'f64', width: 'parameters', stored: { prefix: 'certified:' } },
  thetaFound: { by: 'search', field: 'theta', type: 'f64', width: 'parameters', stored: { prefix: 'found:' } },
  /** Certified, in the coordinates that everything is computed in: what end points are told apart by. */
  conditioned: {
    by: 'judge',
    field: 'conditioned',
    type: 'f64',
    width: 'parameters',
    stored: { prefix: 'conditioned:' }
  },
  /** Of the group of symmetries, the element that brought `conditioned` to canonical form; NaN where it is as it was found. */
  copy: { by: 'thinning', field: 'copy', type: 'f64', width: 'one', stored: {} },
  /** The program's `report` scalars at the end. */
  report: { by: 'search', field: 'report', type: 'f64', width: 'report' }
} as const satisfies Record<string, Column>

type Columns = typeof columns
export type ColumnName = keyof Columns
type ArrayOf<K extends ColumnName> = ArrayTypes[Columns[K]['type']]

/** The columns that one filler finds out, under its own names: [count, width] row-major each. */
export type Filled<F extends Filler> = { readonly count: number } & {
  readonly [K in ColumnName as Columns[K]['by'] extends F ? Columns[K]['field'] : never]: ArrayOf<K>
}

/** Finished runs as an engine delivers them, in the order in which they ended. */
export type RunBlock = Filled<'search'> & {
  /** With `trace`: per run, [steps, 2] row-major (loss, gradient norm) of the current point after each step. */
  readonly traces?: readonly Float64Array[]
}

export type StoredName = { [K in ColumnName]: Columns[K] extends { readonly stored: object } ? K : never }[ColumnName]
/** Columns that a study may do without: no held-out rows, or parameters that are not kept. */
type Optional = 'test' | 'theta' | 'thetaFound' | 'copy'
type By<F extends Filler> = {
  [K in StoredName]: Columns[K]['by'] extends F ? K : never
}[StoredName]
/** Stored columns of what a run came to: runs that come to the same end share them. */
export type EndName = By<'judge' | 'thinning'>
/** Stored columns of how a run came there. */
type RunName = By<'search' | 'scores'>
type Stored<K extends StoredName> = { readonly [N in Exclude<K, Optional>]: ArrayOf<N> } & {
  readonly [N in Extract<K, Optional>]?: ArrayOf<N>
}

/** Ends of runs: [count, width] row-major each, by column. */
export type EndRows = { readonly count: number } & Stored<EndName>

/** Rows of runs: [count, width] row-major each, by column, and what they came to. */
export type Rows = { readonly count: number } & Stored<RunName> & {
    /** [count] the row of `ends` that is a run's. */
    readonly end: Uint32Array
    readonly ends: EndRows
  }

/** The runs of each end. */
export interface EndRuns {
  /** [ends] how many there are. */
  readonly counts: Uint32Array
  /** [ends] the first. */
  readonly first: Uint32Array
}

/** The columns of `Rows` without the ends. */
export type RunRows = Omit<Rows, 'ends'>

/** Which columns the rows of a study have, and what their wide columns are called. */
export interface Layout {
  /** [P] names of the parameters. */
  readonly parameters: readonly string[]
  /** [M] names of the metrics. */
  readonly metrics: readonly string[]
  /** Whether there are metrics of held-out rows. */
  readonly test: boolean
  readonly keep: Keep
}

/**
 * Parameters of every run as found and as certified (`all`), as certified (`end`), or of the points that runs end at, once each in a part
 * (`none`): `conditioned` is then in canonical form, and NaN for runs whose end no summary needs.
 */
export type Keep = 'all' | 'end' | 'none'

const storedNames = (Object.keys(columns) as ColumnName[]).filter(
  (name): name is StoredName => 'stored' in columns[name]
)
export const isOfEnd = (name: StoredName): name is EndName => ['judge', 'thinning'].includes(columns[name].by)
const runNames = storedNames.filter((name): name is RunName => !isOfEnd(name))

/** The stored columns of a layout. */
export function storedColumns({ test, keep }: Layout): StoredName[] {
  const optional: Readonly<Record<Optional, boolean>> = {
    test,
    theta: keep !== 'none',
    thetaFound: keep === 'all',
    copy: keep === 'none'
  }
  return storedNames.filter(name => !(name in optional) || optional[name as Optional])
}

/** Numbers per run of a stored column. */
export function widthOf(name: StoredName, { parameters, metrics }: Layout): number {
  const { width } = columns[name]
  return width === 'one' ? 1 : width === 'metrics' ? metrics.length : parameters.length
}

/** Names of a stored column's fields in a file. */
export function fieldNames(name: StoredName, { parameters, metrics }: Layout): string[] {
  const { width, stored } = columns[name]
  if (width === 'one') return [name]
  const { prefix } = stored
  return (width === 'metrics' ? metrics : parameters).map(field => prefix + field)
}

/** Bytes of a run in memory, where its end is no other's. */
export const rowBytes = (layout: Layout): number =>
  storedColumns(layout).reduce(
    (sum, name) => sum + widthOf(name, layout) * arrayTypes[columns[name].type].BYTES_PER_ELEMENT,
    0
  )
const arrayTypes = { f64: Float64Array, u32: Uint32Array, u8: Uint8Array } as const

function make(names: readonly StoredName[], layout: Layout, count: number, spare?: Spare): { count: number } {
  const made: Record<string, unknown> = {}
  for (const name of names) {
    const length = count * widthOf(name, layout)
    const { type } = columns[name]
    made[name] = spare ? spare[type](length) : new arrayTypes[type](length)
  }
  return { ...made, count }
}

/** Rows of zeros; of `spare` where it is given, and then they hold anything. */
export const makeRuns = (layout: Layout, count: number, spare?: Spare): RunRows => ({
  ...(make(
    storedColumns(layout).filter(name => !isOfEnd(name)),
    layout,
    count,
    spare
  ) as Omit<RunRows, 'end'>),
  end: spare ? spare.u32(count) : new Uint32Array(count)
})

/** Ends of zeros; of `spare` where it is given, and then they hold anything. */
export const makeEnds = (layout: Layout, count: number, spare?: Spare): EndRows =>
  make(storedColumns(layout).filter(isOfEnd), layout, count, spare) as EndRows

/** Row i of the columns of `source` becomes row to[i] of `rows`, but for its end, which is row ends[e] in place of row e. */
export function placeRuns(rows: RunRows, source: RunRows, to: Uint32Array, ends: Uint32Array): void {
  for (const name of runNames) {
    const [out, from] = [rows[name], source[name]]
    if (!out || !from) continue
    const width = source.count === 0 ? 0 : from.length / source.count
    if (out instanceof Float64Array) place(out, from as Float64Array, width, to)
    else if (out instanceof Uint32Array) placeCounts(out, from as Uint32Array, to)
    else placeCodes(out, from as Uint8Array, to)
  }
  for (let i = 0; i < to.length; i++) rows.end[to[i]] = ends[source.end[i]]
}

// One function for each type: a loop that has met arrays of several types takes many times as long.

function place(out: Float64Array, from: Float64Array, width: number, to: Uint32Array): void {
  const count = to.length
  if (to[count - 1] - to[0] === count - 1 && isAscending(to)) out.set(from, to[0] * width)
  else if (width === 1) for (let i = 0; i < count; i++) out[to[i]] = from[i]
  else
    for (let i = 0, b = 0; i < count; i++) for (let w = 0, a = to[i] * width; w < width; w++, a++, b++) out[a] = from[b]
}

function placeCounts(out: Uint32Array, from: Uint32Array, to: Uint32Array): void {
  for (let i = 0; i < to.length; i++) out[to[i]] = from[i]
}

function placeCodes(out: Uint8Array, from: Uint8Array, to: Uint32Array): void {
  for (let i = 0; i < to.length; i++) out[to[i]] = from[i]
}

export function isAscending(values: Uint32Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] < values[i - 1]) return false
  return true
}

/** Rows `which` of a column become those of `out` from `at` on. */
export function copyRows(out: Values, from: Values, width: number, which: Uint32Array, at = 0): void {
  if (out instanceof Float64Array) copyNumbers(out, from as Float64Array, width, which, at)
  else if (out instanceof Uint32Array) for (let n = 0; n < which.length; n++) out[at + n] = from[which[n]]
  else for (let n = 0; n < which.length; n++) out[at + n] = from[which[n]]
}

function copyNumbers(out: Float64Array, from: Float64Array, width: number, which: Uint32Array, at: number): void {
  if (width === 1) for (let n = 0; n < which.length; n++) out[at + n] = from[which[n]]
  else
    for (let n = 0, p = at * width; n < which.length; n++)
      for (let w = 0, q = which[n] * width; w < width; w++) out[p++] = from[q++]
}

/** The rows `which`, in that order, with the ends of all. */
export function pickRows(rows: Rows, which: Uint32Array): Rows {
  const out: Record<string, unknown> = {}
  for (const name of [...runNames, 'end'] as const) {
    const from = rows[name]
    if (from) out[name] = pick(from, rows.count, which)
  }
  return { ...out, count: which.length, ends: rows.ends } as Rows
}

/** Rows `which` of a block of finished runs. */
export function pickRuns(block: RunBlock, which: Uint32Array): RunBlock {
  const { count, traces, start, theta, loss, gradientNorm, steps, status, report } = block
  return {
    count: which.length,
    start: pick(start, count, which),
    theta: pick(theta, count, which),
    loss: pick(loss, count, which),
    gradientNorm: pick(gradientNorm, count, which),
    steps: pick(steps, count, which),
    status: pick(status, count, which),
    report: pick(report, count, which),
    ...(traces ? { traces: Array.from(which, i => traces[i]) } : {})
  }
}

function pick<T extends Values>(from: T, count: number, which: Uint32Array): T {
  const width = count === 0 ? 0 : from.length / count
  const out = new (from.constructor as new (length: number) => T)(which.length * width)
  copyRows(out, from, width, which)
  return out
}

/** What the judge found out of the ends of runs, and which is whose. */
export interface FilledEnds {
  /** [count] the row of `ends` that is a run's. */
  readonly end: Uint32Array
  readonly ends: Filled<'judge'>
}

/** Rows from what each filler found out of the same runs. */
export function rowsFrom(
  layout: Layout,
  search: Filled<'search'>,
  { end, ends }: FilledEnds,
  scores: { readonly train: Float64Array; readonly test?: Float64Array }
): Rows {
  const blocks: Readonly<Record<Exclude<Filler, 'thinning'>, unknown>> = { search, judge: ends, scores }
  const [ofRuns, ofEnds]: Record<string, unknown>[] = [{ count: search.count }, { count: ends.count }]
  for (const name of storedColumns(layout)) {
    const { by, field } = columns[name]
    if (by !== 'thinning') (isOfEnd(name) ? ofEnds : ofRuns)[name] = (blocks[by] as Record<string, unknown>)[field]
  }
  return { ...ofRuns, end, ends: ofEnds } as unknown as Rows
}
