// Rows of a run's own: what the resamples of a number are, whatever draws them.
import { describe, expect, it } from 'vitest'
import { resampledWeights, rowCounts, type Resampling } from '../../src/core/resampling.js'

const sum = (values: Float64Array): number => values.reduce((s, v) => s + v, 0)
const zeros = (values: Float64Array): number[] => [...values.keys()].filter(i => values[i] === 0)

describe('a resample', () => {
  it.each([1, 2, 7, 100])('of a bootstrap has as many rows as there are: %i', rows => {
    for (let n = 0; n < 50; n++) expect(sum(rowCounts({ kind: 'bootstrap', seed: 3 }, n, rows))).toBe(rows)
  })
  it('of either bootstrap has each row once on average, with the variance of its distribution', () => {
    const rows = 50
    const draws = 4000
    for (const kind of ['bootstrap', 'poisson'] as const) {
      const counts = Array.from({ length: draws }, (_, n) => rowCounts({ kind, seed: 1 }, n, rows))
      const all = counts.flatMap(c => [...c])
      const mean = all.reduce((s, v) => s + v, 0) / all.length
      const variance = all.reduce((s, v) => s + (v - 1) ** 2, 0) / all.length
      // Five standard deviations; the fourth central moment of Poisson(1) is 4.
      expect(Math.abs(mean - 1)).toBeLessThanOrEqual(kind === 'bootstrap' ? 0 : 5 / Math.sqrt(all.length))
      expect(Math.abs(variance - (kind === 'bootstrap' ? 1 - 1 / rows : 1))).toBeLessThan(5 * Math.sqrt(3 / all.length))
      expect(zeros(Float64Array.from(all)).length / all.length).toBeCloseTo(Math.exp(-1), 2)
    }
  })
  it.each([
    [10, 3],
    [12, 4],
    [5, 5],
    [3, 7]
  ])('of %i rows in %i folds leaves every row out once, in folds of equal size', (rows, folds) => {
    for (const division of [0, 1, 5]) {
      const how: Resampling = { kind: 'folds', folds, seed: 9 }
      const out = Array.from({ length: folds }, (_, k) => zeros(rowCounts(how, division * folds + k, rows)))
      expect(out.flat().sort((a, b) => a - b)).toEqual([...Array(rows).keys()])
      const sizes = out.map(o => o.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
  })
  it('of a split leaves out as many rows as were asked for, others each time', () => {
    const drawn = Array.from({ length: 20 }, (_, n) => zeros(rowCounts({ kind: 'split', held: 4, seed: 2 }, n, 30)))
    for (const out of drawn) expect(out).toHaveLength(4)
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(15)
  })
  it('of a negative number is all rows, and weights multiply', () => {
    const weight = Float64Array.of(1, 0, 2.5)
    const how: Resampling = { kind: 'bootstrap', seed: 4 }
    expect([...resampledWeights(how, -1, 3, weight)]).toEqual([...weight])
    const counts = rowCounts(how, 6, 3)
    expect([...resampledWeights(how, 6, 3, weight)]).toEqual([counts[0], 0, 2.5 * counts[2]])
  })
})
