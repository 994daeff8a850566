/** The problems that all are given, and their starts as one file. */
import { writeFileSync } from 'node:fs'
import { pointsFor, problemOfSize } from '../../src/bench/kernels/sizes.js'
import { chooseEngine } from '../../src/engines/registry.js'
import type { EngineName, Objective } from '../../src/engines/types.js'
import { startPoint, parameterCount } from '../../src/models/model.js'
import { layoutOf } from '../../src/models/model.js'
import type { Problem } from '../../src/models/types.js'
import { resolveConfig, type StudyConfig } from '../../src/study/config.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import type { SharedProblem } from './types.js'

export const names = {
  net: 'iris2 4-5-1',
  /** Its minima are strict, so that a whole study proves and recognises them. */
  netAll: 'iris2 4-5-1, ridge on all',
  logistic: 'iris2 logistic',
  /** R's nnet knows logistic units alone and shrinks biases too. */
  logisticUnits: 'iris2 4-5-1 logistic units',
  large: 'N=1000 30-16-1'
} as const

/** Starts that peers may take the first of; Manystart runs all of the studies' own. */
export const sharedStarts = 2000
const largeStarts = 200
const seed = 1

const data = { builtin: 'iris2', standardize: true }
const net = { hidden: [5], activation: 'tanh', loss: 'logistic', ridge: 0.01 }
const studies = {
  [names.net]: net,
  [names.netAll]: { ...net, penalizeBias: true },
  [names.logistic]: { loss: 'logistic' },
  [names.logisticUnits]: { ...net, activation: 'logistic', penalizeBias: true }
} as const
export const studyNames = Object.keys(studies) as (keyof typeof studies)[]

/** What searches. */
interface Search {
  readonly engine: EngineName
  readonly precision: StudyConfig['precision']
  readonly optimizer?: 'newton' | 'lbfgs'
}

export const configOf = (
  name: keyof typeof studies,
  count: number,
  { engine, precision, optimizer = 'newton' }: Search = { engine: 'cpu', precision: 'f64' }
): StudyConfig =>
  resolveConfig(
    {
      data,
      model: studies[name],
      optimizer,
      starts: { count, seed },
      // What f32 cannot reach is left to polishing.
      ...(precision === 'f32' ? {} : { stop: { gradient: 1e-8 } }),
      engine,
      precision
    },
    'the benchmark'
  )

const rowsOf = (values: Float64Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)))

function share(name: string, { model, rows, x, y }: Problem, starts: number[][], steps: number): SharedProblem {
  const { inputs } = model
  const { hidden, activation, ridge, penalizeBias } = layoutOf(model)
  return {
    name,
    N: rows,
    D: inputs,
    hidden,
    activation,
    x: rowsOf(x, inputs),
    y: Array.from(y),
    ridge,
    penalizeBias,
    starts,
    gradient: 1e-8,
    steps
  }
}

/** A study ready to run, or a problem that is only evaluated, and what the peers are given of it. */
export interface Prepared {
  readonly shared: SharedProblem
  readonly objective: Objective
  readonly setup?: Setup
  /** Gradients and Hessians are timed. */
  readonly evaluated: boolean
}

export async function prepareAll(count: number, threads: number): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  for (const name of studyNames) {
    const setup = await setUp(configOf(name, count), { threads })
    const { config, model, problem, objective, steps, frame } = setup
    const starts = Array.from({ length: Math.min(count, sharedStarts) }, (_, start) =>
      Array.from(startPoint(model, config.starts.init, seed, start, frame.fromAsked))
    )
    prepared.push({ shared: share(name, problem, starts, steps), objective, setup, evaluated: name === names.net })
  }
  const problem = problemOfSize({ N: 1000, D: 30, hidden: [16] })
  const points = rowsOf(pointsFor(problem, largeStarts), parameterCount(problem.model))
  const { engine } = await chooseEngine('cpu', { precision: 'f64', threads })
  const objective = await engine.prepare(problem)
  prepared.push({ shared: share(names.large, problem, points, 1), objective, evaluated: true })
  return prepared
}

/** What a peer's script gets as its only argument. */
export function writeProblems(path: string, prepared: readonly Prepared[], threads: number): void {
  writeFileSync(path, JSON.stringify({ threads, problems: prepared.map(p => p.shared) }))
}
