// What is kept of the runs changes no summary, but for the points at which the predictions of runs are compared: neither of one session, nor of one that was stopped and resumed, nor of shards.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { readList, readPart } from '../../src/runs/list.js'
import { mergeStudies } from '../../src/study/merge.js'
import { predict } from '../../src/study/predict.js'
import { replay } from '../../src/study/replay.js'
import { resumeStudy, study, sumUp } from '../../src/study/study.js'
import type { StudyInput } from '../../src/index.js'
import { partsIn } from '../helpers/directories.js'
import { freshOut } from '../helpers/files.js'
import { part } from '../helpers/length.js'

const data = { builtin: 'iris2', standardize: true } as const
const two = { hidden: [2], ridge: 0.001, penalizeBias: true } as const

/** Studies by what is at the ends of their runs. */
const kinds: Readonly<Record<string, StudyInput>> = {
  'one minimum': { data, starts: { count: 600 } },
  'copies of minima and saddles': { data, model: two, starts: { count: 700 } },
  'flips that biases take up': {
    data,
    model: { ...two, penalizeBias: false, activation: 'logistic' },
    starts: { count: 400 }
  },
  'kinks and flat minima': { data, model: { ...two, activation: 'relu' }, starts: { count: 40 } },
  'runs to infinity': { data, model: { hidden: [2] }, starts: { count: 60 } },
  'separated data': { data: { builtin: 'endometrial', standardize: true }, starts: { count: 60 } },
  'saddles of a loss that is not convex': { data, model: { loss: 'brier' }, starts: { count: 400 } },
  'end points all distinct': {
    data,
    model: two,
    optimizer: { adam: { batchSize: 10 } },
    stop: { steps: 60 },
    starts: { count: 300 }
  },
  'a formula with a symmetry': {
    data: {},
    model: {
      objective: '(a^2 + b - 11)^2 + (a + b^2 - 7)^2',
      parameters: { a: { init: { uniform: [-5, 5] } }, b: { init: { uniform: [-5, 5] } } }
    },
    starts: { count: 400 }
  },
  'few runs judged': { data, model: two, judge: { best: 0.2 }, starts: { count: 600 } }
}

/** What does not depend on what is kept: predictions of runs are compared at the points that are. */
const plain = ({ timing: _, engine: __, multiplicity, ...rest }: Summary): unknown =>
  JSON.parse(JSON.stringify({ ...rest, minimaCompared: multiplicity?.minima }))

const bytesOf = (directory: string): number =>
  readdirSync(join(directory, 'runs'))
    .filter(name => name.startsWith('part-'))
    .reduce((sum, name) => sum + statSync(join(directory, 'runs', name)).size, 0)

describe.each(part(Object.entries(kinds), 5))('keep: none, %s', (_, config) => {
  it('gives the summary of a study that keeps all, and so does what goes on with it or merges it', async () => {
    const whole = plain(await study({ ...config, keep: 'all' }))
    const none: StudyInput = { ...config, keep: 'none' }
    const out = freshOut()
    expect(plain(await study(none, { out }))).toEqual(whole)
    expect(plain(await sumUp(out))).toEqual(whole)

    const stopped = freshOut()
    const abort = new AbortController()
    await study(none, {
      out: stopped,
      signal: abort.signal,
      lanes: 8,
      onProgress: ({ done }) => done > 20 && abort.abort()
    })
    await resumeStudy(stopped)
    expect(partsIn(stopped)).toEqual(partsIn(out))
    expect(plain(await sumUp(stopped))).toEqual(whole)

    if (config.judge !== undefined) return
    const shards = [freshOut(), freshOut()]
    for (const [i, path] of shards.entries()) await study(none, { out: path, shard: { index: i + 1, of: 2 } })
    expect(plain(await mergeStudies(freshOut(), shards))).toEqual(whole)
  })
})

describe('keep: none', () => {
  it('stores every point once in a part, and takes no more than is said', async () => {
    const said: string[] = []
    const [none, end] = [freshOut(), freshOut()]
    const config: StudyInput = { data, starts: { count: 2000 } }
    await study({ ...config, keep: 'none' }, { out: none, onPlan: sentence => said.push(sentence) })
    await study({ ...config, keep: 'end' }, { out: end })
    const [, run, point] = /takes (\d+) bytes .* each point that runs end at (\d+) bytes more/
      .exec(said[0])!
      .map(Number)
    const { parts, identity } = await readList(none)
    // Beside rows and points a part has its head, of so many bytes at most.
    const head = 5000
    expect(bytesOf(none)).toBeLessThan(2000 * run + parts.length * (point + head))
    // Where runs end alike, their parameters take next to nothing either way.
    expect(bytesOf(none)).toBeLessThan(bytesOf(end))
    for (const listed of parts) {
      const { rows } = await readPart(none, listed, identity)
      expect(rows.ends.theta).toBeUndefined()
      expect([rows.ends.count, rows.ends.conditioned.length]).toEqual([1, point / 8])
    }
  })

  it('has no parameters to predict with from one start, and says so; the start can be replayed', async () => {
    const out = freshOut()
    const summary = await study({ data, starts: { count: 20 }, keep: 'none' }, { out })
    await expect(predict(out, { builtin: 'iris2' }, { start: 3 })).rejects.toThrow(
      /keep: none, so it holds no parameters of start 3; choose a point, or `manystart replay`/
    )
    const again = await replay(out, 3)
    again.parameters.forEach((v, p) => expect(v).toBeCloseTo(summary.minima[0].parameters[p], 9))
  })
})
