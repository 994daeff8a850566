/**
 * Positive definite matrices whose rows differ by many orders of magnitude, as the Hessian does when columns of the data are
 * not standardised: eigenvalues and inverse with an error that depends on the condition of the matrix *after* scaling to
 * unit diagonal, not on that of the matrix itself (Demmel & Veselić 1992).
 */

/** A = D L Lᵀ D with D = diag(d), L [n, n] lower triangular and L Lᵀ of unit diagonal. */
export interface ScaledCholesky {
  readonly n: number
  readonly d: Float64Array
  readonly L: Float64Array
}

/** Undefined when A is not positive definite to working precision. */
export function scaledCholesky(A: Float64Array, n: number): ScaledCholesky | undefined {
  const d = new Float64Array(n)
  for (let i = 0; i < n; i++) d[i] = Math.sqrt(A[i * n + i])
  const L = new Float64Array(n * n)
  for (let j = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      let sum = A[i * n + j] / d[i] / d[j]
      for (let k = 0; k < j; k++) sum -= L[i * n + k] * L[j * n + k]
      if (i > j) L[i * n + j] = sum / L[j * n + j]
      else if (sum > n * Number.EPSILON) L[j * n + j] = Math.sqrt(sum)
      else return undefined
    }
  return { n, d, L }
}

/** x with A x = b. */
export function solveScaled({ n, d, L }: ScaledCholesky, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from({ length: n }, (_, i) => b[i] / d[i])
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i * n + k] * x[k]
    x[i] /= L[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= L[k * n + i] * x[k]
    x[i] /= L[i * n + i]
  }
  for (let i = 0; i < n; i++) x[i] /= d[i]
  return x
}

/** Sweeps until the columns of a factor are orthogonal; well below ten are usual. */
const sweepLimit = 40

/**
 * Singular values, ascending, of the matrix with these rows [n, n]: one-sided Jacobi rotations of the rows, which leave the rounding
 * error of each column small against that column.
 */
export function singularValues(rows: Float64Array, n: number): Float64Array {
  const G = Array.from({ length: n }, (_, r) => rows.slice(r * n, (r + 1) * n))
  const norm = (v: Float64Array): number => {
    // Scaled, so that squares of very large or small entries do not overflow or vanish.
    let top = 0
    for (const x of v) top = Math.max(top, Math.abs(x))
    let sum = 0
    for (const x of v) sum += (x / top) ** 2
    return top > 0 ? top * Math.sqrt(sum) : 0
  }
  for (let sweep = 0; sweep < sweepLimit; sweep++) {
    // Long columns first: converges faster (de Rijk 1989).
    const length = new Map(G.map(v => [v, norm(v)]))
    G.sort((a, b) => (length.get(b) ?? 0) - (length.get(a) ?? 0))
    const norms = Float64Array.from(G, v => length.get(v) ?? 0)
    let worst = 0
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) worst = Math.max(worst, rotate(G, norms, p, q))
    if (worst <= n * Number.EPSILON) break
  }
  return Float64Array.from(G, norm).sort()
}

/** Makes columns p and q orthogonal; returns |cos| of the angle they had. `norms` is kept up to date within a sweep. */
function rotate(G: Float64Array[], norms: Float64Array, p: number, q: number): number {
  const x = G[p]
  const y = G[q]
  const n = x.length
  const a = norms[p]
  const b = norms[q]
  if (!(a > 0 && b > 0)) return 0
  let dot = 0
  for (let i = 0; i < n; i++) dot += (x[i] / a) * (y[i] / b)
  if (Math.abs(dot) <= Number.EPSILON) return Math.abs(dot)
  const zeta = (b / a - a / b) / (2 * dot)
  const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta))
  const c = 1 / Math.sqrt(1 + t * t)
  const s = c * t
  let xx = 0
  let yy = 0
  for (let i = 0; i < n; i++) {
    const u = c * x[i] - s * y[i]
    const v = s * x[i] + c * y[i]
    x[i] = u
    y[i] = v
    xx += (u / a) ** 2
    yy += (v / b) ** 2
  }
  norms[p] = a * Math.sqrt(xx)
  norms[q] = b * Math.sqrt(yy)
  return Math.abs(dot)
}
