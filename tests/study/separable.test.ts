// A model on the rows that it gets right: its own boundary separates them, so that it has no minimiser there, and a ridge gives it one.
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { resolveConfig } from '../../src/study/config.js'
import type { StudyInput } from '../../src/study/input.js'
import { runSeparated } from '../../src/study/separable.js'
import { runStudy } from '../../src/study/study.js'

async function pair(input: StudyInput): Promise<{ whole: Summary; pair: Summary[] }> {
  const config = resolveConfig({ starts: { count: 10 }, ...input }, 'the test')
  const whole = await runStudy(config)
  return { whole, pair: await runSeparated(config, whole) }
}

const generated = { data: { generate: { rows: 60, inputs: 3, overlap: 0.15, seed: 5 } } }

describe('the rows that a model gets right', () => {
  it.each<[string, StudyInput]>([
    ['logistic', generated],
    ['probit', { ...generated, model: { loss: 'probit' } }],
    ['cloglog, whose boundary is not z = 0', { ...generated, model: { loss: 'cloglog' } }],
    ['softmax, of three classes', { data: { builtin: 'iris3', features: ['Sepal.Width'] } }],
    [
      'of a part of the table',
      { data: { builtin: 'iris2', features: ['Sepal.Width'], test: { fraction: 0.4, seed: 2 } } }
    ]
  ])('%s', async (_, input) => {
    const {
      whole,
      pair: [free, held]
    } = await pair(input)
    expect(free.problem.rows).toBe(Math.round(whole.metrics.train.accuracy!.max * whole.problem.rows))
    expect(free.problem.rows).toBeLessThan(whole.problem.rows)
    expect(free.separation.status).toBe('complete')
    expect(free.verdicts).toMatchObject({ diverging: 10 })
    expect(free.metrics.train.accuracy!.min).toBe(1)
    expect(held.problem.ridge).toBeGreaterThan(0)
    expect(held.verdicts.minimum).toBe(10)
    expect(held.minima).toHaveLength(1)
  })

  it('keep labels that look like numbers, and rows before them that were left out', async () => {
    const rows = [
      { x: null, y: '2' },
      ...[1, 2, 3, 4, 5, 6, 7, 8].map(x => ({ x, y: (x === 3 ? x < 9 : x > 4) ? '10' : '2' }))
    ]
    const {
      whole,
      pair: [free]
    } = await pair({ data: { rows, target: 'y', missing: 'drop' } })
    expect(free.problem.coding).toBe('2 = 0, 10 = 1')
    expect(free.problem.rows).toBe(Math.round(whole.metrics.train.accuracy!.max * 8))
    expect(free.separation.status).toBe('complete')
    expect(free.metrics.train.accuracy!.min).toBe(1)
  })

  it.each<[string, StudyInput]>([
    ['of a loss of numbers', { data: { builtin: 'longley' } }],
    ['of separated data, which show it themselves', { data: { builtin: 'endometrial' } }],
    ['where ties decide', { data: { builtin: 'xor' } }],
    ['of a network', { ...generated, model: { hidden: [2] } }],
    ['where a ridge holds the model', { ...generated, model: { ridge: 0.1 } }]
  ])('are no example %s', async (_, input) => {
    expect((await pair(input)).pair).toEqual([])
  })
})
