/** What two studies have in common and what differs: types only. */
export const comparisonFormat = 'manystart/comparison'
export const comparisonVersion = 1

/** The probability that the best of k runs of A is better than that of B, ties counting half, with its 95 % interval. */
export interface Outperforms {
  readonly k: number
  readonly probability: number
  readonly interval: readonly [number, number]
}

/** A against B by one value: of single runs, and of the best of k. */
export interface Better {
  readonly probability: number
  readonly interval: readonly [number, number]
  /** For k = 10, 100 …, as far as there are four times as many runs. */
  readonly bestOf: readonly Outperforms[]
  /** Which one is better: its interval is on one side of 1/2, and `matters` where its probability is at least 3/4. */
  readonly winner: 'A' | 'B' | null
  readonly matters: boolean
}

/** A distinct point that both studies have met. */
export interface SharedPoint {
  /** Ids in the summaries of A and B. */
  readonly a: number
  readonly b: number
  readonly kind: 'minimum' | 'flat minimum'
  readonly loss: number
  /** Shares of the runs that ended there. */
  readonly shares: readonly [number, number]
  /** Whether it is proved that both are one point, or copies of one. */
  readonly proved: boolean
}

/** A distinct point of one study that the other has not met. */
export interface OwnPoint {
  readonly id: number
  readonly kind: 'minimum' | 'flat minimum'
  readonly loss: number
  readonly share: number
  /** Whether it is proved to be none of those of the other study that are proved. */
  readonly proved: boolean
}

/** One of the two studies. */
export interface ComparedStudy {
  readonly directory: string
  readonly name: string
  /** Runs that were compared: the first of them. */
  readonly runs: number
  readonly starts: number
  readonly engine: string
  readonly version: string
  readonly runsPerSecond: number
}

/** Two studies side by side. */
export interface Comparison {
  readonly format: typeof comparisonFormat
  readonly version: number
  readonly a: ComparedStudy
  readonly b: ComparedStudy
  /** What differs in what runs follow from: the field as in study.yaml, and its values; null where it is not set. */
  readonly changed: readonly { readonly field: string; readonly a: string | null; readonly b: string | null }[]
  /** Whether run i of A and of B had the same start, so that they are compared as a pair. */
  readonly paired: boolean
  /** By `loss` and by `train.…` and `test.…` scores: that A is better. */
  readonly better: Readonly<Record<string, Better>>
  /** Points by their ids; absent where the minima of one cannot be those of the other. */
  readonly shared: readonly SharedPoint[]
  readonly onlyA: readonly OwnPoint[]
  readonly onlyB: readonly OwnPoint[]
  /** What could not be compared, and why, a sentence each. */
  readonly notCompared: readonly string[]
}
