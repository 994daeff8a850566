// Bootstrap and cross-validation of a study: refits by hand and in closed form, figures of R, and what has no minimum.
import { describe, expect, it } from 'vitest'
import { replicated } from '../../src/analysis/bootstrap.js'
import { separation } from '../../src/analysis/separation/index.js'
import { rowCounts } from '../../src/core/resampling.js'
import { prepareProblem } from '../../src/study/setup.js'
import { resolveConfig } from '../../src/study/config.js'
import { pickedRows } from '../../src/analysis/rows.js'
import fixture from '../fixtures/bootstrap.json' with { type: 'json' }
import { study } from '../helpers/study.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

const random = randomNumbers(23)
const rows = 30
const x = Array.from({ length: rows }, () => 4 * random() - 2)
const u = Array.from({ length: rows }, () => random())
const w = x.map((_, i) => 1 + (i % 3))
const y = x.map((v, i) => 1 + v - 2 * u[i] + random())
const label = x.map((v, i) => (random() < 1 / (1 + Math.exp(-v - u[i])) ? 1 : 0))
/** Newton's method stops at a gradient of 1e-10, and the problems are well conditioned. */
const close = 1e-8
const seed = 5

const asked = async (config: object, resampling: object) => {
  const { resampling: found } = await study({ starts: { count: 4, seed }, engine: 'cpu', ...config, resampling })
  if (!found) expect.fail('there is no resampling')
  return found
}

/** Intercept and slope of weighted least squares. */
function line(weights: ArrayLike<number>): [number, number] {
  const sum = (f: (i: number) => number): number => x.reduce((s, _, i) => s + weights[i] * f(i), 0)
  const [n, mx, my] = [sum(() => 1), sum(i => x[i]), sum(i => y[i])]
  const slope = (sum(i => x[i] * y[i]) - (mx * my) / n) / (sum(i => x[i] ** 2) - mx ** 2 / n)
  return [(my - slope * mx) / n, slope]
}

describe('a bootstrap', () => {
  it('refits least squares, whose replicates, jackknife and intervals are known', async () => {
    const resamples = 60
    const { bootstrap } = await asked(
      { data: { columns: { x, y, w }, target: 'y', features: ['x'], weights: 'w' }, model: { loss: 'squared' } },
      { bootstrap: resamples }
    )
    const p = bootstrap!.parameters!
    const times = (counts: Float64Array): Float64Array => counts.map((n, i) => n * w[i])
    const fits = Array.from({ length: resamples }, (_, r) =>
      line(times(rowCounts({ kind: 'bootstrap', seed }, r, rows)))
    )
    const without = x.map((_, out) => line(w.map((v, i) => (i === out ? 0 : v))))
    expect(bootstrap).toMatchObject({ lost: { unbounded: 0, unfinished: 0 }, lower: 0, starts: 0, resamples })
    for (const k of [0, 1] as const) {
      const known = replicated(
        line(w)[k],
        Float64Array.from(fits, f => f[k]),
        Float64Array.from(without, f => f[k]),
        0.95
      )
      expectClose(p.estimates[k], line(w)[k], close, 'estimate')
      expectClose(p.standardErrors[k], known.standardError, close, 'error')
      expectClose(p.biases[k], known.bias, close, 'bias')
      expectAllClose(p.percentile[k] as readonly [number, number], known.percentile, close, 'percentile')
      expectAllClose(p.basic[k] as readonly [number, number], known.basic, close, 'basic')
      expectAllClose(p.bca[k] as readonly [number, number], known.bca!, close, 'BCa')
    }
    bootstrap!.rows.forEach(({ row, prediction, interval }) => {
      const at = ([a, b]: readonly number[]): number => a + b * x[row - 1]
      const known = replicated(at(line(w)), Float64Array.from(fits, at), new Float64Array(0), 0.95)
      expectClose(prediction, at(line(w)), close, 'prediction')
      expectAllClose(interval, known.percentile, close, 'its interval')
    })
    expect(bootstrap!.rows).toHaveLength(rows)
  })

  it('of a mean has the standard error sd/√n, whose resampled share has a standard deviation of about 1/√(2R)', async () => {
    const resamples = 4000
    const data = { columns: { y }, target: 'y', features: [] }
    const { bootstrap } = await asked({ data, model: { loss: 'squared' } }, { bootstrap: resamples })
    const mean = y.reduce((a, b) => a + b, 0) / rows
    const exact = Math.sqrt(y.reduce((s, v) => s + (v - mean) ** 2, 0)) / rows
    expectClose(bootstrap!.parameters!.standardErrors[0] / exact, 1, 4 / Math.sqrt(2 * resamples), 'error')
  })

  it('of a logistic regression has the errors that R’s boot finds', async () => {
    const { errors, estimates, ...columns } = fixture.logistic
    const resamples = 2000
    const { bootstrap } = await asked({ data: { columns, target: 'y' } }, { bootstrap: resamples })
    const p = bootstrap!.parameters!
    expectAllClose(p.estimates, estimates, 1e-7, 'estimates')
    // Four standard deviations of a standard deviation of replicates with a kurtosis up to 5.
    errors.forEach((e, k) => expectClose(p.standardErrors[k] / e, 1, 4 / Math.sqrt(resamples), p.names[k]))
  })

  it('is the same of a formula as of the network that it writes out', async () => {
    const data = { columns: { x, y }, target: 'y' }
    const network = await asked({ data, model: { loss: 'squared' } }, { bootstrap: 50, folds: 5 })
    const formula = await asked(
      { data, model: { formula: 'a + b * x', parameters: { a: {}, b: {} } } },
      { bootstrap: 50, folds: 5 }
    )
    expectAllClose(
      formula.bootstrap!.parameters!.percentile.flat() as number[],
      network.bootstrap!.parameters!.percentile.flat() as number[],
      close,
      'percentile'
    )
    expectClose(formula.crossValidation!.loss.estimate, network.crossValidation!.loss.estimate, close, 'held-out loss')
  })

  it('counts the resamples whose rows are separated, and leaves them out', async () => {
    const resamples = 60
    const config = { data: { builtin: 'iris2' }, starts: { count: 3, seed } }
    const { bootstrap } = await asked(config, { bootstrap: resamples })
    const { model, data, names } = await prepareProblem(resolveConfig(config, 'the test'))
    const own = { model, rows: data.rows, x: data.x, y: data.y }
    let separated = 0
    for (let r = 0; r < resamples; r++) {
      const counts = rowCounts({ kind: 'bootstrap', seed }, r, data.rows)
      const some = pickedRows(
        own,
        [...counts.keys()].filter(i => counts[i] > 0)
      )
      if (separation(some, names).status !== 'none') separated++
    }
    expect(separated).toBeGreaterThan(0)
    expect(bootstrap!.lost).toEqual({ unbounded: separated, unfinished: 0 })
  })

  it('follows no minimum where there is none, and says so', async () => {
    const found = await asked(
      { data: { columns: { x: [1, 2, 3, 4], y: [0, 0, 1, 1] }, target: 'y' } },
      { bootstrap: 40 }
    )
    expect(found.bootstrap).toBeUndefined()
    expect(found.notes.join(' ')).toMatch(/no minimum/)
  })
})

describe('cross-validation', () => {
  it('of least squares by leaving out every row is PRESS, from residuals and leverages', async () => {
    const data = { columns: { x, y }, target: 'y' }
    const { crossValidation: cv } = await asked({ data, model: { loss: 'squared' } }, { folds: rows })
    const [a, b] = line(x.map(() => 1))
    const mean = x.reduce((s, v) => s + v, 0) / rows
    const sxx = x.reduce((s, v) => s + (v - mean) ** 2, 0)
    const left = x.map((v, i) => (y[i] - a - b * v) / (1 - 1 / rows - (v - mean) ** 2 / sxx))
    const press = left.reduce((s, e) => s + e * e, 0)
    expectClose(cv!.loss.estimate, press / rows / 2, close, 'loss')
    expectClose(cv!.metrics['rmse'].estimate, Math.sqrt(press / rows), close, 'rmse')
    const losses = left.map(e => (e * e) / 2)
    const error = Math.sqrt(losses.reduce((s, v) => s + (v - press / rows / 2) ** 2, 0) / (rows - 1) / rows)
    expectClose(cv!.loss.error!, error, close, 'its error')
    expectClose(cv!.loss.training!, x.reduce((s, v, i) => s + (y[i] - a - b * v) ** 2, 0) / rows / 2, close, 'seen')
  })

  it('predicts each part by the fit to the others, for every division', async () => {
    const [folds, repeats] = [4, 2]
    const columns = { x, u, label, w }
    const data = { columns, target: 'label', weights: 'w' }
    const { crossValidation: cv } = await asked({ data }, { folds, repeats })
    const of: { loss: number; right: number }[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      let [loss, right] = [0, 0]
      for (let fold = 0; fold < folds; fold++) {
        const kept = rowCounts({ kind: 'folds', folds, seed }, repeat * folds + fold, rows)
        const s = await study({
          data: { ...data, columns: { ...columns, w: w.map((v, i) => v * kept[i]) } },
          starts: { count: 1 }
        })
        const [a, bx, bu] = s.minima[0].parameters
        kept.forEach((n, i) => {
          if (n > 0) return
          const z = a + bx * x[i] + bu * u[i]
          loss += w[i] * (Math.log1p(Math.exp(z)) - label[i] * z)
          right += w[i] * Number(z > 0 === (label[i] === 1))
        })
      }
      of.push({ loss, right })
    }
    const total = repeats * w.reduce((a, b) => a + b, 0)
    expectClose(cv!.loss.estimate, of.reduce((s, r) => s + r.loss, 0) / total, 1e-6, 'loss')
    expectClose(cv!.metrics['accuracy'].estimate, of.reduce((s, r) => s + r.right, 0) / total, close, 'accuracy')
    expect(cv).toMatchObject({ folds, repeats, starts: 1, failed: 0 })
  })
})

it('networks by mini-batches: nothing depends on threads and lanes', async () => {
  const config = {
    data: { columns: { x, u, label }, target: 'label' },
    model: { hidden: [2], ridge: 0.01, penalizeBias: true },
    starts: { count: 12, seed },
    optimizer: { adam: { learningRate: 0.05, batchSize: 7 } },
    stop: { steps: 400 },
    engine: 'cpu',
    resampling: { bootstrap: 40, folds: 3, repeats: 2, starts: 3 }
  }
  const one = await study(config, { threads: 1, lanes: 8 })
  const two = await study(config, { threads: 2, lanes: 24 })
  expect(two.resampling).toEqual(one.resampling)
  const { bootstrap, crossValidation: cv } = one.resampling!
  expect(bootstrap!.starts).toBe(3)
  expect(cv!.loss.single).toBeGreaterThan(0)
  expect(cv!.starts).toBe(3)
})

it('what cannot be resampled is refused in a sentence', async () => {
  const bad = (config: object, resampling: object) => study({ starts: { count: 2 }, ...config, resampling })
  const iris = { data: { builtin: 'iris2' } }
  const rosenbrock = { model: { objective: 'a^2', parameters: { a: {} } } }
  await expect(bad(rosenbrock, { folds: 5 })).rejects.toThrow(/no rows to resample.*--folds/)
  await expect(bad({ ...iris, model: { firth: true } }, { bootstrap: 50 })).rejects.toThrow(/Firth/)
  await expect(bad(iris, { folds: 101 })).rejects.toThrow(/resampling\.folds is 101, and there are 100 training rows/)
  await expect(async () => bad(iris, { folds: 1 })).rejects.toThrow(/resampling\.folds.*at least 2/)
  await expect(async () => bad(iris, { bootstrap: 10 })).rejects.toThrow(/resampling\.bootstrap.*at least 40/)
  await expect(async () => bad(iris, { resamples: 10 })).rejects.toThrow(/resamples.*resampling/)
  const many = { ...iris, model: { hidden: [5] }, starts: { count: 1000 } }
  await expect(bad(many, { bootstrap: 1e6, starts: 1000 })).rejects.toThrow(/more than are held at once.*fewer/)
})
