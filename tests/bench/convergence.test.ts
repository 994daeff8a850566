// `bench convergence`: counting towards targets, figures from raw samples, resuming, and the page.
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  hitsOf,
  progressOf,
  thinnedSteps,
  type CellResult,
  type ProblemAnswer
} from '../../src/bench/convergence/cell.js'
import { runConvergence, type ConvergenceResults } from '../../src/bench/convergence/convergence.js'
import { iohFiles } from '../../src/bench/convergence/ioh.js'
import { convergencePage, convergenceTables, convergenceText, drawPictures } from '../../src/bench/convergence/page.js'
import { allFigures, profilesOf, type Figures } from '../../src/bench/convergence/figures.js'
import { kindOf, winnerRows, winnersOf } from '../../src/bench/convergence/winners.js'
import { cellsOf, defaultGrid, readGrid, type Grid } from '../../src/bench/convergence/grid.js'
import { acquireLock } from '../../src/runs/lock.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectRefusal, file, freshOut, manystart } from '../cli/helpers.js'
import { epsOf, expectClose } from '../helpers/tolerance.js'

const smallGrid = `
data: {iris2: {builtin: iris2, standardize: true}}
models:
  logistic ridge: {loss: logistic, ridge: 0.05, penalizeBias: true}
  net: {hidden: [2], loss: logistic, ridge: 0.02, penalizeBias: true}
optimizers: {gd: {gd: {learningRate: 0.5}}, newton: newton}
engines: [reference]
seeds: [1]
starts: 6
steps: {gd: 1000}
targets: [0.1, 1.0e-4, 1.0e-8]
`

const gridFrom = (name: string, text: string): Grid => readGrid(file(name, text))

async function run(
  grid: Grid,
  out: string,
  stopAfter = Infinity,
  force = false
): Promise<{ results: ConvergenceResults | undefined; fresh: number }> {
  const controller = new AbortController()
  let fresh = 0
  const results = await runConvergence(grid, 'the test', {
    out,
    force,
    signal: controller.signal,
    onCell: (_cell, _done, _total, stored) => {
      if (!stored) fresh++
      if (fresh >= stopAfter) controller.abort()
    },
    beside: () => Promise.resolve({ page: '', pictures: new Map(), ioh: new Map() })
  })
  return { results, fresh }
}

describe('steps to a target', () => {
  it('are counted from 1, null where it is never met', () => {
    expect(hitsOf([3, 1.5, 1.01, 1], 1, [1, 0.1, 0.001, 0])).toEqual([2, 3, 4, 4])
    expect(hitsOf([3, NaN, 2], 1, [0.5])).toEqual([null])
  })
  it('progress: the first step at each fifth of a decade, and the end', () => {
    // Gaps 200, 50, 50, 40, 1, 1e-9: below 10^2 … 10^1.8 at 50; 40 crosses 10^1.8 ≥ 40 → 10^1.6 = 39.8 is not reached.
    expect(progressOf([200, 50, 50, 45, 1, 1e-9, 1e-9], 0)).toEqual([
      [1, 200],
      [2, 50],
      [5, 1],
      [6, 1e-9],
      [7, 1e-9]
    ])
    expect(progressOf([5, 1, 5, 2], 1, 2)).toEqual([
      [2, 1],
      [4, 1]
    ])
    expect(progressOf([NaN], 0)).toEqual([])
  })
  it('with mini-batches only the ends of epochs count', () => {
    expect(hitsOf([1, 5, 1, 5, 1, 1], 1, [0.1], 2)).toEqual([6])
  })
  it('steps are thinned without losing the first and the last', () => {
    expect(thinnedSteps(5, 10)).toEqual([1, 2, 3, 4, 5])
    const steps = thinnedSteps(5000, 50)
    expect(steps[0]).toBe(1)
    expect(steps.at(-1)).toBe(5000)
    expect(steps.length).toBeLessThanOrEqual(50)
    expect(steps.every((s, i) => i === 0 || s > steps[i - 1])).toBe(true)
  })
})

describe('figures', () => {
  const problem: ProblemAnswer = {
    key: 'p',
    data: 'd',
    model: 'm',
    rows: 10,
    parameters: 2,
    convex: false,
    ridge: true,
    floor: 1,
    floorIs: 'minimum',
    minima: [1, 2],
    eigenvalues: [1, 2]
  }
  const fit = { kind: 'linear' as const, order: 1, contraction: 0.5, points: 9 }
  const cell = (optimizer: string, hits: (number | null)[], steps: number[], seconds: number): CellResult => ({
    key: optimizer,
    problem: 'p',
    data: 'd',
    model: 'm',
    optimizer,
    engine: 'reference',
    precision: 'f64',
    device: '',
    threads: 1,
    seed: 1,
    starts: hits.length,
    targets: [0.01],
    perStep: { f: 1, g: 1, H: optimizer === 'b' ? 1 : 0, rows: 10 },
    seconds: [seconds],
    stepsTotal: steps.reduce((a, b) => a + b, 0),
    minima: [1, 2, 2 + 1e-13],
    runs: {
      steps,
      verdict: hits.map(h => (h === null ? 'unfinished' : 'minimum')),
      loss: hits.map(() => 1),
      hits: hits.map(h => [h]),
      progress: hits.map((_, r) => [[steps[r], 1] as const]),
      gradientRate: hits.map(() => fit),
      gapRate: hits.map(() => ({ ...fit, contraction: 0.25 }))
    },
    theory: { kind: 'linear', contraction: 0.5, bound: 0.5, reason: '' },
    curves: { steps: [], lossGap: { q25: [], median: [], q75: [] }, gradientNorm: { q25: [], median: [], q75: [] } },
    paths: []
  })

  it('expected running time by hand: in evaluations, and in seconds of the engine', () => {
    const [a] = allFigures([cell('a', [10, null, 30], [12, 60, 48], 0.12)], [problem])
    // 10 + 60 + 30 over two successes; 0.12 s for 120 steps.
    expect(a.targets[0].evaluations.value).toBe(50)
    expectClose(a.targets[0].seconds.value!, 0.05, 10 * epsOf.f64, 'seconds')
    expect(a.targets[0].successRate).toBe(2 / 3)
    expect(a.evaluations).toEqual({ f: 120, g: 120, H: 0, rows: 1200 })
    expect(a.verdicts.minimum).toBe(2)
    expect(a.distinctMinima).toBe(2)
    expectClose(a.minimaPerSecond, 2 / 0.12, 1e-12, 'minima per second')
    expect(a.rate).toEqual({ kind: 'linear', share: 1, order: 1, contraction: 0.5, gapContraction: 0.25 })
    // The run that ends without after 60 is followed by others until one arrives.
    expect(a.ecdf.slice(0, 2)).toEqual([
      { cost: 10, share: 1 / 3 },
      { cost: 30, share: 2 / 3 }
    ])
    expect(a.ecdf.at(-1)!.share).toBe(1)
    expect((a.ecdf.at(-1)!.cost - 60) % 10).toBe(0)
    expect(a.restartsFrom).toEqual({ cost: 60, share: 2 / 3 })
  })

  it('never reached is null, and the profile stays at 0', () => {
    const figures = allFigures([cell('a', [null], [9], 1), cell('b', [4], [5], 1)], [problem])
    expect(figures[0].targets[0].evaluations).toEqual({ value: null, low: null, high: null })
    expect(figures[1].evaluations.H).toBe(5)
    const profiles = profilesOf(figures).filter(p => p.cost === 'evaluations')
    expect(profiles.map(p => [p.solver, p.points])).toEqual([
      ['a', []],
      ['b', [{ factor: 1, share: 1 }]]
    ])
  })
})

describe('who won', () => {
  const blank: Omit<Figures, 'data' | 'model' | 'optimizer' | 'engine' | 'runs' | 'convex' | 'ridge' | 'targets'> = {
    verdicts: { minimum: 0, degenerate: 0, saddle: 0, diverging: 0, unfinished: 0, failed: 0 },
    evaluations: { f: 0, g: 0, H: 0, rows: 0 },
    seconds: 0,
    distinctMinima: 0,
    minimaPerSecond: 0,
    ecdf: [],
    restartsFrom: null,
    rate: { kind: 'unclear', share: 0, order: null, contraction: null, gapContraction: null },
    theory: { kind: 'unclear', contraction: null, bound: null, reason: '' }
  }
  const costs = (value: number | null, spread = 0.1) => ({
    value,
    low: value === null ? null : value * (1 - spread),
    high: value === null ? null : value * (1 + spread)
  })
  const figures = (
    model: string,
    optimizer: string,
    values: readonly (number | null)[],
    kind: { convex: boolean; ridge: boolean }
  ): Figures => ({
    ...blank,
    data: 'd',
    model,
    optimizer,
    engine: 'e',
    runs: 10,
    ...kind,
    targets: values.map(v => ({
      target: 1,
      successRate: v === null ? 0 : 1,
      successInterval: [0, 1],
      evaluations: costs(v),
      seconds: costs(v === null ? null : 1 / v)
    }))
  })
  const convex = { convex: true, ridge: false }
  const free = { convex: false, ridge: false }

  it('is counted over pairs of model and target, clearly where intervals do not meet', () => {
    const winners = winnersOf([
      figures('a', 'x', [1, 10, null], convex),
      figures('a', 'y', [2, 10.5, 7], convex),
      figures('b', 'x', [null, null, null], free),
      figures('b', 'y', [null, null, null], free)
    ])
    expect(winners.map(w => [w.kind, w.cost, w.decided, w.pairs])).toEqual([
      ['convex', 'evaluations', 3, 3],
      ['convex', 'seconds', 3, 3],
      ['not convex, without ridge', 'evaluations', 0, 3],
      ['not convex, without ridge', 'seconds', 0, 3]
    ])
    expect(winners[0].standings).toEqual([
      { solver: 'x', wins: 2, clear: 1, reached: 0 },
      { solver: 'y', wins: 1, clear: 1, reached: 1 }
    ])
    expect(winners[1].standings[0]).toMatchObject({ solver: 'y', wins: 3 })
    expect(winnerRows(winners)).toEqual([
      ['convex (1)', 'x 2 of 3 (1 clearly), y 1 of 3', 'y 3 of 3 (2 clearly)', 'y, 100 %'],
      ['not convex, without ridge (1)', 'nobody', 'nobody', 'all alike, 0 %']
    ])
  })

  it('kinds', () => {
    expect(kindOf({ convex: false, ridge: true })).toBe('not convex, with ridge')
    expect(kindOf({ convex: true, ridge: true })).toBe('convex')
  })
})

describe('the grid', () => {
  it('built in: every model, optimiser and seed, convex and not', () => {
    const { problems, cells } = cellsOf(defaultGrid, 'the built-in grid')
    expect(problems.length).toBeGreaterThanOrEqual(4)
    expect(cells).toHaveLength(problems.length * Object.keys(defaultGrid.optimizers).length * defaultGrid.seeds.length)
    expect(new Set(cells.map(c => c.key)).size).toBe(cells.length)
  })

  it('a model can be kept to some of the data', () => {
    const grid = gridFrom(
      'only.yaml',
      'data: {a: {builtin: iris2}, b: {builtin: insect_sprays}}\nmodels: {p: {loss: poisson, data: [b]}}\noptimizers: {newton: newton}\n'
    )
    expect(cellsOf(grid, 'only.yaml').problems.map(p => p.data)).toEqual(['b'])
  })

  it('refuses what it does not know in one sentence', async () => {
    const bad = (name: string, text: string): Promise<void> =>
      manystart(['bench', 'convergence', file(name, text), '--out', freshOut()]).then(o =>
        expectRefusal(o, 2, new RegExp(name.split('.')[0]))
      )
    await bad('optimisers.yaml', 'data: {a: {builtin: iris2}}\nmodels: {m: {}}\noptimisers: {newton: newton}\n')
    await bad('models.yaml', 'data: {a: {builtin: iris2}}\noptimizers: {newton: newton}\n')
    await bad('ridgee.yaml', 'data: {a: {builtin: iris2}}\nmodels: {m: {ridgee: 1}}\noptimizers: {newton: newton}\n')
    await bad('newtn.yaml', 'data: {a: {builtin: iris2}}\nmodels: {m: {}}\noptimizers: {newton: newtn}\n')
    await bad(
      'slow.yaml',
      'data: {a: {builtin: iris2}}\nmodels: {m: {}}\noptimizers: {newton: newton}\nsteps: {slow: 3}\n'
    )
  })
})

describe('a run of the grid', () => {
  const grid = gridFrom('small.yaml', smallGrid)
  let done: ReturnType<typeof run> | undefined
  /** The grid in one go, which the tests look at. */
  const whole = () => (done ??= run(grid, freshOut()))

  it('interrupted, goes on with what is missing and ends with the same samples', async () => {
    const once = await whole()
    expect(once.fresh).toBe(4)
    const out = freshOut()
    const first = await run(grid, out, 2)
    expect(first).toEqual({ results: undefined, fresh: 2 })
    const stored = readdirSync(join(out, 'cells')).map(name => join(out, 'cells', name))
    expect(stored).toHaveLength(2)
    const times = stored.map(path => statSync(path).mtimeMs)
    // A file that was cut off counts as missing.
    writeFileSync(stored[0], '{"key": "')
    const second = await run(grid, out)
    expect(second.fresh).toBe(3)
    expect(stored.slice(1).map(path => statSync(path).mtimeMs)).toEqual(times.slice(1))
    const samples = (r: ConvergenceResults | undefined) => r?.cells.map(({ seconds: _, ...rest }) => rest)
    expect(samples(second.results)).toEqual(samples(once.results))
    expect((await run(grid, out)).fresh).toBe(0)
    const kept = JSON.parse(readFileSync(join(out, 'convergence.json'), 'utf8')) as ConvergenceResults
    expect(kept.cells).toEqual(second.results?.cells)
    expect(kept.figures).toEqual(second.results?.figures)
  })

  it('goes on past what a kill has left, whatever was being written', async () => {
    const random = randomNumbers(11)
    const names = ['grid.json', 'convergence.json', 'report.html', 'cells/some.json', 'problems/some.json', 'ioh/a.dat']
    const dead = { host: hostname(), pid: 2 ** 22 + 1, started: '1', token: '1-1-1' }
    for (let k = 0; k < 6; k++) {
      const out = freshOut()
      // A kill may have come before the grid was there.
      const isBegun = random() < 0.7
      if (isBegun) await run(grid, out, 1)
      else mkdirSync(out)
      for (const name of names.filter(name => (isBegun || !name.includes('/')) && random() < 0.5)) {
        const path = join(out, dirname(name), `.${basename(name)}.partial`)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, '{"cells": [')
      }
      if (random() < 0.5) writeFileSync(join(out, '.lock'), JSON.stringify(dead))
      expect((await run(grid, out, 1)).fresh).toBe(1)
      expect(readdirSync(out).filter(name => name.startsWith('.'))).toEqual([])
    }
  })

  it('is that of the first of two processes', async () => {
    const out = freshOut()
    await run(grid, out, 1)
    const lock = await acquireLock(out)
    await expect(run(grid, out)).rejects.toThrow(/is being written by process \d+/)
    await lock.release()
  })

  it('agrees with what is known: rates, theory, minima, targets', async () => {
    const { results } = await whole()
    const [logistic, net] = results!.problems
    expect(logistic?.convex).toBe(true)
    expect(net?.convex).toBe(false)
    expect(logistic?.minima).toHaveLength(1)
    const figures = results!.figures.filter(f => f.model === 'logistic ridge')
    const gd = figures.find(f => f.optimizer === 'gd')!
    const newton = figures.find(f => f.optimizer === 'newton')!
    expect(newton.rate.kind).toBe('quadratic')
    expect(newton.targets.at(-1)!.successRate).toBe(1)
    expect(gd.rate.kind).toBe('linear')
    expectClose(gd.rate.contraction!, gd.theory.contraction!, 2e-3, 'contraction of gradient descent beside theory')
    expect(gd.targets[0].evaluations.value!).toBeGreaterThan(newton.targets[0].evaluations.value!)
    expect(newton.evaluations.H).toBe(newton.evaluations.g)
    expect(newton.evaluations.rows).toBe(newton.evaluations.f * 100)
  })

  it('makes a page and a table that hold no number that is none, and load nothing', async () => {
    const { results } = await whole()
    const pictures = await drawPictures(results!)
    const page = convergencePage(results!, pictures)
    expect(page).not.toMatch(/undefined|NaN|Infinity/)
    expect(page).not.toMatch(/<(script|link|img)\b|src=|url\(/)
    expect(page.match(/<svg /g)!.length).toBe(2 + 3 * results!.problems.length)
    expect(page).toContain('iris2: net')
    const text = convergenceText(results!, 80)
    expect(text).not.toMatch(/undefined|NaN|Infinity/)
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
    const tables = convergenceTables(results!)
    expect(tables).toHaveLength(results!.problems.length)
    for (const { head, rows } of tables) for (const row of rows) expect(row).toHaveLength(head.length)
    expect(tables.flatMap(table => table.rows.flat()).join(' ')).not.toMatch(/undefined|NaN|Infinity/)
  })

  it('files for IOHprofiler: a table of each run, gaps that fall to where the run ended', async () => {
    const { results } = await whole()
    const files = iohFiles(results!)
    const [path, text] = [...files].find(([name]) => /^newton\/.*net\.json$/.test(name))!
    const meta = JSON.parse(text) as {
      scenarios: { dimension: number; path: string; runs: { evals: number; best: { y: number } }[] }[]
    }
    const [scenario] = meta.scenarios
    const cell = results!.cells.find(c => c.optimizer === 'newton' && c.model === 'net')!
    expect(scenario.dimension).toBe(results!.problems[1].parameters)
    expect(scenario.runs.map(x => x.evals)).toEqual(cell.runs.steps)
    const runs = files
      .get(`${path.split('/')[0]}/${scenario.path}`)!
      .trim()
      .split(/^evaluations raw_y\n/m)
      .slice(1)
      .map(rows =>
        rows
          .trim()
          .split('\n')
          .map(line => line.split(' ').map(Number))
      )
    expect(runs).toHaveLength(grid.starts)
    runs.forEach((rows, r) => {
      expect(rows.every(([at, y], k) => k === 0 || (at > rows[k - 1][0] && y <= rows[k - 1][1]))).toBe(true)
      expect(rows.at(-1)).toEqual([cell.runs.steps[r], scenario.runs[r].best.y])
    })
    // Who came within a target by the runs' own count has done so here.
    grid.targets.forEach((target, t) => {
      const there = runs.map(rows => rows.find(([, y]) => y <= target)?.[0] ?? null)
      const wanted = cell.runs.hits.map(hits => hits[[...grid.targets].sort((a, b) => b - a).indexOf(target)])
      expect(there, `${t}`).toEqual(wanted)
    })
  })

  it('does not touch a directory that is not its own, nor mix grids', async () => {
    const out = freshOut()
    mkdirSync(out)
    writeFileSync(join(out, 'letter.txt'), 'dear')
    await expect(run(grid, out)).rejects.toThrow(/other files \(letter\.txt\)/)
    expect(readdirSync(out)).toEqual(['letter.txt'])
    rmSync(join(out, 'letter.txt'))
    // Names that are ours, too, may be those of others.
    mkdirSync(join(out, 'pictures'))
    writeFileSync(join(out, 'pictures', 'holiday.svg'), 'mine')
    await expect(run(grid, out)).rejects.toThrow(/another grid/)
    for (const text of [undefined, '{"mine":1}', 'mine']) {
      if (text !== undefined) writeFileSync(join(out, 'grid.json'), text)
      await expect(run(grid, out, 1, true)).rejects.toThrow(/does not hold such results of this program/)
    }
    expect(readFileSync(join(out, 'pictures', 'holiday.svg'), 'utf8')).toBe('mine')
    rmSync(out, { recursive: true })
    await run(grid, out, 1)
    await expect(run({ ...grid, starts: 7 }, out)).rejects.toThrow(/another grid/)
    expect((await run({ ...grid, starts: 7 }, out, 1, true)).fresh).toBe(1)
  })
})
