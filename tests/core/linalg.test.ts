// Dense symmetric linear algebra: residuals and orthogonality, spectra known in closed form, and the conditions that mark the
// solution of the trust-region subproblem.
import { describe, expect, it } from 'vitest'
import {
  applyQ,
  applyQTransposed,
  dot,
  radiusTolerance,
  symmetricEigen,
  tridiagonalize,
  trustRegionStep
} from '../../src/core/linalg.js'
import { normals } from '../helpers/problems.js'
import { expectAllClose, expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const build = (n: number, entry: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, k) => entry(Math.floor(k / n), k % n))
const hilbert = (n: number): Float64Array => build(n, (i, j) => 1 / (i + j + 1))
const secondDifference = (n: number): Float64Array => build(n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0))
const randomSymmetric = (n: number, seed: number): Float64Array => {
  const a = normals(n * n, seed)
  return build(n, (i, j) => a[Math.min(i, j) * n + Math.max(i, j)])
}
const frobenius = (a: Float64Array): number => Math.sqrt(dot(a, a))
const norm = frobenius

/** I − 2uuᵀ/uᵀu: orthogonal and symmetric, so its columns are eigenvectors that a test can choose. */
const reflection = (n: number, seed: number): Float64Array => {
  const u = normals(n, seed)
  const square = dot(u, u)
  return build(n, (i, j) => (i === j ? 1 : 0) - (2 * u[i] * u[j]) / square)
}
/** V diag(λ) Vᵀ with V = reflection(n, seed). */
const withSpectrum = (values: readonly number[], seed: number): Float64Array => {
  const n = values.length
  const V = reflection(n, seed)
  const B = build(n, (i, j) => values.reduce((sum, v, k) => sum + V[i * n + k] * v * V[j * n + k], 0))
  return build(n, (i, j) => B[Math.min(i, j) * n + Math.max(i, j)])
}
const times = (a: Float64Array, x: Float64Array): Float64Array =>
  x.map((_, i) => dot(a.subarray(i * x.length, (i + 1) * x.length), x))

const matrices: { name: string; n: number; a: Float64Array }[] = [
  { name: 'one number', n: 1, a: Float64Array.of(-3) },
  { name: '2 × 2', n: 2, a: Float64Array.of(1, 2, 2, -2) },
  { name: 'diagonal', n: 5, a: build(5, (i, j) => (i === j ? 3 - i : 0)) },
  { name: 'zero', n: 4, a: new Float64Array(16) },
  { name: 'ones (rank one)', n: 7, a: build(7, () => 1) },
  { name: 'second differences', n: 20, a: secondDifference(20) },
  { name: 'random', n: 33, a: randomSymmetric(33, 1) },
  { name: 'very different sizes', n: 6, a: build(6, (i, j) => 10 ** (-3 * (i + j)) * (1 + i * j)) },
  { name: 'huge', n: 5, a: randomSymmetric(5, 2).map(v => v * 1e150) },
  { name: 'tiny', n: 5, a: randomSymmetric(5, 3).map(v => v * 1e-150) },
  { name: 'clustered eigenvalues', n: 9, a: withSpectrum([1, 1, 1, 1 + 1e-13, 2, 2, 2, -1, -1], 4) },
  ...[4, 8, 12].map(n => ({ name: `Hilbert ${n}`, n, a: hilbert(n) }))
]

describe('tridiagonalize', () => {
  it.each(matrices)('Q T Qᵀ is the matrix: $name', ({ n, a }) => {
    const s = Float64Array.from({ length: n }, (_, i) => 2 ** ((i % 5) - 2))
    const t = tridiagonalize(a, n, s)
    const scaled = build(n, (i, j) => s[i] * a[i * n + j] * s[j])
    const tol = tolerance('f64', n, frobenius(scaled))
    expect(t.e[n - 1]).toBe(0)
    for (let j = 0; j < n; j++) {
      const x = new Float64Array(n)
      x[j] = 1
      applyQTransposed(t, x)
      const y = x.map((v, i) => t.d[i] * v + (i > 0 ? t.e[i - 1] * x[i - 1] : 0) + (i < n - 1 ? t.e[i] * x[i + 1] : 0))
      applyQ(t, y)
      const column = Float64Array.from({ length: n }, (_, i) => scaled[i * n + j])
      expectAllClose(y, column, tol, `column ${j}`, 'Q T Qᵀ')
    }
  })

  it('Q keeps lengths and is undone by its transpose', () => {
    const n = 25
    const t = tridiagonalize(randomSymmetric(n, 6), n)
    const x = normals(n, 7)
    const y = Float64Array.from(x)
    applyQ(t, y)
    expectClose(norm(y), norm(x), tolerance('f64', 4 * n, norm(x)), 'length', 'length of Qx')
    applyQTransposed(t, y)
    expectAllClose(y, x, tolerance('f64', 2 * n, norm(x)), 'QᵀQx', 'QᵀQx')
  })
})

describe('symmetricEigen', () => {
  it.each(matrices)('AV = VΛ with V orthogonal and Λ ascending: $name', ({ n, a }) => {
    const { values, vectors } = symmetricEigen(a, n)
    const size = frobenius(a)
    const column = (j: number): Float64Array => Float64Array.from({ length: n }, (_, i) => vectors[i * n + j])
    for (let j = 0; j < n; j++) {
      const v = column(j)
      const expected = v.map(x => x * values[j])
      expectAllClose(times(a, v), expected, tolerance('f64', 2 * n, size), `A v_${j}`, 'residual of eigenvectors')
      for (let k = 0; k <= j; k++)
        expectClose(dot(v, column(k)), j === k ? 1 : 0, tolerance('f64', 2 * n, 1), `v_${j}·v_${k}`, 'orthogonality')
      if (j > 0) expect(values[j]).toBeGreaterThanOrEqual(values[j - 1])
    }
    let trace = 0
    for (let i = 0; i < n; i++) trace += a[i * n + i]
    const sum = values.reduce((s, v) => s + v, 0)
    expectClose(sum, trace, tolerance('f64', 4 * n, Math.sqrt(n) * size), 'trace', 'trace')
    expectClose(norm(values), size, tolerance('f64', 4 * n, size), '‖Λ‖', 'Frobenius norm')
  })

  it('finds the spectrum of second differences, 2 − 2 cos(kπ/(n+1))', () => {
    const n = 40
    const exact = Float64Array.from({ length: n }, (_, k) => 4 * Math.sin(((k + 1) * Math.PI) / (2 * (n + 1))) ** 2)
    expectAllClose(symmetricEigen(secondDifference(n), n).values, exact, tolerance('f64', 4 * n, 4), 'eigenvalues', 'λ')
  })

  it('finds a spectrum that was put in, through scaling too', () => {
    const values = [-5, -1e-3, 0, 0, 1e-6, 2, 2, 100]
    const n = values.length
    const B = withSpectrum(values, 8)
    const tol = tolerance('f64', 8 * n, 100)
    expectAllClose(symmetricEigen(B, n).values, values, tol, 'eigenvalues', 'λ')
    // Powers of two: the scaled matrix is B again, exactly.
    const s = Float64Array.from({ length: n }, (_, i) => 2 ** (i - 3))
    const unscaled = build(n, (i, j) => B[i * n + j] / (s[i] * s[j]))
    expectAllClose(symmetricEigen(unscaled, n, s).values, values, tol, 'eigenvalues after scaling', 'λ')
  })

  // det H_n = c_n⁴ / c_2n with c_n = Π_{i<n} i!; each eigenvalue is good to eps·‖H‖, so the product to eps·Σ ‖H‖/λ.
  it.each([2, 3, 4, 5, 6])('the eigenvalues of the Hilbert matrix of order %i multiply to its determinant', n => {
    const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1))
    const c = (m: number): number => Array.from({ length: m }, (_, i) => factorial(i)).reduce((p, v) => p * v, 1)
    const determinant = c(n) ** 4 / c(2 * n)
    const { values } = symmetricEigen(hilbert(n), n)
    const condition = values.reduce((sum, v) => sum + values[n - 1] / v, 0)
    const product = values.reduce((p, v) => p * v, 1)
    expectClose(product, determinant, tolerance('f64', n, determinant * condition), 'determinant', 'det of Hilbert')
  })

  it('takes elements below the smallest normal number beside a diagonal for nothing', () => {
    const tiny = 2 ** -1030
    const { values, vectors } = symmetricEigen(Float64Array.of(3, tiny, tiny, tiny, 1, tiny, tiny, tiny, 2), 3)
    expect([...values]).toEqual([1, 2, 3])
    expect([...vectors].map(Math.abs)).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0])
  })

  it('gives NaN, and ends, for a matrix that is not finite', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const a = randomSymmetric(6, 9)
      a[1] = a[6] = bad
      const { values, vectors } = symmetricEigen(a, 6)
      expect(values.every(Number.isNaN)).toBe(true)
      expect(vectors.every(Number.isNaN)).toBe(true)
    }
  })
})

/** Solution of the subproblem by bisection on μ in a known eigenbasis: the largest decrease within the radius. */
function bestDecrease(values: readonly number[], gamma: readonly number[], radius: number): number {
  const step = (mu: number): number[] => values.map((v, k) => (gamma[k] === 0 ? 0 : -gamma[k] / (v + mu)))
  const decrease = (p: readonly number[]): number =>
    -p.reduce((sum, x, k) => sum + gamma[k] * x + 0.5 * values[k] * x * x, 0)
  const length = (p: readonly number[]): number => Math.hypot(...p)
  const lowest = Math.min(...values)
  const edge = Math.max(0, -lowest)
  const atEdge = values.map((v, k) => (gamma[k] === 0 || v + edge === 0 ? 0 : -gamma[k] / (v + edge)))
  const blocked = values.some((v, k) => v + edge === 0 && gamma[k] !== 0)
  if (!blocked && length(atEdge) <= radius) {
    if (lowest >= 0) return decrease(atEdge)
    // Hard case: along the lowest eigenvector to the boundary.
    const k = values.indexOf(lowest)
    atEdge[k] = Math.sqrt(radius ** 2 - length(atEdge) ** 2)
    return decrease(atEdge)
  }
  let low = edge
  let high = edge + length(gamma) / radius + 1
  for (let i = 0; i < 200; i++) {
    const middle = 0.5 * (low + high)
    if (length(step(middle)) > radius) low = middle
    else high = middle
  }
  return decrease(step(high))
}

describe('trustRegionStep', () => {
  const cases: { name: string; values: number[]; gamma: number[]; radius: number }[] = [
    { name: 'interior', values: [1, 2, 3, 4], gamma: [1, -1, 2, 0.5], radius: 10 },
    { name: 'convex, on the boundary', values: [1, 2, 3, 4], gamma: [1, -1, 2, 0.5], radius: 0.3 },
    { name: 'convex, on the boundary, far away', values: [1, 2, 3, 4], gamma: [1e6, -1e6, 2e6, 0], radius: 1e-3 },
    { name: 'nearly singular', values: [1e-7, 1, 2], gamma: [1, 1, 1], radius: 5 },
    { name: 'singular, gradient in the range', values: [0, 0, 1, 5], gamma: [0, 0, 3, -1], radius: 100 },
    { name: 'singular, gradient outside the range', values: [0, 1, 5], gamma: [1, 1, 1], radius: 7 },
    { name: 'indefinite', values: [-2, -1, 1, 3], gamma: [0.5, 1, -1, 2], radius: 1.5 },
    { name: 'indefinite, large radius', values: [-2, -1, 1, 3], gamma: [0.5, 1, -1, 2], radius: 1e4 },
    { name: 'negative definite', values: [-3, -2, -1], gamma: [1, 1, 1], radius: 1 },
    { name: 'hard case', values: [-2, 1, 2, 3], gamma: [0, 1, -1, 1], radius: 4 },
    { name: 'hard case, double eigenvalue', values: [-2, -2, 1, 3], gamma: [0, 0, 1, 1], radius: 4 },
    { name: 'nearly hard', values: [-2, 1, 2, 3], gamma: [1e-12, 1, -1, 1], radius: 4 },
    { name: 'hard in the lowest vector, but the radius is short', values: [-2, 1, 2], gamma: [0, 9, 9], radius: 1 },
    { name: 'no gradient, negative curvature', values: [-1, 1, 2], gamma: [0, 0, 0], radius: 2 },
    { name: 'one variable, downhill curvature', values: [-1], gamma: [0], radius: 2 },
    { name: 'one variable', values: [4], gamma: [2], radius: 1 },
    { name: 'no curvature at all', values: [0, 0, 0], gamma: [3, 0, 4], radius: 2 }
  ]
  it.each(cases)('$name', ({ values, gamma, radius }) => {
    const n = values.length
    const B = withSpectrum(values, 10 + n)
    const g = times(reflection(n, 10 + n), Float64Array.from(gamma))
    const { p, predicted } = trustRegionStep(tridiagonalize(B, n), g, radius)
    const size = Math.max(...values.map(Math.abs))
    const length = norm(p)
    const Bp = times(B, p)
    // The prediction is the model's decrease at p.
    const decrease = -dot(g, p) - 0.5 * dot(p, Bp)
    const terms = norm(g) * length + size * length ** 2
    expectClose(predicted, decrease, tolerance('f64', 4 * n, terms), 'predicted decrease', 'predicted decrease')
    // Inside the region, within its tolerance.
    expect(length).toBeLessThanOrEqual((1 + radiusTolerance) * radius)
    // A step that is exact for a radius within 10 % attains the square of that share of the best decrease.
    const best = bestDecrease(values, gamma, radius)
    const slack = tolerance('f64', 8 * n, terms)
    expect(predicted).toBeGreaterThanOrEqual((1 - radiusTolerance) ** 2 * best - slack)
    expect(predicted).toBeLessThanOrEqual((1 + radiusTolerance) ** 2 * best + slack)
    // Moré and Sorensen, lemma 2.1: (B + μI)p = −g for a μ ≥ 0 that makes B + μI positive semidefinite; μ > 0 only
    // on the boundary. The engine's μ is not told: the least squares one is taken.
    const residual = (mu: number): number => norm(p.map((v, i) => Bp[i] + mu * v + g[i]))
    const mu = -(dot(p, Bp) + dot(p, g)) / length ** 2
    const lowest = Math.min(...values)
    const near = tolerance('f64', 4 * n, (size + Math.abs(mu)) * length + norm(g))
    if (lowest < 0) {
      // A multiple τz of the lowest eigenvector may complete a short step when τ² zᵀ(B + μI)z ≤ 0.1 (sᵀ(B + μI)s + μΔ²) (lemma
      // 3.4), and the right side is at most 0.2 / 0.9 of the decrease: so far the residual τ(B + μI)z may reach.
      const room = (2 * predicted) / (1 - radiusTolerance)
      const completed = Math.sqrt(radiusTolerance * room * (size + room / radius ** 2))
      expect(length).toBeGreaterThanOrEqual((1 - radiusTolerance) * radius)
      expect(residual(mu)).toBeLessThanOrEqual(completed + near)
      expect(mu * length).toBeGreaterThanOrEqual(-lowest * length - completed - near)
      return
    }
    expect(mu).toBeGreaterThanOrEqual(-near / length)
    const flat = 4 * 2 ** -52 * n * size
    if (length < (1 - radiusTolerance) * radius) expect(mu).toBeLessThanOrEqual(2 * flat + near / length)
    expectClose(residual(mu), 0, near, '(B + μI)p + g', '(B + μI)p + g')
  })

  it.each([1, 2, 5])('leaves a saddle of a diagonal matrix of order %i without a gradient', n => {
    const B = build(n, (i, j) => (i === j ? (i === 0 ? -3 : i) : 0))
    const { p, predicted } = trustRegionStep(tridiagonalize(B, n), new Float64Array(n), 2)
    expect(Math.abs(p[0])).toBeGreaterThanOrEqual(2 * (1 - radiusTolerance))
    expectAllClose(p.subarray(1), new Float64Array(n - 1), tolerance('f64', 16 * n, 2), 'other directions')
    expectClose(predicted, 1.5 * p[0] ** 2, tolerance('f64', 16 * n, 12), 'predicted decrease')
  })

  it('is the Newton step inside the region', () => {
    const values = [0.5, 1, 2, 8]
    const V = reflection(4, 20)
    const gamma = Float64Array.of(1, 2, -3, 4)
    const { p } = trustRegionStep(tridiagonalize(withSpectrum(values, 20), 4), times(V, gamma), 100)
    const exact = times(
      V,
      gamma.map((v, k) => -v / values[k])
    )
    expectAllClose(p, exact, tolerance('f64', 64, (norm(exact) * 8) / 0.5), 'p', 'Newton step')
  })

  it('does not follow directions that are flat to rounding', () => {
    // A curvature of rounding size along a gradient component of rounding size: the quotient would be of order one.
    const n = 4
    const V = reflection(n, 21)
    const g = times(V, Float64Array.of(1e-17, 1, 1, 1))
    const { p } = trustRegionStep(tridiagonalize(withSpectrum([1e-17, 1, 2, 3], 21), n), g, 10)
    const along = dot(
      p,
      Float64Array.from({ length: n }, (_, i) => V[i * n])
    )
    // |c| ≤ eps·n of the gradient's length, over the floor 4·eps·n·‖T‖.
    expect(Math.abs(along)).toBeLessThan(1)
  })

  it('stays where there is neither gradient nor negative curvature', () => {
    const { p, predicted } = trustRegionStep(tridiagonalize(withSpectrum([1, 2, 3], 22), 3), new Float64Array(3), 1)
    expect([...p].every(v => v === 0)).toBe(true)
    expect(predicted).toBe(0)
  })

  it('takes the steepest direction where there is no curvature', () => {
    const g = Float64Array.of(3, 0, -4)
    const { p } = trustRegionStep(tridiagonalize(new Float64Array(9), 3), g, 2)
    const share = norm(p) / 2
    expect(Math.abs(share - 1)).toBeLessThanOrEqual(radiusTolerance)
    expectAllClose(p, [(-6 / 5) * share, 0, (8 / 5) * share], tolerance('f64', 16, 2), 'p', 'steepest direction')
  })

  it('solves models with a Hilbert matrix to a small residual', () => {
    for (const n of [3, 6, 10]) {
      const H = hilbert(n)
      const g = normals(n, n)
      const { p, predicted } = trustRegionStep(tridiagonalize(H, n), g, 1)
      const Hp = times(H, p)
      const mu = -(dot(p, Hp) + dot(p, g)) / dot(p, p)
      expect(Math.abs(norm(p) - 1)).toBeLessThanOrEqual(radiusTolerance)
      expect(mu).toBeGreaterThan(0)
      const near = tolerance('f64', 4 * n, 2 + mu + norm(g))
      expectAllClose(
        Hp.map((v, i) => v + mu * p[i]),
        g.map(v => -v),
        near,
        `order ${n}`,
        'Hilbert residual'
      )
      expect(predicted).toBeGreaterThan(0)
    }
  })

  it('gives NaN, and ends, for a model that is not finite', () => {
    for (const bad of [NaN, Infinity]) {
      const B = withSpectrum([1, 2, 3], 23)
      B[4] = bad
      expect(trustRegionStep(tridiagonalize(B, 3), Float64Array.of(1, 1, 1), 1).predicted).toBeNaN()
    }
    const g = Float64Array.of(1, NaN, 1)
    expect(trustRegionStep(tridiagonalize(withSpectrum([1, 2, 3], 24), 3), g, 1).predicted).toBeNaN()
  })
})
