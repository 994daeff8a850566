import { describe, expect, it } from 'vitest'
import type { BestOf, Restarts } from '../../src/core/restartsResult.js'
import { bestOfChart } from '../../src/report/charts/bestOf.js'
import { renderReport } from '../../src/report/render.js'
import { bestOfTable, restartsText, startsText } from '../../src/report/restarts.js'
import { studyText } from '../../src/report/text.js'
import { makePoints, makeSummary, same, spread, throughJson } from './summaries.js'

const best = (k: number, loss: number, accuracy?: number): BestOf => ({
  k,
  loss,
  interval: [loss - 0.01, loss + 0.02],
  ...(accuracy === undefined ? {} : { test: { accuracy: { mean: accuracy, interval: k < 100 ? [0.8, 1] : null } } }),
  evaluations: { f: 12 * k, g: 12 * k, H: 10 * k }
})
const found: Restarts = {
  points: [0],
  count: 10,
  share: 0.1,
  shareInterval: [0.049, 0.176],
  chance: 0.95,
  starts: 29,
  startsInterval: [16, 60]
}
const metrics = {
  train: { accuracy: spread(0.9, 1) },
  test: { accuracy: spread(0.8, 0.9) },
  asGoodAsBest: 0.1,
  disagreement: 0.05
}
const several = makeSummary({
  name: '2-3-1 tanh',
  verdicts: { minimum: 100 },
  minima: makePoints(10, 100),
  metrics,
  fields: {
    restarts: {
      bestOf: [best(1, 0.3, 0.9), best(2, 0.25, 0.88), best(10, 0.2, 0.85), best(50, 0.15, 0.86), best(100, 0.1, 0.9)],
      needed: found
    }
  }
})
const convex = makeSummary({
  name: 'logistic regression',
  convex: { model: true },
  verdicts: { minimum: 100 },
  minima: makePoints(1, 100),
  metrics: { ...metrics, test: { accuracy: same(0.9) } },
  fields: {
    restarts: {
      bestOf: [best(1, 0.3, 0.9), best(10, 0.3, 0.9), best(100, 0.3, 0.9)],
      needed: { ...found, count: 100, share: 1, shareInterval: [0.96, 1], starts: 1, startsInterval: [1, 1] }
    }
  }
})

describe('how many starts', () => {
  it('is said with its interval and what it costs', () => {
    const text = restartsText(throughJson(several))
    expect(text).toContain('29 starts are needed (16 to 60), which cost 290 Hessians, 290 ms of one thread.')
    expect([startsText(several), startsText(convex), startsText(makeSummary())]).toEqual(['29 [16, 60]', '1', '–'])
  })

  it('is no question where every start finds the same, or none finds anything', () => {
    expect(restartsText(convex)).toBe('')
    expect(bestOfTable(convex)).toBeUndefined()
    expect(restartsText(makeSummary())).toBe('')
    expect(bestOfTable(makeSummary())).toBeUndefined()
  })

  it('has a row for each k, and a column for runs that fail where some do', () => {
    const table = bestOfTable(several)!
    expect(table.rows.map(row => row[0])).toEqual(['1', '2', '10', '50', '100'])
    expect(table.rows[0].slice(1, 5)).toEqual(['0.3', '0.29 to 0.32', '0.9', '0.8 to 1'])
    expect(table.rows[4][4]).toBe('–')
    expect(table.head).not.toContain('all fail')
    const { bestOf } = several.restarts
    const failing = bestOfTable({
      ...several,
      restarts: { bestOf: bestOf.map(b => ({ ...b, none: 0.5 ** b.k })) }
    })!
    expect(failing.rows[1][failing.head.indexOf('all fail')]).toBe('25 %')
  })

  it('stands in the terminal, in lines of its width, and in the report once', async () => {
    const text = studyText(several, 80)
    expect(text).toContain('Best of k starts:')
    expect(text.split('\n').every(line => line.length <= 80)).toBe(true)
    const html = await renderReport([convex, several], { title: 'both' })
    expect(html.split('How many starts').length).toBe(2)
    expect(html).toContain('2-3-1 tanh: A start finds the lowest loss known')
    expect(await renderReport([convex], { title: 'one' })).not.toContain('How many starts')
  })
})

describe('the chart of best-of-k', () => {
  it('has a line and a band for each model in each picture, and leaves the best of all out', async () => {
    const { svgs, legend } = (await bestOfChart([convex, several]))!
    expect(svgs).toHaveLength(2)
    expect(legend?.map(l => l.name)).toEqual(['logistic regression', '2-3-1 tanh'])
    for (const svg of svgs) {
      expect(svg).not.toMatch(/NaN|Infinity/)
      expect(svg.match(/mark-area/g)).toHaveLength(2)
      expect(svg.match(/mark-line/g)).toHaveLength(2)
      // A mark for each k but the last: 2 of the convex model and 4 of the other.
      const marks = [...svg.matchAll(/mark-symbol role-mark.*?<\/g>/gs)].map(([group]) => group.match(/<path/g)!.length)
      expect(marks.reduce((a, b) => a + b, 0)).toBe(6)
    }
  })

  it('is not drawn where no model gains by starts', async () => {
    expect(await bestOfChart([convex])).toBeUndefined()
    expect(await bestOfChart([makeSummary()])).toBeUndefined()
  })

  it('has one picture without held-out rows', async () => {
    const { bestOf } = several.restarts
    const bare = { ...several, restarts: { bestOf: bestOf.map(({ test: _, ...b }) => b) } }
    const { svgs, legend } = (await bestOfChart([bare]))!
    expect([svgs.length, legend?.length]).toEqual([1, 0])
  })
})
