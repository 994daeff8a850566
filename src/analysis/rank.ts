/** Numerical rank of a design by QR with column pivoting, which columns are aliased, and what that leaves undetermined. */
import { isScalar } from '../models/losses/index.js'
import { isRidged } from '../models/model.js'
import type { Model } from '../models/types.js'

export interface Rank {
  readonly rank: number
  /** Columns (numbers) that depend on the others, in the order in which pivoting leaves them. */
  readonly aliased: readonly number[]
}

/**
 * Householder QR with column pivoting (Businger and Golub 1965) of X [N, D], columns scaled to unit length.
 * A column is aliased when its remainder is below max(N, D)·eps·16.
 */
export function designRank(x: Float64Array, rows: number, columns: number): Rank {
  const A = Array.from({ length: columns }, (_, d) => {
    const v = Float64Array.from({ length: rows }, (_, i) => x[i * columns + d])
    const norm = Math.sqrt(v.reduce((s, a) => s + a * a, 0))
    return norm > 0 ? v.map(a => a / norm) : v
  })
  const order = A.map((_, d) => d)
  const tolerance = Math.max(rows, columns) * 2 ** -52 * 16
  const length = (v: Float64Array, from: number): number => {
    let sum = 0
    for (let i = from; i < rows; i++) sum += v[i] * v[i]
    return Math.sqrt(sum)
  }
  let rank = 0
  for (; rank < Math.min(rows, columns); rank++) {
    let best = rank
    for (let d = rank + 1; d < columns; d++) if (length(A[d], rank) > length(A[best], rank)) best = d
    ;[A[rank], A[best]] = [A[best], A[rank]]
    ;[order[rank], order[best]] = [order[best], order[rank]]
    const v = A[rank]
    const norm = length(v, rank)
    if (!(norm > tolerance)) break
    const w = v.slice()
    w[rank] = w[rank] + (w[rank] > 0 ? norm : -norm)
    const square = length(w, rank) ** 2
    for (let d = rank; d < columns; d++) {
      const a = A[d]
      let dot = 0
      for (let i = rank; i < rows; i++) dot += w[i] * a[i]
      const t = (2 * dot) / square
      for (let i = rank; i < rows; i++) a[i] -= t * w[i]
    }
  }
  return { rank, aliased: order.slice(rank) }
}

/**
 * Dimension of the set of minimisers of a convex model, where it has any, but for the number that softmax lets one add to all outputs:
 * every loss is strictly convex in z beside it. A ridge on the weights leaves biases only, which no other column can stand in for.
 */
export function flatDirections(model: Model, { rank, columns }: { rank: number; columns: number }): number {
  const free = isRidged({ model }) ? 0 : columns - rank
  if (isScalar(model.loss)) return model.outputs * free
  return (model.outputs - 1) * free
}
