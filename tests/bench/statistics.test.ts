// Statistics of the benchmarks against closed forms and worked examples.
import { describe, expect, it } from 'vitest'
import {
  bootstrap,
  ecdf,
  expectedRunningTime,
  geometricMean,
  median,
  performanceProfiles,
  restartedCosts,
  runningTime,
  speedRatio
} from '../../src/bench/statistics.js'
import { Stream, normalQuantile, uniform, words } from '../../src/core/rng.js'
import { expectClose } from '../helpers/tolerance.js'

const normals = (count: number, seed: number, middle: number, spread: number): number[] =>
  Array.from(words(seed, Stream.generator, 0, 0, count), w => middle + spread * normalQuantile(uniform(w)))
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

describe('bootstrap', () => {
  it('of the mean of a normal sample is as wide as the textbook interval', () => {
    const sample = normals(200, 3, 10, 2)
    const { low, high } = bootstrap([sample], s => mean(s))
    const sd = Math.sqrt(mean(sample.map(v => (v - mean(sample)) ** 2)))
    const half = (1.96 * sd) / Math.sqrt(200)
    // The ends are quantiles of 2000 resamples: their own standard error is about 6 % of the half width.
    expectClose(low, mean(sample) - half, 0.2 * half, 'low')
    expectClose(high, mean(sample) + half, 0.2 * half, 'high')
  })

  it('is the same each time and empty samples give NaN', () => {
    const sample = normals(20, 4, 1, 1)
    expect(bootstrap([sample], s => mean(s))).toEqual(bootstrap([sample], s => mean(s)))
    expect(bootstrap([[]], s => mean(s)).low).toBeNaN()
  })

  it('of a constant has no width', () => {
    expect(bootstrap([[3, 3, 3]], s => mean(s))).toEqual({ low: 3, high: 3 })
  })
})

describe('speedRatio', () => {
  it('is above 1 where B takes less time, with an interval that excludes 1', () => {
    const r = speedRatio(normals(30, 5, 2, 0.02), normals(30, 6, 1, 0.01))
    expectClose(r.ratio, 2, 0.05, 'ratio')
    expect(r.low).toBeGreaterThan(1.9)
    expect(r.high).toBeLessThan(2.1)
  })

  it('of two samples from one distribution includes 1', () => {
    const r = speedRatio(normals(30, 7, 1, 0.1), normals(30, 8, 1, 0.1))
    expect(r.low).toBeLessThan(1)
    expect(r.high).toBeGreaterThan(1)
  })
})

describe('expected running time', () => {
  it('divides all costs by the successes', () => {
    const attempts = [
      { cost: 10, reached: true },
      { cost: 100, reached: false },
      { cost: 30, reached: true }
    ]
    expect(expectedRunningTime(attempts)).toBe(70)
  })

  it('is infinite without a success, and the interval says so', () => {
    const attempts = [{ cost: 10, reached: false }]
    expect(runningTime(attempts)).toEqual({ value: Infinity, low: Infinity, high: Infinity })
  })

  it('agrees with its formula for success probability p: cost of a success + (1 − p)/p × cost of a failure', () => {
    const attempts = Array.from({ length: 100 }, (_, i) => ({ cost: i < 25 ? 7 : 40, reached: i < 25 }))
    expect(expectedRunningTime(attempts)).toBe(7 + (0.75 / 0.25) * 40)
    const { low, high } = runningTime(attempts)
    expect(low).toBeLessThan(127)
    expect(high).toBeGreaterThan(127)
  })
})

describe('simulated restarts', () => {
  it('cost what the expected running time says on the mean', () => {
    const attempts = Array.from({ length: 2000 }, (_, i) => ({ cost: i % 4 === 0 ? 7 : 40, reached: i % 4 === 0 }))
    const costs = restartedCosts(attempts)
    expect(costs).toHaveLength(attempts.length)
    // One quarter succeeds: the number of failures is geometric with variance (1 − p)/p² = 12, so 40 √12 = 139 for each, 3.1 for the mean.
    expectClose(mean(costs), expectedRunningTime(attempts), 5 * 3.1, 'mean cost')
    expect(costs.every(c => (c - 7) % 40 === 0)).toBe(true)
    expect(restartedCosts([{ cost: 3, reached: false }])).toEqual([])
  })
})

describe('ecdf', () => {
  it('climbs at each cost, ties once, and stays at the success rate', () => {
    const attempts = [3, 1, 3].map(cost => ({ cost, reached: true }))
    expect(ecdf([...attempts, { cost: 50, reached: false }])).toEqual([
      { cost: 1, share: 0.25 },
      { cost: 3, share: 0.75 }
    ])
  })
})

describe('performance profiles', () => {
  it('start at the share of wins and end at the share of problems solved', () => {
    const [fast, robust] = performanceProfiles({
      fast: { a: 1, b: 1, c: Infinity },
      robust: { a: 2, b: 4, c: 10 }
    })
    expect(fast?.points).toEqual([{ factor: 1, share: 2 / 3 }])
    expect(robust?.points).toEqual([
      { factor: 1, share: 1 / 3 },
      { factor: 2, share: 2 / 3 },
      { factor: 4, share: 1 }
    ])
  })

  it('count a problem that nobody solves', () => {
    const [only] = performanceProfiles({ only: { a: 5, b: Infinity } })
    expect(only?.points).toEqual([{ factor: 1, share: 0.5 }])
  })
})

it('median and geometric mean', () => {
  expect(median([5, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expectClose(geometricMean([1, 4, 16]), 4, 1e-14, 'geometric mean')
})
