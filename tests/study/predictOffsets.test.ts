// Predictions keep their digits beside large offsets of the columns, in this program and in what it exports.
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { exported } from '../../src/study/export/index.js'
import { predict } from '../../src/study/predict.js'
import { study } from '../../src/study/study.js'
import { file, freshOut } from '../helpers/files.js'
import { normals } from '../helpers/problems.js'

const N = 40
/** Multiples of 2⁻⁸, to which offsets up to 2⁴⁴ are added exactly. */
const grid = (seed: number): number[] => [...normals(N, seed)].map(v => Math.round(256 * v) / 256)
const [a, b, e] = [grid(1), grid(2), grid(3)]
const label = a.map((_, i) => ['u', 'v', 'w'][i % 3])
const signal = a.map((v, i) => v - 0.5 * b[i] + 0.4 * e[i] + (i % 3 === 1 ? 0.7 : 0))
const targets = {
  squared: signal,
  logistic: signal.map((v, i) => (v + e[i] > 0 ? 'yes' : 'no')),
  poisson: signal.map(v => Math.max(0, Math.round(Math.exp(v))))
}
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0

const columnsAt = (offset: number): Record<string, (number | string)[]> => ({
  a: a.map(v => v + offset),
  b: b.map(v => v - 3 * offset),
  label
})

async function fitted(loss: keyof typeof targets, offset: number, model: object, level = 0): Promise<string> {
  const out = freshOut()
  const y = loss === 'squared' ? signal.map(v => Math.round(256 * v) / 256 + level) : targets[loss]
  const data = { columns: { ...columnsAt(offset), y }, target: 'y', standardize: true }
  await study({ data, model: { loss, ...model }, starts: { count: 12 }, engine: 'cpu' }, { out })
  return out
}

async function said(out: string, offset: number, choice = {}): Promise<number[]> {
  const { columns } = await predict(out, { columns: columnsAt(offset) }, choice)
  return (columns['probability'] ?? columns['prediction']) as number[]
}
const text = async (out: string, format: 'python' | 'r', choice = {}): Promise<string> => {
  let whole = ''
  for await (const piece of exported(out, format, choice)) whole += piece
  return whole
}

/** Within a share of max(1, size). */
function expectAgree(got: readonly number[], want: readonly number[], share: number): void {
  expect(got).toHaveLength(want.length)
  got.forEach((value, i) =>
    expect(
      Math.abs(value - want[i]) <= share * Math.max(1, Math.abs(want[i])),
      `row ${i}: ${value}, not ${want[i]}`
    ).toBe(true)
  )
}

const models = [
  ['without hidden layer', { hidden: [] }],
  ['with hidden units', { hidden: [2], activation: 'tanh', ridge: 0.01 }]
] as const
const losses = Object.keys(targets) as (keyof typeof targets)[]

describe.each(losses.flatMap(loss => models.map(([name, model]) => [loss, name, model] as const)))(
  '%s %s',
  (loss, _, model) => {
    it.each([1e6, 1e9, 2 ** 43])('is the same model at an offset of %d', async offset => {
      const want = await said(await fitted(loss, 0, model), 0)
      const out = await fitted(loss, offset, model)
      // Means of columns are rounded, and fits in coordinates that differ by so much agree to what polishing leaves.
      expectAgree(await said(out, offset), want, 1e-10)
      const table = file('offset.json', JSON.stringify(columnsAt(offset)))
      for (const choice of [{}, { start: 3 }]) {
        const own = await said(out, offset, choice)
        if (has('python3') && offset === 1e9) {
          const code = file('offset.py', await text(out, 'python', choice))
          const script = `import json, runpy; f = runpy.run_path(${JSON.stringify(code)})["predict"]; print(json.dumps(f(json.load(open(${JSON.stringify(table)})))))`
          const run = spawnSync('python3', ['-c', script], { encoding: 'utf8' })
          expect(run.stderr).toBe('')
          expectAgree(JSON.parse(run.stdout) as number[], own, 1e-12)
        }
      }
      if (has('Rscript') && offset === 1e9) {
        const code = file('offset.R', await text(out, 'r'))
        const lines = a.map((v, i) => `${v + offset},${b[i] - 3 * offset},${label[i]}`)
        const csv = file('offset.csv', ['a,b,label', ...lines].join('\n'))
        const script = `source(${JSON.stringify(code)}); cat(sprintf("%.17g", predict_model(read.csv(${JSON.stringify(csv)}))))`
        const run = spawnSync('Rscript', ['-e', script], { encoding: 'utf8' })
        expectAgree(run.stdout.trim().split(/\s+/).map(Number), await said(out, offset), 1e-12)
      }
    })
  }
)

it('a target with an offset keeps its own digits', async () => {
  const level = 2 ** 30
  const want = await said(await fitted('squared', 0, { hidden: [] }), 0)
  const got = await said(await fitted('squared', 1e9, { hidden: [] }, level), 1e9)
  expectAgree(
    got.map(v => v - level),
    want,
    64 * Number.EPSILON * level
  )
})

it('formulas predict', async () => {
  const out = freshOut()
  const model = { formula: 'p * exp(q * a)', parameters: { p: { init: { uniform: [0.5, 2] as const } }, q: {} } }
  await study(
    {
      data: { columns: { a, y: a.map((v, i) => 1.5 * Math.exp(0.4 * v) + 0.01 * e[i]) }, target: 'y' },
      model,
      starts: { count: 5 }
    },
    { out }
  )
  const { columns } = await predict(out, { columns: { a } })
  columns['prediction'].forEach((v, i) => expect(v as number).toBeCloseTo(1.5 * Math.exp(0.4 * a[i]), 1))
  await expect(text(out, 'python')).rejects.toThrow(/is the formula p \* exp\(q \* a\)/)
})
