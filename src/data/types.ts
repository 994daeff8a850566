/** Data as a study sees them. */
import type { Loss } from '../models/types.js'

export interface DataConfig {
  readonly csv?: string
  readonly builtin?: string
  readonly generate?: {
    readonly rows: number
    readonly inputs: number
    readonly overlap: number
    readonly seed: number
  }
  readonly target?: string
  readonly features?: readonly string[]
  /** Columns that must be read as numbers. */
  readonly numeric?: readonly string[]
  readonly weights?: string
  readonly offset?: string
  readonly standardize?: boolean
  readonly test?: { readonly fraction: number; readonly seed: number } | { readonly csv: string }
}

/** Rows of a design matrix. */
export interface Rows {
  readonly rows: number
  /** [N, D] row-major, standardised when asked. */
  readonly x: Float64Array
  readonly y: Float64Array
  readonly weight?: Float64Array
  readonly offset?: Float64Array
}

export interface Dataset extends Rows {
  readonly name: string
  readonly inputs: number
  /** Names of the design matrix's columns: "Sepal.Length", or "sprayB" for a level of a categorical column. */
  readonly columns: readonly string[]
  /** [N, D] before standardising. */
  readonly xRaw: Float64Array
  readonly standardization?: { readonly mean: readonly number[]; readonly sd: readonly number[] }
  readonly target: string
  /** Names of the classes for softmax. */
  readonly classes?: readonly string[]
  /** How the target was coded, e.g. "versicolor = 0, virginica = 1"; empty for a number. */
  readonly coding: string
  /** The loss that was asked for, or the one chosen from the target. */
  readonly loss: Loss
  /** SHA-256 of the table, and of that with the held-out rows where they have their own. */
  readonly hash: string
  readonly test?: Rows
}
