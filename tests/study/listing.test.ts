// A study with more distinct points than its summary lists: nothing is lost, and what is said of all is said of all.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatCount } from '../../src/core/units.js'
import { conclusion } from '../../src/report/conclusion.js'
import { studyText } from '../../src/report/text.js'
import { chooseModel, openStudy } from '../../src/study/fitted.js'
import { readRuns, study, type StudyInput, type Summary } from '../../src/index.js'

/** Two rows for each input, whose squared loss through the logistic function has two minima in each weight (Auer et al. 1996). */
const inputs = 18
const rows = Array.from({ length: inputs }, (_, j) => [
  { j, x: 10, y: 0.55 },
  { j, x: 0.7, y: 0.25 }
]).flat()
const columns = Object.fromEntries([
  ['y', rows.map(row => row.y)],
  ...Array.from({ length: inputs }, (_, k) => [`x${k}`, rows.map(({ j, x }) => (j === k ? x : 0))] as const)
])
const starts = 13_000
const raw: StudyInput = {
  data: { columns, target: 'y' },
  model: { loss: 'brier', bias: false },
  keep: 'end',
  starts: { count: starts, seed: 3 },
  engine: 'cpu'
}

interface Row {
  readonly id: number
  readonly kind: string
  readonly loss: number
  readonly runs: number
  readonly firstStart: number
  readonly theta: readonly number[]
}

describe('a study with more points than are listed', { timeout: 120_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'manystart-listing-'))
  afterAll(() => rmSync(work, { recursive: true, force: true }))
  let directory: string
  let summary: Summary
  let all: Row[]

  beforeAll(async () => {
    directory = join(work, 'study')
    summary = await study(raw, { out: directory })
    const bytes = readFileSync(join(directory, 'runs', 'distinct.parquet'))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    all = (await parquetReadObjects({ file })).map(row => ({
      id: Number(row['id']),
      kind: String(row['kind']),
      loss: Number(row['loss']),
      runs: Number(row['runs']),
      firstStart: Number(row['firstStart']),
      theta: Array.from({ length: inputs }, (_, k) => Number(row[`certified:x${k}`]))
    }))
  }, 120_000)

  it('lists the best of them, and counts all', () => {
    const { distinct, minima } = summary
    expect(minima.length).toBe(10_000)
    expect(distinct.minima.points).toBeGreaterThan(10_000)
    expect(all.filter(row => row.kind === 'minimum').length).toBe(distinct.minima.points)
    expect(all.reduce((sum, row) => sum + row.runs, 0)).toBe(summary.verdicts.minimum + summary.verdicts.degenerate)
    minima.forEach(({ id, loss, count, firstStart, parameters }, i) =>
      expect({ id, loss, runs: count, firstStart, theta: parameters, kind: 'minimum' }).toEqual(all[i])
    )
    const losses = all.map(row => row.loss)
    expect(distinct.minima.losses).toEqual([losses[0], losses.at(-1)])
    // Products of one-dimensional losses: as many levels of the loss as ways to choose the better minimum in some of the weights.
    const least = all.filter(row => row.loss - losses[0] < 1e-9)
    expect(distinct.lowest).toEqual({ points: least.length, runs: least.reduce((sum, row) => sum + row.runs, 0) })
    expect(summary.coverage.discovery.at(-1)?.minima).toBe(distinct.minima.points)
  })

  it('says so, in words too', () => {
    const { points } = summary.distinct.minima
    const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f ]/g, ' ').replaceAll(/\s+/g, ' ')
    expect(summary.notes).toContainEqual(expect.stringContaining(`Of ${points} distinct points the 10000 with`))
    expect(plain(studyText(summary, 80))).toContain(
      plain(`${formatCount(points - 10_000)} more in runs/distinct.parquet`)
    )
    expect(plain(conclusion([summary])[0])).toContain(plain(`${formatCount(points)} distinct minima`))
  })

  it('gives the point of every run, and a model of each point', async () => {
    const met = new Map(all.map(row => [row.id, 0]))
    for await (const { point } of readRuns(directory))
      if (point !== undefined) met.set(point, (met.get(point) ?? NaN) + 1)
    for (const { id, runs } of all) expect(met.get(id)).toBe(runs)
    const saved = await openStudy(directory)
    for (const row of [all[10_000], all.at(-1)!]) {
      const model = await chooseModel(saved, { point: row.id })
      expect(model.loss).toBe(row.loss)
      expect(model.point).toContain(String(row.id))
    }
    await expect(chooseModel(saved, { point: all.length })).rejects.toThrow(/There is no point/)
  })
})
