// Points that seem flat because rows lie in the tails of units: none of them is stationary, and none may be called so.
import { describe, expect, it } from 'vitest'
import { judgeStudy, seeded } from '../helpers/judge.js'
import { study } from '../helpers/study.js'

const next = seeded(61)
const between = (low: number, high: number): number => low + (high - low) * next()

/** ½ Σ (y − mean)² of some targets. */
const scatter = (y: readonly number[]): number => {
  const mean = y.reduce((s, v) => s + v, 0) / y.length
  return y.reduce((s, v) => s + (v - mean) ** 2 / 2, 0)
}

describe('one sigmoid unit on a few points of a line', () => {
  it.each(['tanh', 'logistic'])('%s: a step between two of them is approached only', async activation => {
    let met = 0
    for (let repeat = 0; repeat < 6; repeat++) {
      const N = 5 + (repeat % 3)
      const x = Array.from({ length: N }, (_, i) => (2 * i) / (N - 1) - 1)
      const y = x.map(() => between(-1, 1))
      const { minima, degenerate, limits } = await study({
        data: { columns: { x, y }, target: 'y', standardize: true },
        model: { hidden: [1], activation, loss: 'squared' },
        optimizer: repeat % 2 === 0 ? 'lbfgs' : 'newton',
        starts: { count: 60, seed: 1 + repeat, init: { normal: 1 + repeat } }
      })
      // A unit that is a step has the means of both sides; finite weights do better or worse.
      const steps = Array.from({ length: N - 1 }, (_, k) => (scatter(y.slice(0, k + 1)) + scatter(y.slice(k + 1))) / N)
      for (const { loss } of [...minima, ...degenerate])
        for (const step of steps) expect(Math.abs(loss - step), `loss ${loss}`).toBeGreaterThan(1e-9)
      met += limits.filter(({ loss }) => steps.some(step => Math.abs(loss - step) < 1e-9)).length
    }
    expect(met).toBeGreaterThan(3)
  })
})

describe('one softplus unit on |x|', () => {
  it('is flat where it is a constant, and not far out where it is two lines', async () => {
    for (let repeat = 0; repeat < 3; repeat++) {
      const N = 18 + repeat
      const x = Array.from({ length: N }, (_, i) => (2 * i) / (N - 1) - 1)
      const { losses } = await judgeStudy(
        { x, y: x.map(Math.abs) },
        {
          model: { hidden: [1], activation: 'softplus', loss: 'squared' },
          optimizer: 'lbfgs',
          starts: { count: 60, seed: 1 + repeat },
          stop: { steps: 3000 }
        }
      )
      const flat = losses('degenerate')
      expect(flat.length).toBeGreaterThan(10)
      expect(Math.max(...flat) - Math.min(...flat)).toBeLessThan(1e-9)
    }
  })
})

describe('two places, at one of which all labels are 1', () => {
  // Outputs there have no finite best, and those at the other place can be anything beside them.
  it.each([
    ['tanh', 'logistic'],
    ['logistic', 'softmax'],
    ['gelu', 'logistic']
  ])('%s units, loss %s: what they are together is approached only', async (activation, loss) => {
    for (let repeat = 0; repeat < 4; repeat++) {
      const [ones, mixed] = [2 + (repeat % 3), 3 + repeat]
      const y = Array.from({ length: ones + mixed }, (_, i) => (i < ones ? 1 : (i - ones) % 2))
      const share = y.slice(ones).reduce((s, v) => s + v, 0) / mixed
      const entropy = -share * Math.log(share) - (1 - share) * Math.log(1 - share)
      const { minima, degenerate, limits } = await study({
        data: { columns: { x: y.map((_, i) => (i < ones ? 1 : -0.4)), y }, target: 'y' },
        model: { hidden: [1], activation, loss },
        optimizer: repeat % 2 === 0 ? 'lbfgs' : 'newton',
        starts: { count: 40, seed: 1 + repeat, init: { normal: 3 } }
      })
      const least = (entropy * mixed) / y.length
      expect([...minima, ...degenerate].filter(point => point.loss < least + 1e-6)).toEqual([])
      expect(limits.length).toBeGreaterThan(0)
    }
  })
})
