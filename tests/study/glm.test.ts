// Networks without a hidden layer are generalised linear models: through the study's own interface every one of them gives the
// coefficients, log-likelihoods and standard errors that R and NIST give, whichever engine runs it and wherever it starts.
import { describe, expect, it } from 'vitest'
import type { StationaryPoint, Summary } from '../../src/core/result.js'
import { insectSprays, longley } from '../../src/data/tables/tables.js'
import { replay } from '../../src/study/replay.js'
import { study } from '../helpers/study.js'
import { firstCandidates } from '../helpers/engines.js'
import { csv, freshOut } from '../helpers/files.js'
import { irisFits } from '../helpers/iris.js'
import { expectAllClose, expectClose, tolerance } from '../helpers/tolerance.js'

const relative = (expected: readonly number[], share = 1e-8) => ({
  expected,
  tol: (i: number): number => share * Math.abs(expected[i])
})
/** Cells of a table without its header; text as it is. */
const cells = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.replaceAll('"', '').split(','))
const counts = cells(insectSprays).map(([count]) => Number(count))

interface Fit {
  readonly name: string
  readonly data: object
  readonly model?: object
  readonly coefficients: readonly number[]
  readonly names: readonly string[]
  readonly standardErrors?: readonly number[]
  readonly logLikelihood?: { readonly value: number; readonly ofLoss: (loss: number) => number }
}

const iris = ['Sepal.Length', 'Sepal.Width', 'Petal.Length', 'Petal.Width']
const longleyNames = ['GNP.deflator', 'GNP', 'Unemployed', 'Armed.Forces', 'Population', 'Year']
/** NIST certified, with its units: thousands of people, millions of dollars. */
const certified = [
  -3482258.63459582, 15.0618722713733, -0.035819179292591, -2.02022980381683, -1.03322686717359, -0.0511041056535807,
  1829.15146461355
]
const nistUnits = [1, 1000, 10, 10, 1000, 1, 1000]

const fits: readonly Fit[] = [
  ...irisFits.map(({ loss, coefficients, logLikelihood }) => ({
    name: `${loss} regression on iris2`,
    data: { builtin: 'iris2' },
    model: { loss },
    coefficients,
    names: ['(Intercept)', ...iris],
    ...(loss === 'logistic'
      ? { standardErrors: [25.707660833, 2.3943010185, 4.4795645666, 4.7372077003, 9.7426121398] }
      : {}),
    logLikelihood: { value: logLikelihood, ofLoss: (f: number) => -100 * f }
  })),
  {
    name: 'Poisson regression on insect_sprays, its factor by treatment coding',
    data: { builtin: 'insect_sprays' },
    model: { loss: 'poisson' },
    coefficients: [2.6741486494, 0.0558804584, -1.9401794743, -1.0815178553, -1.4213856809, 0.1392620673],
    names: ['(Intercept)', 'sprayB', 'sprayC', 'sprayD', 'sprayE', 'sprayF'],
    standardErrors: [0.0758098044, 0.1057445462, 0.2138857789, 0.1506528426, 0.1719204765, 0.1036683483],
    // The loss leaves out log(y!), which no coefficient moves.
    logLikelihood: {
      value: -182.2946040156,
      ofLoss: f =>
        -counts.length * f -
        counts.reduce(
          (sum, y) => sum + Array.from({ length: y }, (_, k) => Math.log(k + 1)).reduce((a, b) => a + b, 0),
          0
        )
    }
  },
  {
    name: 'gamma regression with log link on iris',
    data: { builtin: 'iris3', target: 'Petal.Width', features: ['Petal.Length', 'Sepal.Width'] },
    model: { loss: 'gamma' },
    coefficients: [-1.5455937563, 0.4994463146, -0.1501584948],
    names: ['(Intercept)', 'Petal.Length', 'Sepal.Width']
  },
  {
    name: 'least squares on longley, ill-conditioned',
    data: { builtin: 'longley' },
    model: { loss: 'squared' },
    coefficients: certified.map((b, i) => (b / 1000) * (i === 0 ? 1 : nistUnits[i - 1])),
    names: ['(Intercept)', ...longleyNames]
  },
  {
    name: 'least squares on longley in the units of NIST',
    data: {
      csv: csv(
        'longley.csv',
        [...longleyNames, 'Employed'],
        cells(longley).map(row => row.map((v, d) => Math.round(Number(v) * nistUnits[d] * 10) / 10))
      ),
      target: 'Employed'
    },
    coefficients: certified,
    names: ['(Intercept)', ...longleyNames]
  }
]

const only = (summary: Summary): StationaryPoint => {
  expect(summary.minima).toHaveLength(1)
  return summary.minima[0]
}

describe.each(firstCandidates.filter(c => c.precision === 'f64').map(c => c.name))('on %s', engine => {
  it.each(fits)('$name', async fit => {
    const summary = await study({ data: fit.data, model: fit.model, starts: { count: 25 }, engine })
    expect(summary.verdicts.minimum).toBe(25)
    const point = only(summary)
    expect(point).toMatchObject({ count: 25, share: 1, copies: 1, names: fit.names })
    const { expected, tol } = relative(fit.coefficients)
    expectAllClose(point.parameters, expected, tol, 'coefficient')
    if (fit.standardErrors) {
      const errors = relative(fit.standardErrors)
      expectAllClose(point.standardErrors!, errors.expected, errors.tol, 'standard error')
    }
    if (fit.logLikelihood) {
      const { value, ofLoss } = fit.logLikelihood
      expectClose(ofLoss(point.loss), value, 1e-9, 'log-likelihood')
    }
    // Wherever it starts, a convex model ends at one point. On longley the Hessian's condition number is about 1e9, and the terms
    // of z are some 1e4 times the residuals.
    expect(summary.spread.parameters).toBeLessThan(1e-8)
    expect(summary.spread.loss).toBeLessThan(1e-10)
    expect(summary.convex).toMatchObject({ model: true, strongly: true, modulus: point.eigenvalues[0] })
    expect(point.eigenvalues[0]).toBeGreaterThan(0)
  })
})

describe('logistic regression on iris2', () => {
  it('has the accuracy, recall, precision and AUC that the data give, the same in every run', async () => {
    const { metrics } = await study({ data: { builtin: 'iris2' }, model: { loss: 'logistic' }, starts: { count: 25 } })
    for (const name of ['accuracy', 'recall', 'precision'] as const)
      expect(metrics.train[name]).toEqual({ min: 0.98, q25: 0.98, median: 0.98, q75: 0.98, max: 0.98 })
    const auc = metrics.train.auc!
    for (const value of [auc.min, auc.median, auc.max]) expectClose(value, 0.9972, 8e-15, 'AUC')
    expect([metrics.asGoodAsBest, metrics.disagreement]).toEqual([1, 0])
  })

  it('is mapped back to the columns as given where they were standardised', async () => {
    const { minima, problem } = await study({
      data: { builtin: 'iris2', standardize: true },
      model: { loss: 'logistic' },
      starts: { count: 10 }
    })
    expect(problem).toMatchObject({ standardize: true, scale: 'data' })
    const { expected, tol } = relative(irisFits[0].coefficients)
    expectAllClose(minima[0].parameters, expected, tol, 'coefficient')
  })

  it('is multinomial regression with two classes, where only differences of coefficients are determined', async () => {
    const of = (loss: 'softmax' | 'logistic'): ReturnType<typeof study> =>
      study({ data: { builtin: 'iris2' }, model: { loss }, starts: { count: 10 } })
    const { verdicts, minima, spread } = await of('softmax')
    expect(verdicts.minimum).toBe(10)
    expect(minima).toHaveLength(1)
    expect(spread.parameters).toBeLessThan(1e-6)
    const { parameters, eigenvalues } = minima[0]
    // The difference of two classes is √2 times their orthonormal contrast.
    const twice = (await of('logistic')).minima[0].eigenvalues.map(v => 2 * v)
    expectAllClose(eigenvalues, twice, k => tolerance('f64', 2 ** 24, twice[k]), 'eigenvalue')
    for (let p = 0; p < 5; p++)
      expectClose(parameters[p], -parameters[5 + p], tolerance('f64', 8, Math.abs(parameters[p])), 'sum')
    const { expected, tol } = relative(irisFits[0].coefficients)
    expectAllClose(
      expected.map((_, p) => parameters[5 + p] - parameters[p]),
      expected,
      tol,
      'difference of coefficients'
    )
  })
})

describe('weights, offsets and ridge', () => {
  const rows: readonly (readonly number[])[] = [
    // x, y, weight
    [0.5, 1, 2],
    [-1, 0, 1],
    [1.5, 0, 3],
    [2, 1, 1],
    [-0.25, 1, 2],
    [0.75, 0, 0]
  ]
  const fit = async (data: object, model: object = {}): Promise<StationaryPoint> =>
    only(await study({ data: { target: 'y', ...data }, model, starts: { count: 5 }, stop: { gradient: 1e-12 } }))

  it('a row of weight 3 counts as three rows, one of weight 0 as none', async () => {
    const weighted = csv('weighted.csv', ['x', 'y', 'w'], rows)
    const repeated = csv(
      'repeated.csv',
      ['x', 'y'],
      rows.flatMap(([x, y, w]) => Array.from({ length: w }, () => [x, y]))
    )
    for (const loss of ['logistic', 'probit', 'poisson']) {
      const one = await fit({ csv: weighted, weights: 'w' }, { loss })
      const other = await fit({ csv: repeated }, { loss })
      const { expected, tol } = relative(other.parameters, 1e-12)
      expectAllClose(one.parameters, expected, tol, `${loss} coefficient`)
      expectAllClose(
        one.standardErrors!,
        other.standardErrors!,
        i => 1e-12 * other.standardErrors![i],
        'standard error'
      )
    }
  })

  it('an offset of x/2 takes 1/2 off the coefficient of x', async () => {
    const table = csv(
      'offset.csv',
      ['x', 'y', 'o'],
      rows.map(([x, y]) => [x, y, x / 2])
    )
    for (const loss of ['logistic', 'cloglog', 'poisson', 'squared']) {
      const plain = await fit({ csv: table, features: ['x'] }, { loss })
      const shifted = await fit({ csv: table, offset: 'o' }, { loss })
      const expected = [plain.parameters[0], plain.parameters[1] - 0.5]
      expectAllClose(
        shifted.parameters,
        expected,
        i => 1e-12 * Math.max(1, Math.abs(expected[i])),
        `${loss} coefficient`
      )
    }
  })

  it('the ridge of least squares without a bias shrinks Σxy / Σx² to Σxy / (Σx² + N·ridge)', async () => {
    const table = csv(
      'ridge.csv',
      ['x', 'y'],
      rows.map(([x, y]) => [x, y])
    )
    const Sxx = rows.reduce((sum, [x]) => sum + x * x, 0)
    const Sxy = rows.reduce((sum, [x, y]) => sum + x * y, 0)
    for (const ridge of [0, 0.25, 4]) {
      const { parameters, eigenvalues } = await fit({ csv: table }, { loss: 'squared', bias: false, ridge })
      const curvature = Sxx / rows.length + ridge
      expectAllClose(parameters, [Sxy / rows.length / curvature], 1e-14, `coefficient with ridge ${ridge}`)
      expectAllClose(eigenvalues, [curvature], 1e-14 * curvature, 'modulus')
    }
  })
})

describe('logistic regression on endometrial, quasi-separated', () => {
  it('diverges along NV while the other coefficients and the deviance tend to the limits known', async () => {
    const out = freshOut()
    const raw = { data: { builtin: 'endometrial' }, starts: { count: 10 }, stop: { gradient: 1e-11 } }
    const summary = await study(raw, { out })
    expect(summary.verdicts.diverging).toBe(10)
    expect(summary.minima).toEqual([])
    expect(summary.separation).toMatchObject({ status: 'quasi-complete', infinite: { NV: 1 }, direction: [0, 1, 0, 0] })
    expect(summary.convex).toMatchObject({ model: true, strongly: false, modulus: null })
    expectClose(2 * 79 * summary.diverging!.loss, 55.3932603572, 1e-8, 'deviance')
    // All runs have one limit, known to rounding, however far each of them went.
    expect(summary.limits).toHaveLength(1)
    expect(summary.limits[0]).toMatchObject({ count: 10, share: 1, growing: ['NV'] })
    expectClose(2 * 79 * summary.limits[0].loss, 55.3932603572, 5e-11, 'limiting deviance')
    expect(summary.limits[0].uncertainty).toBeLessThan(1e-13)
    for (const start of [0, 9]) {
      const { names, found, verdict } = await replay(out, start)
      expect(verdict).toBe('diverging')
      const value = (name: string): number => found.parameters[names.indexOf(name)]
      expect(value('NV')).toBeGreaterThan(15)
      const { expected, tol } = relative([4.3045177831, -0.0421834033, -2.9026056138])
      expectAllClose(['(Intercept)', 'PI', 'EH'].map(value), expected, tol, 'coefficient')
    }
  })

  it('has one finite minimiser with a ridge', async () => {
    const { verdicts, convex, separation, spread } = await study({
      data: { builtin: 'endometrial' },
      model: { ridge: 0.01, penalizeBias: true },
      starts: { count: 10 }
    })
    expect(verdicts.minimum).toBe(10)
    expect(separation.status).toBe('not-applicable')
    expect(convex.strongly).toBe(true)
    // The ridge bounds the modulus from below.
    expect(convex.modulus).toBeGreaterThanOrEqual(0.01)
    expect(spread.parameters).toBeLessThan(1e-10)
  })
})
