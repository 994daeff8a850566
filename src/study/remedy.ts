/**
 * What would give a model without a finite minimiser one: a ridge on the weights, or on the biases too. Each is tried before it is
 * recommended: by the separation programmes, which decide whether a direction is left along which the loss falls, and by a short run
 * that has to arrive. A small gradient alone would not do: it is small far out along such a direction as well.
 */
import { separation } from '../analysis/separation/index.js'
import { symmetricEigen } from '../core/linalg.js'
import { Status } from '../core/status.js'
import type { Separation } from '../core/result.js'
import { chooseEngine } from '../engines/registry.js'
import { lossTable, type Link } from '../models/losses/index.js'
import { biasMask } from '../models/network/network.js'
import { parameterCount } from '../models/model.js'
import type { Problem, Network } from '../models/types.js'
import { takesFirth } from '../models/penalty.js'
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
      const parameters = parameterCount(problem.model)
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
export async function remedyFor(problem: Problem<Network>, names: readonly string[]): Promise<Remedy | null> {
  // A penalty that the model has already is another one than the candidates'.
  const { penalty: _, ...bare } = problem
  const { model: network } = problem
  for (const penalizeBias of [false, true]) {
    // What the model has already did not help.
    if (network.ridge > 0 && network.penalizeBias === penalizeBias) continue
    const candidate = { ...network, ridge: network.ridge > 0 ? network.ridge : ridge, penalizeBias }
    const { status } = separation({ ...bare, model: candidate }, names)
    if (status !== 'none' && status !== 'not-applicable') continue
    if (await arrives({ ...bare, model: candidate })) return { ridge: candidate.ridge, penalizeBias }
  }
  return null
}

/** Rows times parameters cubed up to which Firth's penalty is tried; a step of it takes that many multiplications in each lane. */
const affordableInformation = 5e6

/** Whether Firth's penalty gives a finite minimiser; undefined where the model does not take it, or trying would take many seconds. */
export async function firthHelps(problem: Problem<Network>): Promise<boolean | undefined> {
  const { penalty: _, ...bare } = problem
  const { model: network } = problem
  if (network.hidden.length > 0 || network.outputs > 1 || !takesFirth(network.loss)) return undefined
  if (problem.rows * parameterCount(network) ** 3 > affordableInformation) return undefined
  return arrives({ ...bare, model: { ...network, ridge: 0, firth: true } })
}

/** Numbers of steps after which gradient descent is looked at, and multiplications that it may take. */
const lookedAt = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000]
const affordable = 1e9
/** Links of losses that fall exponentially where a row is separated. */
const exponential: readonly Link[] = ['sigmoid', 'exp', 'shares']

/**
 * How far gradient descent from the origin carries a coefficient that goes to infinity: like the logarithm of the time where the loss falls
 * exponentially (Soudry et al. 2018). The step is the reciprocal of the curvature at the origin.
 * @param toUser from parameters [P] of the problem to the user's
 */
export async function growthOf(
  problem: Problem<Network>,
  names: readonly string[],
  separated: Separation,
  toUser: (theta: Float64Array) => Float64Array
): Promise<Separation['growth']> {
  const { model: network } = problem
  const P = parameterCount(network)
  const biases = biasMask(network)
  const growing = Object.keys(separated.infinite)
  const name = growing.find(own => biases[names.indexOf(own)] === 0) ?? growing[0]
  const law = exponential.includes(lossTable[network.loss].link) ? 'logarithm' : 'slower'
  const steps = lookedAt.filter(n => n * problem.rows * P <= affordable)
  if (growing.length === 0 || steps.length < 4) return undefined
  const { engine } = await chooseEngine('certify', { precision: 'f64' })
  try {
    const objective = await engine.prepare(problem)
    try {
      const { H } = await objective.evaluate(new Float64Array(P), { H: true })
      const { values: curvature } = symmetricEigen(H!.slice(), P)
      const learningRate = Number((1 / curvature[P - 1]).toPrecision(2))
      if (!(learningRate > 0 && learningRate < 1e6)) return undefined
      const { options } = resolveOptimizer({ gd: { learningRate } })
      const program = optimizers['gd'].build(options, { eps: epsilonOf.f64, parameters: P })
      const values: number[] = []
      let theta = new Float64Array(P)
      for (const [k, n] of steps.entries()) {
        const starts = { kind: 'given' as const, theta, count: 1 }
        // The first evaluation is that of the start.
        const stop = { steps: n - (k > 0 ? steps[k - 1] : 0) + 1, gradient: Number.MIN_VALUE }
        for await (const block of objective.minimise({ program, starts, stop })) theta = block.theta.slice(0, P)
        values.push(toUser(theta)[names.indexOf(name)])
      }
      return values.every(Number.isFinite) ? { name, law, learningRate, steps, values } : undefined
    } finally {
      objective.dispose()
    }
  } finally {
    engine.dispose()
  }
}
