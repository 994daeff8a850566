/** Refuses designs that cannot be studied as they are, naming the column. */
import { InputError } from '../core/errors.js'

export interface DesignUse {
  readonly bias: boolean
  readonly hidden: readonly number[]
  readonly ridge: number
}

/**
 * @param levels text columns, and how many levels each has
 * @throws InputError for a constant column (where there is a bias), two columns that hold the same numbers, and more columns than
 * rows in a model that has neither ridge nor hidden layer.
 */
export function checkDesign(
  x: Float64Array,
  rows: number,
  columns: readonly string[],
  source: string,
  use: DesignUse,
  levels: readonly { readonly column: string; readonly levels: number }[] = []
): void {
  const D = columns.length
  if (D === 0) throw new InputError(`${source} has no input columns; name at least one in features.`)
  const column = (d: number): Float64Array => Float64Array.from({ length: rows }, (_, i) => x[i * D + d])
  const seen = new Map<string, number>()
  for (let d = 0; d < D; d++) {
    const values = column(d)
    if (rows > 1 && (use.bias || values[0] === 0) && values.every(v => v === values[0]))
      throw new InputError(
        `Column ${columns[d]} of ${source} is constant (${values[0]} in all ${rows} rows), which the bias covers already; leave it out of the features.`
      )
    const key = values.join(' ')
    const twin = seen.get(key)
    if (twin !== undefined)
      throw new InputError(
        `Columns ${columns[twin]} and ${columns[d]} of ${source} hold the same numbers, so their weights cannot be told apart; leave one out of the features.`
      )
    seen.set(key, d)
  }
  const parameters = D + (use.bias ? 1 : 0)
  const widest = [...levels].sort((a, b) => b.levels - a.levels)[0]
  const coded =
    widest && widest.levels > 2 ? ` (the text column ${widest.column} alone has ${widest.levels} levels)` : ''
  if (use.hidden.length === 0 && use.ridge === 0 && parameters > rows)
    throw new InputError(
      `${source} has ${rows} ${rows === 1 ? 'row' : 'rows'} for ${parameters} coefficients, so they are not determined; leave columns out${coded}, add rows, or set ridge above 0.`
    )
}
