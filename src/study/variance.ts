/**
 * Why runs differ: initialisations × orders of mini-batches × resamples of the rows, crossed in one pass, for a model and its convex
 * twin. The run of (start, order, resample) has the place (start · orders + order) · resamples + resample.
 */
import { Squares, type Levels } from '../analysis/variance.js'
import { InputError, WorkError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { resampledWeights, resamplingKinds, type Resampling } from '../core/resampling.js'
import { Status } from '../core/status.js'
import {
  varianceFormat,
  varianceVersion,
  type ModelVariance,
  type RowSplit,
  type VarianceResult,
  type VarianceSplit
} from '../core/varianceResult.js'
import { sources, type Source } from '../core/varianceResult.js'
import type { RunRequest } from '../engines/types.js'
import { convexTwin, lossTable } from '../models/losses/index.js'
import { convexity, modelName, networkOf } from '../models/model.js'
import { classCells, scoreRun, scoresOf } from '../models/scores.js'
import { optimizers } from '../optimizers/registry.js'
import { epsilonOf } from '../optimizers/types.js'
import { newtonLimit, resolveConfig, type StudyConfig } from './config.js'
import { endsOf } from './ends.js'
import type { StudyInput } from './input.js'
import { predictedMeans } from '../models/means.js'
import { userScores } from './present.js'
import { requestOf } from './run.js'
import { setUp, type Setup } from './setup.js'
import { someRows } from './someRows.js'
import type { SessionOptions } from './study.js'
import { initText, optimizerText } from './words.js'

/** What goes into the analysis of why runs differ: a study, of which `starts.count` starts (100 unless given) are crossed. */
export interface VarianceInput extends StudyInput {
  /** What is crossed. */
  readonly variance?: {
    /** Orders of mini-batches; 20 where the optimiser takes mini-batches, else 1. */
    readonly orders?: number
    /** Resamples of the rows; default 1: the rows as given. */
    readonly resamples?: number
    /** How rows are resampled: `bootstrap`, `poisson`, or `split:0.3`, which leaves that share out. */
    readonly resampling?: string
  }
}

/** Who is told of what, and how the runs are made. */
export interface VarianceOptions extends Pick<
  SessionOptions,
  'threads' | 'lanes' | 'signal' | 'onLoad' | 'onProgress'
> {
  /** Told before each of the two models. */
  readonly onModel?: (number: number, total: number) => void
}

interface Design {
  readonly levels: Levels
  readonly how: Resampling
  readonly words: string
}

/** What the configuration says nothing of. */
const defaults = { starts: 100, orders: 20, held: 0.3 } as const
/** Numbers held of all runs at most: their parameters, or their predictions for some rows. */
const mostNumbers = 2 ** 28
const numbersAtOnce = 2 ** 22
/** Rows whose predictions are split one by one. */
const shownRows = 1000

const method =
  'Balanced random-effects analysis of variance: mean squares set equal to their expectations (Searle, Casella and McCulloch 1992), estimates below 0 given ' +
  'as 0. 95 % intervals by generalised pivotal quantities (Weerahandi 1993), which suppose normal effects; of minima and predictions, whose variances are added up, ' +
  'with the degrees of freedom of a single quantity. The residual holds what all factors do together.'

type Raw = Readonly<Record<string, unknown>>

function wholeOf(raw: Raw, name: string, source: string): number | undefined {
  const value = raw[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw new InputError(
      `variance.${name} in ${source} is ${JSON.stringify(value)}; give a whole number of at least 1.`
    )
  return value
}

/** bootstrap, poisson, or split:0.3 */
function resamplingOf(value: unknown, rows: number, seed: number, source: string): { how: Resampling; words: string } {
  const known = resamplingKinds.filter(kind => kind !== 'folds')
  const [named, share = String(defaults.held)] = String(value ?? known[0]).split(':')
  const kind = known.find(k => k === named)
  if (kind === undefined)
    throw new InputError(
      `variance.resampling in ${source} is ${JSON.stringify(value)}; ${knownNames(named, known)}, such as split:0.3.`
    )
  if (kind !== 'split') return { how: { kind, seed }, words: kind }
  const held = Math.round(Number(share) * rows)
  if (!(held >= 1 && held < rows))
    throw new InputError(
      `variance.resampling in ${source} is ${JSON.stringify(value)}, which leaves out ${held} of ${rows} rows; give a share such as split:0.3.`
    )
  return { how: { kind, held, seed }, words: `split, ${held} of ${rows} rows left out` }
}

/** @throws InputError for fields that there are not, and for orders of a method that has none */
function levelsOf(variance: Raw, config: StudyConfig, source: string): Levels {
  const known = ['orders', 'resamples', 'resampling']
  for (const name of Object.keys(variance))
    if (!known.includes(name))
      throw new InputError(`Unknown field "${name}" under variance in ${source}; ${knownNames(name, known)}.`)
  const { optimizer } = config
  if (config.starts.file !== undefined)
    throw new InputError(
      `starts.file in ${source} does not go with an analysis of variance, which draws starts at random; remove it.`
    )
  if (config.starts.design !== 'random')
    throw new InputError(
      `starts.design in ${source} is ${config.starts.design}, and an analysis of variance draws starts at random; remove it.`
    )
  const orders = wholeOf(variance, 'orders', source)
  const batches = optimizer !== null && optimizer.batch !== null
  if (!batches && orders !== undefined && orders > 1) {
    const stochastic = Object.keys(optimizers).filter(name => optimizers[name].stochastic)
    throw new InputError(
      `variance.orders in ${source} is ${orders}, but without mini-batches a run has no order; give --batch-size with --optimizer ${stochastic.join(' | ')}, or leave out --orders.`
    )
  }
  return [config.starts.count, orders ?? (batches ? defaults.orders : 1), wholeOf(variance, 'resamples', source) ?? 1]
}

/** The model without hidden layer and with a convex loss; undefined where the model is convex, or no network. */
function twinOf(config: StudyConfig, setup: Setup): StudyConfig | undefined {
  if (!networkOf(setup.model) || convexity(setup.model).model) return undefined
  const { activation, bias, ridge, penalizeBias, firth } = config.model
  const loss = convexTwin(setup.model.loss)
  const own = loss === setup.model.loss ? config.model.loss : loss
  const model = {
    hidden: [],
    activation,
    bias,
    ridge,
    penalizeBias,
    firth,
    ...(own === undefined ? {} : { loss: own })
  }
  // Newton or L-BFGS by the size of the network, not by that of its twin.
  return { ...config, model }
}

/** All runs of the design, in its order. */
async function crossed(setup: Setup, { levels, how }: Design, options: VarianceOptions) {
  const [I, O, S] = levels
  const count = I * O * S
  const P = setup.objective.parameters
  const place = (f: (at: number) => number): Float64Array => Float64Array.from({ length: count }, (_, r) => f(r))
  const { lanes, signal } = options
  const extra: Partial<RunRequest> = {
    inputs: {
      draws: { start: place(r => Math.floor(r / (O * S))), order: place(r => Math.floor(r / S) % O) },
      ...(S > 1 ? { rows: { how, numbers: place(r => r % S) } } : {})
    },
    ...(lanes === undefined ? {} : { lanes }),
    ...(signal ? { signal } : {})
  }
  const asked = requestOf(setup, { first: 0, count }, extra)
  const request = asked.batch ? { ...asked, batch: { ...asked.batch, order: 'run' as const } } : asked
  const theta = new Float64Array(count * P)
  const loss = new Float64Array(count)
  const failed = new Uint8Array(count)
  // Whether every run met the test of its gradient on the rows as they are, so that what its stopping leaves can be told.
  let arrived = S === 1
  let done = 0
  for await (const block of setup.objective.minimise(request)) {
    for (let i = 0; i < block.count; i++) {
      const r = block.start[i]
      theta.set(block.theta.subarray(i * P, (i + 1) * P), r * P)
      loss[r] = block.loss[i]
      arrived &&= block.status[i] === Status.converged
      failed[r] = block.status[i] === Status.failed ? 1 : 0
    }
    done += block.count
    options.onProgress?.({ done, total: count, minima: 0 })
  }
  if (done < count)
    throw new WorkError(
      `${done} of ${count} runs had ended, and variances need all of them; give fewer starts, orders or resamples.`
    )
  return { theta, loss, failed, arrived }
}

/** Leaves out the starts of which a run failed, so that the design stays balanced. */
function balanced(runs: Awaited<ReturnType<typeof crossed>>, levels: Levels, P: number) {
  const each = levels[1] * levels[2]
  const kept = Array.from({ length: levels[0] }, (_, i) => i).filter(i =>
    runs.failed.subarray(i * each, (i + 1) * each).every(f => f === 0)
  )
  const failed = runs.failed.reduce((n, f) => n + f, 0)
  if (kept.length < Math.min(2, levels[0]))
    throw new WorkError(
      `${failed} of ${runs.failed.length} runs failed, too many to compare the others; give a smaller learning rate or smaller starts.`
    )
  const take = (values: Float64Array, width: number): Float64Array => {
    const out = new Float64Array(kept.length * width)
    kept.forEach((i, n) => out.set(values.subarray(i * width, (i + 1) * width), n * width))
    return out
  }
  return {
    theta: take(runs.theta, each * P),
    loss: take(runs.loss, each),
    levels: [kept.length, levels[1], levels[2]] as const,
    failed,
    arrived: runs.arrived
  }
}

/** Four times the rms of what stopping leaves of a quantity: its values where the runs ended, and where they were heading. */
const leftBy = (values: ArrayLike<number>, settled: ArrayLike<number> | undefined): number => {
  if (!settled) return 0
  let sum = 0
  for (let r = 0; r < values.length; r++) sum += (values[r] - settled[r]) ** 2
  return 4 * Math.sqrt(sum / values.length)
}

/** Scores of every run on the rows that its resample left out: [R, M]. */
async function leftOut(setup: Setup, { levels, how }: Design, theta: Float64Array): Promise<Float64Array> {
  const { problem, model, certifier } = setup
  const P = setup.objective.parameters
  const R = theta.length / P
  const M = scoresOf(model).length
  const out = new Float64Array(R * M)
  const counts = new Float64Array(classCells(model, problem.rows))
  const width = problem.rows * model.outputs
  const weights = Array.from({ length: levels[2] }, (_, s) => {
    const there = resampledWeights(how, s, problem.rows, undefined)
    return there.map((n, i) => (n > 0 ? 0 : (problem.weight?.[i] ?? 1)))
  })
  const together = Math.max(1, Math.floor(numbersAtOnce / width))
  for (let from = 0; from < R; from += together) {
    const to = Math.min(R, from + together)
    const z = await certifier.objective.outputs(theta.subarray(from * P, to * P))
    for (let r = from; r < to; r++) {
      const rows = { rows: problem.rows, y: problem.y, weight: weights[r % levels[2]] }
      scoreRun(
        model,
        rows,
        z.subarray((r - from) * width, (r - from + 1) * width),
        out.subarray(r * M, (r + 1) * M),
        counts
      )
    }
  }
  return out
}

/** Predictions: all rows together, and row by row. */
async function predictions(
  setup: Setup,
  levels: Levels,
  theta: Float64Array,
  settled: Float64Array | undefined,
  eps: number
) {
  const { problem, model, certifier, frame } = setup
  const R = levels[0] * levels[1] * levels[2]
  const C = model.outputs
  const all = new Squares(levels)
  const rows: RowSplit[] = []
  let left = 0
  const unit = lossTable[model.loss].response === 'number' ? frame.targetScale : 1
  const together = Math.max(1, Math.floor(numbersAtOnce / (R * C)))
  for (let from = 0; from < problem.rows; from += together) {
    const to = Math.min(problem.rows, from + together)
    const some = someRows(problem, from, to)
    const means = predictedMeans(model, await certifier.objective.outputs(theta, some))
    const heading = settled && predictedMeans(model, await certifier.objective.outputs(settled, some))
    const n = to - from
    for (let i = 0; i < n; i++) {
      const row = new Squares(levels)
      let own = 0
      for (let c = 0; c < C; c++) {
        const column = (of: Float64Array): Float64Array =>
          Float64Array.from({ length: R }, (_, r) => unit * of[(r * n + i) * C + c])
        const values = column(means)
        own += leftBy(values, heading && column(heading)) ** 2
        all.add(values)
        row.add(values)
      }
      left += own
      if (problem.rows > shownRows) continue
      const split = row.components(eps, Math.sqrt(own), false)
      const shares = Object.fromEntries(sources.map(s => [s, split[s].share])) as Record<Source, number>
      rows.push({ row: from + i + 1, mean: split.mean, deviation: split.deviation, shares })
    }
  }
  rows.sort((a, b) => b.deviation - a.deviation || a.row - b.row)
  return { all: all.components(eps, Math.sqrt(left)), rows }
}

async function modelVariance(setup: Setup, design: Design, options: VarianceOptions): Promise<ModelVariance> {
  const began = performance.now()
  const { model, frame, certifier, test } = setup
  const P = setup.objective.parameters
  const { theta, loss, levels, failed, arrived } = balanced(await crossed(setup, design, options), design.levels, P)
  const R = loss.length
  const eps = epsilonOf[setup.engine.precision]
  const metrics: Record<string, VarianceSplit> = {}
  const notes: string[] = []
  const { ends, ...heading } = await endsOf(setup, theta)
  const settled = arrived ? heading : undefined
  const add = (name: string, values: Float64Array, settledValues: Float64Array | undefined): void => {
    const missing = values.reduce((n, v) => n + (Number.isFinite(v) ? 0 : 1), 0)
    const squares = new Squares(levels)
    squares.add(values)
    if (missing === 0) metrics[name] = squares.components(eps, leftBy(values, settledValues))
    else notes.push(`${name} has no value in ${missing} of ${R} runs, so its variance is not split.`)
  }
  const inUnits = (values: Float64Array): Float64Array => values.map(v => v * frame.lossScale)
  add('loss', inUnits(loss), settled && inUnits(settled.loss))
  const names = scoresOf(model)
  const addScores = async (prefix: string, score: (theta: Float64Array) => Promise<Float64Array>): Promise<void> => {
    const columns = async (at: Float64Array): Promise<Float64Array[]> => {
      const values = userScores(model, frame, await score(at))
      return names.map((_, m) => Float64Array.from({ length: R }, (_, r) => values[r * names.length + m]))
    }
    const found = await columns(theta)
    const heads = settled && (await columns(settled.theta))
    names.forEach((name, m) => add(prefix + name, found[m], heads?.[m]))
  }
  if (names.length > 0) {
    await addScores('', async at => (await certifier.objective.score(at)).values)
    if (levels[2] > 1) await addScores('out.', at => leftOut(setup, design, at))
    if (test) await addScores('test.', async at => (await certifier.objective.score(at, test)).values)
  }
  const reached = new Squares(levels)
  for (const { runs } of ends) reached.add(runs)
  metrics['minimum'] = reached.components(eps)
  const predicted = names.length > 0 ? await predictions(setup, levels, theta, settled?.theta, eps) : undefined
  if (predicted) metrics['predictions'] = predicted.all
  if (failed > 0)
    notes.push(
      `${failed} of ${design.levels.reduce((a, b) => a * b)} runs failed; the ${design.levels[0] - levels[0]} starts that they belong to are left out.`
    )
  return {
    name: setup.config.name ?? modelName(setup.model),
    convex: convexity(model).model,
    metrics,
    minima: ends.map(({ end, loss, runs }) => ({ end, loss, runs: runs.reduce((a, b) => a + b, 0) })),
    rows: predicted?.rows ?? [],
    runs: R,
    failed,
    seconds: (performance.now() - began) / 1000,
    notes: [...setup.remarks, ...notes]
  }
}

/** @throws InputError where the runs take more memory than is held of them */
function checkSize(levels: Levels, P: number): void {
  const runs = levels.reduce((a, b) => a * b)
  if (runs < 2)
    throw new InputError('The design has one run, which does not vary; give more --starts, --orders or --resamples.')
  if (runs * P > mostNumbers)
    throw new InputError(
      `${levels.join(' × ')} runs of ${P} parameters are more than are compared at once; give fewer starts, orders or resamples.`
    )
}

/**
 * Crosses starts, orders of mini-batches and resamples of the rows, for a model and its convex twin, and splits what varies by them.
 * @throws InputError as {@link study}, and for a design of one run or of more than is compared at once
 */
export const variance = (config: VarianceInput, options: VarianceOptions = {}): Promise<VarianceResult> =>
  runVariance({ ...config }, options)

/** The same of what a file or flags say; `source` is what to call it in messages. */
export async function runVariance(
  raw: Raw,
  options: VarianceOptions = {},
  source = 'the study'
): Promise<VarianceResult> {
  const { variance: own, ...rest } = raw
  const given = (own ?? {}) as Raw
  const starts = { count: defaults.starts, ...(rest['starts'] as object | undefined) }
  const config = resolveConfig({ ...rest, starts }, source)
  const levels = levelsOf(given, config, source)
  const { threads, onLoad } = options
  const setOptions = {
    ...(threads === undefined ? {} : { threads }),
    ...(onLoad ? { onLoad } : {}),
    needs: { inputs: levels[2] > 1 ? ('rows' as const) : true }
  }
  const setup = await setUp(config, setOptions)
  try {
    const P = setup.objective.parameters
    checkSize(levels, P)
    const { how, words } = resamplingOf(given['resampling'], setup.problem.rows, config.starts.seed, source)
    const design: Design = { levels, how, words }
    const twinConfig = twinOf(P > newtonLimit ? { ...config, optimizer: setup.optimizer } : config, setup)
    const total = twinConfig ? 2 : 1
    options.onModel?.(1, total)
    const model = await modelVariance(setup, design, options)
    let twin: ModelVariance | undefined
    if (twinConfig) {
      options.onModel?.(2, total)
      const { name: _, ...unnamed } = twinConfig
      const other = await setUp(unnamed, setOptions)
      try {
        twin = await modelVariance(other, design, options)
      } finally {
        other.dispose()
      }
    }
    const { engine, data } = setup
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
        init: initText(config.starts)
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
  } finally {
    setup.dispose()
  }
}
