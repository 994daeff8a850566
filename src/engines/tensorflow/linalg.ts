/**
 * Linear algebra of update programs, for all lanes at once where the device is a native TensorFlow: Cholesky and triangular solves for
 * trust-region steps, SelfAdjointEigV2 for eigen-decompositions. What is left to the host, in f64 by core/linalg.ts from matrices that
 * are read back: steps from matrices with negative curvature, whose iteration every engine does in a tridiagonal basis, which
 * no TF.js device has; and all of it on wasm, which has neither operation.
 */
import { radiusTolerance, symmetricEigen, tridiagonalize, trustRegionStep } from '../../core/linalg.js'
import type { Device, NativeLinalg, Tensor } from './device.js'

/** eps of the matrices, which are f32: curvature below it is rounding. */
const eps = 2 ** -23
const secularIterations = 60

/** Steps p [B, P], and the decreases −(gᵀp + ½ pᵀAp) that they promise, [B]. */
export interface Steps {
  readonly p: Tensor
  readonly predicted: Tensor
}

/** diag(s) A diag(s); A: [B, P, P]; s: [B or 1, P] */
export const scaled = ({ tf }: Device, A: Tensor, s: Tensor): Tensor =>
  tf.mul(tf.mul(A, tf.expandDims(s, 2)), tf.expandDims(s, 1))

/**
 * The steps that minimise gᵀp + ½ pᵀAp over ‖p‖ ≤ radius, as `trustRegionStep` in core/linalg.ts. A: [B, P, P]; g: [B, P];
 * radius: [B]. Call inside tf.tidy.
 */
export function trustRegion(device: Device, A: Tensor, g: Tensor, radius: Tensor): Steps {
  const [B] = A.shape
  if (!device.linalg)
    return stepsOnHost(
      device,
      A,
      g,
      radius,
      Int32Array.from({ length: B }, (_, lane) => lane)
    )
  const { tf, select } = device
  const { p, predicted, settled } = definiteSteps(device, device.linalg, A, g, radius)
  const left = Int32Array.from(settled.keys()).filter(lane => settled[lane] === 0)
  if (left.length === 0) return { p, predicted }
  const host = stepsOnHost(device, A, g, radius, left)
  const fromHost = tf.cast(
    tf.tensor1d(
      Int32Array.from(settled, v => 1 - v),
      'int32'
    ),
    'bool'
  )
  return {
    p: select(tf.expandDims(fromHost, 1), host.p, p),
    predicted: select(fromHost, host.predicted, predicted)
  }
}

/**
 * The iteration of Moré and Sorensen where A + μI is positive definite from its first μ on: then Newton's method on the secular
 * equation goes up to the solution and needs no bracket. `settled`, [B], is 0 where A is not definite, or not finite.
 */
function definiteSteps(
  { tf, select }: Device,
  { cholesky, solveTriangular }: NativeLinalg,
  A: Tensor,
  g: Tensor,
  radius: Tensor
): Steps & { readonly settled: Int32Array } {
  const [, P] = A.shape
  const identity = tf.eye(P)
  const floor = tf.mul(tf.max(tf.sum(tf.abs(A), 2), 1), 4 * eps * P)
  const down = tf.expandDims(tf.neg(g), 2)
  const squares = (v: Tensor): Tensor => tf.sum(tf.mul(v, v), [1, 2])
  let mu = floor
  for (let iteration = 0; ; iteration++) {
    const L = cholesky(tf.add(A, tf.mul(identity, tf.reshape(mu, [-1, 1, 1]))))
    const p = solveTriangular(L, solveTriangular(L, down, false), true)
    const length = tf.sqrt(squares(p))
    const excess = tf.sub(length, radius)
    const interior = tf.logicalAnd(tf.lessEqual(mu, floor), tf.lessEqual(excess, 0))
    const settled = tf.logicalOr(interior, tf.lessEqual(tf.abs(excess), tf.mul(radius, radiusTolerance)))
    const onward = tf.logicalAnd(tf.logicalNot(settled), tf.greater(excess, 0))
    const last = iteration === secularIterations || tf.any(onward).dataSync()[0] === 0
    if (last) {
      const change = tf.add(down, tf.mul(tf.matMul(A, p), -0.5))
      const decrease = tf.sum(tf.mul(p, change), [1, 2])
      return {
        p: tf.squeeze(p, [2]),
        predicted: select(tf.less(decrease, 0), tf.zerosLike(decrease), decrease),
        settled: Int32Array.from(settled.dataSync())
      }
    }
    const form = squares(solveTriangular(L, p, false))
    const next = tf.add(mu, tf.mul(tf.div(tf.mul(length, length), form), tf.div(excess, radius)))
    mu = select(onward, next, mu)
  }
}

/** The steps of some lanes, one after the other; zeros in all others. */
function stepsOnHost({ tf }: Device, A: Tensor, g: Tensor, radius: Tensor, lanes: Int32Array): Steps {
  const [B, P] = A.shape
  const index = tf.tensor1d(lanes, 'int32')
  const matrices = rowsOf(tf.gather(A, index), P * P)
  const gradients = rowsOf(tf.gather(g, index), P)
  const radii = radius.dataSync()
  const p = new Float32Array(B * P)
  const predicted = new Float32Array(B)
  lanes.forEach((lane, i) => {
    const matrix = matrices(i)
    if (!matrix.every(Number.isFinite)) {
      p.fill(NaN, lane * P, (lane + 1) * P)
      predicted[lane] = NaN
      return
    }
    const step = trustRegionStep(tridiagonalize(matrix, P), gradients(i), radii[lane], eps)
    p.set(step.p, lane * P)
    predicted[lane] = step.predicted
  })
  return { p: tf.tensor2d(p, [B, P]), predicted: tf.tensor1d(predicted) }
}

function rowsOf(tensor: Tensor, width: number): (row: number) => Float64Array {
  const values = tensor.dataSync()
  return row => Float64Array.from(values.subarray(row * width, (row + 1) * width))
}

/**
 * Eigenvalues [B, P], ascending, and eigenvectors [B, P, P] as columns; NaN where a matrix is not finite. A: [B, P, P]. Call inside
 * tf.tidy.
 */
export function eigh({ tf, select, linalg }: Device, A: Tensor): { values: Tensor; vectors: Tensor } {
  const [B, P] = A.shape
  if (linalg) {
    // The operation refuses the whole batch for one matrix that is not finite.
    const whole = tf.all(tf.isFinite(A), [1, 2], true)
    const { values, vectors } = linalg.eigh(select(whole, A, tf.eye(P)))
    const nan = tf.scalar(NaN)
    return { values: select(tf.squeeze(whole, [2]), values, nan), vectors: select(whole, vectors, nan) }
  }
  const matrix = rowsOf(A, P * P)
  const values = new Float32Array(B * P)
  const vectors = new Float32Array(B * P * P)
  for (let lane = 0; lane < B; lane++) {
    const found = symmetricEigen(matrix(lane), P)
    values.set(found.values, lane * P)
    vectors.set(found.vectors, lane * P * P)
  }
  return { values: tf.tensor2d(values, [B, P]), vectors: tf.tensor3d(vectors, [B, P, P]) }
}
