// The Hessian kernel of the webgpu engine against the reference, on a software GPU, and the way in which it is cut into tiles.
import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { planHessian } from '../../../src/engines/webgpu/core/hessianPlan.js'
import { numberFields, sourcesOf, tileCount, tilesOf } from '../../../src/engines/webgpu/core/hessianTiles.js'
import { Evaluator as Reference } from '../../../src/engines/reference/evaluate.js'
import { layers } from '../../../src/models/network/network.js'
import { parameterCount } from '../../../src/models/model.js'
import type { Network, Problem } from '../../../src/models/types.js'
import { evaluateOn } from '../../helpers/gpu.js'
import { part } from '../../helpers/length.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'
import { makeProblem, points, type Recipe } from '../../helpers/problems.js'
import { expectAllClose, expectSame, printWorst, tolerance } from '../../helpers/tolerance.js'

printWorst()

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

/** Operations on the longest path from an input to a sum over the rows, there and back for the second derivative. */
const operations = ({ model: network, rows }: Problem<Network>): number =>
  rows + [network.inputs, ...network.hidden, network.outputs].reduce((sum, n) => sum + 2 * n + 8, 8)

async function expectReference(problem: Problem<Network>, count = 2): Promise<void> {
  const P = parameterCount(problem.model)
  const theta = points(problem, count, 7, 1 / Math.sqrt(Math.max(2, problem.model.inputs, ...problem.model.hidden)))
  const got = await evaluateOn(gpu, problem, theta, { needs: 'H' })
  const reference = new Reference(problem)
  for (let r = 0; r < count; r++) {
    const H = new Float64Array(P * P)
    reference.evaluate(theta.subarray(r * P, (r + 1) * P), new Float64Array(P), H)
    const top = H.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
    const own = got.H!.subarray(r * P * P, (r + 1) * P * P)
    expectAllClose(own, H, tolerance('f32', operations(problem), top), `H of point ${r}`, 'H')
    for (let p = 0; p < P; p++)
      for (let q = 0; q < p; q++)
        if (!Object.is(own[p * P + q], own[q * P + p])) expect.fail(`H[${p}, ${q}] differs from H[${q}, ${p}]`)
  }
}

const text = (recipe: Recipe): string =>
  `${recipe.loss} ${recipe.inputs}-${[...(recipe.hidden ?? []), recipe.loss === 'softmax' ? (recipe.outputs ?? 3) : 1].join('-')} ${recipe.activation ?? 'tanh'}, ${recipe.rows} rows`

const recipes: Recipe[] = [
  { loss: 'probit', inputs: 9, rows: 21, weighted: true, shifted: true, ridge: 0.125, penalizeBias: true },
  { loss: 'softmax', inputs: 5, outputs: 4, rows: 18, bias: false },
  { loss: 'brier', inputs: 30, rows: 11, ridge: 0.125 },
  { loss: 'logistic', inputs: 4, hidden: [5], rows: 99, ridge: 0.0625, shifted: true },
  { loss: 'gamma', inputs: 1, hidden: [1], rows: 1, weighted: true },
  { loss: 'logistic', inputs: 7, hidden: [6], rows: 35, activation: 'softplus', bias: false, ridge: 0.125 },
  { loss: 'softmax', inputs: 3, hidden: [4], rows: 30, weighted: true, activation: 'logistic', ridge: 0.5 },
  { loss: 'poisson', inputs: 3, hidden: [5, 4], rows: 26, weighted: true, shifted: true, ridge: 0.125 },
  { loss: 'softmax', inputs: 2, hidden: [3, 4, 2], rows: 13, bias: false, activation: 'softplus' },
  { loss: 'squared', inputs: 2, hidden: [1, 5, 1, 2], rows: 9, activation: 'relu', ridge: 0.125, penalizeBias: true }
]
const large: Recipe[] = [
  { loss: 'logistic', inputs: 255, rows: 10 },
  { loss: 'logistic', inputs: 30, hidden: [8], rows: 9, bias: false, ridge: 0.125 },
  { loss: 'logistic', inputs: 1, hidden: [85], rows: 6 },
  { loss: 'softmax', inputs: 9, hidden: [9, 9], rows: 7, outputs: 7 },
  { loss: 'softmax', inputs: 1, outputs: 128, rows: 5 }
]

describe('equals the reference', () => {
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', ({ recipe }) =>
    expectReference(makeProblem(recipe))
  )
  it.each(part(large, 5).map(recipe => ({ recipe, P: parameterCount(makeProblem(recipe).model), name: text(recipe) })))(
    '$P parameters: $name',
    async ({ recipe, P }) => {
      expect(P).toBeGreaterThan(240)
      await expectReference(makeProblem(recipe), 1)
    }
  )
})

describe('tiles', () => {
  it.each([...recipes, ...large].map(recipe => ({ recipe, name: text(recipe) })))(
    'hold every element of one triangle exactly once: $name',
    ({ recipe }) => {
      const problem = makeProblem(recipe)
      const { model: network } = problem
      const P = parameterCount(network)
      const first = layers(network)[0]
      const { values, blockTable } = planHessian(problem)
      const shape = { held: Number(values['held']), span: Number(values['span']) }
      const seen = new Uint8Array(P * P)
      const see = (p: number, q: number): void => {
        seen[Math.min(p, q) * P + Math.max(p, q)]++
      }
      const pairs: [number, number][] = []
      for (let d = 0; d < first.stride; d++) for (let e = d; e < first.stride; e++) pairs.push([d, e])
      let count = 0
      for (const source of sourcesOf(network, numberFields(network)))
        for (const patch of source.patches(0)) {
          expect(tileCount(patch, shape)).toBe(tilesOf(patch, shape).length)
          for (const { rho, pi } of tilesOf(patch, shape)) {
            count++
            for (let i = rho; i < Math.min(rho + shape.held, patch.rhoCount); i++)
              for (let m = pi; m < Math.min(pi + shape.span, patch.piCount); m++)
                if (patch.pi === 'products') {
                  const [d, e] = pairs[m]
                  const q = first.at + ((patch.q + i) % first.units) * first.stride
                  see(patch.p + d, q + e)
                  if (d !== e && q !== patch.p) see(patch.p + e, q + d)
                } else if (patch.p + m <= patch.q + i) see(patch.p + m, patch.q + i)
          }
        }
      for (let p = 0; p < P; p++)
        for (let q = p; q < P; q++)
          if (seen[p * P + q] !== 1) expect.fail(`(${p}, ${q}) is held ${seen[p * P + q]} times`)
      // Blocks take all tiles, one after the other.
      const blocks = Array.from({ length: blockTable.length / 9 }, (_, b) => blockTable.subarray(9 * b, 9 * b + 2))
      blocks.forEach(([firstTile], b) =>
        expect(firstTile).toBe(blocks.slice(0, b).reduce((sum, [, tiles]) => sum + tiles, 0))
      )
      expect(blocks.reduce((sum, [, tiles]) => sum + tiles, 0)).toBe(count)
    }
  )
})

it.each([
  { loss: 'logistic', inputs: 4, hidden: [5], rows: 30 },
  { loss: 'softmax', inputs: 3, hidden: [3, 4], rows: 14 }
] as const)('every lane is computed alone', async recipe => {
  const problem = makeProblem(recipe)
  const theta = points(problem, 5, 3, 0.5)
  const few = await evaluateOn(gpu, problem, theta, { needs: 'H' })
  const many = await evaluateOn(gpu, problem, theta, { needs: 'H', lanes: 192, at: r => 190 - 41 * r })
  expectSame(many.H!, few.H!, 'H')
})
