// Losses below which runs have no finite point to come to.
import { describe, expect, it } from 'vitest'
import { recedingOf, recedingWay } from '../../src/analysis/receding.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { VerdictCode } from '../../src/core/result.js'
import { engines } from '../../src/engines/registry.js'
import type { Network, Problem } from '../../src/models/types.js'
import { layers } from '../../src/models/network/network.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
import { makeProblem, normals, points, threeClasses } from '../helpers/problems.js'
import { study } from '../helpers/study.js'

const evaluate = async (problem: Problem, theta: Float64Array) => {
  const objective = await (await engines.find(e => e.name === 'reference')!.load({ precision: 'f64' })).prepare(problem)
  return objective.evaluate(theta, { g: true })
}

/** Rows labelled as the network at θ has them, so that θ times a number fits them. */
async function labelled(problem: Problem<Network>, theta: Float64Array): Promise<Problem<Network>> {
  const objective = await (await engines.find(e => e.name === 'reference')!.load({ precision: 'f64' })).prepare(problem)
  const z = await objective.outputs!(theta, problem)
  const C = problem.model.outputs
  if (problem.model.loss === 'softmax') {
    const best = (i: number): number => {
      const row = [...z.subarray(i * C, (i + 1) * C)]
      return row.indexOf(Math.max(...row))
    }
    return { ...problem, y: Float64Array.from({ length: problem.rows }, (_, i) => best(i)) }
  }
  return { ...problem, y: z.map((v, i) => (v > (problem.offset?.[Math.floor(i / C)] ?? 0) ? 1 : 0)) }
}

describe('the loss below which runs go to infinity', () => {
  const cases = (['logistic', 'probit', 'cloglog', 'brier', 'softmax'] as const).flatMap(loss =>
    (['tanh', 'relu', 'softplus'] as const).flatMap(activation =>
      [1, 2].map(seed => ({ loss, activation, seed, shifted: seed === 2 && loss !== 'softmax' }))
    )
  )

  it.each(cases)(
    'leaves no stationary point, and f falls to its limit along the way: $loss, $activation, seed $seed',
    async ({ loss, activation, seed, shifted }) => {
      const made = makeProblem({ loss, activation, hidden: [3, 2], rows: 7, seed, weighted: seed === 1, shifted })
      for (let k = 0; k < 5; k++) {
        const theta = points(made, 1, 10 * seed + k, 1.5)
        const problem = await labelled(made, theta)
        const receding = recedingOf(problem)!
        const { at } = layers(problem.model).at(-1)!
        // Further out along the output layer until the loss is below, as it must be in the end where no row is a tie.
        let scale = 1
        const out = (t: number): Float64Array => theta.map((v, p) => (p < at ? v : t * v))
        while (scale < 2 ** 40 && !((await evaluate(problem, out(scale))).f[0] < receding.below)) scale *= 2
        const { f, g } = await evaluate(problem, out(scale))
        if (!(f[0] < receding.below)) continue
        const { direction, limit, growing } = recedingWay(receding, out(scale))
        expect(limit).toBe(0)
        expect(growing.every(p => p >= at)).toBe(true)
        // Strictly down along it, unless the outputs are so large that nothing is left.
        const slope = direction.reduce((sum, v, p) => sum + v * g![p], 0)
        expect(f[0] > 0 ? slope < 0 : slope <= 0).toBe(true)
        const far = await evaluate(problem, out(2 ** 14 * scale))
        expect(far.f[0]).toBeLessThanOrEqual(f[0])
        const farther = await evaluate(problem, out(2 ** 30 * scale))
        expect(farther.f[0]).toBeLessThanOrEqual(1e-6)
      }
    }
  )

  it('is not known where something holds the outputs', () => {
    const of = (recipe: Parameters<typeof makeProblem>[0]) => recedingOf(makeProblem(recipe))
    const pure = (problem: Problem<Network>): Problem<Network> => ({
      ...problem,
      y: problem.y.map(v => (v > 0.5 ? 1 : 0))
    })
    expect(of({ loss: 'squared', hidden: [2] })).toBeNull()
    expect(of({ loss: 'poisson', hidden: [2] })).toBeNull()
    expect(of({ loss: 'logistic', hidden: [] })).toBeNull()
    const logistic = pure(makeProblem({ loss: 'logistic', hidden: [2] }))
    expect(recedingOf(logistic)).not.toBeNull()
    expect(recedingOf({ ...logistic, model: { ...logistic.model, ridge: 1e-3 } })).toBeNull()
    // One row with a share of both classes; one that does not count.
    const mixed = logistic.y.map((v, i) => (i === 0 ? 0.5 : v))
    expect(recedingOf({ ...logistic, y: mixed })).toBeNull()
    const weight = new Float64Array(logistic.rows).fill(1).fill(0, 0, 1)
    expect(recedingOf({ ...logistic, y: mixed, weight })).not.toBeNull()
    const zeros = makeProblem({ loss: 'poisson', hidden: [2] })
    expect(recedingOf({ ...zeros, y: zeros.y.map(() => 0) })?.limit).toBe(0)
  })
})

describe('runs below it', () => {
  it('diverge to the limit that climbing finds, where that is affordable', async () => {
    const config = resolveConfig(
      {
        data: { builtin: 'xor' },
        model: { hidden: [3], loss: 'logistic' },
        starts: { count: 40, seed: 2 },
        engine: 'cpu'
      },
      'test'
    )
    const setup = await setUp(config, { threads: 1 })
    for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 40 }, {}))) {
      const quick = await judgeRuns(setup.judge, block.theta, block, block.count)
      const slow = await judgeRuns({ ...setup.judge, receding: null }, block.theta, block, block.count)
      // Climbing leaves some undecided.
      slow.verdict.forEach((verdict, i) => {
        if (verdict !== VerdictCode.unfinished) expect(quick.verdict[i]).toBe(verdict)
      })
      for (let i = 0; i < block.count; i++) {
        if (slow.verdict[i] !== VerdictCode.diverging) continue
        expect(Math.abs(quick.limit[i] - slow.limit[i])).toBeLessThanOrEqual(slow.limitError[i] + 1e-12)
        expect(quick.limitError[i]).toBe(0)
      }
      expect([...quick.verdict].filter(v => v === VerdictCode.diverging).length).toBeGreaterThan(block.count / 4)
    }
    setup.dispose()
  })

  it('have one limit in wide networks, however many parameters these have', async () => {
    const rows = 40
    const [a, b] = [normals(rows, 5), normals(rows, 6)]
    const y = [...a].map((v, i) => (v * b[i] > 0 ? 1 : 0))
    const two = await study({
      data: { columns: { a: [...a], b: [...b], y }, target: 'y' },
      model: { hidden: [33], loss: 'logistic' },
      starts: { count: 3 },
      engine: 'cpu'
    })
    expect(two.verdicts.diverging).toBe(3)
    expect(two.limits).toHaveLength(1)
    expect([two.limits[0].loss, two.limits[0].uncertainty, two.limits[0].count]).toEqual([0, 0, 3])
    const three = await study({
      data: { columns: threeClasses(12, 3), target: 'k' },
      model: { hidden: [24], loss: 'softmax' },
      starts: { count: 3 },
      engine: 'cpu'
    })
    expect(three.verdicts.diverging).toBe(3)
    expect(three.limits.map(l => l.loss)).toEqual([0])
  })
})
