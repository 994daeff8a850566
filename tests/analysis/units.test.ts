// Units at their kinks, and orbits of linear layers: what must not be called a strict minimum.
import { describe, expect, it } from 'vitest'
import { study } from '../../src/study/study.js'
import { csv } from '../helpers/files.js'
import { judgeStudy, seeded } from '../helpers/judge.js'

const next = seeded(21)
const normal = (): number => next() + next() + next() - 1.5

describe('relu networks', () => {
  it('have no minimum where every weight is 0, whatever the rows, as long as a unit could help', async () => {
    for (let repeat = 0; repeat < 4; repeat++) {
      const x = [-1, 0, 1, 2, 3]
      const raw = x.map(v => 2 * Math.abs(v - 1) + 0.2 * normal())
      const mean = raw.reduce((s, v) => s + v, 0) / raw.length
      const y = raw.map(v => v - mean)
      const ridge = 0.01
      const { losses } = await judgeStudy(
        { x, y },
        {
          model: { hidden: [2], activation: 'relu', loss: 'squared', ridge, penalizeBias: true },
          starts: { count: 150, seed: 1 + repeat }
        }
      )
      const dead = y.reduce((s, v) => s + (v * v) / 2 / y.length, 0)
      for (const verdict of ['minimum', 'degenerate'])
        for (const loss of losses(verdict)) expect(Math.abs(loss - dead), verdict).toBeGreaterThan(1e-9)
    }
  })
})

describe('networks of linear units', () => {
  it.each([[[2]], [[2, 2]], [[3]]])('%j with a ridge have an orbit of minimisers, never a strict one', async hidden => {
    for (let repeat = 0; repeat < 2; repeat++) {
      const a = Array.from({ length: 8 }, normal)
      const b = Array.from({ length: 8 }, normal)
      const y = a.map((v, i) => v - 0.7 * b[i] + 0.3 * normal())
      const { counts } = await judgeStudy(
        { a, b, y },
        {
          model: { hidden, activation: 'identity', loss: 'squared', ridge: 0.02, penalizeBias: true },
          starts: { count: 60, seed: 1 + repeat }
        }
      )
      expect(counts['minimum']).toBe(0)
      expect(counts['degenerate']).toBe(60)
    }
  })
})

describe('relu networks without a ridge', () => {
  it('are flat where units can be scaled, and the symmetry explains it: one valley, one point', async () => {
    for (let repeat = 0; repeat < 2; repeat++) {
      const x = Array.from({ length: 9 }, (_, i) => -2 + i / 2)
      const y = x.map(v => Math.abs(v - 0.3) + 0.2 * normal())
      const table = csv(
        `scaling-${repeat}.csv`,
        ['x', 'y'],
        x.map((v, i) => [v, y[i]])
      )
      const { degenerate, verdicts } = await study({
        data: { csv: table, target: 'y' },
        model: { hidden: [1], activation: 'relu', loss: 'squared' },
        starts: { count: 80, seed: 1 + repeat }
      })
      expect(verdicts.minimum).toBe(0)
      expect(verdicts.unfinished).toBeLessThanOrEqual(8)
      for (const { nullity, nullityExplained } of degenerate) {
        // Awake on all rows, or on one, a unit has more freedom, which is the data's doing.
        expect(nullityExplained).toBeGreaterThanOrEqual(1)
        expect(nullityExplained).toBeLessThanOrEqual(nullity!)
      }
      // However a unit is scaled, the network computes the same.
      const losses = degenerate.map(d => d.loss)
      losses.forEach((a, i) => losses.forEach((b, j) => i === j || expect(Math.abs(a - b)).toBeGreaterThan(1e-9)))
    }
  })
})
