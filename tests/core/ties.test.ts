// Losses that are equal but for rounding share a place, and are in the order of the starts that met them.
import { describe, expect, it } from 'vitest'
import { byLoss, lossTolerance, ranksOf } from '../../src/core/ties.js'

describe('places', () => {
  it('are shared by losses that differ by rounding alone', () => {
    const a = 1 / 12
    expect(ranksOf([0.2, a, a + 1e-16, 0.1, a - 1e-15])).toEqual([5, 1, 1, 4, 1])
    expect(ranksOf([1e6, 1e6 * (1 + 1e-12), 1e6 * (1 + 1e-6)])).toEqual([1, 1, 3])
    expect(ranksOf([])).toEqual([])
  })

  it('do not chain: what is too far from the first has its own', () => {
    const step = 0.6 * lossTolerance
    expect(ranksOf([0, step, 2 * step, 3 * step])).toEqual([1, 1, 3, 3])
  })

  it('keep the order of the starts among equals', () => {
    const points = [
      { loss: 0.5, firstStart: 0 },
      { loss: 0.1 + 1e-16, firstStart: 3 },
      { loss: 0.1, firstStart: 7 },
      { loss: 0.1 + 2e-16, firstStart: 1 }
    ]
    expect(byLoss(points).map(p => p.firstStart)).toEqual([1, 3, 7, 0])
  })
})
