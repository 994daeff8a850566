// `manystart bench` alone: the score, the card at 80 columns, the page.
import { beforeAll, describe, expect, it } from 'vitest'
import { benchCard, measuredEngines, scoreOf, type CardProgress, type CardResults } from '../../src/bench/card/card.js'
import { cardStudies, quickScale, roundUp, studyTitles } from '../../src/bench/card/definition.js'
import { cardPage } from '../../src/bench/card/page.js'
import { cardMarkdown, cardText } from '../../src/bench/card/text.js'
import { geometricMean } from '../../src/bench/statistics.js'
import { cpuEntry } from '../../src/engines/cpu/index.js'
import { engines } from '../../src/engines/registry.js'
import type { EngineEntry, Support } from '../../src/engines/types.js'
import { expectClose } from '../helpers/tolerance.js'

let results: CardResults
const told: CardProgress[] = []
beforeAll(async () => {
  results = await benchCard({
    engines: [cpuEntry],
    threads: 1,
    scale: { ...quickScale, studySeconds: 0.001 },
    quick: true,
    onProgress: p => told.push(p)
  })
})

describe('the engines that are measured unless some are named', () => {
  const there: Support = { ok: true, detail: 'here' }
  const software: Support = { ...there, software: true }
  const absent: Support = { ok: false, reason: 'It is not here.' }
  /** Engines as the registry has them: the processor's has a list of devices, too, with none in it. */
  const measured = async (cpu: Support, gpus: readonly Support[]): Promise<string[]> => {
    const fake = (entry: EngineEntry): EngineEntry => ({
      ...entry,
      available: () => Promise.resolve(entry.name === 'cpu' ? cpu : there),
      devices: () =>
        Promise.resolve(entry.name === 'webgpu' ? gpus.map((support, i) => ({ name: `GPU ${i + 1}`, support })) : [])
    })
    return (await measuredEngines(engines.map(fake))).map(e => e.name).sort()
  }

  it.each<[string, Support, readonly Support[], readonly string[]]>([
    ['the processor', there, [software], ['cpu']],
    ['and a GPU', there, [absent, there], ['cpu', 'webgpu']],
    ['a GPU alone', absent, [there], ['webgpu']],
    ['the reference where neither is here', absent, [absent, software], ['reference']]
  ])('%s', async (_, cpu, gpus, wanted) => expect(await measured(cpu, gpus)).toEqual(wanted))
})

describe('the score', () => {
  it('is the median over repeats of the geometric mean over the studies', () => {
    const [score] = results.card.scores
    const studies = results.records.filter(r => r.kernel === 'study')
    expect(studies.map(r => r.name)).toEqual(Object.keys(studyTitles))
    expect(cardStudies).toHaveLength(studies.length)
    score.repeats.forEach((rate, k) =>
      expectClose(rate, geometricMean(studies.map(r => r.sizes.R / r.seconds[k])), 1e-12 * rate, `repeat ${k}`)
    )
    expect(score.value).toBeGreaterThanOrEqual(Math.min(...score.repeats))
    expect(score.value).toBeLessThanOrEqual(Math.max(...score.repeats))
  })

  it("has Student's interval of the logarithms", () => {
    const { value, low, high } = scoreOf([1, Math.E, Math.E ** 2])
    expect(value).toBe(Math.E)
    // qt(0.975, 2) = 4.3026527; standard error 1/√3.
    expectClose(Math.log(high), 1 + 4.3026527 / Math.sqrt(3), 1e-6, 'high')
    expectClose(Math.log(low), 1 - 4.3026527 / Math.sqrt(3), 1e-6, 'low')
  })

  it('is 0 where a study was wrong', () => {
    expect(scoreOf([0, 0])).toEqual({ value: 0, low: 0, high: 0 })
  })

  it('starts are 1, 2, 5 … times a power of ten', () => {
    expect([1, 3, 5, 7, 1000, 1001, 12345].map(roundUp)).toEqual([1, 5, 5, 10, 1000, 2000, 20000])
  })
})

describe('the card', () => {
  it('fits 80 columns and 60, and says what to know before quoting', () => {
    for (const width of [80, 60]) {
      const text = cardText(results, width)
      expect(Math.max(...text.split('\n').map(line => line.length)), text).toBeLessThanOrEqual(width)
      expect(text).toMatch(/certified runs\/s/)
      expect(text).toMatch(/nothing to quote/)
      expect(text).not.toMatch(/undefined|NaN|null/)
    }
  })

  it('Markdown has a table of every engine and the definition', () => {
    const text = cardMarkdown(results)
    expect(text.match(/^### cpu f(64|32)$/gm)).toHaveLength(2)
    expect(text).toContain(results.card.definition)
  })

  it('the page is whole, loads nothing, and has a roofline of each precision', async () => {
    const page = await cardPage(results)
    expect(page).not.toMatch(/undefined|NaN|Infinity/)
    expect(page).not.toMatch(/<(script|link|img)\b|src=|url\(/)
    expect(page.match(/Roofline of cpu f(64|32)/g)).toHaveLength(2)
  })

  it('progress climbs and ends', () => {
    expect(told[0].share).toBe(0)
    expect(told.every((p, i) => i === 0 || p.share >= told[i - 1].share)).toBe(true)
    expect(told.at(-1)!.share).toBeGreaterThan(0.9)
    expect(told.every(p => p.secondsLeft >= 0)).toBe(true)
  })
})
