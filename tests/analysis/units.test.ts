// Units at their kinks, and orbits of linear layers: what must not be called a strict minimum.
import { describe, expect, it } from 'vitest'
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
