/** What best-of-k starts give, and how many starts are needed: types only. */
import type { MetricSet } from './pointResult.js'

/** An expected value with its 95 % interval; null where too few runs were made to say. */
export interface Expected {
  /** Expected value. */
  readonly mean: number
  /** At 95 %. */
  readonly interval: readonly [number, number] | null
}

/**
 * What k starts are expected to give when the run with the lowest loss, as found, is taken. Means are over all sets of k of the runs. A run
 * that failed costs what it costs and gives nothing; means are over the sets in which some run gives a loss.
 */
export interface BestOf {
  /** Starts, of which the best run is taken. */
  readonly k: number
  /** Expected lowest loss. */
  readonly loss: number
  /** At 95 %, for all k together; losses beyond those seen count as the nearest one seen. */
  readonly interval: readonly [number, number]
  /** Probability that all k runs fail; absent where no run did. */
  readonly none?: number
  /** Expected scores on held-out rows of the run that is taken; absent without such rows. */
  readonly test?: MetricSet<Expected>
  /** What the search of k starts costs; in time, k times the `timing` of a start. */
  readonly evaluations: {
    /** Values of f. */
    readonly f: number
    /** Gradients. */
    readonly g: number
    /** Hessians. */
    readonly H: number
  }
}

/** How many starts find the minima that share the lowest loss known. */
export interface Restarts {
  /** Ids of those that are listed. */
  readonly points: readonly number[]
  /** Runs that ended there. */
  readonly count: number
  /** Probability that a start finds one of them. */
  readonly share: number
  /** Its interval of Clopper and Pearson at 95 %. */
  readonly shareInterval: readonly [number, number]
  /** Chance that is asked for: 0.95. */
  readonly chance: number
  /** Least k with 1 − (1 − share)^k ≥ chance. */
  readonly starts: number
  /** The same at the ends of the interval of the share, least first. */
  readonly startsInterval: readonly [number, number]
}

/** What k starts give, and how many are needed. */
export interface RestartsResult {
  /** k = 1, 2, 5, 10, … and the number of runs; empty where no run gave a loss. */
  readonly bestOf: readonly BestOf[]
  /** Absent where no minimum is known. */
  readonly needed?: Restarts
}
