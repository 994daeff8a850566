// Whole studies whose verdicts and distinct points are known from theory or from figures found elsewhere.
import { describe, expect, it } from 'vitest'
import type { Summary, Verdict } from '../../src/core/result.js'
import { startPoint } from '../../src/models/model.js'
import { logNormalCdf } from '../../src/models/special.js'
import { study } from '../helpers/study.js'
import { auerMaximum, auerProblem, auerProducts, auerStudy } from '../helpers/auer.js'
import { csv } from '../helpers/files.js'
import { expectAllClose, expectClose, tolerance } from '../helpers/tolerance.js'

/** Verdicts that occurred, with their counts. */
const met = ({ verdicts }: Summary): Partial<Record<Verdict, number>> =>
  Object.fromEntries(Object.entries(verdicts).filter(([, count]) => count > 0))

describe('squared loss through the logistic function', () => {
  it.each([1, 2, 3])('has exactly the 2^%i minima of Auer’s problem, told apart', async d => {
    const summary = await study({ ...auerStudy(d), starts: { count: 400, init: { normal: 2 } } })
    expect(met(summary)).toEqual({ minimum: 400 })
    const known = auerProducts(d)
      .filter(p => p.index === 0)
      .sort((a, b) => a.loss - b.loss)
    expect(summary.minima).toHaveLength(2 ** d)
    expectAllClose(
      summary.minima.map(m => m.loss),
      known.map(p => p.loss),
      6e-11,
      'loss of the minima'
    )
    for (const { parameters, copies } of summary.minima) {
      expect(copies).toBe(1)
      const gaps = known.map(p => Math.max(...p.theta.map((w, j) => Math.abs(w - parameters[j]))))
      expect(Math.min(...gaps)).toBeLessThan(6e-11)
    }
    expect(summary.convex).toMatchObject({ model: false, strongly: false, modulus: null })
    expect(summary.convex.witness!.eigenvalue).toBeLessThan(0)
  })

  it('is parted by gradient descent at its maxima: every run ends on the side on which it starts', async () => {
    const [d, count, seed] = [2, 300, 7]
    const descent = { optimizer: { gd: { learningRate: 0.3 } }, stop: { steps: 20000, gradient: 1e-5 } }
    const summary = await study({ ...auerStudy(d), starts: { count, seed, init: { normal: 1 } }, ...descent })
    expect(met(summary)).toEqual({ minimum: count })
    const expected = new Map<string, number>()
    let left = 0
    for (let i = 0; i < count; i++) {
      const sides = Array.from(startPoint(auerProblem(d).model, { normal: 1 }, seed, i), w => w < auerMaximum)
      left += sides.filter(Boolean).length
      expected.set(sides.join(), (expected.get(sides.join()) ?? 0) + 1)
    }
    const found = summary.minima.map(m => [m.parameters.map(w => w < auerMaximum).join(), m.count] as const)
    expect(new Map(found)).toEqual(expected)
    // The starts are normal: the share on the left is Φ of the maximum, within four standard deviations.
    const p = Math.exp(logNormalCdf(auerMaximum))
    expectClose(p, 0.297808, 5e-7, 'probability of the left side')
    expectClose(left / (d * count), p, 4 * Math.sqrt((p * (1 - p)) / (d * count)), 'share of the left side')
  })

  it('has a convex twin with one minimiser', async () => {
    const summary = await study({ ...auerStudy(1, 'logistic'), starts: { count: 50, init: { normal: 2 } } })
    expect(met(summary)).toEqual({ minimum: 50 })
    expect(summary.minima).toHaveLength(1)
    expectClose(summary.minima[0].parameters[0], 0.0129546097, 6e-11, 'minimiser')
    expect(summary.convex).toMatchObject({ model: true, strongly: true })
  })
})

describe('tanh networks on iris2, standardised', () => {
  const raw = (hidden: number, ridge: number, penalizeBias: boolean) => ({
    data: { builtin: 'iris2', standardize: true },
    model: { hidden: [hidden], ridge, penalizeBias }
  })

  it.each([
    [2, 0.001, [0.070580148, 0.073839187]],
    [3, 0.001, [0.063950925, 0.064055314, 0.064081033, 0.064977289]],
    [3, 0.01, [0.1456643]]
  ] as const)('%i units, ridge %f on all: has the strict minima that BFGS finds', async (hidden, ridge, losses) => {
    const { minima, verdicts } = await study({
      ...raw(hidden, ridge, true),
      starts: { count: 200, init: { normal: 2 } }
    })
    expect(verdicts.degenerate + verdicts.diverging + verdicts.failed).toBe(0)
    for (const loss of losses) {
      const digits = loss === 0.1456643 ? 5e-8 : 1e-9
      const match = minima.filter(m => Math.abs(m.loss - loss) <= digits)
      expect(match, `a minimum of loss ${loss}`).toHaveLength(1)
      expect(match[0].eigenvalues[0]).toBeGreaterThan(1e-4)
      // Permutations and signs of the units.
      expect(match[0].copiesPossible).toBe(2 ** hidden * (hidden === 2 ? 2 : 6))
      expect(match[0].copies).toBeGreaterThan(1)
    }
    // What BFGS found is a lower bound on what there is, and its best is the best.
    expect(minima[0].loss).toBeGreaterThan(losses[0] - 1e-7)
  })

  it('2 units, ridge 0.02 on weights: a strict minimum, and one with a dead unit whose bias is free', async () => {
    const summary = await study({ ...raw(2, 0.02, false), starts: { count: 100, init: { normal: 2 } } })
    expect(Object.keys(met(summary)).sort()).toEqual(['degenerate', 'minimum'])
    const { minima, degenerate } = summary
    expect([minima.length, degenerate.length]).toEqual([1, 1])
    expectClose(minima[0].loss, 0.211569726, 1e-9, 'loss of the minimum')
    expectClose(minima[0].eigenvalues[0], 1.3e-2, 5e-4, 'its smallest eigenvalue')
    expectClose(degenerate[0].loss, 0.242257882, 1e-9, 'loss of the degenerate one')
    expect(degenerate[0]).toMatchObject({ nullity: 1, nullityExplained: 1 })
    expect(degenerate[0].flatParameters).toHaveLength(1)
    expect(degenerate[0].flatParameters![0]).toMatch(/^h1\.[12]:\(Intercept\)$/)
  })

  describe('started at zero, where the classes balance: a saddle known in closed form', () => {
    // There z = 0, and residuals ½ − y sum to 0. Each unit couples its outgoing weight with the incoming ones by c = Σ (½ − y) x / N:
    // eigenvalues ridge ± |c|; all others are the ridge, and ridge + ¼ for the outer bias.
    const zero = { starts: { count: 5, init: { normal: 0 } } }

    it('gradient descent stays, and the verdict is saddle with the index of the units', async () => {
      const summary = await study({ ...raw(2, 0.02, true), ...zero, optimizer: 'gd' })
      expect(met(summary)).toEqual({ saddle: 5 })
      const [saddle] = summary.saddles
      expect(saddle).toMatchObject({ count: 5, index: 2, nullity: 0 })
      expect(summary.minima).toEqual([])
      expectClose(saddle.loss, Math.LN2, tolerance('f64', 100, 1), 'loss')
      const c = 0.02 - saddle.eigenvalues[0]
      expect(c).toBeGreaterThan(0.4)
      const expected = [0.02 - c, 0.02 - c, ...new Array<number>(8).fill(0.02), 0.02 + c, 0.02 + c, 0.27]
      expectAllClose(
        saddle.eigenvalues,
        expected.sort((a, b) => a - b),
        tolerance('f64', 100, 1),
        'eigenvalue'
      )
    })

    it('Newton’s method leaves it for a minimum', async () => {
      const summary = await study({ ...raw(2, 0.001, true), ...zero })
      expect(summary.verdicts.saddle).toBe(0)
      expect(met(summary)).toEqual({ minimum: 5 })
      expect(summary.minima[0].loss).toBeLessThan(0.1)
    })
  })
})

describe('XOR with two logistic units and squared errors', () => {
  const model = { hidden: [2], activation: 'logistic', loss: 'brier' }

  it('has no strict minimum; with targets inside (0, 1) all finite minima are global, on a manifold', async () => {
    const table = csv(
      'xor.csv',
      ['a', 'b', 'y'],
      [
        [0, 0, 0.1],
        [0, 1, 0.9],
        [1, 0, 0.9],
        [1, 1, 0.1]
      ]
    )
    const summary = await study({
      data: { csv: table, target: 'y' },
      model,
      starts: { count: 150, init: { normal: 2 } }
    })
    expect(summary.minima).toEqual([])
    expect(summary.verdicts.degenerate).toBeGreaterThan(50)
    // Four exact fits leave five of nine parameters free.
    for (const point of summary.degenerate) {
      expect(point.nullity).toBe(5)
      expect(point.loss).toBeLessThan(1e-25)
    }
  })

  it('runs away where the targets are 0 and 1: no finite point is a minimum or degenerate', async () => {
    const summary = await study({ data: { builtin: 'xor' }, model, starts: { count: 150, init: { normal: 2 } } })
    const { minimum, degenerate, diverging } = summary.verdicts
    expect([minimum, degenerate]).toEqual([0, 0])
    expect(diverging).toBeGreaterThan(100)
    expect(summary.diverging!.norm).toBeGreaterThan(10)
  })
})

describe('what the data do not determine', () => {
  const rows = [
    [1, 2, 0],
    [2, 1, 1],
    [0, 1, 1],
    [3, -1, 0],
    [-1, 4, 0],
    [1, 1, 1],
    [2, 2, 0],
    [0, 0, 1]
  ]
  const collinear = csv(
    'collinear.csv',
    ['a', 'b', 'c', 'sum', 'y'],
    rows.map(([a, b, y], i) => [a, b, [5, 3, 8, 1, 9, 2, 4, 7][i], a + b, y])
  )

  it('collinear columns are degenerate, with the columns named', async () => {
    const summary = await study({ data: { csv: collinear, target: 'y' }, starts: { count: 20 } })
    expect(met(summary)).toEqual({ degenerate: 20 })
    expect(summary.degenerate).toHaveLength(1)
    // The data leave the direction open, not the model.
    expect(summary.degenerate[0]).toMatchObject({ nullity: 1, nullityExplained: 0, flatParameters: ['a', 'b', 'sum'] })
    expect(summary.convex).toMatchObject({ model: true, strongly: false })
    expect(summary.notes.join(' ')).toMatch(/rank 4 for 5 columns/)
    // What is determined is the same in every run.
    expect(summary.spread.loss).toBeLessThan(1e-14)
    expect(summary.spread.parameters).toBeGreaterThan(0.1)
  })

  it('a relu unit that no row wakes is degenerate in all that enters and leaves it', async () => {
    // One input above zero, uniform starts: a unit with negative weight and bias is dead on every row.
    const table = csv(
      'dead.csv',
      ['x', 'y'],
      [1, 2, 3, 4, 5].map(x => [x, [2, 1, 4, 3, 5][x - 1]])
    )
    const summary = await study({
      data: { csv: table, target: 'y' },
      model: { hidden: [1], activation: 'relu', loss: 'squared' },
      starts: { count: 60, init: { uniform: 1 } }
    })
    const dead = summary.degenerate.filter(p => p.nullity === 3)
    expect(dead).toHaveLength(1)
    expect(dead[0].flatParameters).toEqual(['h1.1:(Intercept)', 'h1.1:x', 'out:h1.1'])
    // What is left is the mean: y = 1 … 5 has variance 2.
    expectClose(dead[0].loss, 1, tolerance('f64', 10, 10), 'half the variance')
    // w and b negative in every fourth start; more die on the way.
    expect(dead[0].count).toBeGreaterThan(5)
    // Awake on every row it gives the straight line, Σ(x − x̄)(y − ȳ) = 8: its scale is free, and its bias against the outer one.
    const line = summary.degenerate.filter(p => p.nullity === 2)
    expect(line).toHaveLength(1)
    expect(line[0].nullityExplained).toBe(1)
    expectClose(line[0].loss, (10 - 8 ** 2 / 10) / 10, tolerance('f64', 100, 10), 'residual of the line')
  })
})

describe('where no finite minimiser exists', () => {
  const separated = csv(
    'separated.csv',
    ['x', 'y'],
    [
      [-2, 0],
      [-1, 0],
      [1, 1],
      [3, 1]
    ]
  )

  it('runs on completely separated data diverge, however small their gradient is', async () => {
    for (const loss of ['logistic', 'probit', 'cloglog']) {
      const summary = await study({ data: { csv: separated, target: 'y' }, model: { loss }, starts: { count: 20 } })
      expect(met(summary)).toEqual({ diverging: 20 })
      expect(summary.separation).toMatchObject({ status: 'complete', infinite: { x: 1 } })
      expect(summary.convex).toMatchObject({ model: true, strongly: false, modulus: null })
    }
  })

  it('quasi-separated counts diverge in Poisson regression: a group of zeros', async () => {
    const table = csv(
      'zeros.csv',
      ['g', 'y'],
      [
        ['a', 2],
        ['a', 1],
        ['b', 0],
        ['b', 0]
      ]
    )
    const summary = await study({
      data: { csv: table, target: 'y' },
      model: { loss: 'poisson' },
      starts: { count: 10 }
    })
    expect(met(summary)).toEqual({ diverging: 10 })
    expect(summary.separation).toMatchObject({ status: 'quasi-complete', infinite: { gb: -1 } })
  })

  it('a network without ridge runs away on data that a line parts', async () => {
    const summary = await study({
      data: { csv: separated, target: 'y' },
      model: { hidden: [2] },
      starts: { count: 30 }
    })
    expect(summary.separation.status).toBe('not-applicable')
    expect(summary.minima).toEqual([])
    expect(summary.verdicts.diverging).toBeGreaterThan(25)
  })

  it('a network whose units saturate on overlapping data is called neither degenerate nor a minimum', async () => {
    const summary = await study({
      data: { generate: { rows: 300, inputs: 3, overlap: 0.15, seed: 7 }, standardize: true },
      model: { hidden: [2] },
      starts: { count: 60 }
    })
    expect(summary.verdicts.minimum + summary.verdicts.degenerate).toBe(0)
    expect(summary.verdicts.diverging).toBeGreaterThan(50)
  })

  it('limits are in the units of the target', async () => {
    const corners = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1]
    ]
    for (const unit of [1, 300]) {
      const table = csv(
        `xor-${unit}.csv`,
        ['a', 'b', 'y'],
        corners.map(([a, b]) => [a, b, unit * (a ^ b)])
      )
      const { limits } = await study({
        data: { csv: table, target: 'y' },
        model: { hidden: [2], loss: 'squared' },
        starts: { count: 300 },
        stop: { steps: 3000 }
      })
      // Two rows are fitted, the other two halved.
      expect(limits.length).toBeGreaterThan(0)
      for (const { loss, uncertainty } of limits) {
        expectClose(loss / unit ** 2, 1 / 16, 1e-9, 'limit')
        expect(uncertainty / unit ** 2).toBeLessThan(1e-9)
      }
    }
  })

  it('softplus units turn into lines where the ridge leaves their biases free', async () => {
    const summary = await study({
      data: { builtin: 'iris2', standardize: true },
      model: { hidden: [2], activation: 'softplus', ridge: 0.01 },
      starts: { count: 40 }
    })
    expect(summary.verdicts.minimum + summary.verdicts.degenerate).toBe(0)
    expect(summary.verdicts.diverging).toBeGreaterThan(35)
  })

  it('squared loss through the sigmoid has no stationary point on separated data, and no run is left in doubt', async () => {
    const summary = await study({
      data: { builtin: 'endometrial', standardize: true },
      model: { loss: 'brier' },
      starts: { count: 200 }
    })
    expect(met(summary)).toEqual({ diverging: 200 })
    expect(summary.separation).toMatchObject({ status: 'quasi-complete', infinite: { NV: 1 } })
  })

  it('counts that are all 0 send the bias away, also under a ridge on the weights', async () => {
    const table = csv(
      'nought.csv',
      ['x', 'y'],
      [1, 2, 4].map(x => [x, 0])
    )
    const model = { loss: 'poisson', ridge: 0.1 }
    const summary = await study({ data: { csv: table, target: 'y' }, model, starts: { count: 10 } })
    expect(met(summary)).toEqual({ diverging: 10 })
    expect(summary.separation.infinite).toEqual({ '(Intercept)': -1 })
  })

  it('a ridge brings every run to one point', async () => {
    const summary = await study({
      data: { csv: separated, target: 'y' },
      model: { ridge: 0.1, penalizeBias: true },
      starts: { count: 20 }
    })
    expect(met(summary)).toEqual({ minimum: 20 })
    expect(summary.minima).toHaveLength(1)
  })
})

describe('steps that two tanh units approach, and cannot attain', () => {
  // Between nine such points a fit's slope would be 0 at seven places; that of two units is 0 where cosh u₂ = k cosh u₁: at most three.
  const x = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]
  it.each([-0.75, 0.25, 0.75])(
    'many runs are seen to go to infinity, where the loss is 0, few are taken for flat, none for strict: a step at %f',
    async at => {
      const summary = await study({
        data: { columns: { x, y: x.map(v => Number(v > at)) }, target: 'y' },
        model: { hidden: [2], activation: 'tanh', loss: 'squared' },
        starts: { count: 100 },
        stop: { steps: 3000 }
      })
      const { diverging = 0, degenerate = 0, minimum = 0 } = met(summary)
      expect(minimum).toBe(0)
      expect(diverging).toBeGreaterThan(40)
      expect(degenerate).toBeLessThanOrEqual(20)
      expect(summary.limits[0].loss).toBe(0)
    }
  )
})

describe('valleys', () => {
  it('every run on a network of identity units ends in the valley that a rotation of the units makes', async () => {
    const summary = await study({
      data: { builtin: 'iris2', standardize: true },
      model: { hidden: [3], activation: 'identity', ridge: 0.01, penalizeBias: true },
      starts: { count: 200 }
    })
    expect(met(summary)).toEqual({ degenerate: 200 })
    expect(summary.degenerate).toHaveLength(1)
    // O(3) turns one vector: two directions move it.
    expect(summary.degenerate[0]).toMatchObject({ nullity: 2, nullityExplained: 2 })
  })

  it('every run on more parameters than the groups of a table need ends in one', async () => {
    const summary = await study({
      data: { builtin: 'insect_sprays', standardize: true },
      model: { hidden: [5], loss: 'squared' },
      starts: { count: 40 }
    })
    expect(met(summary)).toEqual({ degenerate: 40 })
    expect(summary.degenerate).toHaveLength(1)
  })
})

describe('rows of weight nought', () => {
  // Without the last row the columns are the same.
  const table = csv(
    'nought-weight.csv',
    ['a', 'b', 'w', 'y'],
    [
      [1, 1, 1, 0],
      [2, 2, 1, 1],
      [3, 3, 1, 0],
      [4, 4, 1, 1],
      [5, 0, 0, 0]
    ]
  )
  it('neither lend the design a rank nor part the points of a flat set', async () => {
    for (const loss of ['logistic', 'squared']) {
      const summary = await study({
        data: { csv: table, target: 'y', weights: 'w', features: ['a', 'b'] },
        model: { loss },
        starts: { count: 30 }
      })
      expect(met(summary)).toEqual({ degenerate: 30 })
      expect(summary.degenerate).toHaveLength(1)
      expect(summary.convex.strongly).toBe(false)
      expect(summary.convex.reason).toMatch(/full rank/)
    }
  })
})

/** e^z overflows at the origin, and nothing but a weight of the one column can bring it back. */
const overflowing = {
  data: {
    columns: { y: [1, 2, 0, 3, 1], x: [-2, -1.5, -1, -2.5, -3], t: [800, 810, 805, 800, 820] },
    target: 'y',
    offset: 't'
  },
  model: { hidden: [], loss: 'poisson' as const, bias: false }
}

describe('strong convexity is a property of the problem', () => {
  it('and does not depend on whether runs arrive', async () => {
    const { convex, verdicts } = await study({ ...overflowing, starts: { count: 5 } })
    expect(verdicts.failed).toBe(5)
    expect(convex).toMatchObject({ model: true, strongly: true, modulus: null })
    expect(convex.reason).toMatch(/exactly one minimiser/)
  })

  it.each([
    [{ loss: 'softmax' }, 'iris3', false, /Adding the same number/],
    [{ loss: 'softmax', ridge: 0.1 }, 'iris3', false, /Adding the same number/],
    [{ loss: 'softmax', ridge: 0.1, penalizeBias: true }, 'iris3', true, /falls on every parameter/],
    [{ loss: 'logistic', ridge: 0.1 }, 'iris2', true, /falls on the weights/],
    [{ loss: 'squared' }, 'longley', true, /full rank, so there is/],
    [{ loss: 'logistic' }, 'iris2', true, /full rank and the data are not separated/],
    [{ loss: 'logistic' }, 'endometrial', false, /separated/]
  ] as const)('%o on %s: %s', async (model, builtin, strongly, reason) => {
    const separated = builtin === 'iris3' && !('ridge' in model)
    const { convex } = await study({ data: { builtin }, model, starts: { count: 2 } })
    expect(convex.strongly).toBe(strongly)
    expect(convex.reason).toMatch(separated ? /separated/ : reason)
  })
})

describe('runs that do not arrive', () => {
  it('are unfinished when the budget is used up', async () => {
    const summary = await study({
      data: { builtin: 'iris2', standardize: true },
      model: { hidden: [3], ridge: 0.001, penalizeBias: true },
      starts: { count: 20 },
      optimizer: { gd: { learningRate: 1e-6 } },
      stop: { steps: 3 }
    })
    expect(met(summary)).toEqual({ unfinished: 20 })
    expect([summary.minima, summary.degenerate, summary.saddles]).toEqual([[], [], []])
    expect(summary.spread).toEqual({ parameters: 0, loss: 0 })
    expect(summary.metrics.train.accuracy!.max).toBeGreaterThan(0)
  })

  it('are failed where the loss is not finite, and count among the starts', async () => {
    const summary = await study({ ...overflowing, starts: { count: 40, init: { normal: 400 } } })
    const { failed } = summary.verdicts
    expect(failed).toBeGreaterThan(10)
    expect(failed).toBeLessThan(40)
    expect(Object.values(summary.verdicts).reduce((a, b) => a + b)).toBe(40)
    // What failed is in no metric.
    expect(summary.metrics.train.rmse!.max).not.toBeNaN()
  })
})
