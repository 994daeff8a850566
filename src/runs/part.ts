/**
 * A part as bytes: the runs of a range of starts, sorted by start, as a Parquet table. What the rows alone do not tell, such as how
 * many runs predict each class on each data row, is in its metadata.
 */
import type { FileMetaData } from 'hyparquet'
import * as z from 'zod'
import { firstEqual } from '../core/equalRows.js'
import { InputError } from '../core/errors.js'
import { encodeTable, type Field, type Scratch } from './parquet.js'
import { CodedRuns } from '../core/coded.js'
import { distinct, runsOfEnds } from './ends.js'
import {
  columns,
  fieldNames,
  isOfEnd,
  makeEnds,
  makeRuns,
  storedColumns,
  widthOf,
  type EndRows,
  type Layout,
  type Rows,
  type StoredName
} from './table.js'

export const partFormat = 'manystart/runs'
export const partVersion = 2
/** Key of the description in the file's own metadata. */
const metadataKey = 'manystart'

/** Starts first … first+count−1. */
export interface Range {
  readonly first: number
  readonly count: number
}

/** What is known of the runs of a part together, beside their rows. */
export interface Facts {
  /** [N, C']: how many of the runs that did not fail predict each class on each training row; empty without classes. */
  readonly classCounts: Float64Array
  /** Places of the parameters that grow without bound, by the starts of runs to infinity whose way is known. */
  readonly growing: ReadonlyMap<number, readonly number[]>
  /** The first run with verdict `diverging` of which a direction is known. */
  readonly diverging?: Diverging
  /** [P] each, in the user's coordinates: the least and the largest of the minima and flat minima, where their rows do not tell. */
  readonly ends?: Ends
}

export interface Ends {
  readonly low: Float64Array
  readonly high: Float64Array
}

export interface Diverging {
  readonly start: number
  readonly loss: number
  readonly theta: Float64Array
  readonly direction: Float64Array
}

export interface Part extends Range {
  /** Of the study that the runs belong to. */
  readonly identity: string
  readonly layout: Layout
  /** Ascending by start, with ends in the order of their first runs; fewer than `count` while the range is under way. */
  readonly rows: Rows
  /** The same runs. */
  readonly coded: CodedRuns
  readonly facts: Facts
}

const real = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)])
const whole = z.number().int().nonnegative()
const description = z.object({
  format: z.literal(partFormat),
  version: z.literal(partVersion),
  identity: z.string(),
  first: whole,
  count: whole,
  layout: z.object({
    parameters: z.array(z.string()),
    metrics: z.array(z.string()),
    test: z.boolean(),
    keep: z.enum(['all', 'end', 'none'])
  }),
  facts: z.object({
    /** Base64 of little-endian 32-bit counts. */
    classCounts: z.base64(),
    growing: z.array(z.object({ places: z.array(whole), starts: z.array(whole) })),
    diverging: z.object({ start: whole, loss: real, theta: z.array(real), direction: z.array(real) }).optional(),
    ends: z.object({ low: z.array(real), high: z.array(real) }).optional()
  })
})

/** Starts by what grows, ascending: most runs share it with others. */
function grouped(growing: Facts['growing']): { places: number[]; starts: number[] }[] {
  const groups = new Map<string, { places: number[]; starts: number[] }>()
  for (const [start, places] of [...growing].sort(([a], [b]) => a - b)) {
    const key = places.join()
    const group = groups.get(key)
    if (group) group.starts.push(start)
    else groups.set(key, { places: [...places], starts: [start] })
  }
  return [...groups.values()]
}

/** JSON has no words for numbers that are not finite. */
const plain = (values: Float64Array): (number | string)[] => Array.from(values, plainNumber)
const plainNumber = (v: number): number | string => (Number.isFinite(v) ? v : String(v))

function describe({ identity, first, count, layout, facts }: Part): string {
  const { classCounts, growing, diverging, ends } = facts
  const counts = Uint32Array.from(classCounts)
  const written: z.input<typeof description> = {
    format: partFormat,
    version: partVersion,
    identity,
    first,
    count,
    layout: { ...layout, parameters: [...layout.parameters], metrics: [...layout.metrics] },
    facts: {
      classCounts: Buffer.from(counts.buffer, counts.byteOffset, counts.byteLength).toString('base64'),
      growing: grouped(growing),
      ...(diverging
        ? {
            diverging: {
              start: diverging.start,
              loss: plainNumber(diverging.loss) as number,
              theta: plain(diverging.theta) as number[],
              direction: plain(diverging.direction) as number[]
            }
          }
        : {}),
      ...(ends ? { ends: { low: plain(ends.low) as number[], high: plain(ends.high) as number[] } } : {})
    }
  }
  return JSON.stringify(written)
}

/** Of a part that keeps each point once: the field that says which run's row has the parameters of a run's end. */
const holderField = 'sameAs'

/** The points that runs end at, once each, in the row of the first run there; and for every run whose row that is. */
function sharedFields({ rows, layout }: Part): Field[] {
  const { start, end, ends } = rows
  const width = widthOf('conditioned', layout)
  const holder = firstEqual(ends.conditioned, width)
  const { first } = runsOfEnds(rows)
  const own = Uint8Array.from(end, (e, i) => (holder[e] === e && first[e] === i ? 1 : 0))
  return [
    {
      name: holderField,
      type: 'INT64',
      data: Float64Array.from(end, e => (holder[e] < 0 ? 0 : start[first[holder[e]]])),
      present: Uint8Array.from(end, e => (holder[e] < 0 ? 0 : 1))
    },
    ...fieldNames('conditioned', layout).map((name, column): Field => ({
      name,
      type: 'DOUBLE',
      data: ends.conditioned,
      rows: end,
      width,
      column,
      present: own
    }))
  ]
}

/** Gives every run of a part that keeps each point once its parameters, NaN where there are none. */
function spreadOut(
  start: Float64Array,
  { count, conditioned }: EndRows,
  sameAs: ArrayLike<unknown>,
  width: number
): void {
  const rowOf = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    rowOf.set(start[i], i)
    const holder = sameAs[i] === null || sameAs[i] === undefined ? i : rowOf.get(Number(sameAs[i]))
    if (holder === undefined) throw new RangeError(`run ${start[i]} refers to one that is not there`)
    conditioned.copyWithin(i * width, holder * width, (holder + 1) * width)
  }
}

function fieldsOf(name: StoredName, part: Part): Field[] {
  const { rows, layout } = part
  if (name === 'conditioned' && layout.keep === 'none') return sharedFields(part)
  const values = isOfEnd(name) ? rows.ends[name]! : rows[name]!
  // Where every run has an end of its own, the columns of both are in the same order.
  const of = isOfEnd(name) && rows.ends.count < rows.count ? { rows: rows.end } : {}
  const { stored } = columns[name]
  const width = widthOf(name, layout)
  return fieldNames(name, layout).map((field, w): Field => {
    if ('text' in stored) return { name: field, type: 'words', data: values as Uint8Array, words: stored.text, ...of }
    if (values instanceof Uint32Array) {
      const known = name === 'steps' ? { coded: part.coded.of(name) } : {}
      return { name: field, type: 'INT32', data: values, ...of, ...known }
    }
    const data = values as Float64Array
    if ('integer' in stored) return { name: field, type: 'INT64', data }
    const known = name === 'lossFound' || name === 'train' || name === 'test' ? { coded: part.coded.of(name, w) } : {}
    return { name: field, type: 'DOUBLE', data, width, column: w, ...of, ...known }
  })
}

/** The same bytes for the same part, whenever and wherever it is written; they lie in `scratch`. */
export const encodePart = (part: Part, scratch?: Scratch): Uint8Array =>
  encodeTable(
    [storedColumns(part.layout).flatMap(name => fieldsOf(name, part))],
    [metadataKey, describe(part)],
    scratch
  )

/** @param source what to call the bytes in messages @throws InputError for bytes that are no part, or are incomplete */
export async function decodePart(bytes: Uint8Array, source: string): Promise<Part> {
  const damaged = (why: string): InputError => new InputError(`${source} is damaged (${why}).`)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  // Loaded by who reads runs: a study that makes its own needs none of it.
  const { parquetMetadata, parquetRead } = await import('hyparquet')
  let metadata: FileMetaData
  try {
    metadata = parquetMetadata(file)
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error))
  }
  const { identity, first, count: planned, layout, facts } = readDescription(metadata, source)
  const data = new Map<string, ArrayLike<unknown>[]>()
  try {
    await parquetRead({
      file,
      metadata,
      onChunk: ({ columnName, columnData }) => void data.set(columnName, [...(data.get(columnName) ?? []), columnData])
    })
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error))
  }
  const count = Number(metadata.num_rows)
  const runs = makeRuns(layout, count)
  const own = makeEnds(layout, count)
  runs.end.forEach((_, i) => (runs.end[i] = i))
  for (const name of storedColumns(layout)) {
    const out = isOfEnd(name) ? own[name]! : runs[name]!
    const { stored } = columns[name]
    const width = widthOf(name, layout)
    fieldNames(name, layout).forEach((field, w) => {
      let at = w
      for (const values of data.get(field) ?? [])
        for (let i = 0; i < values.length; i++, at += width)
          out[at] = 'text' in stored ? stored.text.indexOf(String(values[i]) as never) : Number(values[i] ?? Number.NaN)
      if (at !== w + count * width) throw damaged(`column "${field}" is incomplete`)
    })
  }
  if (layout.keep === 'none')
    try {
      const sameAs = (data.get(holderField) ?? []).flatMap(values => Array.from(values))
      if (sameAs.length !== count) throw new RangeError(`column "${holderField}" is incomplete`)
      spreadOut(runs.start, own, sameAs, widthOf('conditioned', layout))
    } catch (error) {
      throw damaged((error as RangeError).message)
    }
  const counts = Buffer.from(facts.classCounts, 'base64')
  const rows = distinct({ ...runs, ends: own }, layout)
  const { diverging, ends } = facts
  return {
    identity,
    first,
    count: planned,
    layout,
    rows,
    coded: new CodedRuns(rows),
    facts: {
      growing: new Map(facts.growing.flatMap(({ places, starts }) => starts.map(start => [start, places] as const))),
      classCounts: Float64Array.from({ length: counts.length / 4 }, (_, i) => counts.readUInt32LE(4 * i)),
      ...(diverging
        ? {
            diverging: {
              ...diverging,
              theta: Float64Array.from(diverging.theta),
              direction: Float64Array.from(diverging.direction)
            }
          }
        : {}),
      ...(ends ? { ends: { low: Float64Array.from(ends.low), high: Float64Array.from(ends.high) } } : {})
    }
  }
}

function readDescription(metadata: FileMetaData, source: string): z.output<typeof description> {
  const text = metadata.key_value_metadata?.find(entry => entry.key === metadataKey)?.value
  let raw: unknown
  try {
    raw = text === undefined ? undefined : JSON.parse(text)
  } catch {
    raw = undefined
  }
  const checked = description.safeParse(raw)
  if (checked.success) return checked.data
  const { format, version } = (raw ?? {}) as { format?: unknown; version?: unknown }
  if (format === partFormat && version !== partVersion)
    throw new InputError(
      `${source} has version ${String(version)} of the format; this program reads version ${partVersion}, so run the study again.`
    )
  throw new InputError(`${source} holds no runs of this program.`)
}

/** Rows of a part at least, and at most. */
const fewestRows = 256
const mostRows = 1 << 16
/** Bytes of a part in memory: large enough to amortise its metadata, small enough that many fit. */
const partBytes = 16 * 2 ** 20

/** Runs of a full part whose rows take so many bytes: a power of two. */
export const partRows = (bytes: number): number =>
  Math.max(fewestRows, Math.min(mostRows, 2 ** Math.floor(Math.log2(partBytes / bytes))))

/**
 * The parts of starts first … end−1. They begin small, so that the first results of slow runs are there soon, and double up to
 * `most` starts; their borders depend on nothing else, so that every way to the same starts leads to the same parts.
 */
export function partRanges(first: number, end: number, most: number): Range[] {
  const ranges: Range[] = []
  for (let at = first; at < end;) {
    const next =
      at < fewestRows ? fewestRows : at < most ? 2 ** (Math.floor(Math.log2(at)) + 1) : at - (at % most) + most
    const to = Math.min(next, end)
    ranges.push({ first: at, count: to - at })
    at = to
  }
  return ranges
}

/** Starts of `range` that none of `covered` holds, as ranges; `covered` in any order, without overlaps. */
export function missing(range: Range, covered: readonly Range[]): Range[] {
  const gaps: Range[] = []
  let at = range.first
  const end = range.first + range.count
  for (const { first, count } of [...covered].sort((a, b) => a.first - b.first)) {
    if (first + count <= at || first >= end) continue
    if (first > at) gaps.push({ first: at, count: first - at })
    at = Math.max(at, first + count)
  }
  if (at < end) gaps.push({ first: at, count: end - at })
  return gaps
}
