/** The result of `bench kernels` as plain data. Fields are added at the end, never renamed: scripts read them. */
import type { EngineName, Precision } from '../../engines/types.js'
import type { Conditions } from '../conditions.js'
import type { Machine } from '../machine.js'

export const kernelNames = ['gradient', 'hessian', 'update', 'eigh', 'study'] as const
export type KernelName = (typeof kernelNames)[number]

export interface KernelRecord {
  readonly engine: EngineName
  readonly precision: Precision
  readonly kernel: KernelName
  readonly sizes: {
    readonly N: number
    readonly D: number
    readonly hidden: readonly number[]
    readonly P: number
    /** Points of one repeat, or starts of a study. */
    readonly R: number
  }
  /** Gradients, Hessians, updates, decompositions or whole runs per second, from the median repeat; 0 for a wrong result. */
  readonly perSecond: number
  /** Counted operations (sizes.ts) per second in 1e9; null where nothing is counted. */
  readonly gflops: number | null
  /** What multiply-adds in registers reached on all threads in the same minutes; null where the engine cannot tell. */
  readonly peakGflops: number | null
  /** gflops / peakGflops */
  readonly share: number | null
  /** Optimiser of an update, model of a study; "" otherwise. */
  readonly name: string
  readonly threads: number
  /** Seconds of each sample; a sample is `repeats` repeats of R. */
  readonly seconds: readonly number[]
  readonly repeats: number
  /** Samples were taken in so many blocks of equal size, with the peak measured in between. */
  readonly rounds: number
  /** Middle half of the samples, and the fastest, as rates. */
  readonly spread: { readonly q25: number; readonly q75: number; readonly best: number }
  /** What is wrong with the result, in one sentence; absent when it agrees with the reference. */
  readonly error?: string
  /** Least traffic of a gradient or Hessian in 1e9 bytes per second. */
  readonly gigabytesPerSecond?: number
  /** What a copy of as many bytes reached, in a cache where they fit one; null where the engine cannot tell. */
  readonly peakGigabytesPerSecond?: number | null
  /** What a copy of a block that no cache holds reached. */
  readonly memoryGigabytesPerSecond?: number | null
  /** gflops over what the roofline allows: the smaller of the peak and intensity × the copy rate of as many bytes. */
  readonly rooflineShare?: number | null
  /** Updates: their share of a step, evaluation included. */
  readonly shareOfStep?: number
  /** Studies: share of lane-steps in which a lane held a run, and what it would be if batches waited for their slowest run. */
  readonly occupancy?: number | null
  readonly occupancyWithoutRefill?: number | null
  /** Studies: runs per second of the search alone, without verdicts and clusters. */
  readonly searchPerSecond?: number
  /** Studies: evaluations per second of the search. */
  readonly evaluationsPerSecond?: number
  /** Energy per gradient, Hessian or run in joules, of the processor and, on a GPU, of the graphics cards; null where it cannot be read. */
  readonly joulesPerRun?: number | null
  /** Engines on a device of its own: from handing it next to nothing to having the answer, in seconds. */
  readonly secondsPerSubmit?: number
  /** By name, where the engine has several. */
  readonly device?: string
}

/** A kernel that an engine could not be timed on, and why. */
export interface Missing {
  readonly engine: EngineName
  readonly precision?: Precision
  readonly kernel?: KernelName
  readonly reason: string
  readonly device?: string
}

/** What was measured, in the engine's own words: processor and instruction set, or package, library and adapter. */
export interface MeasuredEngine {
  readonly engine: EngineName
  readonly device?: string
  readonly detail: string
}

export interface KernelResults {
  readonly format: 'manystart/bench'
  readonly version: 1
  readonly machine: Machine
  readonly records: readonly KernelRecord[]
  readonly missing: readonly Missing[]
  readonly wallSeconds: number
  readonly engines?: readonly MeasuredEngine[]
  /** At the start and at the end. */
  readonly conditions?: readonly Conditions[]
}

/** "cpu f64", "tensorflow wasm f32" */
export const engineText = (r: Pick<KernelRecord, 'engine' | 'device' | 'precision'>): string =>
  [r.engine, r.device, r.precision].filter(Boolean).join(' ')

/** What makes two records of different results the same measurement. */
export const recordKey = (r: KernelRecord): string =>
  [
    engineText(r),
    r.kernel,
    r.name,
    `N=${r.sizes.N} D=${r.sizes.D} h=${r.sizes.hidden.join(',') || '-'}`,
    `R=${r.sizes.R}`,
    `threads=${r.threads}`
  ]
    .filter(part => part !== '')
    .join(' ')

/** "4-5-1" */
export const networkText = ({ sizes }: Pick<KernelRecord, 'sizes'>): string => [sizes.D, ...sizes.hidden, 1].join('-')

/** "59 %", "4.6 %"; a dash where there is none. */
export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`
