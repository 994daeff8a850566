/** Small dense linear algebra on the rows of a matrix: triangular factors, row spaces, whitening. Matrices are row-major. */

/** R [n, n] of A = QR for A [m, n], by Householder reflections (Golub and Van Loan 2013, §5.2); A is copied. */
export function triangle(A: Float64Array, m: number, n: number): Float64Array {
  const a = A.slice()
  const w = new Float64Array(n)
  for (let k = 0; k < Math.min(m, n); k++) {
    let top = 0
    for (let i = k; i < m; i++) top = Math.max(top, Math.abs(a[i * n + k]))
    if (!(top > 0)) continue
    let square = 0
    for (let i = k; i < m; i++) square += (a[i * n + k] / top) ** 2
    const norm = top * Math.sqrt(square)
    const alpha = a[k * n + k] > 0 ? -norm : norm
    a[k * n + k] -= alpha
    // The reflection I − β v vᵀ, v = column k.
    const beta = 1 / (norm * (norm + Math.abs(a[k * n + k] + alpha)))
    w.fill(0)
    for (let i = k; i < m; i++) {
      const v = a[i * n + k]
      if (v !== 0) for (let j = k + 1; j < n; j++) w[j] += v * a[i * n + j]
    }
    for (let i = k; i < m; i++) {
      const v = beta * a[i * n + k]
      if (v !== 0) for (let j = k + 1; j < n; j++) a[i * n + j] -= v * w[j]
      a[i * n + k] = i === k ? alpha : 0
    }
  }
  const R = new Float64Array(n * n)
  R.set(a.subarray(0, Math.min(m, n) * n))
  return R
}

/** Remainders below this, relative to the longest row, count as dependence. */
const dependent = 1e-11

/**
 * An orthonormal basis of the span of the rows of A [m, n], and of what is orthogonal to them, as vectors [n]. `doubtful`: something was
 * taken for dependent that stands above the rounding. `condition`: of the rows, the longest remainder over the shortest, so that `rest` is
 * off by a rounding times that.
 */
export function rowSpace(
  A: Float64Array,
  m: number,
  n: number
): { span: Float64Array[]; rest: Float64Array[]; doubtful: boolean; condition: number } {
  const R = m > n ? triangle(A, m, n) : A
  const left = Array.from({ length: Math.min(m, n) }, (_, i) => R.slice(i * n, (i + 1) * n))
  const span: Float64Array[] = []
  let longest = 0
  let dropped = 0
  let shortest = Infinity
  for (;;) {
    let best = -1
    let length = 0
    left.forEach((v, i) => {
      const size = Math.sqrt(product(v, v))
      if (size > length) [best, length] = [i, size]
    })
    longest = Math.max(longest, length)
    if (best < 0 || !(length > dependent * longest)) {
      dropped = Math.max(dropped, length)
      break
    }
    const [v] = left.splice(best, 1)
    orthogonalize(v, span)
    const unit = Math.sqrt(product(v, v))
    if (!(unit > dependent * longest)) {
      dropped = Math.max(dropped, unit)
      continue
    }
    shortest = Math.min(shortest, unit)
    for (let p = 0; p < n; p++) v[p] /= unit
    span.push(v)
    for (const other of left) orthogonalize(other, [v])
  }
  const rest: Float64Array[] = []
  for (let p = 0; p < n && span.length + rest.length < n; p++) {
    const v = new Float64Array(n)
    v[p] = 1
    orthogonalize(v, span)
    orthogonalize(v, rest)
    const size = Math.sqrt(product(v, v))
    // Of the n unit vectors, n − rank have remainders of at least 1/√n one after the other; rounding leaves far less of the others.
    if (!(size > 1e-6)) continue
    rest.push(v.map(x => x / size))
  }
  return {
    span,
    rest,
    doubtful: dropped > 64 * (m + n) * Number.EPSILON * longest,
    condition: Math.max(1, longest / shortest)
  }
}

/** Takes the parts along orthonormal `basis` out of v, twice against rounding. */
export function orthogonalize(v: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const b of basis) {
      const part = product(v, b)
      for (let p = 0; p < v.length; p++) v[p] -= part * b[p]
    }
}

/** a·b */
export function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let p = 0; p < a.length; p++) sum += a[p] * b[p]
  return sum
}

/** A [m, n] times vectors [n] as columns: [m, columns]. */
export function times(A: Float64Array, m: number, n: number, columns: readonly Float64Array[]): Float64Array {
  const q = columns.length
  const out = new Float64Array(m * q)
  for (let i = 0; i < m; i++) {
    const row = A.subarray(i * n, (i + 1) * n)
    for (let k = 0; k < q; k++) out[i * q + k] = product(row, columns[k])
  }
  return out
}

/** Solves Rᵀ x = b in place for R [n, n] upper triangular. */
export function solveTransposed(R: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]
    for (let j = 0; j < i; j++) sum -= R[j * n + i] * b[j]
    b[i] = sum / R[i * n + i]
  }
}

/** Solves R x = b in place. */
export function solveTriangle(R: Float64Array, n: number, b: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]
    for (let j = i + 1; j < n; j++) sum -= R[i * n + j] * b[j]
    b[i] = sum / R[i * n + i]
  }
}
