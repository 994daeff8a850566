import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { groupRows, openResults, readLayout, readRuns, runsFile } from '../../src/study/results.js'
import type { RunsLayout, StoredRuns } from '../../src/study/results.js'

const layout: RunsLayout = {
  parameters: ['(Intercept)', 'Sepal.Length'],
  metrics: ['train.accuracy', 'test.accuracy'],
  found: true
}

/** Runs whose every number tells its place. */
function block(first: number, count: number, found = true): StoredRuns {
  const fill = (width: number, base: number): Float64Array =>
    Float64Array.from({ length: count * width }, (_, i) => base + first * width + i + 0.25)
  return {
    count,
    start: Float64Array.from({ length: count }, (_, i) => first + i),
    verdict: Uint8Array.from({ length: count }, (_, i) => (first + i) % 6),
    status: Uint8Array.from({ length: count }, (_, i) => (first + i) % 4),
    point: Int32Array.from({ length: count }, (_, i) => ((first + i) % 5) - 1),
    loss: fill(1, 1e6),
    lossFound: fill(1, 2e6),
    gradientNorm: fill(1, 3e6),
    gradientNormFound: fill(1, 4e6),
    precision: fill(1, 5e6),
    steps: Uint32Array.from({ length: count }, (_, i) => 2 * (first + i)),
    metrics: fill(2, 6e6),
    theta: fill(2, 7e6),
    thetaFound: found ? fill(2, 8e6) : new Float64Array(0),
    conditioned: found ? fill(2, 9e6) : new Float64Array(0)
  }
}

let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'manystart-results-'))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

/** All saved runs as one block for comparison with `block`. */
async function readAll(directory: string, starts?: ReadonlySet<number>): Promise<StoredRuns[]> {
  const parts: StoredRuns[] = []
  for await (const part of readRuns(directory, starts ? { starts } : {})) parts.push(part)
  return parts
}

describe('runs.parquet', () => {
  it('gives back what was appended, over blocks and row groups of other sizes', async () => {
    const directory = join(work, 'a', 'b')
    const results = openResults(directory, layout)
    const total = groupRows(16) + 1234
    for (let first = 0; first < total; first += 5000) results.append(block(first, Math.min(5000, total - first)))
    results.writeJson('study.json', { format: 'x' })
    results.close()
    expect(readdirSync(directory).sort()).toEqual([runsFile, 'study.json'])
    expect(await readLayout(directory)).toEqual(layout)
    const parts = await readAll(directory)
    expect(parts.length).toBe(2)
    let first = 0
    for (const part of parts) {
      expect(part).toEqual(block(first, part.count))
      first += part.count
    }
    expect(first).toBe(total)
  })

  it('reads only the starts that are asked for', async () => {
    const results = openResults(join(work, 'a'), { ...layout, found: false })
    results.append(block(0, 3000, false))
    results.close()
    const [part, ...rest] = await readAll(join(work, 'a'), new Set([17, 2999, 5000]))
    expect(rest).toEqual([])
    expect(Array.from(part.start)).toEqual([17, 2999])
    expect(part.theta.subarray(2)).toEqual(block(2999, 1, false).theta)
    expect(part.metrics.subarray(0, 2)).toEqual(block(17, 1, false).metrics)
    expect(await readAll(join(work, 'a'), new Set([9999]))).toEqual([])
  })

  it('is a plain Parquet table for other readers', async () => {
    const results = openResults(join(work, 'a'), layout)
    results.append(block(0, 7))
    results.close()
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(work, 'a', runsFile)) })
    expect(rows.length).toBe(7)
    expect(rows[3]).toMatchObject({
      start: 3n,
      verdict: 'diverging',
      status: 'failed',
      point: 2,
      steps: 6,
      'certified:Sepal.Length': 7e6 + 7.25
    })
  })

  it('keeps NaN and infinities, and a study without runs', async () => {
    const results = openResults(join(work, 'a'), layout)
    const odd = block(0, 2)
    odd.loss.set([NaN, Infinity])
    odd.theta.set([NaN, -Infinity, -0, 1e-320])
    results.append(odd)
    results.close()
    expect(await readAll(join(work, 'a'))).toEqual([odd])
    const none = openResults(join(work, 'none'), layout)
    none.close()
    expect(await readAll(join(work, 'none'))).toEqual([])
  })
})

describe('the directory', () => {
  it('leaves nothing after abort, not even the directories it made', () => {
    const results = openResults(join(work, 'a', 'b', 'c'), layout)
    results.append(block(0, 100000))
    results.writeJson('study.json', {})
    results.abort()
    expect(readdirSync(work)).toEqual([])
    expect(existsSync(join(work, 'a'))).toBe(false)
  })

  it('shows no file under its final name before close', () => {
    const results = openResults(join(work, 'a'), layout)
    results.append(block(0, 10))
    results.writeJson('summary.json', { a: 1 })
    expect(readdirSync(join(work, 'a')).filter(name => !name.endsWith('.partial'))).toEqual([])
    results.close()
    expect(JSON.parse(readFileSync(join(work, 'a', 'summary.json'), 'utf8'))).toEqual({ a: 1 })
    results.abort()
    expect(readdirSync(join(work, 'a')).sort()).toEqual([runsFile, 'summary.json'])
  })

  it('is refused when it is not empty, unless forced; a forced study that fails leaves the old one', async () => {
    const directory = join(work, 'a')
    mkdirSync(directory)
    writeFileSync(join(directory, 'notes.txt'), 'mine')
    expect(() => openResults(directory, layout)).toThrow(InputError)
    expect(() => openResults(directory, layout)).toThrow(/--force/)
    const old = openResults(directory, layout, { force: true })
    old.append(block(0, 3))
    old.write('report.html', 'old')
    old.close()
    const failing = openResults(directory, layout, { force: true })
    failing.append(block(50, 2))
    failing.abort()
    expect(await readAll(directory)).toEqual([block(0, 3)])
    expect(readFileSync(join(directory, 'report.html'), 'utf8')).toBe('old')
    const next = openResults(directory, layout, { force: true })
    next.append(block(9, 1))
    next.close()
    expect(await readAll(directory)).toEqual([block(9, 1)])
    // The old report does not describe the new runs; a file of the user's stays.
    expect(readdirSync(directory).sort()).toEqual(['notes.txt', runsFile])
  })

  it('is refused where a file is in the way', () => {
    writeFileSync(join(work, 'file'), '')
    expect(() => openResults(join(work, 'file', 'x'), layout)).toThrow(/cannot be used: a file is in the way/)
    expect(() => openResults(join(work, 'file'), layout)).toThrow(/a file is in the way/)
  })

  it('refuses two columns of one name before it makes anything', () => {
    expect(() => openResults(join(work, 'a'), { ...layout, parameters: ['x', 'x'] })).toThrow(/certified:x/)
    expect(readdirSync(work)).toEqual([])
  })
})

describe('reading what is not a study', () => {
  const first = (directory: string): Promise<unknown> => readRuns(directory).next()

  it('names a missing, a damaged and a foreign file', async () => {
    await expect(first(work)).rejects.toThrow(/holds no runs.parquet/)
    const results = openResults(join(work, 'a'), layout)
    results.append(block(0, 10))
    results.close()
    const path = join(work, 'a', runsFile)
    truncateSync(path, readFileSync(path).length - 9)
    await expect(first(join(work, 'a'))).rejects.toThrow(/is damaged/)
    await expect(first(join(work, 'a'))).rejects.toThrow(InputError)
  })
})
