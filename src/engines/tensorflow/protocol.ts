/** Messages between the program and the child process that holds TensorFlow. Typed arrays travel as they are. */
import type { Problem } from '../../models/types.js'
import type { Program } from '../../optimizers/program.js'
import type { Evaluation, Needs, RunBlock, RunRequest, Scores } from '../types.js'
import type { DeviceName, Loaded } from './packages.js'

/** A run request without what cannot travel. */
export type PlainRequest = Omit<RunRequest, 'signal' | 'onOccupancy'>

/** What the program asks for; the answer carries the same `id`. */
export type Ask =
  | { readonly kind: 'open'; readonly device: DeviceName; readonly folder: string }
  | { readonly kind: 'prepare'; readonly problem: Problem }
  | { readonly kind: 'release'; readonly objective: number }
  | { readonly kind: 'evaluate'; readonly objective: number; readonly theta: Float64Array; readonly needs: Needs }
  | { readonly kind: 'score'; readonly objective: number; readonly theta: Float64Array; readonly data?: Problem }
  | {
      readonly kind: 'time'
      readonly objective: number
      readonly what: 'gradient' | 'hessian' | 'eigh'
      readonly theta: Float64Array
      readonly repeats: number
    }
  | {
      readonly kind: 'timeSteps'
      readonly objective: number
      readonly program: Program
      readonly theta: Float64Array
      readonly repeats: number
    }
  /** Answered when the run ends; its blocks come as messages of their own before. */
  | { readonly kind: 'minimise'; readonly objective: number; readonly request: PlainRequest }

export interface Answers {
  readonly open: Loaded
  readonly prepare: number
  readonly release: null
  readonly evaluate: Evaluation
  readonly score: Scores
  readonly time: Float64Array
  readonly timeSteps: { readonly evaluation: Float64Array; readonly update: Float64Array }
  readonly minimise: { readonly busy: number; readonly all: number }
}

export type ToChild =
  | (Ask & { readonly id: number })
  /** The block that came last has been taken: another may be sent. */
  | { readonly kind: 'taken'; readonly id: number }
  | { readonly kind: 'abort'; readonly id: number }

export type FromChild =
  | { readonly kind: 'answer'; readonly id: number; readonly value: Answers[keyof Answers] }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly message: string }
  | { readonly kind: 'block'; readonly id: number; readonly block: RunBlock }

/** Blocks of one run that may be under way or waiting to be taken. */
export const blocksAhead = 4
