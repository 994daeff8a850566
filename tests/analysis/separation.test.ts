// Separation, decided by non-negative least squares, against an exact search through the extreme rays of the cone of directions, and on
// data whose answer is known.
import { describe, expect, it } from 'vitest'
import { separation, type Separation } from '../../src/analysis/separation/index.js'
import { loadData } from '../../src/data/load.js'
import { parameterCount, parameterNames } from '../../src/models/model.js'
import type { Loss, Network, Problem } from '../../src/models/types.js'
import { integers } from '../helpers/problems.js'
import { cross, dot, network, rays, table, type Vector } from '../helpers/separation.js'
import { expectAllClose } from '../helpers/tolerance.js'

const names = ['(Intercept)', 'a', 'b', 'c']
const decide = (problem: Problem<Network>): Separation =>
  separation(problem, problem.model.bias ? names : names.slice(1))

async function builtin(name: string, loss: Loss, classes = 1): Promise<Separation> {
  const data = await loadData({ builtin: name }, loss, { bias: true, hidden: [], ridge: 0 })
  const net = network(data.inputs, loss, { outputs: classes })
  const problem = { model: net, rows: data.rows, x: data.x, y: data.y }
  return separation(problem, parameterNames(net, data.columns, data.classes))
}

describe('random tables of small whole numbers', () => {
  it('are decided as exact arithmetic does, with a direction that proves it', () => {
    const seen = { none: 0, 'quasi-complete': 0, complete: 0 }
    for (let seed = 1; seed <= 150; seed++) {
      const N = 5 + (seed % 5)
      const draws = integers(3 * N, 5, seed)
      const rows = Array.from({ length: N }, (_, i) => [draws[3 * i] - 2, draws[3 * i + 1] - 2, draws[3 * i + 2] % 2])
      const sided = rows.map(([a, b, y]): Vector => (y === 1 ? [1, a, b] : [-1, -a, -b]))
      const full = sided.some((a, i) =>
        sided.some((b, j) => sided.some((c, k) => i < j && j < k && dot(cross(a, b), c) !== 0))
      )
      if (!full) continue
      const found = rays(sided)
      const inner: Vector = [0, 1, 2].map(p => found.reduce((sum, ray) => sum + ray[p], 0)) as unknown as Vector
      const status = sided.every(row => dot(row, inner) > 0)
        ? 'complete'
        : sided.some(row => dot(row, inner) > 0)
          ? 'quasi-complete'
          : 'none'
      const answer = decide(table(rows, (['logistic', 'probit', 'cloglog'] as const)[seed % 3]))
      expect(answer.status, `seed ${seed}`).toBe(status)
      seen[status]++
      if (status === 'none') {
        expect(answer).toMatchObject({ infinite: {}, direction: [] })
        continue
      }
      const direction = answer.direction as unknown as Vector
      const moves = sided.map(row => dot(row, direction))
      expect(Math.min(...moves)).toBeGreaterThan(status === 'complete' ? 1e-4 : -1e-14)
      expect(Math.max(...moves)).toBeGreaterThan(1e-4)
      expect(Math.hypot(...direction)).toBeCloseTo(1, 12)
      // Exactly: a coefficient goes to infinity one way where all rays that move it agree, and is not determined where they do not.
      const signs = [0, 1, 2].map(p => new Set(found.map(ray => Math.sign(ray[p])).filter(sign => sign !== 0)))
      const one = [0, 1, 2].filter(p => signs[p].size === 1)
      expect(answer.infinite, `seed ${seed}`).toEqual(Object.fromEntries(one.map(p => [names[p], [...signs[p]][0]])))
      expect(answer.undetermined).toEqual([0, 1, 2].filter(p => signs[p].size === 2).map(p => names[p]))
      const stay = [0, 1, 2].filter(p => signs[p].size === 0).map(p => names[p])
      expect(Object.keys(answer.finite)).toEqual(stay)
      const parted = sided.flatMap((row, i) => (dot(row, inner) > 0 ? [i + 1] : []))
      expect(answer.rows).toEqual(parted)
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10)
  })

  it('have the same answer as two classes of the softmax', () => {
    for (let seed = 200; seed < 220; seed++) {
      const draws = integers(24, 5, seed)
      const rows = Array.from({ length: 8 }, (_, i) => [draws[3 * i] - 2, draws[3 * i + 1] - 2, draws[3 * i + 2] % 2])
      const two = table(rows, 'softmax', { outputs: 2 })
      const asSoftmax = separation(two, parameterNames(two.model, ['a', 'b'], ['0', '1']))
      expect(asSoftmax.status, `seed ${seed}`).toBe(decide(table(rows)).status)
    }
  })

  it('have the same answer in other units', () => {
    const [large, small] = [1e6, 1e-6]
    for (let seed = 300; seed < 320; seed++) {
      const draws = integers(18, 5, seed)
      const rows = Array.from({ length: 6 }, (_, i) => [draws[3 * i] - 2, draws[3 * i + 1] - 2, draws[3 * i + 2] % 2])
      const plain = decide(table(rows))
      const scaled = decide(table(rows.map(([a, b, y]) => [a * large, b * small, y])))
      expect(scaled.status).toBe(plain.status)
      expect(scaled.infinite).toEqual(plain.infinite)
      expect(scaled.undetermined).toEqual(plain.undetermined)
      expect(scaled.rows).toEqual(plain.rows)
    }
  })
})

describe('offsets', () => {
  // Whole numbers, so that the sums are exact and the answer is the plain table's, intercept apart.
  it('of columns change neither status nor rows nor slopes', () => {
    for (let seed = 400; seed < 440; seed++) {
      const draws = integers(24, 9, seed)
      const rows = Array.from({ length: 8 }, (_, i) => [draws[3 * i], draws[3 * i + 1], draws[3 * i + 2] % 2])
      const loss = (['logistic', 'probit', 'cloglog', 'poisson'] as const)[seed % 4]
      const plain = decide(table(rows, loss))
      for (const offset of [1e4, 2459000, 1e9, 1e12]) {
        const moved = decide(
          table(
            rows.map(([a, b, y]) => [a + offset, b - 3 * offset, y]),
            loss
          )
        )
        const slopes = ({ infinite, undetermined }: Separation): unknown => [
          infinite['a'],
          infinite['b'],
          undetermined.filter(n => n !== '(Intercept)')
        ]
        expect([moved.status, moved.rows, slopes(moved)], `seed ${seed}, ${offset}`).toEqual([
          plain.status,
          plain.rows,
          slopes(plain)
        ])
      }
    }
  })

  it.each([1e2, 1e5, 1e7, 1e9])('one far row at %f hides nothing', far => {
    const rows = [...Array.from({ length: 10 }, (_, k) => [k, k > 4 ? 1 : 0]), [far, 1]]
    expect(decide(table(rows))).toMatchObject({ status: 'complete', infinite: { '(Intercept)': -1, a: 1 } })
    const mixed = rows.map(([x, y], k) => [x, k === 2 ? 1 : y])
    expect(decide(table(mixed)).status).toBe('none')
  })

  it.each([1e-3, 1e-5, 1e-7])('a column that depends on others but for %f in one row parts that row', small => {
    for (let seed = 500; seed < 510; seed++) {
      const draws = integers(60, 5, seed)
      const rows = Array.from({ length: 20 }, (_, i) => [draws[3 * i], draws[3 * i + 1], draws[3 * i + 2] % 2])
      if (decide(table(rows)).status !== 'none') continue
      const at = rows.findIndex(row => row[2] === 1)
      const four = rows.map(([a, b, y], i) => [a, b, a + b + (i === at ? small : 0), y])
      expect(decide(table(four)), `seed ${seed}`).toMatchObject({
        status: 'quasi-complete',
        infinite: { a: -1, b: -1, c: 1 },
        rows: [at + 1]
      })
    }
  })

  it('margins within the rounding of the data are said to be undecided', () => {
    // 0.1 apart at 1e14, where neighbouring doubles are 1/64 apart: the numbers are not what was written.
    const rows = Array.from({ length: 10 }, (_, k) => [1e14 + 0.1 * k, k > 4 ? 1 : 0])
    const answer = decide(table(rows))
    expect(answer.status).toBe('undecided')
    expect(answer.reason).toMatch(/rounding/)
  })
})

describe('signs that the data leave open', () => {
  it('are left open', () => {
    // b parts the classes; a varies within them and may go either way as long as b outruns it. One row of class 0 is at the origin.
    const rows = Array.from({ length: 8 }, (_, k) => [(k * 5) % 8, k < 4 ? 0 : 20, k < 4 ? 0 : 1])
    const answer = decide(table(rows))
    expect(answer).toMatchObject({ status: 'complete', undetermined: ['a'], infinite: { '(Intercept)': -1, b: 1 } })
  })
})

describe('limits', () => {
  it('endometrial: the other coefficients, their standard errors and the deviance of R', async () => {
    const { finite, limit, rows, undetermined } = await builtin('endometrial', 'logistic')
    expect(undetermined).toEqual([])
    // FACTS: glm of R with epsilon 1e-15, NV on its way to infinity.
    expect(finite['(Intercept)']).toBeCloseTo(4.3045177831, 8)
    expect(finite['PI']).toBeCloseTo(-0.0421834033, 9)
    expect(finite['EH']).toBeCloseTo(-2.9026056138, 8)
    expect(2 * 79 * limit!.loss).toBeCloseTo(55.3932603572, 8)
    expect(rows).toHaveLength(13)
    expect(Object.keys(limit!.standardErrors)).toEqual(['(Intercept)', 'PI', 'EH'])
  })

  it('counts: a group of zeros leaves the means of the others', () => {
    const groups = [
      [0, 0, 3],
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 2]
    ]
    const { finite, limit } = decide(table(groups, 'poisson'))
    expect(finite['(Intercept)']).toBeCloseTo(Math.log(2), 12)
    expect(finite['b']).toBeCloseTo(0, 12)
    // ℓ = μ − y log μ with μ = 2 in three rows and 0 in two, whose loss tends to 0.
    expect(limit!.loss).toBeCloseTo((6 - 6 * Math.log(2)) / 5, 12)
    // 1/Σμ of the group of the intercept.
    expect(limit!.standardErrors['(Intercept)']).toBeCloseTo(Math.sqrt(1 / 4), 12)
  })

  it('iris3: versicolor against virginica is the two-class fit', async () => {
    const three = await builtin('iris3', 'softmax', 3)
    // Setosa's rows cost nothing in the end, so what is left is iris2's −log-likelihood, per row of all.
    expect(150 * three.limit!.loss).toBeCloseTo(5.9492733957, 8)
    expect(three.rows).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })
})

describe('data sets', () => {
  it('iris2 overlaps under every link', async () => {
    for (const loss of ['logistic', 'probit', 'cloglog'] as const)
      expect(await builtin('iris2', loss)).toMatchObject({ status: 'none', infinite: {}, direction: [] })
  })

  it('endometrial is quasi-separated: NV goes to infinity, alone', async () => {
    expect(await builtin('endometrial', 'logistic')).toMatchObject({
      status: 'quasi-complete',
      infinite: { NV: 1 },
      direction: [0, 1, 0, 0]
    })
  })

  it('iris3 is quasi-separated: setosa can be told apart, the other two overlap', async () => {
    const { status, infinite, direction } = await builtin('iris3', 'softmax', 3)
    expect(status).toBe('quasi-complete')
    expect(Object.keys(infinite).some(name => name.startsWith('setosa'))).toBe(false)
    // The two that overlap move together, against setosa.
    expectAllClose(direction.slice(5, 10), direction.slice(10, 15), 1e-6, 'direction')
    expect(direction.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
  })

  it('insect_sprays has a finite minimiser, for no spray has zeros only', async () => {
    expect((await builtin('insect_sprays', 'poisson')).status).toBe('none')
  })
})

describe('one column', () => {
  const line = (xs: readonly number[], ones: number) => xs.map((x, i) => [x, i >= xs.length - ones ? 1 : 0])

  it.each([
    ['complete, upwards', line([1, 2, 3, 4], 2), 'complete', { '(Intercept)': -1, a: 1 }],
    ['complete, downwards', line([4, 3, 2, 1], 2), 'complete', { '(Intercept)': 1, a: -1 }],
    ['quasi-complete: the classes touch at 2', line([1, 2, 2, 3], 2), 'quasi-complete', { '(Intercept)': -1, a: 1 }],
    ['overlapping', line([1, 3, 2, 4], 2), 'none', {}]
  ] as const)('%s', (_, rows, status, infinite) => {
    expect(decide(table(rows))).toMatchObject({ status, infinite })
  })

  it('without a bias is parted at zero only', () => {
    expect(decide(table(line([1, 2, 3, 4], 2), 'logistic', { bias: false })).status).toBe('none')
    expect(decide(table(line([-2, -1, 3, 4], 2), 'logistic', { bias: false }))).toMatchObject({
      status: 'complete',
      infinite: { a: 1 },
      direction: [1]
    })
  })

  it('one class alone sends the intercept away', () => {
    // About the mean the level goes up; where the columns are 0 it may go either way, and so may the slope.
    const answer = decide(table(line([1, 2, 3], 3)))
    expect(answer).toMatchObject({ status: 'complete', infinite: {}, undetermined: ['(Intercept)', 'a'] })
    expect(decide(table(line([-1, 2, 3], 3))).infinite).toEqual({ '(Intercept)': 1 })
  })

  it('leaves out rows of weight zero', () => {
    const problem = table(line([1, 3, 2, 4], 2))
    expect(decide({ ...problem, weight: Float64Array.of(1, 0, 1, 1) }).status).toBe('complete')
    expect(decide({ ...problem, weight: Float64Array.of(1, 1, 1, 1) }).status).toBe('none')
  })

  it('takes a share between 0 and 1 for a row that binds', () => {
    // At x = 2 the share holds z(2) where it is; the line may turn about that point.
    expect(
      decide(
        table([
          [1, 0],
          [2, 0.5],
          [3, 1]
        ])
      )
    ).toMatchObject({ status: 'quasi-complete', infinite: { '(Intercept)': -1, a: 1 } })
    expect(
      decide(
        table([
          [1, 0],
          [1.5, 0.5],
          [2, 0.5],
          [3, 1]
        ])
      ).status
    ).toBe('none')
  })

  it('beside a copy of itself keeps its answer; the copy stays where it is', () => {
    const rows = [1, 2, 3, 4].map(x => [x, 2 * x, x > 2 ? 1 : 0])
    const { status, direction } = decide(table(rows))
    expect(status).toBe('complete')
    expect(direction.filter(d => d === 0)).toHaveLength(1)
  })
})

describe('other losses', () => {
  it('counts: a group of zeros goes to minus infinity, the others stay', () => {
    const groups = [
      [0, 0, 3],
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 2]
    ]
    const answer = decide(table(groups, 'poisson'))
    expect(answer).toMatchObject({ status: 'quasi-complete', infinite: { a: -1 } })
    expect(answer.direction[0]).toBe(0)
    expectAllClose(answer.direction, [0, -1, 0], 1e-9, 'direction')
    expect(
      decide(
        table(
          groups.map(([a, b, y]) => [a, b, y + 1]),
          'poisson'
        )
      )
    ).toMatchObject({ status: 'none' })
  })

  it('counts: zeros only send the intercept away', () => {
    const answer = decide(
      table(
        [
          [-1, 0],
          [1, 0]
        ],
        'poisson'
      )
    )
    expect(answer.status).toBe('complete')
    expect(answer.infinite['(Intercept)']).toBe(-1)
  })

  it('three classes in order along a line are separated, interleaved ones are not', () => {
    const classes = (labels: readonly number[]) => {
      const problem = table(
        labels.map((label, i) => [i, label]),
        'softmax',
        { outputs: 3 }
      )
      const answer = separation(problem, parameterNames(problem.model, ['a'], ['p', 'q', 'r']))
      expect(answer.direction).toHaveLength(answer.status === 'none' ? 0 : parameterCount(problem.model))
      return answer.status
    }
    expect(classes([0, 0, 1, 1, 2, 2])).toBe('complete')
    expect(classes([0, 1, 2, 0, 1, 2])).toBe('none')
    expect(classes([0, 1, 0, 1, 2, 2])).toBe('quasi-complete')
  })

  it('is not asked where a minimiser always exists or the model has a hidden layer', () => {
    const rows = [
      [1, 0.5],
      [2, 1]
    ]
    const status = (loss: Loss, changes: Partial<Network> = {}) => {
      const answer = decide(table(rows, loss, changes))
      expect(answer.reason).toMatch(/^[A-Z].*\.$/)
      return answer.status
    }
    expect(status('squared')).toBe('not-applicable')
    expect(status('gamma')).toBe('not-applicable')
    expect(status('logistic', { hidden: [2] })).toBe('not-applicable')
    expect(status('logistic', { ridge: 0.1, penalizeBias: true })).toBe('not-applicable')
    expect(status('logistic', { ridge: 0.1 })).toBe('not-applicable')
  })

  it('sends the biases away where a ridge holds the weights only and all counts are 0', () => {
    const zeros = [
      [1, 0],
      [2, 0],
      [4, 0]
    ]
    const answer = decide(table(zeros, 'poisson', { ridge: 0.1 }))
    expect(answer).toMatchObject({ status: 'complete', infinite: { '(Intercept)': -1 } })
    expectAllClose(answer.direction, [-1, 0], 0, 'direction')
    expect(decide(table(zeros, 'poisson', { ridge: 0.1, penalizeBias: true })).status).toBe('not-applicable')
  })

  it('holds for squared loss through the sigmoid too: what parts the classes lowers it from everywhere', () => {
    const parted = [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 1]
    ]
    const overlapping = [...parted, [0, 1], [5, 0]]
    expect(decide(table(parted, 'brier')).status).toBe('complete')
    const answer = decide(table(overlapping, 'brier'))
    expect(answer.status).toBe('none')
    expect(answer.reason).toMatch(/bounded/)
  })
})
