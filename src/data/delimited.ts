/** Reads a table of text into columns as it streams by: any delimiter, either decimal sign, any usual encoding. */
import { totalmem } from 'node:os'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { InputError } from '../core/errors.js'
import { printable, quoted, shown } from '../core/printable.js'
import { formatBytes } from '../core/units.js'
import { decoded, encodingsOf, WrongEncoding, type ByteSource } from './bytes.js'
import { delimiterNames, dialectOf, excelHint, parserOptions, type Dialect } from './dialect.js'
import { checkNames, ColumnBuilder, commaNumberOf, numberOf, type Column, type Table } from './table.js'
import type { LoadProgress } from './types.js'

export interface DelimitedOptions {
  readonly delimiter?: string
  readonly decimal?: '.' | ','
  readonly onProgress?: (progress: LoadProgress) => void
}

/** Characters of the sample that decides on the dialect. */
const sampleCharacters = 2 ** 16
/** Characters of the longest record; more means that the text has no lines, or a quotation that is never closed. */
const recordLimit = 2 ** 26
/** Share of the machine's memory that a table may take. */
const memoryShare = 0.5

/** @throws InputError for text that is no table, naming the line */
export async function readDelimited(bytes: ByteSource, options: DelimitedOptions = {}): Promise<Table> {
  const { source } = bytes
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes.read()) {
    head = Buffer.concat([head, chunk.subarray(0, 4096)])
    if (head.length >= 4096) break
  }
  const encodings = encodingsOf(head, source)
  for (const encoding of encodings) {
    const rows = new RowReader(source, options)
    const told = (read: number): void =>
      options.onProgress?.({ source, bytes: read, size: bytes.size, rows: rows.count })
    try {
      await rows.readAll(decoded(bytes.read(told), encoding, source))
    } catch (error) {
      if (error instanceof WrongEncoding) continue
      throw error
    }
    const table = rows.table()
    const notes = encodingNotes[encoding]
    return notes === undefined ? table : { ...table, notes: [`${shown(source)} ${notes}`, ...table.notes] }
  }
  throw new InputError(
    `${shown(source)} is not in ${encodings[0].toUpperCase()}, as its first bytes say; save it as UTF-8.`
  )
}

const encodingNotes: Readonly<Record<string, string>> = {
  'windows-1252': 'is not UTF-8, so it was read as Latin-1 (Windows-1252).',
  'utf-16le': 'was read as UTF-16.',
  'utf-16be': 'was read as UTF-16.'
}

/** Reads a table from text, as from a file. */
export async function parseTable(text: string, source: string, options: DelimitedOptions = {}): Promise<Table> {
  const rows = new RowReader(source, options)

  await rows.readAll(
    (async function* () {
      yield text
    })()
  )
  return rows.table()
}

class RowReader {
  private dialect!: Dialect
  private header: string[] | undefined
  /** One for each field of a row; none for those that are left out. */
  private builders: (ColumnBuilder | undefined)[] = []
  private lines = new Uint32Array(256)
  private blank = 0
  private comments = 0
  private hinted = 0
  private readonly notes: string[] = []
  count = 0

  constructor(
    private readonly source: string,
    private readonly options: DelimitedOptions
  ) {}

  private get name(): string {
    return shown(this.source)
  }

  async readAll(texts: AsyncIterable<string>): Promise<void> {
    let sample = ''
    const iterator = texts[Symbol.asyncIterator]()
    let ended = false
    while (!ended && sample.length < sampleCharacters) {
      const next = await iterator.next()
      if (next.done === true) ended = true
      else sample += next.value
    }
    if (sample.trim() === '')
      throw new InputError(`${this.name} is empty; a header line and at least one row of data are needed.`)
    const seen = ended ? sample : sample.slice(0, sample.lastIndexOf('\n') + 1) || sample
    this.dialect = dialectOf(seen, this.options)
    const hint = excelHint.exec(sample)
    if (hint) {
      sample = sample.slice(hint[0].length)
      this.hinted = 1
    }
    const parser = parse({
      ...parserOptions,
      delimiter: this.dialect.delimiter,
      bom: true,
      max_record_size: recordLimit,
      on_record: (record: string[], context) => {
        this.comments = context.comment_lines
        this.take(record, context.lines + this.hinted)
        return null
      }
    })
    const check = this.checkMemory.bind(this)
    async function* all(): AsyncGenerator<string> {
      yield sample
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        check()
        yield next.value
      }
    }
    try {
      // What is read are the records, of which none is passed on.
      await pipeline(all(), parser, async records => {
        for await (const _ of records);
      })
    } catch (error) {
      if (!(error instanceof CsvError)) throw error
      const why = printable(error.message.slice(0, 200)).replace(/\s+/g, ' ')
      throw new InputError(`${this.name} cannot be read as a table: ${why.replace(/\.?$/, '.')}`)
    }
  }

  private take(record: string[], line: number): void {
    if (this.header === undefined) {
      this.open(record)
      return
    }
    const { builders, dialect } = this
    if (record.length !== builders.length) {
      const header = builders.length
      throw new InputError(
        `Line ${line} of ${this.name} has ${record.length === 1 ? '1 field' : `${record.length} fields`} where ${dialect.surplus === 'first' ? 'the first rows have' : 'the header has'} ${header}; mend that line.`
      )
    }
    if (record.every(cell => cell === '')) {
      this.blank++
      return
    }
    const value = dialect.decimal === ',' ? commaOrWhole : numberOf
    for (let c = 0; c < record.length; c++) builders[c]?.add(record[c], value(record[c]))
    if (this.count === this.lines.length) {
      const bigger = new Uint32Array(2 * this.count)
      bigger.set(this.lines)
      this.lines = bigger
    }
    this.lines[this.count++] = line
  }

  /** Decides from the header which fields are kept. */
  private open(record: string[]): void {
    const { surplus } = this.dialect
    const header = surplus === 'first' ? ['', ...record] : surplus === 'last' ? [...record, ''] : [...record]
    if (header.every(name => !Number.isNaN(numberOf(name))))
      throw new InputError(
        `The first line of ${this.name} holds numbers (${shown(record.join(', '))}), not the names of its columns; put a line of names above it.`
      )
    this.header = header
    const unnamed = /^(Unnamed: 0)?$/
    const named = header.length > 1 && unnamed.test(header[0])
    if (named)
      this.notes.push(
        `The first column of ${this.name} has no name; it was taken for the names of the rows and left out.`
      )
    this.builders = header.map((_, c) => (c === 0 && named ? undefined : new ColumnBuilder()))
  }

  private checkMemory(): void {
    const bytes = this.count * this.builders.length * 12
    if (bytes > memoryShare * totalmem())
      throw new InputError(
        `${this.name} does not fit into memory: its first ${this.count} rows take ${formatBytes(bytes)}; take fewer rows or columns.`
      )
  }

  table(): Table {
    const { dialect, count, notes } = this
    const name = this.name
    if (this.header === undefined)
      throw new InputError(`${name} holds nothing but comments; a header line and at least one row of data are needed.`)
    if (count === 0) throw new InputError(`${name} has a header but no rows of data; at least one row is needed.`)
    let decimal = dialect.decimal
    let columns = this.builders.map(builder => builder?.column())
    if (dialect.open && writtenWithCommas(columns)) {
      decimal = ','
      columns = columns.map(column => column && withCommas(column))
    }
    if (dialect.delimiter !== ',' || decimal === ',') {
      const between = delimiterNames[dialect.delimiter] ?? quoted(dialect.delimiter)
      notes.unshift(
        `The columns of ${name} are separated by ${between}${decimal === ',' ? ', its numbers written with decimal commas' : ''}.`
      )
    }
    const kept = this.header
      .map((heading, c) => ({ heading, column: columns[c] }))
      .filter((kept): kept is { heading: string; column: Column } => kept.column !== undefined)
      // A delimiter at the end of every line, as spreadsheets leave it.
      .filter(({ heading, column }) => heading !== '' || !column.texts.every(text => text === '') || hasNumbers(column))
    if (this.comments > 0)
      notes.push(
        `${this.comments === 1 ? 'A line' : `${this.comments} lines`} of ${name} beginning with # ${this.comments === 1 ? 'is a comment' : 'are comments'} and ${this.comments === 1 ? 'was' : 'were'} left out.`
      )
    if (this.blank > 0)
      notes.push(
        `${this.blank === 1 ? 'A row' : `${this.blank} rows`} of ${name} without any value ${this.blank === 1 ? 'was' : 'were'} left out.`
      )
    const header = kept.map(({ heading }) => heading)
    checkNames(header, this.source)
    return {
      source: this.source,
      header,
      rows: count,
      columns: kept.map(({ column }) => column),
      lines: this.lines.slice(0, count),
      notes
    }
  }
}

const hasNumbers = (column: Column): boolean => column.values.some(value => !Number.isNaN(value))

/** Whole numbers have no decimal sign; a point is none here. */
const commaOrWhole = (cell: string): number =>
  cell.includes('.') ? NaN : cell.includes(',') ? commaNumberOf(cell) : numberOf(cell)

/** Whether numbers with a decimal comma stand in columns, and none with a point. */
function writtenWithCommas(columns: readonly (Column | undefined)[]): boolean {
  const given = columns.filter(column => column !== undefined)
  return (
    given.some(({ texts }) => texts.some(text => !Number.isNaN(commaNumberOf(text)))) &&
    given.every(({ values }) => values.every(value => Number.isNaN(value) || Number.isInteger(value)))
  )
}

function withCommas(column: Column): Column {
  const { codes, texts } = column
  if (!codes) return column
  const numbers = texts.map(commaNumberOf)
  const values = column.values.map((value, i) => (codes[i] >= 0 ? numbers[codes[i]] : value))
  const left = codes.map((code, i) => (Number.isNaN(values[i]) ? code : -1))
  return left.every(code => code < 0)
    ? { ...column, values, codes: left, texts: [] }
    : { ...column, values, codes: left }
}
