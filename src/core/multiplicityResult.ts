/** What is said of predictive multiplicity: `multiplicity` of a summary. */

/** Whether level sets are by the error on the training rows, or by the loss. */
export const levelMeasures = ['error', 'loss'] as const
/** One of them. */
export type LevelMeasure = (typeof levelMeasures)[number]

/**
 * How far the predictions of a set of models differ on some rows; rows count with their weights, and so does each output of models with
 * several. Those of classes are absent where the response is a number.
 */
export interface MultiplicityMeasures {
  /** Share of the rows to which some model gives another class than the best one. */
  readonly ambiguity?: number
  /** Largest share of the rows to which one model gives another class than the best one. */
  readonly discrepancy?: number
  /** Mean over the models of the share of the rows to which they give another class than the best one. */
  readonly obscurity?: number
  /** Mean over the rows of the chance that two different runs of the set give the same class; 1 where there is one run. */
  readonly selfConsistency?: number
  /** Mean over the rows of the Rashomon capacity 2^C, from 1 to the number of classes. */
  readonly capacity?: number
  /** Mean over the rows of the width of the range of their predictions: the largest less the smallest. */
  readonly range: number
  /** The largest width. */
  readonly widest: number
}

/** A level set: the models within ε of the best one. */
export interface LevelSet extends MultiplicityMeasures {
  /** The largest difference to the best. */
  readonly epsilon: number
  /** Runs of the set that are compared. */
  readonly runs: number
  /** Of sets of minima: how many there are in it. */
  readonly minima?: number
  /** The same on held-out rows. */
  readonly test?: MultiplicityMeasures
}

/** The predictions of the runs for a row. */
export interface RowRange {
  /** Its number in its table, from 1. */
  readonly row: number
  /** Whether it was held out. */
  readonly heldOut?: true
  /** Of models with several outputs, which of them. */
  readonly output?: string
  /** What the best run predicts: the probability of `class`, or a number. */
  readonly prediction: number
  /** Of which class `prediction` and `ranges` are the probability: that of 1, or the one of several that the best run predicts. */
  readonly class?: string
  /** Smallest and largest prediction within each ε. */
  readonly ranges: readonly (readonly [number, number])[]
}

/** How far the predictions of good runs, and of certified minima, differ. */
export interface Multiplicity {
  /** What ε is a difference of: of the training error (1 − accuracy, or 1 − deviance explained), or of the loss that is minimised. */
  readonly of: LevelMeasure
  /** The list of ε, ascending. */
  readonly epsilon: readonly number[]
  /** Whether runs are compared where the optimiser left them, or, where that is not kept, as certified. */
  readonly point: 'found' | 'certified'
  /** The best run, which the others are compared with. */
  readonly best: {
    /** Its number. */
    readonly start: number
    /** f where its optimiser left it. */
    readonly loss: number
    /** Its training error, where that is what ε is of. */
    readonly error?: number
  }
  /** Over runs, for each ε. */
  readonly within: readonly LevelSet[]
  /** The expected lowest loss of k runs, as `Summary.restarts` has it with all that goes along. */
  readonly bestOf?: readonly {
    /** Runs of which the best is taken. */
    readonly k: number
    /** Expected lowest loss. */
    readonly loss: number
    /** At 95 %, for all k together. */
    readonly interval: readonly [number, number]
  }[]
  /** Where there are too many runs to compare: a sample by hash of so many, of all that did not fail. */
  readonly sample?: {
    /** Runs that are compared. */
    readonly runs: number
    /** Runs that did not fail. */
    readonly of: number
  }
  /** Over certified minima, strict or flat, each with its runs; absent where there is none. */
  readonly minima?: {
    /** For each ε. */
    readonly within: readonly LevelSet[]
    /** Share of the rows on which two minima predict different classes, for the best of them by id. */
    readonly churn?: {
      /** Ids of the minima. */
      readonly ids: readonly number[]
      /** By pairs of them, on the training rows. */
      readonly train: readonly (readonly number[])[]
      /** On the rows held out. */
      readonly test?: readonly (readonly number[])[]
    }
  }
  /** The rows with the widest ranges first; of many rows some, the widest included. */
  readonly rows: readonly RowRange[]
}
