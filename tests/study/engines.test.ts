// Whole studies on every device of the engines that search in f32 alone: the certified result is that of the CPU in f64.
import { describe, expect, it } from 'vitest'
import type { StationaryPoint, Summary } from '../../src/core/result.js'
import { study } from '../helpers/study.js'
import { candidates } from '../helpers/engines.js'
import { epsOf, expectClose } from '../helpers/tolerance.js'

const searching = candidates.filter(c => c.device !== undefined)

const iris2 = { builtin: 'iris2', standardize: true }
const cases = [
  {
    name: 'a network with two minima, newton',
    study: {
      data: iris2,
      model: { hidden: [2], activation: 'tanh', loss: 'logistic', ridge: 0.001, penalizeBias: true },
      starts: { count: 200, init: { normal: 2 } },
      optimizer: 'newton'
    },
    minima: 2
  },
  {
    name: 'squared loss through the logistic function, lbfgs',
    study: {
      data: { ...iris2, features: ['Sepal.Length', 'Sepal.Width'] },
      model: { loss: 'brier', ridge: 0.001 },
      starts: { count: 200, init: { normal: 3 } },
      optimizer: 'lbfgs'
    },
    minima: 1
  },
  {
    name: 'logistic regression on columns as they are, newton',
    study: { data: { builtin: 'iris2' }, starts: { count: 100 }, optimizer: 'newton' },
    minima: 1
  },
  {
    name: 'logistic regression with a ridge, adam on mini-batches',
    study: {
      data: iris2,
      model: { ridge: 0.1 },
      starts: { count: 50 },
      optimizer: { adam: { learningRate: 0.05, batchSize: 25 } },
      stop: { steps: 200 }
    },
    minima: 1
  }
]

/** Certified values carry the rounding of f64 alone, whatever searched. */
function expectSameMinima(got: readonly StationaryPoint[], expected: readonly StationaryPoint[]): void {
  expect(got).toHaveLength(expected.length)
  got.forEach((m, i) => {
    const other = expected[i]
    const scale = Math.max(1, ...other.eigenvalues.map(Math.abs))
    expectClose(m.loss, other.loss, 1e3 * epsOf.f64 * scale, `loss of minimum ${i}`)
    expectClose(m.eigenvalues[0], other.eigenvalues[0], 1e6 * epsOf.f64 * scale, `smallest eigenvalue of minimum ${i}`)
    // Each share lies in the other's interval.
    for (const [a, b] of [
      [m, other],
      [other, m]
    ]) {
      expect(a.share).toBeGreaterThanOrEqual(b.shareInterval[0])
      expect(a.share).toBeLessThanOrEqual(b.shareInterval[1])
    }
  })
}

/** On the best f64 engine of the CPU, once for all devices. */
const onCpu = new Map<string, Promise<Summary>>()

describe.each(searching)('a study on $label and on the CPU', ({ name: engine, device, precision }) => {
  it.each(cases)(
    '$name: the same certified minima, shares within their intervals',
    async ({ name, study: raw, minima }) => {
      const cpu = await (onCpu.get(name) ??
        onCpu.set(name, study({ ...raw, engine: 'auto', precision: 'f64' })).get(name)!)
      const other = await study({ ...raw, engine, device })
      expect(other.engine).toMatchObject({ name: engine, precision })
      expect(cpu.minima).toHaveLength(minima)
      expect(other.verdicts).toEqual(cpu.verdicts)
      expectSameMinima(other.minima, cpu.minima)
      expect(other.minima[0].gradientNorm).toBeLessThan(1e-10)
    }
  )
})
