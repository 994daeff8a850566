/**
 * Whether the Wald statistic of a coefficient falls while the estimate grows (Hauck & Donner 1977), by its derivative with the expected
 * information as a function of that coefficient, the others held (Yee 2022, JASA 117, 1763-1774; VGAM's hdeff). With A = Σ w h(z) x xᵀ,
 * a = A⁻¹ e and v = eᵀ A⁻¹ e: dv/dβ = −Σ w h′(z) (∂z/∂β) (xᵀa)², so d log|β/√v| / d log|β| = 1 − β/(2v) dv/dβ.
 */
import { scalarLoss, type ScalarLoss } from '../../models/losses/index.js'
import type { Network, Problem } from '../../models/types.js'
import { scaledCholesky, solveScaled, type ScaledCholesky } from '../jacobi.js'

/** Step of the derivative of h, whose error is of its square. */
const step = 2 ** -17

/** h(z): ℓ″ is affine in y for every convex likelihood here, so that its mean is that at the mean response. */
function information(definition: ScalarLoss, z: number, parameters: readonly number[], out: Float64Array): number {
  definition.terms(z, definition.mean(z), out, parameters)
  return out[2]
}

export interface Direction {
  /** The coefficient as a form of the coordinates [n], and its value. */
  readonly form: Float64Array
  readonly value: number
  /** [n] change of the coordinates when it alone grows by 1. */
  readonly alone: Float64Array
}

/** [number of directions] d log|statistic| / d log|estimate|; null where it is not a number. */
export function waldElasticities(
  problem: Problem<Network>,
  z: Float64Array,
  directions: readonly Direction[]
): (number | null)[] {
  const { model: network } = problem
  const definition = scalarLoss(network.loss)
  const parameters = network.lossParameters ?? []
  const rows = designRows(problem)
  const n = rows.width
  const out = new Float64Array(3)
  const A = new Float64Array(n * n)
  const slopes = new Float64Array(problem.rows)
  for (let i = 0; i < problem.rows; i++) {
    const w = problem.weight ? problem.weight[i] : 1
    if (w === 0) continue
    const h = (at: number): number => w * information(definition, at, parameters, out)
    const size = step * Math.max(1, Math.abs(z[i]))
    slopes[i] = (h(z[i] + size) - h(z[i] - size)) / (2 * size)
    const own = h(z[i])
    const x = rows.row(i)
    for (let p = 0; p < n; p++) for (let q = 0; q <= p; q++) A[p * n + q] += own * x[p] * x[q]
  }
  for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) A[q * n + p] = A[p * n + q]
  const factor = scaledCholesky(A, n)
  if (!factor) return directions.map(() => null)
  return directions.map(({ form, value, alone }) => {
    const a = solveScaled(factor, form)
    const v = product(form, a)
    let change = 0
    for (let i = 0; i < problem.rows; i++) {
      if (slopes[i] === 0) continue
      const x = rows.row(i)
      change -= slopes[i] * product(x, alone) * product(x, a) ** 2
    }
    const elasticity = 1 - (value / (2 * v)) * change
    return Number.isFinite(elasticity) ? elasticity : null
  })
}

/**
 * The same for contrasts of classes with the first: then A is the information itself, and with t_c = xᵀa_c, t of the first class 0, the
 * derivative of xᵀ-forms of it is Σ_k (∂z_k/∂β) p_k ((t_k − m)² − V), m and V mean and variance of t over the classes.
 * @param factor of Σ w (diag p − p pᵀ) ⊗ x xᵀ over the classes but the first
 */
export function classElasticities(
  problem: Problem<Network>,
  z: Float64Array,
  factor: ScaledCholesky,
  directions: readonly Direction[]
): (number | null)[] {
  const rows = designRows(problem)
  const S = rows.width
  const C = problem.model.outputs
  const t = new Float64Array(C)
  const p = new Float64Array(C)
  return directions.map(({ form, value, alone }) => {
    const a = solveScaled(factor, form)
    const v = product(form, a)
    let change = 0
    for (let i = 0; i < problem.rows; i++) {
      const w = problem.weight ? problem.weight[i] : 1
      const x = rows.row(i)
      let total = 0
      const top = z.subarray(i * C, (i + 1) * C).reduce((m, value_) => Math.max(m, value_), -Infinity)
      for (let c = 0; c < C; c++) total += p[c] = Math.exp(z[i * C + c] - top)
      let mean = 0
      for (let c = 1; c < C; c++) {
        t[c] = product(x, a.subarray((c - 1) * S, c * S))
        mean += (p[c] / total) * t[c]
      }
      let variance = 0
      for (let c = 0; c < C; c++) variance += (p[c] / total) * (t[c] - mean) ** 2
      for (let c = 1; c < C; c++)
        change -= w * product(x, alone.subarray((c - 1) * S, c * S)) * (p[c] / total) * ((t[c] - mean) ** 2 - variance)
    }
    const elasticity = 1 - (value / (2 * v)) * change
    return Number.isFinite(elasticity) ? elasticity : null
  })
}

const product = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Rows of the design, a one before them where there are biases. */
export function designRows({ model: network, x }: Problem<Network>): {
  readonly width: number
  row(i: number): Float64Array
} {
  const bias = network.bias ? 1 : 0
  const D = network.inputs
  const row = new Float64Array(D + bias).fill(1)
  return {
    width: D + bias,
    row(i) {
      for (let d = 0; d < D; d++) row[bias + d] = x[i * D + d]
      return row
    }
  }
}
