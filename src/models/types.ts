/** Plain, serialisable data that describe a model and a problem. Nothing here computes. */
import type { Activation } from './activations.js'
import type { Loss, LossParameters } from './losses/index.js'
import type { Expression } from './expression/types.js'

export { losses, type Loss } from './losses/index.js'
export { activations, type Activation } from './activations.js'

/**
 * A feed-forward network D → hidden[0] → … → C. `hidden: []` is a generalised linear model.
 *
 * Packing of θ [P]: layer by layer, unit by unit; a unit's slice is its bias (where `bias`) followed by its incoming
 * weights in the order of the layer below. So a GLM is (Intercept), then one coefficient per column.
 */
export interface Network {
  /** D */
  readonly inputs: number
  readonly hidden: readonly number[]
  /** C: for `softmax` the number of classes; for losses of one output at a time 1, or several where they take it. */
  readonly outputs: number
  readonly activation: Activation
  readonly loss: Loss
  /** Values of the loss's parameters, in the order of its definition; absent where it has none. */
  readonly lossParameters?: LossParameters
  readonly bias: boolean
  /** Adds (ridge/2) Σ θ_p² over the penalised parameters. */
  readonly ridge: number
  /** Whether the ridge falls on biases (intercepts) too, not on weights only. */
  readonly penalizeBias: boolean
  /** Firth's penalty −½ log det of the expected information, over the total weight; without hidden layer only. */
  readonly firth?: boolean
  /** Gives z in place of the layers: then there are none, nor biases or a ridge. */
  readonly expression?: Expression
}

/**
 * Rows with a network: f(θ) = Σ_i weight_i ℓ(z(θ; x_i) + offset_i, y_i) / Σ_i weight_i + (ridge/2) Σ_{p penalised} θ_p².
 */
export interface Problem {
  readonly network: Network
  /** N */
  readonly rows: number
  /** [N, D], row-major. */
  readonly x: Float64Array
  /** [N, C] row-major; [N] for `softmax`: the class number 0..C-1. In [0, 1] for the two-class losses. */
  readonly y: Float64Array
  /** [N], non-negative with a positive sum; all one when absent. */
  readonly weight?: Float64Array
  /** [P] λ_p, where it differs from one ridge on all penalised parameters: the penalty is then ½ Σ_p λ_p θ_p². */
  readonly penalty?: Float64Array
  /** [N], added to z; refused for `softmax`, where it would have no effect. */
  readonly offset?: Float64Array
}

/** Distribution of the start points. `normal`: N(0, s²) and `uniform`: U(−a, a), on every parameter, biases included. */
export type Init = { readonly normal: number } | { readonly uniform: number } | 'glorot' | 'he'
