// Starts of a Sobol design: spread evenly over the distribution of every parameter, and the same runs however the study is cut up.
import { describe, expect, it } from 'vitest'
import type { StudyInput } from '../../src/index.js'
import { normalCdf } from '../../src/models/algebra.js'
import { resolveConfig } from '../../src/study/config.js'
import { mergeStudies } from '../../src/study/merge.js'
import { replay } from '../../src/study/replay.js'
import { runInMemory } from '../../src/study/session.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { resumeStudy, study } from '../../src/study/study.js'
import { variance } from '../../src/study/variance/index.js'
import { partsIn, summaryText } from '../helpers/directories.js'
import { freshOut } from '../helpers/files.js'
import { layoutOf, userPoints } from '../../src/models/model.js'

const data = { builtin: 'iris2' } as const
const model = { hidden: [2], ridge: 0.001, penalizeBias: true } as const
const design = 'sobol' as const

async function withSetup<T>(config: StudyInput, use: (setup: Setup) => T | Promise<T>): Promise<T> {
  const setup = await setUp(resolveConfig(config, 'test'))
  try {
    return await use(setup)
  } finally {
    setup.dispose()
  }
}

/** Whether of 2^m values in (0, 1) each of 2^m equal intervals holds one. */
const isStratified = (values: readonly number[]): boolean =>
  new Set(values.map(u => Math.floor(u * values.length))).size === values.length

describe('a Sobol design', () => {
  it.each([
    ['uniform', { uniform: 3 }, (v: number) => (v / 3 + 1) / 2],
    ['normal', { normal: 2 }, (v: number) => normalCdf(v / 2)]
  ] as const)('has a start in every equal share of the distribution of each parameter, %s', async (_, init, share) => {
    await withSetup(
      { data: { ...data, standardize: true }, model: { hidden: [] }, starts: { init, design } },
      setup => {
        // Of standardised columns the starts are drawn in those; without a map to other coordinates they can be read off.
        const { model } = setup
        const P = setup.objective.parameters
        const points = Array.from({ length: 64 }, (_, k) => setup.starts.at(k))
        expect(layoutOf(model).hidden).toEqual([])
        for (let p = 1; p < P; p++) expect(isStratified(points.map(point => share(point[p])))).toBe(true)
      }
    )
  })

  it('has one for a formula too, in the distribution of each of its own parameters', async () => {
    const config: StudyInput = {
      model: {
        objective: '(a - 1)^2 + (b - 2)^2',
        parameters: { a: { init: { uniform: [1, 500] } }, b: { init: { logUniform: [1e-3, 1e3] } } }
      },
      starts: { design }
    }
    await withSetup(config, setup => {
      const { model, frame } = setup
      const points = Array.from({ length: 64 }, (_, k) => userPoints(model, frame.toUser, setup.starts.at(k)))
      expect(isStratified(points.map(([a]) => (a - 1) / 499))).toBe(true)
      expect(isStratified(points.map(([, b]) => Math.log(b / 1e-3) / Math.log(1e6)))).toBe(true)
    })
  })

  it('gives the same runs whatever is asked of the engine at a time', async () => {
    const config: StudyInput = { data, model, starts: { count: 150, design } }
    const [whole, pieces] = await withSetup(config, async setup => [
      await runInMemory(setup),
      await runInMemory({ ...setup, starts: { ...setup.starts, together: 7 } })
    ])
    expect(pieces.folded).toEqual(whole.folded)
  })

  it('gives the same study in one go, stopped and resumed, with starts added, and in shards', async () => {
    const config = { data, model, starts: { count: 700, design } } satisfies StudyInput
    const out = freshOut()
    await study(config, { out })

    const stopped = freshOut()
    const abort = new AbortController()
    const onProgress = ({ done }: { done: number }): void => {
      if (done > 50) abort.abort()
    }
    await study(
      { ...config, starts: { count: 300, design } },
      { out: stopped, signal: abort.signal, lanes: 8, onProgress }
    )
    await resumeStudy(stopped, { starts: 700 })
    expect(summaryText(stopped)).toBe(summaryText(out))

    const shards = [1, 2, 3].map(() => freshOut())
    for (const [i, path] of shards.entries()) await study(config, { out: path, shard: { index: i + 1, of: 3 } })
    const merged = freshOut()
    await mergeStudies(merged, shards)
    expect(summaryText(merged)).toBe(summaryText(out))

    const plain = freshOut()
    await study({ ...config, starts: { count: 700 } }, { out: plain })
    expect(partsIn(plain)).not.toEqual(partsIn(out))
    await expect(resumeStudy(plain, { config: resolveConfig(config, 'test') })).rejects.toThrow(
      /starts\.design is "random" in .* and "sobol" now/
    )
  })

  it('is the same on other engines: a start replayed there comes to the same end', async () => {
    const out = freshOut()
    await study({ data, model, starts: { count: 40, design } }, { out })
    for (const start of [0, 1, 39]) {
      const [here, there] = [await replay(out, start), await replay(out, start, { engine: 'reference' })]
      expect(there.path[0].loss).toBeCloseTo(here.path[0].loss, 10)
      expect(there.loss).toBeCloseTo(here.loss, 10)
    }
  })

  it('is refused in a sentence where it does not reach, and beside starts of one’s own', async () => {
    await expect(study({ data, model: { hidden: [200] }, starts: { design } })).rejects.toThrow(
      /A Sobol design has at most 1111 dimensions, and the model has 1201 parameters; give starts.design random\./
    )
    await expect(study({ data, starts: { design, count: 2 ** 32 + 1 } })).rejects.toThrow(
      /has 4.294.967.296 points, and starts.count is 4.294.967.297; give fewer starts/
    )
    await expect(study({ data, starts: { design, file: 'points.csv' } })).rejects.toThrow(
      /starts.design in the study is sobol, and starts.file says where the runs start; leave one of them/
    )
    await expect(variance({ data, starts: { design, count: 4 } })).rejects.toThrow(
      /starts.design .* is sobol, .*remove it/
    )
  })
})
