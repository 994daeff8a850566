/** What a row of `runs.parquet` holds, and reading it back. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { InputError } from '../core/errors.js'
import { verdicts } from '../core/result.js'
import { statusNames } from '../core/status.js'
import type { FileMetaData } from 'hyparquet'

export const runsFile = 'runs.parquet'
export const runsFormat = 'manystart/runs'
export const runsVersion = 2
/** Key of the layout in the file's own metadata. */
export const metadataKey = 'manystart'

/** Columns of `runs.parquet` before the metrics and the parameters. */
export const fixedColumns = [
  'start',
  'verdict',
  'status',
  'point',
  'loss',
  'lossFound',
  'gradientNorm',
  'gradientNormFound',
  'precision',
  'steps'
] as const

/** What a reader must know; kept in the file's own metadata. */
export interface RunsLayout {
  /** [P] names of the parameters, distinct. */
  readonly parameters: readonly string[]
  /** [M] names of the metrics, e.g. "train.accuracy"; distinct. */
  readonly metrics: readonly string[]
  /** Whether parameters are kept as found too, and as certified in conditioned coordinates, not only as certified. */
  readonly found: boolean
}

/** Rows of `runs.parquet`. Matrices are row-major. */
export interface StoredRuns {
  readonly count: number
  /** [count] */
  readonly start: Float64Array
  /** [count] place in `verdicts` (core/result.ts). */
  readonly verdict: Uint8Array
  /** [count] `Status` */
  readonly status: Uint8Array
  /** [count] id of the distinct point among those of the same verdict, −1 for none. */
  readonly point: Int32Array
  /** [count] certified loss. */
  readonly loss: Float64Array
  /** [count] */
  readonly lossFound: Float64Array
  /** [count] max |g_p|, certified. */
  readonly gradientNorm: Float64Array
  /** [count] */
  readonly gradientNormFound: Float64Array
  /** [count] relative Newton step still predicted after polishing. */
  readonly precision: Float64Array
  /** [count] */
  readonly steps: Uint32Array
  /** [count, M] */
  readonly metrics: Float64Array
  /** [count, P] certified. */
  readonly theta: Float64Array
  /** [count, P] as the optimiser left them, and as certified in conditioned coordinates; empty where the layout has `found: false`. */
  readonly thetaFound: Float64Array
  readonly conditioned: Float64Array
}

/** All columns, in order. */
export const columnNames = ({ parameters, metrics, found }: RunsLayout): string[] => [
  ...fixedColumns,
  ...metrics,
  ...parameters.map(name => `certified:${name}`),
  ...(found ? [...parameters.map(name => `found:${name}`), ...parameters.map(name => `conditioned:${name}`)] : [])
]

interface OpenRuns {
  readonly file: Awaited<ReturnType<typeof asyncBufferFromFile>>
  readonly metadata: FileMetaData
  readonly layout: RunsLayout
}

async function openRuns(directory: string): Promise<OpenRuns> {
  const path = join(directory, runsFile)
  if (!existsSync(path))
    throw new InputError(`${directory} holds no ${runsFile}; give the directory of a finished study.`)
  let file: OpenRuns['file']
  let metadata: FileMetaData
  try {
    file = await asyncBufferFromFile(path)
    metadata = await parquetMetadataAsync(file)
  } catch (error) {
    throw new InputError(
      `${path} is damaged (${error instanceof Error ? error.message : String(error)}); run the study again.`
    )
  }
  const text = metadata.key_value_metadata?.find(entry => entry.key === metadataKey)?.value
  const layout = text === undefined ? undefined : (JSON.parse(text) as RunsLayout & { format: string; version: number })
  if (layout?.format !== runsFormat || layout.version !== runsVersion)
    throw new InputError(
      `${path} has ${layout ? `version ${layout.version} of the format` : 'another format'}; this program reads version ${runsVersion}, so run the study again.`
    )
  return { file, metadata, layout }
}

/** Names in `runs.parquet`. */
export async function readLayout(directory: string): Promise<RunsLayout> {
  const { parameters, metrics, found } = (await openRuns(directory)).layout
  return { parameters, metrics, found }
}

/**
 * The saved runs, one row group at a time, in the order in which they were saved; only those with a start in `starts`, where
 * given. @throws InputError when the file is missing, damaged or of another version.
 */
export async function* readRuns(
  directory: string,
  options: { readonly starts?: ReadonlySet<number> } = {}
): AsyncGenerator<StoredRuns> {
  const { file, metadata, layout } = await openRuns(directory)
  let first = 0
  for (const group of metadata.row_groups) {
    const range = { rowStart: first, rowEnd: first + Number(group.num_rows) }
    first = range.rowEnd
    const { starts } = options
    let rows: Uint32Array | undefined
    if (starts) {
      const start = (await readColumns(file, metadata, ['start'], range)).get('start') ?? []
      rows = Uint32Array.from(start.keys()).filter(r => starts.has(Number(start[r])))
      if (rows.length === 0) continue
    }
    yield storedRuns(
      await readColumns(file, metadata, columnNames(layout), range),
      layout,
      rows,
      range.rowEnd - range.rowStart
    )
  }
}

type Column = ArrayLike<unknown> & { keys(): Iterable<number> }

async function readColumns(
  file: OpenRuns['file'],
  metadata: FileMetaData,
  columns: string[],
  range: { readonly rowStart: number; readonly rowEnd: number }
): Promise<Map<string, Column>> {
  const parts = new Map<string, Column[]>()
  await parquetRead({
    file,
    metadata,
    columns,
    ...range,
    onChunk: ({ columnName, columnData }) => {
      const list = parts.get(columnName)
      if (list) list.push(columnData)
      else parts.set(columnName, [columnData])
    }
  })
  return new Map(
    [...parts].map(([name, list]) => [name, list.length === 1 ? list[0] : list.flatMap(part => Array.from(part))])
  )
}

/** Rows picked from the columns of a row group; all `size` of them without `rows`. */
function storedRuns(
  columns: Map<string, Column>,
  layout: RunsLayout,
  rows: Uint32Array | undefined,
  size: number
): StoredRuns {
  const count = rows?.length ?? size
  const column = (name: string): Column => {
    const data = columns.get(name)
    if (data?.length !== size)
      throw new InputError(`Column "${name}" of ${runsFile} is incomplete; run the study again.`)
    return data
  }
  const pick = <T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(
    out: T,
    name: string,
    at = 0,
    step = 1,
    code?: readonly string[]
  ): T => {
    const data = column(name)
    for (let i = 0; i < count; i++) {
      const value = data[rows ? rows[i] : i]
      out[at + i * step] = code ? code.indexOf(String(value)) : Number(value)
    }
    return out
  }
  const numbers = (name: string): Float64Array => pick(new Float64Array(count), name)
  const matrix = (names: readonly string[]): Float64Array => {
    const out = new Float64Array(count * names.length)
    names.forEach((name, m) => pick(out, name, m, names.length))
    return out
  }
  return {
    count,
    start: numbers('start'),
    verdict: pick(new Uint8Array(count), 'verdict', 0, 1, verdicts),
    status: pick(new Uint8Array(count), 'status', 0, 1, statusNames),
    point: pick(new Int32Array(count), 'point'),
    loss: numbers('loss'),
    lossFound: numbers('lossFound'),
    gradientNorm: numbers('gradientNorm'),
    gradientNormFound: numbers('gradientNormFound'),
    precision: numbers('precision'),
    steps: pick(new Uint32Array(count), 'steps'),
    metrics: matrix(layout.metrics),
    theta: matrix(layout.parameters.map(name => `certified:${name}`)),
    thetaFound: layout.found ? matrix(layout.parameters.map(name => `found:${name}`)) : new Float64Array(0),
    conditioned: layout.found ? matrix(layout.parameters.map(name => `conditioned:${name}`)) : new Float64Array(0)
  }
}
