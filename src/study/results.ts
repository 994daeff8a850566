/**
 * The study directory: runs streamed to `runs.parquet`, JSON files beside it. Everything is written under a temporary name
 * and takes its place on `close`, so a study that fails leaves nothing half-written, and what was there before stays.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { InputError } from '../core/errors.js'
import { verdicts } from '../core/result.js'
import { statusNames } from '../core/status.js'
import type { FileMetaData, SchemaElement } from 'hyparquet'

export const runsFile = 'runs.parquet'
export const studyFile = 'study.json'
export const summaryFile = 'summary.json'
export const reportFile = 'report.html'
const ownFiles: readonly string[] = [runsFile, studyFile, summaryFile, reportFile]

export const runsFormat = 'manystart/runs'
export const runsVersion = 1
const metadataKey = 'manystart'

/** Columns of `runs.parquet` before the metrics and the parameters. */
const fixedColumns = [
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
  /** Whether parameters are kept as found too, not only as certified. */
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
  /** [count, P] as the optimiser left them; empty where the layout has `found: false`. */
  readonly thetaFound: Float64Array
}

/** Bytes of a row group in memory: large enough to amortise its metadata, small enough to bound memory. */
const groupBytes = 16 * 2 ** 20
const groupRowsLimit = 1 << 16

/** Rows per row group for a number of columns of eight bytes. */
export const groupRows = (columns: number): number =>
  Math.max(256, Math.min(groupRowsLimit, Math.floor(groupBytes / (8 * columns))))

const columnNames = ({ parameters, metrics, found }: RunsLayout): string[] => [
  ...fixedColumns,
  ...metrics,
  ...parameters.map(name => `certified:${name}`),
  ...(found ? parameters.map(name => `found:${name}`) : [])
]

/** Collects rows by column and writes a row group when one is full. */
class RunsWriter {
  private readonly names: string[]
  private readonly columns: Float64Array[]
  private readonly rows: number
  private readonly bytes = new ByteWriter(1 << 20)
  private readonly parquet: ParquetWriter
  private readonly file: number
  private filled = 0
  private open = true

  constructor(
    path: string,
    private readonly layout: RunsLayout
  ) {
    this.names = columnNames(layout)
    this.rows = groupRows(this.names.length)
    this.columns = this.names.map(() => new Float64Array(this.rows))
    this.file = openSync(path, 'w')
    const required = { repetition_type: 'REQUIRED' } as const
    const schema: SchemaElement[] = [
      { name: 'root', num_children: this.names.length },
      ...this.names.map((name): SchemaElement => {
        if (name === 'verdict' || name === 'status')
          return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required }
        if (name === 'start') return { name, type: 'INT64', ...required }
        if (name === 'point' || name === 'steps') return { name, type: 'INT32', ...required }
        return { name, type: 'DOUBLE', ...required }
      })
    ]
    const layoutText = JSON.stringify({ format: runsFormat, version: runsVersion, ...layout })
    this.parquet = new ParquetWriter({
      writer: this.bytes,
      schema,
      // Measured on 30 columns of doubles: plain and uncompressed writes three to four times as fast as byte-stream split, which
      // with Snappy saves an eighth of the size; Snappy alone saves nothing.
      codec: 'UNCOMPRESSED',
      statistics: false,
      kvMetadata: [{ key: metadataKey, value: layoutText }],
      createdBy: 'manystart'
    })
  }

  append(block: StoredRuns): void {
    for (let from = 0; from < block.count;) {
      const take = Math.min(block.count - from, this.rows - this.filled)
      this.copy(block, from, take)
      this.filled += take
      from += take
      if (this.filled === this.rows) this.flush()
    }
  }

  private copy(block: StoredRuns, from: number, take: number): void {
    const { columns, filled, layout } = this
    let c = 0
    for (const name of fixedColumns) {
      const source = block[name]
      const column = columns[c++]
      for (let r = 0; r < take; r++) column[filled + r] = source[from + r]
    }
    const matrix = (source: Float64Array, width: number): void => {
      for (let m = 0; m < width; m++) {
        const column = columns[c++]
        for (let r = 0, at = from * width + m; r < take; r++, at += width) column[filled + r] = source[at]
      }
    }
    matrix(block.metrics, layout.metrics.length)
    matrix(block.theta, layout.parameters.length)
    if (layout.found) matrix(block.thetaFound, layout.parameters.length)
  }

  private flush(): void {
    if (this.filled === 0) return
    const columnData = this.names.map((name, c) => {
      const data = this.columns[c].subarray(0, this.filled)
      if (name === 'verdict') return { name, data: Array.from(data, v => verdicts[v]) }
      if (name === 'status') return { name, data: Array.from(data, v => statusNames[v]) }
      if (name === 'start') return { name, data: BigInt64Array.from(data, BigInt), encoding: 'PLAIN' as const }
      return { name, data, encoding: 'PLAIN' as const }
    })
    // The writer's own buffer is synchronous, so nothing is awaited.
    void this.parquet.write({ columnData, rowGroupSize: this.filled, pageSize: 0 })
    this.filled = 0
    this.drain()
  }

  private drain(): void {
    const { bytes } = this
    for (let done = 0; done < bytes.index;)
      done += writeSync(this.file, new Uint8Array(bytes.buffer, done, bytes.index - done))
    bytes.index = 0
  }

  /** Writes what is left and the footer. */
  finish(): void {
    this.flush()
    void this.parquet.finish()
    this.drain()
    this.release()
  }

  release(): void {
    if (this.open) closeSync(this.file)
    this.open = false
  }
}

export interface Results {
  readonly directory: string
  /** Adds runs, in any order. Values are copied. */
  append(block: StoredRuns): void
  /** Sets aside a text file (study.json, summary.json, report.html) until `close`. */
  write(name: string, text: string): void
  writeJson(name: string, value: unknown): void
  /** Puts all files in place. */
  close(): void
  /** Removes whatever was written, and the directory if this study made it. Does nothing after `close`. */
  abort(): void
}

const reason = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'it is not writable'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in the way'
  if (code === 'ENOSPC') return 'the disk is full'
  return code || String(error)
}

/**
 * Makes the directory (parents included) and opens `runs.parquet` in it under a temporary name.
 * @throws InputError when the directory holds anything and `force` is not set, or cannot be written.
 */
export function openResults(
  directory: string,
  layout: RunsLayout,
  options: { readonly force?: boolean } = {}
): Results {
  const names = columnNames(layout)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new InputError(`Two columns of ${runsFile} would be called "${twice}"; rename a column of the data.`)
  const made = prepareDirectory(directory, options.force ?? false)
  const temporary = (name: string): string => join(directory, `.${name}.partial`)
  const pending = new Set<string>()
  let writer: RunsWriter
  const undo = (): void => {
    for (const name of pending) rmSync(temporary(name), { force: true })
    removeEmpty(directory, made)
  }
  try {
    pending.add(runsFile)
    writer = new RunsWriter(temporary(runsFile), layout)
  } catch (error) {
    undo()
    throw new InputError(`The output directory ${directory} cannot be used: ${reason(error)}; give another with --out.`)
  }
  let open = true
  const write = (name: string, text: string): void => {
    pending.add(name)
    writeFileSync(temporary(name), text)
  }
  return {
    directory,
    append: block => writer.append(block),
    write,
    writeJson: (name, value) => write(name, `${JSON.stringify(value, null, 2)}\n`),
    close: () => {
      writer.finish()
      // A file of the study that was here before and is not written again would not belong to these runs.
      for (const name of ownFiles) if (!pending.has(name)) rmSync(join(directory, name), { force: true })
      for (const name of pending) renameSync(temporary(name), join(directory, name))
      open = false
    },
    abort: () => {
      if (!open) return
      open = false
      writer.release()
      undo()
    }
  }
}

/** Returns the topmost directory that had to be made, if any. */
function prepareDirectory(directory: string, force: boolean): string | undefined {
  let made: string | undefined
  let entries: string[]
  try {
    made = mkdirSync(directory, { recursive: true })
    entries = readdirSync(directory)
  } catch (error) {
    throw new InputError(`The output directory ${directory} cannot be used: ${reason(error)}; give another with --out.`)
  }
  if (entries.length > 0 && !force)
    throw new InputError(
      `The output directory ${directory} exists and is not empty; give another with --out, or --force to replace the study in it.`
    )
  return made
}

/** Removes `directory` and its parents down from `top`, as far as they are empty. */
function removeEmpty(directory: string, top: string | undefined): void {
  if (top === undefined) return
  for (let at = directory; existsSync(at) && readdirSync(at).length === 0; at = dirname(at)) {
    rmdirSync(at)
    if (at === top) return
  }
}

/** Replaces one file of a study directory in one step. */
export function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.partial`)
  try {
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new InputError(`${path} cannot be written: ${reason(error)}.`)
  }
}

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
    thetaFound: layout.found ? matrix(layout.parameters.map(name => `found:${name}`)) : new Float64Array(0)
  }
}
