// Paths of ridges: closed forms, single studies with one ridge, and folds by hand.
import { describe, expect, it } from 'vitest'
import { rowCounts } from '../../src/core/resampling.js'
import type { RidgePathResult } from '../../src/core/result.js'
import { resolveConfig } from '../../src/study/config.js'
import { readConfigFile } from '../../src/study/config.js'
import { resumeStudy } from '../../src/study/study.js'
import { study } from '../helpers/study.js'
import { freshOut } from '../helpers/files.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

const random = randomNumbers(17)
const rows = 30
const x = Array.from({ length: rows }, () => 4 * random() - 2)
const u = Array.from({ length: rows }, () => random())
const y = x.map((v, i) => v - 2 * u[i] + 0.5 * random())
const label = x.map((v, i) => (random() < 1 / (1 + Math.exp(-1.5 * v - u[i])) ? 1 : 0))

async function path(data: object, model: object): Promise<RidgePathResult> {
  const { ridgePath } = await study({ data, model, starts: { count: 6, seed: 3 }, engine: 'cpu' })
  if (!ridgePath) expect.fail('there is no path')
  return ridgePath
}

describe('a path of ridges', () => {
  it('is that of least squares in closed form: b = s_xy / (s_xx + λ)', async () => {
    const ridges = [3, 0.5, 0.01]
    const found = await path({ columns: { x, y }, target: 'y' }, { loss: 'squared', ridge: [0.5, 3, 0.01] })
    expect(found.ridges).toEqual(ridges)
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / rows
    const [mx, my] = [mean(x), mean(y)]
    const sxy = mean(x.map((v, i) => (v - mx) * (y[i] - my)))
    const sxx = mean(x.map(v => (v - mx) ** 2))
    ridges.forEach((ridge, k) => {
      const b = sxy / (sxx + ridge)
      expectAllClose(found.parameters[k], [my - b * mx, b], 1e-9, `ridge ${ridge}`)
      expectClose(found.losses[k], 0.5 * mean(y.map((v, i) => (v - my - b * (x[i] - mx)) ** 2)), 1e-9, 'loss')
      expect(found.arrived[k]).toBe(6)
      expect(found.distinct[k]).toBe(1)
    })
  })

  it.each([false, true])('is what a study with each ridge finds, standardised: %s', async standardize => {
    for (const model of [{ loss: 'logistic' }, { loss: 'logistic', penalizeBias: true }]) {
      const data = { columns: { x: x.map(v => 30 + 4 * v), u, label }, target: 'label', standardize }
      const found = await path(data, { ...model, ridge: [0.3, 0.02] })
      for (const [k, ridge] of found.ridges.entries()) {
        const s = await study({ data, model: { ...model, ridge }, starts: { count: 3 } })
        const [best] = s.minima
        const own = standardize ? best.standardized!.parameters : best.parameters
        expectAllClose(found.parameters[k], own, p => 1e-7 * Math.max(1, Math.abs(own[p])), `ridge ${ridge}`)
        expectClose(found.objectives[k], best.loss, 1e-10, 'objective')
      }
    }
  })

  it('judges ridges by rows held out, as folds fitted one by one do', async () => {
    const weights = x.map((_, i) => 1 + (i % 3))
    const columns = { x, u, label, w: weights }
    const data = { columns, target: 'label', weights: 'w' }
    const found = await path(data, { loss: 'logistic', ridge: [0.5, 0.05] })
    const { folds, losses, errors, best } = found.crossValidated!
    expect(folds).toBe(10)
    for (const [k, ridge] of found.ridges.entries()) {
      const means: number[] = []
      let [sum, total] = [0, 0]
      for (let fold = 0; fold < folds; fold++) {
        const kept = rowCounts({ kind: 'folds', folds, seed: 3 }, fold, rows)
        const w = weights.map((v, i) => v * kept[i])
        const s = await study({
          data: { ...data, columns: { ...columns, w } },
          model: { loss: 'logistic', ridge },
          starts: { count: 1 }
        })
        const [a, bx, bu] = s.minima[0].parameters
        let [part, weight] = [0, 0]
        kept.forEach((n, i) => {
          if (n > 0) return
          const z = a + bx * x[i] + bu * u[i]
          part += weights[i] * (Math.log1p(Math.exp(z)) - label[i] * z)
          weight += weights[i]
        })
        means.push(part / weight)
        sum += part
        total += weight
      }
      const middle = means.reduce((a, b) => a + b, 0) / folds
      const error = Math.sqrt(means.reduce((a, v) => a + (v - middle) ** 2, 0) / (folds - 1) / folds)
      expectClose(losses[k], sum / total, 1e-7, 'held-out loss')
      expectClose(errors[k], error, 1e-7, 'its error')
    }
    expect(losses[best]).toBe(Math.min(...losses))
  })

  it('lets separated coefficients go on growing as the ridge falls', async () => {
    const found = await path({ builtin: 'endometrial' }, { ridge: 'path' })
    expect(found.ridges.length).toBeGreaterThan(40)
    const nv = found.parameters.map(p => p[found.names.indexOf('NV')])
    for (let k = 1; k < nv.length; k++) expect(nv[k]).toBeGreaterThan(nv[k - 1])
    // Towards the limits that stay where NV is left out of account.
    const last = found.parameters[nv.length - 1]
    expectClose(last[found.names.indexOf('EH')], -2.9026056138, 0.05, 'EH')
    expect(found.arrived).toEqual(found.ridges.map(() => found.starts))
  })

  it('tells several minima of a loss that is not convex', async () => {
    const data = { columns: { x: [10, 0.7], y: [0.55, 0.25] }, target: 'y' }
    const s = await study({
      data,
      model: { loss: 'brier', bias: false, ridge: [1, 1e-6] },
      starts: { count: 40, init: { normal: 2 } }
    })
    expect(s.ridgePath!.distinct).toEqual([1, 2])
  })

  it('is kept in the study, which can be gone on with', async () => {
    const out = freshOut()
    const model = { loss: 'logistic', ridge: [0.5, 0.05] }
    const config = { data: { builtin: 'endometrial' }, model, starts: { count: 5 } }
    const s = await study(config, { out })
    const again = resolveConfig(readConfigFile(`${out}/study.json`), 'study.json')
    expect(again.model.ridgePath).toEqual([0.5, 0.05])
    expect(again.model.ridge).toBe(0)
    const more = await resumeStudy(out, { starts: 10 })
    expect(more.ridgePath!.ridges).toEqual(s.ridgePath!.ridges)
  })

  it('has as many values as are asked for, each with as many starts, from the same ends', async () => {
    const data = { columns: { x, u, label }, target: 'label' }
    const few = (await study({ data, model: { ridge: 'path' }, starts: { count: 5 } })).ridgePath!
    const s = await study({ data, model: { ridge: { path: 100 } }, starts: { count: 1000 } })
    const { ridges, starts, arrived, distinct } = s.ridgePath!
    expect(new Set(ridges).size).toBe(100)
    expect([ridges[0], ridges[99]]).toEqual([few.ridges[0], few.ridges.at(-1)])
    expect(starts).toBe(1000)
    expect(arrived).toEqual(ridges.map(() => 1000))
    expect(distinct).toEqual(ridges.map(() => 1))
  })

  it('refuses what has no path, in a sentence', () => {
    const bad = (model: object) => () => resolveConfig({ data: { builtin: 'iris2' }, model }, 'the study')
    expect(bad({ ridge: 'path', firth: true })).toThrow(/Firth’s penalty/)
    expect(bad({ ridge: [1] })).toThrow(/model\.ridge/)
    expect(bad({ ridge: [1, -2] })).toThrow(/model\.ridge/)
    expect(bad({ ridge: { path: 1 } })).toThrow(/model\.ridge/)
    expect(bad({ ridge: 'paths' })).toThrow(/"path"|path/)
    expect(bad({ formula: 'a*x', parameters: { a: {} }, ridge: 'path' })).toThrow(/formula/)
  })
})
