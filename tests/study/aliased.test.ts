// Columns that depend on those before them, left out on request: the columns that R keeps, the same fit, predictions and exports.
import { describe, expect, it } from 'vitest'
import { exported } from '../../src/study/export/index.js'
import { predict } from '../../src/study/predict.js'
import { study } from '../../src/study/study.js'
import { freshOut } from '../helpers/files.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

describe('columns that depend on others', () => {
  for (const seed of [1, 2, 3])
    it(`are the later ones, and leave the fit as it is (${seed})`, async () => {
      const random = randomNumbers(seed)
      const a = Array.from({ length: 40 }, () => 1000 + 10 * random())
      const b = a.map(() => random())
      const c = a.map((v, i) => 2 * v - 3 * b[i] + 5)
      const d = a.map(() => random())
      const twin = b.slice()
      const still = a.map(() => 4)
      const y = a.map((v, i) => 0.1 * v + b[i] - d[i] + random())
      const all = await study({
        data: { columns: { a, b, c, twin, still, d, y }, target: 'y', dropAliased: true },
        model: { loss: 'squared' },
        starts: { count: 3 }
      })
      const few = await study({
        data: { columns: { a, b, d, y }, target: 'y' },
        model: { loss: 'squared' },
        starts: { count: 3 }
      })
      expect(all.minima[0].names).toEqual(['(Intercept)', 'a', 'b', 'd'])
      expect(all.notes.join(' ')).toMatch(/c, twin and still depend on the columns before and were left out, as R does/)
      expectAllClose(all.minima[0].parameters, few.minima[0].parameters, 1e-7, 'parameters')
      expectAllClose(all.minima[0].inference!.standardErrors, few.minima[0].inference!.standardErrors, 1e-7, 'errors')
    })

  it('are named where they are kept', async () => {
    const random = randomNumbers(7)
    const a = Array.from({ length: 30 }, () => random())
    const b = a.map(() => random())
    const s = await study({
      data: { columns: { a, b, c: a.map((v, i) => v + b[i]), y: a.map(() => random()) }, target: 'y' },
      model: { loss: 'squared' },
      starts: { count: 3 }
    })
    expect(s.notes.join(' ')).toMatch(/rank 3 for 4 columns: [abc] depends on the others.*--drop-aliased/)
  })

  it('may be levels of labels, which predictions and exports know', async () => {
    const group = Array.from({ length: 30 }, (_, i) => ['u', 'v', 'w'][i % 3])
    // The last level of `group` is where `isW` is 1, which stands before it.
    const isW = group.map(g => (g === 'w' ? 1 : 0))
    const random = randomNumbers(11)
    const x = group.map(() => random())
    const y = group.map((g, i) => x[i] + (g === 'w' ? 2 : g === 'v' ? 1 : 0) + random())
    const out = freshOut()
    const columns = { x, isW, group, y }
    const s = await study(
      {
        data: { columns, target: 'y', dropAliased: true, standardize: true },
        model: { loss: 'squared' },
        starts: { count: 3 }
      },
      { out }
    )
    expect(s.minima[0].names).toEqual(['(Intercept)', 'x', 'isW', 'groupv'])
    const { parameters } = s.minima[0]
    const rows = [
      { x: 0.5, isW: 1, group: 'w' },
      { x: 0.25, isW: 0, group: 'v' },
      { x: 0.75, isW: 0, group: 'u' }
    ]
    const expected = rows.map(
      r => parameters[0] + parameters[1] * r.x + parameters[2] * r.isW + (r.group === 'v' ? parameters[3] : 0)
    )
    const { columns: given } = await predict(out, { rows })
    expectAllClose(given['prediction'] as readonly number[], expected, 1e-9, 'predictions')
    const model = JSON.parse((await exported(out, 'json').next()).value as string) as {
      terms: { levels?: string[] }[]
      scaling?: { mean: number[]; sd: number[] }
      layers: number[][][]
    }
    const [bias, ...weights] = model.layers[0][0]
    // x, isW, groupv, groupw: the last has no weight.
    expect(weights).toHaveLength(4)
    const { mean = [0, 0, 0, 0], sd = [1, 1, 1, 1] } = model.scaling ?? {}
    rows.forEach((r, i) => {
      const inputs = [r.x, r.isW, r.group === 'v' ? 1 : 0, r.group === 'w' ? 1 : 0]
      const z = bias + inputs.reduce((sum, v, k) => sum + (weights[k] * (v - mean[k])) / sd[k], 0)
      expectClose(z, expected[i], 1e-9, `row ${i}`)
    })
  })
})
