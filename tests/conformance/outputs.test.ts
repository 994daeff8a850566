// Several outputs of losses that take them one by one, on every engine: f, g and H against hyper-dual numbers, scores against the reference,
// mini-batches.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { referenceEntry } from '../../src/engines/reference/index.js'
import type { Engine } from '../../src/engines/types.js'
import { isScalar, losses } from '../../src/models/losses/index.js'
import { parameterCount } from '../../src/models/model.js'
import { candidates } from '../helpers/engines.js'
import { oracle } from '../helpers/hyperdual.js'
import { part, slow } from '../helpers/length.js'
import { makeProblem, points } from '../helpers/problems.js'
import { expectAllClose, expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()
const scalar = losses.filter(isScalar)
const shapes = [
  { hidden: [], outputs: 3, inputs: 2 },
  { hidden: [2], outputs: 3, inputs: 2, weighted: true },
  { hidden: [2, 3], outputs: 2, inputs: 2, bias: false, shifted: true }
]

describe.each(candidates)('$label', candidate => {
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open(1)
  })
  afterAll(() => engine.dispose())

  it.each(slow(candidate) ? part(scalar, 2) : scalar)(
    '%s has the derivatives of its definition and the scores of the reference',
    async loss => {
      const reference = await referenceEntry.load({ precision: 'f64' })
      for (const [n, shape] of shapes.entries()) {
        const problem = makeProblem({ loss, rows: 6, seed: 80 + n, ...shape })
        const P = parameterCount(problem.model)
        const theta = points(problem, 2, 4, 0.5)
        const objective = await engine.prepare(problem)
        const got = await objective.evaluate(theta, { g: true, H: true })
        const what = `${loss} ${n}`
        for (let r = 0; r < 2; r++) {
          const exact = oracle(problem, theta.subarray(r * P, (r + 1) * P))
          const bound = (size: number): number => tolerance(candidate.precision, 60, size)
          expectClose(got.f[r], exact.f, bound(exact.magnitude.f), `f of ${what}`, 'f')
          expectAllClose(got.g!.subarray(r * P, (r + 1) * P), exact.g, bound(exact.magnitude.g), `g of ${what}`, 'g')
          const H = got.H!.subarray(r * P * P, (r + 1) * P * P)
          expectAllClose(H, exact.H, bound(exact.magnitude.H), `H of ${what}`, 'H')
        }
        const own = await objective.score(theta)
        const exact = await (await reference.prepare(problem)).score(theta)
        expect(own.classCounts).toEqual(exact.classCounts)
        expectAllClose(
          own.values,
          exact.values,
          i => tolerance(candidate.precision, 60, 1 + Math.abs(exact.values[i])),
          what
        )
        objective.dispose()
      }
    }
  )
})
