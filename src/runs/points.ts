/** Which distinct point each run belongs to, beside the parts: a table of its own, since it follows from all of them together. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../core/errors.js'
import { pointsFile, readList, readIntact, runsFolder } from './directory.js'
import { inOrder } from './ends.js'
import { areConsecutive, encodeTable, type Field } from './parquet.js'
import { pickRows, type EndRows, type Layout, type Rows } from './table.js'

/** Runs of ascending starts, and the point of each. */
export interface Points {
  /** [count]; the first one, where the others follow it one by one. */
  readonly start: Float64Array | number
  /** [count] id of the distinct point in the summary; −1 for none. */
  readonly point: Int32Array
}

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

/** The point of every run, by its start. @throws InputError when the file is damaged or of another study */
async function readPoints(directory: string, identity: string): Promise<Map<number, number> | undefined> {
  const path = join(directory, runsFolder, pointsFile)
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return undefined
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet')
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    const metadata = parquetMetadata(file)
    if (metadata.key_value_metadata?.find(e => e.key === identityKey)?.value !== identity)
      throw new Error('it belongs to another study')
    const rows = await parquetReadObjects({ file, metadata })
    return new Map(rows.map(row => [Number(row['start']), Number(row['point'])]))
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
    if (at >= 0) return inOrder(pickRows(rows, [at]), layout).ends
  }
  return undefined
}
