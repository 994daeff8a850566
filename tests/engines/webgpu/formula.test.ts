// Formulas on a GPU beyond what the conformance suite reaches: values outside domains, which WGSL leaves open, several kernels of H,
// several chunks of rows, and what is too large.
import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { webgpuEntry } from '../../../src/engines/webgpu/index.js'
import { evaluatorOf } from '../../../src/engines/reference/evaluator.js'
import { parameterCount } from '../../../src/models/model.js'
import type { Problem } from '../../../src/models/types.js'
import { expressionOf, formulaProblem, free, objectiveProblem } from '../../helpers/formulas.js'
import { evaluateOn } from '../../helpers/gpu.js'
import { localObjective, onSoftwareGpu } from '../../helpers/localGpu.js'
import { integers, normals } from '../../helpers/problems.js'
import { expectAllClose, expectClose, expectSame, tolerance } from '../../helpers/tolerance.js'

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

describe('operations', () => {
  const special = [0, -0, 1, -1, 0.5, -0.5, 0.44, 2.25, -3.75, 1e-6, 7, 100, -100, 1e5, -1e5, 3e38, -3e38]
  const unary = ['exp', 'log', 'sqrt', 'sin', 'cos', 'tan', 'tanh', 'atan', 'erf', 'abs'].map(name => `${name}(a)`)
  const binary = ['a / b', 'a ^ b', 'min(a, b)', 'max(a, b)', 'where(a < b, a, b)', 'where(a == b, 1, 2)']
  // Branches that are not taken have no part, and a NaN stays one on the way.
  const composed = ['where(a > 0, log(a), -a)', 'min(log(a), b)', 'max(b, sqrt(a))', 'tanh(log(a))', 'atan(1 / a)']
  const turns = /^(sin|cos|tan)\(/

  /** What the engine promises: as the reference, but NaN for powers of negative numbers. */
  function expectedOf(problem: Problem, formula: string, a: number, b: number): number {
    if (formula === 'a ^ b' && a < 0 && b !== 0) return NaN
    return evaluatorOf(problem).evaluate(Float64Array.of(a, b))
  }
  /** Beside the rounding of the result: that of the exponent of e^v and x^y, and of the angle and its distance to a pole. */
  function sizeOf(formula: string, a: number, expected: number): number {
    const size = Math.abs(expected)
    if (turns.test(formula))
      return Math.max(1, 4.8e-4 * Math.abs(a)) * (formula.startsWith('tan') ? 1 + size * size : 1)
    return size * Math.max(1, size > 0 ? Math.abs(Math.log(size)) : 1)
  }

  it.each([...unary, ...binary, ...composed])('%s', async formula => {
    const problem = objectiveProblem(`${formula} + 0 * b + 0 * a`, [free('a'), free('b')])
    const pairs = special.flatMap(a => special.map(b => [Math.fround(a), Math.fround(b)]))
    const { f } = await localObjective(gpu, problem).evaluate(Float64Array.from(pairs.flat()), {})
    pairs.forEach(([a, b], i) => {
      const what = `${formula} at ${a}, ${b}`
      // Of an angle this large nothing is left in f32; and a power of −0 has the sign of one of 0.
      if (turns.test(formula) && Math.abs(a) > 1e6) {
        if (!formula.startsWith('tan')) expect(Math.abs(f[i]), what).toBeLessThanOrEqual(1)
        return
      }
      const expected = expectedOf(problem, formula, formula === 'a ^ b' && a === 0 ? 0 : a, b)
      const size = Math.abs(expected)
      if (Number.isNaN(expected)) expect(f[i], what).toBeNaN()
      // What f32 cannot hold is infinite in it.
      else if (size > 3.4028235e38) expect(f[i], what).toBe(Math.sign(expected) * Infinity)
      else expectClose(f[i], expected, tolerance('f32', 4, sizeOf(formula, a, expected)), what)
    })
  })

  it.each(['sin(1 / a)', 'cos(1 / a)', 'log(-a) + 1 / a'])('%s has no value', async formula => {
    const theta = Float64Array.of(0)
    const { f } = await localObjective(gpu, objectiveProblem(`${formula}`, [free('a')])).evaluate(theta, {})
    expect(f[0]).toBeNaN()
  })
})

describe('sizes', () => {
  const P = 11
  const names = Array.from({ length: P }, (_, k) => `p${k}`)
  const sum = names.map((name, k) => `${name} * sin(${k + 1} * x / 4 + ${names[(k + 1) % P]})`).join(' + ')
  const problem = formulaProblem(
    expressionOf(
      `(${sum}) / 4`,
      names.map(name => free(name))
    ),
    { loss: 'logistic', rows: 1100, weighted: true, shifted: true }
  )
  const R = 5
  const theta = normals(R * P, 3, 1).map(v => Math.fround(0.5 * v))

  it('66 entries of H in two kernels and 1100 rows in three chunks equal the reference', async () => {
    const { f, g, H } = await localObjective(gpu, problem).evaluate(theta, { g: true, H: true })
    const exact = evaluatorOf(problem)
    const [eg, eH] = [new Float64Array(P), new Float64Array(P * P)]
    for (let r = 0; r < R; r++) {
      const ef = exact.evaluate(theta.slice(r * P, (r + 1) * P), eg, eH)
      const size = Math.max(1, Math.abs(ef), ...eg.map(Math.abs), ...eH.map(Math.abs))
      const tol = tolerance('f32', 40 + problem.rows, size)
      expectAllClose([f[r]], [ef], tol, 'f')
      expectAllClose(g!.subarray(r * P, (r + 1) * P), eg, tol, 'g')
      expectAllClose(H!.subarray(r * P * P, (r + 1) * P * P), eH, tol, 'H')
    }
  })

  it('mini-batches are those rows, whatever lane they are in', async () => {
    const size = 7
    const rows = Array.from({ length: R }, (_, r) => Uint32Array.from(integers(size - (r % 2), problem.rows, 9, r)))
    const request = { needs: 'g', batches: { size, rows } } as const
    const found = await evaluateOn(gpu, problem, theta, request)
    const elsewhere = await evaluateOn(gpu, problem, theta, { ...request, lanes: 192, at: r => 150 - 31 * r })
    expectSame(elsewhere.f, found.f, 'f')
    expectSame(elsewhere.g!, found.g!, 'g')
    const exact = evaluatorOf(problem)
    const eg = new Float64Array(P)
    for (let r = 0; r < R; r++) {
      const ef = exact.evaluate(theta.slice(r * P, (r + 1) * P), eg, undefined, rows[r])
      const tol = tolerance('f32', 40 + size, Math.max(1, Math.abs(ef), ...eg.map(Math.abs)))
      expectAllClose([found.f[r]], [ef], tol, 'f')
      expectAllClose(found.g!.subarray(r * P, (r + 1) * P), eg, tol, 'g')
    }
  })

  it('what is too large is refused in a sentence, and taken without H', async () => {
    const many = Array.from({ length: 70 }, (_, k) => free(`q${k}`))
    const wide: Problem = formulaProblem(expressionOf(many.map(({ name }) => `${name}^2`).join(' + '), many))
    expect(parameterCount(wide.model)).toBe(70)
    expect(await webgpuEntry.supports(wide, { H: true })).toMatchObject({
      reason:
        'The webgpu engine takes Hessians of formulas of up to 64 parameters and this one has 70; use lbfgs or --engine cpu.'
    })
    expect(await webgpuEntry.supports(wide, {})).toEqual({ ok: true })
    const long = Array.from({ length: 880 }, (_, k) => `sin(${k}*a)`).join('+')
    const answer = await webgpuEntry.supports(formulaProblem(expressionOf(long, [free('a')])), {})
    expect(answer).toMatchObject({ ok: false })
    expect('reason' in answer && answer.reason).toMatch(
      /^The webgpu engine takes formulas of up to 4096 operations, .*; use --engine cpu\.$/
    )
  })
})
