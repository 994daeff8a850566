/** What an engine cannot do wherever it runs, for `manystart engines`: its answers to the smallest job of each kind. */
import { modelOf } from '../models/expression/expression.js'
import type { Network, Problem, Model } from '../models/types.js'
import type { EngineEntry, WorkNeeds } from './types.js'

const plain: Network = {
  kind: 'network',
  inputs: 1,
  hidden: [],
  outputs: 1,
  activation: 'tanh',
  loss: 'logistic',
  bias: true,
  ridge: 0,
  penalizeBias: false
}
const problemOf = (model: Model): Problem => ({
  model,
  rows: 1,
  x: new Float64Array(model.inputs),
  y: new Float64Array(model.outputs)
})
const formula = modelOf(
  {
    formula: 'a * x',
    objective: false,
    columns: ['x'],
    parameters: [{ name: 'a', init: { kind: 'uniform', low: 0, high: 1 }, lower: null, upper: null, scale: 1 }],
    fixed: [],
    symmetry: [],
    coordinates: 'inner'
  },
  'squared'
)

const jobs: readonly (readonly [Problem, WorkNeeds])[] = [
  [problemOf({ ...plain, outputs: 2, loss: 'squared' }), {}],
  [problemOf(formula), {}],
  [problemOf({ ...plain, firth: true }), {}],
  [problemOf(plain), { inputs: true }]
]

/** Sentences, one for each kind of job that the engine says no to. */
export async function limitsOf(entry: EngineEntry): Promise<string[]> {
  const answers = await Promise.all(jobs.map(([problem, needs]) => entry.supports(problem, needs)))
  return [...new Set(answers.flatMap(answer => (answer.ok ? [] : [answer.reason])))]
}
