/** Stationary points of small problems and what is proved of them, on the cpu engine. */
import { loadAddon, type NativeProblem } from '../../src/engines/cpu/addon.js'
import { cpuEntry, createNativeProblem } from '../../src/engines/cpu/index.js'
import type { Certifier, Objective, Proofs } from '../../src/engines/types.js'
import type { Problem } from '../../src/models/types.js'
import { parameterCount } from '../../src/models/model.js'
import { newton } from '../../src/optimizers/newton.js'
import { resolveOptimizer } from '../../src/optimizers/registry.js'
import { epsilonOf } from '../../src/optimizers/types.js'

export const hasAddon = 'addon' in loadAddon()

export function nativeProblem(problem: Problem): { addon: ReturnType<typeof addonOf>; native: NativeProblem } {
  const addon = addonOf()
  return { addon, native: createNativeProblem(addon, problem, 'f64') }
}
function addonOf() {
  const found = loadAddon()
  if ('reason' in found) throw new Error(found.reason)
  return found.addon
}

export async function prepare(problem: Problem): Promise<Objective & Certifier> {
  const engine = await cpuEntry.load({ precision: 'f64', threads: 1 })
  const objective = await engine.prepare(problem)
  if (!objective.certifier) throw new Error('the cpu engine has proofs of networks')
  return Object.assign(objective, objective.certifier)
}

/** Where Newton's method ends from random starts N(0, size²), [count, P]. */
export async function endPoints(
  objective: Objective,
  count: number,
  { seed = 1, size = 1, steps = 300 } = {}
): Promise<Float64Array> {
  const program = newton.build(resolveOptimizer('newton').options, {
    eps: epsilonOf.f64,
    parameters: objective.parameters
  })
  const out = new Float64Array(count * objective.parameters)
  const starts = { kind: 'random' as const, seed, first: 0, count, init: { normal: size } }
  for await (const block of objective.minimise({ program, starts, stop: { steps, gradient: 1e-9 } }))
    for (let i = 0; i < block.count; i++)
      out.set(
        block.theta.subarray(i * objective.parameters, (i + 1) * objective.parameters),
        block.start[i] * objective.parameters
      )
  return out
}

/** Strict minima [n, P] among the end points, refined; and how many runs came to none. */
export async function strictMinima(
  objective: Objective & Certifier,
  ends: Float64Array
): Promise<{ theta: Float64Array; settled: Proofs; count: number; others: number }> {
  const P = objective.parameters
  const settled = await objective.settle(ends)
  const arrived = settled.status.flatMap((s, i) => (s === 'proved' && settled.error[i] < 1e-9 ? [i] : []))
  const theta = new Float64Array(arrived.length * P)
  arrived.forEach((i, n) => theta.set(settled.theta.subarray(i * P, (i + 1) * P), n * P))
  return { theta, settled, count: arrived.length, others: settled.count - arrived.length }
}

export const row = (theta: Float64Array, problem: Problem, i: number): Float64Array => {
  const P = parameterCount(problem.model)
  return theta.slice(i * P, (i + 1) * P)
}
