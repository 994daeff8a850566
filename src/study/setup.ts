/** Everything a study decides before the first run: data, network, separation, engines, update rule, judge. */
import { convexity, layers, parameterCount, parameterNames, validateProblem } from '../models/network.js'
import type { Network, Problem } from '../models/types.js'
import type { Judge } from '../analysis/verdict.js'
import { designRank } from '../analysis/rank.js'
import { separation, type Separation } from '../analysis/separation.js'
import { loadData } from '../data/load.js'
import type { Dataset, Rows } from '../data/types.js'
import { chooseEngine } from '../engines/registry.js'
import type { Engine, Objective } from '../engines/types.js'
import { buildPolish, polishSteps } from '../optimizers/polish.js'
import { newton } from '../optimizers/newton.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import { epsilonOf, type ResolvedOptimizer } from '../optimizers/types.js'
import type { Program } from '../optimizers/program.js'
import { resolveForSize, type StudyConfig } from './config.js'

export interface Setup {
  readonly config: StudyConfig
  readonly data: Dataset
  readonly network: Network
  readonly names: readonly string[]
  /** What is minimised (standardised columns where asked). */
  readonly problem: Problem
  readonly test: Problem | undefined
  readonly separation: Separation
  readonly rank: { readonly rank: number; readonly columns: number }
  readonly optimizer: ResolvedOptimizer
  readonly steps: number
  readonly program: Program
  readonly engine: Engine
  readonly why: string
  readonly objective: Objective
  /** f64 on the CPU; the search engine itself where it is one. */
  readonly certifier: { readonly engine: Engine; readonly objective: Objective }
  readonly judge: Judge
  dispose(): void
}

const problemOf = (network: Network, rows: Rows): Problem => ({
  network,
  rows: rows.rows,
  x: rows.x,
  y: rows.y,
  ...(rows.weight ? { weight: rows.weight } : {}),
  ...(rows.offset ? { offset: rows.offset } : {})
})

export function networkOf(config: StudyConfig, data: Dataset): Network {
  const { hidden, activation, bias, ridge, penalizeBias } = config.model
  const outputs = data.loss === 'softmax' ? (data.classes?.length ?? 2) : 1
  return { inputs: data.inputs, hidden, outputs, activation, loss: data.loss, bias, ridge, penalizeBias }
}

/** [N, D + bias]: the design with its column of ones, for the rank. */
function withBias(problem: Problem): { x: Float64Array; columns: number } {
  const { rows, network } = problem
  if (!network.bias) return { x: problem.x, columns: network.inputs }
  const columns = network.inputs + 1
  const x = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    x[i * columns] = 1
    x.set(problem.x.subarray(i * network.inputs, (i + 1) * network.inputs), i * columns + 1)
  }
  return { x, columns }
}

/** Data and model without any engine: what `check` needs too. */
export async function prepareProblem(config: StudyConfig): Promise<{
  data: Dataset
  network: Network
  names: string[]
  problem: Problem
  separation: Separation
  rank: { rank: number; columns: number; aliased: readonly string[] }
}> {
  const data = loadData(config.data, config.model.loss, config.model)
  const network = networkOf(config, data)
  const names = parameterNames(network, data.columns, data.classes)
  const problem = problemOf(network, data)
  validateProblem(problem)
  const design = withBias(problem)
  const rank = designRank(design.x, problem.rows, design.columns)
  const columnNames = network.bias ? ['(Intercept)', ...data.columns] : [...data.columns]
  return {
    data,
    network,
    names,
    problem,
    separation: await separation(problem, names),
    rank: { rank: rank.rank, columns: design.columns, aliased: rank.aliased.map(d => columnNames[d]) }
  }
}

export async function setUp(config: StudyConfig, options: { readonly threads?: number } = {}): Promise<Setup> {
  const { data, network, names, problem, separation: separated, rank } = await prepareProblem(config)
  const parameters = parameterCount(network)
  const { optimizer, steps } = resolveForSize(config, parameters)
  const threads = options.threads === undefined ? {} : { threads: options.threads }
  const device = config.device === undefined ? {} : { device: config.device }
  const { engine, why } = await chooseEngine(config.engine, { precision: config.precision, ...device, ...threads })
  const program = optimizers[optimizer.name].build(optimizer.options, { eps: epsilonOf[config.precision], parameters })
  const objective = await engine.prepare(problem)
  const exact = engine.precision === 'f64'
  const certifying = exact ? engine : (await chooseEngine('certify', { precision: 'f64', ...threads })).engine
  const certifier = { engine: certifying, objective: exact ? objective : await certifying.prepare(problem) }
  const context = { eps: epsilonOf.f64, parameters }
  const isSeparated = separated.status === 'complete' || separated.status === 'quasi-complete'
  const judge: Judge = {
    objective: certifier.objective,
    polish: buildPolish(context),
    polishSteps,
    newton: newton.build(resolveOptimizer('newton').options, context),
    separated: isSeparated,
    separationDirection: isSeparated ? Float64Array.from(separated.direction) : null,
    moveLimit: convexity(network).model || !exact ? Infinity : undefined,
    outputLayer: layers(network).at(-1)!.at,
    eps: epsilonOf.f64
  }
  return {
    config,
    data,
    network,
    names,
    problem,
    test: data.test ? problemOf(network, data.test) : undefined,
    separation: separated,
    rank,
    optimizer,
    steps,
    program,
    engine,
    why,
    objective,
    certifier,
    judge,
    dispose() {
      objective.dispose()
      if (certifier.objective !== objective) certifier.objective.dispose()
      if (certifying !== engine) certifying.dispose()
      engine.dispose()
    }
  }
}
