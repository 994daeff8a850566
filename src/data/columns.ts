/** Which columns of a table a study uses, and for what: names checked against the table. */
import { InputError } from '../core/errors.js'
import { firstRepeated } from '../core/names.js'
import { listed, shown } from '../core/printable.js'
import { findColumn, type Table } from './table.js'
import type { DataConfig } from './types.js'

export interface Roles {
  /** The target columns, each an output, and their names as words. */
  readonly targets: readonly string[]
  readonly target: string
  readonly features: readonly string[]
  /** Columns that must hold numbers, with what they are for. */
  readonly apart: readonly { readonly column: string; readonly what: string }[]
}

/** @throws InputError for columns that are not there, and for one that is used twice */
export function rolesOf(table: Table, config: DataConfig, defaultTarget: string | undefined): Roles {
  const source = shown(table.source)
  const targets = targetsOf(table, config.target ?? defaultTarget)
  const target = targets.join(', ')
  for (const name of targets) findColumn(table, name, 'target')
  const same = firstRepeated(targets)
  if (same !== undefined) throw new InputError(`Target ${shown(same)} is named twice; name it once.`)
  if (targets.length > 1 && config.trials !== undefined)
    throw new InputError('data.trials goes with one target column; name one, or leave trials out.')
  const apart = (
    [
      ['trials', config.trials],
      ['weights', config.weights],
      ['offset', config.offset],
      ['exposure', config.exposure]
    ] as const
  ).flatMap(([what, column]) => (column === undefined ? [] : [{ column, what }]))
  for (const { column, what } of apart) {
    findColumn(table, column, what)
    if (targets.includes(column))
      throw new InputError(
        `Column ${shown(column)} of ${source} is both the target and the ${what}; name another column.`
      )
  }
  const excluded = config.exclude ?? []
  for (const name of excluded) findColumn(table, name, 'excluded columns')
  for (const [what, names] of [
    ['numeric columns', config.numeric ?? []],
    ['categorical columns', config.categorical ?? []],
    ['reference levels', Object.keys(config.reference ?? {})]
  ] as const)
    for (const name of names) findColumn(table, name, what)
  const both = config.numeric?.find(name => config.categorical?.includes(name))
  if (both !== undefined)
    throw new InputError(`Column ${shown(both)} is named both numeric and categorical; leave one.`)
  const taken = [...targets, ...apart.map(({ column }) => column)]
  const features = (config.features ?? table.header.filter(name => !taken.includes(name))).filter(
    name => !excluded.includes(name)
  )
  // Several targets may be features too, where those are named: an autoencoder gives its inputs back.
  const mirrored = targets.length > 1 && config.features !== undefined
  const clash = features.find(name => taken.includes(name) && !(mirrored && targets.includes(name)))
  if (clash !== undefined)
    throw new InputError(
      `Column ${shown(clash)} is a feature and also the target, trials, weights, offset or exposure; leave it out of the features.`
    )
  const twice = firstRepeated(features)
  if (twice !== undefined) throw new InputError(`Feature ${shown(twice)} is named twice; name it once.`)
  const left = targets.find(name => excluded.includes(name))
  if (left !== undefined)
    throw new InputError(`The target ${shown(left)} is excluded; leave it out of the excluded columns.`)
  for (const name of features) findColumn(table, name, 'features')
  return { targets, target, features, apart }
}

function targetsOf(table: Table, given: DataConfig['target']): readonly string[] {
  const names = given === undefined ? [] : typeof given === 'string' ? columnsNamed(given, table) : given
  if (names.length === 0)
    throw new InputError(
      `No target column is named; choose one of ${shown(table.source)}'s columns: ${listed(table.header, 30)}.`
    )
  return names
}

/** A column, or several with commas between them where there is none of the whole name. */
function columnsNamed(name: string, table: Table): readonly string[] {
  const parts = name.split(',').map(part => part.trim())
  return !table.header.includes(name) && parts.every(part => table.header.includes(part)) ? parts : [name]
}

/** Columns that labels are read from although they look like numbers: as declared, or because a reference is named. */
export const declaredOf = (config: DataConfig): { numeric: readonly string[]; categorical: readonly string[] } => ({
  numeric: config.numeric ?? [],
  categorical: [...(config.categorical ?? []), ...Object.keys(config.reference ?? {})]
})
