// The run loop of every engine: the same path as the reference step by step, the same bits for any threads, lanes and blocks,
// and every way in which a run can stop.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Status } from '../../src/core/status.js'
import type { Engine, Objective, RunBlock, RunRequest } from '../../src/engines/types.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import { startPoint } from '../../src/models/initialise.js'
import { parameterCount } from '../../src/models/network.js'
import { scoreNames } from '../../src/models/scores.js'
import type { Init, Problem } from '../../src/models/types.js'
import { optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import { Rule } from '../../src/optimizers/expression.js'
import { epsilonOf } from '../../src/optimizers/types.js'
import { candidates, collect, type Candidate } from '../helpers/engines.js'
import { makeProblem, points } from '../helpers/problems.js'
import { epsOf, expectAllClose, expectSame, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const init: Init = { normal: 0.5 }

function request(
  candidate: Pick<Candidate, 'precision'>,
  problem: Problem,
  optimizer: string | Record<string, unknown>,
  options: Partial<RunRequest> & { count?: number } = {}
): RunRequest {
  const { name, options: values, batch } = resolveOptimizer(optimizer)
  const { count = 40, ...rest } = options
  return {
    program: optimizers[name].build(values, {
      eps: epsilonOf[candidate.precision],
      parameters: parameterCount(problem.network)
    }),
    starts: { kind: 'random', seed: 3, first: 0, count, init },
    stop: { steps: 60, gradient: 1e-6 },
    ...(batch ? { batch: { ...batch, seed: 3 } } : {}),
    ...rest
  }
}

const rules: readonly (readonly [string, string | Record<string, unknown>])[] = [
  ['gd', { gd: { learningRate: 0.5 } }],
  ['gd in mini-batches', { gd: { learningRate: 0.25, batchSize: 4 } }],
  ['momentum', { momentum: { learningRate: 0.25 } }],
  ['nesterov', { momentum: { learningRate: 0.25, nesterov: true } }],
  ['momentum in shared mini-batches', { momentum: { learningRate: 0.125, batchSize: 5, order: 'shared' } }],
  ['adam', { adam: { learningRate: 0.0625 } }],
  ['adam in mini-batches', { adam: { learningRate: 0.0625, batchSize: 3 } }],
  ['lbfgs', 'lbfgs'],
  ['newton', 'newton']
]

const network = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 13, ridge: 0.0625, weighted: true })
const glm = makeProblem({ loss: 'poisson', inputs: 3, rows: 21, ridge: 0.125, shifted: true })

const probit = makeProblem({ loss: 'probit', inputs: 3, rows: 21, ridge: 0.125, shifted: true })

function expectSameBlock(a: RunBlock, b: RunBlock): void {
  for (const part of ['start', 'theta', 'loss', 'gradientNorm', 'steps', 'status', 'report'] as const)
    expectSame(a[part], b[part], part)
}

describe.each(candidates)('$label', candidate => {
  let engine: Engine
  const objectives: Objective[] = []
  beforeAll(async () => {
    engine = await candidate.open()
  })
  afterAll(() => {
    for (const objective of objectives) objective.dispose()
    engine.dispose()
  })
  const prepare = async (problem: Problem): Promise<Objective> => {
    const objective = await engine.prepare(problem)
    objectives.push(objective)
    return objective
  }

  it.each(rules)('%s takes the steps of the reference', async (_, optimizer) => {
    const reference = await referenceEntry.load({ precision: 'f64' })
    for (const problem of [network, probit]) {
      // Rounding errors grow along a path, so it is followed over a few steps; no step may depend on a comparison within noise.
      const few = { stop: { steps: 4, gradient: 1e-30 }, trace: true, count: 19 }
      const exact = await collect(
        await reference.prepare(problem),
        request({ precision: 'f64' }, problem, optimizer, few)
      )
      const got = await collect(await prepare(problem), request(candidate, problem, optimizer, few))
      const size = exact.theta.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
      // A Newton step divides the rounding errors of g by the smallest eigenvalue, here at least about the ridge.
      const growth = optimizer === 'newton' ? 1 / problem.network.ridge : 1
      const tol = tolerance(candidate.precision, 4 * (problem.rows + 40) * 8 * growth, size)
      expect([...got.steps]).toEqual([...exact.steps])
      expectAllClose(got.theta, exact.theta, tol, 'θ', 'path')
      expectAllClose(got.loss, exact.loss, tol, 'loss', 'path')
      expectAllClose(got.gradientNorm, exact.gradientNorm, tol, 'gradient norm', 'path')
      got.traces!.forEach((trace, i) => expectAllClose(trace, exact.traces![i], tol, `trace of run ${i}`, 'path'))
    }
  })

  it.each(rules)('%s gives the same bits for any threads, lanes, blocks and chunks', async (_, optimizer) => {
    const objective = await prepare(network)
    const count = 67
    const all = await collect(objective, request(candidate, network, optimizer, { count }))
    expect(all.count).toBe(count)
    expectSame(
      all.start,
      Float64Array.from({ length: count }, (_, i) => i),
      'start numbers'
    )
    for (const options of [{ lanes: 1 }, { lanes: 16, blockRuns: 5 }, { lanes: 1000, blockRuns: 1 }])
      expectSameBlock(await collect(objective, request(candidate, network, optimizer, { count, ...options })), all)
    const single = await candidate.open(1)
    const alone = await single.prepare(network)
    expectSameBlock(await collect(alone, request(candidate, network, optimizer, { count })), all)
    // The last runs, started by themselves.
    const first = 59
    const starts = { kind: 'random', seed: 3, first, count: count - first, init } as const
    const tail = await collect(alone, request(candidate, network, optimizer, { starts }))
    const P = parameterCount(network.network)
    expectSame(tail.theta, all.theta.subarray(first * P), 'θ of the last runs')
    expectSame(tail.start, all.start.subarray(first), 'their start numbers')
    alone.dispose()
    single.dispose()
  })

  it.each(['glorot', 'he', { normal: 2 }, { uniform: 0.75 }] as const)(
    'starts at the numbered points of %j',
    async how => {
      const seed = 2 ** 40 + 17
      const first = 2 ** 33
      const starts = { kind: 'random', seed, first, count: 21, init: how } as const
      const rule = new Rule('stay', 'g')
      rule.next(rule.x, rule.x)
      const program = rule.compile({ point: rule.x, loss: rule.f, gradientNorm: rule.maxAbs(rule.g) })
      const { theta } = await collect(await prepare(network), {
        ...request(candidate, network, 'gd', { starts, stop: { steps: 1, gradient: 0 } }),
        program
      })
      const P = parameterCount(network.network)
      const expected = Float64Array.from(
        Array.from({ length: 21 }, (_, i) => [...startPoint(network.network, how, seed, first + i)]).flat()
      )
      if (candidate.precision === 'f64') expectSame(theta, expected, 'θ0')
      else expectAllClose(theta, expected, i => epsOf.f32 * Math.abs(expected[i]), 'θ0')
      expect(theta).toHaveLength(21 * P)
    }
  )

  it('starts at given points and numbers them in their order', async () => {
    const theta = points(glm, 9)
    const got = await collect(
      await prepare(glm),
      request(candidate, glm, 'newton', { starts: { kind: 'given', theta, count: 9 } })
    )
    expect([...got.start]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const P = parameterCount(glm.network)
    // Convex with ridge: one minimiser.
    const best = got.theta.subarray(0, P)
    const tol = candidate.precision === 'f64' ? 1e-5 : 1e-3
    for (let i = 1; i < 9; i++) expectAllClose(got.theta.subarray(i * P, (i + 1) * P), best, tol, `run ${i}`)
  })

  it('says why each run stopped', async () => {
    const objective = await prepare(glm)
    const run = async (options: Partial<RunRequest>, optimizer: string | Record<string, unknown> = 'newton') =>
      collect(objective, request(candidate, glm, optimizer, { count: 5, ...options }))
    const converged = await run({ stop: { steps: 200, gradient: 1e-3 } })
    expect([...converged.status]).toEqual(Array(5).fill(Status.converged))
    expect(converged.gradientNorm.every(g => g <= 1e-3)).toBe(true)
    const budget = await run({ stop: { steps: 3, gradient: 0 } }, { gd: { learningRate: 1e-3 } })
    expect([...budget.status]).toEqual(Array(5).fill(Status.budget))
    expect([...budget.steps]).toEqual(Array(5).fill(3))
    const stalled = await run({ stop: { steps: 500, gradient: 0 } })
    for (const [i, status] of stalled.status.entries())
      if (status !== Status.stalled && stalled.gradientNorm[i] !== 0) expect.fail(`run ${i} has status ${status}`)
    const failed = await run({ stop: { steps: 200, gradient: 0 } }, { gd: { learningRate: 1e6 } })
    expect([...failed.status]).toEqual(Array(5).fill(Status.failed))
  })

  it('goes on with the other runs where one fails', async () => {
    const P = parameterCount(glm.network)
    const theta = points(glm, 5)
    theta[2 * P] = NaN
    const got = await collect(
      await prepare(glm),
      request(candidate, glm, 'newton', {
        starts: { kind: 'given', theta, count: 5 },
        stop: { steps: 200, gradient: 1e-3 }
      })
    )
    expect([...got.status]).toEqual([0, 0, Status.failed, 0, 0])
  })

  it('can be stopped by its caller', async () => {
    const controller = new AbortController()
    const objective = await prepare(network)
    let runs = 0
    const slow = request(
      candidate,
      network,
      { gd: { learningRate: 1e-4 } },
      {
        count: 100_000,
        stop: { steps: 50, gradient: 0 },
        blockRuns: 64,
        signal: controller.signal
      }
    )
    for await (const block of objective.minimise(slow)) {
      runs += block.count
      controller.abort()
    }
    expect(runs).toBeGreaterThan(0)
    expect(runs).toBeLessThan(100_000)
    // The objective can be used again.
    expect((await objective.evaluate(points(network, 1), {})).f[0]).toBeGreaterThan(0)
  })

  it('scores predictions like the reference', async () => {
    const reference = await referenceEntry.load({ precision: 'f64' })
    for (const loss of ['logistic', 'probit', 'cloglog', 'brier', 'squared', 'poisson', 'gamma', 'softmax'] as const) {
      const problem = makeProblem({ loss, inputs: 2, rows: 31, hidden: loss === 'softmax' ? [2] : [] })
      const theta = points(problem, 20)
      const exact = await (await reference.prepare(problem)).score(theta)
      const got = await (await prepare(problem)).score(theta)
      const columns = scoreNames(loss).length
      expect(exact.values).toHaveLength(20 * columns)
      expectAllClose(
        got.values,
        exact.values,
        i => tolerance(candidate.precision, 31 * 16, 1 + Math.abs(exact.values[i])),
        `scores under ${loss}`,
        'scores'
      )
      expectSame(got.classCounts, exact.classCounts, `class counts under ${loss}`)
    }
  })
})
