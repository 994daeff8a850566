/** Problems of chosen sizes, and how many operations their kernels count for. */
import { Stream, normalQuantile, uniform, words } from '../../core/rng.js'
import { parameterCount, layoutOf } from '../../models/model.js'
import type { Model, Network, Problem } from '../../models/types.js'
import { Op, instructionWidth, scalarBase, type Program } from '../../language/program.js'

export interface Size {
  readonly N: number
  readonly D: number
  readonly hidden: readonly number[]
}

/** From a table of a hundred rows to networks of five hundred parameters. */
export const ladder: readonly Size[] = [
  { N: 100, D: 4, hidden: [] },
  { N: 96, D: 4, hidden: [5] },
  { N: 1000, D: 8, hidden: [8] },
  { N: 1000, D: 14, hidden: [8] },
  { N: 1000, D: 8, hidden: [8, 8] },
  { N: 1000, D: 30, hidden: [16] },
  { N: 10000, D: 30, hidden: [16] }
]

/** Ends in seconds on any engine. */
export const smallSizes: readonly Size[] = [
  { N: 40, D: 3, hidden: [] },
  { N: 40, D: 3, hidden: [2] }
]

const seed = 20

const normals = (count: number, start: number): Float64Array =>
  Float64Array.from(words(seed, Stream.generator, start, 0, count), w => normalQuantile(uniform(w)))

/** Two classes that overlap, tanh units, ridge 0.01. */
export function problemOfSize({ N, D, hidden }: Size): Problem<Network> {
  const x = normals(N * D, 0)
  const noise = normals(N, 1)
  const y = noise.map((e, i) => {
    let z = e
    for (let d = 0; d < D; d++) z += x[i * D + d] / Math.sqrt(D)
    return z > 0 ? 1 : 0
  })
  const network: Network = {
    kind: 'network',
    inputs: D,
    hidden,
    outputs: 1,
    activation: 'tanh',
    loss: 'logistic',
    bias: true,
    ridge: 0.01,
    penalizeBias: false
  }
  return { model: network, rows: N, x, y }
}

/** [R, P] points with elements N(0, ½²). */
export const pointsFor = (problem: Problem, R: number): Float64Array =>
  normals(R * parameterCount(problem.model), 2).map(v => 0.5 * v)

/**
 * Floating-point operations of one gradient that count: the matrix products alone, two for each multiply-add. A hidden layer
 * after inputs needs two of them (4 per weight: forward, gradient), one after another layer three (6: also backward). The last
 * layer counts where it is a matrix, or is all there is. Activations, biases and the loss are work but do not count.
 */
export function gradientFlops({ model, rows }: Problem): number {
  const { hidden } = layoutOf(model)
  const sizes = [model.inputs, ...hidden, model.outputs]
  let perRow = 0
  for (let l = 1; l < sizes.length; l++) {
    const last = l === sizes.length - 1
    if (last && model.outputs === 1 && hidden.length > 0) continue
    perRow += (l === 1 ? 4 : 6) * sizes[l - 1] * sizes[l]
  }
  return perRow * rows
}

/**
 * Sums over rows that differ from each other in the Hessian of one row's loss: blocks of two layers are full; within a layer
 * Σ r_jk a_d a_e is the same for (j, k) and (k, j), and for (d, e) and (e, d).
 */
function hessianSums(model: Model): number {
  const { inputs, outputs } = model
  const { hidden, bias } = layoutOf(model)
  const sizes = [inputs, ...hidden, outputs]
  const layers = sizes.slice(1).map((units, l) => ({ units, stride: sizes[l] + (bias ? 1 : 0) }))
  const half = (n: number): number => (n * (n + 1)) / 2
  let sums = 0
  let before = 0
  for (const { units, stride } of layers) {
    sums += half(units) * half(stride) + before * units * stride
    before += units * stride
  }
  return sums
}

/**
 * Operations of one Hessian that count: one multiply-add for each row and each sum that differs from the others, which no kernel goes
 * without: for networks of some size between half and all of N P². What the sums are made of is work but does not count.
 */
export const hessianFlops = ({ model, rows }: Problem): number => 2 * rows * hessianSums(model)

/**
 * What a symmetric eigen-decomposition with vectors takes at least by implicit QL: (4/3) P³ for the tridiagonal form, as much for Q, and
 * 3 P³ for one sweep of rotations for each eigenvalue (Golub and Van Loan, Matrix Computations, 8.3); further sweeps do not count.
 */
export const eighFlops = (P: number): number => (17 / 3) * P ** 3

/** One pass through an update program, per run: element-wise operations and reductions, and the leading terms of matrix ones. */
export function updateFlops(program: Program, P: number): number {
  const { instructions } = program
  let flops = 0
  for (let at = 0; at < instructions.length; at += instructionWidth) {
    const op = instructions[at]
    if (op === Op.eigh) flops += eighFlops(P)
    else if (op === Op.tridiagonalize) flops += (4 / 3) * P ** 3
    else if (op === Op.trustRegion) flops += 4 * P ** 2
    else if (op === Op.multiply || op === Op.multiplyTransposed || op === Op.dot)
      flops += 2 * (op === Op.dot ? P : P ** 2)
    else if (op >= Op.dot) flops += P
    else if (op < scalarBase && op !== Op.copy) flops += (op === Op.fma ? 2 : 1) * P
  }
  return flops
}

/** Bytes that one kernel must move for R runs at least: points and results once, the data once. */
export function leastBytes(problem: Problem, kernel: 'gradient' | 'hessian', R: number, bytes: number): number {
  const P = parameterCount(problem.model)
  const perRun = 2 * P + 1 + (kernel === 'hessian' ? P * P : 0)
  return bytes * (R * perRun + problem.rows * (problem.model.inputs + 1))
}
