// Minima of relu networks that lie on kinks, beside brute force: a scan that solves one unit for every direction of it, and searches around
// each point that look at values of f alone.
import { describe, expect, it } from 'vitest'
import { signOf, valueOf, withinLength } from '../../src/analysis/kinks/cones.js'
import { Pieces } from '../../src/analysis/kinks/pieces.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { verdicts } from '../../src/core/result.js'
import { evaluatorOf } from '../../src/engines/reference/evaluator.js'
import type { Network, Problem } from '../../src/models/types.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
import { study } from '../../src/study/study.js'
import { csv } from '../helpers/files.js'
import { seeded } from '../helpers/judge.js'
import { searchAround } from '../helpers/search.js'
import { expectAllClose, expectClose, tolerance } from '../helpers/tolerance.js'

const next = seeded(31)
const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
const whole = (n: number): number => Math.floor(n * next())

/**
 * Losses of all strict minima of c + v·relu(b + w x) on rows (x, y), squared loss, a ridge on all. With (b, w) = a (cos φ, sin φ) and
 * m = a v, the ridge is least at λ |m|, so that what remains is a lasso problem for each φ:
 * F(φ) = ½ (mean y² − ȳ²/(1 + λ)) − ½ max(0, |B| − λ)² / A, A = mean h² − h̄²/(1 + λ), B = mean hy − h̄ȳ/(1 + λ).
 */
function scanOneUnit(x: readonly number[], y: readonly number[], ridge: number): number[] {
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length
  const none = 0.5 * (mean(y.map(v => v * v)) - mean(y) ** 2 / (1 + ridge))
  const F = (phi: number): number => {
    const h = x.map(v => Math.max(0, Math.cos(phi) + Math.sin(phi) * v))
    const A = mean(h.map(v => v * v)) - mean(h) ** 2 / (1 + ridge)
    const B = mean(h.map((v, i) => v * y[i])) - (mean(h) * mean(y)) / (1 + ridge)
    return A > 0 ? none - (0.5 * Math.max(0, Math.abs(B) - ridge) ** 2) / A : none
  }
  const grid = 20000
  const step = (2 * Math.PI) / grid
  const values = Array.from({ length: grid }, (_, k) => F(k * step))
  const list: number[] = []
  values.forEach((value, k) => {
    const [left, right] = [values[(k + grid - 1) % grid], values[(k + 1) % grid]]
    if (!(value < none && value <= left && value < right)) return
    // Golden section, which does not mind a kink.
    let [low, high] = [(k - 1) * step, (k + 1) * step]
    for (let i = 0; i < 80; i++) {
      const [a, b] = [high - 0.6180339887498949 * (high - low), low + 0.6180339887498949 * (high - low)]
      if (F(a) < F(b)) high = b
      else low = a
    }
    list.push(F(0.5 * (low + high)))
  })
  // A unit that can do nothing leaves a minimum where it is 0.
  if (Math.min(...values) >= none) list.push(none)
  return list.sort((a, b) => a - b)
}

describe('one unit, beside a scan of all its directions', () => {
  const cases = Array.from({ length: 8 }, (_, n) => {
    const rows = 4 + whole(5)
    const x = Array.from({ length: rows }, () => (n % 2 === 0 ? whole(7) - 3 : 2 * normal()))
    const y = x.map(v => (n % 3 === 0 ? 1 : -1) * Math.abs(v) + 0.7 * normal())
    const optimizer: 'newton' | 'lbfgs' = n % 2 === 0 ? 'newton' : 'lbfgs'
    return { n, x, y, ridge: [0.005, 0.02, 0.1][n % 3], optimizer }
  }).filter(({ x }) => new Set(x).size > 1)

  it.each(cases)('%#: minima are those of the scan, and no more', async ({ n, x, y, ridge, optimizer }) => {
    const table = csv(
      `unit-${n}.csv`,
      ['x', 'y'],
      x.map((v, i) => [v, y[i]])
    )
    const { minima, verdicts } = await study({
      data: { csv: table, target: 'y' },
      model: { hidden: [1], activation: 'relu', loss: 'squared', ridge, penalizeBias: true },
      starts: { count: 100, init: { normal: 2 } },
      optimizer
    })
    const known = scanOneUnit(x, y, ridge)
    expect(verdicts.unfinished).toBeLessThanOrEqual(10)
    expect(verdicts.minimum).toBeGreaterThan(0)
    expectClose(minima[0].loss, known[0], 1e-9, 'the best')
    for (const { loss, gradientNorm } of minima) {
      expect(Math.min(...known.map(v => Math.abs(v - loss)))).toBeLessThan(1e-9)
      expect(gradientNorm).toBeLessThan(1e-9)
    }
  })
})

describe('small networks, beside searches around each point', () => {
  const cases = Array.from({ length: 20 }, (_, n) => {
    const D = 1 + (n % 2)
    const rows = 4 + whole(5)
    const X = Array.from({ length: rows }, () =>
      Array.from({ length: D }, () => (n % 3 === 0 ? whole(4) - 1.5 : normal()))
    )
    const y = X.map(x => Math.abs(x[0]) + 0.5 * normal())
    const bias = n % 5 !== 4
    const model = {
      hidden: n % 7 === 6 ? [2, 2] : [2 + (n % 2)],
      activation: 'relu',
      loss: 'squared',
      ridge: [0, 0.001, 0.01, 0.05][n % 4],
      bias,
      penalizeBias: bias && n % 3 !== 1
    }
    return { n, X, y, model, optimizer: n % 2 === 0 ? 'newton' : 'lbfgs' }
  }).filter(({ X }) => X[0].every((_, d) => new Set(X.map(x => x[d])).size > 1))

  it.each(cases)('%#: nothing lower lies around a minimum', async ({ n, X, y, model, optimizer }) => {
    const names = [...X[0].map((_, d) => `x${d}`), 'y']
    const table = csv(
      `small-${n}.csv`,
      names,
      X.map((x, i) => [...x, y[i]])
    )
    const raw = {
      data: { csv: table, target: 'y' },
      model,
      starts: { count: 40, seed: 1 + n },
      optimizer,
      engine: 'cpu'
    }
    const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
    const evaluator = evaluatorOf(setup.problem)
    const P = evaluator.parameters
    const f = (theta: Float64Array): number => evaluator.evaluate(theta)
    let open = 0
    const looked = new Map<string, number>()
    for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 40 }))) {
      const judged = await judgeRuns(setup.judge, block.theta, block, block.count)
      for (let i = 0; i < block.count; i++) {
        const verdict = verdicts[judged.verdict[i]]
        if (verdict === 'unfinished') open++
        if (verdict !== 'minimum' && verdict !== 'degenerate') continue
        const key = `${verdict} ${judged.loss[i].toPrecision(8)}`
        looked.set(key, (looked.get(key) ?? 0) + 1)
        if (looked.get(key)! > 2) continue
        const theta = judged.theta.slice(i * P, (i + 1) * P)
        const loss = f(theta)
        expectClose(judged.loss[i], loss, tolerance('f64', 100, Math.max(1, loss)), 'loss')
        // A flat valley may lead to a place from which it goes down; that may be near, but not at hand.
        for (const radius of verdict === 'minimum' ? [1e-2, 1e-4] : [1e-5])
          expect(
            loss - searchAround(f, theta, radius, next),
            `start ${block.start[i]} is ${verdict}`
          ).toBeLessThanOrEqual(tolerance('f64', 100, Math.max(1, loss)))
      }
    }
    setup.dispose()
    expect(open).toBeLessThanOrEqual(model.hidden.length > 1 ? 40 : 20)
  })
})

describe('one unit, at the end of a flat valley on a kink', () => {
  // Where all rows are on one side, shifts of a free bias are taken up by the output's, until a row meets its kink: beyond f rises, whatever
  // its curvature there.
  it.each(Array.from({ length: 8 }, (_, n) => n))('%i: something lower lies beside every saddle', async n => {
    const rows = 6 + n
    const x = Array.from({ length: rows }, (_, i) => -2 + (4 * i) / (rows - 1))
    const columns = { x, y: x.map(v => v ** (2 + (n % 2)) + 0.2 * normal()) }
    const raw = {
      data: { columns, target: 'y' },
      model: { hidden: [1], activation: 'relu', loss: 'squared', ridge: n % 4 === 0 ? 0 : 0.01 },
      starts: { count: 40, seed: 1 + n },
      engine: 'cpu'
    }
    const setup = await setUp(resolveConfig(raw, 'the test'), { threads: 1 })
    const evaluator = evaluatorOf(setup.problem)
    const P = evaluator.parameters
    const f = (theta: Float64Array): number => evaluator.evaluate(theta)
    const inputs = setup.problem.x
    for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: 40 }))) {
      const { verdict, theta } = await judgeRuns(setup.judge, block.theta, block, block.count)
      const seen = new Set<string>()
      for (let i = 0; i < block.count; i++) {
        const at = theta.slice(i * P, (i + 1) * P)
        const key = f(at).toPrecision(8)
        if (verdicts[verdict[i]] !== 'saddle' || seen.has(key)) continue
        seen.add(key)
        // All around, and along each kink that the point may lie on, where the bias goes with the weight.
        const near = [...inputs].filter(v => Math.abs(at[0] + at[1] * v) < 1e-6 * Math.max(1, Math.abs(at[0])))
        const along = near.map(v => (t: Float64Array) => f(t.with(0, -t[1] * v)))
        const lower = [f, ...along].map(g => f(at) - searchAround(g, at, 1e-2, next, 3000))
        expect(Math.max(...lower), `start ${block.start[i]}`).toBeGreaterThan(1e-13)
      }
    }
    setup.dispose()
  })
})

describe('pieces', () => {
  it.each([[[3]], [[3, 2]]])('%j: value, gradient and Hessian are those of the reference away from kinks', hidden => {
    for (const loss of ['squared', 'softmax'] as const) {
      const N = 9
      const network = {
        kind: 'network' as const,
        inputs: 2,
        hidden,
        outputs: loss === 'softmax' ? 3 : 1,
        activation: 'relu' as const,
        loss,
        bias: true,
        ridge: 0.01,
        penalizeBias: false
      }
      const x = Float64Array.from({ length: 2 * N }, normal)
      // Two rows with the same inputs.
      x.set(x.subarray(0, 2), 2)
      const problem: Problem<Network> = {
        model: network,
        rows: N,
        x,
        y: Float64Array.from({ length: N }, () => (loss === 'softmax' ? whole(3) : normal())),
        weight: Float64Array.from({ length: N }, () => whole(3)),
        ...(loss === 'softmax' ? {} : { offset: Float64Array.from({ length: N }, normal) })
      }
      const pieces = new Pieces(problem)
      const reference = evaluatorOf(problem)
      const P = reference.parameters
      const theta = Float64Array.from({ length: P }, normal)
      const [g, H, ownG, ownH] = [P, P * P, P, P * P].map(n => new Float64Array(n))
      const value = reference.evaluate(theta, g, H)
      expectClose(pieces.at(theta, new Uint8Array(pieces.pairs)), value, tolerance('f64', 200, 10), 'f')
      pieces.gradient(ownG)
      pieces.hessian(ownH, new Float64Array(pieces.pairs))
      expectAllClose(ownG, g, tolerance('f64', 500, 10), 'g')
      expectAllClose(ownH, H, tolerance('f64', 500, 100), 'H')
    }
  })
})

describe('positively homogeneous functions', () => {
  const vector = (n: number): Float64Array => Float64Array.from({ length: n }, normal)

  it('signs agree with the values on many directions, and are hardly ever left open', () => {
    let open = 0
    for (let n = 1; n <= 4; n++)
      for (let repeat = 0; repeat < 12; repeat++) {
        const kinks = n + whole(6)
        const h = {
          p: vector(n).map(v => 0.3 * v),
          c: Array.from({ length: kinks }, () => normal() + 1),
          a: Array.from({ length: kinks }, () => vector(n))
        }
        const found = signOf(h, 1e-9)
        const values = Array.from({ length: 2000 }, () => {
          const d = vector(n)
          return valueOf(h, d) / Math.hypot(...d)
        })
        if (found.sign === 'open') open++
        if (found.sign === 'positive') expect(Math.min(...values)).toBeGreaterThan(0)
        if (found.sign === 'negative') expect(valueOf(h, found.direction)).toBeLessThan(0)
        if (Math.min(...values) < -1e-3) expect(found.sign).toBe('negative')
      }
    expect(open).toBeLessThanOrEqual(4)
  })

  it('sizes agree with the values, on both sides of the limit', () => {
    for (let n = 1; n <= 3; n++)
      for (let repeat = 0; repeat < 8; repeat++) {
        const raw = Array.from({ length: 1 + whole(2) }, () => ({
          p: new Float64Array(n),
          c: Array.from({ length: 5 }, normal),
          a: Array.from({ length: 5 }, () => vector(n))
        }))
        let most = 0
        for (let k = 0; k < 4000; k++) {
          const d = vector(n)
          const square = raw.reduce((sum, h) => sum + valueOf(h, d) ** 2, 0) / d.reduce((sum, v) => sum + v * v, 0)
          most = Math.max(most, square)
        }
        const times = (s: number) => raw.map(h => ({ ...h, c: h.c.map(v => v * s) }))
        expect(withinLength(times(1.01 / Math.sqrt(most)), [], 1e-6).size).toBe('above')
        expect(['below', 'open']).toContain(withinLength(times(0.9 / Math.sqrt(most)), [], 1e-6).size)
        expect(withinLength(times(0.5 / Math.sqrt(most)), [], 1e-6).size).toBe('below')
      }
  })
})
