// Whole studies on a GPU: the certified result is that of the cpu engine.
import { describe, expect, it } from 'vitest'
import type { StationaryPoint, Summary } from '../../src/core/result.js'
import { study } from '../../src/study/study.js'
import { candidates } from '../helpers/engines.js'
import { epsOf, expectClose } from '../helpers/tolerance.js'

const present = candidates.some(c => c.name === 'webgpu')

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

describe.runIf(present)('a study on a GPU and on the CPU', () => {
  it.each(cases)('$name: the same certified minima, shares within their intervals', async ({ study: raw, minima }) => {
    const on = (engine: string): Promise<Summary> => study({ ...raw, engine })
    const [gpu, cpu] = [await on('webgpu'), await on('cpu')]
    expect(gpu.engine).toMatchObject({ name: 'webgpu', precision: 'f32' })
    expect(cpu.minima).toHaveLength(minima)
    expect(gpu.verdicts).toEqual(cpu.verdicts)
    expectSameMinima(gpu.minima, cpu.minima)
    expect(gpu.minima[0].gradientNorm).toBeLessThan(1e-10)
  })
})
