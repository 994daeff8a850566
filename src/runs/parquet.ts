/**
 * Tables of numbers and words as Parquet: uncompressed columns of one page. Those of few distinct values are a dictionary with codes, for
 * most of what is known of a run is that of its minimum; the bytes of the others are those of the arrays in memory. Headers and
 * footer are hyparquet-writer's; its own writer takes every value one by one, which costs as much as a small study's search.
 */
import type { ColumnChunk, FileMetaData, RowGroup, SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { Dictionary } from './dictionary.js'

/** Values of one field: INT64 of whole numbers, DOUBLE, INT32, or words by their codes. */
export type Field = { readonly name: string } & (
  | (Sparse & { readonly type: 'INT64'; readonly data: Float64Array })
  /** `column` of rows of `width` numbers. */
  | (Sparse &
      Shared & {
        readonly type: 'DOUBLE'
        readonly data: Float64Array
        readonly width?: number
        readonly column?: number
      })
  | (Shared & { readonly type: 'INT32'; readonly data: Uint32Array | Int32Array })
  | (Shared & { readonly type: 'words'; readonly data: Uint8Array; readonly words: readonly string[] })
)

interface Sparse {
  /** [rows] 1 where there is a value, 0 where there is none; absent: everywhere. */
  readonly present?: Uint8Array
}

interface Shared {
  /** [rows] the row of `data` that is a row's, all of them in the order in which they come first; absent: its own. */
  readonly rows?: Uint32Array
}

const presentIn = (field: Field): Uint8Array | undefined => ('present' in field ? field.present : undefined)
const sharedBy = (field: Field): Uint32Array | undefined => ('rows' in field ? field.rows : undefined)

const magic = 0x31524150

const bytesOf = (array: Float64Array | Uint32Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
const wordsOf = (array: Float64Array | Uint32Array | Int32Array | Uint8Array): Uint32Array =>
  new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4)

/** Rows of a field. */
function rowsOf(field: Field): number {
  const shared = sharedBy(field)
  return shared ? shared.length : field.data.length / (field.type === 'DOUBLE' ? (field.width ?? 1) : 1)
}

/** Column `w` of rows of `width` numbers. */
function column(
  data: Float64Array,
  width: number,
  w: number,
  present: Uint8Array | undefined,
  shared: Uint32Array | undefined,
  scratch: Scratch
): Float64Array {
  if (width === 1 && !present && !shared) return data
  const rows = shared ? shared.length : data.length / width
  const out = scratch.numbers(rows)
  let count = 0
  if (!present && !shared) for (let at = w; count < rows; at += width) out[count++] = data[at]
  else
    for (let i = 0; i < rows; i++)
      if (!present || present[i] === 1) out[count++] = data[(shared ? shared[i] : i) * width + w]
  return out.subarray(0, count)
}

/** Memory that one table after the other is written in. */
export class Scratch {
  readonly dictionary = new Dictionary()
  private held = new Float64Array(0)
  private readonly writer = new ByteWriter()
  private readonly coded = new ByteWriter()
  private last = { codes: new Uint8Array(0), width: 0, page: new Uint8Array(0) }
  private shared: { rows: Uint32Array; codes: Uint8Array; width: number; page: Uint8Array } | undefined

  numbers(count: number): Float64Array {
    if (this.held.length < count) this.held = new Float64Array(count)
    return this.held.subarray(0, count)
  }

  /** The page of a column of codes; columns that say the same of every run follow each other. */
  codes(codes: Uint8Array, width: number): Uint8Array {
    const { last } = this
    if (last.width === width && Buffer.compare(last.codes, codes) === 0) return last.page
    const { coded } = this
    coded.index = coded.offset = 0
    coded.appendUint8(width)
    // The library counts in numbers of any kind of array.
    writeRleBitPackedHybrid(coded, codes, width)
    const page = coded.getBytes()
    const held = last.codes.length === codes.length ? last.codes : new Uint8Array(codes.length)
    held.set(codes)
    this.last = { codes: held, width, page }
    return page
  }

  /** The same of rows that share the codes codes[rows[i]]: those of a minimum mostly tell minima apart as its other columns do. */
  sharedCodes(rows: Uint32Array, codes: Uint8Array, width: number): Uint8Array {
    const { shared } = this
    if (shared?.rows === rows && shared.width === width && Buffer.compare(shared.codes, codes) === 0) return shared.page
    const all = new Uint8Array(rows.length)
    for (let i = 0; i < rows.length; i++) all[i] = codes[rows[i]]
    const page = this.codes(all, width).slice()
    this.shared = { rows, codes: codes.slice(), width, page }
    return page
  }

  /** An empty writer; what it held before is gone. */
  file(): ByteWriter {
    const { writer } = this
    writer.index = writer.offset = 0
    return writer
  }
}

/** Whole numbers below 2⁵³ as little-endian 64-bit integers; machines of the other order have not been met. */
function integers(values: Float64Array, scratch: Scratch): Uint8Array {
  const held = scratch.numbers(values.length)
  const words = new Uint32Array(held.buffer, held.byteOffset, 2 * values.length)
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i] >>> 0
    words[2 * i + 1] = values[i] / 2 ** 32
  }
  return bytesOf(words)
}

function schemaOf(field: Field): SchemaElement {
  const { name, type } = field
  const repetition = { repetition_type: presentIn(field) ? 'OPTIONAL' : 'REQUIRED' } as const
  if (type === 'words') return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', ...repetition }
  return { name, type, ...repetition }
}

/** Which rows have a value, as bits. */
function levelsOf(present: Uint8Array): Uint8Array {
  const levels = new ByteWriter(16 + present.length)
  writeRleBitPackedHybrid(levels, present, 1)
  return levels.getBytes()
}

/** The words of a dictionary as its page has them. */
function wordBytes(words: readonly string[]): Uint8Array {
  const page = new ByteWriter(1024)
  for (const word of words) {
    const bytes = new TextEncoder().encode(word)
    page.appendUint32(bytes.length)
    page.appendBytes(bytes)
  }
  return page.getBytes()
}

/** What a column consists of: the bytes of its values, or of its distinct values and of the codes of all. */
interface Body {
  readonly page: Uint8Array
  readonly dictionary?: { readonly values: Uint8Array; readonly size: number }
}

const codeWidth = (size: number): number => Math.max(1, Math.ceil(Math.log2(size)))

/**
 * Numbers of `each` words, `stride` words apart from `at` on, by their distinct values, where that takes less than two thirds of the
 * room; undefined where not.
 */
function fewValues(
  words: Uint32Array,
  each: 1 | 2,
  at: number,
  stride: number,
  shared: Uint32Array | undefined,
  scratch: Scratch
): Body | undefined {
  const { dictionary } = scratch
  const values = words.length / stride
  const count = shared?.length ?? values
  const second = each === 2 ? 1 : 0
  if (count === 0 || !dictionary.fill(words, values, at, second, stride)) return undefined
  const { size, codes } = dictionary
  const bits = codeWidth(size)
  if (3 * (32 * each * size + count * bits) > 2 * 32 * each * count) return undefined
  const page = shared ? scratch.sharedCodes(shared, codes, bits) : scratch.codes(codes, bits)
  return { page, dictionary: { values: dictionary.bytes(second), size } }
}

function bodyOf(field: Field, scratch: Scratch): Body {
  const shared = sharedBy(field)
  if (field.type === 'words') {
    const { words, data } = field
    const width = codeWidth(words.length)
    const page = shared ? scratch.sharedCodes(shared, data, width) : scratch.codes(data, width)
    return { page, dictionary: { values: wordBytes(words), size: words.length } }
  }
  const present = presentIn(field)
  if (field.type === 'INT64') {
    const page = integers(present ? field.data.filter((_, i) => present[i] === 1) : field.data, scratch)
    return fewValues(wordsOf(page), 2, 0, 2, undefined, scratch) ?? { page }
  }
  if (field.type === 'INT32') {
    const few = fewValues(wordsOf(field.data), 1, 0, 1, shared, scratch)
    return few ?? { page: bytesOf(shared ? Uint32Array.from(shared, row => field.data[row]) : field.data) }
  }
  const { data, width = 1, column: w = 0 } = field
  const few = present ? undefined : fewValues(wordsOf(data), 2, 2 * w, 2 * width, shared, scratch)
  if (few) return few
  const dense = column(data, width, w, present, shared, scratch)
  return (present && fewValues(wordsOf(dense), 2, 0, 2, undefined, scratch)) ?? { page: bytesOf(dense) }
}

function writeColumn(writer: ByteWriter, field: Field, scratch: Scratch): ColumnChunk {
  const begin = writer.offset
  const rows = rowsOf(field)
  const present = presentIn(field)
  const levels = present ? levelsOf(present) : new Uint8Array(0)
  const { page: body, dictionary } = bodyOf(field, scratch)
  const size = levels.length + body.length
  if (dictionary) {
    const { length } = dictionary.values
    writePageHeader(writer, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: length,
      compressed_page_size: length,
      dictionary_page_header: { num_values: dictionary.size, encoding: 'PLAIN' }
    })
    writer.appendBytes(dictionary.values)
  }
  const page = writer.offset
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: size,
    compressed_page_size: size,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: present ? present.reduce((nulls, there) => nulls + 1 - there, 0) : 0,
      num_rows: rows,
      encoding: dictionary ? 'RLE_DICTIONARY' : 'PLAIN',
      definition_levels_byte_length: levels.length,
      repetition_levels_byte_length: 0,
      is_compressed: false
    }
  })
  writer.appendBytes(levels)
  writer.appendBytes(body)
  const written = BigInt(writer.offset - begin)
  return {
    file_offset: BigInt(begin),
    meta_data: {
      type: field.type === 'words' ? 'BYTE_ARRAY' : field.type,
      encodings: dictionary ? ['PLAIN', 'RLE_DICTIONARY'] : ['PLAIN'],
      path_in_schema: [field.name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(rows),
      total_uncompressed_size: written,
      total_compressed_size: written,
      data_page_offset: BigInt(page),
      ...(dictionary ? { dictionary_page_offset: BigInt(begin) } : {})
    }
  }
}

/**
 * @param groups row groups, each with the same fields in the same order; at least one, whose fields may be empty
 * @param metadata key and value that the file carries
 * @param scratch holds the bytes that are returned until the next table is written in it
 */
export function encodeTable(
  groups: readonly (readonly Field[])[],
  metadata: readonly [string, string],
  scratch = new Scratch()
): Uint8Array {
  const [first] = groups
  const writer = scratch.file()
  writer.appendUint32(magic)
  const full = groups.filter(fields => rowsOf(fields[0]) > 0)
  const rowGroups = full.map((fields): RowGroup => {
    const columns = fields.map(field => writeColumn(writer, field, scratch))
    const size = columns.reduce((sum, c) => sum + (c.meta_data?.total_uncompressed_size ?? 0n), 0n)
    return { columns, total_byte_size: size, num_rows: BigInt(rowsOf(fields[0])) }
  })
  const footer: Omit<FileMetaData, 'metadata_length'> = {
    version: 2,
    created_by: 'manystart',
    schema: [{ name: 'root', num_children: first.length }, ...first.map(schemaOf)],
    num_rows: BigInt(full.reduce((sum, fields) => sum + rowsOf(fields[0]), 0)),
    row_groups: rowGroups,
    key_value_metadata: [{ key: metadata[0], value: metadata[1] }]
  }
  writeMetadata(writer, footer as FileMetaData)
  writer.appendUint32(magic)
  return writer.getBytes()
}
