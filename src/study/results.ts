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
import { dirname, join, resolve } from 'node:path'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { InputError, WorkError } from '../core/errors.js'
import { verdicts } from '../core/result.js'
import { statusNames } from '../core/status.js'
import { columnNames, fixedColumns, metadataKey, runsFile, runsFormat, runsVersion } from './storedRuns.js'
import type { SchemaElement } from 'hyparquet'
import type { RunsLayout, StoredRuns } from './storedRuns.js'

export { columnNames, readLayout, readRuns, runsFile } from './storedRuns.js'
export type { RunsLayout, StoredRuns } from './storedRuns.js'

export const studyFile = 'study.json'
export const summaryFile = 'summary.json'
export const reportFile = 'report.html'
const ownFiles: readonly string[] = [runsFile, studyFile, summaryFile, reportFile]

/** Bytes of a row group in memory: large enough to amortise its metadata, small enough to bound memory. */
const groupBytes = 16 * 2 ** 20
const groupRowsLimit = 1 << 16

/** Rows per row group for a number of columns of eight bytes. */
export const groupRows = (columns: number): number =>
  Math.max(256, Math.min(groupRowsLimit, Math.floor(groupBytes / (8 * columns))))

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
    if (layout.found) {
      matrix(block.thetaFound, layout.parameters.length)
      matrix(block.conditioned, layout.parameters.length)
    }
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
    try {
      for (let done = 0; done < bytes.index;)
        done += writeSync(this.file, new Uint8Array(bytes.buffer, done, bytes.index - done))
    } catch (error) {
      throw new WorkError(`${runsFile} cannot be written: ${reason(error)}; free some space or give another directory.`)
    }
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

/** What `abort` of the results that are still open does. */
const unfinished = new Set<() => void>()

/** Aborts all results that are still open: before the program ends at once. */
export function abortOpenResults(): void {
  for (const abort of [...unfinished]) abort()
}

const reason = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'it is not writable'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in the way'
  if (code === 'ENOENT') return 'nothing can be made there'
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
  const abort = (): void => {
    if (!open) return
    open = false
    unfinished.delete(abort)
    writer.release()
    undo()
  }
  unfinished.add(abort)
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
      unfinished.delete(abort)
    },
    abort
  }
}

/**
 * Makes a directory and its parents, and returns the topmost that was not there. Node's own `recursive` never returns where a file system
 * says that a directory in an existing parent does not exist, as /proc does.
 */
function makeDirectory(directory: string): string | undefined {
  if (existsSync(directory)) return undefined
  const above = makeDirectory(dirname(directory))
  mkdirSync(directory)
  return above ?? directory
}

/** Returns the topmost directory that had to be made, if any. */
function prepareDirectory(directory: string, force: boolean): string | undefined {
  let made: string | undefined
  let entries: string[]
  try {
    made = makeDirectory(resolve(directory))
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
  for (let at = resolve(directory); existsSync(at) && readdirSync(at).length === 0; at = dirname(at)) {
    rmdirSync(at)
    if (at === top) return
  }
}

/**
 * Makes a directory that holds several studies. `undo` removes it again as far as it is empty.
 * @throws InputError as `openResults`
 */
export function claimDirectory(directory: string, force: boolean): { undo: () => void } {
  const made = prepareDirectory(directory, force)
  return { undo: () => removeEmpty(directory, made) }
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
