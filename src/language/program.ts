/**
 * The compiled form of an update rule: a straight list of instructions over per-run vectors [P], per-run scalars and
 * matrices [P, P]. It is plain data; every engine executes it (reference: plain loops; cpu: a blocked SIMD interpreter;
 * webgpu: WGSL text). kernels/README.md states the semantics.
 */

/** Element-wise operations; the scalar form of each is its number + `scalarBase`. */
export const Op = {
  copy: 0, // a
  add: 1, // a + b
  sub: 2, // a − b
  mul: 3, // a b
  div: 4, // a / b
  min: 5, // a < b ? a : b
  max: 6, // a > b ? a : b
  fma: 7, // a b + c
  select: 8, // a ≠ 0 ? b : c
  abs: 9,
  neg: 10,
  sqrt: 11,
  less: 12, // a < b ? 1 : 0 (0 when either is NaN)
  lessEqual: 13,
  finite: 14, // 1 where a is finite, else 0
  // reductions over p, vector operands to one scalar, accumulated in order of p
  dot: 64, // Σ a b
  sum: 65,
  maxAbs: 66, // NaN when any element is
  minimum: 67,
  // matrices; `scale` is a vector s: the operation sees diag(s) A diag(s)
  tridiagonalize: 80, // dst matrix (factor) ← diag(s) A diag(s) = Q T Qᵀ; a: source matrix, b: scale vector, c: mask scalar (lanes with 0 keep the old factor)
  trustRegion: 81, // dst vector p minimises gᵀp + ½ pᵀ(Q T Qᵀ)p, ‖p‖₂ ≤ radius; a: factor, b: vector g, c: radius scalar, d: scalar that receives the predicted decrease −(gᵀp + ½ pᵀBp) ≥ 0
  eigh: 82, // dst vector: eigenvalues ascending; a: source matrix, b: scale vector, c: matrix that receives the eigenvectors as columns
  multiply: 83, // dst vector ← A v; a: matrix, b: vector
  multiplyTransposed: 84 // dst vector ← Aᵀ v
} as const
export type OpName = keyof typeof Op
export const scalarBase = 32

/** Slots with a fixed meaning. */
export const Slot = {
  /** Vector: the point to evaluate next; a state that starts at θ0. */
  x: 0,
  /** Vector: gradient at x, written by the engine before each step. */
  g: 1,
  /** Vector: constant per problem; 1 / rms of the input column for first-layer weights, 1 for all else. */
  scale: 2,
  /** Scalar: f at x. */
  f: 0,
  /** Scalar: steps taken so far by this run, 0 at its first step. */
  step: 1,
  /** Matrix: Hessian at x. */
  H: 0
} as const

export const instructionWidth = 6

export interface Program {
  readonly name: string
  /** What must be evaluated at x before each step. */
  readonly needs: 'g' | 'H'
  /** Number of vector, scalar and matrix slots. */
  readonly vectors: number
  readonly scalars: number
  readonly matrices: number
  /**
   * [count, 6]: operation, dst, a, b, c, d. dst and matrix operands are slot numbers. Operands of element-wise vector
   * operations: v ≥ 0 is vector slot v, v < 0 is scalar slot −1 − v, broadcast. Everywhere else the operation fixes the kind. Unused: 0.
   */
  readonly instructions: Int32Array
  /** Scalar slots that are never written, with their values. */
  readonly constants: readonly { readonly slot: number; readonly value: number }[]
  /** Values that states take when a run enters a lane (x is θ0; factors need none). */
  readonly initialVectors: readonly { readonly slot: number; readonly value: number }[]
  readonly initialScalars: readonly { readonly slot: number; readonly value: number }[]
  /**
   * States that a run may bring a value of its own for, by name (`RunInputs.program`): it takes the place of the initial value when the
   * run enters a lane.
   */
  readonly inputs: readonly { readonly name: string; readonly kind: 'vector' | 'scalar'; readonly slot: number }[]
  /** After each step: the current point, f there, max |g| there, and a flag: no further progress is possible. */
  readonly outputs: {
    readonly point: number
    readonly loss: number
    readonly gradientNorm: number
    readonly stalled: number
  }
  /** Scalar slots delivered with the finished run, with their names. */
  readonly report: readonly { readonly name: string; readonly slot: number }[]
}

/** Places of a program's report scalars, by name. */
export const reportPlaces = (program: Program): Readonly<Record<string, number>> =>
  Object.fromEntries(program.report.map(({ name }, place) => [name, place]))
