/** Refuses designs that cannot be studied as they are, naming the column. */
import { InputError } from '../core/errors.js'
import { firstRepeated } from '../core/names.js'
import { quoted, shown } from '../core/printable.js'
import { designColumns } from './design.js'
import type { Term } from './types.js'

export interface DesignUse {
  readonly bias: boolean
  readonly hidden: readonly number[]
  readonly ridge: number
  /** Whether columns that depend on others are left out. */
  readonly dropAliased?: boolean
  /** Whether no columns were asked for, so that an intercept is all there is. */
  readonly alone?: boolean
}

/** A number of 32 bits that equal columns share. */
function fingerprint(column: Float64Array): number {
  const words = new Int32Array(column.buffer, column.byteOffset, column.length * 2)
  let hash = 0
  for (const word of words) hash = (Math.imul(hash, 31) + word) | 0
  return hash
}

const sameNumbers = (a: Float64Array, b: Float64Array): boolean => a.every((value, i) => value === b[i])

/**
 * @throws InputError for a constant column (where there is a bias), two columns that hold the same numbers, two of one name, and more
 * columns than rows in a model that has neither ridge nor hidden layer.
 */
export function checkDesign(x: Float64Array, rows: number, terms: readonly Term[], name: string, use: DesignUse): void {
  const columns = designColumns(terms)
  const source = shown(name)
  const D = columns.length
  if (D === 0 && !(use.bias && use.hidden.length === 0 && use.alone))
    throw new InputError(
      `${source} has no input columns; name at least one in features, or none for a model with an intercept alone.`
    )
  const repeated = firstRepeated(columns)
  if (repeated !== undefined)
    throw new InputError(
      `Two inputs of ${source} would be called ${quoted(repeated)}, a column and a level of another one; rename a column.`
    )
  const column = (d: number): Float64Array => Float64Array.from({ length: rows }, (_, i) => x[i * D + d])
  const seen = new Map<number, number[]>()
  for (let d = 0; d < D; d++) {
    const values = column(d)
    if (!use.dropAliased && rows > 1 && (use.bias || values[0] === 0) && values.every(v => v === values[0]))
      throw new InputError(
        `Column ${shown(columns[d])} of ${source} is constant (${values[0]} in all ${rows} rows), which the bias covers already; leave it out of the features.`
      )
    // −0 and 0 are the same number.
    const key = fingerprint(values.map(value => value + 0))
    const alike = seen.get(key) ?? []
    const twin = alike.find(other => sameNumbers(values, column(other)))
    if (twin !== undefined && !use.dropAliased)
      throw new InputError(
        `Columns ${shown(columns[twin])} and ${shown(columns[d])} of ${source} hold the same numbers, so their weights cannot be told apart; leave one out of the features.`
      )
    seen.set(key, [...alike, d])
  }
  const parameters = D + (use.bias ? 1 : 0)
  const widest = terms
    .flatMap(t => (t.kind === 'category' ? [t] : []))
    .sort((a, b) => b.levels.length - a.levels.length)[0]
  const coded =
    widest && widest.levels.length > 2
      ? ` (the text column ${shown(widest.column)} alone has ${widest.levels.length} levels)`
      : ''
  if (!use.dropAliased && use.hidden.length === 0 && use.ridge === 0 && parameters > rows)
    throw new InputError(
      `${source} has ${rows} ${rows === 1 ? 'row' : 'rows'} for ${parameters} coefficients, so they are not determined; leave columns out${coded}, add rows, or set ridge above 0.`
    )
}
