// The default contrast shows what it is for, whatever the seed of the starts or of the split: one minimum for the convex model,
// several for the networks with a ridge, which runs meet with different accuracy, and none without.
import { conclusion } from '../../src/report/conclusion.js'
import { describe, expect, it } from 'vitest'
import { contrast } from '../../src/study/contrast.js'
import { part } from '../helpers/length.js'

/** Seeds of the starts and of the split. */
const seeds = [
  [1, 4],
  [2, 4],
  [1, 1],
  [3, 4],
  [1, 2],
  [1, 3]
] as const

describe('the default contrast', () => {
  it.each(part(seeds, 5))('from starts of seed %i on the split of seed %i', async (seed, split) => {
    const given = {
      data: { builtin: 'iris2', test: { fraction: 0.3, seed: split } },
      starts: { count: 333, seed }
    }
    const found = await contrast(given)
    const [convex, brier, ridge, free] = found.models
    expect(convex.verdicts.minimum).toBe(333)
    expect(convex.minima).toHaveLength(1)
    expect(convex.metrics).toMatchObject({ asGoodAsBest: 1, disagreement: 0 })

    expect(brier.convex.witness!.eigenvalue).toBeLessThan(0)
    // Several minima, or one beside runs that run away.
    expect(brier.minima.length + brier.verdicts.diverging).toBeGreaterThan(1)
    expect(brier.metrics.asGoodAsBest).toBeLessThan(1)

    expect(ridge.verdicts.minimum).toBe(333)
    expect(ridge.minima.length).toBeGreaterThan(9)
    expect(ridge.minima[0].count).toBeLessThan(333 / 2)
    expect(ridge.metrics.asGoodAsBest).toBeLessThan(2 / 3)
    const accuracy = ridge.metrics.train.accuracy!
    expect(accuracy.max - accuracy.min).toBeGreaterThan(0.025)

    expect(free.verdicts).toMatchObject({ minimum: 0, failed: 0 })
    expect(free.verdicts.degenerate).toBeLessThan(333 / 20)
    expect(free.verdicts.diverging).toBeGreaterThan(333 / 3)

    const [separated, held] = found.separated
    expect(separated.problem.rows).toBe(Math.round(convex.metrics.train.accuracy!.max * convex.problem.rows))
    expect(separated.verdicts.diverging).toBe(99)
    expect(separated.limits).toHaveLength(1)
    expect(separated.limits[0].loss).toBeLessThanOrEqual(separated.limits[0].uncertainty)
    expect(held.verdicts.minimum).toBe(99)
    expect(held.minima).toHaveLength(1)
  })
})

it('xor: the logistic regression says that ties decide', async () => {
  const {
    models: [convex],
    separated
  } = await contrast({ data: { builtin: 'xor' }, starts: { count: 20 } })
  expect(convex.minima[0].loss).toBeCloseTo(Math.log(2), 12)
  expect(convex.notes.join(' ')).toMatch(/equally likely on 4 of 4 training rows, so ties decide/)
  expect(conclusion([convex]).join(' ')).toMatch(/On 4 of 4 training rows .* ties decide there\./)
  expect(separated).toEqual([])
})
