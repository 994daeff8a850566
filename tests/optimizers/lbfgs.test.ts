// L-BFGS: its directions are those of dense BFGS matrices, its accepted steps satisfy the line search's conditions, and it copes
// with trials outside the domain.
import { describe, expect, it } from 'vitest'
import { lbfgs } from '../../src/optimizers/lbfgs.js'
import type { Program } from '../../src/language/program.js'
import { himmelblau, himmelblauMinima, quadratic, walk, type Landscape, type Taken } from '../helpers/analytic.js'
import { normals } from '../helpers/problems.js'
import { expectAllClose, expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const build = (memory: number): Program => lbfgs.build({ memory }, { eps: 2 ** -52, parameters: 1 })
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((s, v, i) => s + v * b[i], 0)
const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a))

/** ½ xᵀAx − bᵀx with a random A = BᵀB + I. */
function bowl(n: number, seed: number): Landscape & { readonly minimiser: number[] } {
  const B = normals(n * n, seed)
  const A = Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n]
    let sum = i === j ? 1 : 0
    for (let r = 0; r < n; r++) sum += B[r * n + i] * B[r * n + j]
    return sum
  })
  const minimiser = [...normals(n, seed + 1)]
  const b = minimiser.map((_, i) => dot(A.slice(i * n, (i + 1) * n), minimiser))
  return { ...quadratic(A, b), minimiser }
}

/** The accepted points of a walk, in order. */
const accepted = (taken: readonly Taken[]): Taken[] =>
  taken.filter((t, i) => i === 0 || t.point.some((v, p) => v !== taken[i - 1].point[p]))

/**
 * −Hg with H from the update of the inverse, H ← (I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ (Nocedal and Wright, eq. 6.17), applied to
 * γ diag(scale²) for the last `memory` pairs, as whole matrices.
 */
function denseDirection(
  points: readonly Float64Array[],
  landscape: Landscape,
  memory: number,
  scale: number[]
): number[] {
  const n = landscape.size
  const gradients = points.map(x => landscape.g(x))
  const pairs = points.slice(1).map((x, k) => ({
    s: Array.from(x, (v, i) => v - points[k][i]),
    y: gradients[k + 1].map((v, i) => v - gradients[k][i])
  }))
  const last = pairs[pairs.length - 1]
  const scaled = last.y.map((v, i) => v * scale[i])
  const gamma = dot(last.s, last.y) / dot(scaled, scaled)
  let H = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => (i === j ? gamma * scale[i] ** 2 : 0))
  )
  for (const { s, y } of pairs.slice(-memory)) {
    const rho = 1 / dot(s, y)
    const left = s.map((si, i) => y.map((yj, j) => (i === j ? 1 : 0) - rho * si * yj))
    const LH = left.map(row => H.map((_, j) => row.reduce((sum, v, k) => sum + v * H[k][j], 0)))
    H = LH.map((row, i) => left.map((other, j) => dot(row, other) + rho * s[i] * s[j]))
  }
  return H.map(row => -dot(row, gradients[gradients.length - 1]))
}

describe('lbfgs', () => {
  it('starts along the scaled negative gradient, with a step of length at most one', () => {
    const scale = [0.5, 2]
    const [first] = walk(build(5), quadratic([8, 0, 0, 1], [0, 0]), [1, 2], 1, scale)
    // g = (8, 2); scale² g = (2, 8); ‖scale g‖ = √32, so the step is 1/√32 of it.
    const alpha = 1 / Math.sqrt(32)
    expectAllClose(first.next, [1 - 2 * alpha, 2 - 8 * alpha], tolerance('f64', 8, 3), 'first trial', 'first trial')
  })

  it.each([
    [5, 10],
    [6, 2],
    [4, 1]
  ])('in %i dimensions with %i pairs, follows the dense BFGS directions', (n, memory) => {
    const landscape = bowl(n, 30 + n)
    const scale = Array.from({ length: n }, (_, i) => 2 ** ((i % 3) - 1))
    const taken = walk(build(memory), landscape, new Array<number>(n).fill(1), 14, scale)
    const points: Float64Array[] = []
    let checked = 0
    for (const [i, step] of taken.entries()) {
      const isNew = i === 0 || step.point.some((v, p) => v !== taken[i - 1].point[p])
      if (!isNew) continue
      points.push(step.point)
      // Near the minimiser differences of gradients carry their rounding into the direction.
      if (points.length < 2 || step.gradientNorm < 1e-5) continue
      const direction = denseDirection(points, landscape, memory, scale)
      const moved = step.next.map((v, p) => v - step.point[p])
      const cancelled = norm(step.point) / norm(moved) + 1 / norm(landscape.g(step.point))
      const tol = tolerance('f64', n * memory, norm(direction) * cancelled)
      expectAllClose(moved, direction, tol, `direction after ${points.length - 1} steps`, 'dense BFGS')
      checked++
    }
    expect(checked).toBeGreaterThan(3)
  })

  it('accepts only steps that satisfy the weak Wolfe conditions', () => {
    for (const [landscape, start] of [
      [bowl(6, 50), [1, 1, 1, 1, 1, 1]],
      [himmelblau, [0.1, -0.2]],
      [himmelblau, [-4, 1]]
    ] as const) {
      const points = accepted(walk(build(7), landscape, start, 40)).map(t => t.point)
      expect(points.length).toBeGreaterThan(4)
      for (let k = 1; k < points.length; k++) {
        const [a, b] = [points[k - 1], points[k]]
        const step = b.map((v, i) => v - a[i])
        const before = dot(landscape.g(a), step)
        const noise = tolerance('f64', 10, Math.abs(landscape.f(a)) + Math.abs(before))
        expect(landscape.f(b)).toBeLessThanOrEqual(landscape.f(a) + 1e-4 * before + noise)
        expect(dot(landscape.g(b), step)).toBeGreaterThanOrEqual(0.9 * before - noise)
      }
    }
  })

  it('reaches the minimiser of a quadratic in a few times its dimension', () => {
    for (const n of [2, 5, 10]) {
      const landscape = bowl(n, 60 + n)
      const taken = walk(build(12), landscape, new Array<number>(n).fill(2), 8 * n + 10)
      const last = taken[taken.length - 1]
      // The gradient is b − Ax, of which each term carries a rounding error; A has smallest eigenvalue at least 1.
      const size = norm(landscape.H(last.point)) * norm(landscape.minimiser)
      const tol = tolerance('f64', 1, size)
      expectClose(last.gradientNorm, 0, tol, `gradient in ${n} dimensions`, 'gradient at the end')
      expectAllClose(last.point, landscape.minimiser, tol * Math.sqrt(n), `minimiser in ${n} dimensions`, 'minimiser')
    }
  })

  it('ends at one of the four minima of Himmelblau’s function', () => {
    const starts = normals(40, 70).map(v => 3 * v)
    const found = new Set<number>()
    for (let k = 0; k < 20; k++) {
      const taken = walk(build(10), himmelblau, [starts[2 * k], starts[2 * k + 1]], 200)
      const { point } = taken[taken.length - 1]
      const nearest = himmelblauMinima.findIndex(([x, y]) => Math.hypot(x - point[0], y - point[1]) < 1e-6)
      expect(nearest, `from start ${k} to ${point.join(', ')}`).toBeGreaterThanOrEqual(0)
      found.add(nearest)
    }
    expect(found.size).toBe(4)
  })

  it('steps back from trials outside the domain', () => {
    // x − log x on x > 0: from 100, where f is nearly straight, trials overshoot below zero. Minimum at 1.
    const barrier: Landscape = {
      size: 1,
      f: ([x]) => x - Math.log(x),
      g: ([x]) => [1 - 1 / x],
      H: ([x]) => [1 / (x * x)]
    }
    const taken = walk(build(3), barrier, [100], 200)
    expect(taken.some(t => Number.isNaN(barrier.f(t.evaluated)))).toBe(true)
    expect(taken.every(t => Number.isFinite(t.loss) && Number.isFinite(t.gradientNorm))).toBe(true)
    const { point } = taken[taken.length - 1]
    expectClose(point[0], 1, tolerance('f64', 4, 1), 'minimiser', 'barrier')
  })

  it('stalls where the gradient no longer falls, and not before', () => {
    const landscape = bowl(4, 80)
    const taken = walk(build(5), landscape, [1, 1, 1, 1], 500)
    const last = taken[taken.length - 1]
    expect(last.stalled).toBe(true)
    expect(taken.length).toBeLessThan(150)
    const size = norm(landscape.H(last.point)) * norm(landscape.minimiser)
    expectClose(last.gradientNorm, 0, tolerance('f64', 1, size), 'gradient where it stalls', 'gradient at a stall')
  })
})
