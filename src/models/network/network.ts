/** The network family: sizes, packing, names, convexity, and the checks that a problem must pass. */
import { InputError } from '../../core/errors.js'
import { compileExpression } from '../expression/expression.js'
import type { Expression } from '../expression/types.js'
import { losses, lossTable } from '../losses/index.js'
import { takesFirth } from '../penalty.js'
import type { Network, Problem } from '../types.js'

/** One layer of weights in θ. */
export interface Layer {
  /** First parameter of the layer. */
  readonly at: number
  readonly inputs: number
  readonly units: number
  /** Parameters of one unit: inputs, plus one for the bias. */
  readonly stride: number
}

/** Layers from the inputs up; the last one gives z. */
export function layers(network: Network): readonly Layer[] {
  if (network.expression) return []
  const sizes = [network.inputs, ...network.hidden, network.outputs]
  const extra = network.bias ? 1 : 0
  let at = 0
  return sizes.slice(1).map((units, l) => {
    const inputs = sizes[l]
    const layer = { at, inputs, units, stride: inputs + extra }
    at += units * layer.stride
    return layer
  })
}

/** P */
export const parameterCount = (network: Network): number =>
  network.expression?.parameters.length ?? layers(network).reduce((sum, layer) => sum + layer.units * layer.stride, 0)

/** [P]: whether a parameter is a bias. */
export function biasMask(network: Network): Uint8Array {
  const mask = new Uint8Array(parameterCount(network))
  if (network.bias)
    for (const layer of layers(network)) for (let k = 0; k < layer.units; k++) mask[layer.at + k * layer.stride] = 1
  return mask
}

/** [P]: whether the ridge falls on a parameter. */
export function penalizedMask(network: Network): Uint8Array {
  const mask = biasMask(network)
  return mask.map(bias => (network.penalizeBias || bias === 0 ? 1 : 0))
}

/** [P] λ_p of the penalty ½ Σ_p λ_p θ_p²; all 0 where there is none. */
export function penaltyOf({ network, penalty }: Pick<Problem, 'network' | 'penalty'>): Float64Array {
  return penalty ?? Float64Array.from(penalizedMask(network), on => on * network.ridge)
}

/**
 * Names of the parameters: "(Intercept)" and the columns for a model without hidden layer; "h1.2:Petal.Width" (unit 2 of hidden
 * layer 1), "h2.1:h1.3" and "out:h1.2" otherwise; the class takes the place of "out" in softmax models.
 */
export function parameterNames(network: Network, columns: readonly string[], classes?: readonly string[]): string[] {
  if (network.expression) return network.expression.parameters.map(p => p.name)
  const last = network.hidden.length
  const names: string[] = []
  layers(network).forEach((layer, l) => {
    const below = l === 0 ? columns : Array.from({ length: layer.inputs }, (_, d) => `h${l}.${d + 1}`)
    for (let k = 0; k < layer.units; k++) {
      const output = network.outputs > 1 ? `${classes?.[k] ?? `class ${k + 1}`}:` : last === 0 ? '' : 'out:'
      const prefix = l === last ? output : `h${l + 1}.${k + 1}:`
      if (network.bias) names.push(`${prefix}(Intercept)`)
      for (let d = 0; d < layer.inputs; d++) names.push(prefix + (below[d] ?? `x${d + 1}`))
    }
  })
  return names
}

/** [P]: 1 / rms of the input column for first-layer weights (1 for an empty column), 1 for all other parameters. */
export function columnScale(problem: Problem): Float64Array {
  const { network, x, rows } = problem
  const scale = new Float64Array(parameterCount(network)).fill(1)
  const { expression } = network
  if (expression)
    return expression.coordinates === 'inner' ? scale : scale.map((_, p) => expression.parameters[p].scale)
  const first = layers(network)[0]
  const D = network.inputs
  for (let d = 0; d < D; d++) {
    let sum = 0
    for (let i = 0; i < rows; i++) sum += x[i * D + d] ** 2
    const rms = Math.sqrt(sum / rows)
    if (!(rms > 0)) continue
    for (let k = 0; k < first.units; k++) scale[first.at + k * first.stride + (network.bias ? 1 : 0) + d] = 1 / rms
  }
  return scale
}

/** Whether ℓ is convex in z. */
export const lossIsConvex = (network: Network): boolean => lossTable[network.loss].convex

/** Whether the ridge falls on every parameter, so that a convex model is strongly convex whatever the data. */
export const ridgeOnAll = (network: Network): boolean => network.ridge > 0 && (!network.bias || network.penalizeBias)

function expressionConvexity(network: Network, expression: Expression): { model: boolean; reason: string } {
  const { second, first } = compileExpression(expression)
  if (expression.objective) return { model: false, reason: 'Whether the objective is convex is not known.' }
  if (second.length > 0) return { model: false, reason: 'The formula is not linear in its parameters.' }
  if (!lossIsConvex(network)) return { model: false, reason: `The ${network.loss} loss is not convex.` }
  return {
    model: true,
    reason: `The formula is linear in its ${first.length} parameters and the ${network.loss} loss is convex in it.`
  }
}

/** Is f convex in θ? `reason` is one sentence. Strong convexity also depends on rank and separation of the data. */
export function convexity(network: Network): { model: boolean; reason: string } {
  if (network.expression) return expressionConvexity(network, network.expression)
  if (network.hidden.length > 0)
    return { model: false, reason: 'The model has a hidden layer, so its loss is not convex in the parameters.' }
  const definition = lossTable[network.loss]
  if (!definition.convex)
    return {
      model: false,
      reason:
        (definition.response === 'class' ? undefined : definition.nonconvexReason) ??
        `The ${network.loss} loss is not convex, even without a hidden layer.`
    }
  if (network.firth)
    return {
      model: false,
      reason: `The ${network.loss} loss is convex, but whether it stays so with Firth’s penalty is not known.`
    }
  return {
    model: true,
    reason: `There is no hidden layer and the ${network.loss} loss is convex in the linear predictor.`
  }
}

/** @throws InputError when sizes, targets or weights do not fit the model. */
export function validateProblem(problem: Problem): void {
  const { network, rows, x, y, weight, offset } = problem
  const bad = (text: string): never => {
    throw new InputError(text)
  }
  if (!(rows > 0)) bad('The data have no rows; a study needs at least one.')
  if (network.inputs < 1 && !network.expression && (!network.bias || network.hidden.length > 0))
    bad(
      'The data have no input columns, which leaves an intercept alone; a model with hidden layers or without biases needs one.'
    )
  if (network.hidden.some(h => !Number.isInteger(h) || h < 1)) bad('Every hidden layer needs at least one unit.')
  const definition = lossTable[network.loss]
  const together = definition.response === 'class'
  if (network.outputs < (together ? 2 : 1))
    bad(`The ${network.loss} loss does not go with ${network.outputs} outputs; give at least ${together ? 2 : 1}.`)
  const { parameters } = definition
  const given = network.lossParameters ?? []
  if (given.length !== parameters.length || !parameters.every((p, k) => given[k] > p.above && given[k] <= p.most))
    bad(
      parameters.length === 0
        ? `The ${network.loss} loss has no parameters; remove them.`
        : `The ${network.loss} loss needs ${parameters.map(p => `${p.name} above ${p.above}`).join(' and ')}.`
    )
  if (x.length !== rows * network.inputs) bad(`x holds ${x.length} numbers; ${rows} × ${network.inputs} are needed.`)
  const targets = rows * (together ? 1 : network.outputs)
  if (y.length !== targets) bad(`y holds ${y.length} numbers; ${targets} are needed.`)
  if (!x.every(Number.isFinite)) bad('An input is not a finite number; remove or mend that row.')
  const wrong = y.findIndex(v => !Number.isFinite(v) || !definition.fits(v) || (together && v >= network.outputs))
  if (wrong >= 0)
    bad(
      `The target of row ${Math.floor((wrong * rows) / targets) + 1} is ${y[wrong]}, outside the range of the ${network.loss} loss.`
    )
  if (!(network.ridge >= 0 && Number.isFinite(network.ridge)))
    bad(`ridge is ${network.ridge}; give a number of at least 0.`)
  if (
    problem.penalty &&
    (problem.penalty.length !== parameterCount(network) || !problem.penalty.every(v => v >= 0 && Number.isFinite(v)))
  )
    bad('The penalty must hold one number of at least 0 for each parameter.')
  if (network.firth) {
    if (network.hidden.length > 0 || network.outputs > 1)
      bad('Firth’s penalty is for models without hidden layer and with one output; remove firth or the hidden layers.')
    if (!takesFirth(network.loss))
      bad(
        `Firth’s penalty does not go with the ${network.loss} loss; choose one of ${losses.filter(takesFirth).join(', ')}.`
      )
    if (penaltyOf(problem).some(v => v > 0)) bad('Firth’s penalty does not go with a ridge; set one of them.')
  }
  if (weight) {
    if (weight.length !== rows) bad(`weight holds ${weight.length} numbers; ${rows} are needed.`)
    if (!weight.every(w => w >= 0 && Number.isFinite(w)))
      bad('A row weight is negative or not finite; weights must be at least 0.')
    if (!(weight.reduce((s, w) => s + w, 0) > 0)) bad('All row weights are 0; at least one must be positive.')
  }
  if (offset) {
    if (together) bad(`An offset has no effect on the ${network.loss} loss; remove it.`)
    if (offset.length !== rows || !offset.every(Number.isFinite))
      bad('The offset must hold one finite number for each row.')
  }
}
