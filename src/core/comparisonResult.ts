/** What two studies have in common and what differs: types only. */
import type { BestOf } from './restartsResult.js'

/** Says in a file, or in what `--json` prints, what it is. */
export const comparisonFormat = 'manystart/comparison'
/** Of that format. */
export const comparisonVersion = 2

/** The probability that the best of k runs of A is better than that of B, ties counting half, with its 95 % interval. */
export interface Outperforms {
  /** Runs of each study, of which the best is taken. */
  readonly k: number
  /** That A's is better. */
  readonly probability: number
  /** At 95 %. */
  readonly interval: readonly [number, number]
}

/** A against B by one value: of single runs, and of the best of k. */
export interface Better {
  /** That a run of A is better than one of B, ties counting half. */
  readonly probability: number
  /** At 95 %. */
  readonly interval: readonly [number, number]
  /** For k = 10, 100 …, as far as there are four times as many runs. */
  readonly bestOf: readonly Outperforms[]
  /** The better one, where the interval is on one side of 1/2. */
  readonly winner: 'A' | 'B' | null
  /** Whether the winner's probability is at least 3/4. */
  readonly matters: boolean
}

/** A distinct point that both studies have met. */
export interface SharedPoint {
  /** Id in the summary of A. */
  readonly a: number
  /** Id in the summary of B. */
  readonly b: number
  /** A strict minimum, or one with flat directions. */
  readonly kind: 'minimum' | 'flat minimum'
  /** As A has it. */
  readonly loss: number
  /** Shares of the runs that ended there. */
  readonly shares: readonly [number, number]
  /** Whether it is proved that both are one point, or copies of one. */
  readonly proved: boolean
}

/** A distinct point of one study that the other has not met. */
export interface OwnPoint {
  /** In the summary of its study. */
  readonly id: number
  /** A strict minimum, or one with flat directions. */
  readonly kind: 'minimum' | 'flat minimum'
  /** f there. */
  readonly loss: number
  /** Of all runs of its study. */
  readonly share: number
  /** Whether it is proved to be none of those of the other study that are proved. */
  readonly proved: boolean
}

/** One of the two studies. */
export interface ComparedStudy {
  /** As it was given. */
  readonly directory: string
  /** Of the model, in words. */
  readonly name: string
  /** Runs that were compared: the first of them. */
  readonly runs: number
  /** Runs that the study has. */
  readonly starts: number
  /** Orders of mini-batches that were crossed with the starts; absent of a study. */
  readonly orders?: number
  /** Resamples of the rows that were; absent of a study. */
  readonly resamples?: number
  /** Engine and precision of the search. */
  readonly engine: string
  /** Of Manystart. */
  readonly version: string
  /** Over the whole study, by wall time. */
  readonly runsPerSecond: number
  /** What the best of k starts is expected to be, as in the summary; absent of designs of `manystart variance`. */
  readonly bestOf?: readonly BestOf[]
}

/** Two studies side by side. */
export interface Comparison {
  /** `manystart/comparison`. */
  readonly format: typeof comparisonFormat
  /** Of that format. */
  readonly version: number
  /** The first of the two. */
  readonly a: ComparedStudy
  /** The second. */
  readonly b: ComparedStudy
  /** What differs in what runs follow from: the field as in study.yaml, and its values; null where it is not set. */
  readonly changed: readonly {
    /** Its path, with dots. */
    readonly field: string
    /** In A. */
    readonly a: string | null
    /** In B. */
    readonly b: string | null
  }[]
  /** Whether run i of A and of B had the same start, so that they are compared as a pair. */
  readonly paired: boolean
  /** Whether both were run on the same rows, of designs on the same resamples, so that runs on the same rows are compared. */
  readonly pairedRows: boolean
  /** By `loss` and by `train.…`, `test.…` and, on rows that a resample left out, `out.…` scores: that A is better. */
  readonly better: Readonly<Record<string, Better>>
  /** Points by their ids; absent where the minima of one cannot be those of the other. */
  readonly shared: readonly SharedPoint[]
  /** What A alone has met. */
  readonly onlyA: readonly OwnPoint[]
  /** What B alone has met. */
  readonly onlyB: readonly OwnPoint[]
  /** What could not be compared, and why, a sentence each. */
  readonly notCompared: readonly string[]
}
