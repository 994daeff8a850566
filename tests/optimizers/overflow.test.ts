// Starts and steps where a loss overflows: every optimiser comes back from there, and fails only where nothing is finite.
import { describe, expect, it } from 'vitest'
import { optimizerNames, optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import type { Program } from '../../src/language/program.js'
import { normals } from '../helpers/problems.js'
import { walk, type Landscape } from '../helpers/analytic.js'

const build = (name: string): Program =>
  optimizers[name].build(resolveOptimizer(name).options, { eps: 2 ** -52, parameters: 2 })

/** Σ over rows of e^z − 2z, z = a + bx: convex, minimum at z = log 2; overflows from z = 710 on. */
const columns = [-1, -0.5, 0.25, 1.25]
const exponential: Landscape = {
  size: 2,
  f: ([a, b]) => columns.reduce((s, x) => s + Math.exp(a + b * x) - 2 * (a + b * x), 0) / 4,
  g: ([a, b]) =>
    columns.reduce(
      ([s, t], x) => {
        const r = (Math.exp(a + b * x) - 2) / 4
        return [s + r, t + r * x]
      },
      [0, 0]
    ),
  H: ([a, b]) =>
    columns.reduce(
      (H, x) => {
        const e = Math.exp(a + b * x) / 4
        return [H[0] + e, H[1] + e * x, H[2] + e * x, H[3] + e * x * x]
      },
      [0, 0, 0, 0]
    )
}
const lowest = 2 - 2 * Math.log(2)

describe.each(optimizerNames)('%s', name => {
  it.each([1e3, 1e5, 1e100, 1e300])('comes back from starts of size %d', size => {
    const starts = Array.from({ length: 12 }, (_, seed) => [...normals(2, seed)].map(v => size * v))
    const overflowing = starts.filter(start => !Number.isFinite(exponential.f(Float64Array.from(start))))
    expect(overflowing.length).toBeGreaterThan(3)
    for (const start of overflowing) {
      const taken = walk(build(name), exponential, start, 2000)
      expect(taken.every(t => Number.isFinite(t.loss) && Number.isFinite(t.gradientNorm))).toBe(true)
      const last = taken[taken.length - 1]
      expect(exponential.f(last.point)).toBe(last.loss)
      // Those with a step length of their own may not have come all the way; the smallest gradient may be far out.
      if (name === 'newton' || name === 'lbfgs') expect(last.loss - lowest).toBeLessThan(1e-9)
      else expect(last.loss).toBeLessThan(2 ** 104)
    }
  })

  it('has failed where nothing is finite, and not before it has looked', () => {
    const taken = walk(build(name), { ...exponential, f: () => NaN }, [1, -2], 300)
    expect(Number.isFinite(taken[0].loss)).toBe(true)
    expect(taken.at(-1)!.loss).toBeNaN()
    expect(Math.hypot(...taken.at(-1)!.evaluated)).toBe(0)
  })

  it('stays at the edge of a domain that its steps leave', () => {
    // Finite for x > 1 alone, falling towards 1: a run gets no further, and does not fail.
    const edge: Landscape = {
      size: 1,
      f: ([x]) => (x > 1 ? x : NaN),
      g: () => [1],
      H: () => [0]
    }
    const taken = walk(build(name), edge, [1.5], 400)
    expect(taken.every(t => Number.isFinite(t.loss))).toBe(true)
    expect(taken.at(-1)!.point[0]).toBeGreaterThan(1)
  })
})
