/** From a table to the columns of a design matrix: numbers as they are, labels by treatment coding. */
import { InputError } from '../core/errors.js'
import { listed, quoted, shown } from '../core/printable.js'
import { cellText, findColumn, place, type Column, type Table } from './table.js'
import type { Term } from './types.js'

/** What stands for a missing value: always the empty cell, and these unless the user names others. */
export const usualMissing: readonly string[] = ['NA', 'N/A', 'n/a', '#N/A', '<NA>', 'NaN', 'nan', 'null', 'NULL', '?']

/** Signs that stand for no number among numbers, and may be labels elsewhere. */
const gapsAmongNumbers: ReadonlySet<string> = new Set(['.', '-', '--', '...', '#DIV/0!', '#VALUE!', '#REF!', '#NUM!'])

/** Which cells are missing: their texts, and their numbers. */
export interface Missing {
  readonly texts: ReadonlySet<string>
  readonly numbers: ReadonlySet<number>
}

export function missingOf(values: readonly string[] = usualMissing): Missing {
  const cells = values.map(value => value.trim())
  const numbers = cells.filter(cell => cell !== '').map(Number)
  return { texts: new Set(['', ...cells]), numbers: new Set(numbers.filter(Number.isFinite)) }
}

/** [N]: 1 where the cell is missing; undefined where none is. */
function missingCells({ values, codes, texts }: Column, missing: Missing): Uint8Array | undefined {
  if (!codes && missing.numbers.size === 0) return undefined
  const gone = Uint8Array.from(texts, text => (missing.texts.has(text) ? 1 : 0))
  let any = false
  const cells = new Uint8Array(values.length)
  for (let i = 0; i < cells.length; i++) {
    const code = codes ? codes[i] : -1
    cells[i] = code >= 0 ? gone[code] : missing.numbers.has(values[i]) ? 1 : 0
    any ||= cells[i] === 1
  }
  return any ? cells : undefined
}

/** What a column holds, and the rows where it holds nothing that can be used. */
export interface Reading {
  readonly column: string
  readonly kind: 'number' | 'category'
  /** [N]: 1 where the cell is missing or, in a column of numbers, is none; absent where all cells are good. */
  readonly bad?: Uint8Array
}

/** Share of the cells of a column that may be unreadable for it to count as one of numbers with mistakes. */
const mistakes = 0.1

export interface Declared {
  readonly numeric: readonly string[]
  readonly categorical: readonly string[]
}

/**
 * Decides what a column is: as declared, else numbers where all cells that are there are numbers, else labels where none is.
 * @param must whether the column cannot hold anything but numbers (weights, trials)
 * @throws InputError for a column without values, and for a mixture of numbers and text that could be either
 */
export function readColumn(
  table: Table,
  name: string,
  what: string,
  missing: Missing,
  declared: Declared,
  must = false
): Reading {
  const column = findColumn(table, name, what)
  const { values, codes } = column
  const gone = missingCells(column, missing)
  if (declared.categorical.includes(name) && !must)
    return { column: name, kind: 'category', ...(gone ? { bad: gone } : {}) }
  let numbers = 0
  let texts = 0
  let unreadable = -1
  let gaps = 0
  for (let i = 0; i < values.length; i++) {
    if (gone?.[i] === 1) continue
    if (!codes || codes[i] < 0) numbers++
    else if (gapsAmongNumbers.has(column.texts[codes[i]])) gaps++
    else if (texts++ === 0) unreadable = i
  }
  const sure = must || declared.numeric.includes(name)
  if (numbers + texts + gaps === 0)
    throw new InputError(`Column ${shown(name)} of ${shown(table.source)} holds no value in any row; leave it out.`)
  if (texts + gaps === 0) return { column: name, kind: 'number', ...(gone ? { bad: gone } : {}) }
  if (numbers === 0 && !sure) return { column: name, kind: 'category', ...(gone ? { bad: gone } : {}) }
  if (!sure && texts > mistakes * (numbers + texts) && texts > 1) {
    const number = values.findIndex((value, i) => !Number.isNaN(value) && gone?.[i] !== 1)
    throw new InputError(
      `Column ${shown(name)} holds both numbers and text, such as ${cellText(column, number)} in ${place(table, number)} and ` +
        `${quoted(cellText(column, unreadable))} in ${place(table, unreadable)}; mend it, or say what it is with --categorical or --numeric ${flagValue(name)}.`
    )
  }
  const bad = Uint8Array.from(values, (value, i) => (Number.isNaN(value) || gone?.[i] === 1 ? 1 : 0))
  return { column: name, kind: 'number', bad }
}

/** A column's name as a value of a flag that takes a list. */
export const flagValue = (name: string): string => (/[,"]/.test(name) ? `'"${shown(name)}"'` : shown(name))

/**
 * Rows in which every column that is used has a value.
 * @returns undefined where these are all rows, with notes on those left out
 * @throws InputError for a bad cell unless rows may be dropped
 */
export function usableRows(
  table: Table,
  readings: readonly Reading[],
  drop: boolean
): { readonly rows: Uint32Array; readonly notes: readonly string[] } | undefined {
  const bad = readings.filter(reading => reading.bad)
  if (bad.length === 0) return undefined
  if (!drop) refuseCell(table, bad[0])
  const rows: number[] = []
  for (let i = 0; i < table.rows; i++) if (!bad.some(reading => reading.bad![i] === 1)) rows.push(i)
  if (rows.length === 0)
    throw new InputError(
      `Every row of ${shown(table.source)} has a missing value in one of ${listed(bad.map(r => r.column))}; leave out the columns with the most.`
    )
  const dropped = table.rows - rows.length
  const columns = bad.map(({ column, bad: cells }) => {
    const count = cells!.reduce((sum, cell) => sum + cell, 0)
    return `${shown(column)} (${count})`
  })
  return {
    rows: Uint32Array.from(rows),
    notes: [
      `${dropped} of the ${table.rows} rows of ${shown(table.source)} ${dropped === 1 ? 'was' : 'were'} left out because a value is missing or is no number in ${listed(columns)}.`
    ]
  }
}

function refuseCell(table: Table, { column, kind, bad }: Reading): never {
  const row = bad!.indexOf(1)
  const text = cellText(findColumn(table, column, 'features'), row)
  const is = text === '' ? 'empty' : quoted(text)
  const comma = /^[+-]?\d*,\d+$/.test(text) ? ' (for decimal commas give --decimal ,)' : ''
  const label = kind === 'number' && text !== '' ? `, or say --categorical ${flagValue(column)} if it holds labels` : ''
  throw new InputError(
    `Column ${shown(column)} is ${is} in ${place(table, row)}, where ${kind === 'number' ? 'a number' : 'a label'} is due; ` +
      `mend that cell${comma}, leave such rows out with --drop-missing${label}.`
  )
}

/** Distinct labels, or undefined when there are more than `most`: numbers by value, text in the order of its characters. */
export function labelsOf(column: Column, most = Infinity): string[] | undefined {
  const { values, codes, texts } = column
  const numbers = new Set<number>()
  const used = new Set<number>()
  for (let i = 0; i < values.length; i++) {
    if (codes && codes[i] >= 0) used.add(codes[i])
    else numbers.add(values[i] === 0 ? 0 : values[i])
    if (numbers.size + used.size > most) return undefined
  }
  if (used.size === 0) return [...numbers].sort((a, b) => a - b).map(String)
  return [...[...numbers].map(String), ...[...used].map(code => texts[code])].sort((a, b) =>
    a < b ? -1 : a > b ? 1 : 0
  )
}

/** [N] place of each cell among the labels, −1 for none of them. */
export function labelCodes(column: Column, labels: readonly string[]): Int32Array {
  const { values, codes, texts } = column
  const index = new Map(labels.map((label, k) => [label, k]))
  const ofText = Int32Array.from(texts, text => index.get(text) ?? -1)
  const ofNumber = new Map<number, number>()
  return Int32Array.from(values, (value, i) => {
    if (codes && codes[i] >= 0) return ofText[codes[i]]
    let code = ofNumber.get(value)
    if (code === undefined) ofNumber.set(value, (code = index.get(String(value === 0 ? 0 : value)) ?? -1))
    return code
  })
}

const datePattern =
  /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})([T ]\d{1,2}:\d{2}.*)?$/

/** Refuses text that is no set of labels: dates, and a value of its own for nearly each row. */
function checkLabels(table: Table, name: string, labels: readonly string[]): void {
  const source = shown(table.source)
  const leave = `leave it out with --exclude ${flagValue(name)}, or take it as labels with --categorical ${flagValue(name)}`
  if (labels.every(label => datePattern.test(label)))
    throw new InputError(
      `Column ${shown(name)} of ${source} holds dates, such as ${quoted(labels[0])}, which are neither numbers nor labels of groups; ` +
        `make it a number of days, ${leave}.`
    )
  const many = labels.length > Math.max(20, table.rows / 2) || (labels.length >= 0.9 * table.rows && labels.length > 2)
  if (many)
    throw new InputError(
      `Column ${shown(name)} of ${source} is text with ${labels.length} different values in ${table.rows} rows, such as ${quoted(labels[0])}, ` +
        `as an ID or a remark has; ${leave}.`
    )
}

/** What each feature becomes. @throws InputError for text that is no set of labels, and unknown references */
export function planTerms(
  table: Table,
  readings: readonly Reading[],
  declared: Declared,
  reference: Readonly<Record<string, string>>
): Term[] {
  return readings.map(({ column: name, kind }) => {
    if (kind === 'number') return { kind, column: name }
    const labels = labelsOf(findColumn(table, name, 'features'))!
    if (!declared.categorical.includes(name)) checkLabels(table, name, labels)
    const first = Object.hasOwn(reference, name) ? reference[name] : labels[0]
    if (!labels.includes(first))
      throw new InputError(
        `Column ${shown(name)} of ${shown(table.source)} has no level ${quoted(first)} to be the reference; its levels are ${listed(labels, 20)}.`
      )
    return { kind, column: name, levels: [first, ...labels.filter(label => label !== first)] }
  })
}

/** Levels of a category that have a column. */
export const codedLevels = ({ levels, without = [] }: Extract<Term, { kind: 'category' }>): readonly string[] =>
  levels.slice(1).filter(level => !without.includes(level))

/** Names of the design matrix's columns. */
export const designColumns = (terms: readonly Term[]): string[] =>
  terms.flatMap(t => (t.kind === 'number' ? [t.column] : codedLevels(t).map(level => t.column + level)))

/** [N, D] row-major. @throws InputError for a level that the terms do not know */
export function designMatrix(table: Table, terms: readonly Term[]): Float64Array {
  const D = designColumns(terms).length
  const N = table.rows
  const x = new Float64Array(N * D)
  let d = 0
  for (const term of terms) {
    const column = findColumn(table, term.column, 'features')
    if (term.kind === 'number') {
      for (let i = 0; i < N; i++) x[i * D + d] = column.values[i]
      d++
      continue
    }
    const codes = labelCodes(column, term.levels)
    const unknown = codes.indexOf(-1)
    if (unknown >= 0)
      throw new InputError(
        `Column ${shown(term.column)} has the level ${quoted(cellText(column, unknown))} in ${place(table, unknown)}, which the training rows do not have; ` +
          `their levels are ${listed(term.levels, 20)}.`
      )
    const coded = codedLevels(term)
    const places = term.levels.map(level => coded.indexOf(level))
    for (let i = 0; i < N; i++) if (places[codes[i]] >= 0) x[i * D + d + places[codes[i]]] = 1
    d += coded.length
  }
  return x
}
