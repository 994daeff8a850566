// The library: what a program gives and gets.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  check,
  evaluate,
  evaluator,
  InputError,
  readRuns,
  runs,
  study,
  type Run,
  type StoredRun,
  type StudyInput
} from '../../src/index.js'
import { scratch } from '../helpers/files.js'
import { symmetricEigen } from '../../src/core/linalg.js'
import { normalQuantile, uniform, words } from '../../src/core/rng.js'

const N = 12
const normals = (seed: number): Float64Array =>
  Float64Array.from(words(seed, 0, 0, 0, N), w => normalQuantile(uniform(w)))
/** Columns far from 0 and of different sizes, so that the coordinates of the computation are others. */
const x1 = normals(1).map(v => 1000 + v)
const x2 = normals(2).map(v => 1e-3 * v)
const y = normals(3).map(v => 3 + v)
const line: StudyInput = { data: { columns: { x1, x2, y }, target: 'y' }, model: { loss: 'squared' } }

describe('evaluate', () => {
  const engines = ['reference', 'cpu'] as const
  it.each(engines)('gives f, g and H of least squares by hand, in the columns as given (%s)', async engine => {
    const points = [
      [3, 0, 0],
      [-990, 1, 40]
    ]
    const { count, f, g, H } = await evaluate({ ...line, engine }, points, { g: true, H: true })
    expect(count).toBe(2)
    const X = Array.from({ length: N }, (_, i) => [1, x1[i], x2[i]])
    points.forEach((b, r) => {
      const residuals = X.map((row, i) => row.reduce((s, v, p) => s + v * b[p], -y[i]))
      const sizes = X.map((row, i) => row.reduce((s, v, p) => s + Math.abs(v * b[p]), Math.abs(y[i])))
      const eps = 2 ** -52 * 64 * N
      const most = Math.max(...sizes)
      const loss = residuals.reduce((s, v) => s + (v * v) / 2 / N, 0)
      expect(Math.abs(f[r] - loss)).toBeLessThanOrEqual(eps * most * most)
      for (let p = 0; p < 3; p++) {
        const gradient = X.reduce((s, row, i) => s + (row[p] * residuals[i]) / N, 0)
        const size = Math.max(...X.map(row => Math.abs(row[p])))
        expect(Math.abs(g![3 * r + p] - gradient)).toBeLessThanOrEqual(eps * most * size)
        for (let q = 0; q < 3; q++) {
          const hessian = X.reduce((s, row) => s + (row[p] * row[q]) / N, 0)
          const other = Math.max(...X.map(row => Math.abs(row[q])))
          expect(Math.abs(H![9 * r + 3 * p + q] - hessian)).toBeLessThanOrEqual(eps * size * other)
        }
      }
    })
  })

  it('agrees with what a study says of its minimum, with a ridge on standardised columns', async () => {
    const config: StudyInput = {
      data: { builtin: 'iris2' },
      model: { hidden: [2], ridge: 0.01, penalizeBias: true },
      starts: { count: 20 }
    }
    const { minima } = await study(config)
    const [best] = minima
    const prepared = await evaluator(config)
    try {
      expect(prepared.names).toEqual(best.names)
      const { f, g, H } = await prepared.evaluate([best.parameters], { g: true, H: true })
      const P = best.parameters.length
      const { values } = symmetricEigen(H!, P)
      const top = Math.max(...values)
      expect(Math.abs(f[0] - best.loss)).toBeLessThanOrEqual(2 ** -52 * 1e3)
      expect(Math.max(...g!.map(Math.abs))).toBeLessThanOrEqual(2 ** -52 * 1e4 * top)
      best.eigenvalues.forEach((v, p) => expect(Math.abs(v - values[p])).toBeLessThanOrEqual(2 ** -52 * 1e4 * top))
    } finally {
      prepared.dispose()
    }
  })

  it('gives those of an objective in its own parameters, within bounds', async () => {
    const config: StudyInput = {
      model: { objective: 'a^2 * b', parameters: { a: { bounds: [0, null], init: { uniform: [1, 2] } }, b: {} } }
    }
    const { f, g, H } = await evaluate(config, [Float64Array.of(3, 5)], { g: true, H: true })
    expect([...f, ...g!, ...H!]).toEqual([45, 30, 9, 10, 6, 6, 0])
  })

  it('writes into the arrays of an earlier answer, and gives the same', async () => {
    const prepared = await evaluator({ ...line, engine: 'cpu' })
    try {
      const needs = { g: true, H: true }
      const points = [
        [3, 0, 0],
        [-990, 1, 40]
      ]
      const fresh = await prepared.evaluate(points, needs)
      const used = await prepared.evaluate(points.slice().reverse(), needs)
      const again = await prepared.evaluate(points, needs, used)
      expect(again).toEqual(fresh)
      for (const name of ['f', 'g', 'H'] as const) expect(again[name]).toBe(used[name])
      // Of another number of points, they cannot be used.
      expect(await prepared.evaluate(points.slice(0, 1), needs, fresh)).toEqual({
        count: 1,
        f: fresh.f.slice(0, 1),
        g: fresh.g!.slice(0, 3),
        H: fresh.H!.slice(0, 9)
      })
    } finally {
      prepared.dispose()
    }
  })

  it('refuses points that are none, by their number', async () => {
    await expect(evaluate(line, [[1, 2, 3], [1]])).rejects.toThrow('Point 1 has 1 numbers; give 3')
    await expect(evaluate(line, [[1, NaN, 3]])).rejects.toThrow(InputError)
    await expect(evaluate(line, new Float64Array(4))).rejects.toThrow('a multiple of 3')
  })
})

describe('runs', () => {
  const config: StudyInput = {
    data: { builtin: 'iris2' },
    model: { hidden: [1], ridge: 0.01 },
    starts: { count: 3000 }
  }

  it('hands over every run once, and at the end the summary', async () => {
    const seen: Run[] = []
    const sequence = runs({ ...config, starts: { count: 100 } })
    let next = await sequence.next()
    for (; !next.done; next = await sequence.next()) seen.push(next.value)
    const summary = next.value
    expect(seen.map(run => run.start).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    for (const [verdict, count] of Object.entries(summary.verdicts))
      expect(seen.filter(run => run.verdict === verdict).length).toBe(count)
    const best = summary.minima[0]
    const first = seen.find(run => run.start === best.firstStart)!
    expect(first.loss).toBeCloseTo(best.loss, 12)
    expect(first.parameters.length).toBe(best.names.length)
    expect(first.metrics.train.accuracy).toBe(best.metrics!.train.accuracy)
  })

  it('stop when the loop is left', async () => {
    let last = 0
    let told = 0
    for await (const run of runs(config, { lanes: 8, onProgress: ({ done }) => (last = done) })) {
      expect(run.start).toBeLessThan(1e5)
      if (++told === 10) break
    }
    expect(told).toBe(10)
    expect(last).toBeLessThan(1e5)
  })

  it('fail as the study does', async () => {
    const all = async () => {
      for await (const run of runs({ data: { builtin: 'iris2', target: 'No' } })) expect(run).toBeUndefined()
    }
    await expect(all()).rejects.toThrow(InputError)
  })
})

describe('readRuns', () => {
  const config: StudyInput = { data: { builtin: 'iris2' }, model: { hidden: [1], ridge: 0.01 }, starts: { count: 60 } }

  it('gives the runs of a directory in order, as they ended, with the point that each is at', async () => {
    const out = join(scratch, 'stored')
    const ended: Run[] = []
    const sequence = runs(config, { out })
    let next = await sequence.next()
    for (; !next.done; next = await sequence.next()) ended.push(next.value)
    const stored: StoredRun[] = []
    for await (const run of readRuns(out)) stored.push(run)
    ended.sort((a, b) => a.start - b.start)
    expect(stored.map(({ point: _, ...run }) => run)).toEqual(ended)
    const { minima, degenerate, saddles } = next.value
    for (const point of [...minima, ...degenerate, ...saddles])
      expect(stored.filter(run => run.point === point.id).map(run => run.verdict)).toEqual(
        Array.from({ length: point.count }, () => stored[point.firstStart].verdict)
      )
  })

  it('holds no parameters where the study kept none', async () => {
    const out = join(scratch, 'none')
    await study({ ...config, keep: 'none', starts: { count: 5 } }, { out })
    for await (const run of readRuns(out)) expect([run.parameters.length, run.found.parameters]).toEqual([0, undefined])
  })

  it('refuses a directory without a study', async () => {
    await expect(readRuns(scratch).next()).rejects.toThrow(InputError)
  })
})

it('check finds what lies in arrays', async () => {
  const rows = [0, 1, 2, 3].map(x => ({ x, twice: 2 * x, y: x > 1 ? 'yes' : 'no' }))
  const found = await check({ data: { rows, target: 'y' } })
  expect(found).toMatchObject({ loss: 'logistic', rows: 4, rank: { rank: 2, columns: 3, full: false } })
  expect(found.separation.status).toBe('complete')
})
