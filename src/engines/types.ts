/**
 * What an engine is: interfaces only. An engine prepares a problem once, evaluates f, g and H for a batch of parameter
 * vectors, and runs an update program (language/rule.ts) from many starts.
 */
import type { ParameterMap } from '../models/network/parameterMap.js'
import type { Init, Problem } from '../models/types.js'
import type { Program } from '../language/program.js'
import type { Resampling } from '../core/resampling.js'
import type { Spare } from '../core/spare.js'
import type { Status } from '../core/status.js'
import type { RunBlock } from '../runs/table.js'

/** Double or single precision. */
export type Precision = 'f64' | 'f32'
/** `mixed`: in f32 until its rounding matters, then in f64. */
export type SearchPrecision = Precision | 'mixed'
export type EngineName = 'reference' | 'cpu' | 'webgpu' | 'tensorflow'

export interface EngineOptions {
  readonly precision: Precision
  /** Threads to use; default: all cores. */
  readonly threads?: number
  /** One of the engine's devices, by name; default: the best that can run here. */
  readonly device?: string
  /** Where the work goes on when the engine's own devices have failed. */
  readonly fallback?: () => Promise<Engine>
}

/**
 * Whether an engine can do a job here; `reason` is one sentence with the remedy. `software`: a GPU that computes on the processor,
 * which only who names the engine wants.
 */
export type Support =
  | { readonly ok: true; readonly detail: string; readonly software?: boolean }
  | { readonly ok: false; readonly reason: string }

/** What a job asks of an engine beside the problem itself. */
export interface WorkNeeds {
  /** Runs or evaluations with Hessians. */
  readonly H?: boolean
  /** Runs with `RunInputs`; `rows`: with rows of their own. */
  readonly inputs?: boolean | 'rows'
}
/** Whether an engine can do a job; `reason` is one sentence with the remedy. */
export type Capability = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** A device of an engine that has several, and whether it can be used here. */
export interface DeviceEntry {
  readonly name: string
  readonly support: Support
}

/** One entry of the registry. `load` is a dynamic import, so that an engine that is not used costs nothing. */
export interface EngineEntry {
  readonly name: EngineName
  readonly precisions: readonly Precision[]
  /** @param hardware only what computes on something else than the processor counts; may be quicker to tell */
  available(hardware?: boolean): Promise<Support>
  /** Every device that the engine knows, the best first; absent, or none, where there is nothing to choose. */
  devices?(): Promise<readonly DeviceEntry[]>
  /** Whether it can do this work, whatever can run here; `reason` is one sentence with the remedy. */
  supports(problem: Problem, needs: WorkNeeds): Promise<Capability>
  load(options: EngineOptions): Promise<Engine>
}

/**
 * Times an engine's kernels from inside, on one core or device and without the way across its boundary. Benchmarks use it where
 * an engine has it and time `evaluate` from outside where not.
 */
export interface KernelTimer {
  /** R of one repeat. */
  readonly lanes: number
  /** The same for one kernel, or for the updates of one program, where it differs. */
  lanesFor?(kernel: 'gradient' | 'hessian' | 'eigh' | 'update', program?: Program): number
  /** Multiply-add operations per second that registers alone reach, two for each, on all threads; `milliseconds`: how long to look. */
  peak?(milliseconds: number): Promise<number>
  /**
   * Bytes per second read and written by a copy, on all threads: of what no cache holds, or of `bytes` read and written in all, again and
   * again. null where such a small one cannot be told from what starting it takes.
   */
  copy?(milliseconds: number, bytes?: number): Promise<number | null>
  /** Seconds from handing a device the least that there is to do to having its answer, of each repeat. */
  submit?(repeats: number): Promise<Float64Array>
  /** Seconds of each repeat of f, g and what the kernel adds, or of the eigen-decomposition of H. θ: [lanes, P] */
  time(kernel: 'gradient' | 'hessian' | 'eigh', theta: Float64Array, repeats: number): Promise<Float64Array>
  /** Seconds of each of `repeats` steps from θ: of the evaluation, and of the update. */
  timeSteps(
    program: Program,
    theta: Float64Array,
    repeats: number
  ): Promise<{ readonly evaluation: Float64Array; readonly update: Float64Array }>
}

export interface Engine {
  readonly name: EngineName
  readonly precision: Precision
  /** Words for the report: processor and instruction set, or adapter. */
  readonly device: string
  readonly threads: number
  /** What happened to it that the report must say, in sentences; grows. */
  readonly notes?: readonly string[]
  prepare(problem: Problem): Promise<Objective>
  /** For benchmarks; absent where the engine cannot time itself from inside. */
  timer?(problem: Problem): KernelTimer
  dispose(): void
}

/** What is computed beside f. */
export interface Needs {
  /** The gradient [R, P]. */
  readonly g?: boolean
  /** The exact Hessian [R, P, P]. */
  readonly H?: boolean
}

/** R results. Absent parts were not asked for. Non-finite values are returned as they come. */
export interface Evaluation {
  /** [R] */
  readonly f: Float64Array
  /** [R, P] row-major. */
  readonly g?: Float64Array
  /** [R, P, P], both triangles filled. */
  readonly H?: Float64Array
}

/**
 * Prediction quality of R parameter vectors on a data set, [R, M] row-major with the columns `scoreNames(loss)`
 * (models/scores.ts), and, for two-class losses and softmax, how many of the R predict each class on each row.
 */
export interface Scores {
  readonly values: Float64Array
  /** [N, C'] counts (C' = 2 for two-class losses, C for softmax); empty for the other losses. */
  readonly classCounts: Float64Array
}

/** Where runs start: numbered random starts (core/rng.ts), or given points. */
export type Starts =
  | {
      readonly kind: 'random'
      readonly seed: number
      readonly first: number
      readonly count: number
      readonly init: Init
      /** From the coordinates that θ0 is drawn in to those of the problem, where they differ. */
      readonly map?: ParameterMap
    }
  | {
      readonly kind: 'given'
      /** [count, P] row-major. */
      readonly theta: Float64Array
      readonly count: number
      /** Number of the first, by which mini-batches are drawn; default 0. */
      readonly first?: number
    }

/** What differs between the runs of a request, by the place of their start in it. */
export interface RunInputs {
  /** Values of the program's inputs, by name: [count], or [count, P] row-major. Inputs that are not named keep their initial value. */
  readonly program?: Readonly<Record<string, Float64Array>>
  /** [count, P] row-major: a penalty ½ Σ_p λ_p θ_p² of the run's own beside the problem's, in f, g and H. */
  readonly ridge?: Float64Array
  /**
   * [count, P] row-major: 0 where a parameter keeps the value that it starts with, 1 elsewhere. Its entry of g is 0, its row and column of
   * H those of the unit matrix; so the gradient norm is that of the free ones.
   */
  readonly free?: Uint8Array
  /** [count] each: the numbers that the runs' starts and mini-batches are drawn by; default: the runs' own. */
  readonly draws?: { readonly start?: Float64Array; readonly order?: Float64Array }
  /**
   * The runs' own rows: the weights of resample `numbers` [count] of all rows, in f, g, H and the means of mini-batches; negative: the rows
   * as they are.
   */
  readonly rows?: { readonly how: Resampling; readonly numbers: Float64Array }
}

export interface RunRequest {
  readonly program: Program
  readonly starts: Starts
  readonly stop: { readonly steps: number; readonly gradient: number }
  /** Rows per mini-batch; full batch when absent. Drawn without replacement, epoch by epoch, from stream 1. */
  readonly batch?: { readonly size: number; readonly order: 'run' | 'shared'; readonly seed: number }
  /** Not on every engine: see `supports`. */
  readonly inputs?: RunInputs
  /** Lanes of the batch over all threads; the engine rounds as it needs. Never changes a result. */
  readonly lanes?: number
  /** Runs per delivered block at most; default 2048. Slow runs come in smaller ones. */
  readonly blockRuns?: number
  /** Keep the path: per step, loss, gradient norm and step number of the current point (for replay and curves). */
  readonly trace?: boolean
  readonly signal?: AbortSignal
  /** Told at the end, by engines that know: lane-steps in which a lane held a run, and all lane-steps. */
  readonly onOccupancy?: (busy: number, all: number) => void
}

/** Why a proof succeeded or failed (analysis/proof.ts has the words). */
export type ProofStatus = 'proved' | 'kink' | 'singular' | 'notFinite' | 'noBox' | 'inertia'

/** What interval arithmetic shows of R stationary points, in the coordinates of the problem. */
export interface Proofs {
  readonly count: number
  readonly status: readonly ProofStatus[]
  /** [R] negative eigenvalues of H, the same over the whole box. */
  readonly index: Uint32Array
  /** [R] smallest half width of the box in which exactly one stationary point lies; 0 where nothing was proved. */
  readonly radius: Float64Array
  /** [R, P] half widths of the box around `theta`. */
  readonly radii: Float64Array
  /** [R] no coordinate of the stationary point is further from the refined one, before rounding, than this. */
  readonly error: Float64Array
  /** [R] κ: from everywhere in the box a step of Newton's method leaves at most 2κ/(1 − κ) of the distance. */
  readonly contraction: Float64Array
  /** [R, P] the stationary point's coordinates as the nearest doubles, if `isRounded`: the same from wherever it was found. */
  readonly theta: Float64Array
  readonly isRounded: Uint8Array
  /** [R] f and max |g_p| at `theta`, rounded from more than double precision. */
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  /** [R] a lower bound of (smallest eigenvalue)/(largest) of H, columns in units of their rms, as far as rounding lets one tell. */
  readonly condition: Float64Array
}

/** Proofs by interval arithmetic. */
export interface Certifier {
  /** Of each point θ [R, P], polished before: that one stationary point lies in a box around it. */
  prove(theta: Float64Array): Promise<Proofs>
  /**
   * Newton's method from each point θ [R, P] to a strict minimum: status `proved` stands for arrived, and nothing is said of a box.
   * What it comes to has been shown to have a positive definite H by factorising it, and its coordinates are as exact as `prove`'s.
   */
  settle(theta: Float64Array): Promise<Proofs>
  /** The first of the points from … to − 1 of θ [·, P] that is outside the box center ± radii [P]; `to` when none is. */
  firstOutside(theta: Float64Array, from: number, to: number, center: Float64Array, radii: Float64Array): number
}

export interface Objective {
  readonly problem: Problem
  /** P */
  readonly parameters: number
  /**
   * θ: [R, P] row-major. f is always computed.
   * @param out arrays of an earlier call of the same sizes, which an engine may write the results into: fresh pages for large
   * Hessians cost as much time as small Hessians. What is returned holds the results either way.
   */
  evaluate(theta: Float64Array, needs: Needs, out?: Evaluation): Promise<Evaluation>
  /**
   * Scores on these rows, or on the rows of `data` (same network) when given.
   * @param spare where an engine may take the array of the values from
   */
  score(theta: Float64Array, data?: Problem, spare?: Spare): Promise<Scores>
  /** z [R, N, C] row-major, offsets included, on these rows or those of `data`. Engines that certify have it. */
  outputs?(theta: Float64Array, data?: Problem): Promise<Float64Array>
  /** Present where the engine can prove what it computes of this problem. */
  readonly certifier?: Certifier
  /**
   * Run the program from every start. Blocks are delivered as runs end; the engine stops producing while the consumer
   * holds more than a few blocks, so memory stays bounded. A result never depends on lanes, threads or blocks.
   * @param spare where an engine may take the arrays of the blocks from; who reads them gives them back
   */
  minimise(request: RunRequest, spare?: Spare): AsyncIterable<RunBlock>
  dispose(): void
}

export type { Program, RunBlock, Status }
