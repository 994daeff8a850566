// Requests for the run loop, as the conformance tests make them.
import type { Precision, RunRequest, Starts } from '../../src/engines/types.js'
import { parameterCount } from '../../src/models/model.js'
import type { Problem } from '../../src/models/types.js'
import { Rule } from '../../src/language/rule.js'
import type { Program } from '../../src/language/program.js'
import { optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import { epsilonOf } from '../../src/optimizers/types.js'

export interface Method {
  readonly label: string
  readonly optimizer: string | Readonly<Record<string, unknown>>
}

/** Every optimiser, with its variants and mini-batches of both orders. */
export const methods: readonly Method[] = [
  { label: 'gd', optimizer: 'gd' },
  { label: 'gd, mini-batches', optimizer: { gd: { batchSize: 4 } } },
  { label: 'momentum', optimizer: 'momentum' },
  { label: 'momentum, Nesterov', optimizer: { momentum: { nesterov: true } } },
  { label: 'adam', optimizer: { adam: { learningRate: 0.05 } } },
  { label: 'adam, mini-batches', optimizer: { adam: { learningRate: 0.05, batchSize: 5 } } },
  { label: 'adam, shared mini-batches', optimizer: { adam: { learningRate: 0.05, batchSize: 5, order: 'shared' } } },
  { label: 'lbfgs', optimizer: 'lbfgs' },
  { label: 'lbfgs, memory 2', optimizer: { lbfgs: { memory: 2 } } },
  { label: 'newton', optimizer: 'newton' }
]

/** What a method asks an engine for, save starts and limits. */
export function rule(
  { optimizer }: Method,
  problem: Problem,
  precision: Precision
): Pick<RunRequest, 'program' | 'batch'> {
  const { name, options, batch } = resolveOptimizer(optimizer)
  const parameters = parameterCount(problem.model)
  const program = optimizers[name].build(options, { eps: epsilonOf[precision], parameters })
  return { program, ...(batch ? { batch: { ...batch, seed: 77 } } : {}) }
}

export const randomStarts = (count: number, first = 0, seed = 3): Starts => ({
  kind: 'random',
  seed,
  first,
  count,
  init: { normal: 1 }
})

export const givenStarts = (theta: Float64Array, count: number): Starts => ({ kind: 'given', theta, count })

/** A rule that stays where it is and reports f and max |g| there. */
export function stay(): Program {
  const r = new Rule('stay', 'g')
  return r.compile({ point: r.x, loss: r.f, gradientNorm: r.maxAbs(r.g) })
}
