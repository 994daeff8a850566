// `npm run bench:peers` without its peers: what a right and a wrong answer score, ratios by hand, what a script that fails or
// hangs leaves behind, and the tables. The peers' answers are made up here; iris2's are those of R's glm.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { barsOf } from '../../benchmarks/bars.js'
import { ask, type Peer } from '../../benchmarks/peers/ask.js'
import {
  evaluationBars,
  judge,
  peerBars,
  wholeBars,
  wholeStudy,
  withRatios,
  type Judged
} from '../../benchmarks/peers/judge.js'
import { names } from '../../benchmarks/peers/problems.js'
import { barLines, peerTables } from '../../benchmarks/peers/table.js'
import type { PeerFigure, PeerResults, PeerRow } from '../../benchmarks/peers/types.js'
import { describeMachine } from '../../src/bench/machine.js'
import { textTable } from '../../src/bench/kernels/tables.js'
import { mapPoints } from '../../src/models/network/parameterMap.js'
import { resolveConfig } from '../../src/study/config.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { expectClose, tolerance } from '../helpers/tolerance.js'
import type { Network } from '../../src/models/types.js'

/** R's glm on iris2 as given: coefficients and mean negative log-likelihood. */
const estimates = [-42.637803813, -2.4652201952, -6.6808870141, 9.4293851539, 18.286136888]
const glmLoss = 5.9492733957 / 100

const P = estimates.length
/** The estimates in the coordinates of the problem that peers are given. */
const glm: number[] = estimates.slice()
let setup: Setup
let iris: Judged
beforeAll(async () => {
  setup = await setUp(
    resolveConfig({ data: { builtin: 'iris2' }, engine: 'reference', starts: { count: 1 } }, 'the test')
  )
  const { problem, objective, frame } = setup
  glm.splice(0, P, ...mapPoints(problem.model as Network, frame.fromUser, Float64Array.from(estimates)))
  const rows = Array.from({ length: problem.rows }, (_, i) => Array.from(problem.x.subarray(i * 4, i * 4 + 4)))
  const shared = {
    name: 'iris',
    N: problem.rows,
    D: 4,
    hidden: [],
    activation: 'tanh',
    x: rows,
    y: Array.from(problem.y),
    ridge: 0,
    penalizeBias: false,
    starts: [Array<number>(P).fill(0)],
    gradient: 1e-8,
    steps: 500
  }
  iris = { shared, objective, points: [{ kind: 'minimum', loss: glmLoss }] }
})
afterAll(() => setup.dispose())

const study = (ends: NonNullable<PeerFigure['ends']>, more: Partial<PeerFigure> = {}): PeerFigure => ({
  what: 'study',
  problem: 'iris',
  method: 'made up',
  count: ends.length,
  seconds: [2, 1, 3],
  ends,
  ...more
})

describe('a study of a peer', () => {
  // Far from stationary in those coordinates.
  const off = estimates

  it('that ends where glm ends scores all its runs', async () => {
    const row = await judge(iris, 'P', study([glm, glm, glm, glm]))
    expect(row.error).toBeUndefined()
    expect(row.ends).toEqual({ known: [4], unknown: 0, unfinished: 0 })
    expect(row.perSecond).toBe(2)
    // glm's coefficients are given to ten digits, which at a minimum leaves the digits of the loss.
    expectClose(row.best!, glmLoss, 1e-11, 'loss')
  })

  it('scores only the runs that meet the stopping test', async () => {
    const row = await judge(iris, 'P', study([glm, off, glm, [...glm.slice(0, 4), null]]))
    expect(row.ends).toEqual({ known: [2], unknown: 0, unfinished: 2 })
    expect(row.perSecond).toBe(1)
  })

  it.each([
    ['no run met the stopping test', { ends: [off, off] }],
    ['it gave 1 ends of 5 parameters, not 2 of 5', { ends: [glm], count: 2 }],
    ['it gave 1 ends of 3 parameters, not 1 of 5', { ends: [[1, 2, 3]] }],
    ['it gave 0 ends of 5 parameters, not 2 of 5', { ends: [], count: 2 }],
    ['it gave no times', { ends: [glm], seconds: [] }],
    ['it gave no times', { ends: [glm], seconds: [1, NaN] }]
  ])('scores nothing: %s', async (error, { ends, ...more }) => {
    const row = await judge(iris, 'P', study(ends, more))
    expect(row).toMatchObject({ error, perSecond: 0, ratio: null })
  })

  it.each([
    [0.07, /^it found a lower loss, 0\.0594/],
    [0.05, /^its lowest loss, 0\.0594\d+, is above Manystart's 0\.05$/]
  ])('scores nothing where the lowest loss is not the known %f', async (loss, error) => {
    const row = await judge({ ...iris, points: [{ kind: 'minimum', loss }] }, 'P', study([glm]))
    expect(row.perSecond).toBe(0)
    expect(row.error).toMatch(error)
    expect(row.ends).toEqual({ known: [0], unknown: 1, unfinished: 0 })
  })
})

describe('derivatives of a peer', () => {
  /** At θ = 0 the logistic function is ½: g = mean (½ − y) x, H = mean ¼ x xᵀ. */
  const columns = (): number[][] => iris.shared.x.map(row => [1, ...row])
  const gradient = (): number[] =>
    glm.map((_, p) => columns().reduce((sum, x, i) => sum + (0.5 - iris.shared.y[i]) * x[p], 0) / iris.shared.N)
  const hessian = (): number[][] =>
    glm.map((_, p) => glm.map((_, q) => columns().reduce((sum, x) => sum + 0.25 * x[p] * x[q], 0) / iris.shared.N))
  const figure = (what: 'gradient' | 'hessian', sample: NonNullable<PeerFigure['sample']>): PeerFigure => ({
    what,
    problem: 'iris',
    method: 'made up',
    count: 10,
    seconds: [1, 2, 4],
    sample
  })

  it('score when they are right, nested or flat', async () => {
    for (const sample of [gradient(), [gradient()]])
      expect(await judge(iris, 'P', figure('gradient', sample))).toMatchObject({ perSecond: 5 })
    for (const sample of [hessian().flat(), [hessian()]])
      expect(await judge(iris, 'P', figure('hessian', sample))).toMatchObject({ perSecond: 5 })
  })

  it('score nothing with one element off, a NaN, or too few', async () => {
    const off = hessian()
    off[1][2] += 1e-6
    const cases: [PeerFigure, RegExp][] = [
      [figure('hessian', [off]), /^its hessian differs from Manystart's by 1\.0e-6$/],
      [figure('gradient', [...gradient().slice(0, 4), null]), /differs from Manystart's by Infinity/],
      [figure('gradient', gradient().slice(0, 4)), /it gave 4 numbers to check, no multiple of 5/],
      [figure('gradient', []), /it gave 0 numbers/],
      // A gradient of the sum, not of the mean.
      [
        figure(
          'gradient',
          gradient().map(v => 100 * v)
        ),
        /its gradient differs/
      ]
    ]
    for (const [wrong, error] of cases) {
      const row = await judge(iris, 'P', wrong)
      expect(row.perSecond).toBe(0)
      expect(row.error).toMatch(error)
    }
  })
})

const made = (peer: string, more: Partial<PeerRow>): PeerRow => ({
  peer,
  what: 'study',
  problem: names.net,
  method: 'made up',
  count: 100,
  seconds: [1],
  perSecond: 100,
  ratio: null,
  ...more
})
const ours = made('Manystart', { method: 'newton', count: 1000, seconds: [2, 2], perSecond: 500 })
const faster = made('Manystart', { method: 'lbfgs', count: 1000, seconds: [1, 1], perSecond: 1000 })
const half = made('JAX', {
  seconds: [2, 2],
  perSecond: 25,
  ends: { known: [50], unknown: 0, unfinished: 50 }
})
const wrong = made('jax-js', { perSecond: 0, error: 'it found nothing' })

describe('ratios', () => {
  it('are over the fastest of ours, by runs that met the stopping test', () => {
    const [a, b, c, d] = withRatios([ours, faster, half, wrong])
    expect(a.ratio).toEqual({ ratio: 2, low: 2, high: 2 })
    expect(b.ratio).toBeNull()
    // 2 s for 50 runs beside 1 s for 1000.
    expectClose(c.ratio!.ratio, 40, tolerance('f64', 4, 40), 'ratio')
    expect(d.ratio).toBeNull()
  })

  it('do not mix problems or kinds', () => {
    const other = made('JAX', { problem: names.logistic })
    const gradient = made('JAX', { what: 'gradient' })
    for (const row of withRatios([ours, other, gradient]).slice(1)) expect(row.ratio).toBeNull()
  })

  it('become bars for the peers that were measured, by their fastest method', () => {
    const slow = made('JAX', { method: 'slow', seconds: [50], perSecond: 2 })
    const bars = peerBars(withRatios([faster, slow, half]), names.net)
    expect(bars).toHaveLength(1)
    expect(bars[0]).toMatchObject({ wanted: 10 })
    expectClose(bars[0].ratio, 40, tolerance('f64', 4, 40), 'bar')
    expect(peerBars(withRatios([faster, half]), names.logistic)).toEqual([])
  })

  it('become bars of evaluations, and of whole studies beside the search alone of JAX', () => {
    const hessian = (peer: string, perSecond: number): PeerRow => made(peer, { what: 'hessian', perSecond })
    const rows = [hessian('Manystart', 90), hessian('JAX', 4), hessian('JAX', 10), made('JAX', { what: 'gradient' })]
    expect(evaluationBars(rows, names.net)).toMatchObject([{ wanted: 8, ratio: 9 }])
    expect(evaluationBars(rows, names.large)).toEqual([])
    const whole = made('Manystart', { method: `newton, ${wholeStudy}`, perSecond: 500 })
    expect(wholeBars([faster, whole, half], names.net)).toMatchObject([{ wanted: 20, ratio: 20 }])
    expect(wholeBars([faster, half], names.net)).toEqual([])
    expect(wholeBars([faster, whole], names.net)).toEqual([])
  })

  it('count all runs of a peer of which none met the test, and say so', () => {
    const [bar] = peerBars(withRatios([faster, wrong]), names.net)
    expect(bar).toMatchObject({ wanted: 50 })
    expect(bar.what).toContain('made up, none of whose runs met the test: all are counted')
    // 1 s for 1000 runs beside 1 s for 100.
    expectClose(bar.ratio, 10, tolerance('f64', 4, 10), 'bar')
  })
})

describe('a script of a peer', () => {
  const peer = (script: string): Peer => ({ name: 'P', command: () => ({ run: [process.execPath, '-e', script] }) })
  const say = (line: object): string => `console.log(${JSON.stringify(JSON.stringify(line))});`
  const figure = { what: 'gradient', problem: 'iris', method: 'm', count: 1, seconds: [1] }
  const start = say({ peer: 'P', versions: { p: '1' } })
  const plenty = 50

  it('gives its figures and notes, and the file of problems is its last argument', async () => {
    const script = `${start}${say({ figure })}console.log(JSON.stringify({ note: process.argv[1] }));${say({ done: true })}`
    expect(await ask(peer(script), 'problems.json', plenty)).toEqual({
      answer: { peer: 'P', versions: { p: '1' }, figures: [figure], notes: ['problems.json'] },
      missing: null
    })
  })

  it('that fails is named with its error, and its figures until then are kept', async () => {
    const { answer, missing } = await ask(
      peer(`${start}${say({ figure })}throw new TypeError('no such solver')`),
      'problems.json',
      plenty
    )
    expect(answer.figures).toEqual([figure])
    expect(missing?.peer).toBe('P')
    expect(missing?.reason).toMatch(
      /^Its script failed \(exit code 1: TypeError: no such solver\); its 1 figures until then are kept\.$/
    )
  })

  it('that ends early or prints something else is named', async () => {
    const { missing } = await ask(peer(`console.log('hello');`), 'problems.json', plenty)
    expect(missing?.reason).toBe('Its script failed (it ended early: hello).')
  })

  it('that hangs is ended', async () => {
    const { missing } = await ask(peer('setInterval(() => {}, 1000)'), 'problems.json', 1)
    expect(missing?.reason).toBe('It did not end within 1 s.')
  })

  it('that is not installed is named with the reason', async () => {
    const reason = 'Rscript is not installed.'
    const { answer, missing } = await ask({ name: 'R', command: () => ({ reason }) }, 'problems.json', plenty)
    expect(missing).toEqual({ peer: 'R', reason })
    expect(answer.figures).toEqual([])
    const gone = await ask({ name: 'X', command: () => ({ run: ['no-such-program-here'] }) }, 'problems.json', plenty)
    expect(gone.missing?.reason).toMatch(/^Its script failed \(.*ENOENT/)
  })

  it('measures only problems that it is given', () => {
    const folder = join(import.meta.dirname, '../../benchmarks/peers')
    const scripts = readdirSync(folder).filter(file => /_peer\.(py|R|mjs)$/.test(file))
    expect(scripts).toHaveLength(5)
    const known: string[] = Object.values(names)
    for (const script of scripts) {
      const text = readFileSync(join(folder, script), 'utf8')
      const used = [...text.matchAll(/["']((?:iris2|N=)[^"']*)["']/g)].map(m => m[1])
      expect(used.length, script).toBeGreaterThan(0)
      for (const name of used) expect(known, script).toContain(name)
    }
  })
})

describe('the tables', () => {
  const rows = withRatios([
    { ...faster, ends: { known: [700, 299, 0], unknown: 0, unfinished: 1 } },
    { ...half, ends: { known: [40, 9, 1], unknown: 0, unfinished: 50 }, ownStarts: true },
    wrong,
    made('Manystart', { what: 'hessian' }),
    made('JAX', { what: 'hessian', seconds: [7], perSecond: 100 / 7 })
  ])
  const results: PeerResults = {
    versions: { JAX: { jax: '1.2', optimistix: '3.4' } },
    rows,
    points: {
      [names.net]: [
        { kind: 'minimum', loss: 0.125 },
        { kind: 'degenerate', loss: 0.25 },
        { kind: 'saddle', loss: 0.5 }
      ]
    },
    missing: [{ peer: 'R', reason: 'Rscript is not installed.' }],
    notes: ['JAX: a note.'],
    threads: 2,
    bars: peerBars(rows, names.net),
    date: '2026-01-02T03:04:05Z'
  }

  it('say where runs ended, what is wrong, what is missing, and the versions', () => {
    const text = peerTables(results).join('\n')
    expect(text).toContain('| Manystart | lbfgs | 1000 | 1 k/s |  | 70.0 % | 29.9 % |  |  | 0.1 % |')
    expect(text).toContain(
      '| JAX | made up (its own starts) | 100 | 25/s | 40.0 (40.0 to 40.0) | 40.0 % | 9.0 % | 1.0 % |  | 50.0 % |'
    )
    expect(text).toContain('| 0.125000 | 0.250000 degenerate | 0.500000 saddle |')
    expect(text).toContain('| jax-js | made up | 100 | – | wrong: it found nothing |')
    expect(text).toContain('| JAX | made up | 100 | 14.3/s | 7.00 (7.00 to 7.00) |')
    expect(text).toContain('- R is missing or not complete: Rscript is not installed.')
    expect(text).toContain('JAX (jax 1.2, optimistix 3.4). Measured on 2026-01-02.')
    expect(text).toContain('- JAX: a note.')
    expect(text).not.toMatch(/undefined|NaN|Infinity/)
  })

  it('have as many cells in every row of a table', () => {
    for (const part of peerTables(results).filter(text => text.startsWith('|'))) {
      const cells = part.split('\n').map(line => line.split('|').length)
      expect(new Set(cells).size).toBe(1)
    }
  })

  it('gather what has no column of its own', () => {
    const points = Array.from({ length: 7 }, (_, k) => ({ kind: 'minimum' as const, loss: k }))
    const known = [10, 1, 20, 30, 2, 25, 12]
    const many = {
      ...results,
      points: { [names.net]: points },
      rows: [{ ...ours, count: 100, ends: { known, unknown: 0, unfinished: 0 } }]
    }
    const text = peerTables(many, textTable).join('\n')
    expect(text).toContain('0.000000  2.000000  3.000000  5.000000  6.000000  other known')
    expect(text).toMatch(/10\.0 % +20\.0 % +30\.0 % +25\.0 % +12\.0 % +3\.0 %/)
  })

  it('carry the bars to the terminal and the page', () => {
    expect(barLines(results)).toEqual([
      `runs of ${names.net} beside JAX's fastest (made up): 40.0 times, wanted 10: met.`,
      `runs of ${names.net} beside jax-js's fastest (made up, none of whose runs met the test: all are counted): 10.0 times, wanted 50: not met.`
    ])
    const stored = {
      format: 'manystart/bench' as const,
      version: 1 as const,
      machine: describeMachine(),
      records: [],
      missing: [],
      wallSeconds: 0
    }
    expect(barsOf({ ...stored, peers: results })).toEqual([
      { what: results.bars[0].what, wanted: '≥ 10 times', measured: '40.0 times', met: true },
      { what: results.bars[1].what, wanted: '≥ 50 times', measured: '10.0 times', met: false }
    ])
    const slower = { ...results, bars: [{ ...results.bars[0], ratio: 9 }] }
    expect(barsOf({ ...stored, peers: slower })[0].met).toBe(false)
    expect(barLines(slower)[0]).toContain('not met')
  })
})
