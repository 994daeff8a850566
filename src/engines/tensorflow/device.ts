/**
 * What the tensor code needs of a TF.js package: the operations of tfjs-core, and a few that only a native TensorFlow has. One code
 * runs on tfjs-node, tfjs-node-gpu and the wasm backend.
 */
import type * as core from '@tensorflow/tfjs-core'

export type TF = typeof core
export type Tensor = core.Tensor

export interface Device {
  readonly tf: TF
  /**
   * The number of lanes is always a multiple of this. Matrix products of a native TensorFlow take other code, with other roundings, for
   * the last few rows of a block, so that a run's bits would depend on how many others there are.
   */
  readonly laneMultiple: number
  /** cond ? a : b, broadcast. */
  readonly select: (condition: Tensor, a: Tensor, b: Tensor) => Tensor
  /** log(1 + x), precise for small x; x is finite. */
  readonly log1p: (x: Tensor) => Tensor
  /** Absent on wasm. */
  readonly linalg?: NativeLinalg
}

/** Operations of TensorFlow that TF.js has no functions for, on batches of matrices [B, P, P]. */
export interface NativeLinalg {
  /** Eigenvalues [B, P], ascending, and eigenvectors [B, P, P] as columns, of finite symmetric matrices. */
  readonly eigh: (matrices: Tensor) => { readonly values: Tensor; readonly vectors: Tensor }
  /** L with L Lᵀ = A; NaN where A is not positive definite. */
  readonly cholesky: (matrices: Tensor) => Tensor
  /** X with L X = Y, or Lᵀ X = Y; Y: [B, P, k] */
  readonly solveTriangular: (L: Tensor, Y: Tensor, transposed: boolean) => Tensor
}

/** Lanes that hold so many runs. */
export const wholeLanes = ({ laneMultiple }: Device, runs: number): number =>
  Math.ceil(runs / laneMultiple) * laneMultiple

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
interface NativeBackend {
  readonly binding: { readonly TF_ATTR_BOOL: number; readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number }
  executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly Tensor[]): Tensor
  executeMultipleOutputs(
    name: string,
    attributes: readonly object[],
    inputs: readonly Tensor[],
    outputs: number
  ): Tensor[]
}

const isNative = (backend: unknown): backend is NativeBackend =>
  typeof (backend as Partial<NativeBackend>).executeMultipleOutputs === 'function'

/** The device behind a loaded and ready TF.js package. */
export function deviceOf(tf: TF): Device {
  const backend: unknown = tf.backend()
  if (!isNative(backend))
    return {
      tf,
      laneMultiple: 1,
      select: (condition, a, b) => tf.where(condition, a, b),
      // The wasm kernel adds 1 and takes the logarithm. This form (Kahan) takes back what the addition rounded off.
      log1p(x) {
        const u = tf.add(x, 1)
        return tf.where(tf.equal(u, 1), x, tf.div(tf.mul(tf.log(u), x), tf.sub(u, 1)))
      }
    }
  const { TF_ATTR_BOOL: bool, TF_ATTR_TYPE: type, TF_FLOAT: float } = backend.binding
  const float32 = { name: 'T', type, value: float }
  return {
    tf,
    laneMultiple: 8,
    // tf.where tiles its operands first; this operation broadcasts by itself.
    select: (condition, a, b) => backend.executeSingleOutput('SelectV2', [float32], [condition, a, b]),
    log1p: x => tf.log1p(x),
    linalg: {
      eigh(matrices) {
        const attributes = [{ name: 'compute_v', type: bool, value: true }, float32]
        const [values, vectors] = backend.executeMultipleOutputs('SelfAdjointEigV2', attributes, [matrices], 2)
        return { values, vectors }
      },
      cholesky: matrices => backend.executeSingleOutput('Cholesky', [float32], [matrices]),
      solveTriangular(L, Y, transposed) {
        const attributes = [
          { name: 'lower', type: bool, value: true },
          { name: 'adjoint', type: bool, value: transposed },
          float32
        ]
        return backend.executeSingleOutput('MatrixTriangularSolve', attributes, [L, Y])
      }
    }
  }
}
