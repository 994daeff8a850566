import { describe, expect, it } from 'vitest'
import {
  confidenceOfLook,
  coverageOf,
  discoveryCurve,
  halfOf,
  moreForBound,
  unseenBound
} from '../../src/analysis/coverage.js'
import { clopperPearsonUpper } from '../../src/core/stats.js'
import { Stream, uniform, words } from '../../src/core/rng.js'
import type { SeenMinima } from '../../src/analysis/coverage.js'

/** Minima of so many runs and such first starts. */
const seen = (...minima: readonly (readonly [count: number, firstStart: number])[]): SeenMinima => ({
  count: Float64Array.from(minima, ([count]) => count),
  firstStart: Float64Array.from(minima, ([, start]) => start)
})

describe('coverage', () => {
  it('of one minimum in a thousand runs: the rule of three for the second half', () => {
    const c = coverageOf(seen([1000, 0]), 1000, { end: 500, runs: 500 })
    expect(c.goodTuring).toBe(0)
    const exact = 1 - 0.05 ** (1 / 500)
    if (!(Math.abs(c.unseenUpperBound / exact - 1) <= 64 * Number.EPSILON * 500)) expect.fail()
    expect(c.confidence).toBe(0.95)
    expect(c.moreStartsForOnePercent).toBe(0)
  })

  it('counts hits on minima that the first half had not met', () => {
    const c = coverageOf(seen([90, 0], [3, 60], [1, 77], [1, 5]), 100, { end: 50, runs: 49 })
    expect(c.goodTuring).toBe(2 / 95)
    expect(c.unseenUpperBound).toBe(clopperPearsonUpper(4, 46, 0.95))
    const further = moreForBound(4, 46, 0.01, 0.95)
    expect(c.moreStartsForOnePercent).toBe(Math.ceil((further * 100) / 95))
  })

  it('knows nothing without a minimum', () => {
    const c = coverageOf(seen(), 50, { end: 25, runs: 0 })
    expect([c.goodTuring, c.unseenUpperBound]).toEqual([1, 1])
    expect(c.moreStartsForOnePercent).toBe(299)
    expect(c.discovery.at(-1)).toEqual({ starts: 50, minima: 0 })
  })

  it('says how many more runs bring the bound to 1 %: the smallest number that does', () => {
    // 0.95 confidence and no hit: (1 − 0.01)^n ≤ 0.05 first at n = 299.
    expect(moreForBound(0, 0, 0.01, 0.95)).toBe(299)
    expect(moreForBound(0, 200, 0.01, 0.95)).toBe(99)
    expect(moreForBound(0, 299, 0.01, 0.95)).toBe(0)
    const m = moreForBound(3, 100, 0.01, 0.95)
    expect(clopperPearsonUpper(3, 100 + m, 0.95)).toBeLessThanOrEqual(0.01)
    expect(clopperPearsonUpper(3, 99 + m, 0.95)).toBeGreaterThan(0.01)
  })

  it('bounds the truly unseen probability at least as often as it claims', () => {
    // 40 minima with shares ∝ 2^(−j/4); 400 studies of 60 starts each.
    const shares = Array.from({ length: 40 }, (_, j) => 2 ** (-j / 4))
    const total = shares.reduce((a, b) => a + b, 0)
    const n = 60
    let held = 0
    for (let study = 0; study < 400; study++) {
      const count = new Float64Array(40)
      const first = new Float64Array(40).fill(-1)
      words(1, Stream.bootstrap, study, 0, n).forEach((word, start) => {
        let u = uniform(word) * total
        let j = 0
        while (j < 39 && u >= shares[j]) u -= shares[j++]
        count[j]++
        if (first[j] < 0) first[j] = start
      })
      const met = seen(...shares.flatMap((_, j) => (count[j] > 0 ? [[count[j], first[j]] as const] : [])))
      const unseen = shares.reduce((sum, share, j) => (count[j] > 0 ? sum : sum + share / total), 0)
      if (unseen <= coverageOf(met, n, { end: halfOf(n), runs: halfOf(n) }).unseenUpperBound) held++
    }
    expect(held).toBeGreaterThanOrEqual(0.95 * 400)
  })

  it('the errors of all looks at a study that stops itself sum to that of one', () => {
    let sum = 0
    for (let j = 1; j <= 50; j++) sum += 1 - confidenceOfLook(j)
    expect(sum).toBeLessThan(0.05)
    expect(sum).toBeGreaterThan(0.05 * (50 / 51) * (1 - 1e-12))
    // A later look asks for more.
    expect(unseenBound(seen([1000, 0]), { end: 500, runs: 500 }, confidenceOfLook(3))).toBeGreaterThan(
      unseenBound(seen([1000, 0]), { end: 500, runs: 500 }, 0.95)
    )
  })
})

it('the discovery curve is exact at its points and ends at the last start', () => {
  const curve = discoveryCurve(Float64Array.of(0, 1, 1, 9, 500, 999), 1000)
  expect(curve[0]).toEqual({ starts: 1, minima: 1 })
  expect(curve.find(p => p.starts === 10)).toEqual({ starts: 10, minima: 4 })
  expect(curve.at(-1)).toEqual({ starts: 1000, minima: 6 })
  expect(curve.every((p, i) => i === 0 || (p.starts > curve[i - 1].starts && p.minima >= curve[i - 1].minima))).toBe(
    true
  )
  expect(curve.length).toBeLessThan(40)
  expect(discoveryCurve(new Float64Array(0), 0)).toEqual([])
})
