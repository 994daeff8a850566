/** Plain, serialisable data that describe a model that a user wrote as an expression. Nothing here computes. */
/** Distribution of the start of one parameter, in the user's coordinates. */
export type ParameterInit =
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'logUniform'; readonly low: number; readonly high: number }

/** A parameter that is estimated. */
export interface FreeParameter {
  readonly name: string
  readonly init: ParameterInit
  /** Bounds, null where there are none. */
  readonly lower: number | null
  readonly upper: number | null
  /** Its own unit of length, a power of two: what optimisers move is θ / scale (without bounds). */
  readonly scale: number
}

/**
 * z as a function of the columns of a row and of parameters, in place of the layers of a network.
 *
 * Optimisers move inner coordinates u, in which every parameter has the scale 1 and bounds are gone (`toUser` in expression.ts); with
 * `coordinates: 'user'` the same model stands in the user's parameters θ.
 */
export interface Expression {
  readonly formula: string
  /** z is f itself: there are no data (one row without columns) and no loss. */
  readonly objective: boolean
  /** [D] names of the columns of x. */
  readonly columns: readonly string[]
  /** [P] */
  readonly parameters: readonly FreeParameter[]
  /** Parameters that are held at a value. */
  readonly fixed: readonly { readonly name: string; readonly value: number }[]
  /** Families of groups of parameters (by number, position by position) that may change places without changing z. */
  readonly symmetry: readonly (readonly (readonly number[])[])[]
  readonly coordinates: 'inner' | 'user'
  /** H is Gauss and Newton's matrix Σ w ℓ″ ∇z ∇zᵀ in place of the Hessian: z counts as linear in the parameters. */
  readonly gaussNewton?: true
}
