// Models given as formulas on every engine that takes them: f, g and H beside the reference, which the tests of the language tie to
// hyper-dual numbers; outputs, mini-batches and runs.
import { afterAll, describe, expect, it } from 'vitest'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import { isScalar, losses } from '../../src/models/losses/index.js'
import type { Problem } from '../../src/models/types.js'
import { parameterCount, hasLoss, withGaussNewton } from '../../src/models/model.js'
import { adam } from '../../src/optimizers/adam.js'
import { newton } from '../../src/optimizers/newton.js'
import { resolveOptimizer } from '../../src/optimizers/registry.js'
import { engines } from '../../src/engines/registry.js'
import { candidates, collect } from '../helpers/engines.js'
import { part, slow } from '../helpers/length.js'
import { expressionOf, formulaProblem, free, objectiveProblem, randomFormula } from '../helpers/formulas.js'
import { normals } from '../helpers/problems.js'
import { epsOf, expectAllClose, expectSame, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()
const names = ['a', 'b', 'c'].map(name => free(name))
const scalarLosses = losses.filter(isScalar)

/** Formulas with every loss in turn, with and without weights and offsets. */
const cases: { label: string; problem: Problem }[] = Array.from({ length: 42 }, (_, n) => {
  const formula = randomFormula(1000 + n, 2)
  const loss = scalarLosses[n % scalarLosses.length]
  const recipe = { loss, rows: 5 + (n % 40), weighted: n % 3 === 0, shifted: n % 4 === 0, seed: 50 + n }
  return {
    label: `${loss} of ${formula}`,
    problem: formulaProblem(expressionOf(`0.5 * tanh(${formula}) + a*x`, names), recipe)
  }
})
cases.push({
  label: 'bounded and fixed parameters',
  problem: formulaProblem(
    expressionOf(
      'k * a * exp(-b * x) + c',
      [free('a', { lower: 0, upper: 2 }), free('b', { lower: -1, scale: 0.5 }), free('c', { upper: 4, scale: 2 })],
      { fixed: [{ name: 'k', value: 1.5 }] }
    )
  )
})
// More derivatives than are summed at a time, of which those that depend on the row alone go another way.
const many = Array.from({ length: 11 }, (_, k) => free(`p${k}`))
for (const [label, formula] of [
  ['linear', many.map((p, k) => `${p.name} * (x - ${k}/8)^${k % 3}`).join(' + ')],
  [
    'partly linear',
    many.map((p, k) => (k % 3 === 1 ? `tanh(${p.name} * x)` : `${p.name} * sin(w + ${k})`)).join(' + ')
  ],
  ['not linear', many.map((p, k) => `sin(${p.name} * x + w * ${k}/8)`).join(' * p1 + ')]
])
  cases.push({
    label: `${label} in 11 parameters`,
    problem: formulaProblem(expressionOf(formula, many), { loss: 'logistic', rows: 61, weighted: label !== 'linear' })
  })
for (const n of [0, 2, cases.length - 1])
  cases.push({ label: `Gauss and Newton's matrix, ${cases[n].label}`, problem: withGaussNewton(cases[n].problem) })
cases.push({
  label: "Himmelblau's function",
  problem: objectiveProblem('(a^2+b-11)^2 + (a+b^2-7)^2', [free('a'), free('b')])
})

const able = new Map(
  await Promise.all(
    engines.map(async entry => [entry.name, (await entry.supports(cases[0].problem, { H: true })).ok] as const)
  )
)
const takes = candidates.filter(c => able.get(c.name))
it('the engines that take formulas', () => {
  expect(engines.filter(e => able.get(e.name)).map(e => e.name)).toEqual(['webgpu', 'tensorflow', 'cpu', 'reference'])
})

describe.each(takes)('$label', candidate => {
  const opened = candidate.open(2)
  afterAll(async () => (await opened).dispose())

  it.each(slow(candidate) ? part(cases, 5) : cases)('$label', async ({ label, problem }) => {
    const objective = await (await opened).prepare(problem)
    const P = parameterCount(problem.model)
    const R = 21
    const theta = normals(R * P, 77, 8).map(v => Math.fround(0.6 * v))
    const { f, g, H } = await objective.evaluate(theta, { g: true, H: true })
    const exact = evaluatorOf(problem)
    const [eg, eH] = [new Float64Array(P), new Float64Array(P * P)]
    for (let r = 0; r < R; r++) {
      const at = theta.slice(r * P, (r + 1) * P)
      const ef = exact.evaluate(at, eg, eH)
      const size = Math.max(1, Math.abs(ef), ...eg.map(Math.abs), ...eH.map(Math.abs))
      const tol = tolerance(candidate.precision, 40 + problem.rows, size)
      expectAllClose([f[r]], [ef], tol, `${label}: f`, 'f')
      expectAllClose(g!.subarray(r * P, (r + 1) * P), eg, tol, `${label}: g`, 'g')
      expectAllClose(H!.subarray(r * P * P, (r + 1) * P * P), eH, tol, `${label}: H`, 'H')
    }
    // What is not asked for changes nothing.
    expectSame((await objective.evaluate(theta, { g: true })).g!, g!, `${label}: g alone`)
    expectSame((await objective.evaluate(theta, {})).f, f, `${label}: f alone`)
    const z = await objective.outputs?.(theta)
    for (let r = 0; z && r < R; r++) {
      const tol = tolerance(candidate.precision, 40, 8)
      const own = z.subarray(r * problem.rows, (r + 1) * problem.rows)
      if (hasLoss(problem.model))
        expectAllClose(own, exact.predict(theta.slice(r * P, (r + 1) * P)), tol, `${label}: z`, 'z')
    }
    objective.dispose()
  })

  const large = async (): Promise<void> => {
    const rows = 400_000
    const whole = formulaProblem(expressionOf('a + b*x + c*w', names), { loss: 'logistic', rows })
    const part = (from: number): Problem => ({
      ...whole,
      rows: rows / 2,
      x: whole.x.slice(2 * from, 2 * from + rows),
      y: whole.y.slice(from, from + rows / 2)
    })
    const theta = Float64Array.of(0.25, -0.5, 0.75)
    const values = async (problem: Problem): Promise<number[]> => {
      const objective = await (await opened).prepare(problem)
      const { f, g, H } = await objective.evaluate(theta, { g: true, H: true })
      objective.dispose()
      return [...f, ...g!, ...H!]
    }
    const [all, one, two] = [await values(whole), await values(part(0)), await values(part(rows / 2))]
    // Means of rows one after the other.
    const mean = one.map((v, k) => (v + two[k]) / 2)
    expectAllClose(all, mean, tolerance(candidate.precision, rows, 1), 'the mean of both halves')
  }
  if (candidate.name === 'cpu' && candidate.precision === 'f64')
    it('sums so many rows that products of derivatives are not kept', large)

  it('rows of weight 0 are not there, even where the formula has no value on them', async () => {
    const problem = formulaProblem(expressionOf('a + b*log(x)', [free('a'), free('b')]), { rows: 6 })
    const x = Float64Array.from(problem.x, (v, k) => (k === 4 ? -1 : Math.abs(v) + 0.5))
    const weight = Float64Array.of(1, 2, 0, 1, 1, 1)
    const objective = await (await opened).prepare({ ...problem, x, weight })
    const { f, g, H } = await objective.evaluate(Float64Array.of(0.5, 0.25), { g: true, H: true })
    expect([...f, ...g!, ...H!].every(Number.isFinite)).toBe(true)
    // In mini-batches, too.
    const program = adam.build(resolveOptimizer('adam').options, { eps: epsOf[candidate.precision], parameters: 2 })
    const runs = await collect(objective, {
      program,
      starts: { kind: 'random', seed: 3, first: 0, count: 40, init: { normal: 1 } },
      stop: { steps: 9, gradient: 0 },
      batch: { size: 2, order: 'run', seed: 1 }
    })
    expect([...runs.loss].every(Number.isFinite)).toBe(true)
  })

  it('starts in the given distributions, whatever the number of lanes', async () => {
    const init = { kind: 'logUniform', low: 0.01, high: 10 } as const
    const expression = expressionOf('a * exp(-b * x)', [
      free('a', { init: { kind: 'normal', mean: 3, deviation: 2 }, scale: 2 }),
      free('b', { init, lower: 0 })
    ])
    const objective = await (await opened).prepare(formulaProblem(expression))
    const program = newton.build(resolveOptimizer('newton').options, { eps: epsOf[candidate.precision], parameters: 2 })
    const request = {
      program,
      starts: { kind: 'random', seed: 3, first: 5, count: 30, init: { normal: 1 } },
      stop: { steps: 1, gradient: 0 }
    } as const
    const one = await collect(objective, { ...request, lanes: 1 })
    const many = await collect(objective, { ...request, lanes: 40 })
    expectSame(one.theta, many.theta, 'θ')
    expect([...one.start]).toEqual(Array.from({ length: 30 }, (_, i) => i + 5))
  })
})
