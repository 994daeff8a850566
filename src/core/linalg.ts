/**
 * Dense symmetric linear algebra in f64 for one matrix: tridiagonal form, trust-region step, eigen-decomposition. The batched
 * kernels follow the same steps (kernels/README.md, "Linear algebra"). Matrices are row-major Float64Arrays.
 */

/** diag(s) A diag(s) = Q T Qᵀ; T has diagonal d and off-diagonal e; Q = product of I − tau_k v_k v_kᵀ. */
export interface Tridiagonal {
  readonly n: number
  readonly d: Float64Array
  /** [n]; e[i] couples i and i + 1; the last is 0. */
  readonly e: Float64Array
  /** [n, n]: reflector k in row k, non-zero from column k + 1 on. */
  readonly v: Float64Array
  readonly tau: Float64Array
}

const smallestNormal = 2 ** -1022

/** Householder reduction (Golub and Van Loan, algorithm 8.3.1) of diag(s) A diag(s), or of A without s. */
export function tridiagonalize(a: Float64Array, n: number, s?: Float64Array): Tridiagonal {
  const A = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) A[i * n + j] = a[i * n + j] * (s ? s[i] * s[j] : 1)
  const d = new Float64Array(n)
  const e = new Float64Array(n)
  const v = new Float64Array(n * n)
  const tau = new Float64Array(n)
  const p = new Float64Array(n)
  for (let k = 0; k < n - 1; k++) {
    d[k] = A[k * n + k]!
    let largest = 0
    for (let i = k + 1; i < n; i++) largest = Math.max(largest, Math.abs(A[i * n + k]))
    let tail = 0
    for (let i = k + 2; i < n; i++) tail += Math.abs(A[i * n + k])
    // Subnormal numbers are nothing beside a diagonal, and their reciprocals overflow.
    if (largest < smallestNormal || tail === 0) {
      e[k] = A[(k + 1) * n + k]!
      continue
    }
    const row = k * n
    let square = 0
    for (let i = k + 1; i < n; i++) square += (v[row + i] = A[i * n + k] / largest) ** 2
    const norm = Math.sqrt(square)
    const head = v[row + k + 1]
    const alpha = head > 0 ? -norm : norm
    e[k] = alpha * largest
    v[row + k + 1] = head - alpha
    const t = 1 / (norm * (norm + Math.abs(head)))
    tau[k] = t
    let vp = 0
    for (let i = k + 1; i < n; i++) {
      let sum = 0
      for (let j = k + 1; j < n; j++) sum += A[i * n + j] * v[row + j]
      p[i] = t * sum
      vp += p[i] * v[row + i]
    }
    const half = 0.5 * t * vp
    for (let i = k + 1; i < n; i++) p[i] -= half * v[row + i]
    for (let i = k + 1; i < n; i++)
      for (let j = k + 1; j < n; j++) A[i * n + j] -= v[row + i] * p[j] + p[i] * v[row + j]
  }
  d[n - 1] = A[n * n - 1]!
  return { n, d, e, v, tau }
}

function reflect(t: Tridiagonal, k: number, x: Float64Array): void {
  if (t.tau[k] === 0) return
  const row = k * t.n
  let sum = 0
  for (let i = k + 1; i < t.n; i++) sum += t.v[row + i] * x[i]
  sum *= t.tau[k]
  for (let i = k + 1; i < t.n; i++) x[i] -= sum * t.v[row + i]
}
/** x ← Qᵀx */
export function applyQTransposed(t: Tridiagonal, x: Float64Array): void {
  for (let k = 0; k < t.n - 1; k++) reflect(t, k, x)
}
/** x ← Qx */
export function applyQ(t: Tridiagonal, x: Float64Array): void {
  for (let k = t.n - 2; k >= 0; k--) reflect(t, k, x)
}

/** LDLᵀ of T + μI: writes the pivots; false unless all are positive. */
function factor(t: Tridiagonal, mu: number, pivots: Float64Array): boolean {
  let ok = true
  for (let i = 0; i < t.n; i++) {
    pivots[i] = t.d[i] + mu - (i > 0 ? (t.e[i - 1] * t.e[i - 1]) / pivots[i - 1] : 0)
    if (!(pivots[i] > 0)) ok = false
  }
  return ok
}
/** y ← (T + μI)⁻¹ y from the pivots; returns yᵀ(T + μI)⁻¹y of the old y. */
function solve(t: Tridiagonal, pivots: Float64Array, y: Float64Array): number {
  const n = t.n
  let form = 0
  for (let i = 0; i < n; i++) {
    if (i > 0) y[i] -= (t.e[i - 1] / pivots[i - 1]) * y[i - 1]
    form += (y[i] * y[i]) / pivots[i]
  }
  for (let i = n - 1; i >= 0; i--) y[i] = (y[i] - (i < n - 1 ? t.e[i] * y[i + 1] : 0)) / pivots[i]
  return form
}

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export const norm = (v: Float64Array): number => Math.sqrt(dot(v, v))

/** What is left of v beside orthonormal vectors; twice, against rounding. */
export function without(v: Float64Array, others: readonly Float64Array[]): Float64Array {
  const rest = v.slice()
  for (let pass = 0; pass < 2; pass++)
    for (const other of others) {
      const part = dot(rest, other)
      for (let p = 0; p < rest.length; p++) rest[p] -= part * other[p]
    }
  return rest
}

/** The iteration ends when the step is within this share of the radius. */
export const radiusTolerance = 0.1
const secularIterations = 60

/**
 * The step p that minimises gᵀp + ½ pᵀBp over ‖p‖ ≤ radius, B = QTQᵀ, and its predicted decrease: the iteration of Moré and
 * Sorensen (SIAM J. Sci. Stat. Comput. 4, 1983) in the basis of T, where each trial μ costs O(n). μ starts at 4·eps·n·‖T‖
 * rather than 0, so that directions that are flat to rounding are not followed.
 */
export function trustRegionStep(
  t: Tridiagonal,
  g: Float64Array,
  radius: number,
  eps = 2 ** -52
): { p: Float64Array; predicted: number } {
  const n = t.n
  const c = Float64Array.from(g)
  applyQTransposed(t, c)
  const cNorm = Math.sqrt(dot(c, c))
  let normT = 0
  let lowest = Infinity
  let smallestDiagonal = Infinity
  for (let i = 0; i < n; i++) {
    const off = (i > 0 ? Math.abs(t.e[i - 1]) : 0) + (i < n - 1 ? Math.abs(t.e[i]) : 0)
    normT = Math.max(normT, Math.abs(t.d[i]) + off)
    lowest = Math.min(lowest, t.d[i] - off)
    smallestDiagonal = Math.min(smallestDiagonal, t.d[i])
  }
  const floor = 4 * eps * n * normT
  const pivots = new Float64Array(n)
  const s = new Float64Array(n)
  let low = Math.max(floor, -smallestDiagonal)
  // The margin matters where the bound is met exactly: a diagonal matrix and no gradient.
  let high = Math.max(low, cNorm / radius - lowest) + floor
  let mu = floor
  let found = false
  for (let iteration = 0; iteration < secularIterations; iteration++) {
    if (!factor(t, mu, pivots)) {
      low = Math.max(low, mu)
      mu = Math.max(Math.sqrt(low * high), low + 0.01 * (high - low))
      continue
    }
    for (let i = 0; i < n; i++) s[i] = -c[i]
    const sHs = solve(t, pivots, s)
    const length = Math.sqrt(dot(s, s))
    found = true
    if (mu <= floor && length <= radius) break
    if (Math.abs(length - radius) <= radiusTolerance * radius) break
    if (length < radius) {
      high = Math.min(high, mu)
      if (completeHardCase(t, pivots, s, mu, radius, sHs)) break
    } else low = Math.max(low, mu)
    const w = Float64Array.from(s)
    const form = solve(t, pivots, w)
    const next = mu + ((length * length) / form) * ((length - radius) / radius)
    mu = next > low && next < high ? next : Math.max(Math.sqrt(low * high), low + 0.01 * (high - low))
  }
  if (!found) s.fill(0)
  const length = Math.sqrt(dot(s, s))
  if (length > (1 + radiusTolerance) * radius) for (let i = 0; i < n; i++) s[i] *= radius / length
  let predicted = 0
  for (let i = 0; i < n; i++) {
    const ts = t.d[i] * s[i] + (i > 0 ? t.e[i - 1] * s[i - 1] : 0) + (i < n - 1 ? t.e[i] * s[i + 1] : 0)
    predicted -= s[i] * (c[i] + 0.5 * ts)
  }
  applyQ(t, s)
  return { p: s, predicted: predicted > 0 ? predicted : Number.isNaN(predicted) ? NaN : 0 }
}

/**
 * Hard case, s shorter than the radius at μ > 0: adds the multiple of an approximate eigenvector of the smallest eigenvalue (two
 * inverse iterations) that reaches the boundary, if that is near enough to the optimum (Moré and Sorensen, lemma 3.4).
 */
function completeHardCase(
  t: Tridiagonal,
  pivots: Float64Array,
  s: Float64Array,
  mu: number,
  radius: number,
  sHs: number
): boolean {
  const n = t.n
  const z = new Float64Array(n)
  // A fixed start that no eigenvector of a structured matrix is orthogonal to by construction.
  for (let i = 0; i < n; i++) z[i] = 1 + 0.37 * ((i * 7) % 11)
  let form = 0
  for (let k = 0; k < 2; k++) {
    solve(t, pivots, z)
    const norm = Math.sqrt(dot(z, z))
    for (let i = 0; i < n; i++) z[i] /= norm
  }
  for (let i = 0; i < n; i++) {
    const tz = (t.d[i] + mu) * z[i] + (i > 0 ? t.e[i - 1] * z[i - 1] : 0) + (i < n - 1 ? t.e[i] * z[i + 1] : 0)
    form += z[i] * tz
  }
  const sz = dot(s, z)
  const gap = radius * radius - dot(s, s)
  const root = Math.sqrt(sz * sz + gap)
  const tau = gap / (sz > 0 ? sz + root : sz - root)
  if (!(tau * tau * form <= radiusTolerance * (sHs + mu * radius * radius))) return false
  for (let i = 0; i < n; i++) s[i] += tau * z[i]
  return true
}

/** Eigenvalues, ascending, and eigenvectors as the columns of V [n, n] of diag(s) A diag(s). Implicit QL (EISPACK tql2). */
export function symmetricEigen(
  a: Float64Array,
  n: number,
  s?: Float64Array
): { values: Float64Array; vectors: Float64Array } {
  const t = tridiagonalize(a, n, s)
  const d = Float64Array.from(t.d)
  const e = Float64Array.from(t.e)
  const V = new Float64Array(n * n)
  const column = new Float64Array(n)
  for (let j = 0; j < n; j++) {
    column.fill(0)[j] = 1
    applyQ(t, column)
    for (let i = 0; i < n; i++) V[i * n + j] = column[i]!
  }
  if (!d.every(Number.isFinite) || !e.every(Number.isFinite)) return { values: d.fill(NaN), vectors: V.fill(NaN) }
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; iteration < 60; iteration++) {
      let m = l
      for (; m < n - 1; m++) if (Math.abs(e[m]) <= 2 ** -53 * (Math.abs(d[m]) + Math.abs(d[m + 1]))) break
      if (m === l) break
      let g = (d[l + 1] - d[l]) / (2 * e[l])
      let r = Math.hypot(g, 1)
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r))
      let sine = 1
      let cosine = 1
      let p = 0
      let i = m - 1
      for (; i >= l; i--) {
        const f = sine * e[i]
        const b = cosine * e[i]
        r = Math.hypot(f, g)
        e[i + 1] = r
        if (r === 0) {
          d[i + 1] -= p
          e[m] = 0
          break
        }
        sine = f / r
        cosine = g / r
        g = d[i + 1] - p
        r = (d[i] - g) * sine + 2 * cosine * b
        p = sine * r
        d[i + 1] = g + p
        g = cosine * r - b
        for (let k = 0; k < n; k++) {
          const up = V[k * n + i + 1]
          V[k * n + i + 1] = sine * V[k * n + i] + cosine * up
          V[k * n + i] = cosine * V[k * n + i] - sine * up
        }
      }
      if (r === 0 && i >= l) continue
      d[l] -= p
      e[l] = g
      e[m] = 0
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => d[i] - d[j])
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    for (let k = 0; k < n; k++) vectors[k * n + to] = V[k * n + from]!
  })
  return { values: Float64Array.from(order, i => d[i]), vectors }
}
