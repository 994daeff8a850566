/** Plain, serialisable data that describe a model and a problem. Nothing here computes. */
import type { Activation } from './activations.js'
import type { Loss, LossParameters } from './losses/index.js'
import type { Expression } from './expression/types.js'

export { losses, type Loss } from './losses/index.js'
export { activations, type Activation } from './activations.js'

/** What every kind of model has: its outputs z [C] as a function of the inputs of a row, and the loss on them. */
interface Outputs {
  /** D */
  readonly inputs: number
  /** C: for `softmax` the number of classes; for losses of one output at a time 1, or several where they take it. */
  readonly outputs: number
  readonly loss: Loss
  /** Values of the loss's parameters, in the order of its definition; absent where it has none. */
  readonly lossParameters?: LossParameters
}

/**
 * A feed-forward network D → hidden[0] → … → C. `hidden: []` is a generalised linear model.
 *
 * Packing of θ [P]: layer by layer, unit by unit; a unit's slice is its bias (where `bias`) followed by its incoming
 * weights in the order of the layer below. So a GLM is (Intercept), then one coefficient per column.
 */
export interface Network extends Outputs {
  readonly kind: 'network'
  readonly hidden: readonly number[]
  readonly activation: Activation
  readonly bias: boolean
  /** Adds (ridge/2) Σ θ_p² over the penalised parameters. */
  readonly ridge: number
  /** Whether the ridge falls on biases (intercepts) too, not on weights only. */
  readonly penalizeBias: boolean
  /** Firth's penalty −½ log det of the expected information, over the total weight; without hidden layer only. */
  readonly firth?: boolean
}

/** One output z that a user wrote as an expression of columns and parameters. No penalty falls on it. */
export interface ExpressionModel extends Outputs {
  readonly kind: 'expression'
  readonly expression: Expression
}

export type Model = Network | ExpressionModel

/**
 * Rows with a model: f(θ) = Σ_i weight_i ℓ(z(θ; x_i) + offset_i, y_i) / Σ_i weight_i + (ridge/2) Σ_{p penalised} θ_p².
 */
export interface Problem<M extends Model = Model> {
  readonly model: M
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

/** Is f convex in θ? `reason` is one sentence. Strong convexity also depends on rank and separation of the data. */
export interface Convexity {
  readonly model: boolean
  readonly reason: string
}
