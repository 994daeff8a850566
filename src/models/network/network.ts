/** The network family: sizes, packing, names, convexity. */
import { lossTable } from '../losses/index.js'
import type { Convexity, Network, Problem } from '../types.js'

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
export const networkParameterCount = (network: Network): number =>
  layers(network).reduce((sum, layer) => sum + layer.units * layer.stride, 0)

/** [P]: whether a parameter is a bias. */
export function biasMask(network: Network): Uint8Array {
  const mask = new Uint8Array(networkParameterCount(network))
  if (network.bias)
    for (const layer of layers(network)) for (let k = 0; k < layer.units; k++) mask[layer.at + k * layer.stride] = 1
  return mask
}

/** [P]: whether the ridge falls on a parameter. */
export function penalizedMask(network: Network): Uint8Array {
  const mask = biasMask(network)
  return mask.map(bias => (network.penalizeBias || bias === 0 ? 1 : 0))
}

/**
 * Names of the parameters: "(Intercept)" and the columns for a model without hidden layer; "h1.2:Petal.Width" (unit 2 of hidden
 * layer 1), "h2.1:h1.3" and "out:h1.2" otherwise; the class takes the place of "out" in softmax models.
 */
export function networkParameterNames(
  network: Network,
  columns: readonly string[],
  classes?: readonly string[]
): string[] {
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
export function networkColumnScale({ model: network, x, rows }: Problem<Network>): Float64Array {
  const scale = new Float64Array(networkParameterCount(network)).fill(1)
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

export function networkConvexity(network: Network): Convexity {
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
