// Fitted rates against sequences whose rate is known, and theory against the optimisers themselves on quadratics.
import { describe, expect, it } from 'vitest'
import { fitRate, theoryOf } from '../../src/bench/convergence/rate.js'
import { chooseEngine } from '../../src/engines/registry.js'
import { optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import type { Problem } from '../../src/models/types.js'
import { collect } from '../helpers/engines.js'
import { epsOf, expectClose } from '../helpers/tolerance.js'

const sequence = (count: number, at: (k: number) => number): number[] => Array.from({ length: count }, (_, k) => at(k))

/** e ← e^q from 0.3. */
function power(q: number, count: number): number[] {
  let e = 0.3
  return sequence(count, () => {
    const now = e
    e = e ** q
    return now
  })
}

describe('fitRate', () => {
  for (const r of [0.01, 0.5, 0.9, 0.99, 0.9999])
    it(`linear with factor ${r}`, () => {
      const fit = fitRate(
        sequence(200, k => 3 * r ** k),
        1e-300
      )
      expect(fit.kind).toBe('linear')
      expectClose(fit.contraction!, r, 1e-9, 'contraction')
    })

  it('linear under an oscillation', () => {
    const fit = fitRate(
      sequence(300, k => 0.95 ** k * (1.01 + Math.cos(0.7 * k))),
      1e-300
    )
    expect(fit.kind).toBe('linear')
    expectClose(fit.contraction!, 0.95, 0.005, 'contraction')
  })

  it('quadratic, also after a slow approach', () => {
    const fit = fitRate(power(2, 7), 1e-300)
    expect(fit.kind).toBe('quadratic')
    expectClose(fit.order!, 2, 1e-9, 'order')
    expect(fitRate([5, 4, 3, 2, 1, 0.6, ...power(2, 6)], 1e-15).kind).toBe('quadratic')
  })

  it('superlinear: of order 1.618 as the secant method, and 1/k!', () => {
    const fit = fitRate(power((1 + Math.sqrt(5)) / 2, 10), 1e-300)
    expect(fit.kind).toBe('superlinear')
    expectClose(fit.order!, 1.618, 1e-3, 'order')
    let factorial = 1
    expect(
      fitRate(
        sequence(15, k => (factorial /= k + 1)),
        1e-300
      ).kind
    ).toBe('superlinear')
  })

  for (const q of [0.5, 1, 2])
    it(`sublinear: k^-${q}`, () =>
      expect(
        fitRate(
          sequence(500, k => (k + 1) ** -q),
          1e-300
        ).kind
      ).toBe('sublinear'))

  it('linear, although it bends like a power that no method has', () =>
    expect(
      fitRate(
        sequence(150, k => (k + 1) ** -13),
        1e-300
      ).kind
    ).toBe('linear'))

  it('stops at the floor: rounding noise after convergence does not count', () => {
    const noisy = sequence(60, k => Math.max(0.5 ** k, 1e-12 * (1 + 0.5 * Math.sin(k))))
    const fit = fitRate(noisy, 1e-11)
    expect(fit.kind).toBe('linear')
    expect(fit.points).toBe(37)
    expectClose(fit.contraction!, 0.5, 1e-9, 'contraction')
  })

  it('too few errors, or none that falls, are unclear', () => {
    expect(fitRate([1, 0.1, 0.01], 0).kind).toBe('unclear')
    expect(fitRate([], 0).kind).toBe('unclear')
    expect(
      fitRate(
        sequence(50, () => 1),
        0
      ).kind
    ).toBe('unclear')
    expect(fitRate([NaN, 1, 0.5, 0.2, 0.1], 0).kind).toBe('unclear')
  })
})

describe('theoryOf', () => {
  // ½ Σ (d_i θ_i)²/N with targets 0: a quadratic with Hessian diag(d²)/N.
  const diagonal = [1, 3, 10].map(v => Math.sqrt(3 * v))
  const quadratic: Problem = {
    model: {
      kind: 'network',
      inputs: 3,
      hidden: [],
      outputs: 1,
      activation: 'identity',
      loss: 'squared',
      bias: false,
      ridge: 0,
      penalizeBias: false
    },
    rows: 3,
    x: Float64Array.of(diagonal[0], 0, 0, 0, diagonal[1], 0, 0, 0, diagonal[2]),
    y: new Float64Array(3)
  }
  const eigenvalues = [1, 3, 10]

  /** Contraction of the gradient norm that an optimiser shows on the quadratic. */
  async function observed(name: string, options: Record<string, number | boolean>): Promise<number> {
    const { engine } = await chooseEngine('reference', { precision: 'f64' })
    const objective = await engine.prepare(quadratic)
    const resolved = resolveOptimizer({ [name]: options })
    const program = optimizers[name].build(resolved.options, { eps: epsOf.f64, parameters: 3 })
    const starts = { kind: 'given' as const, theta: Float64Array.of(1, 1, 1), count: 1 }
    const block = await collect(objective, { program, starts, stop: { steps: 400, gradient: 1e-13 }, trace: true })
    const norms = block.traces![0].filter((_, i) => i % 2 === 1)
    return fitRate(norms, 1e-12).contraction!
  }

  it('gradient descent with step 1/L: 1 − μ/L', async () => {
    const theory = theoryOf('gd', { learningRate: 0.1 }, eigenvalues)
    expectClose(theory.contraction!, 0.9, 1e-15, 'contraction')
    expectClose(theory.bound!, 0.9, 1e-15, 'bound')
    expectClose(await observed('gd', { learningRate: 0.1 }), 0.9, 1e-6, 'observed')
  })

  for (const nesterov of [false, true])
    it(`${nesterov ? 'Nesterov' : 'heavy ball'}: the spectral radius is what is observed`, async () => {
      const options = { learningRate: 0.08, momentum: 0.6, nesterov }
      const { contraction, kind } = theoryOf('momentum', options, eigenvalues)
      expect(kind).toBe('linear')
      // The envelope of an oscillation is fitted to a finite tail.
      expectClose(await observed('momentum', options), contraction!, 0.02, 'contraction')
    })

  it('a step that is too long does not settle; a flat minimum has no linear rate', () => {
    expect(theoryOf('gd', { learningRate: 0.3 }, eigenvalues).kind).toBe('unclear')
    expect(theoryOf('gd', { learningRate: 0.1 }, [0, 1]).kind).toBe('sublinear')
    expect(theoryOf('newton', {}, eigenvalues).kind).toBe('quadratic')
    expect(theoryOf('lbfgs', {}, eigenvalues).kind).toBe('linear')
    expect(theoryOf('adam', {}, eigenvalues).kind).toBe('unclear')
  })
})
