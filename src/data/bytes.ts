/** Bytes of a file, of a pipe or of standard input, unpacked, and their text whatever the encoding. */
import { createReadStream, existsSync, openSync, readSync, closeSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { formatBytes } from '../core/units.js'

/** Bytes that can be read as often as needed. */
export interface ByteSource {
  /** For messages. */
  readonly source: string
  /** A file that can be read at any place. */
  readonly path?: string
  /** Bytes as stored, packed ones included; unknown while a pipe is read. */
  readonly size: number
  /** The first bytes as stored. */
  readonly head: Buffer
  /** @param onBytes told how many stored bytes have been read */
  read(onBytes?: (bytes: number) => void): AsyncIterable<Buffer>
}

/** How standard input is named on the command line. */
export const standardInput = '-'

const headBytes = 4096
const chunkBytes = 2 ** 18
/** What a pipe may hold: it is kept whole, because it can be read once only. */
const pipeLimit = 2 ** 30

/** What tells kinds of files that are no text, by how they begin. */
const signatures: readonly { readonly bytes: string; readonly what: string; readonly remedy: string }[] = [
  { bytes: 'PK\x03\x04', what: 'a spreadsheet (xlsx, ods) or a zip archive', remedy: 'save the sheet as CSV' },
  { bytes: '\xd0\xcf\x11\xe0', what: 'an old Excel workbook', remedy: 'save the sheet as CSV' },
  { bytes: 'BZh', what: 'packed by bzip2', remedy: 'unpack it, or pack it by gzip' },
  { bytes: '\xfd7zXZ\0', what: 'packed by xz', remedy: 'unpack it, or pack it by gzip' },
  { bytes: '\x28\xb5\x2f\xfd', what: 'packed by zstd', remedy: 'unpack it, or pack it by gzip' },
  { bytes: 'RDX', what: 'saved by R', remedy: 'write the table with write.csv' },
  { bytes: 'SQLite format 3', what: 'a data base', remedy: 'export the table as CSV' },
  { bytes: '\x89HDF', what: 'an HDF5 file', remedy: 'export the table as CSV' },
  { bytes: '%PDF', what: 'a PDF document', remedy: 'export the table as CSV' }
]

const startsWith = (head: Buffer, bytes: string): boolean => head.subarray(0, bytes.length).toString('latin1') === bytes

export const isParquet = (head: Buffer): boolean => startsWith(head, 'PAR1')
const isGzip = (head: Buffer): boolean => startsWith(head, '\x1f\x8b')

/** @throws InputError for a file that begins as one that holds no text does */
function refuseForeign(head: Buffer, source: string): void {
  const known = signatures.find(({ bytes }) => startsWith(head, bytes))
  if (known) throw new InputError(`${shown(source)} is ${known.what}, not a table of text; ${known.remedy}.`)
}

/** @throws InputError when there is no such file or it cannot be read */
export async function openBytes(path: string, instead: string): Promise<ByteSource> {
  if (path === standardInput) return collected('standard input', process.stdin)
  const missing = (): InputError => new InputError(`There is no file ${shown(path)}; give ${instead}.`)
  if (!existsSync(path)) throw missing()
  const stat = statSync(path)
  if (stat.isDirectory()) throw new InputError(`${shown(path)} is a directory, not a table; give ${instead}.`)
  if (!stat.isFile()) return collected(path, createReadStream(path))
  const head = Buffer.alloc(Math.min(headBytes, stat.size))
  try {
    const file = openSync(path, 'r')
    readSync(file, head, 0, head.length, 0)
    closeSync(file)
  } catch (error) {
    throw new InputError(`${shown(path)} cannot be read (${reasonOf(error)}); see who may read it.`)
  }
  const stored = (onBytes?: (bytes: number) => void): AsyncIterable<Buffer> =>
    counted(createReadStream(path, { highWaterMark: chunkBytes }), onBytes)
  return { source: path, path, size: stat.size, head, read: onBytes => unpacked(stored(onBytes), head, path) }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : shown(String(error))

/** All of a stream, kept. @throws InputError for one that is no text or does not end */
async function collected(source: string, stream: Readable): Promise<ByteSource> {
  const chunks: Buffer[] = []
  let size = 0
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (head.length < headBytes) {
      head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)])
      if (!isGzip(head) && !isParquet(head)) encodingsOf(head, source)
    }
    if (size > pipeLimit)
      throw new InputError(
        `${shown(source)} gives more than ${formatBytes(pipeLimit)}; write the table to a file and name that.`
      )
  }

  async function* stored(onBytes?: (bytes: number) => void): AsyncGenerator<Buffer> {
    let read = 0
    for (const chunk of chunks) {
      yield chunk
      onBytes?.((read += chunk.length))
    }
  }
  return { source, size, head, read: onBytes => unpacked(stored(onBytes), head, source) }
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes?: (bytes: number) => void): AsyncGenerator<Buffer> {
  let read = 0
  for await (const chunk of chunks) {
    yield chunk
    onBytes?.((read += chunk.length))
  }
}

async function* unpacked(stored: AsyncIterable<Buffer>, head: Buffer, source: string): AsyncGenerator<Buffer> {
  if (!isGzip(head)) {
    yield* stored
    return
  }
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  const fed = (async () => {
    for await (const chunk of stored)
      if (!gunzip.write(chunk)) await new Promise<void>(resolve => void gunzip.once('drain', resolve))
    gunzip.end()
  })()
  // A failure while it is fed ends the unpacking, which then says so.
  fed.catch((error: Error) => gunzip.destroy(error))
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (error) {
    throw new InputError(`${shown(source)} is damaged: its gzip data cannot be unpacked (${reasonOf(error)}).`)
  } finally {
    gunzip.destroy()
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/**
 * Encodings that bytes may be in, the likeliest first.
 * @throws InputError for bytes that are no text
 */
export function encodingsOf(head: Buffer, source: string): readonly Encoding[] {
  refuseForeign(head, source)
  const binary = (): InputError =>
    new InputError(`${shown(source)} is not a table of text: it holds bytes of 0; give a CSV or Parquet file.`)
  if (startsWith(head, '\xff\xfe\0\0') || startsWith(head, '\0\0\xfe\xff'))
    throw new InputError(`${shown(source)} is in UTF-32; save it as UTF-8.`)
  if (startsWith(head, '\xff\xfe')) return ['utf-16le']
  if (startsWith(head, '\xfe\xff')) return ['utf-16be']
  if (!head.includes(0)) return ['utf-8', 'windows-1252']
  // Letters of most tables are ASCII, so UTF-16 has a byte of 0 in nearly every pair, always on the same side.
  const zeros = [0, 0]
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i % 2]++
  const pairs = Math.floor(head.length / 2)
  if (zeros[1] > 0.7 * pairs && zeros[0] === 0) return ['utf-16le']
  if (zeros[0] > 0.7 * pairs && zeros[1] === 0) return ['utf-16be']
  throw binary()
}

/** Thrown while text is decoded that turns out not to be in the encoding. */
export class WrongEncoding extends Error {}

/** The text of bytes. @throws WrongEncoding; InputError where a byte of 0 turns up */
export async function* decoded(
  chunks: AsyncIterable<Buffer>,
  encoding: Encoding,
  source: string
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const decode = (chunk?: Buffer): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      throw new WrongEncoding()
    }
  }
  for await (const chunk of chunks) {
    const text = decode(chunk)
    if (text.includes('\0'))
      throw new InputError(`${shown(source)} is not a table of text: it holds bytes of 0; give a CSV or Parquet file.`)
    if (text !== '') yield text
  }
  const rest = decode()
  if (rest !== '') yield rest
}
