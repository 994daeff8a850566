// Gauss and Newton's matrix of formulas: the exact Hessian of a network without hidden layer whose columns are the Jacobian of z; with
// bounds, the same carried over by the chain rule.
import { describe, it } from 'vitest'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import { toUser } from '../../src/models/expression/coordinates.js'
import { userModel } from '../../src/models/expression/expression.js'
import { isScalar, losses } from '../../src/models/losses/index.js'
import { withGaussNewton } from '../../src/models/model.js'
import type { ExpressionModel, Problem } from '../../src/models/types.js'
import { expressionOf, formulaProblem, free, randomFormula } from '../helpers/formulas.js'
import { normals } from '../helpers/problems.js'
import { expectAllClose, tolerance } from '../helpers/tolerance.js'

const P = 3
const names = ['a', 'b', 'c'].map(name => free(name))

/** g and H at θ. */
function derivatives(problem: Problem, theta: Float64Array): { g: Float64Array; H: Float64Array } {
  const [g, H] = [new Float64Array(theta.length), new Float64Array(theta.length ** 2)]
  evaluatorOf(problem).evaluate(theta, g, H)
  return { g, H }
}

/** ∇z of each row [N, P]: the gradient of ½ (z − y)² where y is z − 1. */
function jacobian(problem: Problem, z: Float64Array, theta: Float64Array): Float64Array {
  const D = problem.model.inputs
  const J = new Float64Array(problem.rows * P)
  for (let i = 0; i < problem.rows; i++) {
    const x = problem.x.slice(i * D, (i + 1) * D)
    const model: Problem['model'] = { ...problem.model, loss: 'squared' }
    J.set(derivatives({ model, rows: 1, x, y: Float64Array.of(z[i] - 1) }, theta).g, i * P)
  }
  return J
}

describe('the matrix of Gauss and Newton', () => {
  it.each(losses.filter(isScalar))('%s: that of the model made linear', loss => {
    for (let n = 0; n < 12; n++) {
      const expression = expressionOf(`0.5 * tanh(${randomFormula(7000 + n, 2)}) + a*x`, names)
      const problem = formulaProblem(expression, {
        loss,
        rows: 9,
        weighted: n % 2 === 0,
        shifted: n % 3 === 0,
        seed: n
      })
      const theta = normals(P, 300 + n).map(v => 0.6 * v)
      const z = evaluatorOf({ ...problem, offset: new Float64Array(problem.rows) }).predict(theta)
      const linear: Problem = {
        ...problem,
        model: {
          kind: 'network',
          inputs: P,
          outputs: 1,
          hidden: [],
          activation: 'identity',
          bias: false,
          ridge: 0,
          penalizeBias: false,
          loss,
          ...(problem.model.lossParameters ? { lossParameters: problem.model.lossParameters } : {})
        },
        x: jacobian(problem, z, theta),
        offset: z.map((v, i) => v + (problem.offset?.[i] ?? 0))
      }
      const expected = derivatives(linear, new Float64Array(P))
      const actual = derivatives(withGaussNewton(problem), theta)
      const size = Math.max(1, ...expected.H.map(Math.abs), ...expected.g.map(Math.abs))
      const tol = tolerance('f64', 40 + problem.rows, size)
      expectAllClose(actual.H, expected.H, tol, `${loss} of ${expression.formula}`, 'H')
      expectAllClose(actual.g, expected.g, tol, `${loss} of ${expression.formula}`, 'g')
    }
  })

  it('keeps the curvature that bounds make: at a minimiser on a bound it is all there is', () => {
    const expression = expressionOf('a * exp(-b * x) + c', [
      free('a', { lower: 0, upper: 2 }),
      free('b', { lower: 0 }),
      free('c', { upper: 4, scale: 2 })
    ])
    const problem = withGaussNewton(formulaProblem(expression)) as Problem<ExpressionModel>
    const user: Problem = { ...problem, model: { ...problem.model, expression: userModel(problem.model.expression) } }
    for (const u of [Float64Array.of(0.3, 0.7, -1.2), Float64Array.of(-Math.PI / 2, 0, 0)]) {
      const root = (v: number): number => Math.sqrt(v * v + 1)
      // θ = 1 + sin u, √(u² + 1) − 1, 4 − 2 (√(u² + 1) − 1)
      const slope = [Math.cos(u[0]), u[1] / root(u[1]), (-2 * u[2]) / root(u[2])]
      const bend = [-Math.sin(u[0]), 1 / root(u[1]) ** 3, -2 / root(u[2]) ** 3]
      const inUser = derivatives(user, toUser(problem.model.expression, u))
      const expected = inUser.H.map((v, n) => {
        const [p, q] = [Math.floor(n / P), n % P]
        return v * slope[p] * slope[q] + (p === q ? inUser.g[p] * bend[p] : 0)
      })
      const size = Math.max(1, ...expected.map(Math.abs))
      expectAllClose(derivatives(problem, u).H, expected, tolerance('f64', 60, size), 'bounded', 'H')
    }
  })
})
