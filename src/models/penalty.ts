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
import type { Network, Problem } from './types.js'

/** Whether the penalty applies to a loss: where its expected information moves with z, and has no parameters of its own. */
export const takesFirth = (loss: Loss): boolean => isScalar(loss) && scalarLoss(loss).informationValue !== undefined

/**
 * Adds the penalty's part of g [P] and H [P, P], where given, and returns that of f: +∞ where the information is singular to rounding.
 * @param z [N] linear predictors at θ
 */
export function addFirth(problem: Problem<Network>, z: Float64Array, g?: Float64Array, H?: Float64Array): number {
  const { model: network, rows, x, weight } = problem
  const D = network.inputs
  const bias = network.bias ? 1 : 0
  const P = D + bias
  const { information } = scalarLoss(network.loss)
  const column = (i: number, p: number): number => (p < bias ? 1 : x[i * D + p - bias])
  const h = new Float64Array(3 * rows)
  const used: number[] = []
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    total += w
    if (w === 0) continue
    const terms = h.subarray(3 * i, 3 * i + 3)
    information!(z[i], terms, [])
    for (let k = 0; k < 3; k++) terms[k] *= w
    used.push(i)
  }
  used.sort((a, b) => h[3 * b] - h[3 * a])
  const A = Float64Array.from({ length: used.length * P }, (_, n) => {
    const i = used[Math.floor(n / P)]
    return Math.sqrt(h[3 * i]) * column(i, n % P)
  })
  const { R, order, logDet } = triangular(A, used.length, P)
  if (!Number.isFinite(logDet)) {
    g?.fill(NaN)
    H?.fill(NaN)
    return Infinity
  }
  const half = -0.5 / total
  if (!g && !H) return half * logDet
  // b_i = R⁻ᵀ x_i, so that q_ij = b_iᵀ b_j; T_(jk)a = Σ_i w_i h′_i b_ij b_ik x_ia.
  const b = new Float64Array(P)
  const T = H ? new Float64Array(P * P * P) : undefined
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue
    let q = 0
    for (let p = 0; p < P; p++) {
      let sum = column(i, order[p])
      for (let k = 0; k < p; k++) sum -= R[k * P + p] * b[k]
      b[p] = sum / R[p * P + p]
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

/**
 * R of A Π = Q R, A [N, P] row-major with its largest rows first, and log det AᵀA: by Householder's reflections with columns in the order of
 * what is left of them, which keeps the digits of small rows beside large ones (Cox and Higham 1998). The information itself, AᵀA, would
 * be singular to rounding where rows differ by ten orders of magnitude. A is overwritten; log det is −∞ or NaN where the rank is not full.
 */
function triangular(A: Float64Array, N: number, P: number): { R: Float64Array; order: number[]; logDet: number } {
  const order = Array.from({ length: P }, (_, p) => p)
  const square = (p: number, from: number): number => {
    let sum = 0
    for (let i = from; i < N; i++) sum += A[i * P + p] * A[i * P + p]
    return sum
  }
  let logDet = N < P ? NaN : 0
  for (let k = 0; k < Math.min(N, P); k++) {
    let best = k
    for (let p = k + 1; p < P; p++) if (square(p, k) > square(best, k)) best = p
    if (best !== k) {
      for (let i = 0; i < N; i++) [A[i * P + k], A[i * P + best]] = [A[i * P + best], A[i * P + k]]
      ;[order[k], order[best]] = [order[best], order[k]]
    }
    // The largest row goes first, so that no reflection spreads it over smaller ones.
    let top = k
    for (let i = k + 1; i < N; i++) if (Math.abs(A[i * P + k]) > Math.abs(A[top * P + k])) top = i
    if (top !== k) for (let p = 0; p < P; p++) [A[k * P + p], A[top * P + p]] = [A[top * P + p], A[k * P + p]]
    const norm = Math.sqrt(square(k, k))
    logDet += 2 * Math.log(norm)
    if (!(norm > 0)) continue
    const head = A[k * P + k]
    const alpha = head > 0 ? -norm : norm
    const v0 = head - alpha
    // H = 1 − u uᵀ / (norm (norm + |head|)), u = (v0, A below).
    const scale = 1 / (norm * (norm + Math.abs(head)))
    for (let p = k + 1; p < P; p++) {
      let dot = v0 * A[k * P + p]
      for (let i = k + 1; i < N; i++) dot += A[i * P + k] * A[i * P + p]
      dot *= scale
      A[k * P + p] -= dot * v0
      for (let i = k + 1; i < N; i++) A[i * P + p] -= dot * A[i * P + k]
    }
    A[k * P + k] = alpha
  }
  return { R: A, order, logDet }
}

/** The penalty by its definition, over any algebra: the determinant by elimination without pivoting. */
export function firthAt<T>(A: Algebra<T>, problem: Problem<Network>, z: readonly T[]): T {
  const { model: network, rows, x, weight } = problem
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

/** Why a problem with Firth's penalty, whose information is of all rows, cannot be resampled run by run. */
export const noOwnRows = (engine: string): string =>
  `The ${engine} engine draws no rows for single runs beside Firth’s penalty; remove firth.`
