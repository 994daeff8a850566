// Starts that the user gives: the same runs as from those points, whatever engine and shard, and a sentence for every table that is none.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { readConfigFile, resolveConfig } from '../../src/study/config.js'
import { mergeStudies } from '../../src/study/merge.js'
import { replay } from '../../src/study/replay.js'
import { resumeStudy, runStudy, study } from '../../src/study/study.js'
import type { StudyInput } from '../../src/study/input.js'
import { setUp } from '../../src/study/setup.js'
import { userPoints } from '../../src/models/model.js'
import { summaryText } from '../helpers/directories.js'
import { file, freshOut } from '../helpers/files.js'
import { randomNumbers } from '../helpers/tables.js'

const random = randomNumbers(7)
const names = ['(Intercept)', 'Petal.Length', 'Petal.Width', 'Sepal.Length', 'Sepal.Width']
const points = Array.from({ length: 40 }, () => names.map(() => 4 * random() - 2))
const table = (header: readonly string[], rows: readonly (readonly (number | string)[])[]): string =>
  [header.map(name => (/[(,]/.test(name) ? `"${name}"` : name)), ...rows].map(row => row.join(',')).join('\n') + '\n'

const base = { data: { builtin: 'iris2', standardize: true } } satisfies StudyInput
const withFile = (path: string, more: object = {}): StudyInput => ({ ...base, starts: { file: path, ...more } })

describe('starts of a file', () => {
  it('are the points of its rows, in whatever order its columns stand', async () => {
    const probe = await setUp(resolveConfig(base, 'test'))
    const own = probe.names
    probe.dispose()
    expect([...own].sort()).toEqual([...names].sort())
    const path = file('starts.csv', table(names, points))
    const setup = await setUp(resolveConfig(withFile(path), 'test'))
    try {
      expect(setup.config.starts.count).toBe(points.length)
      for (const [i, point] of points.entries()) {
        const back = userPoints(setup.model, setup.frame.toUser, setup.starts.at(i))
        setup.names.forEach((name, p) => expect(back[p]).toBeCloseTo(point[names.indexOf(name)], 9))
      }
    } finally {
      setup.dispose()
    }
  })

  it('all lead to the one minimum of a convex model, which lists the first of them', async () => {
    const path = file('convex.csv', table(names, points))
    const random = await study({ ...base, starts: { count: 20 } })
    const given = await study(withFile(path))
    expect(given.starts).toBe(points.length)
    expect(given.minima.map(m => [m.count, m.starts])).toEqual([[points.length, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]])
    expect(given.minima[0].loss).toBe(random.minima[0].loss)
    expect((await study(withFile(path, { count: 7 }))).starts).toBe(7)
  })

  it('are replayed, and a study goes on with more of them only while the file is the same', async () => {
    const path = file('resumed.csv', table(names, points))
    const out = freshOut()
    await runStudy(resolveConfig(withFile(path, { count: 10 }), 'test'), { out })
    const again = await replay(out, 3)
    expect(again.verdict).toBe('minimum')
    const more = await resumeStudy(out, { starts: 25 })
    expect(more.starts).toBe(25)
    await expect(resumeStudy(out, { starts: 41 })).rejects.toThrow(/41 starts are asked for.* has 40/)
    writeFileSync(path, table(names, [...points.slice(0, -1), names.map(() => 0)]))
    await expect(resumeStudy(out)).rejects.toThrow(/starts in "?resumed.csv"? have changed/)
  })

  it.each(['csv', 'parquet'])('in %s give the same study in one go, stopped and resumed, and in shards', async kind => {
    const path =
      kind === 'csv'
        ? file('whole.csv', table(names, points))
        : file(
            'whole.parquet',
            new Uint8Array(
              parquetWriteBuffer({
                columnData: names.map((name, p) => ({ name, data: points.map(point => point[p]), type: 'DOUBLE' }))
              })
            )
          )
    const config: StudyInput = { ...withFile(path), model: { loss: 'logistic' } }
    const out = freshOut()
    await study(config, { out })
    const stopped = freshOut()
    const abort = new AbortController()
    await study(config, { out: stopped, signal: abort.signal, lanes: 4, onProgress: () => abort.abort() })
    await resumeStudy(stopped)
    expect(summaryText(stopped)).toBe(summaryText(out))
    const shards = [1, 2, 3].map(() => freshOut())
    for (const [i, at] of shards.entries()) await study(config, { out: at, shard: { index: i + 1, of: 3 } })
    const merged = freshOut()
    await mergeStudies(merged, shards)
    expect(summaryText(merged)).toBe(summaryText(out))
    // The record of a study is a study file, wherever it lies.
    const again = freshOut()
    await runStudy(resolveConfig(readConfigFile(join(out, 'study.json')), 'test'), { out: again })
    expect(summaryText(again)).toBe(summaryText(out))
  })

  it('of a formula keep to its bounds', async () => {
    const model = {
      objective: '(a^2 + b - 11)^2 + (a + b^2 - 7)^2',
      parameters: {
        a: { init: { uniform: [-5, 5] as const }, bounds: [-6, 6] as const },
        b: { init: { uniform: [-5, 5] as const } }
      }
    }
    const found = await study({
      model,
      starts: { file: file('ab.csv', 'b,a\n2,3\n-3,-3.5\n3,-2.5\n-2,3.5\n') }
    })
    expect(found.minima).toHaveLength(4)
    await expect(study({ model, starts: { file: file('outside.csv', 'a,b\n1,1\n9,0\n') } })).rejects.toThrow(
      /Start 1 has a 9, .* bounds/
    )
  })

  it.each([
    ['a column too few', table(names.slice(1), [[1, 2, 3, 4]]), /lacks "\(Intercept\)"; give one column for each/],
    [
      'a column too many',
      table([...names, 'more'], [[1, 2, 3, 4, 5, 6]]),
      /has "more", of which the model knows nothing/
    ],
    [
      'a word in a cell',
      table(names, [[1, 2, 'x', 4, 5]]),
      /Column "Petal.Width" is no finite number in row 1 \(line 2\)/
    ],
    ['an empty cell', table(names, [[1, 2, '', 4, 5]]), /no finite number/],
    ['a number beyond all', table(names, [[1, 2, '1e999', 4, 5]]), /no finite number/]
  ] as const)('with %s are refused', async (what, text, says) => {
    await expect(study(withFile(file(`${what.replace(/\W/g, '-')}.csv`, text)))).rejects.toThrow(says)
  })
})
