/** Starts that the user gives, as a table whose columns are named as the parameters. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { InputError } from '../core/errors.js'
import { listed, quoted, shown } from '../core/printable.js'
import { formatCount } from '../core/units.js'
import { openTable, type ReadOptions } from '../data/read.js'
import { place, type Table } from '../data/table.js'
import type { Frame } from '../data/conditioning.js'
import { boundsOf, conditionedPoints } from '../models/model.js'
import type { Model } from '../models/types.js'
import { plainData } from './dataSchema.js'
import type { StudyConfig } from './config.js'

/** Starts in the coordinates that everything is computed in. */
export interface OwnStarts {
  readonly count: number
  /** [count, P] */
  readonly theta: Float64Array
  /** Of all rows of the table, in the order of the parameters. */
  readonly hash: string
}

/** The table's numbers, [rows, P]. */
function numbersOf(table: Table, names: readonly string[]): Float64Array {
  const own = new Set(table.header)
  const missing = names.filter(name => !own.has(name))
  const strange = table.header.filter(name => !names.includes(name))
  if (missing.length > 0 || strange.length > 0) {
    const wrong = [
      ...(missing.length > 0 ? [`lacks ${listed(missing.map(quoted))}`] : []),
      ...(strange.length > 0 ? [`has ${listed(strange.map(quoted))}, of which the model knows nothing`] : [])
    ]
    throw new InputError(
      `The start file ${shown(table.source)} ${wrong.join(' and ')}; give one column for each parameter: ${listed(names, 40)}.`
    )
  }
  const P = names.length
  const theta = new Float64Array(table.rows * P)
  names.forEach((name, p) => {
    const { values } = table.columns[table.header.indexOf(name)]
    for (let i = 0; i < table.rows; i++) {
      if (!Number.isFinite(values[i]))
        throw new InputError(
          `Column ${quoted(name)} is no finite number in ${place(table, i)}; a start needs a number for every parameter.`
        )
      theta[i * P + p] = values[i]
    }
  })
  return theta
}

/** Points in the user's coordinates [R, P] as they are computed with. */
export function pointsFromUser(model: Model, frame: Frame, theta: Float64Array): Float64Array {
  const bounds = boundsOf(model)
  const P = bounds.length
  theta.forEach((value, n) => {
    const { name, lower, upper } = bounds[n % P]
    if (!(value > lower && value < upper))
      throw new InputError(
        `Start ${Math.floor(n / P)} has ${shown(name)} ${value}, which is not inside its bounds; give a value between them.`
      )
  })
  return conditionedPoints(model, frame.fromUser, theta)
}

/**
 * @param names of the parameters
 * @throws InputError for a table that cannot be read, that has other columns, fewer rows than starts, or that has changed since
 */
export async function readStarts(
  { starts }: StudyConfig,
  names: readonly string[],
  model: Model,
  frame: Frame,
  options: ReadOptions
): Promise<OwnStarts | undefined> {
  const { file, hash: expected, count: wanted } = starts
  if (file === undefined) return undefined
  const kind = /\.parquet$/i.test(file) ? 'parquet' : 'csv'
  const plain = plainData({ missing: 'refuse', standardize: false, standardizeTarget: false, [kind]: file })
  const { table } = await openTable(plain, options)
  const given = numbersOf(table, names)
  const hash = createHash('sha256')
    .update(new Uint8Array(given.buffer, given.byteOffset, given.byteLength))
    .digest('hex')
  if (expected !== undefined && expected !== hash)
    throw new InputError(
      `The starts in ${shown(basename(file))} have changed since the study was begun, so its runs cannot be repeated; restore the file.`
    )
  const count = wanted === 0 ? table.rows : wanted
  if (count > table.rows)
    throw new InputError(
      `${formatCount(count)} starts are asked for, and ${shown(table.source)} has ${formatCount(table.rows)}; give as many rows, or fewer starts.`
    )
  const P = names.length
  return { count, theta: pointsFromUser(model, frame, given.subarray(0, count * P)), hash }
}
