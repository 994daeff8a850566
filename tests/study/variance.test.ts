// Crossed starts, orders and resamples of whole models: what is nil is nil, what is known comes out, and nothing depends on how it is run.
import { describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { sources, type VarianceResult } from '../../src/core/varianceResult.js'
import { renderVariance, varianceTables, varianceText } from '../../src/report/variance.js'
import { resumeVariance, runVariance as variance } from '../../src/study/variance/index.js'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expectRefusal, freshOut, json, manystartHere } from '../cli/helpers.js'

const iris2 = { builtin: 'iris2', standardize: true }
const network = { hidden: [2], activation: 'tanh', loss: 'logistic', ridge: 0.001, penalizeBias: true }

describe('a network and its convex twin', () => {
  it('by Newton’s method differ as theory says: all of the network’s variance is the start’s, none of the twin’s', async () => {
    const result = await variance(
      { data: iris2, model: network, starts: { count: 40, init: { normal: 2 } }, engine: 'cpu' },
      { threads: 1 }
    )
    expect([result.starts, result.orders, result.resamples]).toEqual([40, 1, 1])
    expect(result.convex).toBe(false)
    // The two minima of FACTS: 0.070580148 and 0.073839187.
    const losses = result.minima.map(m => m.loss!).sort((a, b) => a - b)
    expect(losses).toHaveLength(2)
    expect(losses[0]).toBeCloseTo(0.070580148, 8)
    expect(losses[1]).toBeCloseTo(0.073839187, 8)
    expect(result.metrics['loss'].start.share).toBe(1)
    // With two ends the loss is a two-point variable.
    const n = result.minima.map(m => m.runs)
    const expected = (Math.abs(losses[1] - losses[0]) * Math.sqrt(n[0] * n[1])) / Math.sqrt(40 * 39)
    expect(result.metrics['loss'].deviation).toBeCloseTo(expected, 10)
    expect(result.metrics['minimum'].start.share).toBe(1)
    const twin = result.twin!
    expect(twin.convex).toBe(true)
    expect(twin.minima).toEqual([{ end: 'minimum 1', loss: twin.minima[0].loss, runs: 40 }])
    for (const [name, split] of Object.entries(twin.metrics)) {
      expect(split.deviation, name).toBeLessThanOrEqual(split.floor)
      for (const s of sources) expect(split[s].share, `${name} ${s}`).toBe(0)
    }
    for (const row of twin.rows) expect(row.shares.start).toBe(0)
    expect(varianceText(result, 80)).toMatch(/which is convex, ends up does not depend\s+on the start/)
  })

  it('shows the largest interaction on a narrow terminal, whichever it is', async () => {
    const result = await variance(
      { data: iris2, model: network, starts: { count: 3 }, variance: { resamples: 2 }, engine: 'cpu' },
      { threads: 2 }
    )
    for (const [largest, head] of [
      ['start:resample', /^ +mean.* start × rows/m],
      ['order:resample', /^ +mean.* order × rows/m]
    ] as const) {
      const metrics = Object.fromEntries(
        Object.entries(result.metrics).map(([name, split]) => [
          name,
          { ...split, deviation: 1, floor: 0, [largest]: { ...split.residual, share: 0.875 } }
        ])
      )
      const text = varianceText({ ...result, orders: 2, twin: undefined, metrics } as unknown as VarianceResult, 72)
      expect(text).toMatch(head)
      expect(text).toContain('87.5 %')
    }
  })

  it('with resamples: the twin owes everything to the rows', async () => {
    const result = await variance(
      {
        data: { ...iris2, test: { fraction: 0.3, seed: 1 } },
        model: network,
        starts: { count: 12, init: { normal: 2 } },
        variance: { resamples: 8 },
        engine: 'cpu'
      },
      { threads: 2 }
    )
    const { start, resample } = result.twin!.metrics['loss']
    expect(start.share).toBeLessThan(1e-12)
    expect(resample.share).toBeGreaterThan(1 - 1e-12)
    expect(result.twin!.metrics['predictions'].start.share).toBeLessThan(1e-9)
    expect(Object.keys(result.metrics)).toEqual(
      expect.arrayContaining(['loss', 'accuracy', 'out.accuracy', 'test.accuracy', 'minimum', 'predictions'])
    )
    for (const split of Object.values(result.metrics)) {
      const total = sources.reduce((sum, s) => sum + split[s].share, 0)
      expect(Math.abs(total - (split.deviation > split.floor ? 1 : 0))).toBeLessThan(1e-9)
      for (const s of sources) expect(split[s].interval[0]).toBeLessThanOrEqual(split[s].interval[1])
    }
    const page = await renderVariance(result)
    const titles = varianceTables(result).map(table => table.title)
    expect(new Set(titles).size).toBe(8)
    for (const { head, rows } of varianceTables(result))
      for (const row of rows)
        for (const cell of [...row, String(row.length === head.length)]) expect(cell).not.toMatch(/NaN|undefined|false/)
    expect(page.match(/<table/g)).toHaveLength(titles.length)
    expect(page).toContain('<svg')
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })
})

const stochastic = {
  data: iris2,
  model: network,
  starts: { count: 5 },
  optimizer: { adam: { learningRate: 0.05, batchSize: 20 } },
  stop: { steps: 40 },
  engine: 'cpu'
}

it('the same bits whatever threads and lanes, and orders and rows matter', async () => {
  const raw = { ...stochastic, variance: { orders: 4, resamples: 3, resampling: 'poisson' } }
  const [a, b] = [await variance(raw, { threads: 1, lanes: 3 }), await variance(raw, { threads: 2, lanes: 64 })]
  const plain = ({ metrics, minima, rows }: typeof a) => ({ metrics, minima, rows })
  expect(plain(a)).toEqual(plain(b))
  expect(plain(a.twin as typeof a)).toEqual(plain(b.twin as typeof a))
  expect(a.metrics['loss'].resample.share).toBeGreaterThan(0)
  const { order, residual } = a.metrics['loss']
  expect(order.deviation + residual.deviation + a.metrics['loss']['start:order'].deviation).toBeGreaterThan(0)
})

describe('a directory of runs', () => {
  const raw = { ...stochastic, variance: { orders: 2, resamples: 3 } }
  const plain = ({ metrics, minima, rows, starts }: Awaited<ReturnType<typeof variance>>) => ({
    metrics,
    minima,
    rows,
    starts
  })

  it('goes on where it stopped, and the result is that of one go', async () => {
    const whole = await variance(raw)
    const out = freshOut()
    const stop = new AbortController()
    const stopped = variance(raw, {
      out,
      lanes: 1,
      threads: 1,
      signal: stop.signal,
      onProgress: ({ done }) => done > 0 && stop.abort()
    })
    await expect(stopped).rejects.toThrow(/of 30 runs had ended, .* those are kept, and --resume goes on/)
    expect(readdirSync(join(out, 'runs'))).toEqual(['model-000001.parquet'])
    const seen: number[] = []
    const resumed = await resumeVariance(out, { onProgress: ({ done }) => seen.push(done) })
    expect(seen[0]).toBeGreaterThan(0)
    expect(plain(resumed)).toEqual(plain(whole))
    expect(resumed.twin!.metrics).toEqual(whole.twin!.metrics)
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({ format: 'manystart/variance' })
    // All runs are there; a damaged table counts for nothing, and its runs are made again.
    const [first] = readdirSync(join(out, 'runs'))
    writeFileSync(join(out, 'runs', first), 'PAR1 of something else')
    const notes: string[] = []
    const mended = await resumeVariance(out, { onNote: note => notes.push(note) })
    expect(notes.join()).toMatch(/model-000001.parquet is damaged/)
    expect(plain(mended)).toEqual(plain(whole))
  })

  it('finds runs that were altered by a single bit, sets them aside and makes them again', async () => {
    const out = freshOut()
    const whole = await variance(raw, { out })
    const random = words(3, Stream.split, 0, 0, 24)
    for (let k = 0; k < 24; k += 2) {
      const parts = readdirSync(join(out, 'runs')).filter(name => name.startsWith('model-'))
      const path = join(out, 'runs', parts[0])
      const bytes = readFileSync(path)
      // Among the values, which come first.
      const at = 4 + Math.floor((uniform(random[k]) * bytes.length) / 2)
      bytes[at] ^= 1 << Math.floor(uniform(random[k + 1]) * 8)
      writeFileSync(path, bytes)
      const notes: string[] = []
      const mended = await resumeVariance(out, { onNote: note => notes.push(note) })
      expect(plain(mended), `byte ${at}`).toEqual(plain(whole))
      // Whatever changed no value is no damage.
      if (notes.length > 0) expect(notes.join()).toMatch(/model-.* is damaged .* It is kept as .*aside/)
    }
    expect(readdirSync(join(out, 'runs', 'aside')).length).toBeGreaterThan(6)
  })

  it('goes on after a kill at any step of its beginning, without what that has left', async () => {
    for (const left of [[], ['variance.json'], ['variance.json', 'runs']]) {
      const whole = freshOut()
      await variance({ ...raw, starts: { count: 3 } }, { out: whole })
      const out = freshOut()
      mkdirSync(out)
      for (const name of left)
        if (name === 'runs') mkdirSync(join(out, name))
        else cpSync(join(whole, name), join(out, name))
      writeFileSync(join(out, '.variance.json.partial'), '{')
      writeFileSync(join(out, '.lock-1-2-3.partial'), '{')
      if (left.includes('runs')) writeFileSync(join(out, 'runs', '.model-000007.parquet.partial'), 'x')
      const gone = { host: hostname(), pid: 2 ** 22 + 1, started: '1', token: 'x' }
      writeFileSync(join(out, '.lock'), JSON.stringify(gone))
      const notes: string[] = []
      const options = { onNote: (note: string) => void notes.push(note) }
      const result = await (left.length === 0
        ? variance({ ...raw, starts: { count: 3 } }, { out, ...options })
        : resumeVariance(out, options))
      expect(notes.join()).toMatch(/its lock has been taken over/)
      expect(plain(result)).toEqual(
        plain(JSON.parse(readFileSync(join(whole, 'summary.json'), 'utf8')) as typeof result)
      )
      const files = (readdirSync(out, { recursive: true }) as string[]).sort()
      expect(files).toEqual((readdirSync(whole, { recursive: true }) as string[]).sort())
    }
  })

  it('takes more starts', async () => {
    const out = freshOut()
    await variance({ ...raw, starts: { count: 3 } }, { out })
    const more = await resumeVariance(out, { starts: 5 })
    expect(plain(more)).toEqual(plain(await variance(raw)))
    await expect(resumeVariance(out, { starts: 4 })).rejects.toThrow(/has 5 starts and cannot go on with 4/)
  })

  it('is replaced with --force alone, and only where it is one', async () => {
    const out = freshOut()
    const words = ['variance', '--data', 'iris2', '--starts', 3, '--out', out]
    expect((await manystartHere(words)).code).toBe(0)
    expectRefusal(await manystartHere(words), 2, /exists and is not empty; .* --force .* --resume/)
    expect((await manystartHere([...words, '--force'])).stdout).toContain(`Report: ${join(out, 'report.html')}`)
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'summary.json', 'variance.json'])
    const other = freshOut()
    expect((await manystartHere(['study', '--data', 'iris2', '--starts', 3, '--out', other])).code).toBe(0)
    expectRefusal(
      await manystartHere(['variance', '--data', 'iris2', '--starts', 3, '--out', other, '--force']),
      2,
      /does not hold such a result/
    )
    expectRefusal(await manystartHere(['variance', '--resume', other]), 2, /holds no variance.json/)
    expectRefusal(await manystartHere(['variance', '--resume', out, '--out', other]), 2, /leave one of them/)
    expectRefusal(await manystartHere(['report', out]), 2, /holds runs of .*variance --resume .* draws its page anew/)
  })
})

it('a model that is convex has no twin, and a formula neither', async () => {
  const convex = await variance({ data: iris2, model: { ridge: 0.1 }, starts: { count: 3 }, engine: 'cpu' })
  expect(convex.convex).toBe(true)
  expect(convex.twin).toBeUndefined()
  const objective = await variance({
    model: {
      objective: '(a^2+b-11)^2 + (a+b^2-7)^2',
      parameters: { a: { init: { uniform: [-5, 5] } }, b: { init: { uniform: [-5, 5] } } }
    },
    starts: { count: 60 }
  })
  expect(objective.minima.filter(m => m.loss !== null)).toHaveLength(4)
  expect(Object.keys(objective.metrics)).toEqual(['loss', 'minimum'])
})

it('starts of which a run fails are left out, and counted', async () => {
  const result = await variance({
    model: { objective: 'a - log(a)', parameters: { a: { init: { uniform: [-1, 1] } } } },
    starts: { count: 40 }
  })
  expect(result.failed).toBeGreaterThan(5)
  expect(result.runs + result.failed).toBe(40)
  expect(result.notes.join()).toMatch(/runs failed; the \d+ starts that they belong to are left out/)
  expect(result.metrics['loss'].deviation).toBeLessThanOrEqual(result.metrics['loss'].floor)
})

describe('wrong input is refused in one sentence', () => {
  it.each<[string, object, RegExp]>([
    [
      'orders without mini-batches',
      { data: iris2, variance: { orders: 5 } },
      /without mini-batches a run has no order/
    ],
    ['an unknown field', { data: iris2, variance: { order: 5 } }, /Unknown field "order" under variance.*orders/],
    [
      'half a resample',
      { data: iris2, variance: { resamples: 2.5 } },
      /variance.resamples .* is 2.5; give a whole number/
    ],
    ['another kind of resampling', { data: iris2, variance: { resamples: 2, resampling: 'bootstap' } }, /bootstrap/],
    [
      'a split that leaves nothing',
      { data: iris2, variance: { resamples: 2, resampling: 'split:1' } },
      /leaves out 100 of 100 rows/
    ],
    ['a single run', { data: iris2, starts: { count: 1 } }, /one run, which does not vary/],
    [
      'Firth’s penalty resampled',
      { data: iris2, model: { firth: true }, variance: { resamples: 2 }, engine: 'cpu' },
      /draws no rows for single runs/
    ]
  ])('%s', async (_, raw, message) => {
    await expect(variance(raw as never)).rejects.toThrow(message)
  })
})

it('the program prints the shares as JSON', async () => {
  const words =
    '--data iris2 --hidden 2 --ridge 0.01 --optimizer adam --batch-size 50 --steps 10 --starts 3 --orders 2 --resamples 2 --json'
  const result = await json<Awaited<ReturnType<typeof variance>>>(['variance', ...words.split(' ')])
  expect(result).toMatchObject({ starts: 3, orders: 2, resamples: 2 })
  for (const source of ['start', 'order', 'resample', 'residual'] as const) {
    const { share, interval } = result.metrics['loss'][source]
    expect(share).toBeGreaterThanOrEqual(0)
    expect(interval).toHaveLength(2)
  }
})
