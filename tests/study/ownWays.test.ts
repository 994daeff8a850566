// Runs to infinity and beside it: each has its own way and limit, whatever else lies on spheres around it.
import { describe, expect, it } from 'vitest'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { Status } from '../../src/core/status.js'
import { VerdictCode } from '../../src/core/result.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
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
