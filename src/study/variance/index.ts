/**
 * Why runs differ: initialisations × orders of mini-batches × resamples of the rows, crossed in one pass, for a model and its convex
 * twin.
 */
import { InputError } from '../../core/errors.js'
import { varianceFormat, varianceVersion, type ModelVariance, type VarianceResult } from '../../core/varianceResult.js'
import { expressionOf } from '../../models/model.js'
import { newtonLimit, resolveConfig, type StudyConfig } from '../config.js'
import { checkSame, configAgain } from '../record.js'
import { setUp, type Setup } from '../setup.js'
import type { StudyFiles } from '../study.js'
import { initText, optimizerText } from '../words.js'
import {
  checkSize,
  defaults,
  levelsOf,
  resamplingOf,
  twinOf,
  type Design,
  type Raw,
  type VarianceInput
} from './design.js'
import { readVariance, VarianceDirectory, type Side } from './directory.js'
import { modelVariance } from './quantities.js'
import { crossed, type VarianceOptions } from './runs.js'

export type { VarianceInput } from './design.js'
export type { VarianceOptions } from './runs.js'

const method =
  'Balanced random-effects analysis of variance: mean squares set equal to their expectations (Searle, Casella and McCulloch 1992), estimates below 0 given ' +
  'as 0. 95 % intervals by generalised pivotal quantities (Weerahandi 1993), which suppose normal effects; of minima and predictions, whose variances are added up, ' +
  'with the degrees of freedom of a single quantity. The residual holds what all factors do together.'

/** Where the runs and the result are kept. */
export interface VarianceRunOptions extends VarianceOptions {
  /** Directory that is made for them. */
  readonly out?: string
  /** Replace what `out` holds of an earlier design. */
  readonly force?: boolean
  /** Files that are read: none of them is ever written. */
  readonly inputs?: readonly string[]
  /** Adds files of its own once the result is there. */
  readonly finish?: (result: VarianceResult, files: StudyFiles) => Promise<void> | void
}

/**
 * Crosses starts, orders of mini-batches and resamples of the rows, for a model and its convex twin, and splits what varies by them.
 * @throws InputError as {@link study}, and for a design of one run or of more than is compared at once
 */
export const variance = (config: VarianceInput, options: VarianceOptions = {}): Promise<VarianceResult> =>
  runVariance({ ...config }, options)

/** The same of what a file or flags say, kept in a directory where `out` names one; `source` is what to call it in messages. */
export async function runVariance(
  raw: Raw,
  options: VarianceRunOptions = {},
  source = 'the study'
): Promise<VarianceResult> {
  const { variance: own, ...rest } = raw
  const starts = { count: defaults.starts, ...(rest['starts'] as object | undefined) }
  const config = resolveConfig({ ...rest, starts }, source)
  const { out } = options
  return analysed(config, (own ?? {}) as Raw, options, source, (setup, design) =>
    out === undefined ? undefined : VarianceDirectory.create(setup, design, out, options)
  )
}

/**
 * Goes on with a design where it stopped; with more starts, adds them.
 * @throws InputError when the directory holds none, or its data or configuration have changed
 */
export async function resumeVariance(
  path: string,
  options: Omit<VarianceRunOptions, 'out' | 'force'> & { readonly starts?: number } = {}
): Promise<VarianceResult> {
  const { saved, variance: given } = await readVariance(path)
  const { starts } = saved.config
  const count = options.starts ?? starts.count
  if (count < starts.count)
    throw new InputError(
      `${path} has ${starts.count} starts and cannot go on with ${count}; give at least as many, or another directory with --out.`
    )
  const config = { ...configAgain(saved), starts: { ...starts, count } }
  return analysed(config, given, options, path, (setup, design) => {
    checkSame(path, saved, setup)
    return VarianceDirectory.resume(setup, design, path)
  })
}

/** The setup and the design of a configuration. */
export async function designed(
  config: StudyConfig,
  given: Raw,
  options: VarianceOptions,
  source: string
): Promise<{ readonly setup: Setup; readonly design: Design }> {
  const levels = levelsOf(given, config, source)
  const setup = await setUp(config, setupOptions(levels[2] > 1, options))
  try {
    checkSize(levels, setup.objective.parameters)
    return {
      setup,
      design: { levels, ...resamplingOf(given['resampling'], setup.problem.rows, config.starts.seed, source) }
    }
  } catch (error) {
    setup.dispose()
    throw error
  }
}

const setupOptions = (ownRows: boolean, { threads, onLoad }: VarianceOptions) => ({
  ...(threads === undefined ? {} : { threads }),
  ...(onLoad ? { onLoad } : {}),
  needs: { inputs: ownRows ? ('rows' as const) : true }
})

async function analysed(
  config: StudyConfig,
  given: Raw,
  options: VarianceRunOptions,
  source: string,
  open: (setup: Setup, design: Design) => Promise<VarianceDirectory> | undefined
): Promise<VarianceResult> {
  const { setup, design } = await designed(config, given, options, source)
  let directory: VarianceDirectory | undefined
  let other: Setup | undefined
  try {
    directory = await open(setup, design)
    for (const sentence of directory?.said ?? []) options.onNote?.(sentence)
    const large = setup.objective.parameters > newtonLimit
    const twinConfig = twinOf(large ? { ...config, optimizer: setup.optimizer } : config, setup)
    const total = twinConfig ? 2 : 1
    const of = async (side: Side, own: Setup): Promise<ModelVariance> => {
      options.onModel?.(side === 'model' ? 1 : 2, total)
      const began = performance.now()
      const runs = await crossed(own, design, options, await directory?.kept(side, own, design, options.onNote))
      return { ...(await modelVariance(own, design, runs)), seconds: (performance.now() - began) / 1000 }
    }
    const model = await of('model', setup)
    if (twinConfig) {
      const { name: _, ...unnamed } = twinConfig
      other = await setUp(unnamed, setupOptions(design.levels[2] > 1, options))
    }
    const result = resultOf(setup, design, model, other && (await of('twin', other)))
    await directory?.sumUp(setup, design, result)
    if (directory) await options.finish?.(result, directory)
    return result
  } finally {
    await directory?.close()
    other?.dispose()
    setup.dispose()
  }
}

function resultOf(
  setup: Setup,
  { levels, words }: Design,
  model: ModelVariance,
  twin: ModelVariance | undefined
): VarianceResult {
  const { engine, data, config } = setup
  return {
    format: varianceFormat,
    version: varianceVersion,
    ...model,
    starts: levels[0],
    orders: levels[1],
    resamples: levels[2],
    resampling: levels[2] > 1 ? words : 'none',
    method,
    problem: {
      data: data.name,
      rows: setup.problem.rows,
      testRows: setup.test?.rows ?? 0,
      target: data.target,
      optimizer: optimizerText(setup.optimizer),
      seed: config.starts.seed,
      init: initText(config.starts, expressionOf(setup.problem.model))
    },
    engine: {
      name: engine.name,
      precision: engine.precision,
      device: engine.device,
      threads: engine.threads,
      why: setup.why
    },
    ...(twin ? { twin } : {})
  }
}
