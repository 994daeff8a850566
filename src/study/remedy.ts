/**
 * What would give a model without a finite minimiser one: a ridge on the weights, or on the biases too. Each is tried before it is
 * recommended: by the separation programmes, which decide whether a direction is left along which the loss falls, and by a short run
 * that has to arrive. A small gradient alone would not do: it is small far out along such a direction as well.
 */
import { separation } from '../analysis/separation/index.js'
import { Status } from '../core/status.js'
import type { Separation } from '../core/result.js'
import { chooseEngine } from '../engines/registry.js'
import { parameterCount } from '../models/network/network.js'
import type { Problem } from '../models/types.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import { epsilonOf } from '../optimizers/types.js'

/** A ridge weak enough to be called a repair of the estimate, strong enough to be met in a few steps. */
const ridge = 0.01
const steps = 200
const gradient = 1e-8

export type Remedy = NonNullable<Separation['remedy']>

/** Whether Newton's method arrives from the origin. */
async function arrives(problem: Problem): Promise<boolean> {
  const { engine } = await chooseEngine('certify', { precision: 'f64' })
  try {
    const objective = await engine.prepare(problem)
    try {
      const parameters = parameterCount(problem.network)
      const { options } = resolveOptimizer('newton')
      const program = optimizers['newton'].build(options, { eps: epsilonOf.f64, parameters })
      const starts = { kind: 'given' as const, theta: new Float64Array(parameters), count: 1 }
      for await (const { status } of objective.minimise({ program, starts, stop: { steps, gradient } }))
        if (status[0] !== Status.converged) return false
      return true
    } finally {
      objective.dispose()
    }
  } finally {
    engine.dispose()
  }
}

/**
 * The weakest remedy that works for separated data.
 * @returns null where none of those tried does
 */
export async function remedyFor(problem: Problem, names: readonly string[]): Promise<Remedy | null> {
  // A penalty that the model has already is another one than the candidates'.
  const { penalty: _, ...bare } = problem
  const { network } = problem
  for (const penalizeBias of [false, true]) {
    // What the model has already did not help.
    if (network.ridge > 0 && network.penalizeBias === penalizeBias) continue
    const candidate = { ...network, ridge: network.ridge > 0 ? network.ridge : ridge, penalizeBias }
    const { status } = separation({ ...bare, network: candidate }, names)
    if (status !== 'none' && status !== 'not-applicable') continue
    if (await arrives({ ...bare, network: candidate })) return { ridge: candidate.ridge, penalizeBias }
  }
  return null
}
