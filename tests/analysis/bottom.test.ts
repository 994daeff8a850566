// What is little of a loss: of one that may be negative nothing is, however low.
import { describe, expect, it } from 'vitest'
import { Bottom } from '../../src/analysis/bottom.js'
import { resolveConfig } from '../../src/study/config.js'
import { setUp } from '../../src/study/setup.js'
import { seeded } from '../helpers/judge.js'

const next = seeded(67)
const eps = 2 ** -52

describe('a little of a loss, seeded', () => {
  it.each(['poisson', 'gamma', 'negativeBinomial', 'squared'])('%s', async loss => {
    const x = Array.from({ length: 9 }, next)
    const y = x.map(v => Math.ceil(9 * v))
    const raw = {
      data: { columns: { x, y }, target: 'y' },
      model: { hidden: [2], loss: loss === 'negativeBinomial' ? { negativeBinomial: { dispersion: 1 } } : loss },
      engine: 'reference'
    }
    const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
    const bottom = new Bottom(setup.judge, eps)
    const isNeverNegative = setup.judge.blankLoss !== null
    expect(isNeverNegative).toBe(loss === 'squared')
    for (let n = 0; n < 100; n++) {
      const size = 10 ** (30 * next() - 20)
      expect(bottom.isLittle(-size)).toBe(isNeverNegative)
      if (!isNeverNegative)
        for (const v of [0, size]) expect(bottom.isLittle(v) || bottom.isAt(v) || bottom.isNear(v)).toBe(false)
    }
    setup.dispose()
  })
})
