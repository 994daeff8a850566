// Truth tables and curves that a few units can only just fit: valleys without loss, and ways to infinity beside them.
import { describe, expect, it } from 'vitest'
import { seeded } from '../helpers/judge.js'
import { study } from '../helpers/study.js'

type Columns = Record<string, number[]>

/** All inputs of 0 and 1, and the bits of `code` as targets. */
const table = (inputs: number, code: number): Columns => {
  const x = Array.from({ length: inputs }, (_, d) => Array.from({ length: 1 << inputs }, (_, i) => (i >> d) & 1))
  const columns = Object.fromEntries(x.map((values, d) => [`x${d}`, values]))
  return { ...columns, y: Array.from({ length: 1 << inputs }, (_, i) => (code >> i) & 1) }
}
const seven = Array.from({ length: 7 }, (_, i) => i - 3)
const squared = (columns: Columns, hidden: number, activation: string, count: number) =>
  study({
    data: { columns, target: 'y' },
    model: { hidden: [hidden], activation, loss: 'squared' },
    starts: { count }
  })

describe('tables of two inputs', () => {
  // Without loss H has no more rank than there are rows: 4, of 9 parameters.
  it.each([
    ['tanh', 6],
    ['tanh', 9],
    ['logistic', 6],
    ['logistic', 9],
    ['softplus', 9],
    ['sin', 6],
    ['gelu', 9]
  ])('%s, table %i: no end without loss is a strict minimum', async (activation, code) => {
    const { minima } = await squared(table(2, code), 2, activation, 2000)
    expect(minima.filter(m => m.loss < 1e-9)).toEqual([])
  })
})

describe('groups of rows, fewer than parameters', () => {
  const next = seeded(17)
  const groups = [-1.3, -0.4, 0.2, 0.7, 1.4]
  const x = groups.flatMap(v => [v, v, v])
  /** The least loss that a function of x can have: at the mean of each group. */
  const least = (y: number[], lossAt: (y: number, mean: number) => number): number => {
    const mean = (k: number): number => (y[3 * k] + y[3 * k + 1] + y[3 * k + 2]) / 3
    return y.reduce((sum, v, i) => sum + lossAt(v, mean(Math.floor(i / 3))) / y.length, 0)
  }
  it.each(['sin', 'tanh', 'gelu', 'logistic'])('%s: what fits every group is no strict minimum', async activation => {
    for (const loss of ['poisson', 'squared']) {
      const y = x.map(() => 1 + Math.floor(5 * next()))
      const fit = least(y, (v, mean) => (loss === 'poisson' ? mean - v * Math.log(mean) : (v - mean) ** 2 / 2))
      const data = { columns: { x, y }, target: 'y' }
      const { minima, degenerate, limits } = await study({
        data,
        model: { hidden: [2], activation, loss },
        starts: { count: 600 }
      })
      const fits = ({ loss }: { loss: number }): boolean => Math.abs(loss - fit) < 1e-9 * Math.max(1, Math.abs(fit))
      expect([...degenerate, ...limits].some(fits)).toBe(true)
      expect(minima.filter(fits)).toEqual([])
    }
  })
})

it('a run that stopped beside the valley that fits every group is in it, though what is left of the gradient bends f', async () => {
  const columns = { x: [1.2, -1.3, 0.2, 0.7, 1.4, 1.2, -1], y: [2, 2, 3, 1, 4, 3, 2] }
  const { verdicts } = await study({
    data: { columns, target: 'y' },
    model: { hidden: [2], activation: 'sin', loss: 'poisson' },
    starts: { count: 150, seed: 118 }
  })
  expect(verdicts.minimum).toBe(0)
  expect(verdicts.degenerate).toBeGreaterThanOrEqual(100)
})

describe('tables of three inputs', () => {
  const majority = 0b11101000
  const multiplexer = 0b11011000
  // Of the multiplexer's runs by tanh units one in nine ends where only rounding is flat, in the tails of its units, and is left open.
  it.each([
    ['majority', majority, 'tanh', 45],
    ['majority', majority, 'logistic', 45],
    ['multiplexer', multiplexer, 'tanh', 60],
    ['multiplexer', multiplexer, 'logistic', 45]
  ])('%s, code %i: two %s units approach it as steps, and runs are told so', async (_, code, activation, open) => {
    const { verdicts, minima, limits } = await squared(table(3, code), 2, activation, 300)
    expect(verdicts.unfinished).toBeLessThanOrEqual(open)
    expect(verdicts.diverging).toBeGreaterThanOrEqual(20)
    expect(minima.filter(m => m.loss < 1e-9)).toEqual([])
    expect(limits.some(({ loss }) => loss === 0)).toBe(true)
    // Squared errors are never below 0.
    for (const { loss } of limits) expect(loss).toBeGreaterThanOrEqual(0)
  })
})

describe('curves', () => {
  it.each(['tanh', 'logistic'])('one %s unit approaches a line as its weights grow like powers', async activation => {
    const { verdicts, limits } = await squared({ x: seven, y: seven.map(x => 0.3 * x + 1) }, 1, activation, 300)
    expect(verdicts).toMatchObject({ minimum: 0, degenerate: 0 })
    expect(verdicts.diverging).toBeGreaterThanOrEqual(295)
    for (const { loss, uncertainty } of limits) expect(loss).toBeLessThanOrEqual(uncertainty)
  })

  it('two softplus units approach a parabola', async () => {
    const { verdicts, limits } = await squared({ x: seven, y: seven.map(x => x * x) }, 2, 'softplus', 300)
    expect(verdicts.minimum).toBe(0)
    expect(verdicts.diverging).toBeGreaterThanOrEqual(285)
    for (const { loss } of limits) expect(loss).toBeLessThan(1e-9)
  })
})
