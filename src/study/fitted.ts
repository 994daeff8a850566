/** Fitted models of a saved study: which end point is meant, and all that turns rows into its predictions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { listed, shown } from '../core/printable.js'
import { summaryFormat, summaryVersion, type MetricSet, type StationaryPoint, type Summary } from '../core/result.js'
import { biasesAtMeans, type Centring } from '../data/conditioning.js'
import type { Preprocessing } from '../data/types.js'
import { modelOf, userModel } from '../models/expression/expression.js'
import { isScalar, losses } from '../models/losses/index.js'
import { layers } from '../models/network/network.js'
import { networkOf, parameterCount } from '../models/model.js'
import type { Model } from '../models/types.js'
import { expressionModel } from './formulaConfig.js'
import { readRecord } from './record.js'
import { readSealed } from '../runs/list.js'
import { listFile, runsFolder, studyFile, summaryFile } from '../runs/names.js'
import { firstStartOf, readEnd } from '../runs/points.js'

/** Which model of a study; the minimum with the lowest loss when nothing is named. */
export interface ModelChoice {
  /** Number of a distinct point, as the summary gives it. */
  readonly point?: number
  /** Number of a start: the end point of its run. */
  readonly start?: number
  /** The point with the best value of a metric, such as `test.accuracy`. */
  readonly best?: string
}

export interface FittedModel {
  /** The study's name. */
  readonly name: string
  /** Which point it is, in words. */
  readonly point: string
  readonly loss: number
  /** Runs that ended there. */
  readonly runs: number
  readonly model: Model
  readonly preprocessing: Preprocessing
  /** [P] */
  readonly theta: Float64Array
  /** What is done to the inputs before, which keeps digits beside large means; the parameters are those of what comes out. */
  readonly scaling?: { readonly mean: readonly number[]; readonly sd: readonly number[] }
}

const numbers = z.array(z.number())
const column = z.object({ column: z.string() })
const coding = column.extend({ loss: z.enum(losses), coding: z.string(), classes: z.array(z.string()).optional() })
const preprocessingSchema = z.object({
  terms: z.array(
    z.union([
      column.extend({
        kind: z.literal('category'),
        levels: z.array(z.string()),
        without: z.array(z.string()).optional()
      }),
      column.extend({ kind: z.literal('number') })
    ])
  ),
  columns: z.array(z.string()),
  standardization: z.object({ mean: numbers, sd: numbers }).optional(),
  targetStandardization: z.object({ mean: z.number(), sd: z.number() }).optional(),
  target: coding.extend({ others: z.array(coding).optional() }),
  missingValues: z.array(z.string()),
  offset: z.string().optional(),
  exposure: z.string().optional(),
  centring: z.object({ means: numbers, scale: z.number(), shift: numbers }).optional()
})

const whole = z.number().int().nonnegative()
const metrics = z.record(z.string(), z.number().nullable())
const points = z.array(
  z.looseObject({
    id: whole,
    loss: z.number(),
    count: whole,
    parameters: numbers,
    names: z.array(z.string()),
    metrics: z.looseObject({ train: metrics, test: metrics.optional() }).optional()
  })
)
/** What models are made of in a summary. */
const summarySchema = z.looseObject({
  format: z.literal(summaryFormat),
  version: z.literal(summaryVersion),
  identity: z.string(),
  name: z.string(),
  starts: whole,
  minima: points,
  degenerate: points,
  saddles: points
})

interface SavedStudy {
  readonly directory: string
  readonly model: Model
  readonly preprocessing: Preprocessing
  readonly centring?: Centring
  readonly summary: Summary
}

function readJson(path: string, remedy = 'run the study again'): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new InputError(`${shown(path)} is not valid JSON; ${remedy}.`)
  }
}

/** @throws InputError where there is none, or it is not that of the runs beside it */
async function checkedSummary(directory: string, identity: string): Promise<Summary> {
  const path = join(directory, summaryFile)
  const anew = `\`manystart report ${shown(directory)}\` makes it anew`
  if (!existsSync(path)) throw new InputError(`${shown(directory)} holds no ${summaryFile}; ${anew}.`)
  // Whoever has taken record and summary away from the runs keeps a study that predicts.
  const isWithRuns = existsSync(join(directory, runsFolder, listFile))
  const sealed = isWithRuns ? await readSealed(directory) : undefined
  const raw = sealed ? (JSON.parse(sealed.text) as unknown) : readJson(path, anew)
  const read = summarySchema.safeParse(raw)
  if (!read.success) {
    const field = read.error.issues[0].path.map(String).join('.')
    throw new InputError(`${field === '' ? 'The whole' : shown(field)} of ${shown(path)} is missing or wrong; ${anew}.`)
  }
  if (read.data.identity !== identity)
    throw new InputError(`${shown(path)} belongs to another study than ${studyFile} beside it; ${anew}.`)
  if (isWithRuns && !sealed)
    throw new InputError(
      `${shown(path)} is not that of the runs in ${shown(directory)} as they are, or was altered; ${anew}.`
    )
  return raw as Summary
}

/** @throws InputError for a directory that holds no study with its preprocessing and summary */
export async function openStudy(directory: string): Promise<SavedStudy> {
  if (!existsSync(join(directory, studyFile)) && existsSync(directory)) {
    const inside = readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(join(directory, entry.name, studyFile)))
      .map(entry => join(directory, entry.name))
    if (inside.length > 0)
      throw new InputError(`${shown(directory)} holds several studies; give one of ${listed(inside, 20)}.`)
  }
  const { config, identity } = await readRecord(directory)
  const file = join(directory, studyFile)
  const { preprocessing } = readJson(file) as { preprocessing?: unknown }
  const checked = preprocessingSchema.safeParse(preprocessing)
  if (!checked.success) {
    const { path } = checked.error.issues[0]
    throw new InputError(
      `${shown(file)} has no ${['preprocessing', ...path].join('.')} that this program can read; run the study again.`
    )
  }
  const summary = await checkedSummary(directory, identity)
  const done = preprocessing as Preprocessing
  const { loss, classes, others } = done.target
  if (config.model.objective !== undefined)
    throw new InputError(
      `${shown(directory)} is a study of an objective, which predicts nothing; give a study on data.`
    )
  if (config.model.formula !== undefined) {
    const expression = userModel(expressionModel(config.model, config.starts.init, done.columns))
    return { directory, model: modelOf(expression, loss), preprocessing: done, summary }
  }
  const { hidden, activation, bias, ridge, penalizeBias } = config.model
  const outputs = isScalar(loss) ? 1 + (others?.length ?? 0) : (classes?.length ?? 2)
  const inputs = done.columns.length
  return {
    directory,
    model: { kind: 'network', inputs, hidden, outputs, activation, loss, bias, ridge, penalizeBias },
    preprocessing: done,
    ...(checked.data.centring ? { centring: checked.data.centring } : {}),
    summary
  }
}

/**
 * Parameters of the columns less their means, where biases take these up. Without biases the means cannot go anywhere, so that
 * parameters stay those of the standardised columns, where they were asked for.
 */
function parametersAt(
  { model, preprocessing: { standardization }, centring }: SavedStudy,
  parameters: ArrayLike<number>,
  atMeans: readonly number[] | undefined
): Pick<FittedModel, 'theta' | 'scaling'> {
  const theta = Float64Array.from(parameters)
  const network = networkOf(model)
  if (!network?.bias) return { theta, ...(standardization ? { scaling: standardization } : {}) }
  if (!centring || !atMeans) return { theta }
  const [{ at, stride }] = layers(network)
  atMeans.forEach((bias, k) => (theta[at + k * stride] = bias))
  return { theta, scaling: { mean: centring.means, sd: centring.means.map(() => 1) } }
}

/** A distinct point of a study as a model. */
function modelAt(saved: SavedStudy, point: StationaryPoint, kind: string): FittedModel {
  const { model, preprocessing, summary } = saved
  const P = parameterCount(model)
  if (point.parameters.length !== P || !point.parameters.every(Number.isFinite))
    throw new InputError(
      `${kind} ${point.id} in ${shown(saved.directory)} does not have the ${P} parameters of the model; run the study again.`
    )
  return {
    name: summary.name,
    point: `${kind} ${point.id}`,
    loss: point.loss,
    runs: point.count,
    model,
    preprocessing,
    ...parametersAt(saved, point.parameters, point.atMeans)
  }
}

const byLoss = (a: FittedModel, b: FittedModel): number => a.loss - b.loss

/** All minima of a study, strict or flat, the best first. @throws InputError where there is none */
export function allMinima(saved: SavedStudy): FittedModel[] {
  const { minima, degenerate } = saved.summary
  const models = [
    ...minima.map(point => modelAt(saved, point, 'minimum')),
    ...degenerate.map(point => modelAt(saved, point, 'flat minimum'))
  ].sort(byLoss)
  if (models.length === 0)
    throw new InputError(`No run of ${shown(saved.directory)} ended in a minimum; name a run with --start N.`)
  return models
}

/** Metrics of which less is better. */
const errors: ReadonlySet<string> = new Set(['logLoss', 'rmse'])

function bestBy(saved: SavedStudy, metric: string): FittedModel {
  const { minima, degenerate } = saved.summary
  const points = [...minima, ...degenerate].filter(point => point.metrics).sort((a, b) => a.loss - b.loss)
  const valueOf = (point: StationaryPoint): number => {
    const [rows, name] = metric.split('.')
    const set = rows === 'train' || rows === 'test' ? point.metrics?.[rows] : undefined
    return set?.[name as keyof MetricSet<number>] ?? NaN
  }
  const known = (['train', 'test'] as const).flatMap(rows =>
    Object.keys(points[0]?.metrics?.[rows] ?? {}).map(name => `${rows}.${name}`)
  )
  if (!known.includes(metric))
    throw new InputError(`${shown(saved.directory)} has no metric ${shown(metric)}; ${knownNames(metric, known)}.`)
  const sign = errors.has(metric.split('.')[1]) ? -1 : 1
  const best = points.reduce((a, b) => (sign * valueOf(b) > sign * valueOf(a) ? b : a))
  return modelAt(saved, best, minima.includes(best) ? 'minimum' : 'flat minimum')
}

async function modelOfStart(saved: SavedStudy, start: number): Promise<FittedModel> {
  const { model, preprocessing, centring, summary, directory } = saved
  if (!Number.isInteger(start) || start < 0 || start >= summary.starts)
    throw new InputError(
      `There is no start ${start} in ${shown(directory)}; its starts are 0 to ${summary.starts - 1}.`
    )
  const run = await readEnd(directory, start)
  const network = networkOf(model)
  if (run) {
    const { loss, theta, conditioned } = run
    if (!theta)
      throw new InputError(
        `${shown(directory)} was made with keep: none, so it holds no parameters of start ${start}; choose a point, or \`manystart replay\` that start.`
      )
    const biases = centring && network ? biasesAtMeans(network, centring, conditioned) : undefined
    return {
      name: summary.name,
      point: `the end of start ${start}`,
      loss: loss[0],
      runs: 1,
      model,
      preprocessing,
      ...parametersAt(saved, theta, biases)
    }
  }
  throw new InputError(`The run of start ${start} is not in ${shown(directory)}; it had not ended.`)
}

/** @throws InputError when more than one thing is named, or what is named is not there */
export async function chooseModel(saved: SavedStudy, choice: ModelChoice = {}): Promise<FittedModel> {
  const named = Object.entries(choice).filter(([, value]) => value !== undefined)
  if (named.length > 1)
    throw new InputError(`${named.map(([name]) => name).join(' and ')} each choose a model; give one of them.`)
  if (choice.start !== undefined) return modelOfStart(saved, choice.start)
  if (choice.best !== undefined) return bestBy(saved, choice.best)
  if (choice.point === undefined) return allMinima(saved)[0]
  const { minima, degenerate, saddles } = saved.summary
  for (const [kind, points] of [
    ['minimum', minima],
    ['flat minimum', degenerate],
    ['saddle', saddles]
  ] as const) {
    const point = points.find(({ id }) => id === choice.point)
    if (point) return modelAt(saved, point, kind)
  }
  const start = await firstStartOf(saved.directory, choice.point)
  // The summary lists the best of each kind.
  if (start !== undefined) return { ...(await modelOfStart(saved, start)), point: `point ${choice.point}` }
  const ids = [...minima, ...degenerate, ...saddles].map(({ id }) => String(id))
  throw new InputError(
    `There is no point ${choice.point} in ${shown(saved.directory)}; its points are ${listed(ids, 20)}.`
  )
}

export type { SavedStudy }
