// What a saved study says of new rows: the same numbers from the library, and from the exported functions, which are run.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { exported, type ModelData } from '../../src/study/export/index.js'
import { predict, type Predictions } from '../../src/study/predict.js'
import { replay } from '../../src/study/replay.js'
import { readConfigFile } from '../../src/study/config.js'
import { study } from '../helpers/study.js'
import type { Summary } from '../../src/core/result.js'
import { file, freshOut, scratch } from '../helpers/files.js'
import { randomNumbers } from '../helpers/tables.js'

const random = randomNumbers(1)
const N = 60
const regions = ['north', 'south', 'say "west", o\'er']
const rows = Array.from({ length: N }, (_, i) => {
  const age = 20 + 40 * random()
  const region = regions[i % 3]
  const signal = (age - 40) / 10 + (i % 3) + 2 * (random() - 0.5)
  return {
    age,
    region,
    sick: signal > 1 ? 'yes' : 'no',
    level: ['low', 'middle', 'high'][signal > 2 ? 2 : signal > 0 ? 1 : 0],
    count: Math.floor(Math.exp(signal / 2) + random()),
    time: 1 + random(),
    late: random() > 0.5 ? 'late' : 'early'
  }
})
const data = { rows, features: ['age', 'region'] }

interface Case {
  readonly name: string
  readonly config: Record<string, unknown>
}
const network = { hidden: [2], ridge: 0.01, penalizeBias: true }
const cases: readonly Case[] = [
  { name: 'logistic', config: { data: { ...data, target: 'sick' } } },
  { name: 'probit', config: { data: { ...data, target: 'sick' }, model: { loss: 'probit', ridge: 0.01 } } },
  { name: 'cloglog', config: { data: { ...data, target: 'sick' }, model: { loss: 'cloglog', ridge: 0.01 } } },
  { name: 'poisson', config: { data: { ...data, target: 'count', exposure: 'time' }, model: { loss: 'poisson' } } },
  {
    name: 'squared, no bias',
    config: { data: { ...data, target: 'count', offset: 'time' }, model: { loss: 'squared', bias: false } }
  },
  { name: 'Firth', config: { data: { ...data, target: 'sick' }, model: { loss: 'logistic', firth: true } } },
  { name: 'Huber', config: { data: { ...data, target: 'count' }, model: { loss: { huber: { delta: 1 } } } } },
  {
    name: 'several targets',
    config: { data: { ...data, target: ['count', 'time'] }, model: { hidden: [2], loss: 'squared', ridge: 0.01 } }
  },
  {
    name: 'several targets of labels',
    config: { data: { ...data, target: ['sick', 'late'] }, model: { loss: 'logistic', ridge: 0.01 } }
  },
  { name: 'softmax', config: { data: { ...data, target: 'level', standardize: true }, model: { ridge: 0.01 } } },
  ...(['tanh', 'logistic', 'softplus', 'relu', 'identity'] as const).map(activation => ({
    name: `${activation} units`,
    config: {
      data: { ...data, target: 'sick', standardize: true, test: { fraction: 0.3, seed: 2 } },
      model: { ...network, activation }
    }
  }))
]

const studies = new Map<string, { out: string; summary: Summary }>()
beforeAll(async () => {
  for (const { name, config } of cases) {
    const out = freshOut()
    const summary = await study({ ...config, starts: { count: 20 }, engine: 'auto' }, { out })
    studies.set(name, { out, summary })
  }
}, 120_000)
const of = (name: string) => studies.get(name)!

const text = async (...args: Parameters<typeof exported>): Promise<string> => {
  let whole = ''
  for await (const piece of exported(...args)) whole += piece
  return whole
}
const numbersOf = ({ columns }: Predictions): number[][] => {
  const names = Object.keys(columns).filter(name => !/^class/.test(name))
  return Array.from({ length: columns[names[0]].length }, (_, i) => names.map(name => columns[name][i] as number))
}
const columnsOf = (names: readonly string[]): Record<string, unknown[]> =>
  Object.fromEntries(names.map(name => [name, rows.map(row => row[name as keyof typeof row])]))

/** Within 1e-12, relative to max(1, size). */
function expectSame(got: readonly (readonly number[])[], want: readonly (readonly number[])[]): void {
  expect(got.length).toBe(want.length)
  got.forEach((row, i) => {
    expect(row.length).toBe(want[i].length)
    row.forEach((value, k) => {
      const most = 1e-12 * Math.max(1, Math.abs(want[i][k]))
      expect(Math.abs(value - want[i][k]) <= most, `row ${i}: ${value}, not ${want[i][k]}`).toBe(true)
    })
  })
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0

describe.each(cases)('$name', ({ name }) => {
  // Runs of piecewise linear units may end at kinks, which are no minima.
  const choice = name === 'relu units' ? { start: 3 } : {}

  it.runIf(has('python3'))('exports a function of Python that says the same', async () => {
    const { out } = of(name)
    const code = file(`model-${name.replace(/\W+/g, '-')}.py`, await text(out, 'python', choice))
    const table = file('table.json', JSON.stringify(columnsOf(['age', 'region', 'time'])))
    const script = `import json, runpy; f = runpy.run_path(${JSON.stringify(code)})["predict"]; print(json.dumps(f(json.load(open(${JSON.stringify(table)})))))`
    const run = spawnSync('python3', ['-c', script], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    const got = (JSON.parse(run.stdout) as (number | number[])[]).map(value => [value].flat())
    expectSame(got, numbersOf(await predict(out, { rows }, choice)))
  })

  // R is not everywhere.
  const whereR = has('Rscript') ? it : () => undefined
  whereR('exports a function of R that says the same', async () => {
    const { out } = of(name)
    const code = file(`model-${name.replace(/\W+/g, '-')}.R`, await text(out, 'r', choice))
    const lines = rows.map(row => [row.age, `"${row.region.replace(/"/g, '""')}"`, row.time].join(','))
    const table = file('table.csv', ['age,region,time', ...lines].join('\n'))
    const script = `source(${JSON.stringify(code)}); p <- as.matrix(predict_model(read.csv(${JSON.stringify(table)}))); for (i in seq_len(nrow(p))) cat(sprintf("%.17g", p[i, ]), "\\n")`
    const run = spawnSync('Rscript', ['-e', script], { encoding: 'utf8' })
    const got = run.stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/).map(Number))
    expectSame(got, numbersOf(await predict(out, { rows }, choice)))
  })

  it('exports its parts as data, of which the prediction can be made', async () => {
    const { out, summary } = of(name)
    const model = JSON.parse(await text(out, 'json', choice)) as ModelData
    expect(model.layers.flat(2).filter(value => value !== 0).length).toBeLessThanOrEqual(summary.problem.parameters)
    expect(model.terms.map(t => t.column)).toEqual(['age', 'region'])
    expect([model.target, ...(model.others ?? []).map(other => other.target)].join(', ')).toBe(summary.problem.target)
  })
})

describe('predictions', () => {
  it('on the training rows have the loss and the accuracy that the study says', async () => {
    const { out, summary } = of('logistic')
    const { columns } = await predict(out, { rows })
    const p = columns['probability'] as number[]
    const loss = rows.reduce((sum, row, i) => sum - Math.log(row.sick === 'yes' ? p[i] : 1 - p[i]) / N, 0)
    expect(loss).toBeCloseTo(summary.minima[0].loss, 10)
    const right = rows.filter((row, i) => row.sick === columns['class'][i]).length
    expect(right / N).toBeCloseTo(summary.minima[0].metrics!.train.accuracy!, 12)
  })

  it('of held-out rows are those that were scored', async () => {
    const { out, summary } = of('tanh units')
    const { columns } = await predict(out, { rows })
    const saved = JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')) as { preprocessing: { heldOut: number[] } }
    const { heldOut } = saved.preprocessing
    expect(heldOut.length).toBe(summary.problem.testRows)
    const right = heldOut.filter(row => rows[row - 1].sick === columns['class'][row - 1]).length
    const best = [...summary.minima, ...summary.degenerate].sort((a, b) => a.loss - b.loss)[0]
    expect(right / heldOut.length).toBeCloseTo(best.metrics!.test!.accuracy!, 12)
  })

  it('of a start are those of the point where its run ended', async () => {
    const { out, summary } = of('softmax')
    const point = [...summary.minima, ...summary.degenerate].sort((a, b) => a.loss - b.loss)[0]
    const ofStart = await predict(out, { rows }, { start: point.firstStart })
    const ofPoint = await predict(out, { rows }, { point: point.id })
    numbersOf(ofStart).forEach((row, i) =>
      row.forEach((value, k) => expect(value).toBeCloseTo(numbersOf(ofPoint)[i][k], 6))
    )
  })

  it('over all minima are spread about that of the best', async () => {
    const { out } = of('tanh units')
    const { columns } = await predict(out, { rows }, { all: true, best: 'test.accuracy' })
    columns['mean'].forEach((mean, i) => {
      expect(columns['min'][i] as number).toBeLessThanOrEqual((mean as number) + 1e-15)
      expect(columns['max'][i] as number).toBeGreaterThanOrEqual((mean as number) - 1e-15)
      expect(columns['agree'][i] as number).toBeGreaterThan(0)
    })
  })

  it('do not need the target, nor columns that were not used', async () => {
    const { out } = of('logistic')
    const bare = await predict(out, { columns: columnsOf(['region', 'age']) as never })
    expect(bare).toEqual(await predict(out, { rows }))
  })

  it.each([
    [
      'a level that training did not have',
      { age: [30], region: ['east'] },
      {},
      /region has the level "east" in row 1.*north/
    ],
    ['a column that is not there', { ages: [30], region: ['north'] }, {}, /no column "age".*did you mean ages/],
    ['a missing cell', { age: [30, null], region: ['north', 'north'] }, {}, /age is empty in row 2/],
    ['text for a number', { age: ['old'], region: ['north'] }, {}, /age is "old" in row 1/],
    ['a point that is not there', { age: [30], region: ['north'] }, { point: 99 }, /no point 99/],
    ['a start that is not there', { age: [30], region: ['north'] }, { start: 20 }, /no start 20.*0 to 19/],
    [
      'a metric that is not there',
      { age: [30], region: ['north'] },
      { best: 'test.acuracy' },
      /test\.acuracy.*train\.accuracy/
    ],
    ['two choices', { age: [30], region: ['north'] }, { start: 1, point: 1 }, /give one of them/]
  ])('refuse %s', async (_, columns, options, says) => {
    const error: unknown = await predict(of('logistic').out, { columns: columns }, options).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(InputError)
    expect((error as Error).message).toMatch(says)
  })

  it('leave out rows with a missing cell where asked, and keep the numbers of the others', async () => {
    const columns = { age: [30, null, 50], region: ['north', 'north', 'south'] }
    const { rows: numbers } = await predict(of('logistic').out, { columns, missing: 'drop' })
    expect(numbers).toEqual([1, 3])
  })
})

describe('runs as CSV', () => {
  it('are all runs with their columns', async () => {
    const { out, summary } = of('logistic')
    const [head, ...lines] = (await text(out, 'csv')).trim().split('\n')
    expect(lines.length).toBe(summary.starts)
    expect(head).toMatch(/^start,verdict,/)
    expect(lines.map(line => Number(line.split(',')[0])).sort((a, b) => a - b)).toEqual([...Array(20).keys()])
  })
})

describe('a study and its data', () => {
  it('can be moved together, and a change of the data is said', async () => {
    const home = join(scratch, 'home')
    mkdirSync(home)
    const csv = join(home, 'table.csv')
    const lines = rows.map(row => `${row.age},${row.sick}\n`)
    writeFileSync(csv, `age,sick\n${lines.join('')}`)
    const out = join(home, 'results', 'first')
    await study({ data: { csv, target: 'sick' }, starts: { count: 5 } }, { out })
    const saved = JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')) as { config: { data: { csv: string } } }
    expect(saved.config.data.csv).toBe('../../table.csv')
    const moved = join(scratch, 'moved')
    renameSync(home, moved)
    const there = join(moved, 'results', 'first')
    expect((await replay(there, 2)).start).toBe(2)
    const again = (): Promise<Summary> => study(readConfigFile(join(there, 'study.json')))
    expect((await again()).notes.join()).not.toMatch(/changed/)
    writeFileSync(join(moved, 'table.csv'), `age,sick\n${lines.slice(1).join('')}`)
    expect((await again()).notes.join()).toMatch(/table\.csv have changed since/)
  })
})
