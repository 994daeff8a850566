// Update programs on a GPU beside what the conformance suite reaches: random graphs, long vectors that several threads share, matrix
// operations on their own.
import { describe, expect, it } from 'vitest'
import { symmetricEigen, trustRegionStep, tridiagonalize } from '../../../src/core/linalg.js'
import { referenceEntry } from '../../../src/engines/reference/index.js'
import type { Gpu } from '../../../src/engines/webgpu/core/device.js'
import { partsOf, splitOf } from '../../../src/engines/webgpu/core/update.js'
import type { Objective, RunBlock } from '../../../src/engines/types.js'
import { columnScale, parameterCount } from '../../../src/models/model.js'
import type { Network, Problem } from '../../../src/models/types.js'
import { Rule } from '../../../src/language/rule.js'
import type { Program } from '../../../src/language/program.js'
import { collect } from '../../helpers/engines.js'
import { outcome, randomRule } from '../../helpers/graphs.js'
import { localObjective, onSoftwareGpu } from '../../helpers/localGpu.js'
import { integers, makeProblem, points } from '../../helpers/problems.js'
import { givenStarts, methods, rule } from '../../helpers/runs.js'
import { expectAllClose, expectClose, epsOf, printWorst, tolerance } from '../../helpers/tolerance.js'

printWorst()

let gpu: Gpu
onSoftwareGpu(opened => (gpu = opened))

/** A regression of P parameters. */
const regression = (parameters: number, rows = 7): Problem<Network> =>
  makeProblem({ loss: 'logistic', inputs: parameters - 1, rows, ridge: 0.0625, penalizeBias: true })

const steps = (objective: Objective, program: Program, theta: Float64Array, count: number): Promise<RunBlock> =>
  collect(objective, {
    program,
    starts: givenStarts(theta, theta.length / objective.parameters),
    stop: { steps: count, gradient: 0 }
  })

describe('random graphs over whole numbers, exactly', () => {
  // Sizes below and above the one from which several threads share a lane.
  it.each([
    [5, 8],
    [66, 4]
  ])('%i parameters', async (P, rules) => {
    expect(splitOf(P).split > 1).toBe(P > 64)
    const objective = localObjective(gpu, regression(P))
    const runs = 3
    for (let seed = 1; seed <= rules; seed++) {
      const random = randomRule(seed, 25)
      const theta = integers(runs * P, 9, seed, 1).map(v => v - 4)
      for (const count of [1, 3]) {
        const block = await steps(objective, random.program, theta, count)
        for (let r = 0; r < runs; r++) {
          const expected = outcome(random, theta.slice(r * P, (r + 1) * P), count)
          const what = `rule ${seed}, run ${r} after ${count} steps`
          expectAllClose(block.theta.subarray(r * P, (r + 1) * P), expected.point, 0, `${what}: point`)
          expectClose(block.loss[r], expected.loss, 0, `${what}: loss`)
          expectClose(block.gradientNorm[r], expected.gradientNorm, 0, `${what}: gradient norm`)
          expectAllClose(block.report.subarray(5 * r, 5 * r + 5), expected.report, 0, `${what}: report`)
        }
      }
    }
  })
})

it('vectors that live within a loop are not stored, and scalars between loops are not either', () => {
  const r = new Rule('test', 'g')
  const twice = r.mul(2, r.g)
  const size = r.dot(twice, twice)
  r.next(r.x, r.fma(r.div(-1, r.add(1, size)), twice, r.x))
  const program = r.compile({ point: r.x, loss: r.f, gradientNorm: r.maxAbs(r.g) })
  const [part, ...others] = partsOf(program, 10)
  expect(others).toEqual([])
  const text = part.kind === 'fused' ? String(part.values['statements']) : ''
  const stores = text.split('\n').filter(line => /^\s*(x|vectors|scalars)\[.*\] = /.test(line))
  // x, the old x that is the point, 2g, which the second loop reads; loss and gradient norm.
  expect(stores.filter(s => s.includes('x[')).length).toBe(1)
  expect(stores.filter(s => s.includes('vectors[')).length).toBe(2)
  expect(stores.filter(s => s.includes('scalars[')).length).toBe(2)
})

describe('long vectors agree with the reference', () => {
  it.each([
    [70, 'newton'],
    [300, 'lbfgs'],
    [300, 'adam']
  ])('%i parameters, %s', async (P, name) => {
    const problem = regression(P)
    const program = rule(
      methods.find(m => m.label === name)!,
      problem,
      'f32'
    ).program
    const theta = points(problem, 3, 11, 0.2)
    const reference = await (await referenceEntry.load({ precision: 'f64' })).prepare(problem)
    for (const count of [1, 3]) {
      const got = await steps(localObjective(gpu, problem), program, theta, count)
      const exact = await steps(reference, program, theta, count)
      const size = exact.theta.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
      // Newton's step is that of H + μI with μ of 4 eps P ‖H‖, of which the ridge is the smallest curvature.
      const operations = count * (name === 'newton' ? P * (1 + 1 / problem.model.ridge) : P)
      const bound = tolerance('f32', operations, size)
      expectAllClose(got.theta, exact.theta, bound, `${name} after ${count} steps`, `θ, ${name}, ${P}`)
      expectAllClose(got.loss, exact.loss, bound, `loss of ${name} after ${count} steps`)
      expect([...got.status]).toEqual([...exact.status])
    }
  })
})

/** Networks whose Hessians are indefinite at random points. */
const networks = [
  makeProblem({ loss: 'brier', hidden: [2], rows: 9 }),
  makeProblem({ loss: 'logistic', hidden: [4], inputs: 3, rows: 30 }),
  makeProblem({ loss: 'logistic', hidden: [11], inputs: 4, rows: 20 })
].map(problem => ({ P: parameterCount(problem.model), problem }))

const norm = (v: ArrayLike<number>): number => Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0))
const times = (H: Float64Array, v: Float64Array): Float64Array =>
  v.map((_, i) => v.reduce((sum, x, j) => sum + H[i * v.length + j] * x, 0))

describe('the trust-region step', () => {
  it.each(networks)(
    'of $P parameters stays within its radius and decreases the model as much as it can',
    async ({ P, problem }) => {
      const runs = 5
      const theta = points(problem, runs, 3)
      const objective = localObjective(gpu, problem)
      const { g, H } = await objective.evaluate(theta, { g: true, H: true })
      for (const radius of P > 64 ? [0.3, 1000] : [1e-3, 0.3, 5, 1000]) {
        const r = new Rule('region', 'H')
        const { p, predicted } = r.trustRegion(
          r.tridiagonalize(r.factorState(), r.H, r.scale, r.constant(1)),
          r.g,
          r.constant(radius)
        )
        const program = r.compile({ point: p, loss: r.f, gradientNorm: r.maxAbs(r.g), report: { predicted } })
        const got = await steps(objective, program, theta, 1)
        // The program sees diag(s) H diag(s).
        const scale = columnScale(problem)
        for (let n = 0; n < runs; n++) {
          const gn = g!.slice(n * P, (n + 1) * P)
          const Hn = H!.slice(n * P * P, (n + 1) * P * P).map((v, i) => v * scale[Math.floor(i / P)] * scale[i % P])
          const step = got.theta.slice(n * P, (n + 1) * P)
          const what = `radius ${radius}, run ${n}`
          expect(norm(step), what).toBeLessThanOrEqual(1.1 * radius * (1 + P * epsOf.f32))
          const bent = times(Hn, step)
          const model = -step.reduce((sum, x, i) => sum + x * (gn[i] + 0.5 * bent[i]), 0)
          const size = norm(step) * (norm(gn) + norm(Hn) * norm(step))
          const near = tolerance('f32', P, size)
          expectClose(got.report[n], model, near, `${what}: predicted decrease`, 'predicted decrease')
          const best = trustRegionStep(tridiagonalize(Hn, P), gn, radius).predicted
          // Both lie within a tenth of the radius; the decrease of the optimum grows at most as its square.
          expect(got.report[n], what).toBeGreaterThanOrEqual(best * 0.9 ** 2 * 0.9 - near)
        }
      }
    }
  )
})

describe('eigen-decompositions', () => {
  it.each(networks)('of $P parameters: values, residuals and orthogonality', async ({ P, problem }) => {
    const r = new Rule('eigen', 'H')
    const one = r.vectorState(1)
    const { values, vectors } = r.eigh(r.H, one)
    // V(Vᵀx) = x and V diag(λ) Vᵀx = H x.
    const coefficients = r.multiplyTransposed(vectors, r.x)
    const identity = r.maxAbs(r.sub(r.multiply(vectors, coefficients), r.x))
    const spectral = r.multiply(vectors, r.mul(values, coefficients))
    const residual = r.maxAbs(r.sub(spectral, r.multiply(r.H, r.x)))
    r.next(one, one)
    const program = r.compile({
      point: values,
      loss: r.f,
      gradientNorm: r.maxAbs(r.g),
      report: { identity, residual }
    })
    const runs = 3
    const theta = points(problem, runs, 4)
    const objective = localObjective(gpu, problem)
    const { H } = await objective.evaluate(theta, { H: true })
    const got = await steps(objective, program, theta, 1)
    for (let n = 0; n < runs; n++) {
      const Hn = H!.slice(n * P * P, (n + 1) * P * P)
      const x = theta.slice(n * P, (n + 1) * P)
      // Backward error of Householder and QL: a modest multiple of P eps ‖H‖.
      const near = tolerance('f32', P, norm(Hn))
      expectAllClose(
        got.theta.subarray(n * P, (n + 1) * P),
        symmetricEigen(Hn, P).values,
        near,
        'values',
        'eigenvalues'
      )
      expectClose(got.report[2 * n], 0, tolerance('f32', P, norm(x)), 'V Vᵀ x − x', 'orthogonality')
      expectClose(got.report[2 * n + 1], 0, tolerance('f32', P, norm(Hn) * norm(x)), 'V Λ Vᵀ x − H x', 'residual')
    }
  })

  it('of a matrix that is not finite are not finite, and end', async () => {
    const { P, problem } = networks[1]
    const r = new Rule('eigen', 'H')
    const one = r.vectorState(1)
    const { values } = r.eigh(r.H, one)
    const program = r.compile({ point: values, loss: r.constant(1), gradientNorm: r.constant(1) })
    const theta = points(problem, 2, 4)
    theta[1] = NaN
    const got = await steps(localObjective(gpu, problem), program, theta, 1)
    expect(got.theta.subarray(0, P).every(Number.isNaN)).toBe(true)
    expect(got.theta.subarray(P).every(Number.isFinite)).toBe(true)
  })
})
