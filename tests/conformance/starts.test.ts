// Where runs start: θ0 of every engine has the bits of models/network/initialise in f64, and is its nearest number in f32.
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Engine } from '../../src/engines/types.js'
import { startPoint, parameterCount } from '../../src/models/model.js'
import type { Init } from '../../src/models/types.js'
import { candidates, collect } from '../helpers/engines.js'
import { makeProblem, normals, points } from '../helpers/problems.js'
import { givenStarts, stay } from '../helpers/runs.js'
import { expectSame } from '../helpers/tolerance.js'

const inits: { label: string; init: Init }[] = [
  { label: 'normal', init: { normal: 1 } },
  { label: 'wide normal', init: { normal: 12.3 } },
  { label: 'uniform', init: { uniform: 0.7 } },
  { label: 'glorot', init: 'glorot' },
  { label: 'he', init: 'he' }
]

describe.each(candidates)('$label', candidate => {
  const problem = makeProblem({ loss: 'softmax', hidden: [3, 2], inputs: 4, rows: 3 })
  const bare = makeProblem({ loss: 'squared', hidden: [4], bias: false, rows: 3 })
  const stop = { steps: 1, gradient: 0 }
  const round = (values: Float64Array): Float64Array =>
    candidate.precision === 'f64' ? values : values.map(Math.fround)
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open(2)
  })
  afterAll(() => engine.dispose())

  it.each(inits)('$label', async ({ init }) => {
    for (const of of [problem, bare]) {
      const P = parameterCount(of.model)
      const objective = await engine.prepare(of)
      for (const [seed, first] of [
        [0, 0],
        [1, 5],
        [2 ** 32 + 1, 2 ** 32 - 10],
        [2 ** 53 - 1, 2 ** 40 + 7]
      ]) {
        const starts = { kind: 'random' as const, seed, first, count: 37, init }
        const got = await collect(objective, { program: stay(), starts, stop })
        for (let r = 0; r < 37; r++) {
          const expected = round(startPoint(of.model, init, seed, first + r))
          expectSame(got.theta.subarray(r * P, (r + 1) * P), expected, `start ${first + r} of seed ${seed}`)
        }
      }
      objective.dispose()
    }
  })

  it('mapped ones have the bits of the map', async () => {
    for (const of of [problem, bare, makeProblem({ loss: 'squared', inputs: 3 })]) {
      const P = parameterCount(of.model)
      const S = of.model.inputs + (of.model.bias ? 1 : 0)
      const C = of.model.outputs
      // Numbers with all their bits, so that an operation fused or out of order would show.
      const map = {
        first: normals(S * S, 21, 1).map(v => v / 3),
        scale: normals(C, 21, 2).map(v => v / 7),
        shift: normals(C, 21, 3).map(v => v / 11)
      }
      const objective = await engine.prepare(of)
      const starts = { kind: 'random' as const, seed: 3, first: 2, count: 37, init: { normal: 1 }, map }
      const got = await collect(objective, { program: stay(), starts, stop })
      for (let r = 0; r < 37; r++) {
        const expected = round(startPoint(of.model, { normal: 1 }, 3, 2 + r, map))
        expectSame(got.theta.subarray(r * P, (r + 1) * P), expected, `start ${2 + r}`)
      }
      objective.dispose()
    }
  })

  it('given points are taken as they are', async () => {
    const theta = points(problem, 33).map(v => v / 3)
    const objective = await engine.prepare(problem)
    const got = await collect(objective, { program: stay(), starts: givenStarts(theta, 33), stop })
    expectSame(got.theta, round(theta), 'given points')
    expectSame(
      got.start,
      Float64Array.from({ length: 33 }, (_, i) => i),
      'numbers of given points'
    )
    objective.dispose()
  })
})
