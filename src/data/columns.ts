/** Which columns of a table a study uses, and for what: names checked against the table. */
import { InputError } from '../core/errors.js'
import { listed, shown } from '../core/printable.js'
import { findColumn, type Table } from './table.js'
import type { DataConfig } from './types.js'

export interface Roles {
  readonly target: string
  readonly features: readonly string[]
  /** Columns that must hold numbers, with what they are for. */
  readonly apart: readonly { readonly column: string; readonly what: string }[]
}

/** @throws InputError for columns that are not there, and for one that is used twice */
export function rolesOf(table: Table, config: DataConfig, defaultTarget: string | undefined): Roles {
  const source = shown(table.source)
  const target = targetOf(table, config.target ?? defaultTarget)
  findColumn(table, target, 'target')
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
    if (column === target)
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
  const taken = [target, ...apart.map(({ column }) => column)]
  const features = (config.features ?? table.header.filter(name => !taken.includes(name))).filter(
    name => !excluded.includes(name)
  )
  const clash = features.find(name => taken.includes(name))
  if (clash !== undefined)
    throw new InputError(
      `Column ${shown(clash)} is a feature and also the target, trials, weights, offset or exposure; leave it out of the features.`
    )
  const twice = features.find((name, i) => features.indexOf(name) !== i)
  if (twice !== undefined) throw new InputError(`Feature ${shown(twice)} is named twice; name it once.`)
  if (excluded.includes(target))
    throw new InputError(`The target ${shown(target)} is excluded; leave it out of the excluded columns.`)
  for (const name of features) findColumn(table, name, 'features')
  return { target, features, apart }
}

function targetOf(table: Table, given: DataConfig['target']): string {
  const names = given === undefined ? [] : typeof given === 'string' ? [given] : given
  if (names.length === 0)
    throw new InputError(
      `No target column is named; choose one of ${shown(table.source)}'s columns: ${listed(table.header, 30)}.`
    )
  if (names.length > 1)
    throw new InputError(
      `data.target names ${names.length} columns (${listed(names)}), and a model here has one; name the column to predict.`
    )
  return names[0]
}

/** Columns that labels are read from although they look like numbers: as declared, or because a reference is named. */
export const declaredOf = (config: DataConfig): { numeric: readonly string[]; categorical: readonly string[] } => ({
  numeric: config.numeric ?? [],
  categorical: [...(config.categorical ?? []), ...Object.keys(config.reference ?? {})]
})
