/** From the `data` part of a study to numbers: read, code, split, check, standardise. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { InputError } from '../core/errors.js'
import { Stream, shuffle } from '../core/rng.js'
import { isScalar, type Loss } from '../models/losses/index.js'
import { builtinTable, builtins, generateTable } from './builtin.js'
import { checkDesign, type DesignUse } from './checks.js'
import { parseTable, type Table } from './csv.js'
import { designColumns, designMatrix, findColumn, numberColumn, planTerms, type Term } from './design.js'
import { codeTarget, type Target } from './target.js'
import type { DataConfig, Dataset, Rows } from './types.js'

function readTable(path: string): Table {
  if (!existsSync(path) || statSync(path).isDirectory())
    throw new InputError(
      `There is no file ${path}; give the path of a CSV file or a built-in name (${Object.keys(builtins).join(', ')}).`
    )
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new InputError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`)
  }
  return parseTable(text, path)
}

/** N of the whole table. @throws InputError unless the configuration names one that can be read. */
export const rowsOf = (config: DataConfig): number => openTable(config).table.cells.length

function openTable(config: DataConfig): { table: Table; target: string | undefined } {
  const given = [config.csv, config.builtin, config.generate].filter(v => v !== undefined)
  if (given.length !== 1)
    throw new InputError('data must name exactly one of csv, builtin and generate, e.g. {builtin: iris2}.')
  if (config.csv !== undefined) return { table: readTable(config.csv), target: undefined }
  if (config.builtin !== undefined) return builtinTable(config.builtin)
  return { table: generateTable(config.generate!), target: 'y' }
}

/** Rows of a table as numbers, by the training table's plan. */
function numbers(table: Table, config: DataConfig, terms: readonly Term[], target: Target): Rows {
  return {
    rows: table.cells.length,
    x: designMatrix(table, terms),
    y: target.y,
    ...(config.weights === undefined ? {} : { weight: checkedWeights(table, config.weights) }),
    ...(config.offset === undefined ? {} : { offset: numberColumn(table, config.offset, 'offset') })
  }
}

function checkedWeights(table: Table, column: string): Float64Array {
  const weight = numberColumn(table, column, 'weights')
  const bad = weight.findIndex(w => w < 0)
  if (bad >= 0)
    throw new InputError(
      `The weight ${column} is ${weight[bad]} in row ${bad + 1} of ${table.source}; weights must be at least 0.`
    )
  if (!(weight.reduce((s, w) => s + w, 0) > 0))
    throw new InputError(`All weights ${column} of ${table.source} are 0; at least one must be positive.`)
  return weight
}

function take(rows: Rows, which: readonly number[]): Rows {
  const D = rows.x.length / rows.rows
  const x = new Float64Array(which.length * D)
  which.forEach((i, n) => x.set(rows.x.subarray(i * D, (i + 1) * D), n * D))
  const pick = (v: Float64Array): Float64Array => Float64Array.from(which, i => v[i])
  return {
    rows: which.length,
    x,
    y: pick(rows.y),
    ...(rows.weight ? { weight: pick(rows.weight) } : {}),
    ...(rows.offset ? { offset: pick(rows.offset) } : {})
  }
}

/** Seeded split; within each class where the target has classes, so that both parts have all of them. */
function split(all: Rows, classes: boolean, fraction: number, seed: number): { train: Rows; test: Rows } {
  const order = [...shuffle(all.rows, seed, Stream.split, 0, 0)]
  const strata = new Map<number, number[]>()
  for (const i of order) {
    const key = classes ? (all.y[i] > 0.5 ? Math.round(all.y[i]) : 0) : 0
    strata.set(key, [...(strata.get(key) ?? []), i])
  }
  const test: number[] = []
  for (const members of strata.values()) test.push(...members.slice(0, Math.round(fraction * members.length)))
  const held = new Set(test)
  const train = order.filter(i => !held.has(i))
  const ascending = (a: number, b: number): number => a - b
  if (test.length === 0 || train.length === 0)
    throw new InputError(
      `data.test.fraction ${fraction} of ${all.rows} rows leaves one part empty; change the fraction.`
    )
  return { train: take(all, train.sort(ascending)), test: take(all, test.sort(ascending)) }
}

function standardization(rows: Rows, D: number): { mean: number[]; sd: number[] } {
  const mean = new Array<number>(D).fill(0)
  const sd = new Array<number>(D).fill(0)
  for (let d = 0; d < D; d++) {
    for (let i = 0; i < rows.rows; i++) mean[d] += rows.x[i * D + d] / rows.rows
    for (let i = 0; i < rows.rows; i++) sd[d] += (rows.x[i * D + d] - mean[d]) ** 2 / rows.rows
    sd[d] = Math.sqrt(sd[d]) || 1
  }
  return { mean, sd }
}

const standardized = (rows: Rows, { mean, sd }: { mean: number[]; sd: number[] }): Rows => {
  const D = mean.length
  return { ...rows, x: rows.x.map((v, i) => (v - mean[i % D]) / sd[i % D]) }
}

function hashOf(tables: readonly Table[]): string {
  const hash = createHash('sha256')
  for (const table of tables) for (const row of [table.header, ...table.cells]) hash.update(JSON.stringify(row))
  return hash.digest('hex')
}

/**
 * @param loss the loss that the study names; chosen from the target when undefined
 * @throws InputError naming row, column and value for data that cannot be studied
 */
export function loadData(config: DataConfig, loss: Loss | undefined, use: DesignUse): Dataset {
  const { table, target: defaultTarget } = openTable(config)
  const targetName = config.target ?? defaultTarget
  if (targetName === undefined)
    throw new InputError(
      `No target column is named; choose one of ${table.source}'s columns: ${table.header.join(', ')}.`
    )
  findColumn(table, targetName, 'target')
  const apart = [targetName, config.weights, config.offset]
  const features = config.features ?? table.header.filter(name => !apart.includes(name))
  const clash = features.find(name => apart.includes(name))
  if (clash !== undefined)
    throw new InputError(
      `Column ${clash} is a feature and also the target, weights or offset; leave it out of the features.`
    )
  for (const name of config.numeric ?? []) findColumn(table, name, 'numeric columns')
  const twice = features.find((name, i) => features.indexOf(name) !== i)
  if (twice !== undefined) throw new InputError(`Feature ${twice} is named twice; name it once.`)
  const terms = planTerms(table, features, config.numeric ?? [])
  const columns = designColumns(terms)
  const target = codeTarget(table, targetName, loss)
  const all = numbers(table, config, terms, target)
  if (!isScalar(target.loss) && all.offset)
    throw new InputError(`An offset has no effect on the ${target.loss} loss; remove it.`)

  let train = all
  let test: Rows | undefined
  let other: Table | undefined
  if (config.test && 'csv' in config.test) {
    other = readTable(config.test.csv)
    findColumn(other, targetName, 'target')
    test = numbers(other, config, terms, codeTarget(other, targetName, loss, target))
  } else if (config.test) {
    ;({ train, test } = split(all, target.classes !== undefined, config.test.fraction, config.test.seed))
  }
  const levels = terms.flatMap(t => (t.kind === 'category' ? [{ column: t.column, levels: t.levels.length }] : []))
  const source = train === all ? table.source : `the training part of ${table.source}`
  checkDesign(train.x, train.rows, columns, source, use, levels)
  const scaling = config.standardize === true ? standardization(train, columns.length) : undefined
  const rows = scaling ? standardized(train, scaling) : train
  const held = test && scaling ? standardized(test, scaling) : test
  return {
    ...rows,
    name: table.source,
    inputs: columns.length,
    columns,
    xRaw: train.x,
    ...(scaling ? { standardization: scaling } : {}),
    target: targetName,
    ...(target.classes ? { classes: target.classes } : {}),
    coding: target.coding,
    loss: target.loss,
    hash: hashOf(other ? [table, other] : [table]),
    ...(held ? { test: held } : {})
  }
}
