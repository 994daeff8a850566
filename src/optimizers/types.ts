/** What an optimiser is: a name, options with defaults, and a function that writes its update rule. */
import type { Program } from '../language/program.js'

export interface NumberOption {
  readonly kind: 'number'
  readonly default: number
  /** Inclusive bounds, unless `exclusiveMin`. */
  readonly min: number
  readonly max: number
  readonly exclusiveMin?: boolean
  readonly integer?: boolean
  readonly meaning: string
}
export interface BooleanOption {
  readonly kind: 'boolean'
  readonly default: boolean
  readonly meaning: string
}
export interface ChoiceOption {
  readonly kind: 'choice'
  readonly default: string
  readonly choices: readonly string[]
  readonly meaning: string
}
export type OptimizerOption = NumberOption | BooleanOption | ChoiceOption
export type OptionValues = Readonly<Record<string, number | boolean | string>>

export interface RuleContext {
  /** Unit roundoff spacing of the engine's precision: 2⁻⁵² or 2⁻²³. */
  readonly eps: number
  /** P */
  readonly parameters: number
  /** A start whose loss is above this counts as one that overflows; eps⁻² when not given. */
  readonly high?: number
}

export interface OptimizerDefinition {
  readonly name: string
  readonly needs: 'g' | 'H'
  /** What H is, where it is not the Hessian; for models that have such a matrix (`hasGaussNewton`). */
  readonly curvature?: 'gaussNewton'
  /** Whether it can be run on mini-batches (options `batchSize` and `order` are then accepted). */
  readonly stochastic: boolean
  /** Budget of steps when the study gives none. */
  readonly steps: number
  readonly options: Readonly<Record<string, OptimizerOption>>
  build(options: OptionValues, context: RuleContext): Program
}

/** An optimiser with all its options resolved; plain data, saved with the study. */
export interface ResolvedOptimizer {
  readonly name: string
  readonly options: OptionValues
  readonly batch: { readonly size: number; readonly order: 'run' | 'shared' } | null
}

export const epsilonOf = { f64: 2 ** -52, f32: 2 ** -23 } as const
