/** Eigenvalues of a Hessian in the user's coordinates, from what is known of it in the conditioned ones. */
import { symmetricEigen } from '../core/linalg.js'
import { linearPart, mapPoints, pullBack, type ParameterMap } from '../models/network/parameterMap.js'
import type { Network } from '../models/types.js'
import { singularValues, type ScaledCholesky } from './jacobi.js'

/** Above this P eigenvalues come from the QL iteration, so that the time stays small. */
export const jacobiLimit = 160

/** A [n, n] becomes Aᵀ. */
function transpose(A: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const above = A[j * n + i]
      A[j * n + i] = A[i * n + j]
      A[i * n + j] = above
    }
}

/**
 * Jᵀ H J [P, P], J the linear part of the map from the user's parameters.
 * @param out where it goes; may be `H` itself
 */
export function userHessian(
  network: Network,
  fromUser: ParameterMap,
  H: Float64Array,
  out?: Float64Array
): Float64Array {
  const half = pullBack(network, fromUser, H, out)
  transpose(half, Math.round(Math.sqrt(H.length)))
  return pullBack(network, fromUser, half, half)
}

/** Rows of the inverse of D L [n, n]: the columns of L⁻ᵀ D⁻¹, one after the other. */
function inverseRows({ n, d, L }: ScaledCholesky): Float64Array {
  const out = new Float64Array(n * n)
  for (let c = 0; c < n; c++)
    for (let i = c; i < n; i++) {
      let v = i === c ? 1 : 0
      for (let k = c; k < i; k++) v -= L[i * n + k] * out[k * n + c]
      out[i * n + c] = v / L[i * n + i]
    }
  for (let i = 0; i < n; i++) for (let c = 0; c < n; c++) out[i * n + c] /= d[c]
  return out
}

/** K [n, P] with Kᵀ K the inverse Hessian in the coordinates that `map` leads to: rows are images of those of (D L)⁻¹. */
export const covarianceRows = (network: Network, map: ParameterMap, factor: ScaledCholesky): Float64Array =>
  mapPoints(network, linearPart(map), inverseRows(factor))

/**
 * Eigenvalues, ascending, of the positive definite Hessian Jᵀ (D L)(D L)ᵀ J. The larger ones are squared singular values of (D L)ᵀ J, the
 * smaller ones reciprocals of those of its inverse: each has an error relative to the largest of its matrix, so that with both none is
 * worse than the root of the condition number, and none can be negative.
 */
export function positiveUserEigenvalues(
  network: Network,
  maps: { readonly toUser: ParameterMap; readonly fromUser?: ParameterMap },
  factor: ScaledCholesky
): Float64Array {
  const { n, d, L } = factor
  const rows = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) rows[k * n + i] = d[i] * L[i * n + k]
  const squares = (A: Float64Array): Float64Array => {
    if (n <= jacobiLimit) return singularValues(A, n).map(s => s * s)
    const gram = new Float64Array(n * n)
    for (let r = 0; r < n; r++)
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] += A[r * n + i] * A[r * n + j]
    return symmetricEigen(gram, n).values
  }
  const direct = squares(maps.fromUser ? pullBack(network, maps.fromUser, rows) : rows)
  const inverse = squares(covarianceRows(network, maps.toUser, factor))
  const [top, topInverse] = [direct[n - 1], inverse[n - 1]]
  return Float64Array.from(direct, (value, i) => {
    const other = 1 / inverse[n - 1 - i]
    // Share of rounding in each: top / value against topInverse · other.
    return value > 0 && top / value <= topInverse * value ? value : other
  }).sort()
}
