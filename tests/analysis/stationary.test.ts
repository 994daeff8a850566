import { describe, expect, it } from 'vitest'
import { describePoint } from '../../src/analysis/stationary.js'
import { covarianceRows, positiveUserEigenvalues } from '../../src/analysis/eigenvalues.js'
import { scaledCholesky, type ScaledCholesky } from '../../src/analysis/jacobi.js'
import { identityMap, plainFrame } from '../helpers/frames.js'
import { insectSprays, iris, longley } from '../../src/data/tables/tables.js'
import { symmetricEigen } from '../../src/core/linalg.js'
import { normalQuantile, Stream, uniform, words } from '../../src/core/rng.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import { columnScale, parameterCount, parameterNames } from '../../src/models/model.js'
import type { PointDetails } from '../../src/analysis/stationary.js'
import type { Objective } from '../../src/engines/types.js'
import type { Network, Problem } from '../../src/models/types.js'

const eps = Number.EPSILON
const random = (n: number, start: number): Float64Array =>
  Float64Array.from(words(23, Stream.generator, start, 0, n), w => normalQuantile(uniform(w)))

function near(actual: ArrayLike<number>, expected: readonly number[], relative: number): void {
  expect(actual.length).toBe(expected.length)
  expected.forEach((value, i) => {
    if (!(Math.abs(actual[i] - value) <= relative * Math.abs(value)))
      expect.fail(`${i}: ${actual[i]}, expected ${value}`)
  })
}

async function prepare(problem: Problem<Network>): Promise<Objective> {
  return (await referenceEntry.load({ precision: 'f64' })).prepare(problem)
}

/** Newton's method with step halving; enough for the strictly convex problems here. */
async function newton(objective: Objective): Promise<{ theta: Float64Array; H: Float64Array }> {
  const P = objective.parameters
  const scale = columnScale(objective.problem)
  let theta = new Float64Array(P)
  for (let step = 0; step < 100; step++) {
    const { f, g, H } = await objective.evaluate(theta, { g: true, H: true })
    if (!g || !H) throw new Error('no derivatives')
    const { values, vectors } = symmetricEigen(H, P, scale)
    const p = new Float64Array(P)
    for (let i = 0; i < P; i++) {
      let along = 0
      for (let k = 0; k < P; k++) along += vectors[k * P + i] * scale[k] * g[k]
      for (let k = 0; k < P; k++) p[k] -= (scale[k] * vectors[k * P + i] * along) / values[i]
    }
    let t = 1
    let next = theta
    for (; t > 1e-10; t /= 2) {
      next = theta.map((v, k) => v + t * p[k])
      const trial = (await objective.evaluate(next, {})).f[0]
      if (trial <= f[0] + 8 * eps * Math.abs(f[0])) break
    }
    const size = Math.max(...p.map((v, k) => Math.abs(v) / Math.max(1, Math.abs(theta[k]))))
    theta = Float64Array.from(next)
    if (size < 1e-13) break
  }
  const { H } = await objective.evaluate(theta, { g: true, H: true })
  if (!H) throw new Error('no Hessian')
  return { theta, H }
}

async function describeMinimum(problem: Problem<Network>): Promise<PointDetails & { theta: Float64Array }> {
  const { theta, H } = await newton(await prepare(problem))
  const names = parameterNames(problem.model, [])
  return { ...describePoint({ frame: plainFrame(problem.model), problem, theta, H, names }), theta }
}

const glm = (inputs: number, loss: Network['loss']): Network => ({
  kind: 'network',
  inputs,
  hidden: [],
  outputs: 1,
  activation: 'tanh',
  loss,
  bias: true,
  ridge: 0,
  penalizeBias: false
})

/** Of the matrix of a factor, as the Hessian of a model without bias. */
const plain = (n: number): Network => ({ ...glm(n, 'logistic'), bias: false })
const positiveEigenvalues = (factor: ScaledCholesky): Float64Array =>
  positiveUserEigenvalues(
    plain(factor.n),
    { toUser: identityMap(plain(factor.n)), fromUser: identityMap(plain(factor.n)) },
    factor
  )
const inverseDiagonal = (factor: ScaledCholesky): Float64Array => {
  const { n } = factor
  const rows = covarianceRows(plain(n), identityMap(plain(n)), factor)
  return Float64Array.from({ length: n }, (_, p) => rows.reduce((sum, v, at) => (at % n === p ? sum + v * v : sum), 0))
}

const cells = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.replaceAll('"', '').split(','))

describe('badly scaled positive definite matrices', () => {
  // H = D A D with A = tridiag(−1, 2, −1), whose inverse is min(i, j)(n + 1 − max(i, j))/(n + 1): the inverse and the sum of reciprocal
  // eigenvalues (dominated by the tiniest) are known in closed form whatever D. The condition of A scaled to unit diagonal is
  // below n².
  const n = 8
  const D = Float64Array.from({ length: n }, (_, i) => 10 ** (((i * 5) % n) * 3 - 12))
  const H = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return D[i] * D[j] * (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)
  })
  const inverse = Array.from({ length: n }, (_, i) => ((i + 1) * (n - i)) / (n + 1) / D[i] ** 2)
  const tolerance = 8 * n * n * n * eps

  it('have their inverse to high relative accuracy', () => {
    const factor = scaledCholesky(H, n)
    if (!factor) return expect.fail('not positive definite')
    near(inverseDiagonal(factor), inverse, tolerance)
  })

  it('have all their eigenvalues to high relative accuracy, over 42 orders of magnitude', () => {
    const factor = scaledCholesky(H, n)
    if (!factor) return expect.fail('not positive definite')
    const values = positiveEigenvalues(factor)
    expect(values[n - 1] / values[0]).toBeGreaterThan(1e40)
    near([values.reduce((sum, v) => sum + 1 / v, 0)], [inverse.reduce((a, b) => a + b, 0)], tolerance)
    near([values.reduce((sum, v) => sum + v, 0)], [2 * D.reduce((sum, d) => sum + d * d, 0)], tolerance)
    // det A = n + 1; logarithms keep the product in range.
    const logs = values.reduce((sum, v) => sum + Math.log(v), 0)
    const expected = Math.log(n + 1) + 2 * D.reduce((sum, d) => sum + Math.log(d), 0)
    if (!(Math.abs(logs - expected) <= n * tolerance)) expect.fail(`${logs - expected}`)
  })

  it('agree with the QL iteration where that is accurate', () => {
    const B = random(100, 1)
    const S = Float64Array.from({ length: 100 }, (_, at) => {
      let sum = at % 11 === 0 ? 1 : 0
      for (let k = 0; k < 10; k++) sum += B[Math.floor(at / 10) * 10 + k] * B[(at % 10) * 10 + k]
      return sum
    })
    const factor = scaledCholesky(S, 10)
    if (!factor) return expect.fail('not positive definite')
    // The smallest eigenvalue is at least 1, the largest below the trace.
    const trace = S.reduce((sum, v, at) => (at % 11 === 0 ? sum + v : sum), 0)
    near(positiveEigenvalues(factor), Array.from(symmetricEigen(S, 10).values), 100 * eps * trace)
  })

  it('are refused when they are not positive definite', () => {
    expect(scaledCholesky(Float64Array.from([1, 2, 2, 1]), 2)).toBeUndefined()
    expect(scaledCholesky(Float64Array.from([1, 1, 1, 1]), 2)).toBeUndefined()
    expect(scaledCholesky(Float64Array.from([1, 0, 0, -1]), 2)).toBeUndefined()
  })
})

describe('standard errors', () => {
  it('of logistic regression on iris2, unstandardised (R glm)', async () => {
    const rows = cells(iris).slice(50)
    const problem: Problem<Network> = {
      model: glm(4, 'logistic'),
      rows: 100,
      x: Float64Array.from(rows.flatMap(r => r.slice(0, 4).map(Number))),
      y: Float64Array.from(rows, r => (r[4] === 'virginica' ? 1 : 0))
    }
    const point = await describeMinimum(problem)
    // R's own digits: its standard errors are taken at the last but one iterate.
    near(point.standardErrors ?? [], [25.707660833, 2.3943010185, 4.4795645666, 4.7372077003, 9.7426121398], 1e-8)
    expect([point.index, point.nullity, point.flatParameters.length]).toEqual([0, 0, 0])
    expect(point.eigenvalues[0]).toBeGreaterThan(0)
    // Doubling every weight halves the variance and leaves the minimiser alone.
    const doubled = await describeMinimum({ ...problem, weight: new Float64Array(100).fill(2) })
    near(doubled.standardErrors?.map(v => v * Math.SQRT2) ?? [], [...(point.standardErrors ?? [])], 1e-9)
  })

  it('of Poisson regression with a factor (R glm, InsectSprays)', async () => {
    const rows = cells(insectSprays)
    const levels = [...new Set(rows.map(r => r[1]))].sort().slice(1)
    const problem: Problem<Network> = {
      model: glm(5, 'poisson'),
      rows: rows.length,
      x: Float64Array.from(rows.flatMap(r => levels.map(level => (r[1] === level ? 1 : 0)))),
      y: Float64Array.from(rows, r => Number(r[0]))
    }
    const point = await describeMinimum(problem)
    const expected = [0.0758098044, 0.1057445462, 0.2138857789, 0.1506528426, 0.1719204765, 0.1036683483]
    near(point.standardErrors ?? [], expected, 1e-9)
  })

  it('of a straight line by least squares, from the closed form', async () => {
    const x = [1, 2, 3, 4, 10]
    const y = [1, 3, 2, 5, 9]
    const problem: Problem<Network> = {
      model: glm(1, 'squared'),
      rows: 5,
      x: Float64Array.from(x),
      y: Float64Array.from(y)
    }
    const point = await describeMinimum(problem)
    // mean x = 4, Sxx = 50, mean y = 4, Sxy = 43: slope 0.86, intercept 0.56; RSS = Syy − Sxy²/Sxx = 40 − 36.98 = 3.02.
    const variance = 3.02 / 3
    near(point.theta, [0.56, 0.86], 1e-13)
    near(point.standardErrors ?? [], [Math.sqrt(variance * (1 / 5 + 16 / 50)), Math.sqrt(variance / 50)], 1e-12)
  })

  it('of the Longley data (NIST certified; R units)', async () => {
    const rows = cells(longley).map(r => r.slice(-7).map(Number))
    const problem: Problem<Network> = {
      model: glm(6, 'squared'),
      rows: 16,
      x: Float64Array.from(rows.flatMap(r => r.slice(0, 6))),
      y: Float64Array.from(rows, r => r[6])
    }
    const point = await describeMinimum(problem)
    // NIST gives the coefficients for y in thousands of these units and columns in other powers of ten.
    const nist = [
      890420.383607373, 84.9149257747669, 0.334910077722432e-1, 0.488399681651699, 0.214274163161675, 0.22607320006937,
      455.478499142212
    ]
    const units = [1e-3, 1e-3, 1, 1e-2, 1e-2, 1, 1e-3]
    // Columns scaled to unit length have the condition number 4.3e4 (Belsley, Kuh & Welsch 1980); it enters H squared.
    near(
      point.standardErrors ?? [],
      nist.map((v, i) => v * units[i]),
      7 * 16 * eps * 43275 ** 2
    )
  })

  it('of a gamma mean, from the closed form', async () => {
    const y = [1, 2, 3, 6]
    const problem: Problem<Network> = {
      model: glm(1, 'gamma'),
      rows: 4,
      x: Float64Array.from([-1, 1, 1, -1]),
      y: Float64Array.from(y)
    }
    const point = await describeMinimum(problem)
    // Two groups: means 3.5 and 2.5; φ = [2 (2.5/3.5)² + 2 (0.5/2.5)²] / 2. Observed information per group mean on the log scale
    // is 2, so both coefficients, half the sum and half the difference of two logs, have variance φ/4.
    const phi = (2.5 / 3.5) ** 2 + 0.2 ** 2
    near(point.standardErrors ?? [], [Math.sqrt(phi / 4), Math.sqrt(phi / 4)], 1e-11)
  })

  it('are withheld with a reason: no likelihood, ridge, not strict, no degrees of freedom', () => {
    const H = Float64Array.from([1, 0, 0, 1])
    const ask = (network: Network, rows: number, matrix = H): string | undefined => {
      const problem: Problem<Network> = {
        model: network,
        rows,
        x: new Float64Array(rows).fill(1),
        y: new Float64Array(rows).fill(1)
      }
      const point = describePoint({
        frame: plainFrame(problem.model),
        problem,
        theta: new Float64Array(2),
        H: matrix,
        names: ['a', 'b']
      })
      expect(point.standardErrors).toBeUndefined()
      return point.standardErrorsReason
    }
    expect(ask(glm(1, 'brier'), 5)).toMatch(/no likelihood/)
    expect(ask({ ...glm(1, 'logistic'), ridge: 0.1 }, 5)).toMatch(/ridge/)
    expect(ask(glm(1, 'logistic'), 5, Float64Array.from([1, 1, 1, 1]))).toMatch(/not a strict minimum/)
    expect(ask(glm(1, 'squared'), 2)).toMatch(/no more rows/)
  })
})

describe('flat directions', () => {
  const D = 3
  const N = 40
  const base: Network = { ...glm(D, 'squared'), hidden: [2] }
  const x = random(N * D, 7)

  /** The point θ, made stationary by targets equal to the network's outputs: f = 0, so H is the Gauss-Newton matrix, and flat where z is. */
  async function at(network: Network, theta: Float64Array, y?: Float64Array): Promise<PointDetails> {
    const { outputs } = await import('../../src/models/outputs.js')
    const blank: Problem<Network> = { model: network, rows: N, x, y: new Float64Array(N) }
    const problem = { ...blank, y: y ?? outputs(blank, theta) }
    const { H } = await (await prepare(problem)).evaluate(theta, { g: true, H: true })
    if (!H) throw new Error('no Hessian')
    return describePoint({
      frame: plainFrame(problem.model),
      problem,
      theta,
      H,
      names: parameterNames(network, ['x1', 'x2', 'x3'])
    })
  }

  it('of a generic tanh network: none', async () => {
    const point = await at(base, random(parameterCount(base), 1))
    expect([point.index, point.nullity, point.nullityExplained]).toEqual([0, 0, 0])
  })

  it('of a unit without outgoing weights: its four incoming parameters', async () => {
    const theta = random(parameterCount(base), 2)
    theta[10] = 0
    const point = await at(base, theta)
    expect([point.nullity, point.nullityExplained]).toEqual([4, 4])
    expect(point.flatParameters).toEqual(
      ['h2:(Intercept)', 'h2:x1', 'h2:x2', 'h2:x3'].map(name => name.replace('h2', 'h1.2'))
    )
  })

  it('of a constant unit: output weight, its bias and the bias above are confounded, two directions', async () => {
    const theta = random(parameterCount(base), 3)
    theta.fill(0, 5, 8)
    const point = await at(base, theta)
    expect([point.nullity, point.nullityExplained]).toEqual([2, 2])
    expect(point.flatParameters).toEqual(['h1.2:(Intercept)', 'out:(Intercept)', 'out:h1.2'])
  })

  it('of twin units: their outgoing weights, and incoming ones weighted against each other', async () => {
    const theta = random(parameterCount(base), 4)
    theta.set(
      theta.slice(0, 4).map(v => -v),
      4
    )
    const point = await at(base, theta)
    // Equal up to sign: to first order, z depends on v₁φ(u) − v₂φ(u) only: 1 + 4 directions, of which one is exact for all distances.
    expect(point.nullity).toBe(5)
    expect(point.nullityExplained).toBe(1)
  })

  it('of identity units: mixing and shifts', async () => {
    const network = { ...base, activation: 'identity' as const }
    const point = await at(network, random(parameterCount(network), 5))
    // z is one linear function of the inputs (4 numbers) of 11 parameters; h² + h = 6 continuous symmetries are exact.
    expect(point.nullity).toBe(7)
    expect(point.nullityExplained).toBe(6)
  })

  it('of relu units: one scaling each', async () => {
    const network = { ...base, activation: 'relu' as const }
    const point = await at(network, random(parameterCount(network), 6))
    expect([point.nullity, point.nullityExplained]).toEqual([2, 2])
  })

  it('of softmax: none for the number that may be added to all outputs, with a ridge and without', async () => {
    const network: Network = { ...base, hidden: [], outputs: 3, loss: 'softmax' }
    const y = Float64Array.from({ length: N }, (_, i) => i % 3)
    const theta = random(12, 8)
    const free = await at(network, theta, y)
    expect([free.nullity, free.nullityExplained, free.eigenvalues.length]).toEqual([0, 0, 8])
    const ridge = await at({ ...network, ridge: 0.1 }, theta, y)
    expect([ridge.nullity, ridge.nullityExplained, ridge.eigenvalues.length]).toEqual([0, 0, 11])
    const all = await at({ ...network, ridge: 0.1, penalizeBias: true }, theta, y)
    expect([all.nullity, all.eigenvalues.length]).toEqual([0, 12])
    for (const { eigenvalues, flatParameters } of [free, ridge, all]) {
      expect(eigenvalues[0]).toBeGreaterThan(1e-4)
      expect(flatParameters).toEqual([])
    }
  })

  it('that no symmetry explains: a column twice', async () => {
    const doubled = x.map((_, at) => x[at % D === 2 ? at - 1 : at])
    const network = { ...base, hidden: [] }
    const problem: Problem<Network> = { model: network, rows: N, x: doubled, y: random(N, 9) }
    const theta = random(4, 9)
    const { H } = await (await prepare(problem)).evaluate(theta, { g: true, H: true })
    if (!H) return expect.fail('no Hessian')
    const point = describePoint({
      frame: plainFrame(problem.model),
      problem,
      theta,
      H,
      names: ['(Intercept)', 'a', 'b', 'c']
    })
    expect([point.nullity, point.nullityExplained, point.flatParameters]).toEqual([1, 0, ['b', 'c']])
  })

  it('counts negative eigenvalues of a saddle', () => {
    const problem: Problem<Network> = {
      model: glm(1, 'brier'),
      rows: 1,
      x: Float64Array.from([1]),
      y: Float64Array.from([1])
    }
    const H = Float64Array.from([1, 2, 2, 1])
    const point = describePoint({
      frame: plainFrame(problem.model),
      problem,
      theta: new Float64Array(2),
      H,
      names: ['a', 'b']
    })
    expect(point.index).toBe(1)
    near(point.eigenvalues, [-1, 3], 8 * eps)
  })
})
