/**
 * Hessians of softmax models without the directions that no data determine (models/network/shift.ts): in orthonormal contrasts of the
 * classes, of which there is one less, they are those of a network with one output less.
 */
import { layers } from '../models/network/network.js'
import type { ParameterMap } from '../models/network/parameterMap.js'
import type { Network } from '../models/types.js'

/** [C − 1][C] Helmert's contrasts: orthonormal, and orthogonal to (1, …, 1). */
function helmert(C: number): number[][] {
  return Array.from({ length: C - 1 }, (_, j) => {
    const length = Math.sqrt((j + 1) * (j + 2))
    return Array.from({ length: C }, (_, c) => (c <= j ? 1 : c === j + 1 ? -(j + 1) : 0) / length)
  })
}

/** The network of the contrasts, and a map of parameters in them: the classes share one map. */
export const contrastNetwork = (network: Network): Network => ({ ...network, outputs: network.outputs - 1 })
export const contrastMap = ({ first, scale, shift }: ParameterMap): ParameterMap => ({
  first,
  scale: scale.slice(1),
  shift: shift.slice(1)
})

/** Rows [R, P] in contrasts [R, P − stride]. */
function contrastRows(network: Network, rows: Float64Array): Float64Array {
  const { at, stride, units } = layers(network).at(-1)!
  const P = at + units * stride
  const R = rows.length / P
  const narrow = P - stride
  const Q = helmert(units)
  const out = new Float64Array(R * narrow)
  for (let r = 0; r < R; r++) {
    out.set(rows.subarray(r * P, r * P + at), r * narrow)
    Q.forEach((q, j) => {
      for (let d = 0; d < stride; d++) {
        let sum = 0
        for (let c = 0; c < units; c++) sum += q[c] * rows[r * P + at + c * stride + d]
        out[r * narrow + at + j * stride + d] = sum
      }
    })
  }
  return out
}

const transposed = (A: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from({ length: A.length }, (_, k) => A[(k % rows) * columns + Math.floor(k / rows)])

/** H [P, P] in contrasts. */
export function contrastHessian(network: Network, H: Float64Array): Float64Array {
  const P = Math.round(Math.sqrt(H.length))
  const half = contrastRows(network, H)
  return contrastRows(network, transposed(half, P, half.length / P))
}
