/** Reads a Parquet file into columns, one row group at a time. */
import * as zlib from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type AsyncBuffer, type FileMetaData } from 'hyparquet'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import type { ByteSource } from './bytes.js'
import { addValue } from './memory.js'
import { checkNames, ColumnBuilder, type Table } from './table.js'
import type { LoadProgress } from './types.js'

type Unpack = (packed: Uint8Array, length: number) => Uint8Array

/** zstd came to Node in 22.15. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (packed: Uint8Array) => Buffer }

/** What hyparquet does not unpack by itself. */
const compressors: Readonly<Record<string, Unpack>> = {
  GZIP: packed => zlib.gunzipSync(packed),
  BROTLI: packed => zlib.brotliDecompressSync(packed),
  ...(zstdDecompressSync ? { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) } : {})
}

/** How pandas calls an index that it stores as a column. */
const indexName = /^__index_level_\d+__$/

async function bufferOf(bytes: ByteSource): Promise<AsyncBuffer> {
  if (bytes.path !== undefined) return asyncBufferFromFile(bytes.path)
  const chunks: Buffer[] = []
  for await (const chunk of bytes.read()) chunks.push(chunk)
  const whole = Buffer.concat(chunks)
  return {
    byteLength: whole.length,
    slice: (from, to) => new Uint8Array(whole.subarray(from, to)).buffer
  }
}

/** @throws InputError for a damaged file, and for columns that are neither numbers nor text */
export async function readParquet(
  bytes: ByteSource,
  options: { readonly onProgress?: (progress: LoadProgress) => void } = {}
): Promise<Table> {
  const { source } = bytes
  const damaged = (error: unknown): InputError =>
    new InputError(
      `${shown(source)} cannot be read as Parquet (${shown(error instanceof Error ? error.message : String(error), 200)}); write it again, with Snappy, gzip or no compression.`
    )
  let file: AsyncBuffer
  let metadata: FileMetaData
  try {
    file = await bufferOf(bytes)
    metadata = await parquetMetadataAsync(file)
  } catch (error) {
    throw damaged(error)
  }
  const all = topColumns(metadata)
  const header = all.filter(name => !indexName.test(name))
  checkNames(header, source)
  const builders = new Map(header.map(name => [name, new ColumnBuilder()]))
  let rows = 0
  for (const group of metadata.row_groups) {
    const end = rows + Number(group.num_rows)
    const filled = new Map<string, number>()
    try {
      await parquetRead({
        file,
        metadata,
        compressors,
        columns: header,
        rowStart: rows,
        rowEnd: end,
        onChunk: ({ columnName, columnData }) => {
          const builder = builders.get(columnName)
          if (!builder) return
          const from = filled.get(columnName) ?? 0
          for (let i = 0; i < columnData.length; i++)
            addValue(
              builder,
              columnData[i],
              () => `Column ${shown(columnName)} of ${shown(source)} in row ${rows + from + i + 1}`
            )
          filled.set(columnName, from + columnData.length)
        }
      })
    } catch (error) {
      throw error instanceof InputError ? error : damaged(error)
    }
    for (const name of header) if (filled.get(name) !== end - rows) throw damaged(`column ${shown(name)} is incomplete`)
    rows = end
    options.onProgress?.({
      source,
      bytes: Math.round((bytes.size * rows) / Number(metadata.num_rows)),
      size: bytes.size,
      rows
    })
  }
  if (rows === 0) throw new InputError(`${shown(source)} has no rows of data; at least one row is needed.`)
  const left = all.filter(name => indexName.test(name))
  return {
    source,
    header,
    rows,
    columns: header.map(name => builders.get(name)!.column()),
    notes: left.length > 0 ? [`The index of ${shown(source)} (${left.join(', ')}) was left out.`] : []
  }
}

/** Names of the columns; of a nested one, that of its root. */
function topColumns({ schema }: FileMetaData): string[] {
  const names: string[] = []
  // The schema lists nodes depth first, each with the number of its children.
  let at = 1
  const skip = (): void => {
    const children = schema[at++].num_children ?? 0
    for (let k = 0; k < children; k++) skip()
  }
  for (let k = 0; k < (schema[0].num_children ?? 0); k++) {
    names.push(schema[at].name)
    skip()
  }
  return names
}
