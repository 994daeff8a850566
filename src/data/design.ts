/** From a table to the columns of a design matrix: numbers as they are, categories by treatment coding. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { isMissing, type Table } from './csv.js'

/** A column of the table and what it becomes; levels are those of the training table, the first being the reference. */
export type Term =
  | { readonly kind: 'number'; readonly column: string }
  | { readonly kind: 'category'; readonly column: string; readonly levels: readonly string[] }

export function findColumn(table: Table, name: string, what: string): number {
  const at = table.header.indexOf(name)
  if (at < 0)
    throw new InputError(`${table.source} has no column "${name}" for the ${what}; ${knownNames(name, table.header)}.`)
  return at
}

const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell))

function refuseMissing(table: Table, column: string, at: number): void {
  const row = table.cells.findIndex(cells => isMissing(cells[at]))
  if (row < 0) return
  const shown = table.cells[row][at] === '' ? 'empty' : `"${table.cells[row][at]}"`
  throw new InputError(
    `Column ${column} is ${shown} in row ${row + 1} (line ${table.lines[row]}) of ${table.source}; ` +
      'missing values are not imputed, so fill the cell in or remove the row.'
  )
}

/** Decides what each feature column is. `numeric` columns must hold numbers only. */
export function planTerms(table: Table, features: readonly string[], numeric: readonly string[]): Term[] {
  return features.map(column => {
    const at = findColumn(table, column, 'features')
    refuseMissing(table, column, at)
    const row = table.cells.findIndex(cells => !isNumber(cells[at]))
    if (row < 0) return { kind: 'number', column }
    const where = `"${table.cells[row][at]}" in row ${row + 1} (line ${table.lines[row]}) of ${table.source}`
    if (numeric.includes(column))
      throw new InputError(
        `Column ${column} must hold numbers, but it is ${where}; mend that cell or leave ${column} out.`
      )
    const levels = [...new Set(table.cells.map(cells => cells[at]))].sort()
    if (levels.length > Math.max(20, table.cells.length / 2))
      throw new InputError(
        `Column ${column} is text (${where}) with ${levels.length} different values; mend the cells if it should be a number, ` +
          'or leave the column out.'
      )
    return { kind: 'category', column, levels }
  })
}

/** Names of the design matrix's columns. */
export const designColumns = (terms: readonly Term[]): string[] =>
  terms.flatMap(t => (t.kind === 'number' ? [t.column] : t.levels.slice(1).map(level => t.column + level)))

/** [N, D] row-major. */
export function designMatrix(table: Table, terms: readonly Term[]): Float64Array {
  const D = designColumns(terms).length
  const x = new Float64Array(table.cells.length * D)
  let d = 0
  for (const term of terms) {
    const at = findColumn(table, term.column, 'features')
    refuseMissing(table, term.column, at)
    table.cells.forEach((cells, i) => {
      const cell = cells[at]
      if (term.kind === 'number') {
        if (!isNumber(cell))
          throw new InputError(
            `Column ${term.column} is "${cell}" in row ${i + 1} (line ${table.lines[i]}) of ${table.source}; a number is due there.`
          )
        x[i * D + d] = Number(cell)
        return
      }
      const level = term.levels.indexOf(cell)
      if (level < 0)
        throw new InputError(
          `Column ${term.column} has the level "${cell}" in row ${i + 1} of ${table.source}, which the training rows do not have.`
        )
      if (level > 0) x[i * D + d + level - 1] = 1
    })
    d += term.kind === 'number' ? 1 : term.levels.length - 1
  }
  return x
}

/** A column of numbers apart from the features (weights, offset). */
export function numberColumn(table: Table, name: string, what: string): Float64Array {
  const at = findColumn(table, name, what)
  refuseMissing(table, name, at)
  return Float64Array.from(table.cells, (cells, i) => {
    if (!isNumber(cells[at]))
      throw new InputError(
        `Column ${name} is "${cells[at]}" in row ${i + 1} (line ${table.lines[i]}) of ${table.source}; the ${what} must be numbers.`
      )
    return Number(cells[at])
  })
}
