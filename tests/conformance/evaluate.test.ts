// Loss, gradient and exact Hessian of every engine, against hyper-dual numbers on small problems and against `reference`
// where the problem is large enough to be computed in tiles.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Evaluation, Precision } from '../../src/engines/types.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import { outputs } from '../../src/models/outputs.js'
import { parameterCount } from '../../src/models/model.js'
import { activations } from '../../src/models/activations.js'
import { isScalar, losses } from '../../src/models/losses/index.js'
import type { Network, Problem } from '../../src/models/types.js'
import { candidates, missingEngines } from '../helpers/engines.js'
import { oracle } from '../helpers/hyperdual.js'
import { part, slow } from '../helpers/length.js'
import { familyCases, makeProblem, points } from '../helpers/problems.js'
import { epsOf, expectAllClose, expectClose, hugeOf, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

/** Operations on the longest path from an input to a sum over the rows. */
const operations = ({ model: network, rows }: Problem<Network>): number =>
  rows + [network.inputs, ...network.hidden].reduce((sum, n) => sum + n + 8, 8)

/** Values of the oracles by problem and point: every engine is held against the same ones. */
const known = new Map<string, unknown>()
const once = <T>(key: string, compute: () => T): T => {
  if (!known.has(key)) known.set(key, compute())
  return known.get(key) as T
}

const row = (values: Float64Array, r: number, size: number): Float64Array => values.subarray(r * size, (r + 1) * size)

function expectSymmetric(H: Float64Array, P: number, what: string): void {
  for (let p = 0; p < P; p++)
    for (let q = 0; q < p; q++)
      if (!Object.is(H[p * P + q], H[q * P + p])) expect.fail(`${what}: H[${p}, ${q}] differs from H[${q}, ${p}]`)
}

it('runs every engine that REQUIRE_ENGINES names', () => {
  expect(missingEngines()).toEqual([])
})

it('takes a device that REQUIRE_ENGINES names for what it is, and no other of the engine for it', () => {
  const rows = [
    { name: 'cpu', ran: true, why: '' },
    { name: 'tensorflow/cpu', ran: false, why: 'absent' },
    { name: 'tensorflow/wasm', ran: true, why: '' }
  ]
  expect(missingEngines('cpu, tensorflow, tensorflow/wasm', rows)).toEqual([])
  expect(missingEngines('tensorflow/cpu,webgpu,tensor', rows)).toEqual(['tensorflow/cpu', 'webgpu', 'tensor'])
})

describe.each(candidates)('$label', candidate => {
  let engine: Engine
  beforeAll(async () => {
    engine = await candidate.open()
  })
  afterAll(() => engine.dispose())

  async function evaluateAt(
    problem: Problem<Network>,
    theta: Float64Array,
    needs = { g: true, H: true }
  ): Promise<Evaluation> {
    const objective = await engine.prepare(problem)
    try {
      return await objective.evaluate(theta, needs)
    } finally {
      objective.dispose()
    }
  }

  describe('f, g and H equal hyper-dual numbers', () => {
    for (const { label, problem } of slow(candidate) ? part(part(familyCases(), 1), 6) : familyCases())
      it(label, async () => {
        const P = parameterCount(problem.model)
        const theta = points(problem, 3)
        const { f, g, H } = await evaluateAt(problem, theta)
        for (let r = 0; r < 3; r++) {
          const exact = once(`${label}, point ${r}`, () => oracle(problem, row(theta, r, P)))
          const bound = (size: number): number => tolerance(candidate.precision, operations(problem), size)
          expectClose(f[r], exact.f, bound(exact.magnitude.f), `f of point ${r}`, 'f')
          expectAllClose(row(g!, r, P), exact.g, bound(exact.magnitude.g), `g of point ${r}`, 'g')
          expectAllClose(row(H!, r, P * P), exact.H, bound(exact.magnitude.H), `H of point ${r}`, 'H')
          expectSymmetric(row(H!, r, P * P), P, `point ${r}`)
        }
      })
  })

  describe('large problems equal the reference', () => {
    const sizes = [
      { inputs: 30, hidden: [16], rows: 101 },
      { inputs: 3, hidden: [5, 4], rows: 333 },
      { inputs: 17, hidden: [], rows: 70 },
      { inputs: 1, hidden: [13, 2, 3], rows: 38 }
    ]
    const kinds = sizes.flatMap(size => (['logistic', 'softmax'] as const).map(loss => ({ size, loss })))
    for (const { size, loss } of slow(candidate) ? part(kinds, 2) : kinds) {
      const label = `${loss}, ${size.inputs} inputs, hidden [${size.hidden.join(', ')}], ${size.rows} rows`
      it(label, async () => {
        const problem = makeProblem({ ...size, loss, weighted: true, shifted: true, ridge: 0.0625 })
        const P = parameterCount(problem.model)
        const count = 3
        const theta = points(problem, count, 7, 0.5)
        const exact = await once(label, () => exactly(problem, theta))
        const got = await evaluateAt(problem, theta)
        // Rounding of a sum is relative to the sum of absolute values; the largest element stands for it.
        const top = (values: Float64Array): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
        const bound = (values: Float64Array): number =>
          tolerance(candidate.precision, operations(problem), 1 + top(values))
        expectAllClose(got.f, exact.f, bound(exact.f), 'f', 'f, large')
        expectAllClose(got.g!, exact.g!, bound(exact.g!), 'g', 'g, large')
        expectAllClose(got.H!, exact.H!, bound(exact.H!), 'H', 'H, large')
        for (let r = 0; r < count; r++) expectSymmetric(row(got.H!, r, P * P), P, `point ${r}`)
      })
    }
  })

  it('tells outputs, where it certifies, on its own rows and on others', async () => {
    const problem = makeProblem({ loss: 'softmax', hidden: [3, 2], rows: 61 })
    const shifted = makeProblem({ loss: 'poisson', hidden: [4], rows: 50, shifted: true })
    for (const own of [problem, shifted]) {
      const others: Problem<Network> = {
        ...own,
        rows: 5,
        x: own.x.slice(0, 5 * own.model.inputs),
        y: own.y.slice(0, 5),
        ...(own.offset ? { offset: own.offset.slice(0, 5) } : {})
      }
      const objective = await engine.prepare(own)
      if (candidate.precision === 'f64') expect('outputs' in objective).toBe(true)
      const P = parameterCount(own.model)
      const theta = points(own, 37)
      for (const data of [own, others]) {
        const z = await objective.outputs?.(theta, data === own ? undefined : data)
        if (!z) continue
        const width = data.rows * own.model.outputs
        expect(z.length).toBe(37 * width)
        for (let r = 0; r < 37; r++) {
          const exact = outputs(data, theta, r * P)
          const size = exact.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
          expectAllClose(
            row(z, r, width),
            exact,
            tolerance(candidate.precision, operations(problem) - problem.rows, size),
            `z of point ${r}`,
            'z'
          )
        }
      }
      objective.dispose()
    }
  })

  it('gives the same numbers whichever parts are asked for and however many points there are', async () => {
    const problem = makeProblem({ loss: 'brier', hidden: [3], inputs: 2, rows: 45, weighted: true, ridge: 0.125 })
    const P = parameterCount(problem.model)
    const theta = points(problem, 70)
    const all = await evaluateAt(problem, theta)
    const alone = await evaluateAt(problem, theta, { g: false, H: false })
    const half = await evaluateAt(problem, theta, { g: true, H: false })
    const one = await evaluateAt(problem, row(theta, 69, P))
    // The order of sums over rows may depend on what is computed; nothing else may.
    const near = tolerance(candidate.precision, 1, operations(problem))
    expectAllClose(alone.f, all.f, near, 'f alone')
    expectAllClose(half.g!, all.g!, near, 'g without H')
    expect(alone.g).toBeUndefined()
    expect(half.H).toBeUndefined()
    expect([one.f[0], ...one.g!, ...one.H!]).toEqual([all.f[69], ...row(all.g!, 69, P), ...row(all.H!, 69, P * P)])
  })

  describe('stays right for |z| up to 1e4', () => {
    // One row, one weight: z is the weight itself, exactly.
    const steps = [0, 0.5, 5, 30, 40, 90, 300, 710, 800, 5000, 1e4].flatMap(z => [z, -z])
    for (const loss of losses)
      it(loss, async () => {
        const problem = makeProblem({
          loss,
          inputs: 1,
          rows: 1,
          bias: false,
          ...(isScalar(loss) ? {} : { outputs: 2 })
        })
        const one: Problem<Network> = { ...problem, x: Float64Array.of(1), y: Float64Array.of(1) }
        const P = parameterCount(one.model)
        const theta = Float64Array.from(steps.flatMap(z => (P === 1 ? [z] : [z, 0])))
        const got = await evaluateAt(one, theta)
        const exact = await exactly(one, theta)
        const kinds = [
          ['f', got.f, exact.f, 1],
          ['g', got.g!, exact.g!, P],
          ['H', got.H!, exact.H!, P * P]
        ] as const
        for (const [name, values, expected, width] of kinds)
          for (let i = 0; i < values.length; i++) {
            const z = theta[Math.floor(i / width) * P]
            const size = expected[i]
            // e^z in single precision carries the rounding of its exponent; beyond the largest number it is infinite.
            const tol = tolerance(
              candidate.precision,
              16 + Math.min(Math.abs(z), 800) * (loss === 'probit' ? Math.abs(z) : 1),
              // Near 0 the terms, of size 1, may cancel.
              Math.max(Math.abs(size), Math.abs(z) < 1 ? 1 : 0)
            )
            expectExtreme(values[i], size, tol, candidate.precision, `${name} at z = ${z}`)
          }
      })
  })

  it.each(activations)('%s stays right for |u| up to 1e4', async activation => {
    const problem = makeProblem({ loss: 'squared', activation, hidden: [1], inputs: 1, rows: 1, bias: false })
    const one: Problem<Network> = { ...problem, x: Float64Array.of(1), y: Float64Array.of(0) }
    const theta = Float64Array.from([0, 1e-3, 1, 20, 45, 100, 400, 1e4].flatMap(u => [u, 1, -u, 1]))
    const got = await evaluateAt(one, theta)
    const exact = await exactly(one, theta)
    const bound = (size: number): number => tolerance(candidate.precision, 64, Math.abs(size))
    // Products of φ, φ′ and φ″: relative to themselves, save where φ″ cancels against φ′².
    expectAllClose(got.f, exact.f, i => bound(exact.f[i]), 'f')
    expectAllClose(got.g!, exact.g!, i => bound(exact.g![i]), 'g')
    expectAllClose(got.H!, exact.H!, i => bound(exact.H![i]) + epsOf[candidate.precision] * 4, 'H')
  })

  it('passes a NaN on', async () => {
    for (const activation of slow(candidate) ? part(activations, 4) : activations) {
      const problem = makeProblem({ loss: 'logistic', activation, hidden: [2] })
      const theta = points(problem, 1)
      theta[1] = NaN
      const { f, g } = await evaluateAt(problem, theta)
      expect(f[0], activation).toBeNaN()
      expect(g!.some(Number.isNaN), activation).toBe(true)
    }
  })

  it('lets rows without weight be absent, even where their loss is infinite', async () => {
    const problem = makeProblem({ loss: 'poisson', inputs: 1, rows: 2, bias: false })
    const weighted: Problem<Network> = {
      ...problem,
      x: Float64Array.of(1, 1e4),
      y: Float64Array.of(2, 0),
      weight: Float64Array.of(1, 0)
    }
    const { f, g, H } = await evaluateAt(weighted, Float64Array.of(0.5))
    const e = Math.exp(0.5)
    const tol = tolerance(candidate.precision, 16, e)
    expectAllClose([f[0], g![0], H![0]], [e - 1, e - 2, e], tol, 'f, g, H')
  })

  it('refuses parameters of a wrong length', async () => {
    const problem = makeProblem({ loss: 'squared' })
    await expect(evaluateAt(problem, new Float64Array(parameterCount(problem.model) + 1))).rejects.toThrow(
      /multiple of 3/
    )
  })
})

/** The reference, which tests/models holds against values of 80 digits. */
async function exactly(problem: Problem<Network>, theta: Float64Array): Promise<Evaluation> {
  const reference = await referenceEntry.load({ precision: 'f64' })
  return (await reference.prepare(problem)).evaluate(theta, { g: true, H: true })
}

/** Numbers beyond the precision's range are infinite, whichever way. */
function expectExtreme(actual: number, expected: number, tol: number, precision: Precision, what: string): void {
  if (Math.abs(expected) > hugeOf[precision]) expectClose(actual, Math.sign(expected) * Infinity, 0, what)
  else expectClose(actual, expected, tol, what, 'extreme')
}
