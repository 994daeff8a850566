/** Loads the compiled kernels of kernels/cpu and states what it offers; says in one sentence why it cannot be had. */
import { createRequire } from 'node:module'
import { compiledFile, isClone, systemName } from '../../core/prebuilt.js'
import type { RunBlock } from '../../runs/table.js'

/** Opaque handles of the addon. */
export type NativeProblem = object & { readonly __nativeProblem: never }
export type NativeRun = object & { readonly __nativeRun: never }

/** R points [R, P] as hi + lo, half widths of their boxes, coordinates rounded to doubles; `numbers` [R, 9] (proofs.ts). */
export interface NativeProofs {
  readonly hi: Float64Array
  readonly lo: Float64Array
  readonly radii: Float64Array
  readonly rounded: Float64Array
  readonly numbers: Float64Array
}

export interface NativeTarget {
  readonly id: string
  readonly name: string
  readonly usable: boolean
  /** Runs in a lane group in f64 and in f32. */
  readonly lanes64: number
  readonly lanes32: number
}

/** The kernels' own lists, in the order of their numbers, and the numbers of the instructions. */
export interface Numbering {
  readonly losses: readonly string[]
  readonly activations: readonly string[]
  /** What proofs take: "loss squared", "activation tanh". */
  readonly enclosed: readonly string[]
  readonly instructions: Readonly<Record<string, number>>
}

export interface Addon {
  numbering(): Numbering
  targets(): NativeTarget[]
  createProblem(description: Readonly<Record<string, unknown>>): NativeProblem
  evaluate(
    problem: NativeProblem,
    theta: Float64Array,
    g: boolean,
    H: boolean,
    threads: number,
    out: { readonly f: Float64Array; readonly g?: Float64Array; readonly H?: Float64Array } | undefined
  ): Promise<{ f: Float64Array; g?: Float64Array; H?: Float64Array }>
  outputs(problem: NativeProblem, theta: Float64Array, threads: number): Promise<Float64Array>
  score(
    problem: NativeProblem,
    theta: Float64Array,
    threads: number,
    out: { readonly values: Float64Array } | undefined
  ): Promise<{ values: Float64Array; classCounts: Float64Array }>
  /** Proofs; with `settle`, Newton's method to a strict minimum from each point instead. */
  prove(problem: NativeProblem, theta: Float64Array, settle: boolean, threads: number): Promise<NativeProofs>
  /** As `Certifier.firstOutside`. */
  firstOutside(theta: Float64Array, from: number, to: number, center: Float64Array, radii: Float64Array): number
  /** Whether Krawczyk's test holds in the box of half widths `radii` around `center`. */
  boxHolds(problem: NativeProblem, center: Float64Array, radii: Float64Array): boolean
  /** Lower, then upper ends of g [P] and H [P, P] over the box; then f and g [1 + P] at `lo` as balls [1 + P, 3]. */
  boxDerivatives(problem: NativeProblem, lo: Float64Array, hi: Float64Array): Float64Array
  /** Intervals [2, n], lower ends first, through the operation of that number (proofs.ts). */
  enclose(target: string, operation: number, a: Float64Array, b: Float64Array | null): Float64Array
  /** Balls [n, 3]: hi, lo, radius. */
  encloseBalls(target: string, operation: number, a: Float64Array, b: Float64Array | null): Float64Array
  run(problem: NativeProblem, program: object, options: object, onReady: () => void): NativeRun
  /** Runs of the block that waits to be taken, 0 where none does; whether all have been; lane-steps in use, and all. */
  state(run: NativeRun): { waiting: number; end: boolean; busy: number; all: number }
  /** The block that waits, in the arrays of `into` where they are given. */
  take(run: NativeRun, into: RunBlock | undefined): RunBlock
  abort(run: NativeRun): void
  startPoint(seed: number, start: number, normal: boolean, scale: Float64Array): Float64Array
  bench(
    problem: NativeProblem,
    what: 'gradient' | 'hessian' | 'eigh' | 'step' | 'peak' | 'copy',
    theta: Float64Array,
    repeats: number,
    program: object | null,
    threads: number,
    bytes: number
  ): Promise<Float64Array>
}

let loaded: { addon: Addon } | { reason: string } | undefined

/** The addon, or the reason why there is none and how to get it. */
export function loadAddon(): { addon: Addon } | { reason: string } {
  loaded ??= open()
  return loaded
}

function open(): { addon: Addon } | { reason: string } {
  const path = compiledFile('kernels/cpu/build', 'manystart.node')
  const again = isClone ? 'npm run build' : 'npm rebuild manystart'
  if (path === undefined)
    return {
      reason: isClone
        ? `The cpu engine is not built, so runs are 20 to 40 times slower on two cores; install g++ and make, then run \`${again}\`.`
        : `This package has no cpu engine for ${systemName()}, so runs are 20 to 40 times slower on two cores; install g++ and make, then run \`${again}\`.`
    }
  try {
    return { addon: createRequire(import.meta.url)(path) as Addon }
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    const remedy = isClone
      ? `remove kernels/cpu/build and run \`${again}\``
      : `install g++ and make, then run \`${again}\``
    return { reason: `The cpu engine does not load (${why}); ${remedy}.` }
  }
}
