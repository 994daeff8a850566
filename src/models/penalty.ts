/**
 * Firth's penalty for models without hidden layer (Firth, Biometrika 80, 1993): −½ log det I(θ) / W, I(θ) = Σ_i w_i h(z_i) x_i x_iᵀ the
 * expected information, h per unit of weight, and W = Σ_i w_i. As f is a mean over the weights, W f is then minus the penalised
 * log-likelihood, and its minimiser Firth's estimate.
 *
 * With q_ij = x_iᵀ I⁻¹ x_j: ∂ log det I/∂θ_a = Σ_i w_i h′_i q_ii x_ia, and
 * ∂² log det I/∂θ_a∂θ_b = Σ_i w_i h″_i q_ii x_ia x_ib − Σ_ij w_i h′_i w_j h′_j q_ij² x_ia x_jb.
 */
import type { Algebra } from './algebra.js'
import { isScalar, scalarLoss, type Loss } from './losses/index.js'
import type { Problem } from './types.js'

/** Whether the expected information of a loss is known, which the penalty takes. */
export const takesFirth = (loss: Loss): boolean => isScalar(loss) && scalarLoss(loss).information !== undefined

/**
 * Adds the penalty's part of g [P] and H [P, P], where given, and returns that of f: +∞ where the information is singular to rounding.
 * @param z [N] linear predictors at θ
 */
export function addFirth(problem: Problem, z: Float64Array, g?: Float64Array, H?: Float64Array): number {
  const { network, rows, x, weight } = problem
  const D = network.inputs
  const bias = network.bias ? 1 : 0
  const P = D + bias
  const { information } = scalarLoss(network.loss)
  const column = (i: number, p: number): number => (p < bias ? 1 : x[i * D + p - bias])
  const h = new Float64Array(3 * rows)
  let total = 0
  const I = new Float64Array(P * P)
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    total += w
    if (w === 0) continue
    const terms = h.subarray(3 * i, 3 * i + 3)
    information!(z[i], terms)
    for (let k = 0; k < 3; k++) terms[k] *= w
    for (let p = 0; p < P; p++) for (let q = 0; q <= p; q++) I[p * P + q] += terms[0] * column(i, p) * column(i, q)
  }
  const logDet = choleskyInPlace(I, P)
  if (!Number.isFinite(logDet)) {
    g?.fill(NaN)
    H?.fill(NaN)
    return Infinity
  }
  const half = -0.5 / total
  if (!g && !H) return half * logDet
  // b_i = L⁻¹ x_i, so that q_ij = b_iᵀ b_j; T_(jk)a = Σ_i w_i h′_i b_ij b_ik x_ia.
  const b = new Float64Array(P)
  const T = H ? new Float64Array(P * P * P) : undefined
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue
    let q = 0
    for (let p = 0; p < P; p++) {
      let sum = column(i, p)
      for (let k = 0; k < p; k++) sum -= I[p * P + k] * b[k]
      b[p] = sum / I[p * P + p]
      q += b[p] * b[p]
    }
    const [first, second] = [h[3 * i + 1] * half, h[3 * i + 2] * half]
    for (let a = 0; a < P; a++) {
      const xa = column(i, a)
      if (g) g[a] += first * q * xa
      if (!H || !T) continue
      for (let c = a; c < P; c++) H[a * P + c] += second * q * xa * column(i, c)
      for (let j = 0; j < P; j++) for (let k = 0; k <= j; k++) T[(j * P + k) * P + a] += h[3 * i + 1] * b[j] * b[k] * xa
    }
  }
  if (H && T)
    for (let j = 0; j < P; j++)
      for (let k = 0; k <= j; k++) {
        const row = T.subarray((j * P + k) * P, (j * P + k + 1) * P)
        const factor = half * (j === k ? 1 : 2)
        for (let a = 0; a < P; a++) for (let c = a; c < P; c++) H[a * P + c] -= factor * row[a] * row[c]
      }
  if (H) for (let a = 0; a < P; a++) for (let c = 0; c < a; c++) H[a * P + c] = H[c * P + a]
  return half * logDet
}

/** L of A = L Lᵀ in the lower triangle; returns log det A, NaN where A is not positive definite to rounding. */
function choleskyInPlace(A: Float64Array, P: number): number {
  let logDet = 0
  for (let p = 0; p < P; p++)
    for (let q = 0; q <= p; q++) {
      let sum = A[p * P + q]
      const whole = sum
      for (let k = 0; k < q; k++) sum -= A[p * P + k] * A[q * P + k]
      if (q < p) A[p * P + q] = sum / A[q * P + q]
      else {
        if (!(sum > P * Number.EPSILON * whole)) return NaN
        logDet += Math.log(sum)
        A[p * P + p] = Math.sqrt(sum)
      }
    }
  return logDet
}

/** The penalty by its definition, over any algebra: the determinant by elimination without pivoting. */
export function firthAt<T>(A: Algebra<T>, problem: Problem, z: readonly T[]): T {
  const { network, rows, x, weight } = problem
  const D = network.inputs
  const bias = network.bias ? 1 : 0
  const P = D + bias
  const { informationValue } = scalarLoss(network.loss)
  const column = (i: number, p: number): number => (p < bias ? 1 : x[i * D + p - bias])
  const I = Array.from({ length: P }, () => Array.from({ length: P }, () => A.constant(0)))
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    total += w
    if (w === 0) continue
    const h = A.mul(A.constant(w), informationValue!(A, z[i]))
    for (let p = 0; p < P; p++)
      for (let q = 0; q < P; q++) I[p][q] = A.add(I[p][q], A.mul(h, A.constant(column(i, p) * column(i, q))))
  }
  let logDet = A.constant(0)
  for (let p = 0; p < P; p++) {
    logDet = A.add(logDet, A.log(I[p][p]))
    for (let q = p + 1; q < P; q++) {
      const factor = A.div(I[q][p], I[p][p])
      for (let r = p; r < P; r++) I[q][r] = A.sub(I[q][r], A.mul(factor, I[p][r]))
    }
  }
  return A.mul(A.constant(-0.5 / total), logDet)
}
