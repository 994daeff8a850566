/**
 * Tables of numbers and words as Parquet: uncompressed columns of one page. Those of few distinct values are a dictionary with codes, for
 * most of what is known of a run is that of its minimum; numbers that follow each other are their differences; the bytes of the others are
 * those of the arrays in memory. Headers and footer are hyparquet-writer's; its own writer takes every value one by one, which
 * costs as much as a small study's search.
 */
import type { ColumnChunk, FileMetaData, RowGroup, SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { appendCodes, type Codes } from './bitPacked.js'
import { Coder, mostCoded, type Coded } from '../core/coded.js'

/** Numbers from `first` on, one by one. */
export interface Consecutive {
  readonly first: number
  readonly count: number
}

/** Values of one field: INT64 of whole numbers, DOUBLE, INT32, or words by their codes. */
export type Field = { readonly name: string } & (
  | (Sparse & { readonly type: 'INT64'; readonly data: Float64Array | Consecutive })
  /** `column` of rows of `width` numbers. */
  | (Sparse &
      Shared & {
        readonly type: 'DOUBLE'
        readonly data: Float64Array
        readonly width?: number
        readonly column?: number
        readonly coded?: Coded
      })
  | (Shared & { readonly type: 'INT32'; readonly data: Uint32Array | Int32Array; readonly coded?: Coded })
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

const bytesOf = (array: Float64Array | Uint32Array | Int32Array | Codes): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
const wordsOf = (array: Float64Array | Uint32Array | Int32Array | Uint8Array): Uint32Array =>
  new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4)

/** Rows of a field. */
function rowsOf(field: Field): number {
  const shared = sharedBy(field)
  if ('first' in field.data) return field.data.count
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
  readonly coder = new Coder()
  private held: Float64Array = new Float64Array(0)
  private room = new Uint16Array(0)
  private readonly writer = new ByteWriter()
  private readonly coded = new ByteWriter()
  private all = new Uint16Array(0)
  private readonly last: Page = { codes: new Uint8Array(0), width: 0, bytes: new Uint8Array(0) }
  private readonly shared: Page & { rows?: Uint32Array } = {
    codes: new Uint8Array(0),
    width: 0,
    bytes: new Uint8Array(0)
  }

  numbers(count: number): Float64Array {
    if (this.held.length < count) this.held = new Float64Array(count)
    return this.held.subarray(0, count)
  }

  /** Room for the codes of a column. */
  codesOf(count: number): Uint16Array {
    if (this.room.length < count) this.room = new Uint16Array(count)
    return this.room.subarray(0, count)
  }

  /** The page of a column of codes; columns that say the same of every run follow each other. */
  page(codes: Codes, width: number): Uint8Array {
    const { coded, last } = this
    if (isSame(last, codes, width)) return last.bytes
    coded.index = coded.offset = 0
    coded.appendUint8(width)
    appendCodes(coded, codes, width)
    keep(last, codes, width, coded.getBytes())
    return last.bytes
  }

  /** The same of rows that share the codes codes[rows[i]]: those of a minimum mostly tell minima apart as its other columns do. */
  sharedPage(rows: Uint32Array, codes: Codes, width: number): Uint8Array {
    const { shared } = this
    if (shared.rows === rows && isSame(shared, codes, width)) return shared.bytes
    if (this.all.length !== rows.length) this.all = new Uint16Array(rows.length)
    const { all } = this
    for (let i = 0; i < rows.length; i++) all[i] = codes[rows[i]]
    shared.rows = rows
    keep(shared, codes, width, this.page(all, width).slice())
    return shared.bytes
  }

  /** An empty writer; what it held before is gone. */
  file(): ByteWriter {
    const { writer } = this
    writer.index = writer.offset = 0
    return writer
  }
}

/** Codes, as bytes, and what they are in a file. */
interface Page {
  codes: Uint8Array
  width: number
  bytes: Uint8Array
}

/** Codes of one and of two bytes cannot be taken for each other: of the same number of rows they have different lengths. */
const isSame = (page: Page, codes: Codes, width: number): boolean =>
  page.width === width && Buffer.compare(page.codes, bytesOf(codes)) === 0

function keep(page: Page, codes: Codes, width: number, bytes: Uint8Array): void {
  if (page.codes.length !== codes.byteLength) page.codes = new Uint8Array(codes.byteLength)
  page.codes.set(bytesOf(codes))
  page.width = width
  page.bytes = bytes
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
  appendCodes(levels, present, 1)
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
  readonly encoding: 'PLAIN' | 'DELTA_BINARY_PACKED' | 'RLE_DICTIONARY'
  readonly dictionary?: { readonly values: Uint8Array; readonly size: number }
}

const plain = (page: Uint8Array): Body => ({ page, encoding: 'PLAIN' })
const codeWidth = (size: number): number => Math.max(1, Math.ceil(Math.log2(size)))
/** Whether `size` distinct values of so many words, and the codes of `count`, take less than two thirds of the room. */
const pays = (size: number, each: 1 | 2, count: number): boolean =>
  3 * (32 * each * size + count * codeWidth(size)) <= 2 * 32 * each * count

/** Numbers of `each` words, `stride` words apart from `at` on, by their distinct values, where that pays. */
function fewValues(
  words: Uint32Array,
  each: 1 | 2,
  at: number,
  stride: number,
  shared: Uint32Array | undefined,
  scratch: Scratch
): Body | undefined {
  const { coder } = scratch
  const values = words.length / stride
  const count = shared?.length ?? values
  const second = each === 2 ? 1 : 0
  if (count === 0 || values > mostCoded) return undefined
  const codes = scratch.codesOf(values)
  if (!coder.code(words, at, second, stride, codes, !shared) || !pays(coder.size, each, count)) return undefined
  const width = codeWidth(coder.size)
  const page = shared ? scratch.sharedPage(shared, codes, width) : scratch.page(codes, width)
  return dictionary(page, bytesOf(coder.distinct(second)), coder.size)
}

const dictionary = (page: Uint8Array, values: Uint8Array, size: number): Body => ({
  page,
  encoding: 'RLE_DICTIONARY',
  dictionary: { values, size }
})

/** A column that has been coded already. */
function knownValues({ codes, values, counts }: Coded, each: 1 | 2, scratch: Scratch): Body | undefined {
  const size = counts.length
  if (!pays(size, each, codes.length)) return undefined
  const page = scratch.page(codes, codeWidth(size))
  return dictionary(page, bytesOf(each === 2 ? values : Uint32Array.from(values)), size)
}

/** Values of one block of differences; the numbers after the first are in blocks. */
const differences = 128

/** Whether each number is one more than the last. */
export function areConsecutive(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1] + 1) return false
  return values.length > 0
}

/** Consecutive numbers as differences of no bits: in each block the least difference, which is 1, and four widths of 0. */
function consecutive(first: number, count: number): Body {
  const blocks = Math.ceil((count - 1) / differences)
  const page = new ByteWriter(32 + 5 * blocks)
  page.appendVarInt(differences)
  page.appendVarInt(4)
  page.appendVarInt(count)
  page.appendVarBigInt(2n * BigInt(first))
  for (let block = 0; block < blocks; block++) {
    page.appendUint8(2)
    page.appendUint32(0)
  }
  return { page: page.getBytes(), encoding: 'DELTA_BINARY_PACKED' }
}

function bodyOf(field: Field, scratch: Scratch): Body {
  const shared = sharedBy(field)
  if (field.type === 'words') {
    const { words, data } = field
    const width = codeWidth(words.length)
    const page = shared ? scratch.sharedPage(shared, data, width) : scratch.page(data, width)
    return dictionary(page, wordBytes(words), words.length)
  }
  const present = presentIn(field)
  if (field.type === 'INT64') {
    const { data } = field
    if ('first' in data) return consecutive(data.first, data.count)
    if (!present && areConsecutive(data)) return consecutive(data[0], data.length)
    const page = integers(present ? data.filter((_, i) => present[i] === 1) : data, scratch)
    return fewValues(wordsOf(page), 2, 0, 2, undefined, scratch) ?? plain(page)
  }
  if (field.type === 'INT32') {
    const { data, coded } = field
    const few = coded ? knownValues(coded, 1, scratch) : fewValues(wordsOf(data), 1, 0, 1, shared, scratch)
    return few ?? plain(bytesOf(shared ? Uint32Array.from(shared, row => data[row]) : data))
  }
  const { data, width = 1, column: w = 0, coded } = field
  const few = present
    ? undefined
    : coded
      ? knownValues(coded, 2, scratch)
      : fewValues(wordsOf(data), 2, 2 * w, 2 * width, shared, scratch)
  if (few) return few
  const dense = column(data, width, w, present, shared, scratch)
  return (present && fewValues(wordsOf(dense), 2, 0, 2, undefined, scratch)) ?? plain(bytesOf(dense))
}

function writeColumn(writer: ByteWriter, field: Field, scratch: Scratch): ColumnChunk {
  const begin = writer.offset
  const rows = rowsOf(field)
  const present = presentIn(field)
  const levels = present ? levelsOf(present) : new Uint8Array(0)
  const { page: body, encoding, dictionary } = bodyOf(field, scratch)
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
      encoding,
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
      encodings: dictionary ? ['PLAIN', encoding] : [encoding],
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
