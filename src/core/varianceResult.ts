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
export interface VarianceSplit {
  /** Of the initial values. */
  readonly start: Component
  /** Of the order of the mini-batches. */
  readonly order: Component
  /** Of the rows that were drawn. */
  readonly resample: Component
  /** Of initial values and orders together, beyond each alone. */
  readonly 'start:order': Component
  /** Of initial values and rows together. */
  readonly 'start:resample': Component
  /** Of orders and rows together. */
  readonly 'order:resample': Component
  /** Of what is left. */
  readonly residual: Component
  /** Over all runs. */
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

  /** Of the prediction, over all runs. */
  readonly mean: number

  /** Its standard deviation. */
  readonly deviation: number

  /** Of its variance, by source. */
  readonly shares: Readonly<Record<Source, number>>
}

/** Why the runs of one model differ, quantity by quantity. */
export interface ModelVariance {
  /** Of the model, in words. */
  readonly name: string

  /** Whether its loss is convex. */
  readonly convex: boolean
  /** `loss`, scores on all training rows, `out.…` on the rows that a run's resample left out, `test.…`, `minimum` and `predictions`. */
  readonly metrics: Readonly<Record<string, VarianceSplit>>
  /** Where Newton's method goes on the given rows from where the runs ended, the most frequent first. */
  readonly minima: readonly {
    /** What lies there, in words. */
    readonly end: string
    /** f there; null where there is none. */
    readonly loss: number | null
    /** Runs that come there. */
    readonly runs: number
  }[]
  /** By row, the widest first. */
  readonly rows: readonly RowSplit[]

  /** Runs of this model. */
  readonly runs: number

  /** Runs that are not numbers; they count for nothing. */
  readonly failed: number

  /** From the first run to the last. */
  readonly seconds: number

  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[]
}

/** Why runs differ: of the model, and of its convex twin. */
export interface VarianceResult extends ModelVariance {
  /** What kind of file it is. */
  readonly format: typeof varianceFormat

  /** Of its fields. */
  readonly version: number

  /** Initial values that were crossed. */
  readonly starts: number

  /** Orders of mini-batches that were crossed. */
  readonly orders: number

  /** Resamples of the rows that were crossed. */
  readonly resamples: number

  /** How rows were resampled. */
  readonly resampling: string
  /** How components and intervals are estimated. */
  readonly method: string

  /** What was studied. */
  readonly problem: {
    /** Name of the table. */
    readonly data: string

    /** Training rows. */
    readonly rows: number

    /** Rows held out. */
    readonly testRows: number

    /** Column of the target. */
    readonly target: string

    /** With its options, in words. */
    readonly optimizer: string

    /** Of starts, mini-batches and resamples. */
    readonly seed: number

    /** Where starts lie, in words. */
    readonly init: string
  }

  /** What computed the runs. */
  readonly engine: {
    /** `cpu`, `webgpu`, `tensorflow` or `reference`. */
    readonly name: string

    /** Of the search: `f64`, `f32` or `mixed`. */
    readonly precision: string

    /** Processor or graphics card, in words. */
    readonly device: string

    /** Threads of the search. */
    readonly threads: number

    /** Why this engine, as a sentence. */
    readonly why: string
  }
  /** The same for the model without hidden layer and with a convex loss; absent where the model is convex itself, or a formula. */
  readonly twin?: ModelVariance
}
