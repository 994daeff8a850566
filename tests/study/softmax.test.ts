// Softmax models: what the number added to all outputs leaves undetermined is no flat direction; what the data leave is.
import { describe, expect, it } from 'vitest'
import { study } from '../helpers/study.js'
import { threeClasses } from '../helpers/problems.js'

const fit = (columns: Record<string, (number | string)[]>, model: object, starts = 20): ReturnType<typeof study> =>
  study({
    data: { columns, target: 'k' },
    model: { hidden: [], loss: 'softmax', ...model },
    starts: { count: starts },
    engine: 'cpu'
  })

describe.each([1, 2, 3])('softmax on random rows %i', seed => {
  const columns = threeClasses(60, 10 * seed)

  it.each([
    ['without a ridge', {}, 6],
    ['with a ridge on weights', { ridge: 0.01 }, 8],
    ['with a ridge on all', { ridge: 0.01, penalizeBias: true }, 9]
  ])('%s has one strict minimum', async (_, model, directions) => {
    const { verdicts, minima, convex } = await fit(columns, model)
    expect(verdicts.minimum).toBe(20)
    expect(minima).toHaveLength(1)
    expect(minima[0].eigenvalues).toHaveLength(directions)
    expect(minima[0].eigenvalues[0]).toBeGreaterThan(0)
    expect(minima[0].proof?.status).toBe('proved')
    expect(convex.modulus).toBe(minima[0].eigenvalues[0])
    expect(convex.strongly).toBe('penalizeBias' in model)
  })

  it('keeps as flat what a repeated column leaves open, for each contrast of classes', async () => {
    const { verdicts, degenerate } = await fit({ ...columns, c: columns['a'].map(v => 2 * Number(v)) }, {})
    expect(verdicts.degenerate).toBe(20)
    expect(degenerate).toHaveLength(1)
    expect(degenerate[0].nullity).toBe(2)
    expect(degenerate[0].flatParameters!.every(name => /:[ac]$/.test(name))).toBe(true)
  })

  it('of hidden units, too', async () => {
    const net = { hidden: [2], activation: 'tanh', ridge: 0.01 }
    const { verdicts, minima } = await fit(columns, net, 40)
    expect(verdicts.minimum).toBeGreaterThan(30)
    for (const { parameters, names, proof } of minima) {
      expect(proof?.status).toBe('proved')
      const biases = parameters.filter((_, p) => /^(low|middle|high):\(Intercept\)$/.test(names[p]))
      expect(biases).toHaveLength(3)
      expect(Math.abs(biases.reduce((s, v) => s + v))).toBeLessThan(1e-12)
    }
    // A relu unit may be measured in any unit where nothing is held: that depends on the point, and stays flat.
    const relu = await fit(columns, { hidden: [1], activation: 'relu' }, 40)
    expect(relu.verdicts.minimum).toBe(0)
    expect(relu.verdicts.degenerate).toBeGreaterThan(0)
  })
})
