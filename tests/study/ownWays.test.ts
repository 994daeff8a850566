// Runs to infinity and beside it: each has its own way and limit, whatever else lies on spheres around it.
import { describe, expect, it } from 'vitest'
import type { Escape } from '../../src/analysis/escape.js'
import { inOrder, lossNoise, sizeOf } from '../../src/analysis/follow.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { norm } from '../../src/core/linalg.js'
import { Status } from '../../src/core/status.js'
import { VerdictCode } from '../../src/core/result.js'
import { penaltyOf } from '../../src/models/model.js'
import { flowSteps } from '../../src/optimizers/flow.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp, type Setup } from '../../src/study/setup.js'
import { seeded } from '../helpers/judge.js'
import { study } from '../helpers/study.js'

const next = seeded(37)
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
const grid = (n: number): number[] => Array.from({ length: n }, (_, i) => -2 + (4 * i) / (n - 1))

/** Two arms of a spiral, n rows each, a little disturbed. */
function spiral(n: number): { x1: number[]; x2: number[]; y: string[] } {
  const rows = Array.from({ length: 2 * n }, (_, i) => {
    const t = 0.5 + 0.8 * (i % n)
    const turn = t + (i < n ? 0 : Math.PI)
    return { x1: 0.3 * t * Math.cos(turn) + 0.02 * normal(), x2: 0.3 * t * Math.sin(turn) + 0.02 * normal() }
  })
  return { x1: rows.map(r => r.x1), x2: rows.map(r => r.x2), y: rows.map((_, i) => (i < n ? 'a' : 'b')) }
}

describe('runs that have come to where nothing moves any more', () => {
  // f − limit is (|g| |θ|) / power where it falls like a power of |θ|, and less where it falls like an exponential.
  it.each(['softplus', 'sin', 'logistic'])('%s units: have next to nothing left to fall', async activation => {
    let seen = 0
    for (let n = 0; n < 6; n++) {
      const raw = {
        data: { columns: spiral(5 + (n % 2)), target: 'y' },
        model: { hidden: [2], activation, loss: n % 3 === 0 ? 'logistic' : 'brier' },
        starts: { count: 60, seed: 1 + n, init: { normal: 3 } },
        optimizer: 'lbfgs',
        engine: 'cpu'
      }
      const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
      for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 60 }))) {
        const { verdict, limit } = await judgeRuns(setup.judge, block.theta, block, block.count)
        verdict.forEach((code, i) => {
          if (code !== VerdictCode.diverging || block.status[i] !== Status.converged) return
          seen++
          expect(block.loss[i] - limit[i]).toBeLessThan(1e-3)
        })
      }
      setup.dispose()
    }
    expect(seen).toBeGreaterThan(20)
  })
})

describe('runs that are on the way to a finite minimum', () => {
  it.each(['softplus', 'gelu'] as const)(
    '%s units with a small ridge: no limit is the loss of a minimum',
    async activation => {
      for (let n = 0; n < 5; n++) {
        const x = grid(5 + n)
        const common = {
          data: { columns: { x, y: x.map(v => Math.exp(-(1 + 0.2 * n) * v * v) + 0.01 * normal()) }, target: 'y' },
          model: { hidden: [2], activation, loss: 'squared', ridge: 1e-6 }
        }
        const { minima } = await study({ ...common, starts: { count: 200 } })
        for (const optimizer of ['adam', 'gd']) {
          const starts = { count: 40, seed: 1 + n, init: { normal: 0.5 } }
          const { limits } = await study({ ...common, starts, optimizer, stop: { steps: 20_000 } })
          for (const { loss, uncertainty } of limits)
            expect(minima.filter(m => Math.abs(m.loss - loss) <= 3 * uncertainty)).toEqual([])
        }
      }
    }
  )
})

/** Ways of diverging runs of a study, and where they were found. */
async function waysOf(raw: object): Promise<{ setup: Setup; ways: { way: Escape; theta: Float64Array }[] }> {
  const setup = await setUp(resolveConfig({ ...raw, engine: 'cpu' }, 'the test'), { threads: 1 })
  const P = setup.objective.parameters
  const found: { way: Escape; theta: Float64Array }[] = []
  for await (const block of setup.objective.minimise(
    requestOf(setup, { first: 0, count: setup.config.starts.count })
  )) {
    const { ways } = await judgeRuns(setup.judge, block.theta, block, block.count)
    for (const [i, way] of ways) found.push({ way, theta: block.theta.slice(i * P, (i + 1) * P) })
  }
  return { setup, ways: found }
}

describe('a small ridge on the weights', () => {
  // f is at least half the ridge times the square of any weight, so that weights stay below a bound wherever f falls to.
  it.each([
    { activation: 'softplus', loss: 'squared', optimizer: 'adam' },
    { activation: 'tanh', loss: 'poisson', optimizer: 'newton' }
  ])('%o: no weight grows without bound', async ({ activation, loss, optimizer }) => {
    for (let n = 0; n < 4; n++) {
      const x1 = Array.from({ length: 6 + n }, normal)
      const y = x1.map(v => Math.tanh(2 * v) + 0.5 * normal())
      const target = loss === 'squared' ? y : y.map(v => Math.max(0, Math.round(Math.exp(v))))
      const { setup, ways } = await waysOf({
        data: { columns: { x1, x2: x1.map(normal), y: target }, target: 'y', numeric: ['x1', 'x2'] },
        model: { hidden: [1], activation, loss, ridge: 1e-8 },
        starts: { count: 40, seed: 1 + n },
        optimizer,
        precision: 'f32'
      })
      const penalty = penaltyOf(setup.problem)
      for (const { way } of ways) expect(way.growing.filter(p => penalty[p] > 0)).toEqual([])
      setup.dispose()
    }
  })
})

describe('steepest descent from where a run was found', () => {
  it('ends no lower than its limit, and not above', async () => {
    let seen = 0
    for (let n = 0; n < 4; n++) {
      const x1 = Array.from({ length: 8 + n }, normal)
      const y = x1.map(v => Math.tanh(2 * v) + 0.5 * normal())
      const { setup, ways } = await waysOf({
        data: { columns: { x1, x2: x1.map(normal), y: y.map(v => (v > 0 ? 1 : 0)) }, target: 'y' },
        model: { hidden: [1], activation: 'gelu', loss: 'logistic' },
        starts: { count: 40, seed: 1 + n },
        optimizer: 'gd'
      })
      const { objective } = setup.certifier
      const P = objective.parameters
      const points = Float64Array.from(ways.flatMap(({ theta }) => [...theta]))
      const { theta, loss } = await inOrder(objective, setup.judge.flow.program, points, ways.length, 4 * flowSteps)
      const { g } = await objective.evaluate(theta, { g: true })
      const eps = 2 ** -52
      const noise = (await lossNoise(objective, theta, loss, eps)).map(v => Math.max(v, eps))
      ways.forEach(({ way: { limit, uncertainty } }, i) => {
        const [at, slopes] = [theta, g!].map(v => v.subarray(i * P, (i + 1) * P))
        const fall = norm(slopes.map((v, p) => v * setup.judge.scale[p])) * sizeOf(setup.judge.scale, at)
        expect(loss[i]).toBeGreaterThanOrEqual(limit - 3 * uncertainty - noise[i])
        expect(loss[i]).toBeLessThanOrEqual(limit + 3 * uncertainty + noise[i] + 20 * fall)
      })
      seen += ways.length
      setup.dispose()
    }
    expect(seen).toBeGreaterThan(20)
  })
})

describe('narrow valleys far out', () => {
  // One unit on some rows with distinct inputs: where f is flat in no direction but for rounding, unless every row is fitted.
  it('are not degenerate for the sake of a huge curvature', async () => {
    for (let n = 0; n < 24; n++) {
      const x = Array.from({ length: 3 + (n % 4) }, normal)
      const { degenerate } = await study({
        data: { columns: { x, y: x.map(normal) }, target: 'y', standardize: n % 2 === 1 },
        model: { hidden: [1], activation: 'softplus', loss: 'squared' },
        starts: { count: 60, seed: 1 + n, init: { normal: 0.5 } },
        optimizer: 'lbfgs'
      })
      expect(degenerate.filter(({ loss }) => loss > 1e-9)).toEqual([])
    }
  })
})
