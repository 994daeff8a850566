/** What is said of resampled rows: `resampling` of a summary. */
import type { Interval } from './inferenceResult.js'

/** The parameters of a minimum over resamples of the rows; lists are in the order of `names`. */
export interface BootstrapParameters {
  /** Those of the minimum. */
  readonly names: readonly string[]
  /** At the minimum of all rows, in the units of the columns as given. */
  readonly estimates: readonly number[]
  /** Standard deviation over the resamples. */
  readonly standardErrors: readonly number[]
  /** Mean over the resamples less the estimate. */
  readonly biases: readonly number[]
  /** Quantiles of the resamples. */
  readonly percentile: readonly Interval[]
  /** The same mirrored at the estimate. */
  readonly basic: readonly Interval[]
  /** Bias-corrected and accelerated; ends are null where all resamples lie on one side of the estimate. */
  readonly bca: readonly Interval[]
}

/** The prediction for a row over resamples. */
export interface BootstrapRow {
  /** Its number in its table, from 1. */
  readonly row: number
  /** Of models with several outputs, which of them. */
  readonly output?: string
  /** Of which class `prediction` is the probability: that of 1, or the likeliest of several. */
  readonly class?: string
  /** At the minimum of all rows. */
  readonly prediction: number
  /** Standard deviation over the resamples. */
  readonly standardError: number
  /** Quantiles of the resamples. */
  readonly interval: readonly [number, number]
}

/** The best minimum and its predictions over resamples of the rows with replacement. */
export interface BootstrapResult {
  /** How many. */
  readonly resamples: number
  /** Starts that were followed on each beside the minimum of all rows. */
  readonly starts: number
  /** Of all intervals, such as 0.95. */
  readonly confidence: number
  /** The point of the study that is followed. */
  readonly point: {
    /** Its `id`. */
    readonly id: number
    /** f, in the user's units. */
    readonly loss: number
  }
  /** Over the resamples on which it was found again; absent where a reason says why. */
  readonly parameters?: BootstrapParameters
  /** Why parameters have no intervals, as a sentence. */
  readonly parametersReason?: string
  /** Resamples on which the minimum was followed to no minimum. */
  readonly lost: {
    /** Where the parameters grow without bound, as on separated rows. */
    readonly unbounded: number
    /** Where the run ended otherwise. */
    readonly unfinished: number
  }
  /** Resamples on which another start came to a lower loss. */
  readonly lower: number
  /** Rows in their order; of many rows some. */
  readonly rows: readonly BootstrapRow[]
}

/** A mean over rows that were held out. */
export interface HeldOut {
  /** Over all rows, and the divisions of them. */
  readonly estimate: number
  /** Its standard error over the parts of a division; absent where it is no mean over rows, or there is one part. */
  readonly error?: number
  /** At the best point of all rows, on those rows. */
  readonly training: number | null
  /** The mean over single starts, where several were followed for each part. */
  readonly single?: number
}

/** Rows predicted by models that were fitted without them. */
export interface CrossValidation {
  /** Parts of the rows, each held out once. */
  readonly folds: number
  /** Divisions into parts. */
  readonly repeats: number
  /** Starts for each part, of which the one with the lowest loss predicts. */
  readonly starts: number
  /** The loss of the model without its penalty, in the user's units. */
  readonly loss: HeldOut
  /** Scores by name, of all rows together, each predicted by the model that was fitted without it. */
  readonly metrics: Readonly<Record<string, HeldOut>>
  /** Standard deviation of the loss between divisions; absent where there is one. */
  readonly betweenRepeats?: number
  /** Runs that failed, and count for nothing. */
  readonly failed: number
}

/** What was asked for on resampled rows. */
export interface ResamplingResult {
  /** Where it was asked for, and a point was found. */
  readonly bootstrap?: BootstrapResult
  /** Where it was asked for. */
  readonly crossValidation?: CrossValidation
  /** Why one of them is not there, a sentence each. */
  readonly notes: readonly string[]
}
