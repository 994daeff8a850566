/**
 * Which distinct point each run belongs to, and the distinct points themselves, beside the parts: tables of their own, since they follow
 * from all parts together.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../core/errors.js'
import { readList, readIntact } from './list.js'
import { distinctFile, pointsFile, runsFolder } from './names.js'
import { inOrder } from './ends.js'
import { areConsecutive, encodeTable, type Field } from './parquet.js'
import { columns, pickRows, type EndRows, type Layout, type Rows } from './table.js'

/** Runs of ascending starts, and the point of each. */
export interface Points {
  /** [count]; the first one, where the others follow it one by one. */
  readonly start: Float64Array | number
  /** [count] id of the distinct point in the summary; −1 for none. */
  readonly point: Int32Array
}

/** Some of the distinct points. */
export interface DistinctRows {
  /** [count] each. */
  readonly id: Uint32Array
  /** Places in `distinctKinds`: ids ascend within each. */
  readonly kind: Uint8Array
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  readonly runs: Uint32Array
  readonly copies: Uint32Array
  readonly firstStart: Float64Array
  /** [count, P] in the user's coordinates. */
  readonly theta: Float64Array
}
const distinctKinds = ['minimum', 'degenerate', 'saddle'] as const

const identityKey = 'manystart'

/** Starts as `Points` have them, in memory of their own. */
export const startsOf = (start: Float64Array): Points['start'] => (areConsecutive(start) ? start[0] : start.slice())

export function encodePoints(identity: string, points: readonly Points[]): Uint8Array {
  const group = ({ start, point }: Points): Field[] => [
    { name: 'start', type: 'INT64', data: typeof start === 'number' ? { first: start, count: point.length } : start },
    { name: 'point', type: 'INT32', data: point }
  ]
  const none: Points = { start: new Float64Array(0), point: new Int32Array(0) }
  return encodeTable(points.length > 0 ? points.map(group) : [group(none)], [identityKey, identity])
}

/** @param names of the parameters, [P] */
export function encodeDistinct(identity: string, names: readonly string[], groups: Iterable<DistinctRows>): Uint8Array {
  const fields = ({ id, kind, loss, gradientNorm, runs, copies, firstStart, theta }: DistinctRows): Field[] => [
    { name: 'id', type: 'INT32', data: id },
    { name: 'kind', type: 'words', data: kind, words: distinctKinds },
    { name: 'loss', type: 'DOUBLE', data: loss },
    { name: 'gradientNorm', type: 'DOUBLE', data: gradientNorm },
    { name: 'runs', type: 'INT32', data: runs },
    { name: 'copies', type: 'INT32', data: copies },
    { name: 'firstStart', type: 'INT64', data: firstStart },
    ...names.map((name, column): Field => ({
      name: columns.theta.stored.prefix + name,
      type: 'DOUBLE',
      data: theta,
      width: names.length,
      column
    }))
  ]
  return encodeTable(Array.from(groups, fields), [identityKey, identity])
}

/** The first start that led to a distinct point; undefined where there is no such point. @throws InputError as `readRuns` */
export async function firstStartOf(directory: string, point: number): Promise<number | undefined> {
  const { identity } = await readList(directory)
  const rows = await readTable(directory, distinctFile, identity, ['id', 'firstStart'])
  const found = rows?.find(row => Number(row['id']) === point)
  return found && Number(found['firstStart'])
}

/** The point of every run, by its start. @throws InputError when the file is damaged or of another study */
async function readPoints(directory: string, identity: string): Promise<Map<number, number> | undefined> {
  const rows = await readTable(directory, pointsFile, identity)
  return rows && new Map(rows.map(row => [Number(row['start']), Number(row['point'])]))
}

/** The rows of a table beside the parts; undefined where there is none. */
async function readTable(
  directory: string,
  name: string,
  identity: string,
  only?: string[]
): Promise<Record<string, unknown>[] | undefined> {
  const path = join(directory, runsFolder, name)
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return undefined
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet')
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    const metadata = parquetMetadata(file)
    if (metadata.key_value_metadata?.find(e => e.key === identityKey)?.value !== identity)
      throw new Error('it belongs to another study')
    return await parquetReadObjects({ file, metadata, ...(only ? { columns: only } : {}) })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InputError(`${path} is damaged (${why}); \`manystart report ${directory}\` makes it anew.`)
  }
}

/** Stored runs with their points, one part at a time, in ascending order of starts. */
export interface StoredRuns {
  readonly layout: Layout
  readonly rows: Rows
  /** [count] id of the distinct point in the summary; −1 for none, or before a summary has been made. */
  readonly point: Int32Array
}

/** @throws InputError when the directory holds no runs, or a part is damaged */
export async function* readRuns(directory: string): AsyncGenerator<StoredRuns> {
  const { identity, parts, open } = await readList(directory)
  const points = await readPoints(directory, identity)
  for (const listed of [...parts, ...open].sort((a, b) => a.first - b.first)) {
    const { rows, layout } = await readIntact(directory, listed, identity)
    yield { layout, rows, point: Int32Array.from(rows.start, start => points?.get(start) ?? -1) }
  }
}

/** The end of the run of a start, as the only row; undefined where it is not there. @throws InputError as `readRuns` */
export async function readEnd(directory: string, start: number): Promise<EndRows | undefined> {
  const { identity, parts, open } = await readList(directory)
  for (const listed of [...parts, ...open]) {
    if (start < listed.first || start >= listed.first + listed.count) continue
    const { rows, layout } = await readIntact(directory, listed, identity)
    const at = rows.start.indexOf(start)
    if (at >= 0) return inOrder(pickRows(rows, Uint32Array.of(at)), layout).ends
  }
  return undefined
}
