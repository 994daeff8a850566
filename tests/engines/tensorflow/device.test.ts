// The parts of the tensorflow engine on each device that runs here, in a process that loads its package: tensors that are left over,
// the memory budget, products over all runs at once, and linear algebra by operations of TensorFlow.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../../scripts/bootstrap.mjs'
import { radiusTolerance, symmetricEigen, tridiagonalize, trustRegionStep } from '../../../src/core/linalg.js'
import { Child } from '../../../src/engines/process/child.js'
import { tensorflowEntry } from '../../../src/engines/tensorflow/index.js'
import { findPackage, packageOf, type DeviceName } from '../../../src/engines/tensorflow/packages.js'
import { long } from '../../helpers/length.js'
import { makeProblem, normals, points } from '../../helpers/problems.js'
import { methods, randomStarts, rule } from '../../helpers/runs.js'
import { epsOf, expectAllClose, expectClose, expectSame, tolerance } from '../../helpers/tolerance.js'
import type { Looks } from './worker.js'

const running = (await tensorflowEntry.devices!()).filter(d => d.support.ok).map(d => d.name as DeviceName)
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0)

it('wasm at least runs wherever npm has installed the packages of the tests', () => {
  expect(running).toContain('wasm')
})

describe.each(running)('%s', device => {
  let child: Child<Looks>
  beforeAll(async () => {
    const runner = join(root, 'node_modules/vite-node/vite-node.mjs')
    child = new Child<Looks>({
      program: [runner, fileURLToPath(new URL('worker.ts', import.meta.url))],
      holds: 'TensorFlow',
      env: { TF_CPP_MIN_LOG_LEVEL: '2' }
    })
    await child.ask('open', { device, folder: findPackage(packageOf[device])! }).answer
  })
  afterAll(() => child.close())

  describe('the number of tensors', () => {
    const problem = makeProblem({
      loss: 'logistic',
      hidden: [2],
      rows: 9,
      ridge: 0.0625,
      weighted: true,
      shifted: true
    })
    const counted = {
      'adam, mini-batches': long ? 1000 : 200,
      'lbfgs, memory 2': long ? 300 : 100,
      newton: long ? 300 : 100
    }
    it.each(Object.entries(counted))('is the same after every step of %s, over %d steps', async (label, wanted) => {
      // A batch of eight runs, which ends and is refilled every 20 steps or sooner.
      const method = methods.find(m => m.label === label)!
      const request = {
        ...rule(method, problem, 'f32'),
        starts: randomStarts((wanted / 20) * 8),
        stop: { steps: 20, gradient: 0 },
        lanes: 8
      }
      const { before, steps, after } = await child.ask('run', { problem, request }).answer
      // Those that find how many lanes fit come first. Runs that stall end sooner.
      const rest = steps.slice(2)
      expect(rest.length).toBeGreaterThanOrEqual(label.startsWith('adam') ? wanted : wanted / 2)
      expect([...new Set(rest)]).toEqual([rest[0]])
      expect(after).toBe(before)
    })
  })

  describe('the memory budget', () => {
    const problem = makeProblem({ loss: 'logistic', hidden: [4, 3], inputs: 3, rows: 300, ridge: 0.0625 })
    const runs = 200
    const theta = points(problem, runs)
    it.each([{ g: false }, { g: true }, { g: true, H: true }])(
      'is kept for %o, and never changes a result',
      async needs => {
        const whole = await child.ask('evaluate', { problem, theta, needs, budget: 2 ** 40 }).answer
        expect(whole.capacity).toBeGreaterThanOrEqual(runs)
        const budget = Math.ceil(whole.peakBytes / 5)
        const parts = await child.ask('evaluate', { problem, theta, needs, budget }).answer
        expect(parts.capacity).toBeLessThan(runs)
        expect(parts.capacity).toBeGreaterThan(8)
        expect(parts.peakBytes).toBeLessThanOrEqual(budget)
        for (const key of ['f', 'g', 'H'] as const)
          expectSame(parts.values[key] ?? [], whole.values[key] ?? [], `${key} in parts`)
      }
    )
    it('too small for any batch still lets the fewest runs pass', async () => {
      const { capacity, values } = await child.ask('evaluate', { problem, theta, needs: {}, budget: 1 }).answer
      expect(capacity).toBe(device === 'wasm' ? 1 : 8)
      expect(total(values.f)).toBeGreaterThan(0)
    })
  })

  it('takes the first layer of all runs in one product, and as many operations for many runs as for few', async () => {
    const hidden = 5
    const problem = makeProblem({ loss: 'brier', hidden: [hidden, 2], inputs: 3, rows: 12 })
    const [few, many] = [8, 64]
    const needs = { g: true, H: true }
    const kernels = await child.ask('kernels', { problem, theta: points(problem, many), needs }).answer
    const products = kernels.filter(k => k.name === 'BatchMatMul').map(k => JSON.stringify(k.inputs))
    expect(products).toContain(
      JSON.stringify([
        [many * hidden, 4],
        [4, 12]
      ])
    )
    const fewer = await child.ask('kernels', { problem, theta: points(problem, few), needs }).answer
    expect(fewer.map(k => k.name)).toEqual(kernels.map(k => k.name))
  })

  describe('linear algebra', () => {
    const P = 6
    /** Symmetric matrices of spectra that the names say, gradients and radii, one for each lane. */
    const spectra: Record<string, readonly number[]> = {
      definite: [0.5, 1, 1.5, 2, 3, 4],
      'wide apart': [1e-3, 0.01, 0.1, 1, 10, 100],
      indefinite: [-2, -1, 0.5, 1, 2, 3],
      'one negative': [-0.01, 1, 1, 2, 2, 3],
      singular: [0, 0, 1, 1, 2, 2],
      nought: [0, 0, 0, 0, 0, 0]
    }
    const rotation = symmetricEigen(
      (() => {
        const m = new Float64Array(P * P)
        const n = normals(P * P, 31)
        for (let i = 0; i < P; i++) for (let j = 0; j < P; j++) m[i * P + j] = n[i * P + j] + n[j * P + i]
        return m
      })(),
      P
    ).vectors
    const withSpectrum = (values: readonly number[]): Float32Array => {
      const A = new Float32Array(P * P)
      for (let i = 0; i < P; i++)
        for (let j = 0; j <= i; j++) {
          let sum = 0
          values.forEach((v, k) => (sum += v * rotation[i * P + k] * rotation[j * P + k]))
          A[i * P + j] = A[j * P + i] = sum
        }
      return A
    }
    const radii = [0.01, 0.3, 1, 50]
    const cases = Object.entries(spectra).flatMap(([label, values]) =>
      radii.map((radius, i) => ({
        label,
        values,
        radius,
        A: withSpectrum(values),
        g: Float32Array.from(normals(P, 41, i))
      }))
    )
    const joined = (parts: readonly Float32Array[]): Float32Array => Float32Array.from(parts.flatMap(p => [...p]))
    const ask = (of: typeof cases) =>
      child.ask('trustRegion', {
        A: joined(of.map(c => c.A)),
        g: joined(of.map(c => c.g)),
        radius: Float32Array.from(of, c => c.radius),
        P
      }).answer

    it('takes the steps of core/linalg.ts in every lane', async () => {
      const { p, predicted, operations } = await ask(cases)
      cases.forEach(({ label, values, radius, A, g }, lane) => {
        const what = `${label}, radius ${radius}`
        const exact = trustRegionStep(
          tridiagonalize(Float64Array.from(A), P),
          Float64Array.from(g),
          Math.fround(radius),
          epsOf.f32
        )
        const step = p.subarray(lane * P, (lane + 1) * P)
        const longest = radius * (1 + radiusTolerance)
        expect(Math.hypot(...step)).toBeLessThanOrEqual(longest * (1 + P * epsOf.f32))
        if (values[0] === 0) {
          // The first μ makes A + μI as ill-conditioned as can be, and where the iteration goes from there is rounding. Any end
          // of it is the best step of its length, which is within the tolerance of the radius, so that decreases are as squares.
          const share = ((1 - radiusTolerance) / (1 + radiusTolerance)) ** 2
          expect(predicted[lane], what).toBeGreaterThanOrEqual(share * exact.predicted)
          expect(predicted[lane], what).toBeLessThanOrEqual(exact.predicted / share)
          return
        }
        // Solving with A + μI loses as many digits as its condition has.
        const operations = P * (values[0] > 0 ? Math.max(...values) / values[0] : 1)
        expectAllClose(step, exact.p, tolerance('f32', operations, Math.hypot(...exact.p)), `${what}: p`)
        expectClose(
          predicted[lane],
          exact.predicted,
          tolerance('f32', operations, exact.predicted),
          `${what}: decrease`
        )
      })
      if (device !== 'wasm') expect(operations).toEqual(expect.arrayContaining(['Cholesky', 'MatrixTriangularSolve']))
    })

    it('takes the same steps, bit for bit, whatever stands in the other lanes', async () => {
      const whole = await ask(cases)
      const broken = { ...cases[0], A: new Float32Array(P * P).fill(NaN) }
      const mixed = await ask(cases.flatMap((c, i) => (i % 2 === 0 ? [broken] : [c])))
      cases.forEach((_, lane) => {
        const of = (values: Float32Array): Float32Array => values.subarray(lane * P, (lane + 1) * P)
        if (lane % 2 === 0) expect([...of(mixed.p)].every(Number.isNaN), `lane ${lane}`).toBe(true)
        else expectSame(of(mixed.p), of(whole.p), `lane ${lane}`)
      })
    })

    it('decomposes symmetric matrices, and gives NaN where one is not finite', async () => {
      const matrices = [...Object.values(spectra).map(withSpectrum), new Float32Array(P * P).fill(NaN)]
      const { values, vectors, operations } = await child.ask('eigh', { A: joined(matrices), P }).answer
      Object.entries(spectra).forEach(([label, exact], lane) => {
        const size = Math.max(...exact.map(Math.abs))
        const near = tolerance('f32', P * P, size)
        expectAllClose(values.subarray(lane * P, (lane + 1) * P), exact, near, `eigenvalues, ${label}`)
        const V = vectors.subarray(lane * P * P, (lane + 1) * P * P)
        for (let a = 0; a < P; a++)
          for (let b = 0; b < P; b++) {
            let dot = 0
            let form = 0
            for (let i = 0; i < P; i++) {
              dot += V[i * P + a] * V[i * P + b]
              for (let j = 0; j < P; j++) form += V[i * P + a] * matrices[lane][i * P + j] * V[j * P + b]
            }
            expectClose(dot, a === b ? 1 : 0, tolerance('f32', P * P, 1), `${label}: VᵀV [${a}, ${b}]`)
            expectClose(form, a === b ? exact[a] : 0, near, `${label}: VᵀAV [${a}, ${b}]`)
          }
      })
      const last = Object.keys(spectra).length
      expect([...values.subarray(last * P), ...vectors.subarray(last * P * P)].every(Number.isNaN)).toBe(true)
      if (device !== 'wasm') expect(operations).toContain('SelfAdjointEigV2')
    })
  })
})
