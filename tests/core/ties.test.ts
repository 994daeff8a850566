// Losses that are equal but for rounding share a place, and are in the order of the starts that met them.
import { describe, expect, it } from 'vitest'
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
    expect([...ranksOf(Float64Array.of(0, step, 2 * step, 3 * step))]).toEqual([1, 1, 3, 3])
  })

  it('keep the order of the starts among equals', () => {
    const losses = Float64Array.of(0.5, 0.1 + 1e-16, 0.1, 0.1 + 2e-16)
    expect([...orderByLoss(losses, Float64Array.of(0, 3, 7, 1))]).toEqual([3, 1, 2, 0])
  })
})
