/** Data as a study sees them. */
import type { Loss } from '../models/losses/index.js'

/** A value of a table that a program hands over; null, undefined and NaN are missing ones. */
export type Cell = number | string | boolean | bigint | Date | null | undefined
/** Arrays of one length, by the name of their column. */
export type Columns = Readonly<Record<string, ArrayLike<Cell>>>

/** The `data` part of a study. */
export interface DataConfig {
  /** Path of a text table, or `-` for standard input. */
  readonly csv?: string
  readonly parquet?: string
  readonly builtin?: string
  readonly generate?: {
    readonly rows: number
    readonly inputs: number
    readonly overlap: number
    readonly seed: number
  }
  readonly columns?: Columns
  readonly rows?: readonly Readonly<Record<string, Cell>>[]
  /** SHA-256 that the data are expected to have (`Dataset.hash`); a note says when they have not. */
  readonly hash?: string
  readonly target?: string | readonly string[]
  /** Column of the number of trials; the target then counts the successes among them. */
  readonly trials?: string
  readonly features?: readonly string[]
  readonly exclude?: readonly string[]
  /** Columns that hold labels, whatever they look like. */
  readonly categorical?: readonly string[]
  /** Columns that must be read as numbers. */
  readonly numeric?: readonly string[]
  /** Level of a column of labels that the others are compared with. */
  readonly reference?: Readonly<Record<string, string>>
  /** What is done with rows that have a missing value in a column that is used. */
  readonly missing?: 'refuse' | 'drop'
  /** Leaves out columns that depend on those before them. */
  readonly dropAliased?: boolean
  /** What stands for a missing value, beside the empty cell. */
  readonly missingValues?: readonly string[]
  readonly delimiter?: string
  readonly decimal?: '.' | ','
  readonly weights?: string
  readonly offset?: string
  /** Column whose logarithm is added to z. */
  readonly exposure?: string
  readonly standardize?: boolean
  /** The target too, for losses of numbers. */
  readonly standardizeTarget?: boolean
  readonly test?: 'none' | { readonly fraction: number; readonly seed: number } | { readonly csv: string }
}

/** How far the reading of a table has come. */
export interface LoadProgress {
  /** Path or name of the table. */
  readonly source: string
  /** Bytes read, of `size`. */
  readonly bytes: number

  /** Bytes in all. */
  readonly size: number

  /** Rows read so far. */
  readonly rows: number
}

/** Rows of a design matrix. */
export interface Rows {
  readonly rows: number
  /** [N, D] row-major, as given: conditioning.ts makes of them what is computed with. */
  readonly x: Float64Array
  readonly y: Float64Array
  /** Of each row in the sums; the trials are counted in. */
  readonly weight?: Float64Array
  readonly offset?: Float64Array
  /** Trials of each row, where the target is a share of successes among them. */
  readonly trials?: Float64Array
  /** [N] number of each row in its table, from 1; absent where that is its place here. */
  readonly numbers?: Float64Array
}

/** A column of the table and what it becomes. */
export type Term =
  | {
      /** Numbers, or labels with a column of the design for each level but the reference. */
      readonly kind: 'number'
      /** Of the table. */
      readonly column: string
    }
  | {
      /** Numbers, or labels with a column of the design for each level but the reference. */
      readonly kind: 'category'

      /** Of the table. */
      readonly column: string
      /** The first is the reference: it has no column of the design. */
      readonly levels: readonly string[]
      /** Levels without a column of their own, because it depends on other columns. */
      readonly without?: readonly string[]
    }

/** How the target became numbers. */
export interface TargetCoding {
  /** Codings of further target columns, each an output of its own. */
  readonly others?: readonly TargetCoding[]

  /** Column of the table. */
  readonly column: string
  /** The loss that was asked for, or the one chosen from the target. */
  readonly loss: Loss
  /** Labels by their number; for two-class losses those of 0 and 1. */
  readonly classes?: readonly string[]
  /** In words, e.g. "versicolor = 0, virginica = 1"; empty for a number. */
  readonly coding: string

  /** Column of the trials, where there is one. */
  readonly trials?: string
}

/** All that turns rows of a table into rows of the design, kept in study.json for rows that come later. */
export interface Preprocessing {
  /** The columns of the table that the design is made of, in order. */
  readonly terms: readonly Term[]
  /** Names of the design matrix's columns: "Sepal.Length", or "sprayB" for a level of a categorical column. */
  readonly columns: readonly string[]
  /** By column of the design; present where it is standardised. */
  readonly standardization?: {
    /** [D] weighted means. */
    readonly mean: readonly number[]
    /** [D] population standard deviations. */
    readonly sd: readonly number[]
  }

  /** Of the target; present where it is standardised. */
  readonly targetStandardization?: {
    /** Weighted mean. */
    readonly mean: number
    /** Population standard deviation. */
    readonly sd: number
  }

  /** How the target became numbers. */
  readonly target: TargetCoding

  /** Column of the weights, where there is one. */
  readonly weights?: string

  /** Column of the offset, where there is one. */
  readonly offset?: string

  /** Column of the exposure, where there is one. */
  readonly exposure?: string
  /** What stands for a missing value, beside the empty cell. */
  readonly missingValues: readonly string[]
  /** Rows of the table that were read, left out because of missing values, used for training and held out. */
  readonly rows: {
    /** Of the table. */
    readonly read: number

    /** Left out because of missing values. */
    readonly dropped: number

    /** Used for training. */
    readonly training: number

    /** Held out. */
    readonly heldOut: number
  }
  /** Numbers, from 1, of the rows of the table that were held out. */
  readonly heldOut: readonly number[]
  /** What was taken for what, a sentence each. */
  readonly notes: readonly string[]
}

export interface Dataset extends Rows {
  readonly name: string
  readonly inputs: number
  readonly columns: readonly string[]
  /** What was asked for with `standardize`; weighted means and population standard deviations. */
  readonly standardization?: { readonly mean: readonly number[]; readonly sd: readonly number[] }
  /** What was asked for with `standardizeTarget`. */
  readonly targetStandardization?: { readonly mean: number; readonly sd: number }
  /** The target columns, and their names as words. */
  readonly targets: readonly string[]
  readonly target: string
  /** Names of the classes for softmax. */
  readonly classes?: readonly string[]
  readonly coding: string
  readonly loss: Loss
  /** SHA-256 of the numbers and names that the study sees, held-out rows included; the same however the table was written. */
  readonly hash: string
  readonly test?: Rows
  readonly preprocessing: Preprocessing
}
