// Proofs about stationary points of formulas: enclosures of g and H over boxes hold the values of every point in them, and points that
// are known in closed form are proved, with what is known inside the box.
import { afterAll, describe, expect, it } from 'vitest'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { cpuEntry, createNativeProblem } from '../../src/engines/cpu/index.js'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import { parameterCount } from '../../src/models/model.js'
import { expressionOf, formulaProblem, free, objectiveProblem, randomFormula } from '../helpers/formulas.js'
import { normals } from '../helpers/problems.js'

const found = loadAddon()
if (!('addon' in found)) throw new Error(found.reason)
const { addon } = found
const names = ['a', 'b', 'c'].map(name => free(name))

describe('enclosures over a box', () => {
  const losses = ['squared', 'logistic', 'poisson', 'gamma'] as const
  // Kinks, which leave nothing to enclose, are tried below.
  const smooth = Array.from({ length: 60 }, (_, n) => ({ n, formula: randomFormula(2000 + n, 2) })).filter(
    ({ formula }) => !/abs|min|max|where/.test(formula)
  )
  it('has formulas to try', () => expect(smooth.length).toBeGreaterThan(20))
  it.each(smooth)('of $formula', ({ n, formula: inner }) => {
    const formula = `0.5 * tanh(${inner}) + a*x + b*w^2`
    const problem = formulaProblem(expressionOf(formula, names), {
      loss: losses[n % 4],
      rows: 11,
      seed: n,
      shifted: n % 2 === 0
    })
    const native = createNativeProblem(addon, problem, 'f64')
    const P = parameterCount(problem.model)
    const center = normals(P, 31 + n, 8).map(v => 0.6 * v)
    const radius = 2 ** -(8 + (n % 20))
    const out = addon.boxDerivatives(
      native,
      center.map(v => v - radius),
      center.map(v => v + radius)
    )
    expect(out.slice(0, 2 * P + 2 * P * P).every(Number.isFinite)).toBe(true)
    const exact = evaluatorOf(problem)
    const [g, H] = [new Float64Array(P), new Float64Array(P * P)]
    const shifts = normals(20 * P, 77 + n, 3).map(v => Math.tanh(v))
    for (let k = 0; k < 20; k++) {
      const theta = center.map((v, p) => v + radius * shifts[k * P + p])
      exact.evaluate(theta, g, H)
      const slack = 2 ** -40 * Math.max(1, ...g.map(Math.abs), ...H.map(Math.abs))
      g.forEach((v, p) => {
        expect(v).toBeGreaterThanOrEqual(out[p] - slack)
        expect(v).toBeLessThanOrEqual(out[P + p] + slack)
      })
      H.forEach((v, i) => {
        expect(v).toBeGreaterThanOrEqual(out[2 * P + i] - slack)
        expect(v).toBeLessThanOrEqual(out[2 * P + P * P + i] + slack)
      })
    }
  })
})

describe('stationary points', () => {
  const engine = cpuEntry.load({ precision: 'f64', threads: 1 })
  afterAll(async () => (await engine).dispose())

  it.each([
    ['sin', 'sin(a)', -0.5 * Math.PI, 0],
    ['cos at a maximum', 'cos(a)', 0, 1],
    ['exp', 'exp(a) - 2*a', Math.LN2, 0],
    ['log', 'a - log(a)', 1, 0],
    ['sqrt', 'a - sqrt(a)', 0.25, 0],
    ['tanh', 'tanh(a) - a/2', Math.acosh(Math.SQRT2), 1],
    ['atan', 'a/2 - atan(a)', 1, 0],
    // 2/√π e^(−a²) = ½.
    ['erf', 'a/2 - erf(a)', Math.sqrt(Math.log(4 / Math.sqrt(Math.PI))), 0],
    // a^a (1 + log a) = 0.
    ['powers', 'a^a', Math.exp(-1), 0],
    ['a branch', 'where(a < 5, (a - 1)^2, 7)', 1, 0],
    ['absolute values', 'abs(a - 3) + a^2', 0.5, 0]
  ])('of %s', async (_, formula, at, index) => {
    const objective = await (await engine).prepare(objectiveProblem(formula, [free('a')]))
    const proofs = await objective.certifier!.prove(Float64Array.of(at))
    expect(proofs.status[0]).toBe('proved')
    expect(proofs.index[0]).toBe(index)
    // Closed forms are rounded: the point lies within a few roundings.
    expect(Math.abs(proofs.theta[0] - at)).toBeLessThanOrEqual(4 * Number.EPSILON)
    expect(proofs.radius[0]).toBeGreaterThan(0)
    expect(proofs.radius[0]).toBeLessThan(1)
    objective.dispose()
  })

  it.each([
    ['a point that is not stationary', '(a - 1)^2', 1.5],
    ['a kink', 'abs(a) + a^2', 0],
    ['a flat minimum', 'a^4', 0]
  ])('not of %s', async (_, formula, at) => {
    const objective = await (await engine).prepare(objectiveProblem(formula, [free('a')]))
    const proofs = await objective.certifier!.prove(Float64Array.of(at))
    if (proofs.status[0] === 'proved') expect(Math.abs(proofs.theta[0] - 1)).toBeLessThan(1e-12)
    else expect(proofs.radius[0]).toBe(0)
    if (at !== 1.5) expect(proofs.status[0]).not.toBe('proved')
    objective.dispose()
  })

  it('of a model on data', async () => {
    const problem = formulaProblem(expressionOf('a + b*x + b^2*w', [free('a'), free('b')]), { rows: 30 })
    const objective = await (await engine).prepare(problem)
    const proofs = await objective.certifier!.settle(Float64Array.of(0.5, 0.1))
    const { theta } = proofs
    expect((await objective.certifier!.prove(theta)).status).toEqual(['proved'])
  })
})
