import { describe, expect, it } from 'vitest'
import { symmetricEigen } from '../../src/core/linalg.js'
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { cpuEntry, type CpuOptions } from '../../src/engines/cpu/index.js'
import { engines } from '../../src/engines/registry.js'
import type { Objective } from '../../src/engines/types.js'
import { isScalar, losses } from '../../src/models/losses/index.js'
import { parameterCount } from '../../src/models/model.js'
import { seeded } from '../helpers/enclosures.js'
import { Exact } from '../helpers/exact.js'
import { iris2 } from '../helpers/iris.js'
import { familyCases, makeProblem, points } from '../helpers/problems.js'
import { endPoints, hasAddon, nativeProblem, prepare, row, strictMinima } from '../helpers/proofs.js'
import type { Network, Problem } from '../../src/models/types.js'

const reference = async (problem: Problem<Network>): Promise<Objective> =>
  (await engines.find(e => e.name === 'reference')!.load({ precision: 'f64' })).prepare(problem)

describe.runIf(hasAddon)('enclosures of derivatives', () => {
  const smooth = familyCases().filter(({ problem }) => problem.model.activation !== 'relu')
  it.each(smooth)('hold the values of the definition: $label', async ({ problem }) => {
    const { addon, native } = nativeProblem(problem)
    const objective = await reference(problem)
    const P = objective.parameters
    const random = seeded(9)
    for (const width of [0, 1e-9, 1e-2]) {
      const center = points(problem, 1, 3)
      const lo = center.map(v => v - width)
      const hi = center.map(v => v + width)
      const out = addon.boxDerivatives(native, lo, hi)
      const inside = lo.map((v, p) => (width === 0 ? v : v + (hi[p] - v) * random()))
      const { f, g, H } = await objective.evaluate(Float64Array.from([...lo, ...inside]), { g: true, H: true })
      const norm = H!.reduce((m, v) => Math.max(m, Math.abs(v)), Math.abs(f[0]))
      const slack = 64 * Number.EPSILON * P * Math.max(1, norm)
      const bad: string[] = []
      const check = (what: string, value: number, low: number, high: number): void => {
        if (!(value >= low - slack && value <= high + slack)) bad.push(`${what}: ${value} not in [${low}, ${high}]`)
        // At a point nothing is wider than rounding makes it.
        if (width === 0 && !(high - low <= 64 * slack)) bad.push(`${what}: width ${high - low}`)
      }
      for (let i = 0; i < P; i++) check(`g ${i}`, g![P + i], out[i], out[P + i])
      const h = 2 * P
      for (let i = 0; i < P * P; i++) check(`H ${i}`, H![P * P + i], out[h + i], out[h + P * P + i])
      const balls = h + 2 * P * P
      for (let i = 0; i <= P; i++) {
        const value = i === 0 ? f[0] : g![i - 1]
        const [high, low, radius] = out.subarray(balls + 3 * i, balls + 3 * i + 3)
        if (!(radius < 1e-24 * Math.max(1, norm))) bad.push(`radius ${i}: ${radius}`)
        check(`ball ${i}`, value, high + low - radius, high + low + radius)
      }
      expect(bad).toEqual([])
    }
  })

  // Wide intervals hold the extrema between their ends, which narrow ones rarely do.
  it.each(losses.filter(isScalar))('hold slopes and curvatures over wide intervals: %s', async loss => {
    const random = seeded(31)
    const samples = 65
    for (let k = 0; k < 40; k++) {
      const made = makeProblem({ loss, inputs: 1, bias: false, rows: 2, seed: 40 + k })
      const problem: Problem<Network> = { ...made, x: Float64Array.of(1, 1) }
      const { addon, native } = nativeProblem(problem)
      const objective = await reference(problem)
      const lo = 8 * random() - 4
      const hi = lo + 8 * random() ** 3
      const [g0, g1, H0, H1] = addon.boxDerivatives(native, Float64Array.of(lo), Float64Array.of(hi))
      const at = Float64Array.from({ length: samples }, (_, i) => Math.min(hi, lo + ((hi - lo) * i) / (samples - 1)))
      const { g, H } = await objective.evaluate(at, { g: true, H: true })
      const slack = 64 * Number.EPSILON * Math.max(1, ...g!.map(Math.abs), ...H!.map(Math.abs))
      for (let i = 0; i < samples; i++) {
        expect(g![i] >= g0 - slack && g![i] <= g1 + slack, `g ${g![i]} in [${g0}, ${g1}] of ${at[i]}`).toBe(true)
        expect(H![i] >= H0 - slack && H![i] <= H1 + slack, `H ${H![i]} in [${H0}, ${H1}] of ${at[i]}`).toBe(true)
      }
    }
  })
})

/** Exact weights of a least-squares line through the data, rounded, by rational Gaussian elimination. */
function leastSquares(problem: Problem<Network>): Float64Array {
  const { rows, x, y, model: network } = problem
  const exact = new Exact(200)
  const P = network.inputs + 1
  const a = Array.from({ length: P }, () => Array.from({ length: P + 1 }, () => 0n))
  for (let i = 0; i < rows; i++) {
    const line = [1, ...x.subarray(i * network.inputs, (i + 1) * network.inputs), y[i]].map(v => exact.of(v))
    for (let p = 0; p < P; p++) for (let q = 0; q <= P; q++) a[p][q] += line[p] * line[q]
  }
  // Fraction-free elimination (Bareiss), then Cramer's rule from the triangular form by back substitution on rationals.
  let previous = 1n
  for (let k = 0; k < P; k++) {
    for (let i = 0; i < P; i++) {
      if (i === k) continue
      for (let j = P; j >= 0; j--) if (j !== k) a[i][j] = (a[i][j] * a[k][k] - a[i][k] * a[k][j]) / previous
      a[i][k] = 0n
    }
    for (let i = 0; i < k; i++) a[i][i] = a[k][k]
    previous = a[k][k]
  }
  return Float64Array.from(a, (line, p) => nearest(line[P], line[p]))
}

/** The double nearest to a quotient of integers. */
function nearest(n: bigint, d: bigint): number {
  if (d < 0n) return nearest(-n, -d)
  if (n < 0n) return -nearest(-n, d)
  const shift = 120 - (n.toString(2).length - d.toString(2).length)
  const q = shift >= 0 ? (n << BigInt(shift)) / d : n / (d << BigInt(-shift))
  // Number() of a BigInt rounds to nearest; 120 bits leave no doubt here.
  return Number(q) * 2 ** -shift
}

/** H⁻¹g of point i by its eigenvectors. */
function newtonStep(H: Float64Array, g: Float64Array, P: number, i: number): Float64Array {
  const { values, vectors } = symmetricEigen(H.slice(i * P * P, (i + 1) * P * P), P)
  const step = new Float64Array(P)
  for (let k = 0; k < P; k++) {
    let along = 0
    for (let p = 0; p < P; p++) along += vectors[p * P + k] * g[i * P + p]
    for (let p = 0; p < P; p++) step[p] += (vectors[p * P + k] * along) / values[k]
  }
  return step
}

describe.runIf(hasAddon)('proofs', () => {
  it('finds the correctly rounded least-squares weights, from anywhere', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const problem = makeProblem({ loss: 'squared', inputs: 3, rows: 12, seed })
      const objective = await prepare(problem)
      const { settled } = await strictMinima(objective, points(problem, 5, seed, 2))
      const exact = leastSquares(problem)
      for (let i = 0; i < settled.count; i++) {
        expect(settled.isRounded[i]).toBe(1)
        expect([...row(settled.theta, problem, i)]).toEqual([...exact])
      }
    }
  })

  const models: { label: string; problem: Problem<Network> }[] = [
    { label: 'logistic regression', problem: iris2(true) },
    ...(['tanh', 'logistic', 'softplus'] as const).map(activation => ({
      label: `4-2-1 ${activation}`,
      problem: {
        ...iris2(true),
        model: {
          ...iris2().model,
          hidden: [2],
          activation,
          ridge: 1e-3,
          penalizeBias: true
        }
      }
    })),
    {
      label: 'softmax with ridge',
      problem: makeProblem({ loss: 'softmax', rows: 20, ridge: 0.1, penalizeBias: true })
    },
    // Nothing determines what is added to the parameters, or to the biases, of all classes.
    { label: 'softmax', problem: makeProblem({ loss: 'softmax', rows: 40 }) },
    {
      label: '2-2-3 softmax with ridge on weights',
      problem: makeProblem({ loss: 'softmax', hidden: [2], rows: 40, ridge: 0.02 })
    },
    ...(['probit', 'cloglog', 'poisson', 'gamma', 'brier'] as const).map((loss, k) => ({
      label: `3-2-1 ${loss}`,
      problem: makeProblem({
        loss,
        inputs: 3,
        hidden: [2],
        rows: 20,
        mixed: false,
        ridge: 0.05,
        penalizeBias: true,
        weighted: k % 2 === 0,
        shifted: k % 2 === 1
      })
    })),
    {
      label: '2-2-2-1 squared',
      problem: makeProblem({ loss: 'squared', hidden: [2, 2], rows: 15, ridge: 0.05, penalizeBias: true })
    }
  ]

  it.each(models)('prove minima, and never in a wrong box: $label', async ({ problem }) => {
    const objective = await prepare(problem)
    const ends = await endPoints(objective, 12, { size: 1 })
    const { theta, count } = await strictMinima(objective, ends)
    expect(count).toBeGreaterThan(0)
    const proofs = await objective.prove(theta)
    const { addon, native } = nativeProblem(problem)
    const P = objective.parameters
    const random = seeded(4)
    for (let i = 0; i < count; i++) {
      expect([proofs.status[i], proofs.index[i]]).toEqual(['proved', 0])
      expect(proofs.contraction[i]).toBeLessThanOrEqual(0.25)
      const [center, radii] = [row(proofs.theta, problem, i), row(proofs.radii, problem, i)]
      // What was refined is a fixed point: the same coordinates from themselves.
      expect([...center]).toEqual([...row(theta, problem, i)])
      expect(addon.boxHolds(native, center, radii)).toBe(true)
      for (let k = 0; k < 5; k++) {
        const moved = center.map((v, p) => v + 10 * radii[p] * (random() < 0.5 ? -1 : 1))
        expect(addon.boxHolds(native, moved, radii)).toBe(false)
      }
      // Newton's method from the corners of the box comes back to the same doubles.
      const corners = new Float64Array(8 * P).map((_, n) => center[n % P] + (random() < 0.5 ? -1 : 1) * radii[n % P])
      const back = await objective.settle(corners)
      for (let k = 0; k < 8; k++) {
        expect(back.status[k]).toBe('proved')
        if (proofs.isRounded[i]) expect([...row(back.theta, problem, k)]).toEqual([...center])
      }
    }
  })

  it.each(models)('come to the same numbers on every instruction set: $label', async ({ problem }) => {
    const ends = await endPoints(await prepare(problem), 12)
    const found = loadAddon()
    const targets = 'addon' in found ? found.addon.targets().filter(t => t.usable) : []
    const results = await Promise.all(
      targets.map(async ({ id }) => {
        const options: CpuOptions = { precision: 'f64', threads: 1, target: id }
        const { certifier } = await (await cpuEntry.load(options)).prepare(problem)
        const { status, theta, loss, isRounded } = await certifier!.settle(ends)
        return status.map((s, i) => (s === 'proved' && isRounded[i] ? [loss[i], ...row(theta, problem, i)] : s))
      })
    )
    expect(results[0].some(Array.isArray)).toBe(true)
    for (const other of results.slice(1)) expect(other).toEqual(results[0])
  })

  it('proves the index of saddles', async () => {
    // y = x₁ and θ = 0: nothing but the products (output weight) × (weight of x₁) bends f, once up and once down for each unit.
    const problem: Problem<Network> = {
      model: { ...iris2().model, inputs: 2, hidden: [2], loss: 'squared', ridge: 0.01, penalizeBias: true },
      rows: 4,
      x: Float64Array.of(-1, -1, -1, 1, 1, -1, 1, 1),
      y: Float64Array.of(-1, -1, 1, 1)
    }
    const objective = await prepare(problem)
    const P = parameterCount(problem.model)
    const origin = await objective.prove(new Float64Array(P))
    expect([origin.status[0], origin.index[0], [...origin.theta]]).toEqual(['proved', 2, [...new Float64Array(P)]])
    // Wherever else Newton's iteration for g = 0 leads: the proved index is that of H there.
    const starts = points(problem, 200, 5, 1)
    let theta = starts
    for (let k = 0; k < 30; k++) {
      const { g, H } = await objective.evaluate(theta, { g: true, H: true })
      const steps = Array.from({ length: 200 }, (_, i) => newtonStep(H!, g!, P, i))
      theta = theta.map((v, n) => v - steps[Math.floor(n / P)][n % P])
    }
    const proofs = await objective.prove(theta)
    const { H } = await objective.evaluate(theta, { H: true })
    const indices = new Set<number>()
    for (let i = 0; i < proofs.count; i++) {
      if (proofs.status[i] !== 'proved') continue
      const { values } = symmetricEigen(H!.slice(i * P * P, (i + 1) * P * P), P)
      expect(values.filter(v => v < 0).length).toBe(proofs.index[i])
      indices.add(proofs.index[i])
    }
    expect(indices.size).toBeGreaterThan(1)
  })

  it('proves nothing at a kink, beside a flat direction or where there is no stationary point', async () => {
    const flat = makeProblem({ loss: 'squared', hidden: [3], rows: 4 })
    const objective = await prepare(flat)
    const proofs = await objective.prove(points(flat, 4))
    expect(proofs.status.every(s => s !== 'proved')).toBe(true)
    const kinked = makeProblem({ loss: 'squared', hidden: [2], activation: 'relu', ridge: 0.1, penalizeBias: true })
    const dead = await (await prepare(kinked)).prove(new Float64Array(parameterCount(kinked.model)))
    expect(dead.status[0]).toBe('kink')
  })
})
