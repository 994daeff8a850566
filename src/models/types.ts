/** Plain, serialisable data that describe a model and a problem. Nothing here computes. */

export const losses = ['squared', 'logistic', 'probit', 'cloglog', 'poisson', 'gamma', 'softmax', 'brier'] as const
/** ℓ(z, y) of DESIGN §3. Kernels number the losses by their place in `losses`. */
export type Loss = (typeof losses)[number]

export const activations = ['identity', 'tanh', 'logistic', 'softplus', 'relu'] as const
/** Hidden activation. Kernels number the activations by their place in `activations`. */
export type Activation = (typeof activations)[number]

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
  /** C: 1, except for `softmax`, where it is the number of classes. */
  readonly outputs: number
  readonly activation: Activation
  readonly loss: Loss
  readonly bias: boolean
  /** Adds (ridge/2) Σ θ_p² over the penalised parameters. */
  readonly ridge: number
  /** Whether the ridge falls on biases (intercepts) too, not on weights only. */
  readonly penalizeBias: boolean
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
  /** [N]; the class number 0..C-1 for `softmax`; in [0, 1] for the two-class losses. */
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
