// Multiplicity of whole studies: none for convex models, that of a network from its definition and a forward pass of its own, and the
// same however the runs were made.
import { beforeAll, describe, expect, it } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { parquetReadObjects } from 'hyparquet'
import type { LevelSet, Multiplicity } from '../../src/core/multiplicityResult.js'
import type { Summary } from '../../src/core/result.js'
import { multiplicityText } from '../../src/report/multiplicity.js'
import { renderReport } from '../../src/report/render.js'
import { studyText } from '../../src/report/text.js'
import { exportedMultiplicity } from '../../src/study/export/multiplicity.js'
import type { RowMultiplicity } from '../../src/study/multiplicity/index.js'
import type { Run } from '../../src/study/endedRun.js'
import { mergeStudies } from '../../src/study/merge.js'
import { resumeStudy, sumUp } from '../../src/study/study.js'
import { csv, freshOut } from '../helpers/files.js'
import { study } from '../helpers/study.js'

const N = 24
const numbers = (seed: number): number[] => Array.from(words(seed, Stream.generator, 0, 0, N), uniform)
const x1 = numbers(1).map(v => 40 + 6 * v)
const x2 = numbers(2).map(v => 4 * v - 2)
const weight = numbers(3).map(v => 1 + Math.floor(3 * v))
// An exclusive or with noise: several minima.
const noise = numbers(4)
const label = x1.map((v, i) => ((v > 43 === x2[i] > 0) !== noise[i] < 0.15 ? 'yes' : 'no'))
const table = csv(
  'rows.csv',
  ['x1', 'x2', 'weight', 'label'],
  label.map((y, i) => [x1[i], x2[i], weight[i], y])
)
const data = { csv: table, target: 'label', weights: 'weight', standardize: true }
const epsilon = [0, 0.05, 0.2]
const network = {
  data: { ...data, test: { fraction: 0.25, seed: 3 } },
  model: { hidden: [2], ridge: 0.001, penalizeBias: true },
  starts: { count: 40, seed: 2, init: { normal: 3 } },
  multiplicity: { epsilon },
  engine: 'cpu'
}

describe('a convex model', () => {
  it.each([
    ['two classes', { builtin: 'iris2' }, 'logistic'],
    ['three classes', { builtin: 'iris3' }, 'softmax'],
    ['a number', { builtin: 'longley' }, 'squared']
  ])('has no multiplicity: %s', async (_, given, loss) => {
    const {
      multiplicity: m,
      minima,
      degenerate
    } = await study({
      data: { ...given, standardize: true },
      model: { loss, ridge: 0.01 },
      starts: { count: 30 }
    })
    expect(minima.length + degenerate.length).toBe(1)
    const { within, minima: over } = m!
    for (const set of [...within, ...over!.within]) {
      expect(set.runs).toBe(30)
      if (loss !== 'squared') {
        const { ambiguity, discrepancy, obscurity, selfConsistency } = set
        expect({ ambiguity, discrepancy, obscurity, selfConsistency }).toEqual({
          ambiguity: 0,
          discrepancy: 0,
          obscurity: 0,
          selfConsistency: 1
        })
      } else expect(set).not.toHaveProperty('ambiguity')
    }
    // One minimum has one prediction; runs stop where the gradient is at most 1e-8.
    for (const set of over!.within) expect(set).toMatchObject({ range: 0, widest: 0, minima: 1 })
    for (const set of within) expect(set.widest).toBeLessThan(loss === 'squared' ? 1e-4 : 1e-5)
    if (loss !== 'squared') {
      for (const set of over!.within) expect(set.capacity).toBe(1)
      expect(over!.churn!.train).toEqual([[0]])
    }
  })

  it('without data has none to speak of', async () => {
    const s = await study({
      model: { objective: 'a^2 + 1', parameters: { a: { init: { normal: 1 } } } },
      starts: { count: 3 }
    })
    expect(s).not.toHaveProperty('multiplicity')
  })
})

describe('a network', () => {
  const [whole, part, first, second, merged] = Array.from({ length: 5 }, freshOut)
  const ended: Run[] = []
  let m: Multiplicity
  let heldOut: number[]
  beforeAll(async () => {
    const s = await study(network, {
      onRuns: runs => void ended.push(...runs),
      out: whole
    })
    m = s.multiplicity!
    heldOut = m.rows.filter(row => row.heldOut).map(row => row.row)
  })

  /** P(yes) of row i at parameters for the columns as given: by unit, bias and weights. */
  const probability = (theta: ArrayLike<number>, i: number): number => {
    const unit = (k: number): number => Math.tanh(theta[3 * k] + theta[3 * k + 1] * x1[i] + theta[3 * k + 2] * x2[i])
    return 1 / (1 + Math.exp(-(theta[6] + theta[7] * unit(0) + theta[8] * unit(1))))
  }

  it('is compared by what its runs predict', () => {
    expect(m.of).toBe('error')
    expect(heldOut).toHaveLength(6)
    const all = Array.from({ length: N }, (_, i) => i)
    const train = all.filter(i => !heldOut.includes(i + 1))
    const test = all.filter(i => heldOut.includes(i + 1))
    const one = (r: Run, i: number): boolean => probability(r.found.parameters!, i) > 0.5
    const mean = (rows: number[], of: (i: number) => number): number =>
      rows.reduce((s, i) => s + weight[i] * of(i), 0) / rows.reduce((s, i) => s + weight[i], 0)
    const error = (r: Run): number => mean(train, i => (one(r, i) === (label[i] === 'yes') ? 0 : 1))
    const sorted = [...ended].sort((a, b) => error(a) - error(b) || a.found.loss - b.found.loss || a.start - b.start)
    const [best] = sorted
    expect(m.best.start).toBe(best.start)
    expect(m.best.error).toBeCloseTo(error(best), 12)
    m.within.forEach((set, e) => {
      const runs = sorted.filter(r => error(r) <= error(best) + epsilon[e] + 1e-12)
      expect(set.runs).toBe(runs.length)
      const differs = (r: Run, i: number): number => (one(r, i) === one(best, i) ? 0 : 1)
      for (const [rows, got] of [
        [train, set],
        [test, set.test!]
      ] as const) {
        expect(got.ambiguity).toBeCloseTo(
          mean(rows, i => Math.max(...runs.map(r => differs(r, i)))),
          12
        )
        expect(got.discrepancy).toBeCloseTo(Math.max(...runs.map(r => mean(rows, i => differs(r, i)))), 12)
        expect(got.obscurity).toBeCloseTo(
          mean(rows, i => runs.reduce((s, r) => s + differs(r, i), 0) / runs.length),
          12
        )
        const ranges = rows.map(i => runs.map(r => probability(r.found.parameters!, i)))
        const width = (p: number[]): number => Math.max(...p) - Math.min(...p)
        expect(got.widest).toBeCloseTo(Math.max(...ranges.map(width)), 9)
        expect(got.range).toBeCloseTo(
          mean(rows, i => width(ranges[rows.indexOf(i)])),
          9
        )
      }
      for (const row of m.rows) {
        const p = runs.map(r => probability(r.found.parameters!, row.row - 1))
        expect(row.class).toBe('yes')
        expect(row.ranges[e][0]).toBeCloseTo(Math.min(...p), 5)
        expect(row.ranges[e][1]).toBeCloseTo(Math.max(...p), 5)
      }
    })
    // Good runs disagree here, so that there is something to compare.
    expect(m.within[2].ambiguity).toBeGreaterThan(0)
    const widths = m.rows.map(({ ranges: [, , [low, high]] }) => high - low)
    expect(widths).toEqual([...widths].sort((a, b) => b - a))
  })

  it('gives every row within every ε to export', async () => {
    let text = ''
    for await (const piece of exportedMultiplicity(whole, 'json')) text += String(piece)
    const list = JSON.parse(text) as RowMultiplicity[]
    expect(list).toHaveLength(N * epsilon.length)
    for (const one of list) {
      const row = m.rows.find(other => other.row === one.row)!
      const [low, high] = row.ranges[epsilon.indexOf(one.epsilon)]
      expect(one.rows).toBe(row.heldOut ? 'held out' : 'training')
      expect([one.lowest, one.highest, one.prediction].map(v => Number(v.toPrecision(6)))).toEqual([
        low,
        high,
        row.prediction
      ])
    }
    // Rows with their weights make the measures of the summary.
    const last = list.filter(one => one.epsilon === 0.2 && one.rows === 'training')
    const W = last.reduce((s, { row }) => s + weight[row - 1], 0)
    for (const [own, all] of [
      ['ambiguous', 'ambiguity'],
      ['obscurity', 'obscurity'],
      ['selfConsistency', 'selfConsistency'],
      ['capacity', 'capacity']
    ] as const)
      expect(last.reduce((s, one) => s + (weight[one.row - 1] / W) * one[own]!, 0)).toBeCloseTo(m.within[2][all]!, 12)
    let table = ''
    for await (const piece of exportedMultiplicity(whole, 'csv')) table += String(piece)
    expect(table.trimEnd().split('\n')).toHaveLength(1 + list.length)
    const pieces: Uint8Array[] = []
    for await (const piece of exportedMultiplicity(whole, 'parquet')) pieces.push(piece as Uint8Array)
    const stored = await parquetReadObjects({ file: new Uint8Array(Buffer.concat(pieces)).buffer })
    expect(stored).toEqual(list)
    await expect(exportedMultiplicity(whole, 'python').next()).rejects.toThrow(
      /--format is "python"; .*csv, json, parquet/
    )
  })

  it('is told in the report and the terminal', async () => {
    const s = await sumUp(whole)
    const page = await renderReport([s], { title: 'a study' })
    for (const text of [
      'How much good runs disagree',
      'What good runs predict, row by row',
      'Where the minima disagree'
    ])
      expect(page).toContain(text)
    expect(page).not.toMatch(/NaN|undefined/)
    const [widest] = m.rows
    expect(multiplicityText(s).join(' ')).toContain(`It is widest for row ${widest.row}`)
    expect(studyText(s, 80)).toContain('Predictions of the runs within ε of the best training error')
    expect(
      Math.max(
        ...studyText(s, 80)
          .split('\n')
          .map(line => line.length)
      )
    ).toBeLessThanOrEqual(80)
  })

  it('has no pictures where all runs predict the same, and none of ambiguity where no row is ambiguous', async () => {
    const titles = async (s: Summary): Promise<string[]> =>
      [...(await renderReport([s], { title: 'a study' })).matchAll(/<title>([^<]*)/g)].map(([, title]) => title)
    const starts = (list: readonly string[], start: string): boolean => list.some(title => title.startsWith(start))
    const network = await sumUp(whole)
    const without = (set: LevelSet): LevelSet => {
      const one = { ...set, ambiguity: 0 }
      return set.test ? { ...one, test: { ...set.test, ambiguity: 0 } } : one
    }
    const of = (change: (set: LevelSet) => LevelSet): Summary => ({
      ...network,
      multiplicity: { ...network.multiplicity!, within: network.multiplicity!.within.map(change) }
    })
    const [all, unambiguous, same] = await Promise.all([
      titles(network),
      titles(of(without)),
      titles(
        of(set => {
          const { test, ...one } = without(set)
          return { ...one, range: 0, widest: 0, ...(test ? { test: { ...test, range: 0, widest: 0 } } : {}) }
        })
      )
    ])
    for (const title of ['ambiguity of training rows', 'mean range of predictions', 'Ranges of the predictions'])
      expect(starts(all, title), title).toBe(true)
    expect(starts(unambiguous, 'ambiguity of training rows')).toBe(false)
    expect(starts(unambiguous, 'mean range of predictions')).toBe(true)
    for (const title of ['ambiguity of training rows', 'mean range of predictions', 'Ranges of the predictions'])
      expect(starts(same, title), title).toBe(false)
  })

  it('has a churn of its minima that is symmetric, 0 with itself, and a metric', () => {
    const { ids, train } = m.minima!.churn!
    expect(ids.length).toBeGreaterThan(2)
    ids.forEach((_, a) =>
      ids.forEach((__, b) => {
        expect(train[a][b]).toBe(train[b][a])
        if (a === b) expect(train[a][b]).toBe(0)
        ids.forEach((___, c) => expect(train[a][b]).toBeLessThanOrEqual(train[a][c] + train[c][b] + 1e-5))
      })
    )
  })

  it('grows with ε', () => {
    for (const list of [m.within, m.minima!.within])
      list.slice(1).forEach((set, e) => {
        for (const name of ['runs', 'ambiguity', 'discrepancy', 'range', 'widest', 'capacity'] as const)
          expect(set[name], name).toBeGreaterThanOrEqual(list[e][name]! - 1e-6)
      })
  })

  it('is the same from its parts, after a stop, in shards and with other lanes', async () => {
    const { multiplicity: again } = await sumUp(whole)
    expect(again).toEqual(m)
    await study({ ...network, starts: { ...network.starts, count: 15 } }, { out: part, lanes: 4 })
    const { multiplicity: resumed } = await resumeStudy(part, { starts: 40 })
    expect(resumed).toEqual(m)
    await study(network, { out: second, shard: { index: 2, of: 2 }, threads: 1 })
    await study(network, { out: first, shard: { index: 1, of: 2 }, threads: 1 })
    const { multiplicity: together } = await mergeStudies(merged, [first, second])
    expect(together).toEqual(m)
  })

  it('may be compared by the loss, and as certified', async () => {
    const certified = { ...network, keep: 'end', multiplicity: { epsilon: [1, 0, 0.01, 0], of: 'loss' } }
    const { multiplicity: other } = await study(certified)
    expect(other!.epsilon).toEqual([0, 0.01, 1])
    expect(other!.point).toBe('certified')
    expect(other!.best).not.toHaveProperty('error')
    const losses = ended.map(r => r.found.loss)
    const best = Math.min(...losses)
    expect(other!.best.loss).toBe(best)
    other!.within.forEach((set, e) =>
      expect(set.runs).toBe(losses.filter(v => v <= best + [0, 0.01, 1][e] + 1e-6).length)
    )
    // All runs end in minima, which are told apart.
    const [, , all] = other!.within
    const { minima: _, ...over } = other!.minima!.within[2]
    for (const name of ['ambiguity', 'discrepancy', 'obscurity', 'selfConsistency'] as const)
      expect(over[name]).toBeCloseTo(all[name]!, 12)
  })
})
