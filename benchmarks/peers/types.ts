/** What peers are given and what they answer, as plain data. */

/** A problem as every peer reads it. θ: unit by unit, a unit's bias before its weights. */
export interface SharedProblem {
  readonly name: string
  readonly N: number
  readonly D: number
  readonly hidden: readonly number[]
  readonly activation: string
  /** Rows of [N][D]. */
  readonly x: readonly (readonly number[])[]
  readonly y: readonly number[]
  /** Adds ridge/2 Σ θ² over the weights, and over the biases where `penalizeBias` is true. */
  readonly ridge: number
  readonly penalizeBias: boolean
  /** [starts][P] */
  readonly starts: readonly (readonly number[])[]
  /** A run has converged when max |g| is at most this. */
  readonly gradient: number
  readonly steps: number
}

export interface PeerFigure {
  readonly what: 'study' | 'gradient' | 'hessian'
  readonly problem: string
  /** How: the peer's own method, in words. */
  readonly method: string
  /** Runs, gradients or Hessians in one sample. */
  readonly count: number
  /** Seconds of each sample, compilation and warm-up left out. */
  readonly seconds: readonly number[]
  /** Studies: [count][P] θ at the end of every run; null where a number is not finite. */
  readonly ends?: readonly (readonly (number | null)[])[]
  /** Gradients and Hessians: those at the first starts, nested or flat; they are checked before the figure counts. */
  readonly sample?: Nested
  /** Studies: starts were the peer's own, not the shared ones. */
  readonly ownStarts?: boolean
  /** f64 when absent. */
  readonly precision?: 'f32'
}

export type Nested = readonly (number | null | Nested)[]

/** What a peer's script printed until it ended or its time was up. */
export interface PeerAnswer {
  readonly peer: string
  readonly versions: Readonly<Record<string, string>>
  readonly figures: readonly PeerFigure[]
  /** What the peer cannot do, in words. */
  readonly notes: readonly string[]
}

export interface Missing {
  readonly peer: string
  /** One sentence. */
  readonly reason: string
}

/** Where the runs of a study ended, as numbers of runs. */
export interface Ends {
  /** By stationary point: index into the `points` of the problem. */
  readonly known: readonly number[]
  /** Met the stopping test elsewhere. */
  readonly unknown: number
  /** Did not meet the stopping test. */
  readonly unfinished: number
}

export interface PeerRow {
  readonly peer: string
  readonly what: PeerFigure['what']
  readonly problem: string
  readonly method: string
  readonly count: number
  readonly seconds: readonly number[]
  readonly ownStarts?: boolean
  /** From the median sample; studies: of runs that met the stopping test; 0 where `error` is given. */
  readonly perSecond: number
  /** How many times as fast Manystart's fastest is, with the 95 % bootstrap interval; null for that itself and for errors. */
  readonly ratio: { readonly ratio: number; readonly low: number; readonly high: number } | null
  readonly ends?: Ends
  /** Studies: smallest loss of a run that met the stopping test. */
  readonly best?: number
  /** What is wrong with the result, in one sentence; absent when it agrees. */
  readonly error?: string
}

/** A stationary point that Manystart's study found, by its loss. */
export interface KnownPoint {
  readonly kind: 'minimum' | 'degenerate' | 'saddle'
  readonly loss: number
}

export interface PeerBar {
  readonly what: string
  /** At least so many times as fast. */
  readonly wanted: number
  readonly ratio: number
}

export interface PeerResults {
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Manystart's own first; its figures are samples from before and after the peers. */
  readonly rows: readonly PeerRow[]
  /** By problem. */
  readonly points: Readonly<Record<string, readonly KnownPoint[]>>
  readonly missing: readonly Missing[]
  readonly notes: readonly string[]
  readonly threads: number
  readonly bars: readonly PeerBar[]
  /** ISO 8601. */
  readonly date: string
}
