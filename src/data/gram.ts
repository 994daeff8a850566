/** Pivoted Cholesky factor of a design's Gram matrix: rank, condition, and the triangular map that makes columns orthonormal. */
import { DoubleDouble } from '../core/doubleDouble.js'

/** Weighted rows x [N, D] whose columns are measured as (x − shift) / scale. */
export interface Measured {
  readonly rows: number
  readonly x: Float64Array
  readonly weight?: Float64Array
  readonly shift: Float64Array
  readonly scale: Float64Array
}

export interface GramFactor {
  readonly rank: number
  /** Columns that depend on those before them in the order of pivots. */
  readonly aliased: readonly number[]
  /** Reciprocal of the smallest remainder of an independent column beside those before it, in shares of its length. */
  readonly condition: number
}

/** L [D, D] in the columns' own order: (x − shift) / scale = L x_c with orthonormal x_c, and its inverse as hi + lo. */
export interface Whitening {
  readonly L: Float64Array
  readonly inverse: { readonly hi: Float64Array; readonly lo: Float64Array }
}

/** Remainders below max(N, D)·eps·16 are rounding. */
const aliasTolerance = (rows: number, columns: number): number => Math.max(rows, columns) * 2 ** -52 * 16
/** Remainders above this share are told reliably in doubles; the others are computed in double-double. */
const plain = 1e-3

/** Σ w a aᵀ / Σ w [D, D], lower triangle. */
function gram({ rows, x, weight, shift, scale }: Measured): Float64Array {
  const D = shift.length
  const G = new Float64Array(D * D)
  const a = new Float64Array(D)
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (w === 0) continue
    total += w
    for (let d = 0; d < D; d++) a[d] = (x[i * D + d] - shift[d]) / scale[d]
    for (let d = 0; d < D; d++) {
      const v = w * a[d]
      for (let e = 0; e <= d; e++) G[d * D + e] += v * a[e]
    }
  }
  return G.map(v => v / total)
}

/** Pivots, largest remainder first: order of columns and share that remains of each; nothing more is told below `floor`. */
function pivots(G: Float64Array, D: number, floor: number): { order: number[]; shares: number[] } {
  const at = (d: number, e: number): number => (d >= e ? d * D + e : e * D + d)
  const length = Float64Array.from({ length: D }, (_, d) => G[d * D + d])
  const S = G.slice()
  const order: number[] = []
  const shares: number[] = []
  const left = new Set(Array.from({ length: D }, (_, d) => d))
  const share = (d: number): number => (length[d] > 0 ? Math.sqrt(Math.max(0, S[d * D + d]) / length[d]) : 0)
  while (left.size > 0) {
    const best = [...left].reduce((a, b) => (share(b) > share(a) ? b : a))
    left.delete(best)
    order.push(best)
    shares.push(share(best))
    if (!(share(best) > floor)) {
      for (const d of left) {
        order.push(d)
        shares.push(share(d))
      }
      break
    }
    const pivot = S[best * D + best]
    for (const d of left) for (const e of left) if (e <= d) S[at(d, e)] -= (S[at(d, best)] * S[at(e, best)]) / pivot
  }
  return { order, shares }
}

/** Rank and condition of a design, in doubles where that is enough. */
export function rankOf(design: Measured): GramFactor {
  const D = design.shift.length
  const { shares } = pivots(gram(design), D, plain)
  const smallest = Math.min(...shares)
  if (smallest > plain) return { rank: D, aliased: [], condition: 1 / smallest }
  const { rank, order, condition } = preciseFactor(design)
  return { rank, aliased: order.slice(rank), condition }
}

interface Precise {
  readonly rank: number
  readonly order: readonly number[]
  readonly condition: number
  /** Rows and columns in the order of pivots; aliased ones end in the identity. */
  readonly L: readonly (readonly DoubleDouble[])[]
}

/** Measured entry as hi + lo: differences lose nothing, and scales are powers of two here. */
function preciseGram({ rows, x, weight, shift, scale }: Measured): DoubleDouble[][] {
  const D = shift.length
  const G = Array.from({ length: D }, (_, d) => Array.from({ length: d + 1 }, () => new DoubleDouble()))
  const [hi, lo] = [new Float64Array(D), new Float64Array(D)]
  const term = new DoubleDouble()
  const total = new DoubleDouble()
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (w === 0) continue
    total.add(w)
    for (let d = 0; d < D; d++) {
      term.set(x[i * D + d]).add(-shift[d])
      hi[d] = term.hi / scale[d]
      lo[d] = term.lo / scale[d]
    }
    for (let d = 0; d < D; d++) {
      term.set(0).addProducts(w, 0, hi[d], lo[d])
      for (let e = 0; e <= d; e++) G[d][e].addProducts(term.hi, term.lo, hi[e], lo[e])
    }
  }
  for (const row of G) for (const v of row) v.divide(total.hi, total.lo)
  return G
}

/** Scales as powers of two: measuring by them loses nothing. */
export const powersOfTwo = (scale: Float64Array): Float64Array => scale.map(s => 2 ** Math.round(Math.log2(s)))

function preciseFactor(design: Measured): Precise {
  const D = design.shift.length
  const S = preciseGram({ ...design, scale: powersOfTwo(design.scale) })
  const entry = (d: number, e: number): DoubleDouble => (d >= e ? S[d][e] : S[e][d])
  const length = S.map((row, d) => row[d].value)
  const share = (d: number): number => (length[d] > 0 ? Math.sqrt(Math.max(0, S[d][d].value) / length[d]) : 0)
  const left = new Set(Array.from({ length: D }, (_, d) => d))
  const order: number[] = []
  const columns: DoubleDouble[][] = []
  let smallest = 1
  while (left.size > 0) {
    const best = [...left].reduce((a, b) => (share(b) > share(a) ? b : a))
    if (!(share(best) > aliasTolerance(design.rows, D))) break
    smallest = Math.min(smallest, share(best))
    left.delete(best)
    order.push(best)
    const root = new DoubleDouble(S[best][best].hi, S[best][best].lo).root()
    // Column of L over the columns that are left; by number of the column.
    const column: DoubleDouble[] = []
    for (const d of left) {
      const v = entry(d, best)
      column[d] = new DoubleDouble(v.hi, v.lo).divide(root.hi, root.lo)
    }
    for (const d of left)
      for (const e of left) if (e <= d) S[d][e].addProducts(-column[d].hi, -column[d].lo, column[e].hi, column[e].lo)
    column[best] = root
    columns.push(column)
  }
  const rank = order.length
  const all = [...order, ...left]
  const L = all.map((d, i) =>
    all.map((_, j) => (j < rank && j <= i ? columns[j][d] : new DoubleDouble(i === j ? 1 : 0)))
  )
  return { rank, order: all, condition: 1 / smallest, L }
}

/** The map to orthonormal columns; what depends on others is left with its remainder beside them. Scales must be powers of two. */
export function whiten(design: Measured): Whitening {
  const D = design.shift.length
  const { order, L } = preciseFactor(design)
  // Forward substitution, a column of the inverse at a time.
  const inverse = L.map(() => L.map(() => new DoubleDouble()))
  for (let j = 0; j < D; j++)
    for (let i = j; i < D; i++) {
      const v = inverse[i][j].set(i === j ? 1 : 0)
      for (let k = j; k < i; k++) v.addProducts(-L[i][k].hi, -L[i][k].lo, inverse[k][j].hi, inverse[k][j].lo)
      v.divide(L[i][i].hi, L[i][i].lo)
    }
  const own = (of: readonly (readonly DoubleDouble[])[], part: (v: DoubleDouble) => number): Float64Array => {
    const out = new Float64Array(D * D)
    order.forEach((d, i) => order.forEach((e, j) => (out[d * D + e] = part(of[i][j]))))
    return out
  }
  return { L: own(L, v => v.value), inverse: { hi: own(inverse, v => v.hi), lo: own(inverse, v => v.lo) } }
}
