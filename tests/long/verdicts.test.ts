// Random small problems of many kinds, every verdict looked at by other means: around each minimum nothing is lower, on each way to infinity
// the loss goes on falling, and flat valleys without loss are neither strict nor endless.
import { describe, expect, it } from 'vitest'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { verdicts } from '../../src/core/result.js'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
import { csv } from '../helpers/files.js'
import { seeded } from '../helpers/judge.js'
import { searchAround } from '../helpers/search.js'
import { tolerance } from '../helpers/tolerance.js'

const next = seeded(51)
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
const whole = (n: number): number => Math.floor(n * next())
const pick = <T>(list: readonly T[]): T => list[whole(list.length)]

interface Kind {
  readonly name: string
  /** Rows of inputs and targets, and the model. */
  readonly make: () => { readonly X: number[][]; readonly y: number[]; readonly model: Record<string, unknown> }
}

const rows = (n: number, D: number): number[][] =>
  Array.from({ length: n }, () => Array.from({ length: D }, () => normal()))
const kinds: readonly Kind[] = [
  {
    name: 'smooth networks with a ridge',
    make: () => {
      const X = rows(6 + whole(8), 1 + whole(2))
      const activation = pick(['tanh', 'logistic', 'softplus'])
      return {
        X,
        y: X.map(x => Math.sin(2 * x[0]) + 0.3 * normal()),
        model: { hidden: [1 + whole(3)], activation, loss: 'squared', ridge: pick([0.001, 0.01]), penalizeBias: true }
      }
    }
  },
  {
    name: 'relu networks',
    make: () => {
      const X = rows(5 + whole(6), 1 + whole(2))
      const ridge = pick([0, 0.001, 0.01, 0.05])
      return {
        X,
        y: X.map(x => Math.abs(x[0]) + 0.5 * normal()),
        model: {
          hidden: pick([[1], [2], [3], [2, 2]]),
          activation: 'relu',
          loss: 'squared',
          ridge,
          penalizeBias: next() < 0.6
        }
      }
    }
  },
  {
    name: 'networks of linear units',
    make: () => {
      const X = rows(8, 2)
      return {
        X,
        y: X.map(x => x[0] - 0.5 * x[1] + 0.3 * normal()),
        model: {
          hidden: pick([[2], [2, 2], [3]]),
          activation: 'identity',
          loss: 'squared',
          ridge: pick([0, 0.02]),
          penalizeBias: true
        }
      }
    }
  },
  {
    name: 'rows of a teacher',
    make: () => {
      const X = rows(6, 1)
      const [a, b] = [0.5 + next(), next() - 0.5]
      return { X, y: X.map(x => Math.tanh(a * x[0] + b)), model: { hidden: [2], activation: 'tanh', loss: 'squared' } }
    }
  },
  {
    name: 'classes that rays part',
    make: () => {
      const X = rows(8, 1)
      const y: number[] = X.map(x => (x[0] > 0.2 ? 1 : 0))
      if (new Set(y).size < 2) y[0] = 1 - y[0]
      return {
        X,
        y,
        model: { hidden: [1 + whole(2)], activation: pick(['tanh', 'logistic']), loss: pick(['logistic', 'brier']) }
      }
    }
  },
  {
    name: 'columns far from the origin',
    make: () => {
      const origin = pick([1990, -3000])
      const X = Array.from({ length: 9 }, (_, i) => [origin + 3 * i])
      return {
        X,
        y: X.map((_, i) => 12 + i + normal()),
        model: { hidden: [1], activation: 'logistic', loss: 'squared' }
      }
    }
  }
]

const starts = 40
describe.each(kinds)('$name', ({ make }) => {
  it.each(Array.from({ length: 12 }, (_, n) => n))('%i', async n => {
    const { X, y, model } = make()
    const table = csv(
      `sweep-${n}.csv`,
      [...X[0].map((_, d) => `x${d}`), 'y'],
      X.map((x, i) => [...x, y[i]])
    )
    const optimizer = n % 2 === 0 ? 'newton' : 'lbfgs'
    const raw = {
      data: { csv: table, target: 'y' },
      model,
      starts: { count: starts, seed: 1 + n },
      optimizer,
      engine: 'cpu'
    }
    const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
    const evaluator = evaluatorOf(setup.problem)
    const P = evaluator.parameters
    const f = (theta: Float64Array): number => evaluator.evaluate(theta)
    const looked = new Map<string, number>()
    for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: starts }))) {
      const judged = await judgeRuns(setup.judge, block.theta, block, block.count)
      for (let i = 0; i < block.count; i++) {
        const verdict = verdicts[judged.verdict[i]]
        const key = `${verdict} ${judged.loss[i].toPrecision(8)}`
        looked.set(key, (looked.get(key) ?? 0) + 1)
        if (looked.get(key)! > 2) continue
        const theta = judged.theta.slice(i * P, (i + 1) * P)
        const loss = f(theta)
        const noise = tolerance('f64', 200, Math.max(1, Math.abs(loss), ...theta.map(Math.abs)))
        const said = `start ${block.start[i]} is ${verdict}`
        if (verdict === 'minimum' || verdict === 'degenerate')
          for (const radius of verdict === 'minimum' ? [1e-2, 1e-3, 1e-5] : [1e-5])
            expect(loss - searchAround(f, theta, radius, next, 600), said).toBeLessThanOrEqual(noise)
        const way = judged.ways.get(i)
        if (verdict === 'diverging' && way) {
          // Where the run was, the loss is above its limit still, and no deeper than it says.
          expect(f(block.theta.slice(i * P, (i + 1) * P)), said).toBeGreaterThan(way.limit - way.uncertainty - noise)
          expect(way.uncertainty, said).toBeLessThan(Math.max(1, Math.abs(way.limit)))
        }
      }
    }
    setup.dispose()
  })
})
