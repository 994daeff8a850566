/** What a loss is: its facts, which the rest of the program reads in place of its name, and its terms. */
import type { Algebra } from '../algebra.js'

/** A number that belongs to a loss and is given with it, such as the threshold of Huber's. */
export interface LossParameter {
  readonly name: string
  readonly meaning: string
  /** Exclusive. */
  readonly above: number
  readonly most: number
}

/** Values of a loss's parameters, in the order of its definition. */
export type LossParameters = readonly number[]

/**
 * What the target is: any `number`, a `count` or another number of at least 0, a `positive` number, a `share` in [0, 1] of a class
 * (mostly 0 or 1), or one of several `class`es.
 */
export type Response = 'number' | 'count' | 'positive' | 'share' | 'class'

/** How z becomes a prediction: z itself, 1/(1 + e^−z), Φ(z), 1 − exp(−e^z), e^z, or the shares of e^z of all classes. */
export type Link = 'z' | 'sigmoid' | 'Φ' | 'extreme' | 'exp' | 'shares'

interface Facts {
  readonly link: Link
  /** What the target may be, in words that follow "allows". */
  readonly allowed: string
  readonly fits: (y: number) => boolean
  readonly parameters: readonly LossParameter[]
  /** Up to three numbers that kernels compute the loss with. */
  readonly constants?: (parameters: LossParameters) => readonly number[]
  /** What a model without hidden layer is called. */
  readonly model: string
  /** Whether ℓ is convex in z. */
  readonly convex: boolean
  /** Whether ℓ stays below a bound however wrong a prediction is, so that runs may give up on rows. */
  readonly bounded?: boolean
  /** Whether ℓ is 0 where the model fits a row exactly, which it can, and never less. */
  readonly attainsZero?: boolean
  /** Why ℓ is not −log of a likelihood, as a sentence; absent where it is. */
  readonly noLikelihood?: string
  /** What e to the power of a coefficient is, where it is something. */
  readonly ratio?: string
}

/** A loss of one output at a time; several outputs add their losses. */
export interface ScalarLoss extends Facts {
  readonly response: Exclude<Response, 'class'>
  /** Convex, and nowhere flat or straight over a stretch of z: then only the design leaves directions undetermined. */
  readonly strictlyConvex: boolean
  /** ℓ″ is the same everywhere: the best parameters of the outputs, the others given, solve a linear least squares problem. */
  readonly quadratic?: boolean
  /**
   * For losses of the residual z − y alone: ℓ(sz + m, sy + m) = scale · ℓ′(z, y) with ℓ′ the loss with these parameters, so that a target
   * moved and measured in another unit s is the same problem.
   */
  readonly inUnit?: (unit: number, parameters: LossParameters) => { parameters: LossParameters; scale: number }
  /** The sentence on convexity of a loss that is not convex. */
  readonly nonconvexReason?: string
  /** Writes ℓ, ℓ′, ℓ″ at z into `out`: without overflow and cancellation for |z| ≤ 1e4. */
  terms(z: number, y: number, out: Float64Array, parameters: LossParameters): void
  /** ℓ by its definition, for moderate |z|. */
  value<T>(A: Algebra<T>, z: T, y: number, parameters: LossParameters): T
  /** Mean response; for shares the probability of class 1. */
  readonly mean: (z: number) => number
  /** Unit deviance d(y, μ), for all but shares. */
  readonly deviance?: (y: number, mu: number, parameters: LossParameters) => number
  /** −[y log p + (1 − y) log(1 − p)], for shares. */
  readonly logLoss?: (z: number, y: number) => number
  /** The z at which both classes are as likely, for shares. */
  readonly even?: number
  /**
   * Squared residual over its variance function, where the likelihood has a dispersion that is estimated: for `squared` (y − μ)², for
   * `gamma` Pearson's ((y − μ)/μ)² (McCullagh & Nelder 1989, §8.3.6).
   */
  pearson?(y: number, z: number): number
  /** Terms of −log p(y) that no coefficient moves, per unit of weight: log p = −(ℓ + this). For likelihoods without a dispersion. */
  readonly constant?: (y: number, parameters: LossParameters) => number
  /** log p(y) of a row of a likelihood with dispersion φ, its weight counted in; φ is the deviance over the rows, or over their weight. */
  readonly dispersed?: {
    readonly per: 'row' | 'weight'
    readonly logDensity: (y: number, z: number, dispersion: number, weight: number) => number
  }
  /** The way in which z can go on for ever without a rise of ℓ: 1, −1, or 0 for a y without one; absent where no y has one. */
  readonly recedes?: (y: number) => 1 | -1 | 0
  /**
   * Expected information h(z) per unit of weight (and of 1/φ, where there is a dispersion φ) with h′ and h″, written into `out`; for
   * losses that are likelihoods.
   */
  readonly information?: (z: number, out: Float64Array, parameters: LossParameters) => void
  /** The same by its definition, for moderate |z|, of losses to which Firth's penalty applies. */
  readonly informationValue?: <T>(A: Algebra<T>, z: T) => T
}

/** A loss of all outputs together, with the number of the class as target. */
export interface ClassLoss extends Facts {
  readonly response: 'class'
  readonly strictlyConvex: false
  value<T>(A: Algebra<T>, z: readonly T[], y: number): T
}

export type LossDefinition = ScalarLoss | ClassLoss
