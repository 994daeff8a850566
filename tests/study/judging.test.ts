// A study that judges some of its runs: the sample and the lowest losses are what they say, judged runs are judged as in a study that
// judges all, and nothing depends on threads.
import { describe, expect, it } from 'vitest'
import { ReasonCode, VerdictCode } from '../../src/core/result.js'
import { study } from '../../src/index.js'
import { readRuns } from '../../src/runs/points.js'
import { judgeChoice, lowest, sampled } from '../../src/study/choice.js'
import { freshOut } from '../cli/helpers.js'
import { seeded } from '../helpers/enclosures.js'

describe('which runs are judged', () => {
  it('a sample holds its share of the first starts, however many there are, and the first', () => {
    for (const share of [1, 0.5, 0.1, 0.037]) {
      const starts = Array.from({ length: 5000 }, (_, i) => i)
      const all = sampled(starts, share)
      expect(all[0]).toBe(0)
      for (const n of [10, 999, 5000]) {
        const held = all.filter(i => i < n).length
        expect(Math.abs(held - share * n)).toBeLessThanOrEqual(1)
        // Places of a block in another order, from elsewhere.
        const block = starts.slice(0, n).reverse()
        expect(sampled(block, share).map(place => block[place])).toEqual(all.filter(i => i < n).reverse())
      }
    }
  })

  it('the best are those with the lowest losses of all blocks; of equal ones the first starts; never one without a loss', () => {
    const random = seeded(4)
    const blocks = [7, 1, 12].map(count => ({
      count,
      start: Float64Array.from({ length: count }, () => Math.floor(1000 * random())),
      loss: Float64Array.from({ length: count }, () => (random() < 0.2 ? NaN : Math.floor(4 * random())))
    }))
    for (const share of [0.01, 0.2, 0.5]) {
      const which = lowest(blocks, share)
      const key = (b: number, i: number): number => blocks[b].loss[i] * 1e4 + blocks[b].start[i]
      const taken = which.flatMap((places, b) => places.map(i => key(b, i)))
      const left = blocks.flatMap((block, b) =>
        [...block.loss.keys()].filter(i => !which[b].includes(i) && !Number.isNaN(block.loss[i])).map(i => key(b, i))
      )
      expect(taken).toHaveLength(Math.ceil(share * 20))
      expect(Math.max(...taken)).toBeLessThanOrEqual(Math.min(...left))
    }
  })

  it('a tenth, where only the choice is named', () => {
    expect(judgeChoice({})).toEqual({ choose: 'all', share: 1 })
    expect(judgeChoice({ judge: 'best' })).toEqual({ choose: 'best', share: 0.1 })
    expect(judgeChoice({ judge: { sample: 0.25 } })).toEqual({ choose: 'sample', share: 0.25 })
  })
})

describe('a study that judges some of its runs', () => {
  const raw = (judge: unknown): Record<string, unknown> => ({
    data: { builtin: 'xor' },
    model: { hidden: [2], loss: 'logistic', ridge: 0.01, penalizeBias: true },
    starts: { count: 300 },
    ...(judge === undefined ? {} : { judge })
  })
  async function run(judge: unknown, threads = 2) {
    const out = freshOut()
    const summary = await study(raw(judge), { out, threads })
    const rows: Record<string, number[]> = { start: [], verdict: [], reason: [], loss: [], lossFound: [] }
    const parts: number[] = []
    for await (const { rows: stored } of readRuns(out)) {
      parts.push(stored.count)
      for (const name of ['start', 'lossFound'] as const) rows[name].push(...stored[name])
      for (const name of ['verdict', 'reason', 'loss'] as const)
        for (const e of stored.end) rows[name].push(stored.ends[name][e])
    }
    return { summary, rows, parts }
  }

  it.each([{ best: 0.2 }, { sample: 0.2 }] as const)(
    '%o: these as in a study that judges all, the others not',
    async judge => {
      const all = await run(undefined)
      const some = await run(judge)
      const count = 300
      const chosen: number[] = []
      if ('sample' in judge) chosen.push(...sampled(all.rows.start, 0.2))
      else
        all.parts.reduce((from, size) => {
          const part = (name: string): Float64Array => Float64Array.from(all.rows[name].slice(from, from + size))
          const [places] = lowest([{ count: size, start: part('start'), loss: part('lossFound') }], 0.2)
          chosen.push(...places.map(i => from + i))
          return from + size
        }, 0)
      expect(all.parts.length).toBeGreaterThan(1)
      for (let i = 0; i < count; i++) {
        if (chosen.includes(i)) {
          expect(some.rows.verdict[i]).toBe(all.rows.verdict[i])
          expect(some.rows.loss[i]).toBe(all.rows.loss[i])
        } else {
          expect(some.rows.verdict[i]).toBe(VerdictCode.unfinished)
          expect(some.rows.reason[i]).toBe(ReasonCode.unjudged)
          expect(some.rows.loss[i]).toBe(all.rows.lossFound[i])
        }
      }
      expect(some.summary.unfinished.unjudged).toBe(count - chosen.length)
      expect(some.summary.metrics).toEqual(all.summary.metrics)
      if ('best' in judge) expect(some.summary.minima[0].loss).toBe(all.summary.minima[0].loss)
      expect((await run(judge, 1)).rows).toEqual(some.rows)
    }
  )
})
