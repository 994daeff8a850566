/**
 * Messages between the program and a child process that holds an engine's device. Typed arrays travel as they are. What an engine's
 * child can be asked is a table of questions, by kind: what is sent, and what comes back.
 */
import type { Problem } from '../../models/types.js'
import type { Program } from '../../language/program.js'
import type { Evaluation, Needs, RunBlock, RunRequest, Scores } from '../types.js'

/** A run request without what cannot travel. */
export type PlainRequest = Omit<RunRequest, 'signal' | 'onOccupancy'>

export interface Question {
  readonly ask: object
  readonly answer: unknown
}

/** What every engine's child can be asked, about problems that it holds by number. */
export interface EngineQuestions {
  prepare: { ask: { readonly problem: Problem }; answer: number }
  release: { ask: { readonly objective: number }; answer: null }
  evaluate: {
    ask: { readonly objective: number; readonly theta: Float64Array; readonly needs: Needs }
    answer: Evaluation
  }
  score: {
    ask: { readonly objective: number; readonly theta: Float64Array; readonly data?: Problem }
    answer: Scores
  }
  time: {
    ask: {
      readonly objective: number
      readonly kernel: 'gradient' | 'hessian' | 'eigh'
      readonly theta: Float64Array
      readonly repeats: number
    }
    answer: Float64Array
  }
  timeSteps: {
    ask: {
      readonly objective: number
      readonly program: Program
      readonly theta: Float64Array
      readonly repeats: number
    }
    answer: { readonly evaluation: Float64Array; readonly update: Float64Array }
  }
  /** Answered when the run ends; its blocks come as messages of their own before. */
  minimise: { ask: { readonly objective: number; readonly request: PlainRequest }; answer: Occupancy }
}

/** Lane-steps in which a lane held a run, and all lane-steps. */
export interface Occupancy {
  readonly busy: number
  readonly all: number
}

/** Starts by their place in the request: pairs of first and count. */
export type Ranges = Float64Array

export type ToChild =
  | { readonly kind: 'ask'; readonly id: number; readonly what: string; readonly body: object }
  /** One more block of that run may be sent. */
  | { readonly kind: 'taken'; readonly id: number }
  /** Starts for a run that wanted some; `end`: there are no more now. */
  | { readonly kind: 'starts'; readonly id: number; readonly ranges: Ranges; readonly end: boolean }
  | { readonly kind: 'abort'; readonly id: number }

export type FromChild =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly message: string }
  | { readonly kind: 'block'; readonly id: number; readonly block: RunBlock }
  | { readonly kind: 'want'; readonly id: number; readonly count: number }
  /** Every second while there is something to answer: how long the device has been at what it does now. */
  | { readonly kind: 'alive'; readonly waitMilliseconds: number }

/** Blocks of one run that may be under way or waiting to be taken, where the run does not say. */
export const blocksAhead = 4
