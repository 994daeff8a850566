/** What a contrast finds, as its summary.json holds it: plain data. */
import type { Summary } from './result.js'
import type { VarianceResult } from './varianceResult.js'

export const contrastFormat = 'manystart/contrast'

/** Convex and non-convex models side by side, and what is asked beside them. */
export interface ContrastResult {
  /** Which format this is: "manystart/contrast". */
  readonly format: typeof contrastFormat
  /** Of this layout. */
  readonly version: 2
  /**
   * The generalised linear model, for two classes the squared loss through the sigmoid, a network with a ridge, and the same without;
   * fewer where it was stopped.
   */
  readonly models: readonly Summary[]
  /** The first model on the training rows that it gets right, which its own boundary separates, without and with a ridge; may be none. */
  readonly separated: readonly Summary[]
  /** Why the runs of the network with ridge differ, beside its convex twin; absent where that could not be found out, or was not asked. */
  readonly variance?: VarianceResult
}
