/** Tables that a program hands over: arrays by column, or rows as objects. */
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { checkNames, ColumnBuilder, numberColumnOf, numberOf, type Column, type Table } from './table.js'
import type { Cell, Columns } from './types.js'

const source = 'the data'

/** What a value of a program stands for: a number, or text; nothing is the empty cell. @throws InputError for other objects */
export function addValue(builder: ColumnBuilder, value: unknown, where: () => string): void {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value)) builder.addNumber(value)
      else builder.add(Number.isNaN(value) ? '' : String(value), NaN)
      return
    case 'bigint':
      builder.addNumber(Number(value))
      return
    case 'boolean':
      builder.add(String(value), NaN)
      return
    case 'string': {
      const cell = value.trim()
      builder.add(cell, numberOf(cell))
      return
    }
    case 'undefined':
      builder.add('', NaN)
      return
    default:
      if (value === null) builder.add('', NaN)
      else if (value instanceof Date) builder.add(dateText(value), NaN)
      else throw new InputError(`${where()} is neither a number nor text; give numbers, text, booleans or nothing.`)
  }
}

/** A day, with its time where it has one. */
function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) return ''
  return date.toISOString().replace(/T00:00:00\.000Z$/, '')
}

/** @param columns arrays of one length, by name */
export function tableOfColumns(columns: Columns): Table {
  const header = Object.keys(columns)
  checkNames(header, source)
  const rows = columns[header[0]]?.length ?? 0
  const made = header.map((name): Column => {
    const cells = columns[name]
    if (cells.length !== rows)
      throw new InputError(
        `Column ${shown(name)} of the data has ${cells.length} values and ${shown(header[0])} has ${rows}; give all columns the same length.`
      )
    if (cells instanceof Float64Array && cells.every(Number.isFinite)) return numberColumnOf(cells)
    const builder = new ColumnBuilder()
    for (let i = 0; i < rows; i++)
      addValue(builder, cells[i], () => `Column ${shown(name)} of the data in row ${i + 1}`)
    return builder.column()
  })
  return finished(header, rows, made)
}

/** @param records rows as objects; a name that a row does not have is an empty cell of it */
export function tableOfRows(records: readonly Readonly<Record<string, Cell>>[]): Table {
  const header = [...new Set(records.flatMap(record => Object.keys(record)))]
  checkNames(header, source)
  const builders = header.map(() => new ColumnBuilder())
  records.forEach((record, i) => {
    header.forEach((name, c) => {
      const value = Object.hasOwn(record, name) ? record[name] : undefined
      addValue(builders[c], value, () => `Column ${shown(name)} of the data in row ${i + 1}`)
    })
  })
  return finished(
    header,
    records.length,
    builders.map(builder => builder.column())
  )
}

function finished(header: string[], rows: number, columns: Column[]): Table {
  if (rows === 0) throw new InputError('The data have no rows; give at least one.')
  return { source, header, rows, columns, notes: [] }
}

/** Rows or columns as plain columns, fit for JSON; a value that is no number is null there. */
export function plainColumns(table: Table): Record<string, (number | string | null)[]> {
  return Object.fromEntries(
    table.header.map((name, c) => {
      const { values, codes, texts } = table.columns[c]
      return [
        name,
        Array.from(values, (value, i) =>
          codes && codes[i] >= 0 ? (texts[codes[i]] === '' ? null : texts[codes[i]]) : value
        )
      ]
    })
  )
}
