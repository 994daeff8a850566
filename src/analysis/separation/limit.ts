/**
 * The fit that is left where data are separated: as coefficients go to infinity, rows (for softmax: classes of rows) that they part
 * cost nothing in the end, and the rest of the loss has a minimiser, unique in all that the other coefficients say.
 */
import { isScalar, scalarLoss } from '../../models/losses/index.js'
import type { Problem } from '../../models/types.js'
import { product, rowSpace, solveTransposed, solveTriangle, times } from './rows.js'

/** What is left of a problem. */
export interface Remainder {
  readonly problem: Problem
  /** The design with its column of ones [N, S]. */
  readonly design: Float64Array
  readonly columns: number
  /** [N, C]: whether the row still counts, for softmax beside that class. */
  readonly counts: Uint8Array
}

export interface Limit {
  /** Σ weight ℓ / Σ weight over all rows. */
  readonly loss: number
  /** [P] a minimiser, shortest among its kind. */
  readonly theta: Float64Array
  /** Variance of c·θ from the observed information of what is left. */
  variance(c: Float64Array): number
}

/** Steps of Newton's method; it is quadratic, so many more than are needed. */
const steps = 200

/** Loss, gradient and Hessian of the rest at θ [P], per unit of weight. */
function evaluate(rest: Remainder, theta: Float64Array, g: Float64Array, H: Float64Array): number {
  const { problem, design, columns: S, counts } = rest
  const { model, rows, y, weight, offset } = problem
  const P = theta.length
  const C = model.outputs
  const several = P / S
  const isClass = !isScalar(model.loss)
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  g.fill(0)
  H.fill(0)
  let f = 0
  const terms = new Float64Array(3)
  const z = new Float64Array(several)
  for (let i = 0; i < rows; i++) {
    const w = (weight ? weight[i] : 1) / total
    if (w === 0) continue
    const x = design.subarray(i * S, (i + 1) * S)
    for (let c = 0; c < several; c++) z[c] = product(theta.subarray(c * S, (c + 1) * S), x) + (offset ? offset[i] : 0)
    // First and second derivatives of the row in its outputs.
    const d1 = new Float64Array(several)
    const d2 = new Float64Array(several * several)
    if (!isClass) {
      for (let c = 0; c < several; c++) {
        if (counts[i * C + c] === 0) continue
        scalarLoss(model.loss).terms(z[c], y[i * C + c], terms, model.lossParameters ?? [])
        f += w * terms[0]
        d1[c] = terms[1]
        d2[c * several + c] = terms[2]
      }
    } else {
      const on = (c: number): boolean => c === y[i] || counts[i * C + c] === 1
      const top = Math.max(...Array.from(z).filter((_, c) => on(c)))
      const p = Float64Array.from(z, (v, c) => (on(c) ? Math.exp(v - top) : 0))
      const sum = p.reduce((a, b) => a + b, 0)
      f += w * (Math.log(sum) + top - z[y[i]])
      for (let c = 0; c < C; c++) p[c] /= sum
      for (let c = 0; c < C; c++) {
        d1[c] = p[c] - (c === y[i] ? 1 : 0)
        for (let e = 0; e < C; e++) d2[c * C + e] = (c === e ? p[c] : 0) - p[c] * p[e]
      }
    }
    for (let c = 0; c < several; c++)
      for (let j = 0; j < S; j++) {
        g[c * S + j] += w * d1[c] * x[j]
        for (let e = 0; e < several; e++) {
          const v = w * d2[c * several + e] * x[j]
          if (v !== 0) for (let k = 0; k < S; k++) H[(c * S + j) * P + e * S + k] += v * x[k]
        }
      }
  }
  return f
}

/**
 * Newton's method in the span of the rows that are left, with steps halved until the loss falls.
 * @param spanning rows [m, P] of the constraints that stay bound
 * @returns null where it does not settle
 */
export function limitOf(rest: Remainder, spanning: Float64Array, count: number, P: number): Limit | null {
  const { span } = rowSpace(spanning, count, P)
  const r = span.length
  const [g, H] = [new Float64Array(P), new Float64Array(P * P)]
  const theta = new Float64Array(P)
  const total = rest.problem.weight?.reduce((a, b) => a + b, 0) ?? rest.problem.rows
  let f = evaluate(rest, theta, g, H)
  for (let step = 0; step < steps; step++) {
    const curved = times(H, P, P, span)
    const K = new Float64Array(r * r)
    for (let a = 0; a < r; a++)
      for (let b = 0; b < r; b++) {
        let sum = 0
        for (let p = 0; p < P; p++) sum += span[a][p] * curved[p * r + b]
        K[a * r + b] = sum
      }
    const L = cholesky(K, r)
    if (!L) return null
    const s = Float64Array.from(span, v => -product(v, g))
    solveTransposed(L, r, s)
    solveTriangle(L, r, s)
    const move = new Float64Array(P)
    span.forEach((v, k) => {
      for (let p = 0; p < P; p++) move[p] += s[k] * v[p]
    })
    const length = Math.sqrt(product(s, s))
    const decrease = -product(g, move)
    if (!(length > 1e-13 * Math.max(1, Math.sqrt(product(theta, theta)))) || decrease <= 1e-17 * Math.abs(f))
      return {
        loss: f,
        theta,
        variance(c) {
          const v = Float64Array.from(span, b => product(b, c))
          solveTransposed(L, r, v)
          return product(v, v) / total
        }
      }
    let t = 1
    const from = theta.slice()
    const before = f
    for (;;) {
      for (let p = 0; p < P; p++) theta[p] = from[p] + t * move[p]
      f = evaluate(rest, theta, g, H)
      if (f <= before - 1e-4 * t * decrease + 8 * Number.EPSILON * Math.abs(before)) break
      t /= 2
      if (t < 1e-12) return null
    }
  }
  return null
}

/** R upper triangular with RᵀR = K; null where K is not positive definite. */
function cholesky(K: Float64Array, n: number): Float64Array | null {
  const R = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = K[i * n + j]
      for (let k = 0; k < i; k++) sum -= R[k * n + i] * R[k * n + j]
      if (i === j) {
        if (!(sum > n * Number.EPSILON * K[i * n + i])) return null
        R[i * n + i] = Math.sqrt(sum)
      } else R[i * n + j] = sum / R[i * n + i]
    }
  return R
}
