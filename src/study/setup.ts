/** Everything a study decides before the first run: data, model, separation, engines, update rule, judge. */
import {
  columnScale,
  convexity,
  expressionOf,
  hasBias,
  isNetwork,
  networkOf,
  parameterCount,
  parameterNames,
  penaltyOf,
  ridgeOnAll,
  userPoints,
  withGaussNewton
} from '../models/model.js'
import { blankLoss } from '../models/outputs.js'
import { validateProblem } from '../models/validate.js'
import { modelOf } from '../models/expression/expression.js'
import { chosenLoss, lossName } from '../models/losses/choice.js'
import { defaultLosses, isScalar, lossTable } from '../models/losses/index.js'
import type { Network, Problem, Model } from '../models/types.js'
import { judging, type Judging } from '../analysis/recognise.js'
import type { Judge } from '../analysis/judge.js'
import { flatDirections } from '../analysis/rank.js'
import { recedingOf } from '../analysis/receding.js'
import { separation, type Separation } from '../analysis/separation/index.js'
import { conditionProblem, identityFrame, type Frame, type Standardization } from '../data/conditioning.js'
import { withoutAliased } from '../data/aliased.js'
import { loadData } from '../data/load.js'
import type { ReadOptions } from '../data/read.js'
import type { Dataset, Rows } from '../data/types.js'
import type { Keep } from '../runs/table.js'
import { MixedObjective } from '../engines/mixed.js'
import { chooseEngine } from '../engines/registry.js'
import type { Engine, EngineEntry, Objective, SearchPrecision, WorkNeeds } from '../engines/types.js'
import { buildClimbs } from '../optimizers/climb.js'
import { buildFlow, flowSteps } from '../optimizers/flow.js'
import { buildPolish, polishStepsFor } from '../optimizers/polish.js'
import { newton } from '../optimizers/newton.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import { epsilonOf, type ResolvedOptimizer } from '../optimizers/types.js'
import type { Program } from '../language/program.js'
import { firthHelps, growthOf, remedyFor } from './remedy.js'
import { InputError } from '../core/errors.js'
import { resolveForModel, type StudyConfig } from './config.js'
import { expressionModel } from './formulaConfig.js'
import { checkColumns, checkStarts, linearRank, noData } from './formulaProblem.js'
import { judgeRemarks } from './choice.js'
import { checkModel, checkTable } from './memory.js'
import { startNotes } from './startNotes.js'
import { readStarts } from './ownStarts.js'
import { madePoints, ownPoints, type StartPoints } from './starts.js'

/** √eps⁻¹ in f64, what counts as overflowing beside the loss of a network that is all zeros. */
const highFactor = 2 ** 26
/** Starts up to which parameters are kept as found and as certified, where the configuration says nothing of it. */
const allKept = 1e6

export interface Setup {
  readonly config: StudyConfig
  readonly starts: StartPoints
  readonly data: Dataset
  readonly model: Model
  readonly names: readonly string[]
  /** What is minimised: the conditioned problem. */
  readonly problem: Problem
  /** The way between its coordinates and the user's. */
  readonly frame: Frame
  readonly test: Problem | undefined
  readonly separation: Separation
  readonly rank: { readonly rank: number; readonly columns: number; readonly aliased: readonly string[] }
  readonly optimizer: ResolvedOptimizer
  readonly steps: number
  readonly program: Program
  /** The same in double precision. */
  readonly exactProgram: Program
  readonly engine: Engine
  /** Of the search; `mixed`: in f32, finished in f64. */
  readonly precision: SearchPrecision
  readonly why: string
  /** What was chosen on the user's behalf, in sentences. */
  readonly remarks: readonly string[]
  readonly objective: Objective
  /** f64 on the CPU; the search engine itself where it is one. */
  readonly certifier: { readonly engine: Engine; readonly objective: Certifying }
  readonly judge: Judge
  /** Verdicts of a block of runs; what is proved on the way is recognised later. */
  readonly judgeRuns: Judging['judgeRuns']
  /** What should be known of the starts before they run, a sentence each. */
  readonly startNotes: readonly string[]
  /** Which parameters of every run are stored. */
  readonly keep: Keep
  dispose(): void
}

const problemOf = (model: Model, rows: Rows): Problem => ({
  model,
  rows: rows.rows,
  x: rows.x,
  y: rows.y,
  ...(rows.weight ? { weight: rows.weight } : {}),
  ...(rows.offset ? { offset: rows.offset } : {})
})

export function modelFor(config: StudyConfig, data: Dataset): Model {
  const { hidden, activation, bias, ridge, penalizeBias, firth, loss } = config.model
  const parameters = loss === undefined ? [] : chosenLoss(loss).parameters
  if (isFormula(config)) {
    const model = modelOf(expressionModel(config.model, config.starts.init, data.columns), data.loss)
    return parameters.length > 0 ? { ...model, lossParameters: parameters } : model
  }
  const outputs = isScalar(data.loss) ? data.y.length / data.rows : (data.classes?.length ?? 2)
  return {
    kind: 'network',
    inputs: data.inputs,
    hidden,
    outputs,
    activation,
    loss: data.loss,
    ...(parameters.length > 0 ? { lossParameters: parameters } : {}),
    bias,
    ridge,
    penalizeBias,
    ...(firth ? { firth } : {})
  }
}

/**
 * Rows as the model's user sees them. Without biases the means cannot be moved anywhere, so that standardised columns then have no
 * equivalent in the columns as given: they are the user's.
 */
export function givenRows(data: Dataset, rows: Rows, bias: boolean): Rows {
  const scaling = bias ? undefined : data.standardization
  if (!scaling) return rows
  const D = data.inputs
  return { ...rows, x: rows.x.map((v, n) => (v - scaling.mean[n % D]) / scaling.sd[n % D]) }
}

/** The coordinates that were asked for, where they are not the user's. */
export function askedOf(
  { standardization: columns, targetStandardization: target }: Dataset,
  bias: boolean
): Standardization | undefined {
  // Without biases neither columns nor target can be moved.
  if (!bias || (!columns && !target)) return undefined
  return { ...(columns ? { columns } : {}), ...(target ? { target } : {}) }
}

const isFormula = ({ model }: StudyConfig): boolean => model.formula !== undefined || model.objective !== undefined

async function dataOf(config: StudyConfig, options: ReadOptions): Promise<Dataset> {
  const { model, data } = config
  if (model.objective !== undefined) {
    const given = (['csv', 'builtin', 'generate', 'target'] as const).find(name => data[name] !== undefined)
    if (given !== undefined)
      throw new InputError(
        `data.${given} does not go with an objective, which has no data; remove it, or give a formula.`
      )
    return noData(model.objective)
  }
  // Beside a path the model that is studied has no ridge, but columns that depend on others are no mistake.
  const use = model.ridgePath === undefined ? model : { ...model, ridge: 1 }
  if (model.formula === undefined) return loadData(data, lossName(model.loss), use, options)
  if (data.standardize === true)
    throw new InputError('A formula is in the columns as they are, so they cannot be standardised; remove standardize.')
  const targets = Array.isArray(data.target) ? data.target : []
  if (targets.length > 1)
    throw new InputError(
      `data.target names ${targets.length} columns (${targets.join(', ')}), and a formula has one output; give one of them.`
    )
  const columns = await checkColumns(model, data, options)
  return loadData(
    { ...data, features: columns, numeric: columns },
    lossName(model.loss) ?? defaultLosses.numbers,
    null,
    options
  )
}

/** Data and model without any engine: what `check` needs too. */
export async function prepareProblem(
  config: StudyConfig,
  options: ReadOptions = {}
): Promise<{
  data: Dataset
  model: Model
  names: string[]
  problem: Problem
  frame: Frame
  separation: Separation
  rank: { rank: number; columns: number; aliased: readonly string[] }
}> {
  checkTable(config)
  const loaded = await dataOf(config, options)
  const data =
    config.data.dropAliased === true && !isFormula(config) ? withoutAliased(loaded, config.model.bias) : loaded
  const model = modelFor(config, data)
  const names = parameterNames(model, data.columns, isScalar(model.loss) ? data.targets : data.classes)
  const given = givenRows(data, data, hasBias(model))
  const own = problemOf(model, given)
  validateProblem(own)
  const expression = expressionOf(model)
  if (expression) {
    checkStarts(own, expression, madePoints(config, model), config.starts.count)
    const P = expression.parameters.length
    const rank = convexity(model).model ? linearRank(own, expression) : { rank: P, columns: P }
    const frame = identityFrame(rank.rank)
    return {
      data,
      model,
      names,
      problem: own,
      frame,
      separation: separation(own, names),
      rank: { ...rank, aliased: [] }
    }
  }
  const network = networkOf(model)!
  const { problem, frame } = conditionProblem(network, given, askedOf(data, network.bias))
  const separated = separation(own, names)
  const ones = network.bias ? 1 : 0
  const { rank, aliased } = frame.design
  return {
    data,
    model,
    names,
    problem,
    frame,
    separation: isSeparated(separated) ? await withRemedies(separated, { problem, names, frame }) : separated,
    rank: { rank: rank + ones, columns: model.inputs + ones, aliased: aliased.map(d => data.columns[d]) }
  }
}

/** What was tried against separation, and how it shows under gradient descent. */
async function withRemedies(
  separated: Separation,
  { problem, names, frame }: Pick<Setup, 'names' | 'frame'> & { readonly problem: Problem<Network> }
): Promise<Separation> {
  const firth = await firthHelps(problem)
  const growth = await growthOf(problem, names, separated, theta => userPoints(problem.model, frame.toUser, theta))
  return {
    ...separated,
    remedy: await remedyFor(problem, names),
    ...(firth === undefined ? {} : { firth }),
    ...(growth ? { growth } : {})
  }
}

export const isSeparated = ({ status }: Separation): boolean => status === 'complete' || status === 'quasi-complete'

/** An objective that tells outputs, too. */
export type Certifying = Objective & Required<Pick<Objective, 'outputs'>>

function certifies(objective: Objective): Certifying {
  if (!objective.outputs) throw new Error('an engine that certifies must tell outputs')
  return objective as Certifying
}

/** Losses far above that of a network that is all zeros, from where exponentials leave no way back. */
async function highLoss(objective: Objective): Promise<number> {
  const { f } = await objective.evaluate(new Float64Array(objective.parameters), {})
  return highFactor * Math.max(1, Number.isFinite(f[0]) ? Math.abs(f[0]) : 0)
}

export async function setUp(
  given: StudyConfig,
  options: {
    readonly threads?: number
    readonly onLoad?: ReadOptions['onProgress']
    /** What the runs ask of the engine beside what the optimiser does. */
    readonly needs?: WorkNeeds
    /** Engines to choose from; default: all. */
    readonly among?: readonly EngineEntry[]
  } = {}
): Promise<Setup> {
  const {
    data,
    model,
    names,
    problem,
    frame,
    separation: separated,
    rank
  } = await prepareProblem(given, options.onLoad ? { onProgress: options.onLoad } : {})
  const parameters = parameterCount(model)
  checkModel(parameters, options.threads)
  const ownStarts = await readStarts(given, names, model, frame, options.onLoad ? { onProgress: options.onLoad } : {})
  const config = ownStarts
    ? { ...given, starts: { ...given.starts, count: ownStarts.count, hash: ownStarts.hash } }
    : given
  const starts = ownStarts ? ownPoints(ownStarts.theta, ownStarts.count) : madePoints(config, model, frame.fromAsked)
  const { optimizer, steps } = resolveForModel(config, model)
  const threads = options.threads === undefined ? {} : { threads: options.threads }
  const device = config.device === undefined ? {} : { device: config.device }
  const isMixed = config.precision === 'mixed'
  if (isMixed && (optimizer.batch || options.needs))
    throw new InputError(
      'precision "mixed" is for runs that take the same rows at every step; leave out mini-batches and resamples, or take f64.'
    )
  const precision =
    config.precision === undefined
      ? {}
      : { precision: config.precision === 'mixed' ? ('f32' as const) : config.precision }
  const linearised = optimizers[optimizer.name].curvature === 'gaussNewton'
  const searched = linearised ? withGaussNewton(problem) : problem
  const job = { problem: searched, needs: { ...options.needs, H: optimizers[optimizer.name].needs === 'H' } }
  const chosen = await chooseEngine(config.engine, { ...precision, ...device, ...threads, job }, options.among)
  const { engine, why } = chosen
  const searching = await engine.prepare(searched)
  const certifiesToo = engine.precision === 'f64' && !linearised
  const exact = engine.precision === 'f64'
  const certifying = exact ? engine : (await chooseEngine('certify', { precision: 'f64', ...threads })).engine
  const certifier = {
    engine: certifying,
    objective: certifies(certifiesToo ? searching : await certifying.prepare(problem))
  }
  const context = { eps: epsilonOf.f64, parameters }
  // Of a formula the unit of the loss is not known.
  const high = isNetwork(problem) ? { high: await highLoss(certifier.objective) } : {}
  const build = (eps: number): Program =>
    optimizers[optimizer.name].build(optimizer.options, { ...context, eps, ...high })
  const exactProgram = build(epsilonOf.f64)
  const program = exact || isMixed ? exactProgram : build(epsilonOf[engine.precision])
  const runsAway = isSeparated(separated)
  const convex = convexity(model).model
  // Whether the loss grows both ways, so that a formula linear in its parameters has a minimiser whatever the data.
  const definition = lossTable[model.loss]
  const grows = definition.response !== 'class' && !definition.recedes
  const hasMinimiser = convex && (isNetwork(problem) || grows)
  const judge: Judge = {
    objective: certifier.objective,
    polish: buildPolish(context),
    polishSteps: polishStepsFor(parameters),
    newton: newton.build(resolveOptimizer('newton').options, context),
    climbs: buildClimbs(context),
    flow: { program: buildFlow(context), steps: flowSteps },
    penalty: penaltyOf(problem),
    network: isNetwork(problem) ? problem : null,
    blankLoss: blankLoss(problem),
    scale: columnScale(problem),
    separated: runsAway,
    bounded: ridgeOnAll(model) || (hasMinimiser && !runsAway && separated.status !== 'undecided'),
    receding: recedingOf(problem),
    flatDirections: hasMinimiser ? flatDirections(model, rank) : null,
    moveLimit: convex || (!exact && !isMixed) ? Infinity : undefined,
    eps: epsilonOf.f64
  }
  const verdicts = judging(judge, model)
  const settle = verdicts.settleRuns?.bind(verdicts)
  const objective = isMixed
    ? new MixedObjective(searching, build(epsilonOf.f32), certifier.objective, settle)
    : searching
  return {
    config,
    starts,
    data,
    model,
    names,
    problem,
    frame,
    test: data.test ? problemOf(model, frame.rows(givenRows(data, data.test, hasBias(model)))) : undefined,
    separation: separated,
    rank,
    optimizer,
    steps,
    program,
    exactProgram,
    engine,
    precision: isMixed ? 'mixed' : engine.precision,
    why,
    remarks: [
      ...chosen.unable.map(reason => reason.replace(/; use --engine \w+\.$/, `, so ${engine.name} does the work.`)),
      ...judgeRemarks(config, problem.rows, parameters, runsAway)
    ],
    objective,
    certifier,
    judge,
    judgeRuns: verdicts.judgeRuns.bind(verdicts),
    startNotes: await startNotes({ config, starts, data, problem, objective: certifier.objective }),
    keep: config.keep ?? (config.starts.count > allKept ? 'end' : 'all'),
    dispose() {
      objective.dispose()
      if (certifier.objective !== objective) certifier.objective.dispose()
      if (certifying !== engine) certifying.dispose()
      engine.dispose()
    }
  }
}
