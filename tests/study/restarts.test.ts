// How many starts a study says are needed: against its own runs, and against basins whose sizes are known.
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import type { Run } from '../../src/study/endedRun.js'
import { auerMaximum, auerStudy } from '../helpers/auer.js'
import { logNormalCdf } from '../../src/models/special.js'
import { study } from '../helpers/study.js'
import { expectClose, tolerance } from '../helpers/tolerance.js'

async function withRuns(config: object): Promise<{ summary: Summary; runs: Run[] }> {
  const runs: Run[] = []
  const summary = await study(config, { onRuns: more => void runs.push(...more) })
  return { summary, runs: runs.sort((a, b) => a.found.loss - b.found.loss) }
}

describe('best of k', () => {
  it('follows from the runs: mean, best of two, and the best, with the held-out score of the run that is taken', async () => {
    const { summary, runs } = await withRuns({
      data: { builtin: 'iris2', standardize: true, test: { fraction: 0.3, seed: 4 } },
      model: { hidden: [2] },
      optimizer: { adam: { learningRate: 0.1, batchSize: 20 } },
      stop: { steps: 40 },
      starts: { count: 60, init: { normal: 2 } }
    })
    const { bestOf } = summary.restarts
    const R = runs.length
    expect(bestOf.map(b => b.k)).toEqual([1, 2, 5, 10, 20, 50, 60])
    const losses = runs.map(r => r.found.loss)
    expect(new Set(losses).size).toBe(R)
    // The i-th lowest of R, from 0 on, is the lower one of R − 1 − i of all pairs.
    const ofPairs = (value: (r: Run) => number): number =>
      runs.reduce((sum, r, i) => sum + value(r) * (R - 1 - i), 0) / ((R * (R - 1)) / 2)
    const accuracy = (r: Run): number => r.metrics.test!.accuracy!
    const tol = tolerance('f64', 8 * R, 10)
    expectClose(bestOf[0].loss, losses.reduce((a, b) => a + b, 0) / R, tol, 'mean loss')
    expectClose(
      bestOf[1].loss,
      ofPairs(r => r.found.loss),
      tol,
      'loss of the better of two'
    )
    expectClose(bestOf[1].test!.accuracy!.mean, ofPairs(accuracy), tol, 'accuracy of the better of two')
    expectClose(bestOf[6].loss, losses[0], tol, 'lowest loss')
    expectClose(bestOf[6].test!.accuracy!.mean, accuracy(runs[0]), tol, 'accuracy of the best')
    const steps = runs.reduce((sum, r) => sum + r.steps, 0) / R
    const cost = bestOf[3].evaluations
    for (const key of ['f', 'g'] as const) expectClose(cost[key], 10 * steps, tolerance('f64', 4, cost[key]), key)
    // Adam asks for none.
    expect(cost.H).toBe(0)
  })

  it('counts runs that fail among the starts, and says how likely it is that all do', async () => {
    const { summary, runs } = await withRuns({
      model: { objective: 'sqrt(a) + (a - 1)^2', parameters: { a: { init: { uniform: [-1, 1] } } } },
      starts: { count: 200, seed: 3 },
      engine: 'cpu'
    })
    const failed = runs.filter(r => r.verdict === 'failed').length
    expect(failed).toBe(summary.verdicts.failed)
    expect(failed).toBeGreaterThan(40)
    const [one, two] = summary.restarts.bestOf
    expectClose(one.none!, failed / 200, tolerance('f64', 200, 1), 'a start that fails')
    expectClose(two.none!, (failed * (failed - 1)) / (200 * 199), tolerance('f64', 200, 1), 'two that fail')
  })
})

it('As many starts as the basin of the best minimum asks for (Auer’s rows: Φ(0.5307162247 / σ) of normal starts)', async () => {
  // Small steps, which stay on the side of the maximum on which they begin.
  const descent = { optimizer: { gd: { learningRate: 0.3 } }, stop: { steps: 20000, gradient: 1e-5 } }
  const summary = await study({ ...auerStudy(1), starts: { count: 1000, init: { normal: 1 } }, ...descent })
  const { needed: restarts } = summary.restarts
  const p = 1 - Math.exp(logNormalCdf(auerMaximum))
  expect(restarts!.points).toEqual([summary.minima[0].id])
  expect(restarts!.count).toBe(summary.minima[0].count)
  expect(restarts!.shareInterval[0]).toBeLessThan(p)
  expect(restarts!.shareInterval[1]).toBeGreaterThan(p)
  // 1 − (1 − 0.7022)³ = 0.9736, 1 − (1 − 0.7022)² = 0.9113
  expect([restarts!.starts, ...restarts!.startsInterval]).toEqual([3, 3, 3])
})
