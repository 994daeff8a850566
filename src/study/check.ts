/** What can be said of a study's data before any training: how they are read, their rank, and whether they are separated. */
import type { Separation } from '../core/result.js'
import type { ReadOptions } from '../data/read.js'
import type { Preprocessing } from '../data/types.js'
import { resolveConfig, type StudyConfig } from './config.js'
import type { StudyInput } from './input.js'
import { prepareProblem } from './setup.js'

/** What {@link check} finds. */
export interface Check {
  /** Name of the data. */
  readonly data: string
  /** SHA-256 of the numbers and names that a study sees. */
  readonly hash: string
  /** N, training rows. */
  readonly rows: number
  /** [D] columns of the design. */
  readonly columns: readonly string[]

  /** Column of the target. */
  readonly target: string
  /** Words on the target's coding, such as "no = 0, yes = 1"; empty for numbers. */
  readonly coding: string
  /** The loss that was asked for, or the one that suits the target. */
  readonly loss: string
  /** [P] names of the parameters. */
  readonly parameters: readonly string[]
  /** How rows of the table become rows of the design. */
  readonly dataset: Preprocessing
  /** Rank of the design with its column of ones, by singular values; `aliased` columns depend on others. */
  readonly rank: {
    /** Of the design with its column of ones. */
    readonly rank: number

    /** How many columns that has. */
    readonly columns: number

    /** Columns that depend on those before them. */
    readonly aliased: readonly string[]

    /** Whether no column does. */
    readonly full: boolean
  }
  /** By linear programmes; with a ridge that was tried, where the data are separated. */
  readonly separation: Separation
}

/** What {@link check} takes beside the configuration. */
export interface CheckOptions {
  /** Told how far the reading of the data has come. */
  readonly onLoad?: ReadOptions['onProgress']
}

/**
 * Reads the data of a study and looks whether its model has a finite minimiser and determined parameters; runs nothing.
 * @param config the parts `data` and `model` of a study
 * @throws InputError when the configuration or the data are wrong
 */
export async function check(config: StudyInput, options: CheckOptions = {}): Promise<Check> {
  return checkStudy(resolveConfig(config, 'the study'), options)
}

export async function checkStudy(config: StudyConfig, { onLoad }: CheckOptions = {}): Promise<Check> {
  const { data, model, names, separation, rank } = await prepareProblem(config, onLoad ? { onProgress: onLoad } : {})
  return {
    data: data.name,
    hash: data.hash,
    rows: data.rows,
    columns: data.columns,
    target: data.target,
    coding: data.coding,
    loss: model.loss,
    parameters: names,
    dataset: data.preprocessing,
    rank: { ...rank, full: rank.rank === rank.columns },
    separation
  }
}
