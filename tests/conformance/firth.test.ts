// Firth's penalty: f, g and H against its definition over hyper-dual numbers, on the engines that have it; the others say so.
import { describe, expect, it } from 'vitest'
import { engines } from '../../src/engines/registry.js'
import { hyperDuals } from '../../src/models/algebra.js'
import { objectiveOf } from '../../src/models/definition.js'
import { losses } from '../../src/models/losses/index.js'
import { parameterCount } from '../../src/models/model.js'
import { validateProblem } from '../../src/models/validate.js'
import { takesFirth } from '../../src/models/penalty.js'
import type { Network, Problem } from '../../src/models/types.js'
import { candidates } from '../helpers/engines.js'
import { makeProblem, points } from '../helpers/problems.js'
import { expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const withFirth = (problem: Problem<Network>): Problem<Network> => ({
  ...problem,
  model: { ...problem.model, firth: true }
})
const able = losses.filter(takesFirth)
const support = new Map(
  await Promise.all(
    engines.map(async e => [e.name, await e.supports(withFirth(makeProblem({ loss: 'logistic' })), {})] as const)
  )
)

it('goes with the losses whose expected information is known, and no others', () => {
  expect([...able].sort()).toEqual(['cloglog', 'logistic', 'poisson', 'probit'])
  for (const loss of losses.filter(l => !takesFirth(l)))
    expect(() => validateProblem(withFirth(makeProblem({ loss })))).toThrow(/Firth’s penalty .*\.$/)
  expect(() => validateProblem(withFirth(makeProblem({ loss: 'logistic', hidden: [2] })))).toThrow(
    /without hidden layer/
  )
  expect(() => validateProblem(withFirth(makeProblem({ loss: 'logistic', ridge: 1 })))).toThrow(/ridge/)
})

describe.each(candidates)('$label', candidate => {
  const takes = support.get(candidate.name)
  if (!takes?.ok) {
    it('says that it does not have it', async () => {
      expect(takes?.reason).toMatch(/does not have Firth’s penalty; use --engine cpu\.$/)
      const engine = await candidate.open(1)
      await expect(engine.prepare(withFirth(makeProblem({ loss: 'logistic' })))).rejects.toThrow(takes?.reason)
      engine.dispose()
    })
    return
  }
  it.each(able)('%s has the derivatives of its definition', async loss => {
    const engine = await candidate.open(1)
    for (const [n, recipe] of [{}, { bias: false }, { weighted: true }, { shifted: true, inputs: 3 }].entries()) {
      const problem = withFirth(makeProblem({ loss, rows: 23, inputs: 2, seed: 60 + n, ...recipe }))
      const P = parameterCount(problem.model)
      const theta = points(problem, 3, 9, 0.5)
      const objective = await engine.prepare(problem)
      const got = await objective.evaluate(theta, { g: true, H: true })
      for (let r = 0; r < 3; r++)
        for (let p = 0; p < P; p++)
          for (let q = p; q < P; q++) {
            const at = Array.from(theta.subarray(r * P, (r + 1) * P), (v, k) => ({
              v,
              a: k === p ? 1 : 0,
              b: k === q ? 1 : 0,
              ab: 0
            }))
            const exact = objectiveOf(hyperDuals, problem, at)
            // Sums over the rows, and twice the condition of an information of a few columns.
            const tol = tolerance(candidate.precision, 23 * P, 4 + Math.abs(exact.v) + Math.abs(exact.ab))
            const what = `${loss} ${n} at ${r}`
            expectClose(got.f[r], exact.v, tol, `f of ${what}`, 'f')
            expectClose(got.g![r * P + p], exact.a, tol, `g[${p}] of ${what}`, 'g')
            expectClose(got.H![(r * P + p) * P + q], exact.ab, tol, `H[${p}, ${q}] of ${what}`, 'H')
            expect(got.H![(r * P + q) * P + p]).toBe(got.H![(r * P + p) * P + q])
          }
      objective.dispose()
    }
    engine.dispose()
  })
})
