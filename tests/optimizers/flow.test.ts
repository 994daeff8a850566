// The way of steepest descent: in the valley where fine explicit steps stay too, and along tails as far as numbers tell.
import { describe, expect, it } from 'vitest'
import { buildFlow, flowSteps } from '../../src/optimizers/flow.js'
import { himmelblau, himmelblauMinima, walk, type Landscape } from '../helpers/analytic.js'
import { seeded } from '../helpers/judge.js'

const eps = 2 ** -52
const next = seeded(53)
const between = (low: number, high: number): number => low + (high - low) * next()

const flow = (landscape: Landscape, start: readonly number[], scale?: readonly number[]) =>
  walk(buildFlow({ eps, parameters: start.length }), landscape, start, flowSteps, scale).at(-1)!

/** Where steepest descent goes by explicit steps of a length of 1/100 at most. */
function explicit(landscape: Landscape, start: readonly number[]): number[] {
  const at = Float64Array.from(start)
  for (let n = 0; n < 20_000; n++) {
    const slopes = landscape.g(at)
    const size = Math.hypot(...slopes)
    slopes.forEach((v, p) => (at[p] -= v * Math.min(1e-3, 1e-2 / size)))
  }
  return [...at]
}
const nearest = (point: ArrayLike<number>): number => {
  const away = himmelblauMinima.map(([x, y]) => Math.hypot(point[0] - x, point[1] - y))
  return away.indexOf(Math.min(...away))
}

describe('steepest descent by implicit steps, seeded', () => {
  it('comes to the minimum that fine explicit steps come to, wherever that does not hang on the start’s second digit', () => {
    let seen = 0
    for (let n = 0; n < 60; n++) {
      const start = [between(-5, 5), between(-5, 5)]
      const ends = [0, 1, 2, 3, 4].map(k => {
        const [dx, dy] = k === 0 ? [0, 0] : [0.3 * Math.cos(1.6 * k), 0.3 * Math.sin(1.6 * k)]
        return nearest(explicit(himmelblau, [start[0] + dx, start[1] + dy]))
      })
      if (ends.some(end => end !== ends[0])) continue
      seen++
      const { point, loss } = flow(himmelblau, start)
      expect(nearest(point)).toBe(ends[0])
      expect(loss).toBeLessThan(1e-12)
    }
    expect(seen).toBeGreaterThan(30)
  })

  it('follows a tail out to where what is left of it is rounding, whatever the scale', () => {
    for (let n = 0; n < 10; n++) {
      const [rate, stiff, s] = [between(0.5, 2), 10 ** between(0, 1.5), 10 ** between(-3, 3)]
      const [a, b] = [rate / s, stiff / s]
      // e^(−a x) + ½ (b (y − sin a x))², x and y in units of s.
      const landscape: Landscape = {
        size: 2,
        f: ([x, y]) => Math.exp(-a * x) + 0.5 * (b * y - b * s * Math.sin(a * x)) ** 2,
        g: ([x, y]) => {
          const r = b * (y - s * Math.sin(a * x))
          return [-a * Math.exp(-a * x) - r * b * s * a * Math.cos(a * x), r * b]
        },
        H: ([x, y]) => {
          const r = b * (y - s * Math.sin(a * x))
          const c = b * s * a * Math.cos(a * x)
          return [a * a * Math.exp(-a * x) + c * c + r * b * s * a * a * Math.sin(a * x), -b * c, -b * c, b * b]
        }
      }
      const { loss } = flow(landscape, [0, 0.1 * s], [s, s])
      expect(loss).toBeLessThan(1e-3)
      expect(loss).toBeGreaterThan(0)
    }
  })

  it('never goes up', () => {
    for (let n = 0; n < 10; n++) {
      const start = [between(-5, 5), between(-5, 5)]
      let last = himmelblau.f(Float64Array.from(start))
      for (const { loss } of walk(buildFlow({ eps, parameters: 2 }), himmelblau, start, 60)) {
        expect(loss).toBeLessThanOrEqual(last + 64 * eps * Math.abs(last))
        last = loss
      }
    }
  })
})
