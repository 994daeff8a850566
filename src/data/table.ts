/** A table in columns: numbers as numbers, whatever else as the text that stood there. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { quoted, shown } from '../core/printable.js'

export interface Column {
  /** [N]; NaN where the cell is no number. */
  readonly values: Float64Array
  /** [N] place in `texts` of a cell that is no number, −1 for one that is; absent where all are numbers. */
  readonly codes?: Int32Array
  /** Distinct cells that are no numbers, in order of appearance; the empty cell is ''. */
  readonly texts: readonly string[]
  /** Distinct cells as written, where they are few. */
  readonly spellings?: readonly string[]
}

export interface Table {
  /** File name or data set name, for messages. */
  readonly source: string
  readonly header: readonly string[]
  /** N */
  readonly rows: number
  readonly columns: readonly Column[]
  /** [N] line of each row in the file; absent for data that have no lines. */
  readonly lines?: ArrayLike<number>
  /** [N] number of each row in the source, from 1; absent where that is its place here. */
  readonly numbers?: ArrayLike<number>
  /** What the reader took for what, a sentence each. */
  readonly notes: readonly string[]
}

/** The cell as text; a number in its shortest form. */
export const cellText = ({ values, codes, texts }: Column, row: number): string =>
  codes && codes[row] >= 0 ? texts[codes[row]] : String(values[row])

/** The number of a row in its source, from 1. */
export const rowNumber = (table: Table, row: number): number => table.numbers?.[row] ?? row + 1

/** "row 5 (line 6) of FILE" */
export const place = (table: Table, row: number): string =>
  `row ${rowNumber(table, row)}${table.lines ? ` (line ${table.lines[row]})` : ''} of ${shown(table.source)}`

/** Places of names, by header: tables may have as many columns as others have rows. */
const placesOf = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

function placeOf({ header }: Table, name: string): number | undefined {
  let places = placesOf.get(header)
  if (!places) {
    // The first of a name that stands there twice.
    places = new Map(header.map((column, at) => [column, at] as const).reverse())
    placesOf.set(header, places)
  }
  return places.get(name)
}

/** @throws InputError with the nearest name when there is no such column */
export function findColumn(table: Table, name: string, what: string): Column {
  const at = placeOf(table, name)
  if (at === undefined)
    throw new InputError(
      `${shown(table.source)} has no column ${quoted(name)} for the ${what}; ${knownNames(name, table.header)}.`
    )
  return table.columns[at]
}

/** The rows given, in that order. */
export function takeRows(table: Table, rows: ArrayLike<number>): Table {
  const N = rows.length
  const columns = table.columns.map((column): Column => {
    const values = new Float64Array(N)
    for (let i = 0; i < N; i++) values[i] = column.values[rows[i]]
    if (!column.codes) return { ...column, values }
    const codes = new Int32Array(N)
    for (let i = 0; i < N; i++) codes[i] = column.codes[rows[i]]
    return { ...column, values, codes }
  })
  const { lines } = table
  return {
    ...table,
    rows: N,
    columns,
    ...(lines ? { lines: Uint32Array.from({ length: N }, (_, i) => lines[rows[i]]) } : {}),
    numbers: Uint32Array.from({ length: N }, (_, i) => rowNumber(table, rows[i]))
  }
}

/**
 * A cell's number; NaN for what is none. Plain decimal notation alone: JavaScript's hexadecimal, binary and infinite ones stay text.
 */
export function numberOf(cell: string): number {
  const value = cell === '' ? NaN : Number(cell)
  if (value - value !== 0) return NaN
  return cell.length > 2 && cell.charCodeAt(1) > 57 && /^0[box]/i.test(cell) ? NaN : value
}

const commaNumber = /^[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?$/i

/** The number of a cell with a decimal comma; NaN for any other cell. */
export const commaNumberOf = (cell: string): number => (commaNumber.test(cell) ? numberOf(cell.replace(',', '.')) : NaN)

/** Distinct spellings that are remembered of a column. */
const rememberedSpellings = 40

/** Gathers the cells of one column. */
export class ColumnBuilder {
  private values = new Float64Array(256)
  private codes: Int32Array | undefined
  private readonly texts: string[] = []
  private readonly index = new Map<string, number>()
  private spellings: Set<string> | undefined = new Set()
  private filled = 0

  private room(): void {
    if (this.filled < this.values.length) return
    const grow = <T extends Float64Array | Int32Array>(old: T, bigger: T): T => {
      bigger.set(old)
      return bigger
    }
    const size = this.values.length * 2
    this.values = grow(this.values, new Float64Array(size))
    if (this.codes) this.codes = grow(this.codes, new Int32Array(size).fill(-1))
  }

  addNumber(value: number): void {
    this.room()
    this.values[this.filled++] = value
  }

  /** @param value the cell's number, NaN for what is none */
  add(cell: string, value: number): void {
    this.room()
    if (this.spellings && !this.spellings.has(cell)) {
      if (this.spellings.size < rememberedSpellings) this.spellings.add(cell)
      else this.spellings = undefined
    }
    if (value === value) {
      this.values[this.filled++] = value
      return
    }
    this.codes ??= new Int32Array(this.values.length).fill(-1)
    let code = this.index.get(cell)
    if (code === undefined) {
      code = this.texts.length
      this.texts.push(cell)
      this.index.set(cell, code)
    }
    this.values[this.filled] = NaN
    this.codes[this.filled++] = code
  }

  column(): Column {
    const { filled, codes, texts, spellings } = this
    return {
      values: this.values.slice(0, filled),
      ...(codes ? { codes: codes.slice(0, filled) } : {}),
      texts,
      ...(spellings ? { spellings: [...spellings] } : {})
    }
  }
}

/** A column of numbers without gaps. */
export const numberColumnOf = (values: Float64Array): Column => ({ values, texts: [] })

/** @throws InputError unless all columns have names, and all names differ */
export function checkNames(header: readonly string[], source: string): void {
  const unnamed = header.indexOf('')
  if (unnamed >= 0)
    throw new InputError(`Column ${unnamed + 1} of ${shown(source)} has no name; give every column one.`)
  const seen = new Set<string>()
  for (const name of header) {
    if (seen.has(name))
      throw new InputError(`Two columns of ${shown(source)} are called ${quoted(name)}; give each its own name.`)
    seen.add(name)
  }
}
