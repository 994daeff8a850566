// Losses that are equal but for rounding share a place, and are in the order of the starts that met them.
import { describe, expect, it } from 'vitest'
import { seeded } from '../helpers/enclosures.js'
import { lossTolerance, orderByLoss, ranksOf } from '../../src/core/ties.js'

describe('places', () => {
  it('are shared by losses that differ by rounding alone', () => {
    const a = 1 / 12
    const ranks = (...losses: number[]): number[] => [...ranksOf(Float64Array.from(losses))]
    expect(ranks(0.2, a, a + 1e-16, 0.1, a - 1e-15)).toEqual([5, 1, 1, 4, 1])
    expect(ranks(1e6, 1e6 * (1 + 1e-12), 1e6 * (1 + 1e-6))).toEqual([1, 1, 3])
    expect(ranks()).toEqual([])
  })

  it('do not chain: what is too far from the first has its own', () => {
    const step = 0.6 * lossTolerance
    expect([...ranksOf(Float64Array.of(1, 1 + step, 1 + 2 * step, 1 + 3 * step))]).toEqual([1, 1, 3, 3])
  })

  it('are apart by a billionth of the loss, however small it is, and shared by sums that cancel', () => {
    const random = seeded(3)
    for (let k = 0; k < 200; k++) {
      const loss = 10 ** (8 * random() - 4) * (random() < 0.5 ? -1 : 1)
      const next = loss + 1e-9 * Math.abs(loss) * (1 + random())
      expect([...ranksOf(Float64Array.of(loss, next))], `${loss} and ${next}`).toEqual([1, 2])
      // 20 − 10 cos … − 10 cos … at a minimum of 0
      const left = 64 * Number.EPSILON * random()
      expect([...ranksOf(Float64Array.of(0, left, -left))].every(rank => rank === 1)).toBe(true)
    }
  })

  it('keep the order of the starts among equals', () => {
    const losses = Float64Array.of(0.5, 0.1 + 1e-16, 0.1, 0.1 + 2e-16)
    expect([...orderByLoss(losses, Float64Array.of(0, 3, 7, 1))]).toEqual([3, 1, 2, 0])
  })
})
