/** What the child process that holds a GPU can be asked. */
import type { EngineQuestions, Occupancy, PlainRequest } from '../../process/protocol.js'
import type { Faults } from './faults.js'
import type { MemoryLimits } from '../core/pace.js'

/** A GPU as Dawn lists it. */
export interface ListedAdapter {
  /** By which it is opened. */
  readonly name: string
  /** Name and driver, for the report. */
  readonly detail: string
  /** Whether it computes on the processor. */
  readonly software: boolean
  /** GPUs of this name; Dawn opens the first of them that its process sees. */
  readonly count: number
}

export interface OpenedGpu {
  /** Name, its number among those of the name, and driver, for the report. */
  readonly detail: string
  /** The same without the number. */
  readonly kind: string
  readonly software: boolean
  readonly limits: MemoryLimits
}

export interface WebgpuQuestions extends EngineQuestions {
  /** Multiply-adds per second in registers, and bytes per second of a copy, each measured for about so long. */
  peak: { ask: { readonly milliseconds: number }; answer: number }
  copy: { ask: { readonly milliseconds: number }; answer: number }
  /** Seconds of each of so many submits that do next to nothing. */
  submit: { ask: { readonly repeats: number }; answer: Float64Array }
  list: { ask: object; answer: readonly ListedAdapter[] }
  open: { ask: { readonly name: string; readonly number?: number; readonly faults?: Faults }; answer: OpenedGpu }
  /** Starts are wanted from the other side, whatever their number in the request. `blocks`: how many may wait there. */
  minimise: {
    ask: { readonly objective: number; readonly request: PlainRequest; readonly blocks: number }
    answer: Occupancy
  }
}
