// A saddle is the end of runs that had come to it; runs that were on their way, and that polishing alone leads there, are unfinished.
import { describe, expect, it } from 'vitest'
import { Status } from '../../src/core/status.js'
import { thresholds } from '../../src/core/thresholds.js'
import type { Landscape } from '../helpers/analytic.js'
import { judgePoints, judgeStudy, seeded } from '../helpers/judge.js'

const next = seeded(41)
const between = (low: number, high: number): number => low + (high - low) * next()

/** ½ Σ λ (x − m)² + ¼ q Σ (x − m)⁴ in turned axes of the plane, with one λ below 0: a saddle at m, and minima 5 away. */
function saddle(): { landscape: Landscape; side: (distance: number) => number[] } {
  const angle = between(0, 7)
  const turn = [Math.cos(angle), Math.sin(angle)]
  const [up, down, q] = [between(0.5, 3), between(0.5, 2), between(0.005, 0.02)]
  const m = [between(-1, 1), between(-1, 1)]
  const axes = ([x, y]: ArrayLike<number> & Iterable<number>): [number, number] => {
    const [dx, dy] = [x - m[0], y - m[1]]
    return [turn[0] * dx + turn[1] * dy, turn[0] * dy - turn[1] * dx]
  }
  const back = (a: number, b: number): number[] => [turn[0] * a - turn[1] * b, turn[1] * a + turn[0] * b]
  const landscape: Landscape = {
    size: 2,
    f: x => {
      const [a, b] = axes(x)
      return (up * a * a - down * b * b) / 2 + (q * (a ** 4 + b ** 4)) / 4
    },
    g: x => {
      const [a, b] = axes(x)
      return back(up * a + q * a ** 3, -down * b + q * b ** 3)
    },
    H: x => {
      const [a, b] = axes(x)
      const [h, k] = [up + 3 * q * a * a, -down + 3 * q * b * b]
      const [u, v] = [turn[0], turn[1]]
      return [h * u * u + k * v * v, (h - k) * u * v, (h - k) * u * v, h * v * v + k * u * u]
    }
  }
  const side = (distance: number): number[] => {
    const step = back(between(-0.2, 0.2) * distance, (next() < 0.5 ? -1 : 1) * distance)
    return [m[0] + step[0], m[1] + step[1]]
  }
  return { landscape, side }
}

describe('runs beside a saddle, seeded', () => {
  it('that had not arrived are unfinished, and stay where they were', async () => {
    for (let repeat = 0; repeat < 6; repeat++) {
      const { landscape, side } = saddle()
      for (const distance of [0.4, 0.1, 2 * thresholds.arrived]) {
        const point = side(distance)
        for (const status of [Status.budget, Status.converged, Status.stalled]) {
          const { verdict, theta } = await judgePoints(landscape, [point], {}, status)
          expect(verdict).toEqual(['unfinished'])
          expect([...theta]).toEqual(point)
        }
      }
    }
  })

  it('that single precision left there go on to a minimum', async () => {
    for (let repeat = 0; repeat < 6; repeat++) {
      const { landscape, side } = saddle()
      for (const distance of [0.4, 0.1, 2 * thresholds.arrived])
        for (const status of [Status.budget, Status.converged, Status.stalled])
          expect((await judgePoints(landscape, [side(distance)], { moveLimit: Infinity }, status)).verdict).toEqual([
            'minimum'
          ])
    }
  })

  it('that had arrived are saddles; with steps left to take more is asked of them', async () => {
    for (let repeat = 0; repeat < 6; repeat++) {
      const { landscape, side } = saddle()
      const near = side(0.2 * thresholds.arrived)
      for (const status of [Status.converged, Status.stalled])
        expect((await judgePoints(landscape, [near], {}, status)).verdict).toEqual(['saddle'])
      expect((await judgePoints(landscape, [near], {}, Status.budget)).verdict).toEqual(['unfinished'])
      const there = side(0.1 * thresholds.newtonStep)
      const judged = await judgePoints(landscape, [there], {}, Status.budget)
      expect(judged.verdict).toEqual(['saddle'])
      expect([...judged.index]).toEqual([1])
    }
  })
})

describe('gradient methods that start beside the saddle where all weights are 0', () => {
  const x = Array.from({ length: 12 }, () => between(-2, 2))
  const y = x.map(v => (v + between(-1, 1) > 0 ? 1 : 0))
  const model = { hidden: [2], activation: 'tanh', loss: 'logistic', ridge: 0.01, penalizeBias: true }

  it.each([{ gd: { learningRate: 0.01 } }, { adam: { learningRate: 0.001 } }])(
    '%o: none that is under way is called a saddle',
    async optimizer => {
      for (let seed = 1; seed <= 3; seed++) {
        const { counts } = await judgeStudy(
          { x, y },
          { model, starts: { count: 30, seed, init: { normal: 0.1 } }, optimizer, stop: { steps: 20 } }
        )
        expect(counts['saddle']).toBe(0)
        expect(counts['unfinished']).toBeGreaterThan(0)
      }
    }
  )

  it('gradient descent from 0 itself never leaves, and has arrived', async () => {
    const balanced = { x: [-2, -1, 0.5, 2], y: [0, 1, 0, 1] }
    const { counts } = await judgeStudy(balanced, {
      model,
      starts: { count: 5, init: { normal: 0 } },
      optimizer: 'gd'
    })
    expect(counts['saddle']).toBe(5)
  })
})

describe('a valley without loss', () => {
  it('has no saddles in it, however little a run has left to fall', async () => {
    const corners = { a: [0, 0, 1, 1], b: [0, 1, 0, 1], y: [0, 1, 1, 0] }
    for (const activation of ['relu', 'tanh']) {
      const { losses } = await judgeStudy(corners, {
        model: { hidden: [2], activation, loss: 'squared' },
        starts: { count: 150, seed: 1 },
        optimizer: { adam: { learningRate: 0.01 } },
        stop: { steps: 3000 }
      })
      for (const loss of losses('saddle')) expect(loss).toBeGreaterThan(1e-8)
    }
  })
})
