// Minima that are images of each other under a symmetry of the table share their place; those of a table that is a little off do not.
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { conclusion } from '../../src/report/conclusion.js'
import { study } from '../../src/study/study.js'
import { seeded } from '../helpers/enclosures.js'

type Row = Readonly<Record<'a' | 'b' | 'y', number>>

/** Exclusive or of ±1: each of its four quarter turns and mirror images is the same table. */
const square: readonly Row[] = [-1, 1].flatMap(a => [-1, 1].map(b => ({ a, b, y: Number(a !== b) })))

const fit = (rows: readonly Row[], model: object): Promise<Summary> =>
  study({
    data: { rows, target: 'y' },
    model: { penalizeBias: true, ...model },
    starts: { count: 100, init: { normal: 2 } },
    engine: 'cpu'
  })

describe.each([
  { loss: 'squared', activation: 'sin', hidden: [1], ridge: 1e-3 },
  { loss: 'squared', activation: 'sin', hidden: [2], ridge: 1e-3 },
  { loss: 'squared', activation: 'sin', hidden: [1], ridge: 1e-4 },
  { loss: 'brier', activation: 'sin', hidden: [2], ridge: 1e-3 }
])('$loss $activation units $hidden, ridge $ridge', model => {
  it('share the lowest loss on the square', async () => {
    const s = await fit(square, model)
    const tied = s.minima.filter(m => m.rank === 1)
    expect(tied.length).toBeGreaterThan(1)
    expect(s.distinct.lowest!.points).toBe(tied.length)
    expect(conclusion([s])[0]).toContain(`${tied.length} minima share the lowest loss`)
  })

  it('have places of their own where a row is a little off', async () => {
    const random = seeded(11)
    let apart = 0
    for (let table = 0; table < 6; table++) {
      const [i, off] = [Math.floor(4 * random()), 10 ** (-7 - 2 * random())]
      const rows = square.map((row, k) => (k === i ? { ...row, a: row.a + off } : row))
      const { minima } = await fit(rows, model)
      // Losses of proved minima are right but for a few roundings.
      const proved = minima.filter(m => m.proof?.status === 'proved')
      proved.forEach((m, k) =>
        proved.slice(k + 1).forEach(other => {
          const gap = (other.loss - m.loss) / m.loss
          if (gap > 1e-9) expect(other.rank, `${m.loss} and ${other.loss}`).not.toBe(m.rank)
          if (Math.abs(gap) < 32 * Number.EPSILON) expect(other.rank).toBe(m.rank)
          if (gap > 1e-9 && gap * m.loss < 1e-10) apart++
        })
      )
    }
    expect(apart).toBeGreaterThan(0)
  })
})
