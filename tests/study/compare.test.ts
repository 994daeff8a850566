// Two saved studies side by side: points that are known, probabilities by going through all pairs, and what cannot be compared.
import { describe, expect, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { compareStudies } from '../../src/study/compare/index.js'
import type { Comparison } from '../../src/core/comparisonResult.js'
import {
  comparisonConclusion,
  comparisonMarkdown,
  comparisonText,
  renderComparison
} from '../../src/report/comparison.js'
import { runVariance } from '../../src/study/variance/index.js'
import { readRuns } from '../../src/runs/points.js'
import { auerProducts, auerStudy } from '../helpers/auer.js'
import { expectRefusal, freshOut, json, manystartHere as manystart } from '../cli/helpers.js'
import { study } from '../helpers/study.js'
import { expectClose, tolerance } from '../helpers/tolerance.js'

async function saved(config: object): Promise<string> {
  const out = freshOut()
  await study(config, { out })
  return out
}

const auer = (starts: object): object => ({ ...auerStudy(2), starts: { init: { normal: 2 }, ...starts } })
const iris = (model: object, more: object = {}) => ({
  data: { builtin: 'iris2', standardize: true, test: { fraction: 0.3, seed: 4 } },
  model,
  starts: { count: 40 },
  ...more
})

describe('compare', () => {
  it('finds the minima of one in the other, whatever the starts, with proof', async () => {
    const [many, few] = [await saved(auer({ count: 200 })), await saved(auer({ count: 3, seed: 8 }))]
    const { shared, onlyA, onlyB, changed, paired } = await compareStudies([many, few])
    const losses = auerProducts(2)
      .filter(p => p.index === 0)
      .map(p => p.loss)
    expect(shared.length + onlyA.length).toBe(losses.length)
    expect(onlyB).toEqual([])
    expect(shared.length).toBeGreaterThan(0)
    expect(onlyA.length).toBeGreaterThan(0)
    expect([...shared, ...onlyA].every(p => p.proved)).toBe(true)
    const sorted = [...shared, ...onlyA].map(p => p.loss).sort((a, b) => a - b)
    losses.sort((a, b) => a - b).forEach((loss, i) => expectClose(sorted[i], loss, 1e-9, `minimum ${i}`))
    expect(changed.map(c => c.field)).toEqual(['starts.seed'])
    expect(paired).toBe(false)
  })

  it('of a study with itself finds nothing that differs', async () => {
    const one = await saved(iris({ hidden: [2], ridge: 0.01, penalizeBias: true }))
    const c = await compareStudies([one, one])
    expect([c.changed, c.onlyA, c.onlyB, c.notCompared]).toEqual([[], [], [], []])
    expect(c.paired).toBe(true)
    expect(c.shared.length).toBeGreaterThan(0)
    for (const p of c.shared) expect([p.a, p.proved]).toEqual([p.b, true])
    for (const [name, { probability, winner }] of Object.entries(c.better))
      expect([name, probability, winner]).toEqual([name, 0.5, null])
  })

  it('counts how often runs of one model score better than those of another, on the same rows', async () => {
    const fast = { optimizer: { adam: { learningRate: 0.05, batchSize: 20 } }, stop: { steps: 60 } }
    const [net, convex] = [await saved(iris({ hidden: [3] }, fast)), await saved(iris({}, fast))]
    const c = await compareStudies([net, convex])
    expect(c.better['loss'].probability).toBeGreaterThan(0)
    const column = async (directory: string, rows: 'train' | 'test', name: string): Promise<number[]> => {
      const out: number[] = []
      for await (const { rows: runs, layout } of readRuns(directory)) {
        const M = layout.metrics.length
        const m = layout.metrics.indexOf(name)
        for (let i = 0; i < runs.count; i++) out.push(runs[rows]![i * M + m])
      }
      return out
    }
    for (const [rows, name, sign] of [
      ['test', 'accuracy', 1],
      ['train', 'logLoss', -1]
    ] as const) {
      const [a, b] = [await column(net, rows, name), await column(convex, rows, name)]
      let sum = 0
      for (const u of a) for (const v of b) sum += sign * (u - v) > 1e-12 ? 1 : Math.abs(u - v) <= 1e-12 ? 0.5 : 0
      const { probability, interval } = c.better[`${rows}.${name}`]
      expectClose(probability, sum / (a.length * b.length), tolerance('f64', 1600, 1), `${rows}.${name}`)
      expect(interval[0]).toBeLessThanOrEqual(probability)
      expect(interval[1]).toBeGreaterThanOrEqual(probability)
    }
    expect(c.paired).toBe(false)
    expect(c.shared).toEqual([])
    expect(c.notCompared.join(' ')).toMatch(/A minimum of one is none of the other, since model.hidden differs/)
    expect(c.better['test.accuracy'].bestOf.map(b => b.k)).toEqual([10])
    for (const text of [comparisonText(c, 80), comparisonMarkdown(c)])
      for (const word of ['model.hidden', 'held-out accuracy', 'best of 10']) expect(text).toContain(word)
    expect(
      comparisonText(c, 80)
        .split('\n')
        .every(line => line.length <= 80)
    ).toBe(true)
    expect(comparisonConclusion(c)[0]).toMatch(/^Any run of A is compared with any of B \(40 and 40\)/)
  })

  it('says which losses are not of one kind, and calls no study better on other rows', async () => {
    const [logistic, brier] = [await saved(iris({})), await saved(iris({ loss: 'brier' }))]
    const c = await compareStudies([logistic, brier])
    expect(c.better['loss']).toBeUndefined()
    expect(c.better['test.accuracy']).toBeDefined()
    expect(c.notCompared[0]).toMatch(/^Losses are not of one kind, since model.loss differs/)
    expect(c.paired).toBe(true)
    const other = await saved({ ...iris({}), data: { builtin: 'iris2', standardize: true } })
    const d = await compareStudies([logistic, other])
    expect(d.better).toEqual({})
    expect(d.notCompared[0]).toMatch(/of other rows or targets, so neither is called better/)
    const fewer = await saved({ ...iris({}), data: { ...iris({}).data, features: ['Petal.Width'] } })
    const e = await compareStudies([logistic, fewer])
    expect([Object.keys(e.better).includes('test.auc'), e.paired, e.shared]).toEqual([true, false, []])
  })
})

describe('designs of manystart variance', () => {
  const crossed = async (model: object, variance: object = { resamples: 4 }, starts = 5): Promise<string> => {
    const out = freshOut()
    await runVariance({ ...iris(model), starts: { count: starts, init: { normal: 2 } }, variance }, { out })
    return out
  }
  /** A column of the stored runs, in their order. */
  async function column(directory: string, name: string): Promise<number[]> {
    const bytes = readFileSync(join(directory, 'runs', 'model-000001.parquet'))
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
    return rows.sort((a, b) => Number(a['run']) - Number(b['run'])).map(row => Number(row[name]))
  }

  it('are compared run by run on the same resample of the rows', async () => {
    const ridge = { ridge: 0.01, penalizeBias: true }
    const [net, convex] = [await crossed({ hidden: [2], ...ridge }), await crossed(ridge, { resamples: 4 }, 3)]
    const c = await compareStudies([net, convex])
    expect([c.pairedRows, c.paired, c.a.resamples, c.a.runs, c.b.runs]).toEqual([true, false, 4, 20, 12])
    for (const [name, sign] of [
      ['out.accuracy', 1],
      ['out.logLoss', -1],
      ['test.auc', 1],
      ['loss', -1]
    ] as const) {
      const [a, b] = [await column(net, name), await column(convex, name)]
      let sum = 0
      a.forEach((u, r) =>
        b.forEach((v, q) => {
          if (r % 4 === q % 4) sum += sign * (u - v) > 1e-12 ? 1 : Math.abs(u - v) <= 1e-12 ? 0.5 : 0
        })
      )
      expectClose(c.better[name].probability, sum / (4 * 5 * 3), tolerance('f64', 100, 1), name)
    }
    expect(comparisonConclusion(c)[0]).toMatch(
      /^Any run of A is compared with any of B on the same resample \(20 and 12\)/
    )
    expect(comparisonConclusion(c)[0]).toMatch(/bootstrap over starts and resamples\.$/)
    expect(comparisonText(c, 80)).toContain('resamples')
    const same = await compareStudies([net, net])
    expect([same.paired, same.changed]).toEqual([true, []])
    for (const { probability, winner } of Object.values(same.better)) expect([probability, winner]).toEqual([0.5, null])
    const apart = await compareStudies([net, await crossed({ hidden: [2], ...ridge }, { resamples: 3 })])
    expect([apart.pairedRows, apart.a.resamples, apart.b.resamples]).toEqual([false, 4, 3])
    expect(apart.notCompared[0]).toMatch(/^Resamples are not the same, since variance.resamples differs/)
    await expect(compareStudies([net, await saved(iris({}))])).rejects.toThrow(/give two of one kind/)
  })
})

describe('manystart compare', () => {
  it('prints the result as JSON, and refuses what is no study in a sentence', async () => {
    const one = await saved(auer({ count: 20 }))
    const c = await json<Record<string, unknown>>(['compare', one, one, '--json'])
    expect(c).toMatchObject({ format: 'manystart/comparison', paired: true, onlyA: [], onlyB: [] })
    const { code, stdout } = await manystart(['compare', one, one, '--tables', 'markdown'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^### Studies/)
    expect((await manystart(['compare', one, one, '--tables', 'csv'])).stdout).toMatch(/^# Studies\r\n/)
    expectRefusal(
      await manystart(['compare', one, one, '--tables', 'csv', '--json']),
      2,
      /--tables and --json.*one of them/
    )
    expectRefusal(await manystart(['compare', one, one, '--tables', 'html']), 2, /--tables is "html".*markdown/)
    const page = freshOut()
    const kept = await manystart(['compare', one, one, '--out', page])
    expect(kept.stdout).toContain(`Report: ${join(page, 'report.html')}`)
    const html = readFileSync(join(page, 'report.html'), 'utf8')
    for (const title of ['Which does better', 'Minima of both', 'Studies']) expect(html).toContain(`>${title}`)
    expect(html).not.toMatch(/NaN|undefined|<script/)
    const found = (winner: 'A' | 'B', matters: boolean) =>
      ({ probability: 0.6, interval: [0.55, 0.65], bestOf: [], winner, matters }) as const
    const told = await renderComparison({
      ...(c as unknown as Comparison),
      shared: [],
      better: {
        loss: found('A', false),
        'train.rmse': found('B', true),
        'train.r2': found('A', false),
        'test.r2': found('B', false)
      }
    })
    expect(told).toContain(
      '<p>A does slightly better by loss and training R².</p><p>B does better by training rmse.</p>'
    )
    expect(told).toContain('<p>B does slightly better by held-out R².</p>')
    expect(told).not.toContain('Minima')
    expect(JSON.parse(readFileSync(join(page, 'summary.json'), 'utf8'))).toMatchObject({
      format: 'manystart/comparison'
    })
    expectRefusal(await manystart(['compare', one, one, '--out', page]), 2, /exists and is not empty/)
    expectRefusal(await manystart(['compare', one, 'nowhere-at-all']), 2, /nowhere-at-all holds no study.json/)
    expectRefusal(await manystart(['compare', one]), 2, /other/)
  })
})
