/**
 * Questions about the cone {d : a_i·d ≥ 0 for every row}: which rows can be made positive, and whether a linear function can. Each is
 * a non-negative least squares problem (Lawson and Hanson 1974, ch. 23): the residual of b beside the cone that the rows generate is
 * either a direction of the cone on which −b is positive, or nought, and then its multipliers prove that there is none (Farkas).
 */
import { orthogonalize, product, rowSpace, solveTransposed, solveTriangle, times, triangle } from './rows.js'

/** Rows [count, dim] of a cone, and how far their products with a direction are known. */
export interface ConeRows {
  readonly rows: Float64Array
  readonly count: number
  readonly dim: number
  /** Error of a row relative to its length, the largest. */
  readonly relative: number
  /** Whether it is open if some row is 0 in every direction. */
  readonly doubtful: boolean
  /** Bound of the error of row i's product with d: roundings of the arithmetic, and of the data as they were written. */
  readonly error: (i: number, d: Float64Array) => number
}

/** Products within so many error bounds of 0 count as 0; beyond so many more their sign is sure. Between them it is not known. */
const zeroBounds = 16
const sureBounds = 1024

/** Rows that are looked at more closely at a time. */
const widening = 64

/** Rows in coordinates in which they are orthonormal columns, each of unit length: NNLS then needs few steps and keeps its digits. */
class Whitened {
  readonly dim: number
  /** [count, dim], rows of unit length; rows of no length are left out of `used`. */
  readonly unit: Float64Array
  readonly used: number[] = []
  /** Rows among which the search goes on until it settles; the others are then looked at. Shared by the questions to one cone. */
  readonly working: number[] = []
  /** Error of the whitened rows: that of the rows times the condition of the design. */
  readonly noise: number
  /** Whether directions were left out that may matter. */
  readonly doubtful: boolean
  /** Cholesky-like factor of Σ unit_i unit_iᵀ. */
  private readonly factor: Float64Array
  private readonly span: readonly Float64Array[]
  private readonly R: Float64Array

  constructor(
    private readonly source: Pick<ConeRows, 'rows' | 'dim' | 'relative'>,
    readonly which: readonly number[]
  ) {
    const { rows, dim } = source
    const m = which.length
    const own = new Float64Array(m * dim)
    which.forEach((i, n) => {
      const row = rows.subarray(i * dim, (i + 1) * dim)
      const length = Math.sqrt(product(row, row))
      if (length > 0) for (let p = 0; p < dim; p++) own[n * dim + p] = row[p] / length
    })
    const { span, doubtful } = rowSpace(own, m, dim)
    this.span = span
    this.doubtful = doubtful
    const q = (this.dim = this.span.length)
    const reduced = times(own, m, dim, this.span)
    this.R = triangle(reduced, m, q)
    const { most, least } = extent(this.R, q)
    this.noise = (Math.max(64 * q * Number.EPSILON, source.relative) * most) / least
    this.unit = new Float64Array(m * q)
    for (let n = 0; n < m; n++) {
      const at = this.unit.subarray(n * q, (n + 1) * q)
      at.set(reduced.subarray(n * q, (n + 1) * q))
      solveTransposed(this.R, q, at)
      const length = Math.sqrt(product(at, at))
      if (!(length > 0)) continue
      for (let k = 0; k < q; k++) at[k] /= length
      this.used.push(n)
    }
    this.factor = triangle(this.unit, m, q)
    const stride = Math.max(1, Math.floor(this.used.length / (4 * q + widening)))
    for (let n = 0; n < this.used.length; n += stride) this.working.push(this.used[n])
  }

  /** A linear function c of directions in these coordinates. */
  functional(c: Float64Array): Float64Array {
    const out = Float64Array.from(this.span, v => product(v, c))
    solveTransposed(this.R, this.dim, out)
    return out
  }

  /** The direction [source.dim] of u. */
  direction(u: Float64Array): Float64Array {
    const w = u.slice()
    solveTriangle(this.R, this.dim, w)
    const d = new Float64Array(this.source.dim)
    this.span.forEach((v, k) => {
      for (let p = 0; p < d.length; p++) d[p] += w[k] * v[p]
    })
    return d
  }

  /** a_n · r */
  slope(n: number, r: Float64Array): number {
    const { unit, dim } = this
    let sum = 0
    for (let k = 0, at = n * dim; k < dim; k++, at++) sum += unit[at] * r[k]
    return sum
  }

  /** Adds to the working rows those of the others with the largest slopes above `least`; false where there are none. */
  widen(r: Float64Array, least: number): boolean {
    const working = new Set(this.working)
    const above: { n: number; slope: number }[] = []
    for (const n of this.used) {
      const slope = this.slope(n, r)
      if (slope > least && !working.has(n)) above.push({ n, slope })
    }
    above.sort((a, b) => b.slope - a.slope)
    for (const { n } of above.slice(0, widening)) this.working.push(n)
    return above.length > 0
  }

  row = (n: number): Float64Array => this.unit.subarray(n * this.dim, (n + 1) * this.dim)

  /**
   * Whether multipliers prove that no row can be made positive: Σ_i (1 + λ_i) a_i = −r, and what is left goes into all multipliers at once,
   * which stay positive by more than all roundings could take.
   */
  proveNone(lambda: ReadonlyMap<number, number>, r: Float64Array): boolean {
    const y = r.slice()
    solveTransposed(this.factor, this.dim, y)
    solveTriangle(this.factor, this.dim, y)
    let least = Infinity
    let sum = 0
    for (const n of this.used) {
      const own = 1 + (lambda.get(n) ?? 0)
      const more = this.slope(n, y)
      least = Math.min(least, own + more)
      sum += own + Math.abs(more)
    }
    return least > (this.noise * sum) / extent(this.factor, this.dim).least ** 2
  }
}

/** Extreme diagonal entries of a triangle, by size. */
function extent(R: Float64Array, n: number): { least: number; most: number } {
  let [least, most] = [Infinity, 0]
  for (let k = 0; k < n; k++) {
    least = Math.min(least, Math.abs(R[k * n + k]))
    most = Math.max(most, Math.abs(R[k * n + k]))
  }
  return { least, most }
}

/** Least squares of b by columns, through an orthonormal basis of them; `residual` is orthogonal to the columns to the last bit. */
function leastSquares(columns: readonly Float64Array[], b: Float64Array): { x: Float64Array; residual: Float64Array } {
  const k = columns.length
  const q = b.length
  const basis: Float64Array[] = []
  const R = new Float64Array(k * k)
  columns.forEach((column, j) => {
    const v = column.slice()
    for (let pass = 0; pass < 2; pass++)
      basis.forEach((e, i) => {
        const part = product(e, v)
        R[i * k + j] += part
        for (let p = 0; p < q; p++) v[p] -= part * e[p]
      })
    const length = Math.sqrt(product(v, v))
    R[j * k + j] = length
    basis.push(v.map(a => a / length))
  })
  const x = Float64Array.from(basis, e => product(e, b))
  solveTriangle(R, k, x)
  const residual = b.slice()
  orthogonalize(residual, basis)
  return { x, residual }
}

/**
 * min |Σ λ_i a_i − b| over λ ≥ 0 for the rows a_i of `A`.
 * @param enough ends the search early, e.g. when the multipliers prove what was asked
 * @returns the residual r, with a_i·r ≤ 0 up to rounding; null where the iteration does not settle
 */
function nonNegative(
  A: Whitened,
  b: Float64Array,
  enough?: (lambda: ReadonlyMap<number, number>, r: Float64Array) => boolean
): { residual: Float64Array; proved: boolean } | null {
  const passive: number[] = []
  let values: number[] = []
  let r: Float64Array = b.slice()
  const size = Math.sqrt(product(b, b))
  const refused = new Set<number>()
  for (let step = 0; step < 60 + 30 * A.dim; step++) {
    const length = Math.sqrt(product(r, r))
    const least = A.noise * length
    const goes = passive.length < A.dim && length > A.dim * Number.EPSILON * size
    const steepest = (): number => {
      let best = -1
      let most = least
      for (const n of A.working) {
        const slope = A.slope(n, r)
        if (slope > most && !refused.has(n) && !passive.includes(n)) [best, most] = [n, slope]
      }
      return best
    }
    let best = goes ? steepest() : -1
    if (best < 0) {
      if (enough?.(new Map(passive.map((n, k) => [n, values[k]])), r)) return { residual: r, proved: true }
      if (!goes || !A.widen(r, least)) return { residual: r, proved: false }
      best = steepest()
      if (best < 0) return { residual: r, proved: false }
    }
    passive.push(best)
    values.push(0)
    for (;;) {
      const solved = leastSquares(
        passive.map(n => A.row(n)),
        b
      )
      const x = [...solved.x]
      if (!x.every(Number.isFinite) || (x.at(-1)! <= 0 && passive.at(-1) === best)) {
        // Rounding alone made it look like a way down.
        refused.add(best)
        passive.pop()
        values.pop()
        break
      }
      if (x.every(v => v > 0)) {
        values = x
        r = solved.residual
        refused.clear()
        break
      }
      let step = 1
      x.forEach((v, k) => {
        if (v <= 0) step = Math.min(step, values[k] / (values[k] - v))
      })
      values = values.map((v, k) => v + step * (x[k] - v))
      for (let k = passive.length - 1; k >= 0; k--)
        if (x[k] <= 0 && values[k] <= 1e-14 * Math.max(...values)) {
          passive.splice(k, 1)
          values.splice(k, 1)
        }
    }
  }
  return null
}

const scaledToOne = (d: Float64Array): Float64Array => {
  const top = d.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  return top > 0 ? d.map(v => v / top) : d
}

/** Signs of the rows along d: 1, 0, −1, or NaN where it is not known. */
function signsAlong({ rows, dim, error }: ConeRows, which: readonly number[], d: Float64Array): number[] {
  return which.map(i => {
    const value = product(rows.subarray(i * dim, (i + 1) * dim), d)
    const bound = error(i, d)
    if (Math.abs(value) <= zeroBounds * bound) return 0
    return Math.abs(value) > sureBounds * bound ? Math.sign(value) : NaN
  })
}

/** What can be made positive. */
export interface Interior {
  /** A direction in the relative interior of the cone; null where no row can be made positive. */
  readonly direction: Float64Array | null
  /** [count] rows that are positive along it; the others are 0 along every direction of the cone. */
  readonly positive: Uint8Array
  readonly undecided: boolean
}

/**
 * Makes positive all rows that can be: a direction for some of them, then one for some of those that it leaves at 0, and so on; each
 * earlier direction is weighted so that later ones do not undo it.
 */
export function interior(cone: ConeRows): Interior {
  const { rows, count, dim } = cone
  const positive = new Uint8Array(count)
  let direction: Float64Array<ArrayBufferLike> | null = null
  let left = Array.from({ length: count }, (_, i) => i)
  const answer = (undecided: boolean): Interior => ({ direction, positive, undecided: undecided || cone.doubtful })
  for (let round = 0; round <= dim && left.length > 0; round++) {
    const A = new Whitened(cone, left)
    if (A.dim === 0) return answer(A.doubtful)
    const b = new Float64Array(A.dim)
    for (const n of A.used) A.row(n).forEach((v, k) => (b[k] -= v))
    const found = nonNegative(A, b, (lambda, r) => A.proveNone(lambda, r))
    if (!found) return answer(true)
    if (found.proved) return answer(A.doubtful)
    const d = scaledToOne(A.direction(found.residual.map(v => -v)))
    const signs = signsAlong(cone, left, d)
    // Neither multipliers nor a direction that stands above the roundings.
    if (!signs.includes(1) || signs.some(s => !(s >= 0))) return answer(true)
    if (direction) {
      let weight = 1
      const before: Float64Array = direction
      for (let i = 0; i < count; i++) {
        if (positive[i] === 0) continue
        const row = rows.subarray(i * dim, (i + 1) * dim)
        weight = Math.max(weight, (-2 * product(row, d)) / product(row, before))
      }
      direction = scaledToOne(d.map((v, p) => v + weight * before[p]))
    } else direction = d
    left.forEach((i, n) => {
      if (signs[n] === 1) positive[i] = 1
    })
    left = left.filter((_, n) => signs[n] !== 1)
  }
  return answer(false)
}

/** Whether c·d can be positive in the cone: 1, 0, or NaN where that is not known. */
export type Rises = (c: Float64Array) => number

/** Residuals below this share of c are roundings, however well the rows are known. */
const residualNoise = 1e-12

export function rises(cone: ConeRows): Rises {
  const all = Array.from({ length: cone.count }, (_, i) => i)
  const A = new Whitened(cone, all)
  return c => {
    const size = Math.sqrt(product(c, c))
    if (!(size > 0)) return 0
    const b = A.functional(c).map(v => -v)
    const found = nonNegative(A, b)
    if (!found) return NaN
    const d = scaledToOne(A.direction(found.residual.map(v => -v)))
    const value = product(c, d)
    const bound = 8 * cone.dim * Number.EPSILON * c.reduce((sum, v) => sum + Math.abs(v), 0)
    if (!(value > zeroBounds * bound)) return 0
    const signs = signsAlong(cone, all, d)
    if (value > sureBounds * bound && signs.every(sign => sign >= 0)) return 1
    // A residual of rounding alone points anywhere.
    const noise = 16 * Math.max(A.noise, residualNoise)
    return product(found.residual, found.residual) <= noise ** 2 * product(b, b) ? 0 : NaN
  }
}
