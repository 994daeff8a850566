/**
 * On which scale results are given. With standardised columns and a model without hidden layer or ridge, parameters map back
 * exactly to the columns as given: w = w′/sd, b = b′ − Σ w′ mean/sd. Otherwise results stay on the standardised scale and the
 * mapped first layer stands beside them.
 */
import { layers } from '../models/network/network.js'
import type { Network, Problem } from '../models/types.js'
import type { Dataset } from '../data/types.js'

export interface Presentation {
  readonly scale: 'data' | 'standardized'
  /** Problem that eigenvalues and standard errors refer to. */
  readonly problem: Problem
  /** θ of `problem` from θ of the study. */
  parameters(theta: Float64Array): Float64Array
  /** The same function of the columns as given, where `parameters` are on the standardised scale. */
  originalScale(theta: Float64Array): Float64Array | undefined
}

function unstandardize(
  network: Network,
  theta: Float64Array,
  mean: readonly number[],
  sd: readonly number[]
): Float64Array {
  const out = Float64Array.from(theta)
  const first = layers(network)[0]
  const bias = network.bias ? 1 : 0
  for (let k = 0; k < first.units; k++) {
    const at = first.at + k * first.stride
    for (let d = 0; d < first.inputs; d++) {
      const w = theta[at + bias + d] / sd[d]
      out[at + bias + d] = w
      if (bias === 1) out[at] -= w * mean[d]
    }
  }
  return out
}

export function presentation(problem: Problem, data: Dataset): Presentation {
  const { network } = problem
  const scaling = data.standardization
  if (!scaling) return { scale: 'data', problem, parameters: theta => theta, originalScale: () => undefined }
  const mapped = (theta: Float64Array): Float64Array => unstandardize(network, theta, scaling.mean, scaling.sd)
  // Without biases the means cannot be moved anywhere, so no parameters on the columns as given do the same.
  if (network.hidden.length === 0 && network.ridge === 0 && network.bias)
    return { scale: 'data', problem: { ...problem, x: data.xRaw }, parameters: mapped, originalScale: () => undefined }
  return {
    scale: 'standardized',
    problem,
    parameters: theta => theta,
    originalScale: network.bias ? mapped : () => undefined
  }
}
