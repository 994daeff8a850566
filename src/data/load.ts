/** From the `data` part of a study to numbers: read, code, split, check, standardise. */
import { createHash } from 'node:crypto'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { defaultLosses, isScalar, lossTable, type Loss } from '../models/losses/index.js'
import { checkDesign, type DesignUse } from './checks.js'
import { declaredOf, rolesOf, type Roles } from './columns.js'
import { designColumns, designMatrix, missingOf, planTerms, readColumn, usableRows, usualMissing } from './design.js'
import { readingNotes } from './notes.js'
import { openTable, readFile, type ReadOptions } from './read.js'
import { splitRows, take } from './split.js'
import { findColumn, place, rowNumber, takeRows, type Table } from './table.js'
import { standardizationOf } from './conditioning.js'
import { codeTargets, type Target } from './target.js'
import type { DataConfig, Dataset, Preprocessing, Rows, Term } from './types.js'

/** N of the whole table. @throws InputError unless the configuration names one that can be read. */
export const rowsOf = async (config: DataConfig, options: ReadOptions = {}): Promise<number> =>
  (await openTable(config, options)).table.rows

interface Complete {
  readonly table: Table
  readonly kinds: readonly { readonly column: string; readonly kind: 'number' | 'category' }[]
  readonly notes: readonly string[]
}

/** The rows of a table in which every column that is used has a value, and what the features are. */
function completeRows(
  table: Table,
  config: DataConfig,
  { targets, features, apart }: Pick<Roles, 'targets' | 'features' | 'apart'>,
  kindsOf?: readonly Term[]
): Complete {
  const missing = missingOf(config.missingValues)
  // What a column is, the training table decides.
  const declared = kindsOf
    ? {
        numeric: kindsOf.flatMap(t => (t.kind === 'number' ? [t.column] : [])),
        categorical: kindsOf.flatMap(t => (t.kind === 'category' ? [t.column] : []))
      }
    : declaredOf(config)
  const readings = features.map(name => readColumn(table, name, 'features', missing, declared))
  const others = [
    ...targets.map(name => readColumn(table, name, 'target', missing, declaredOf(config), config.trials !== undefined)),
    ...apart.map(({ column, what }) => readColumn(table, column, what, missing, declared, true))
  ]
  const usable = usableRows(table, [...others, ...readings], config.missing === 'drop')
  return {
    table: usable ? takeRows(table, usable.rows) : table,
    kinds: readings.map(({ column, kind }) => ({ column, kind })),
    notes: usable?.notes ?? []
  }
}

/**
 * Columns of the data that a formula may use, and those that have another part in the study.
 * @throws InputError unless they can be read
 */
export async function columnsIn(
  config: DataConfig,
  options: ReadOptions = {}
): Promise<{ readonly free: readonly string[]; readonly apart: readonly string[]; readonly source: string }> {
  const { table, target } = await openTable(config, options)
  const roles = rolesOf(table, config, target)
  const apart = [roles.target, ...roles.apart.map(({ column }) => column)]
  return { free: table.header.filter(name => !apart.includes(name)), apart, source: table.source }
}

/** Rows of a table as numbers, by the training table's plan. */
function numbers(table: Table, config: DataConfig, terms: readonly Term[], target: Target): Rows {
  const trials = config.trials === undefined ? undefined : findColumn(table, config.trials, 'trials').values
  const weight = weightsOf(table, config.weights, trials)
  const offset = offsetOf(table, config)
  return {
    rows: table.rows,
    x: designMatrix(table, terms),
    y: target.y,
    ...(weight ? { weight } : {}),
    ...(offset ? { offset } : {}),
    ...(trials ? { trials } : {}),
    ...(table.numbers ? { numbers: Float64Array.from(table.numbers) } : {})
  }
}

/** Sizes of weights between which sums of them keep their digits. */
const weightRange = { least: 1e-100, most: 1e100 }

function weightsOf(
  table: Table,
  column: string | undefined,
  trials: Float64Array | undefined
): Float64Array | undefined {
  if (column === undefined) return trials
  const weight = findColumn(table, column, 'weights').values
  const bad = weight.findIndex(w => w !== 0 && !(w >= weightRange.least && w <= weightRange.most))
  if (bad >= 0)
    throw new InputError(
      `The weight ${shown(column)} is ${weight[bad]} in ${place(table, bad)}; weights must be 0, or from ${weightRange.least} to ${weightRange.most}.`
    )
  const all = trials ? weight.map((w, i) => w * trials[i]) : weight
  if (!all.some(w => w > 0))
    throw new InputError(`All weights ${shown(column)} of ${shown(table.source)} are 0; at least one must be positive.`)
  return all
}

/** What is added to z: the offset, and the logarithm of the exposure. */
export function offsetOf(
  table: Table,
  { offset, exposure }: Pick<DataConfig, 'offset' | 'exposure'>
): Float64Array | undefined {
  const added = offset === undefined ? undefined : findColumn(table, offset, 'offset').values
  if (exposure === undefined) return added
  const exposures = findColumn(table, exposure, 'exposure').values
  const bad = exposures.findIndex(value => !(value > 0))
  if (bad >= 0)
    throw new InputError(
      `The exposure ${shown(exposure)} is ${exposures[bad]} in ${place(table, bad)}; its logarithm is taken, so it must be above 0.`
    )
  return exposures.map((value, i) => Math.log(value) + (added ? added[i] : 0))
}

function hashOf(names: unknown, parts: readonly Rows[]): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify(names))
  for (const { x, y, weight, offset, trials } of parts)
    for (const numbers of [x, y, weight, offset, trials]) {
      hash.update(`${numbers?.length ?? 'none'};`)
      if (numbers) hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    }
  return hash.digest('hex')
}

/** @throws InputError unless the loss is for numbers in any unit. */
function targetStandardization({ rows, y, weight }: Rows, loss: Loss): { mean: number; sd: number } {
  if (lossTable[loss].response !== 'number')
    throw new InputError(
      `data.standardizeTarget is set, but the ${loss} loss takes its target as it is; leave it out, or choose the ${defaultLosses.numbers} loss.`
    )
  const { mean, sd } = standardizationOf({ rows, x: y, y, ...(weight ? { weight } : {}) }, 1)
  return { mean: mean[0], sd: sd[0] }
}

/**
 * @param loss the loss that the study names; chosen from the target when undefined
 * @param use what the design is for; null where its columns are those of a formula
 * @throws InputError naming row, column and value for data that cannot be studied
 */
export async function loadData(
  config: DataConfig,
  loss: Loss | undefined,
  use: DesignUse | null,
  options: ReadOptions = {}
): Promise<Dataset> {
  const { table: read, target: defaultTarget } = await openTable(config, options)
  const roles = rolesOf(read, config, defaultTarget)
  const { table, kinds, notes } = completeRows(read, config, roles)
  const declared = declaredOf(config)
  const terms = planTerms(table, kinds, declared, config.reference ?? {})
  const columns = designColumns(terms)
  const target = codeTargets(table, roles.targets, loss, declared, config.trials)
  const all = numbers(table, config, terms, target)
  if (!isScalar(target.loss) && all.offset)
    throw new InputError(`An offset or exposure has no effect on the ${target.loss} loss; remove it.`)

  const held = await heldOut(config, { all, roles, terms, target }, options)
  const { train, test } = held
  const source = train === all ? table.source : `the training part of ${table.source}`
  if (use)
    checkDesign(train.x, train.rows, terms, source, {
      ...use,
      alone: config.features?.length === 0,
      dropAliased: config.dropAliased === true
    })
  const scaling = config.standardize === true ? standardizationOf(train, columns.length) : undefined
  if (config.standardizeTarget === true && !use?.bias)
    throw new InputError(
      'data.standardizeTarget is set, but without biases no parameter can take up the mean of the target; leave one of the two out.'
    )
  const targetScaling = config.standardizeTarget === true ? targetStandardization(train, target.loss) : undefined
  const { y: _, ...coding } = target
  const hash = hashOf([columns, coding], test ? [train, test] : [train])
  const changed =
    config.hash !== undefined && config.hash !== hash
      ? [`The data ${shown(table.source)} have changed since the study was made.`]
      : []
  const preprocessing: Preprocessing = {
    terms,
    columns,
    ...(scaling ? { standardization: scaling } : {}),
    ...(targetScaling ? { targetStandardization: targetScaling } : {}),
    target: coding,
    ...(config.weights === undefined ? {} : { weights: config.weights }),
    ...(config.offset === undefined ? {} : { offset: config.offset }),
    ...(config.exposure === undefined ? {} : { exposure: config.exposure }),
    missingValues: config.missingValues ?? usualMissing,
    rows: {
      read: read.rows,
      dropped: read.rows - table.rows,
      training: train.rows,
      heldOut: test?.rows ?? 0
    },
    heldOut: held.places.map(i => rowNumber(table, i)),
    notes: [
      ...changed,
      ...read.notes,
      ...notes,
      ...roles.targets.flatMap((name, k) => readingNotes(table, k === 0 ? terms : [], name)),
      ...held.notes
    ]
  }
  return {
    ...train,
    name: table.source,
    inputs: columns.length,
    columns,
    ...(scaling ? { standardization: scaling } : {}),
    ...(targetScaling ? { targetStandardization: targetScaling } : {}),
    targets: roles.targets,
    target: roles.target,
    ...(target.classes ? { classes: target.classes } : {}),
    coding: target.coding,
    loss: target.loss,
    hash,
    ...(test ? { test } : {}),
    preprocessing
  }
}

interface Coded {
  readonly all: Rows
  readonly roles: Roles
  readonly terms: readonly Term[]
  readonly target: Target
}

/** The rows for training, and those held out: a part of the table, or another one. */
async function heldOut(
  config: DataConfig,
  { all, roles, terms, target }: Coded,
  options: ReadOptions
): Promise<{ train: Rows; test?: Rows; places: readonly number[]; notes: readonly string[] }> {
  const { test } = config
  if (test === undefined || test === 'none') return { train: all, places: [], notes: [] }
  if ('csv' in test) {
    const read = await readFile(test.csv, config, options)
    const { table: other, notes } = completeRows(read, config, roles, terms)
    const coded = codeTargets(other, roles.targets, target.loss, declaredOf(config), config.trials, target)
    return { train: all, test: numbers(other, config, terms, coded), places: [], notes: [...read.notes, ...notes] }
  }
  const parts = splitRows(all, target.classes !== undefined && roles.targets.length === 1, test)
  return { train: take(all, parts.train), test: take(all, parts.test), places: parts.test, notes: [] }
}
