// Conditioned coordinates: the same function, an exact way back, and numbers that neither units nor offsets can spoil.
import { describe, expect, it } from 'vitest'
import { conditionProblem, standardizationOf, type Standardization } from '../../src/data/conditioning.js'
import { Evaluator } from '../../src/engines/reference/evaluate.js'
import { parameterCount } from '../../src/models/model.js'
import { mapPoints, pullBack } from '../../src/models/network/parameterMap.js'
import type { Network, Problem } from '../../src/models/types.js'
import { makeProblem, normals, points, type Recipe } from '../helpers/problems.js'
import { epsOf, expectAllClose, expectClose, printWorst } from '../helpers/tolerance.js'

printWorst()

const recipes: Recipe[] = (['squared', 'logistic', 'poisson', 'gamma', 'cloglog', 'softmax'] as const).flatMap(
  (loss, n) => [
    { loss, inputs: 3, rows: 12, weighted: n % 2 === 0, shifted: true, seed: 40 + n },
    { loss, inputs: 2, rows: 9, hidden: [3], ridge: 0.25, seed: 50 + n },
    { loss, inputs: 2, rows: 9, hidden: [2, 2], ridge: 0.25, penalizeBias: true, seed: 60 + n },
    { loss, inputs: 3, rows: 12, ridge: 0.5, seed: 70 + n },
    { loss, inputs: 2, rows: 9, bias: false, ridge: 0.25, hidden: [2], seed: 80 + n }
  ]
)

/** Columns moved and measured otherwise. */
const spoiled = (problem: Problem<Network>, offset: number, unit: number): Problem<Network> => ({
  ...problem,
  x: problem.x.map((v, n) => (v * (1 + (n % problem.model.inputs)) + offset) * unit)
})

const asked = (problem: Problem<Network>): Required<Pick<Standardization, 'columns'>> => ({
  columns: standardizationOf(problem, problem.model.inputs)
})

describe('the conditioned problem', () => {
  for (const recipe of recipes)
    for (const standardized of [false, true]) {
      if (standardized && recipe.bias === false) continue
      const label = `${JSON.stringify(recipe)}, ${standardized ? 'standardised' : 'raw'}`
      it(`is the one that was asked for: ${label}`, () => {
        const problem = spoiled(makeProblem(recipe), 3, 1 / 4)
        const { model: network } = problem
        const P = parameterCount(network)
        const { problem: conditioned, frame } = conditionProblem(
          network,
          problem,
          standardized ? asked(problem) : undefined
        )
        const inConditioned = new Evaluator(conditioned)
        const theta = points(problem, 4, 3, 0.3)
        const there = mapPoints(network, frame.fromAsked ?? identity(frame.fromUser, network.bias), theta)
        // The problem as asked: standardised columns where they were asked for, the ridge on those parameters.
        const scaling = asked(problem).columns
        const D = network.inputs
        const own: Problem<Network> = standardized
          ? { ...problem, x: problem.x.map((v, n) => (v - scaling.mean[n % D]) / scaling.sd[n % D]) }
          : problem
        const inAsked = new Evaluator(own)
        const tolerance = 2 ** 14 * epsOf.f64
        for (let r = 0; r < 4; r++) {
          const g = new Float64Array(P)
          const gAsked = new Float64Array(P)
          const f = inConditioned.evaluate(there.subarray(r * P, (r + 1) * P), g)
          const fAsked = inAsked.evaluate(theta.subarray(r * P, (r + 1) * P), gAsked)
          const size = Math.max(1, Math.abs(fAsked), ...gAsked.map(Math.abs))
          expectClose(frame.lossScale * f, fAsked, tolerance * size, 'f', 'f')
          const pulled = frame.fromAsked ? pullBack(network, frame.fromAsked, g) : g
          expectAllClose(
            pulled.map(v => frame.lossScale * v),
            gAsked,
            tolerance * size * 64,
            'g',
            'g'
          )
        }
        const user = mapPoints(network, frame.toUser, there)
        expectAllClose(
          mapPoints(network, frame.fromUser, user),
          there,
          n => tolerance * Math.max(1, Math.abs(there[n])),
          'round trip'
        )
      })
    }

  it('does not see offsets and units: columns, rank, and coordinates are the same', () => {
    for (const [offset, unit] of [
      [2 ** 30, 1],
      [2 ** 40, 2 ** -40],
      [-(2 ** 20), 2 ** 40]
    ]) {
      const plain = makeProblem({ loss: 'logistic', inputs: 3, rows: 20, seed: 9 })
      // Numbers of few bits, so that the offset loses none of them.
      const coarse = { ...plain, x: plain.x.map(v => Math.round(v * 64) / 64) }
      const here = conditionProblem(plain.model, coarse)
      const there = conditionProblem(plain.model, { ...coarse, x: coarse.x.map(v => (v + offset) * unit) })
      expect(there.frame.design.rank).toBe(here.frame.design.rank)
      // The means are rounded to the offset's last place; that moves a column by as much.
      const moved = (Math.abs(offset) * epsOf.f64 + 64 * epsOf.f64) * 4
      expectAllClose(there.problem.x, here.problem.x, moved, 'x')
    }
  })

  it('is whitened where columns nearly depend on each other, and keeps what does depend apart', () => {
    const N = 30
    const base = normals(N * 2, 3, 1)
    const noise = normals(N, 3, 2)
    const x = new Float64Array(N * 4)
    for (let i = 0; i < N; i++)
      x.set([base[2 * i], base[2 * i] + 2 ** -20 * noise[i], base[2 * i + 1], base[2 * i] + base[2 * i + 1]], 4 * i)
    const made = makeProblem({ loss: 'logistic', inputs: 4, rows: N })
    const { problem, frame } = conditionProblem(made.model, { ...made, x })
    expect(frame.design.rank).toBe(3)
    expect(frame.design.aliased.length).toBe(1)
    const [dead] = frame.design.aliased
    for (let d = 0; d < 4; d++)
      for (let e = 0; e < 4; e++) {
        let sum = 0
        for (let i = 0; i < N; i++) sum += (problem.x[i * 4 + d] * problem.x[i * 4 + e]) / N
        expectClose(sum, d === e && d !== dead ? 1 : 0, 1e-12, `inner product of columns ${d} and ${e}`)
      }
  })
})

/** Where starts are drawn in conditioned coordinates. */
function identity(like: { first: Float64Array; scale: Float64Array }, bias: boolean) {
  const S = Math.round(Math.sqrt(like.first.length))
  expect(S).toBeGreaterThan(bias ? 1 : 0)
  return {
    first: Float64Array.from({ length: S * S }, (_, n) => (n % (S + 1) === 0 ? 1 : 0)),
    scale: new Float64Array(like.scale.length).fill(1),
    shift: new Float64Array(like.scale.length)
  }
}
