/**
 * A model on the rows that it gets right. Its own boundary separates those, so that it has no minimiser there, and a ridge gives it one:
 * what separation does, shown on part of any table.
 */
import { InputError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { plainColumns } from '../data/memory.js'
import { openTable } from '../data/read.js'
import { takeRows } from '../data/table.js'
import type { DataConfig } from '../data/types.js'
import { lossTable } from '../models/losses/index.js'
import { networkOf } from '../models/model.js'
import { outputs } from '../models/outputs.js'
import { classCount } from '../models/scores.js'
import type { StudyConfig } from './config.js'
import { givenRows, isSeparated, prepareProblem } from './setup.js'
import { runStudy, type StudyOptions } from './study.js'

/** Starts of either study: enough for a picture of them. */
const mostStarts = 99
/** Rows up to which they are written into the record of a study. */
const mostRows = 10_000

/** Names of the directories of the two studies. */
export const separatedKeys = ['separated', 'separated-ridge'] as const

/** What says where a table comes from, and which of its rows are held out. */
const whence: readonly string[] = ['csv', 'parquet', 'builtin', 'generate', 'columns', 'rows', 'hash', 'test']

/** Numbers from 0 of the rows whose class the outputs z [N, C] name, without a tie. @param even z where two classes are equally likely */
function rightRows(y: Float64Array, z: Float64Array, even: number): number[] {
  const C = z.length / y.length
  const right = (i: number): boolean => {
    if (C === 1) return z[i] !== even && z[i] > even === y[i] > 0.5
    const own = z[i * C + y[i]]
    return z.subarray(i * C, (i + 1) * C).every((other, c) => c === y[i] || other < own)
  }
  return [...y.keys()].filter(right)
}

/** The training rows that a minimiser gets right, as data of another study; undefined where they are all rows, or lack a class. */
async function rightPart(config: StudyConfig, theta: readonly number[]): Promise<DataConfig | undefined> {
  const { model: studied, data } = await prepareProblem(config)
  const model = networkOf(studied)
  const classes = classCount(studied)
  if (!model || classes === 0 || data.targets.length > 1 || data.trials || data.rows > mostRows) return undefined
  const { x, offset } = givenRows(data, data, model.bias)
  const problem = { model, rows: data.rows, x, y: data.y, ...(offset ? { offset } : {}) }
  const z = outputs(problem, Float64Array.from(theta))
  const loss = lossTable[model.loss]
  const right = rightRows(data.y, z, loss.response === 'share' ? (loss.even ?? 0) : 0)
  if (right.length === data.rows || new Set(right.map(i => data.y[i])).size < classes) return undefined
  const { table } = await openTable(config.data)
  const part = takeRows(
    table,
    right.map(i => (data.numbers?.[i] ?? i + 1) - 1)
  )
  const readAs = Object.fromEntries(Object.entries(config.data).filter(([name]) => !whence.includes(name)))
  return { ...readAs, columns: plainColumns(part), target: data.targets[0] }
}

/** Whether a study can be made and its data are separated: a part of the rows may lack what all of them have, such as a level. */
async function separates(config: StudyConfig): Promise<boolean> {
  try {
    return isSeparated((await prepareProblem(config)).separation)
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}

/**
 * Runs a model on the training rows that its minimiser gets right, and again with the ridge that was tried against separation.
 * @param config of a study of a convex model
 * @param summary of that study
 * @returns summaries without and with ridge, or the first alone where no ridge helps; none for models of numbers, without a minimiser,
 * that get all rows right or none of a class, and for tables of so many rows that they are no example
 */
export async function runSeparated(
  config: StudyConfig,
  { convex, minima, name }: Summary,
  options: StudyOptions = {}
): Promise<Summary[]> {
  if (!convex.model || minima.length === 0) return []
  const data = await rightPart(config, minima[0].parameters)
  if (!data) return []
  const { out, ...rest } = options
  const starts = { ...config.starts, count: Math.min(mostStarts, config.starts.count) }
  const whole: StudyConfig = { ...config, data, starts, name: `${name}, the rows it gets right` }
  if (!(await separates(whole))) return []
  const run = (study: StudyConfig, key: (typeof separatedKeys)[number]): Promise<Summary> =>
    runStudy(study, { ...rest, ...(out === undefined ? {} : { out: `${out}/${key}` }) })
  const free = await run(whole, 'separated')
  const { remedy } = free.separation
  if (!remedy || options.signal?.aborted) return [free]
  const held = { ...whole, model: { ...config.model, ...remedy }, name: `${whole.name}, ridge ${remedy.ridge}` }
  return [free, await run(held, 'separated-ridge')]
}
