// Gradient descent, momentum and Adam against steps worked by hand.
import { describe, expect, it } from 'vitest'
import { adam } from '../../src/optimizers/adam.js'
import { gd } from '../../src/optimizers/gd.js'
import { momentum } from '../../src/optimizers/momentum.js'
import { resolveOptimizer } from '../../src/optimizers/registry.js'
import type { OptimizerDefinition } from '../../src/optimizers/types.js'
import { quadratic, walk, type Landscape } from '../helpers/analytic.js'
import { expectAllClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

/** A function of one variable whose gradient in step k is given, wherever the point is. */
const slopes = (...g: number[]): Landscape => {
  let step = 0
  return { size: 1, f: () => 0, g: () => [g[step++ % g.length]], H: () => [0] }
}

function positions(
  definition: OptimizerDefinition,
  options: Record<string, number | boolean>,
  landscape: Landscape,
  start: number[],
  steps: number
): number[] {
  const resolved = resolveOptimizer({ [definition.name]: options })
  const program = definition.build(resolved.options, { eps: 2 ** -52, parameters: start.length })
  return walk(program, landscape, start, steps).map(t => t.next[0])
}

describe('gd', () => {
  it('moves by the learning rate times the gradient', () => {
    expect(positions(gd, { learningRate: 0.25 }, slopes(1, 2, -4), [1], 3)).toEqual([0.75, 0.25, 1.25])
  })

  it('shrinks a quadratic by 1 − λa in each step', () => {
    const got = positions(gd, { learningRate: 0.125 }, quadratic([2], [0]), [1], 6)
    expect(got).toEqual([1, 2, 3, 4, 5, 6].map(k => 0.75 ** k))
  })

  it('reports the point where the gradient was taken, with its loss and largest gradient component', () => {
    const program = gd.build({ learningRate: 0.5 }, { eps: 2 ** -52, parameters: 2 })
    const [first, second] = walk(program, quadratic([1, 0, 0, 4], [0, 0]), [2, -1], 2)
    expect([...first.point]).toEqual([2, -1])
    expect([first.loss, first.gradientNorm]).toEqual([4, 4])
    expect([...second.point]).toEqual([1, 1])
    expect([second.loss, second.gradientNorm]).toEqual([2.5, 4])
    expect(second.stalled).toBe(false)
  })
})

describe('momentum', () => {
  it('keeps the share β of the velocity (heavy ball)', () => {
    // λ = ¼, β = ½, g = 1, 1, 0, 0: v = −¼, −⅜, −3/16, −3/32.
    const got = positions(momentum, { learningRate: 0.25, momentum: 0.5 }, slopes(1, 1, 0, 0), [0], 4)
    expect(got).toEqual([-0.25, -0.625, -0.8125, -0.90625])
  })

  it('looks ahead by βv (Nesterov)', () => {
    // v = −¼, −⅜, −3/16 as above; the evaluated points lead the velocity's path by βv: x = Σ v + β v.
    const options = { learningRate: 0.25, momentum: 0.5, nesterov: true }
    expect(positions(momentum, options, slopes(1, 1, 0), [0], 3)).toEqual([-0.375, -0.8125, -0.90625])
  })

  it('is gradient descent when β = 0', () => {
    const bowl = quadratic([2, 1, 1, 3], [1, -1])
    for (const nesterov of [false, true])
      expect(positions(momentum, { momentum: 0, learningRate: 0.125, nesterov }, bowl, [1, 2], 5)).toEqual(
        positions(gd, { learningRate: 0.125 }, bowl, [1, 2], 5)
      )
  })

  it('follows the recurrence x₍ₖ₊₁₎ = (1 + β − λa) xₖ − β x₍ₖ₋₁₎ on a quadratic', () => {
    const [lambda, beta, a] = [0.1, 0.9, 2]
    const got = positions(momentum, { learningRate: lambda, momentum: beta }, quadratic([a], [0]), [1], 30)
    const expected: number[] = []
    let [before, here] = [1, 1]
    for (let k = 0; k < 30; k++) {
      ;[before, here] = [here, (1 + beta - lambda * a) * here - beta * before]
      expected.push(here)
    }
    expectAllClose(got, expected, k => tolerance('f64', k + 3, 2), 'heavy ball', 'heavy ball')
  })
})

describe('adam', () => {
  it('moves by λ g / (|g| + ε) under a constant gradient, from the first step: the bias correction', () => {
    for (const g of [3, -0.001, 250]) {
      const got = positions(adam, { learningRate: 0.5, epsilon: 1e-8 }, slopes(g), [0], 40)
      const step = (-0.5 * g) / (Math.abs(g) + 1e-8)
      const expected = got.map((_, k) => step * (k + 1))
      // 1 − β₂ᵗ loses digits to cancellation: eps / (1 − β₂) relative, half of it after the root, in every step.
      const tol = (k: number): number => tolerance('f64', 0.5, (0.5 * (k + 1)) / 0.001)
      expectAllClose(got, expected, tol, `g = ${g}`, 'constant gradient')
    }
  })

  it('takes the steps worked by hand for g = 1, −1, 0', () => {
    // β₁ = 0.9, β₂ = 0.999. m: 0.1, −0.01, −0.009; corrected by 0.1, 0.19, 0.271. v: 0.001, 0.001999, 0.001997001; corrected by
    // 0.001, 0.001999, 0.002997001. Steps −λ m̂ / (√v̂ + ε).
    const epsilon = 0.5
    const got = positions(adam, { learningRate: 0.1, epsilon }, slopes(1, -1, 0), [0], 3)
    const first = -0.1 / (1 + epsilon)
    const second = first + (0.1 * (0.01 / 0.19)) / (1 + epsilon)
    const third = second + (0.1 * (0.009 / 0.271)) / (Math.sqrt(0.001997001 / 0.002997001) + epsilon)
    expectAllClose(got, [first, second, third], tolerance('f64', 0.5, 0.1 / 0.001), 'x', 'three steps')
  })

  it('is sign descent with β₁ = β₂ = 0', () => {
    const got = positions(adam, { learningRate: 0.25, beta1: 0, beta2: 0, epsilon: 1e-300 }, slopes(5, -0.1, 2), [0], 3)
    expect(got).toEqual([-0.25, 0, -0.25])
  })

  it('keeps its defaults: 0.01, 0.9, 0.999, 1e-8', () => {
    expect(resolveOptimizer('adam').options).toEqual({
      learningRate: 0.01,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8
    })
  })
})
