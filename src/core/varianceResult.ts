/** What `manystart variance` says: plain data, as in its summary.json. */
/** In every such file: what kind it is. */
export const varianceFormat = 'manystart/variance'
/** Of its fields. */
export const varianceVersion = 2

/** What runs differ in. */
export const factors = ['start', 'order', 'resample'] as const
/** One of the factors. */
export type Factor = (typeof factors)[number]
/** A factor, two of them together, or what is left: all that vary together, which one run a cell does not tell from noise. */
export type Source = Factor | 'start:order' | 'start:resample' | 'order:resample' | 'residual'
/** All sources of variance. */
export const sources: readonly Source[] = [...factors, 'start:order', 'start:resample', 'order:resample', 'residual']

/** What one source gives of a quantity's variance. */
export interface Component {
  /** Of the variance of a single run. */
  readonly share: number
  /** 95 % */
  readonly interval: readonly [number, number]
  /** Root of the component. */
  readonly deviation: number
}

/** A quantity over all runs. */
export interface VarianceSplit extends Readonly<Record<Source, Component>> {
  readonly mean: number
  /** Root of the sum of all components: the standard deviation of a run. */
  readonly deviation: number
  /** Deviations up to this are rounding, or left by the rule that runs stop by; no shares are made of them. */
  readonly floor: number
}

/** The prediction for one row. */
export interface RowSplit {
  /** Number of the row among those of training, from 1. */
  readonly row: number
  readonly mean: number
  readonly deviation: number
  readonly shares: Readonly<Record<Source, number>>
}

/** Why the runs of one model differ, quantity by quantity. */
export interface ModelVariance {
  readonly name: string
  readonly convex: boolean
  /** `loss`, scores on all training rows, `out.…` on the rows that a run's resample left out, `test.…`, `minimum` and `predictions`. */
  readonly metrics: Readonly<Record<string, VarianceSplit>>
  /** Where Newton's method goes on the given rows from where the runs ended, the most frequent first. */
  readonly minima: readonly { readonly end: string; readonly loss: number | null; readonly runs: number }[]
  /** By row, the widest first. */
  readonly rows: readonly RowSplit[]
  readonly runs: number
  readonly failed: number
  readonly seconds: number
  readonly notes: readonly string[]
}

/** Why runs differ: of the model, and of its convex twin. */
export interface VarianceResult extends ModelVariance {
  readonly format: typeof varianceFormat
  readonly version: number
  readonly starts: number
  readonly orders: number
  readonly resamples: number
  readonly resampling: string
  /** How components and intervals are estimated. */
  readonly method: string
  readonly problem: {
    readonly data: string
    readonly rows: number
    readonly testRows: number
    readonly target: string
    readonly optimizer: string
    readonly seed: number
    readonly init: string
  }
  readonly engine: {
    readonly name: string
    readonly precision: string
    readonly device: string
    readonly threads: number
    readonly why: string
  }
  /** The same for the model without hidden layer and with a convex loss; absent where the model is convex itself, or a formula. */
  readonly twin?: ModelVariance
}
