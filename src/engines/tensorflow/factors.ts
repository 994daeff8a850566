/**
 * Linear algebra of update programs. Eigen-decompositions are SelfAdjointEigV2 where the device is a native TensorFlow. No TF.js device has
 * a tridiagonal form, and the trust-region iteration takes a different number of turns in every lane: both run on the host, in f64,
 * by core/linalg.ts, from matrices that are read back, and so does everything where there is no SelfAdjointEigV2 (wasm).
 */
import { symmetricEigen, tridiagonalize, trustRegionStep, type Tridiagonal } from '../../core/linalg.js'
import type { Device, Tensor } from './device.js'

/** eps of the matrices, which are f32: curvature below it is rounding. */
const eps = 2 ** -23

export class Factors {
  /** [slot][lane] */
  private factors: (Tridiagonal | undefined)[][] = []
  private lanes = 0

  constructor(
    private readonly device: Device,
    private readonly parameters: number
  ) {}

  start(lanes: number): void {
    this.lanes = lanes
    this.factors = []
  }

  gather(lanes: Int32Array): void {
    this.factors = this.factors.map(slot => Array.from(lanes, lane => slot[lane]))
    this.lanes = lanes.length
  }

  dispose(): void {
    this.factors = []
  }

  private rows(tensor: Tensor, width: number): (lane: number) => Float64Array {
    const values = tensor.dataSync()
    const shared = values.length === width
    return lane => Float64Array.from(shared ? values : values.subarray(lane * width, (lane + 1) * width))
  }

  /** A: [B, P, P]; scale: [B or 1, P]; mask: [B], lanes with 0 keep the old factor. */
  tridiagonalize(slot: number, A: Tensor, scale: Tensor, mask: Tensor): void {
    const P = this.parameters
    const wanted = mask.dataSync()
    const matrix = this.rows(A, P * P)
    const s = this.rows(scale, P)
    const held = (this.factors[slot] ??= new Array<Tridiagonal | undefined>(this.lanes).fill(undefined))
    for (let lane = 0; lane < this.lanes; lane++)
      if (wanted[lane] !== 0) held[lane] = tridiagonalize(matrix(lane), P, s(lane))
  }

  /** g: [B, P]; radius: [B]. */
  trustRegion(slot: number, g: Tensor, radius: Tensor): { p: Tensor; predicted: Tensor } {
    const { tf } = this.device
    const P = this.parameters
    const row = this.rows(g, P)
    const radii = radius.dataSync()
    const step = new Float32Array(this.lanes * P)
    const decrease = new Float32Array(this.lanes)
    for (let lane = 0; lane < this.lanes; lane++) {
      const factor = this.factors[slot]?.[lane]
      if (!factor) throw new Error('trustRegion before tridiagonalize')
      const { p, predicted } = trustRegionStep(factor, row(lane), radii[lane], eps)
      step.set(p, lane * P)
      decrease[lane] = predicted
    }
    return { p: tf.tensor2d(step, [this.lanes, P]), predicted: tf.tensor1d(decrease) }
  }

  /** Eigenvalues [B, P] and eigenvectors [B, P, P] of diag(s) A diag(s); NaN where a matrix is not finite. */
  eigh(A: Tensor, scale: Tensor): { values: Tensor; vectors: Tensor } {
    const { tf, select, eigh } = this.device
    const P = this.parameters
    if (eigh) {
      const scaled = tf.mul(tf.mul(A, tf.expandDims(scale, 2)), tf.expandDims(scale, 1))
      // The operation refuses the whole batch for one matrix that is not finite.
      const whole = tf.all(tf.isFinite(scaled), [1, 2], true)
      const { values, vectors } = eigh(select(whole, scaled, tf.eye(P)))
      const nan = tf.scalar(NaN)
      return { values: select(tf.squeeze(whole, [2]), values, nan), vectors: select(whole, vectors, nan) }
    }
    const matrix = this.rows(A, P * P)
    const s = this.rows(scale, P)
    const values = new Float32Array(this.lanes * P)
    const vectors = new Float32Array(this.lanes * P * P)
    for (let lane = 0; lane < this.lanes; lane++) {
      const found = symmetricEigen(matrix(lane), P, s(lane))
      values.set(found.values, lane * P)
      vectors.set(found.vectors, lane * P * P)
    }
    return { values: tf.tensor2d(values, [this.lanes, P]), vectors: tf.tensor3d(vectors, [this.lanes, P, P]) }
  }
}
