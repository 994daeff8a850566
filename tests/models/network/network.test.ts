// Layout, names, penalties, convexity, starts and scores, by hand-worked cases.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { startPoint, columnScale, convexity, parameterCount, parameterNames } from '../../../src/models/model.js'
import { biasMask, penalizedMask } from '../../../src/models/network/network.js'
import { scoreNames, scoreRun } from '../../../src/models/scores.js'
import { losses, type Init, type Loss, type Network } from '../../../src/models/types.js'
import { epsOf, expectClose } from '../../helpers/tolerance.js'

const net = (change: Partial<Network> = {}): Network => ({
  kind: 'network',
  inputs: 2,
  hidden: [3],
  outputs: 1,
  activation: 'tanh',
  loss: 'logistic',
  bias: true,
  ridge: 0,
  penalizeBias: false,
  ...change
})

describe('parameters', () => {
  it('are counted by layers', () => {
    expect(parameterCount(net())).toBe(3 * 3 + 4)
    expect(parameterCount(net({ bias: false }))).toBe(3 * 2 + 3)
    expect(parameterCount(net({ hidden: [] }))).toBe(3)
    expect(parameterCount(net({ hidden: [4, 2], outputs: 3, loss: 'softmax' }))).toBe(12 + 10 + 9)
    expect(parameterCount(net({ inputs: 30, hidden: [16] }))).toBe(513)
  })
  it('are named by layer, unit and input', () => {
    expect(parameterNames(net({ hidden: [] }), ['a', 'b'])).toEqual(['(Intercept)', 'a', 'b'])
    expect(parameterNames(net({ hidden: [2] }), ['a', 'b'])).toEqual([
      'h1.1:(Intercept)',
      'h1.1:a',
      'h1.1:b',
      'h1.2:(Intercept)',
      'h1.2:a',
      'h1.2:b',
      'out:(Intercept)',
      'out:h1.1',
      'out:h1.2'
    ])
    const names = parameterNames(net({ hidden: [2, 2], outputs: 3, loss: 'softmax' }), ['a', 'b'], ['x', 'y', 'z'])
    expect(new Set(names).size).toBe(parameterCount(net({ hidden: [2, 2], outputs: 3 })))
  })
  it('are penalised as asked', () => {
    expect([...biasMask(net({ hidden: [1] }))]).toEqual([1, 0, 0, 1, 0])
    expect([...penalizedMask(net({ hidden: [1] }))]).toEqual([0, 1, 1, 0, 1])
    expect([...penalizedMask(net({ hidden: [1], penalizeBias: true }))]).toEqual([1, 1, 1, 1, 1])
  })
  it('of the first layer are measured in units of 1/rms of their column', () => {
    const network = net({ hidden: [1] })
    const scale = columnScale({ model: network, rows: 2, x: Float64Array.of(3, 0, 4, 0), y: Float64Array.of(0, 1) })
    // rms of (3, 4) is √12.5; a column of zeros keeps 1.
    expectClose(scale[1], 1 / Math.sqrt(12.5), 4 * epsOf.f64, 'scale')
    expect([scale[0], scale[2], scale[3], scale[4]]).toEqual([1, 1, 1, 1])
  })
})

describe('convexity', () => {
  const golden = JSON.parse(readFileSync(new URL('../../fixtures/losses.json', import.meta.url), 'utf8')) as Partial<
    Record<Loss, readonly (readonly [number, number, readonly (number | string)[]])[]>
  >
  /** Whether ℓ″ is negative nowhere among the golden values; softmax is convex as a sum of exponentials' logarithm. */
  const convexInZ = (loss: Loss): boolean =>
    golden[loss]?.every(([, , values]) => Number(values[2]) >= 0 || values[2] === 'inf') ?? true
  it.each(losses)('of %s follows from the loss and the hidden layers', loss => {
    expect(convexity(net({ loss, hidden: [] })).model).toBe(convexInZ(loss))
    expect(convexity(net({ loss, hidden: [], ridge: 1, penalizeBias: true })).model).toBe(convexInZ(loss))
    expect(convexity(net({ loss, hidden: [2] })).model).toBe(false)
    expect(convexity(net({ loss, hidden: [2] })).reason).toMatch(/\.$/)
  })
})

describe('starts', () => {
  const wide = net({ inputs: 40, hidden: [50] })
  const sample = (init: Init): Float64Array => startPoint(wide, init, 5, 0)
  const moments = (values: Float64Array): { mean: number; variance: number } => {
    const mean = values.reduce((s, v) => s + v, 0) / values.length
    return { mean, variance: values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length }
  }
  // Six standard errors of a mean and of a variance: a seeded draw that fails is no accident.
  const check = (values: Float64Array, variance: number, kurtosis: number): void => {
    const n = values.length
    const found = moments(values)
    expectClose(found.mean, 0, 6 * Math.sqrt(variance / n), 'mean')
    expectClose(found.variance, variance, 6 * variance * Math.sqrt((kurtosis - 1) / n), 'variance')
  }
  const weightsOfFirst = (values: Float64Array): Float64Array => values.slice(0, 50 * 41).filter((_, p) => p % 41 !== 0)
  const biasesOfFirst = (values: Float64Array): Float64Array => values.slice(0, 50 * 41).filter((_, p) => p % 41 === 0)

  it('normal: mean 0 and the variance asked for, biases too', () => check(sample({ normal: 1.5 }), 2.25, 3))
  it('uniform: within ±a, variance a²/3', () => {
    const values = sample({ uniform: 3 })
    check(values, 3, 1.8)
    expect(values.every(v => Math.abs(v) < 3)).toBe(true)
    expect(Math.max(...values)).toBeGreaterThan(2.9)
  })
  it('glorot: uniform within ±√(6/(40 + 50)), biases 0', () => {
    const values = sample('glorot')
    check(weightsOfFirst(values), 6 / 90 / 3, 1.8)
    expect(biasesOfFirst(values).every(v => v === 0)).toBe(true)
  })
  it('he: normal with variance 2/40, biases 0', () => {
    const values = sample('he')
    check(weightsOfFirst(values), 2 / 40, 3)
    expect(biasesOfFirst(values).every(v => v === 0)).toBe(true)
  })
  it('differ from start to start and from seed to seed, and repeat', () => {
    const at = (seed: number, start: number): string => startPoint(wide, { normal: 1 }, seed, start).slice(0, 4).join()
    expect(at(1, 7)).toBe(at(1, 7))
    expect(new Set([at(1, 7), at(1, 8), at(2, 7), at(1, 7 + 2 ** 32), at(1 + 2 ** 32, 7)]).size).toBe(5)
  })
})

describe('scores', () => {
  const scores = (loss: Loss, y: number[], z: number[], weight?: number[], outputs = 1): Record<string, number> => {
    const names = scoreNames(loss)
    const out = new Float64Array(names.length)
    const rows = { rows: y.length, y: Float64Array.from(y), ...(weight ? { weight: Float64Array.from(weight) } : {}) }
    scoreRun(net({ loss, hidden: [], outputs }), rows, Float64Array.from(z), out, new Float64Array(y.length * 3))
    return Object.fromEntries(names.map((name, i) => [name, out[i]]))
  }
  const near = (actual: number, expected: number): void =>
    expectClose(actual, expected, 16 * epsOf.f64 * Math.max(1, Math.abs(expected)), 'score')

  it('of two classes: counts by hand, ties of the AUC count one half', () => {
    const s = scores('logistic', [1, 1, 0, 0, 1], [2, -1, -1, 3, 0.5])
    near(s['accuracy'], 3 / 5)
    near(s['recall'], 2 / 3)
    near(s['precision'], 2 / 3)
    // Pairs (one, zero): (2,−1) 1, (2,3) 0, (−1,−1) ½, (−1,3) 0, (0.5,−1) 1, (0.5,3) 0.
    near(s['auc'], 2.5 / 6)
    const logs = [2, -1, 0.5].map(z => Math.log1p(Math.exp(-z))).concat([-1, 3].map(z => Math.log1p(Math.exp(z))))
    near(s['logLoss'], logs.reduce((a, b) => a + b) / 5)
  })
  it('count rows with their weights', () => {
    const plain = scores('probit', [1, 0, 0, 1, 1], [0.5, 0.25, 0.25, -1, -1])
    const weighted = scores('probit', [1, 0, 1], [0.5, 0.25, -1], [1, 2, 2])
    for (const name of Object.keys(plain)) near(weighted[name], plain[name])
  })
  it('have no AUC where a class is missing', () => {
    expect(scores('logistic', [1, 1], [1, 2])['auc']).toBeNaN()
  })
  it('of responses: R², deviance and rmse by hand', () => {
    const squared = scores('squared', [1, 2, 6], [1, 3, 5])
    near(squared['r2'], 1 - 2 / 14)
    near(squared['rmse'], Math.sqrt(2 / 3))
    const poisson = scores('poisson', [0, 2], [0, Math.log(2)])
    // Deviance of the null model with mean 1: 2 [(0 + 1) + (2 ln 2 − 1)] = 4 ln 2; of this one: 2.
    near(poisson['devianceExplained'], 1 - 2 / (4 * Math.log(2)))
  })
  it('of several classes', () => {
    const s = scores('softmax', [0, 2], [1, 0, 0, 5, 5, 4], undefined, 3)
    near(s['accuracy'], 0.5)
    near(s['logLoss'], (Math.log(Math.E + 2) - 1 + Math.log(2 * Math.E + 1)) / 2)
  })
})
