/** What peers are given and what they answer, as plain data. */

/** A problem as every peer reads it. θ: unit by unit, a unit's bias before its weights. */
export interface SharedProblem {
  readonly name: string
  readonly N: number
  readonly D: number
  readonly hidden: readonly number[]
  /** Rows of [N][D]. */
  readonly x: readonly (readonly number[])[]
  readonly y: readonly number[]
  /** Adds ridge/2 Σ θ² over the weights, biases left out. */
  readonly ridge: number
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
  /** Studies: loss at the end of every run that met the stopping test. */
  readonly losses?: readonly number[]
  /** Studies: starts were the peer's own, not the shared ones. */
  readonly ownStarts?: boolean
}

/** What a peer's script prints. */
export interface PeerAnswer {
  readonly peer: string
  readonly versions: Readonly<Record<string, string>>
  readonly figures: readonly PeerFigure[]
  /** What the peer cannot do, in words. */
  readonly notes?: readonly string[]
}

export interface PeerRow extends Omit<PeerFigure, 'losses'> {
  readonly peer: string
  readonly perSecond: number
  /** How many times as fast Manystart is, with the 95 % bootstrap interval. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** Studies: share of runs that met the stopping test. */
  readonly converged?: number
  /** Studies: share of those whose loss is that of a stationary point that Manystart knows. */
  readonly agrees?: number
  /** Studies: smallest loss found, less Manystart's. */
  readonly bestGap?: number
}

export interface PeerResults {
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly rows: readonly PeerRow[]
  /** Manystart's own figures of the same run, before and after the peers. */
  readonly own: readonly PeerRow[]
  readonly missing: readonly { readonly peer: string; readonly reason: string }[]
  readonly notes: readonly string[]
  readonly threads: number
  readonly bars: readonly { readonly what: string; readonly wanted: number; readonly ratio: number }[]
  readonly date: string
}
