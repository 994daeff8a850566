// The table of a model without hidden layer, against R's figures (tests/fixtures/inference.R), closed forms, and what must not change it.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Inference } from '../../src/core/result.js'
import { insectSprays, iris } from '../../src/data/tables/tables.js'
import { study } from '../helpers/study.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectAllClose, expectClose } from '../helpers/tolerance.js'

type Figures = Readonly<Record<string, readonly number[]>>
const figures = JSON.parse(readFileSync(new URL('../fixtures/inference.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Figures>
>

type Columns = Readonly<Record<string, readonly (number | string)[]>>
function parsed(table: string): Columns {
  const [head, ...rows] = table
    .trim()
    .split('\n')
    .map(line => line.replaceAll('"', '').split(','))
  return Object.fromEntries(
    head.map((name, c) => [name, rows.map(r => (Number.isNaN(Number(r[c])) ? r[c] : Number(r[c])))])
  )
}
const flowers = parsed(iris)
const sprays = parsed(insectSprays)
const two = Object.fromEntries(Object.entries(flowers).map(([name, list]) => [name, list.slice(50)]))
const measures = ['Sepal.Length', 'Sepal.Width', 'Petal.Length', 'Petal.Width']
const range = (n: number, of: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => of(i + 1))
const pick = (columns: Columns, names: readonly string[]): Columns =>
  Object.fromEntries(names.map(name => [name, columns[name]]))

/** Weights 1, 2, 0.5 in turn. */
const turns = range(150, i => [1, 2, 0.5][(i - 1) % 3])

const models: Readonly<Record<string, { readonly data: object; readonly model: object }>> = {
  logistic_iris2: {
    data: { columns: two, target: 'Species', features: measures },
    model: { loss: 'logistic' }
  },
  probit_iris2: { data: { columns: two, target: 'Species', features: measures }, model: { loss: 'probit' } },
  cloglog_iris2: { data: { columns: two, target: 'Species', features: measures }, model: { loss: 'cloglog' } },
  logistic_weighted: {
    data: {
      columns: {
        ...pick(two, ['Sepal.Length', 'Sepal.Width', 'Species']),
        w: range(100, i => 1 + (i % 3)),
        o: range(100, i => 0.1 * (((i * 7) % 11) - 5))
      },
      target: 'Species',
      weights: 'w',
      offset: 'o'
    },
    model: { loss: 'logistic' }
  },
  poisson_sprays: { data: { columns: sprays, target: 'count' }, model: { loss: 'poisson' } },
  poisson_weighted: {
    data: {
      columns: {
        ...pick(flowers, ['Sepal.Length', 'Petal.Width']),
        y: flowers['Sepal.Width'].map(v => Math.round(10 * Number(v))),
        w: turns,
        e: range(150, i => 1 + (i % 4))
      },
      target: 'y',
      weights: 'w',
      exposure: 'e'
    },
    model: { loss: 'poisson' }
  },
  gamma_iris: {
    data: { columns: pick(flowers, ['Petal.Length', 'Sepal.Width', 'Petal.Width']), target: 'Petal.Width' },
    model: { loss: 'gamma' }
  },
  gamma_weighted: {
    data: {
      columns: { ...pick(flowers, ['Petal.Length', 'Sepal.Width', 'Petal.Width']), w: turns },
      target: 'Petal.Width',
      weights: 'w'
    },
    model: { loss: 'gamma' }
  },
  squared_iris: {
    data: {
      columns: pick(flowers, ['Sepal.Length', 'Petal.Length', 'Petal.Width', 'Sepal.Width']),
      target: 'Sepal.Width'
    },
    model: { loss: 'squared' }
  },
  squared_weighted: {
    data: {
      columns: { ...pick(flowers, ['Sepal.Length', 'Petal.Length', 'Petal.Width', 'Sepal.Width']), w: turns },
      target: 'Sepal.Width',
      weights: 'w'
    },
    model: { loss: 'squared' }
  },
  softmax_iris: {
    data: {
      columns: {
        ...pick(flowers, ['Sepal.Length', 'Petal.Width']),
        y: figures['softmax_iris']['classes'].map(c => `class ${c}`)
      },
      target: 'y'
    },
    model: { loss: 'softmax' }
  },
  negative_binomial: {
    data: { columns: sprays, target: 'count' },
    model: { loss: { negativeBinomial: { dispersion: 0.4 } } }
  }
}

async function inference(data: object, model: object): Promise<Inference> {
  const s = await study({ data, model, starts: { count: 3 }, engine: 'cpu' })
  const found = (s.minima[0] ?? s.degenerate[0])?.inference
  if (!found) expect.fail('there is no inference')
  return found
}

/** What 1e-8 of a number is, or of the others of its list where it is small beside them. */
const digits = (list: readonly number[]) => {
  const top = Math.max(...list.map(Math.abs))
  return (i: number): number => 1e-8 * Math.max(Math.abs(list[i]), 1e-6 * top)
}

describe('the table of a generalised linear model', () => {
  for (const [name, { data, model }] of Object.entries(models))
    it(`has R's figures: ${name}`, async () => {
      const i = await inference(data, model)
      const r = figures[name]
      const lists: readonly (readonly [string, readonly number[] | undefined])[] = [
        ['coefficients', i.estimates],
        ['standardErrors', i.standardErrors],
        ['statistic', i.statistic],
        ['wald', i.wald.flat() as readonly number[]],
        ['profile', i.profile?.flat() as readonly number[]],
        ['likelihoodRatio', i.likelihoodRatio?.map(t => t.statistic)]
      ]
      for (const [what, list] of lists) expectAllClose(list ?? [], r[what], digits(r[what]), what)
      // Tails double the relative error of their arguments, and more far out.
      for (const [what, list] of [
        ['p', i.p],
        ['likelihoodRatioP', i.likelihoodRatio?.map(t => t.p) ?? []]
      ] as const)
        expectAllClose(list, r[what], k => 1e-8 * r[what][k] * (1 + Math.abs(Math.log(r[what][k]))), what)
      const singles = ['logLik', 'deviance', 'nullDeviance', 'aic', 'bic', 'df', 'dispersion'] as const
      for (const what of singles)
        if (r[what]) expectClose(i[what] ?? NaN, r[what][0], 1e-8 * Math.abs(r[what][0]), what)
      if (i.linear) {
        expectClose(i.linear.sigma, r['sigma'][0], 1e-8 * r['sigma'][0], 'sigma')
        expectClose(i.linear.r2, r['r2'][0], 1e-8, 'R²')
        expectClose(i.linear.adjustedR2, r['adjustedR2'][0], 1e-8, 'adjusted R²')
        expectAllClose([i.linear.f!.statistic, ...i.linear.f!.df], r['f'], digits(r['f']), 'F')
      }
      if (r['effects'] && i.marginalEffects?.kinds.every(kind => kind === 'derivative')) {
        expectAllClose(i.marginalEffects.estimates, r['effects'], digits(r['effects']), 'effects')
        // R's second derivative of the mean is a difference.
        expectAllClose(
          i.marginalEffects.standardErrors,
          r['effectErrors'],
          k => 1e-6 * r['effectErrors'][k],
          'errors of effects'
        )
      }
    })

  it('says the same whatever the offset and the unit of a column, but for its unit', async () => {
    const random = randomNumbers(3)
    const x = range(60, () => random())
    const u = range(60, () => random())
    const y = x.map((v, i) => (random() < 1 / (1 + Math.exp(1 - 2 * v - u[i])) ? 1 : 0))
    const plain = await inference({ columns: { x, u, y }, target: 'y' }, { loss: 'logistic' })
    const moved = await inference(
      { columns: { x: x.map(v => 2e5 + 1024 * v), u, y }, target: 'y' },
      { loss: 'logistic' }
    )
    // The moved column has been rounded to 2e5 · eps / 1024 of its spread.
    const tol = 1e-7
    expectClose(moved.estimates[1] * 1024, plain.estimates[1], tol, 'slope')
    for (const part of ['profile', 'wald'] as const)
      expectAllClose(
        moved[part]![1].map(v => v! * 1024),
        plain[part]![1] as readonly number[],
        10 * tol,
        part
      )
    expectAllClose(
      moved.profile![2] as readonly number[],
      plain.profile![2] as readonly number[],
      10 * tol,
      'the other column'
    )
    expectClose(moved.likelihoodRatio![1].statistic, plain.likelihoodRatio![1].statistic, 10 * tol, 'ratio')
    expectClose(moved.logLik, plain.logLik, 1e-9, 'log-likelihood')
    expect(moved.marginalEffects!.estimates[0] * 1024).toBeCloseTo(plain.marginalEffects!.estimates[0], 7)
  })

  it('takes weights for repeated rows', async () => {
    const random = randomNumbers(5)
    const x = range(40, () => random())
    const y = x.map(v => Math.floor(4 * random() * Math.exp(v)))
    const w = x.map(() => 1 + Math.floor(3 * random()))
    const repeated = (list: readonly number[]): number[] =>
      list.flatMap((v, i) => Array.from({ length: w[i] }, () => v))
    const weighted = await inference({ columns: { x, y, w }, target: 'y', weights: 'w' }, { loss: 'poisson' })
    const long = await inference({ columns: { x: repeated(x), y: repeated(y) }, target: 'y' }, { loss: 'poisson' })
    for (const part of ['standardErrors', 'estimates', 'waldElasticity'] as const)
      expectAllClose(weighted[part] as readonly number[], long[part] as readonly number[], 1e-9, part)
    expectAllClose(
      weighted.profile!.flat() as readonly number[],
      long.profile!.flat() as readonly number[],
      1e-8,
      'profile'
    )
    for (const part of ['logLik', 'deviance', 'nullDeviance'] as const)
      expectClose(weighted[part]!, long[part]!, 1e-9 * Math.abs(long[part]!), part)
  })

  it('takes trials for rows, but for the number of ways', async () => {
    const trials = [5, 8, 3, 12, 7, 9]
    const x = [0, 1, 2, 3, 4, 5]
    const hits = [1, 3, 1, 7, 5, 8]
    const grouped = await inference({ columns: { x, hits, trials }, target: 'hits', trials: 'trials' }, {})
    const rows = x.flatMap((v, i) => Array.from({ length: trials[i] }, (_, k) => [v, k < hits[i] ? 1 : 0]))
    const long = await inference(
      { columns: { x: rows.map(r => r[0]), y: rows.map(r => r[1]) }, target: 'y' },
      { loss: 'logistic' }
    )
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
    const ways = trials.reduce(
      (sum, n, i) => sum + Math.log(factorial(n) / factorial(hits[i]) / factorial(n - hits[i])),
      0
    )
    expectClose(grouped.logLik, long.logLik + ways, 1e-10, 'log-likelihood')
    expect(grouped.df).toBe(4)
    expectAllClose(
      grouped.profile!.flat() as readonly number[],
      long.profile!.flat() as readonly number[],
      1e-8,
      'profile'
    )
    expectClose(
      grouped.nullDeviance! - grouped.deviance,
      long.nullDeviance! - long.deviance,
      1e-9,
      'what the column explains'
    )
  })
})

describe('effects of labels', () => {
  it('are differences of group means where there is nothing else', async () => {
    const i = await inference({ columns: sprays, target: 'count' }, { loss: 'poisson' })
    const groups = new Map<string, number[]>()
    sprays['spray'].forEach((s, k) =>
      groups.set(String(s), [...(groups.get(String(s)) ?? []), Number(sprays['count'][k])])
    )
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
    const [first, ...others] = [...groups.values()]
    expect(i.marginalEffects!.kinds).toEqual(others.map(() => 'difference'))
    // A mean of n counts has variance μ/n.
    expectAllClose(
      i.marginalEffects!.estimates,
      others.map(g => mean(g) - mean(first)),
      1e-10,
      'difference'
    )
    expectAllClose(
      i.marginalEffects!.standardErrors,
      others.map(g => Math.sqrt(mean(g) / g.length + mean(first) / first.length)),
      1e-10,
      'error'
    )
  })
})

describe('the Hauck-Donner effect', () => {
  /** Two groups of 2000 rows, x = ±1, without intercept: the estimate is artanh of the share's excess, and z = β / √(v). */
  const symmetric = async (hits: number): Promise<Inference> =>
    inference(
      { columns: { x: [1, -1], hits: [hits, 2000 - hits], n: [2000, 2000] }, target: 'hits', trials: 'n' },
      { loss: 'logistic', bias: false }
    )

  it('begins where β tanh(β/2) = 2 in the symmetric case', async () => {
    for (const hits of [1100, 1500, 1800, 1830, 1840, 1900, 1990]) {
      const i = await symmetric(hits)
      const [beta] = i.estimates
      expectClose(beta, Math.log(hits / (2000 - hits)), 1e-9, 'estimate')
      // v = 1/(4000 p (1 − p)): d log z / d log β = 1 − β (2p − 1)/2.
      expectClose(i.waldElasticity[0]!, 1 - 0.5 * beta * Math.tanh(beta / 2), 1e-8, 'elasticity')
      expect(i.hauckDonner[0]).toBe(beta > 2.3993572805)
    }
  })

  it('is the derivative of the statistic, by refits of data moved along the estimate', async () => {
    // Responses that are the fitted means have the coefficients they were made with, and expected information.
    const random = randomNumbers(11)
    const x = range(30, () => 2 * random() - 1)
    const u = range(30, () => random())
    const beta = [0.3, 2.5, -1.2]
    for (const [loss, mean] of [
      ['logistic', (z: number) => 1 / (1 + Math.exp(-z))],
      ['poisson', Math.exp],
      ['cloglog', (z: number) => -Math.expm1(-Math.exp(z))]
    ] as const) {
      const at = async (b: readonly number[]): Promise<Inference> =>
        inference({ columns: { x, u, y: x.map((v, i) => mean(b[0] + b[1] * v + b[2] * u[i])) }, target: 'y' }, { loss })
      const here = await at(beta)
      for (const k of [0, 1, 2]) {
        const e = 1e-4
        const z = async (sign: number): Promise<number> =>
          (await at(beta.map((v, p) => (p === k ? v * (1 + sign * e) : v)))).statistic[k]
        const slope = (Math.log(Math.abs(await z(1))) - Math.log(Math.abs(await z(-1)))) / (2 * e)
        expectClose(here.waldElasticity[k]!, slope, 1e-5 * Math.max(1, Math.abs(slope)), `${loss} ${k}`)
      }
    }
  })
})

describe("Firth's penalty", () => {
  it('has profile-penalised intervals, as logistf gives them for endometrial', async () => {
    const i = await inference({ builtin: 'endometrial' }, { loss: 'logistic', firth: true })
    // Heinze and Schemper (2002), to their digits.
    const published = [
      [1.08, 7.21],
      [0.61, 7.85],
      [-0.124, 0.04],
      [-4.365, -1.233]
    ]
    published.forEach((ends, k) =>
      expectAllClose(
        i.profile![k] as readonly number[],
        ends,
        e => (k === 2 ? 6e-4 : k === 3 ? 6e-4 : 6e-3) * (e + 1),
        `${k}`
      )
    )
  })

  it('takes the penalised likelihood: 2 × 2 tables in closed form', async () => {
    // With one binary column the penalised likelihood factorises: ½ more in each cell.
    const i = await inference(
      { columns: { x: [0, 0, 0, 1, 1, 1], y: [0, 0, 0, 1, 1, 1] }, target: 'y' },
      { firth: true }
    )
    const own = (p: number, hits: number): number => (hits + 0.5) * Math.log(p) + (3.5 - hits) * Math.log1p(-p)
    const best = own(1 / 8, 0) + own(7 / 8, 3)
    // Both groups alike at slope 0: p = ½ by symmetry.
    expectClose(i.likelihoodRatio![1].statistic, 2 * (best - own(0.5, 0) - own(0.5, 3)), 1e-9, 'ratio')
    expectClose(i.estimates[1], 2 * Math.log(7), 1e-9, 'slope')
  })
})

describe('what has no such table', () => {
  const random = randomNumbers(23)
  for (const seed of [1, 2, 3])
    it.each([
      ['squared', (v: number) => v],
      ['gamma', Math.exp]
    ] as const)(`says why a perfect fit has none: %s, ${seed}`, async (loss, mean) => {
      const [a, b] = [10 ** (4 * random() - 2), 2 * random() - 1]
      const x = range(12, () => 3 * random())
      const y = x.map(v => mean(a + b * v))
      const s = await study({ data: { columns: { x, y }, target: 'y' }, model: { loss }, starts: { count: 3 } })
      expect(s.minima[0].standardErrorsReason).toMatch(/fits every row exactly/)
      expect(s.minima[0].inference).toBeUndefined()
      expect(JSON.stringify(s.minima)).not.toMatch(/null/)
    })

  it('is right again with a little noise', async () => {
    const x = range(12, i => i)
    const y = x.map((v, i) => 3 - 2 * v + 1e-9 * Math.sin(7 * i))
    const i = await inference({ columns: { x, y }, target: 'y' }, { loss: 'squared' })
    expect(i.linear!.sigma).toBeGreaterThan(1e-10)
    expect(i.linear!.sigma).toBeLessThan(2e-9)
  })
})

describe('targets that are not of a likelihood', () => {
  const notes = async (y: readonly number[], loss: string): Promise<string> =>
    (
      await study({
        data: { columns: { x: range(y.length, i => (i * i) % 7), y }, target: 'y' },
        model: { loss },
        starts: { count: 3 }
      })
    ).notes.join(' ')

  it('are taken with a note', async () => {
    expect(await notes([0.5, 1, 3.25, 2, 6, 1], 'poisson')).toMatch(/The target y is 0\.5 in row 1, which is no count/)
    expect(await notes([3, 1, 3, 2, 6, 1], 'poisson')).not.toMatch(/no count/)
    expect(await notes([0.5, 0.25, 1, 0.125, 0, 0.75], 'logistic')).toMatch(
      /has shares, of which each counts as one trial/
    )
  })
})

describe('an intercept alone', () => {
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
  const counts = sprays['count'] as readonly number[]
  const widths = flowers['Petal.Width'] as readonly number[]
  it.each([
    ['logistic', range(20, i => (i <= 13 ? 1 : 0)), Math.log(13 / 7), Math.sqrt(1 / 13 + 1 / 7)],
    ['poisson', counts, Math.log(mean(counts)), 1 / Math.sqrt(mean(counts) * counts.length)],
    ['cloglog', range(20, i => (i <= 13 ? 1 : 0)), Math.log(-Math.log(7 / 20)), undefined],
    [
      'gamma',
      widths,
      Math.log(mean(widths)),
      Math.sqrt(widths.reduce((s, v) => s + (v / mean(widths) - 1) ** 2, 0) / 149 / 150)
    ],
    ['squared', widths, mean(widths), Math.sqrt(widths.reduce((s, v) => s + (v - mean(widths)) ** 2, 0) / 149 / 150)]
  ] as const)('is the link of the mean: %s', async (loss, y, estimate, error) => {
    for (const engine of ['cpu', 'reference']) {
      const s = await study({
        data: { columns: { y }, target: 'y', features: [] },
        model: { loss },
        starts: { count: 5 },
        engine
      })
      const i = s.minima[0].inference!
      expect(s.verdicts.minimum).toBe(5)
      expectClose(i.estimates[0], estimate, 1e-12 * Math.max(1, Math.abs(estimate)), `${loss} on ${engine}`)
      if (error !== undefined) expectClose(i.standardErrors[0], error, 1e-11, 'error')
      expectClose(i.nullDeviance!, i.deviance, 1e-9 * Math.abs(i.deviance) + 1e-12, 'deviance')
      expect(i.linear?.f).toBeUndefined()
    }
  })

  it('needs that no columns are asked for', async () => {
    await expect(
      study({ data: { columns: { y: [1, 2, 4] }, target: 'y' }, model: { loss: 'squared' } })
    ).rejects.toThrow(/no input columns; name at least one in features, or none/)
    await expect(
      study({ data: { columns: { y: [1, 2, 4] }, target: 'y', features: [] }, model: { hidden: [2], loss: 'squared' } })
    ).rejects.toThrow(/no input columns/)
  })
})
