/** Rows of a later table as a fitted model takes them. */
import { missingOf, designMatrix, readColumn, usableRows } from './design.js'
import { offsetOf } from './load.js'
import { rowNumber, takeRows, type Table } from './table.js'
import type { Preprocessing } from './types.js'

/** Rows of a design matrix without a target. */
export interface NewRows {
  readonly rows: number
  /** [N, D] row-major, in the columns as given. */
  readonly x: Float64Array
  readonly offset?: Float64Array
  /** [N] numbers of the rows in their table, from 1. */
  readonly numbers: readonly number[]
}

/**
 * @param drop leaves out rows with a missing value instead of refusing them
 * @throws InputError for columns that are not there, levels that the training rows do not have, and cells that cannot be read
 */
export function applyPreprocessing(table: Table, done: Preprocessing, drop: boolean): NewRows {
  const missing = missingOf(done.missingValues)
  const of = (kind: 'number' | 'category'): string[] =>
    done.terms.flatMap(term => (term.kind === kind ? [term.column] : []))
  const declared = { numeric: of('number'), categorical: of('category') }
  const apart = [done.offset, done.exposure].filter(name => name !== undefined)
  const readings = [
    ...done.terms.map(term => readColumn(table, term.column, 'features', missing, declared)),
    ...apart.map(name => readColumn(table, name, 'offset', missing, declared, true))
  ]
  const usable = usableRows(table, readings, drop)
  const used = usable ? takeRows(table, usable.rows) : table
  const offset = offsetOf(used, done)
  return {
    rows: used.rows,
    x: designMatrix(used, done.terms),
    ...(offset ? { offset } : {}),
    numbers: Array.from({ length: used.rows }, (_, i) => rowNumber(used, i))
  }
}
