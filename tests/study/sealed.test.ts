// A result of crossed runs is that of the runs that its directory tells of, and parts of a contrast are those of this contrast.
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { claimContrast, contrastSummaries, savedVariance } from '../../src/study/contrastDirectory.js'
import { compareDesigns } from '../../src/study/compare/crossed.js'
import { sealedVariance } from '../../src/study/variance/directory.js'
import { resumeVariance, runVariance as variance } from '../../src/study/variance/index.js'
import { exported } from '../../src/study/export/index.js'
import { predict } from '../../src/study/predict.js'
import { resumeStudy, study, summaryOf } from '../../src/study/study.js'
import { freshOut, manystartHere } from '../cli/helpers.js'
import { randomNumbers } from '../helpers/tables.js'

const raw = {
  data: { builtin: 'iris2', standardize: true },
  model: { hidden: [2], activation: 'tanh', loss: 'logistic', ridge: 0.001, penalizeBias: true },
  optimizer: { adam: { learningRate: 0.05, batchSize: 20 } },
  stop: { steps: 40 },
  engine: 'cpu',
  variance: { orders: 2, resamples: 3 }
}

/** Goes on with a directory, and stops after so many reports of progress. */
async function stopped(path: string, starts: number, after: number): Promise<void> {
  const stop = new AbortController()
  let told = 0
  await resumeVariance(path, {
    starts,
    lanes: 1,
    threads: 1,
    signal: stop.signal,
    onProgress: () => ++told > after && stop.abort()
  }).catch((error: unknown) => expect(String(error)).toMatch(/had ended/))
}

describe('the result of crossed runs', () => {
  it('counts while its directory tells of these runs, and not once more starts are wanted', async () => {
    const random = randomNumbers(9)
    const out = freshOut()
    let result = await variance({ ...raw, starts: { count: 2 } }, { out })
    for (let starts = 2; starts < 8;) {
      expect(await sealedVariance(out)).toEqual(JSON.parse(JSON.stringify(result)))
      const more = starts + 1 + Math.floor(2 * random())
      await stopped(out, more, Math.floor(3 * random()))
      const sealed = await sealedVariance(out)
      // It may have been too late to stop.
      if (sealed === undefined) {
        await expect(compareDesigns([out, out])).rejects.toThrow(/have not ended; .*variance --resume/)
        expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({ starts })
      } else expect(sealed.starts).toBe(more)
      result = await resumeVariance(out)
      expect(result.starts).toBe(more)
      starts = more
    }
  })

  it('counts no more once it is touched, and stays where the same runs are gone on with', async () => {
    const out = freshOut()
    await variance({ ...raw, starts: { count: 3 } }, { out })
    const summary = join(out, 'summary.json')
    const text = readFileSync(summary)
    await stopped(out, 3, 0)
    expect((await sealedVariance(out))?.starts).toBe(3)
    const random = randomNumbers(4)
    for (let n = 0; n < 30; n++) {
      const bytes = Buffer.from(text)
      bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(8 * random())
      writeFileSync(summary, n === 0 ? '' : bytes)
      expect(await sealedVariance(out)).toBeUndefined()
    }
    writeFileSync(summary, text)
    appendFileSync(summary, ' ')
    expect(await sealedVariance(out)).toBeUndefined()
    expect((await resumeVariance(out)).starts).toBe(3)
    expect((await sealedVariance(out))?.starts).toBe(3)
  })
})

it('a contrast that is begun anew has no study of the one before it, whenever it ends', async () => {
  const out = freshOut()
  const outcome = await manystartHere(['contrast', '--data', 'iris2', '--starts', 40, '--quiet', '--out', out])
  expect(outcome.code, outcome.stderr).toBe(0)
  const before = await contrastSummaries(out)
  expect(before.models).toHaveLength(4)
  expect((await savedVariance(out))?.starts).toBe(2)
  const names = readdirSync(out, { withFileTypes: true })
    .filter(e => e.isDirectory())
    .map(e => e.name)
  const models = ['convex', 'brier', 'network-ridge', 'network']
  const directory = await claimContrast(out, models, { replace: true, inputs: [] })
  await directory.close()
  await expect(contrastSummaries(out)).rejects.toThrow(/no run has ended; run it again with --force/)
  expect(await savedVariance(out)).toBeUndefined()
  // The runs are there until they are replaced, and nobody is kept from it.
  for (const name of names) expect(existsSync(join(out, name, 'runs'))).toBe(true)
  const again = await manystartHere([
    'contrast',
    '--data',
    'iris2',
    '--starts',
    40,
    '--seed',
    5,
    '--quiet',
    '--force',
    '--out',
    out
  ])
  expect(again.code, again.stderr).toBe(0)
  const after = await contrastSummaries(out)
  expect(after.models.map(s => s.name)).toEqual(before.models.map(s => s.name))
  for (const [i, name] of models.entries()) {
    expect((await summaryOf(join(out, name))).identity).toBe(after.models[i].identity)
    expect(after.models[i].identity).not.toBe(before.models[i].identity)
  }
  expect((await savedVariance(out))?.starts).toBe(2)
})

describe('what predicts', () => {
  const config = { data: raw.data, model: { loss: 'logistic' }, engine: 'cpu' } as const
  const data = { builtin: 'iris2' } as const

  it('is the summary of the runs that are there, untouched', async () => {
    const out = freshOut()
    await study({ ...config, starts: { count: 20 } }, { out })
    const said = await predict(out, data)
    const path = join(out, 'summary.json')
    const text = readFileSync(path, 'utf8')
    // A digit of a parameter, as an editor or a disk may change it.
    const [, whole] = /"parameters": \[\s*(-?\d+\.\d{4})/.exec(text)!
    const digit = whole.at(-1)!
    writeFileSync(path, text.replace(whole, `${whole.slice(0, -1)}${(Number(digit) + 1) % 10}`))
    const model = async (format: 'json' | 'python'): Promise<string> => {
      let said = ''
      for await (const piece of exported(out, format)) said += piece
      return said
    }
    for (const use of [() => predict(out, data), () => model('json'), () => model('python')])
      await expect(use()).rejects.toThrow(
        /is not that of the runs in .* as they are, or was altered; `manystart report/
      )
    // The runs of one start are what they are.
    expect((await predict(out, data, { start: 3 }).catch(String)).toString()).toMatch(/was altered/)
    await summaryOf(out)
    expect(await predict(out, data)).toEqual(said)

    rmSync(path)
    await expect(predict(out, data)).rejects.toThrow(/holds no summary.json; `manystart report/)
    await summaryOf(out)
    // Without its runs a summary is all there is.
    rmSync(join(out, 'runs'), { recursive: true })
    expect(await predict(out, data)).toEqual(said)
  })

  it('is not the summary of fewer runs than there are', async () => {
    const out = freshOut()
    await study({ ...config, starts: { count: 20 } }, { out })
    const early = readFileSync(join(out, 'summary.json'), 'utf8')
    await resumeStudy(out, { starts: 300 })
    expect((await predict(out, data)).rows).toHaveLength(100)
    writeFileSync(join(out, 'summary.json'), early)
    await expect(predict(out, data)).rejects.toThrow(/is not that of the runs/)
  })

  it('is the summary of a study that was stopped, too', async () => {
    const out = freshOut()
    const stop = new AbortController()
    const onProgress = (): void => stop.abort()
    const { interrupted } = await study(
      { ...config, model: { hidden: [2], loss: 'logistic', ridge: 0.001 }, starts: { count: 200_000 } },
      { out, signal: stop.signal, onProgress }
    )
    expect(interrupted).toBe(true)
    expect((await predict(out, data)).rows).toHaveLength(100)
  })
})
