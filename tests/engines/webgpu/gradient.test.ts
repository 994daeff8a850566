// The gradient kernels of the webgpu engine against the reference, on a software GPU: every kernel, and every way in which one
// is laid out, on shapes around the edges of its blocks.
import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { defaultTuning, planGradient, type Tuning } from '../../../src/engines/webgpu/core/gradientPlan.js'
import { Evaluator as Reference } from '../../../src/engines/reference/evaluate.js'
import { parameterCount } from '../../../src/models/model.js'
import { activations, losses, type Network, type Problem } from '../../../src/models/types.js'
import { evaluateOn, type GpuRequest } from '../../helpers/gpu.js'
import { part } from '../../helpers/length.js'
import { onSoftwareGpu } from '../../helpers/localGpu.js'
import { integers, makeProblem, points, type Recipe } from '../../helpers/problems.js'
import { expectAllClose, expectClose, expectSame, printWorst, tolerance } from '../../helpers/tolerance.js'

printWorst()

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

/** Operations on the longest path from an input to a sum over the rows. */
const operations = ({ model: network, rows }: Problem<Network>): number =>
  rows + [network.inputs, ...network.hidden, network.outputs].reduce((sum, n) => sum + n + 8, 8)

/** f and g of some points against the reference, over all rows or each over rows of its own. */
async function expectReference(problem: Problem<Network>, request: Partial<GpuRequest> = {}, count = 3): Promise<void> {
  const P = parameterCount(problem.model)
  // Pre-activations of order one, however many inputs a unit has.
  const theta = points(problem, count, 7, 1 / Math.sqrt(Math.max(2, problem.model.inputs, ...problem.model.hidden)))
  const got = await evaluateOn(gpu, problem, theta, { needs: 'g', ...request })
  const reference = new Reference(problem)
  for (let r = 0; r < count; r++) {
    const g = new Float64Array(P)
    const f = reference.evaluate(theta.subarray(r * P, (r + 1) * P), g, undefined, request.batches?.rows[r])
    const top = g.reduce((m, v) => Math.max(m, Math.abs(v)), 1 + Math.abs(f))
    const bound = tolerance('f32', operations(problem), top)
    expectClose(got.f[r], f, bound, `f of point ${r}`, 'f')
    expectAllClose(got.g!.subarray(r * P, (r + 1) * P), g, bound, `g of point ${r}`, 'g')
  }
}

const text = (recipe: Recipe, extra = ''): string =>
  `${recipe.loss} ${recipe.inputs}-${[...(recipe.hidden ?? []), recipe.outputs ?? (recipe.loss === 'softmax' ? 3 : 1)].join('-')} ${recipe.activation ?? 'tanh'}, ${recipe.rows} rows${extra}`

/** Few registers, so that small networks are spread over teams in blocks of few units and inputs. */
const spread: Tuning = { ...defaultTuning, threadRegisters: 0, teamRegisters: 12 }

describe('a run in one thread', () => {
  const recipes: Recipe[] = [
    { loss: 'logistic', inputs: 1, rows: 1 },
    { loss: 'poisson', inputs: 4, rows: 601, weighted: true, shifted: true, ridge: 0.125, penalizeBias: true },
    { loss: 'squared', inputs: 33, rows: 9, bias: false },
    { loss: 'probit', inputs: 61, rows: 33, ridge: 0.125 },
    { loss: 'logistic', inputs: 4, hidden: [5], rows: 99, ridge: 0.0625, shifted: true },
    { loss: 'gamma', inputs: 3, hidden: [1], rows: 6, activation: 'softplus', weighted: true },
    { loss: 'logistic', inputs: 9, hidden: [5], rows: 10, activation: 'logistic' },
    { loss: 'brier', inputs: 2, hidden: [3, 4, 2], rows: 13, bias: false },
    { loss: 'softmax', inputs: 3, hidden: [4], outputs: 4, rows: 30, weighted: true, activation: 'relu' },
    { loss: 'softmax', inputs: 1, outputs: 12, rows: 35 },
    { loss: 'squared', inputs: 3, hidden: [2], outputs: 4, rows: 30, weighted: true, shifted: true }
  ]
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', async ({ recipe }) => {
    const problem = makeProblem(recipe)
    expect(planGradient({ problem, gradient: true, batchSize: undefined }).file).toBe('gradient_thread.wgsl')
    await expectReference(problem)
  })
  it('takes two rows or one at a time', () => {
    const widths = recipes.map(
      r => planGradient({ problem: makeProblem(r), gradient: true, batchSize: undefined }).width
    )
    expect(new Set(widths)).toEqual(new Set([2, 1]))
  })
})

describe('a run in a team of threads', () => {
  const recipes: Recipe[] = [
    { loss: 'logistic', inputs: 30, hidden: [16], rows: 101, ridge: 0.0625 },
    { loss: 'logistic', inputs: 29, hidden: [17], rows: 37, weighted: true, shifted: true, bias: false },
    { loss: 'softmax', inputs: 8, hidden: [8], rows: 1040, activation: 'logistic', ridge: 0.25, penalizeBias: true },
    { loss: 'probit', inputs: 70, hidden: [3], rows: 11 },
    { loss: 'squared', inputs: 1, hidden: [40], rows: 43, activation: 'softplus' },
    { loss: 'logistic', inputs: 70, hidden: [40], rows: 12 },
    { loss: 'poisson', inputs: 257, rows: 35, weighted: true, ridge: 0.125 },
    { loss: 'softmax', inputs: 12, outputs: 11, rows: 20 },
    { loss: 'softmax', inputs: 1, outputs: 700, rows: 21, bias: false },
    { loss: 'logistic', inputs: 8, hidden: [9], outputs: 4, rows: 530, weighted: true, shifted: true },
    { loss: 'cloglog', inputs: 8, hidden: [8, 8], rows: 30, ridge: 0.125 },
    { loss: 'logistic', inputs: 5, hidden: [20, 13, 7], rows: 23, activation: 'relu' },
    { loss: 'logistic', inputs: 2, hidden: [6, 6, 6, 6, 6], rows: 10 }
  ]
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', async ({ recipe }) => {
    const problem = makeProblem(recipe)
    expect(planGradient({ problem, gradient: true, batchSize: undefined }).file).toBe('gradient_group.wgsl')
    await expectReference(problem)
  })

  const large: Recipe[] = [
    { loss: 'logistic', inputs: 1998, hidden: [1], rows: 6, bias: false },
    { loss: 'logistic', inputs: 1, hidden: [1000], rows: 5, bias: false },
    { loss: 'logistic', inputs: 61, hidden: [32], rows: 9 },
    { loss: 'softmax', inputs: 10, hidden: [25, 30, 25], outputs: 5, rows: 9 }
  ]
  it.each(large.map(recipe => ({ recipe, P: parameterCount(makeProblem(recipe).model), name: text(recipe) })))(
    '$P parameters: $name',
    async ({ recipe, P }) => {
      expect(P).toBeGreaterThan(1900)
      await expectReference(makeProblem(recipe), {}, 2)
    }
  )

  const pairs = losses.flatMap((loss, n) => [n, n + 1, n + 3].map(k => ({ loss, n, i: k % activations.length })))
  it.each(
    part(
      pairs.map(pair => ({ ...pair, activation: activations[pair.i] })),
      2
    )
  )('$loss, $activation, with every part of a layer shared among threads', async ({ loss, activation, n, i }) => {
    const hidden = [[3], [5, 3], [], [2, 3, 4], [7]][i]
    const recipe: Recipe = {
      loss,
      activation,
      hidden,
      inputs: 5,
      rows: 10 + i,
      bias: (i + n) % 2 === 0,
      ridge: (i + n) % 3 === 0 ? 0.125 : 0,
      penalizeBias: n % 2 === 0,
      weighted: i % 2 === 0,
      shifted: true,
      seed: 40 + n
    }
    await expectReference(makeProblem(recipe), { tuning: spread })
  })
})

describe('mini-batches in teams of threads', () => {
  const recipes: Recipe[] = [
    { loss: 'logistic', inputs: 30, hidden: [16], rows: 50, weighted: true, shifted: true, ridge: 0.125 },
    { loss: 'softmax', inputs: 9, hidden: [6, 5], rows: 21 },
    { loss: 'squared', inputs: 1100, rows: 9 }
  ]
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', async ({ recipe }) => {
    const problem = makeProblem(recipe)
    const count = 5
    for (const size of [3, 11]) {
      const drawn = integers(count * size, problem.rows, 3)
      // Every other point has a short batch.
      const rows = Array.from({ length: count }, (_, r) =>
        Uint32Array.from(drawn.subarray(r * size, (r + 1) * size - (r % 2)))
      )
      if (problem.weight) for (const own of rows) own[0] = 0
      await expectReference(problem, { batches: { size, rows } }, count)
    }
  })
})

describe('weights and sums in memory', () => {
  const recipes: Recipe[] = [
    { loss: 'logistic', inputs: 3, hidden: [3, 3, 2, 3, 3, 3, 3], rows: 530, weighted: true, ridge: 0.125 },
    { loss: 'softmax', inputs: 2, hidden: [4, 3, 4, 3, 4, 3], rows: 21, bias: false, ridge: 0.125 },
    { loss: 'squared', inputs: 210, hidden: [90], rows: 10, ridge: 0.125, penalizeBias: true }
  ]
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', async ({ recipe }) => {
    const problem = makeProblem(recipe)
    expect(planGradient({ problem, gradient: true, batchSize: undefined }).file).toBe('gradient_any.wgsl')
    await expectReference(problem)
  })
  it('on mini-batches', async () => {
    const problem = makeProblem(recipes[0])
    const rows = [5, 3, 0]
      .map((count, r) => integers(7, problem.rows, r).subarray(0, count))
      .map(r => Uint32Array.from(r))
    await expectReference(problem, { batches: { size: 7, rows: [...rows.slice(0, 2), Uint32Array.of(0)] } }, 3)
  })
})

describe('every lane is computed alone', () => {
  const recipes: Recipe[] = [
    { loss: 'logistic', inputs: 4, hidden: [5], rows: 530 },
    { loss: 'logistic', inputs: 30, hidden: [16], rows: 30 },
    { loss: 'softmax', inputs: 20, hidden: [9, 5], rows: 14 }
  ]
  it.each(recipes.map(recipe => ({ recipe, name: text(recipe) })))('$name', async ({ recipe }) => {
    const problem = makeProblem(recipe)
    const theta = points(problem, 5, 3, 0.5)
    const few = await evaluateOn(gpu, problem, theta, { needs: 'g' })
    const many = await evaluateOn(gpu, problem, theta, { needs: 'g', lanes: 192, at: r => 190 - 41 * r })
    expectSame(many.f, few.f, 'f')
    expectSame(many.g!, few.g!, 'g')
  })
})

it('gives the same f whether or not g is wanted', async () => {
  for (const recipe of [
    { loss: 'logistic', inputs: 3, rows: 40 },
    { loss: 'logistic', inputs: 30, hidden: [16], rows: 520 }
  ] as const) {
    const problem = makeProblem(recipe)
    const theta = points(problem, 2, 5, 0.25)
    const alone = await evaluateOn(gpu, problem, theta, { needs: 'f' })
    const beside = await evaluateOn(gpu, problem, theta, { needs: 'g' })
    expect(alone.g).toBeUndefined()
    // The order of sums over rows may depend on what is computed.
    expectAllClose(alone.f, beside.f, tolerance('f32', operations(problem), 1), 'f')
  }
})
