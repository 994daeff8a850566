// Following runs on along narrow curved valleys: what is computed there, where it leads, and what that says of ways to infinity.
import { describe, expect, it } from 'vitest'
import { Residuals, hasResiduals } from '../../src/analysis/residuals.js'
import { goDown, isBesideFit } from '../../src/analysis/valley.js'
import { valleysOf } from '../../src/analysis/valleys.js'
import { referenceEntry } from '../../src/engines/reference/index.js'
import { activationTable } from '../../src/models/activations.js'
import { parameterCount } from '../../src/models/model.js'
import { outputs } from '../../src/models/outputs.js'
import type { Network, Problem } from '../../src/models/types.js'
import { seeded } from '../helpers/judge.js'
import { familyCases, points } from '../helpers/problems.js'
import { study } from '../helpers/study.js'
import { epsOf, expectClose } from '../helpers/tolerance.js'

const ones = (problem: Problem<Network>): Float64Array => new Float64Array(parameterCount(problem.model)).fill(1)
const columnsOf = (residuals: Residuals): Float64Array[] =>
  Array.from({ length: residuals.parameters }, () => new Float64Array(residuals.count))
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

describe('residuals', () => {
  const cases = familyCases().filter(({ problem }) => hasResiduals(problem))

  it('are had by networks of smooth units with strictly convex losses and without a penalty', () => {
    expect(cases.length).toBeGreaterThan(10)
    for (const { problem } of cases) {
      expect(activationTable[problem.model.activation].smooth).toBe(true)
      expect(problem.model.ridge).toBe(0)
    }
  })

  it.each(cases)('$label: agree with loss, gradient and curvature along directions', async ({ problem }) => {
    const P = parameterCount(problem.model)
    const scale = Float64Array.from({ length: P }, (_, p) => 2 ** ((p % 5) - 2))
    const residuals = new Residuals(problem, scale)
    const objective = await (await referenceEntry.load({ precision: 'f64' })).prepare(problem)
    const theta = points(problem, 3)
    const { f, g, H } = await objective.evaluate(theta, { g: true, H: true })
    const columns = columnsOf(residuals)
    const next = seeded(5)
    const direction = Float64Array.from({ length: P }, () => 2 * next() - 1)
    const bend = new Float64Array(residuals.count)
    const { linear } = residuals
    const outer = linear.map(() => new Float64Array(residuals.count).fill(NaN))
    for (let n = 0; n < 3; n++) {
      const here = residuals.blank()
      residuals.evaluate(theta.slice(n * P, (n + 1) * P), here)
      residuals.differentiate(here, columns)
      if (linear.length > 0) residuals.differentiateOutputs(here, outer)
      linear.forEach((p, k) => {
        const isSame = outer[k].every((v, row) => v === columns[p][row])
        expect(isSame, `column of output parameter ${p}`).toBe(true)
      })
      residuals.bendAlong(here, direction, bend)
      const terms = 64 * residuals.count * P * epsOf.f64
      const size = Math.max(1, Math.abs(f[n]))
      expectClose(here.loss, f[n], terms * size, 'loss')
      const r = Math.sqrt(dot(here.r, here.r))
      for (let p = 0; p < P; p++)
        expectClose(
          dot(columns[p], here.r),
          scale[p] * g![n * P + p],
          terms * Math.max(size, r * Math.sqrt(dot(columns[p], columns[p]))),
          `gradient ${p}`
        )
      const moved = Float64Array.from(here.r, (_, i) =>
        columns.reduce((sum, column, p) => sum + column[i] * direction[p], 0)
      )
      let along = 0
      let most = 0
      for (let p = 0; p < P; p++)
        for (let q = 0; q < P; q++) {
          const term = H![(n * P + p) * P + q] * direction[p] * scale[p] * direction[q] * scale[q]
          along += term
          most += Math.abs(term)
        }
      expectClose(
        dot(moved, moved) + dot(here.r, bend),
        along,
        terms * (size + most + r * Math.sqrt(dot(bend, bend))),
        'curvature'
      )
    }
    objective.dispose()
  })
})

/** One row an input of `x`, for one hidden layer. */
const curve = (x: readonly number[], f: (x: number) => number, units: number): Problem<Network> => ({
  model: {
    kind: 'network',
    inputs: 1,
    outputs: 1,
    hidden: [units],
    activation: 'tanh',
    loss: 'squared',
    bias: true,
    ridge: 0,
    penalizeBias: false
  },
  rows: x.length,
  x: Float64Array.from(x),
  y: Float64Array.from(x, f)
})
const spread = (N: number, from: number, to: number): number[] =>
  Array.from({ length: N }, (_, i) => from + ((to - from) * i) / (N - 1))

describe('going down', () => {
  it('never goes up, and comes to what a teacher of two nearly equal units gives, beside which valleys are narrow', () => {
    const next = seeded(71)
    const between = (low: number, high: number): number => low + (high - low) * next()
    for (let repeat = 0; repeat < 12; repeat++) {
      const [w, b] = [between(0.8, 1.6), between(-0.4, 0.4)]
      const gap = between(0.2, 0.4)
      const teacher = [b, w, b + gap, w - gap, between(-1, 1), 1, between(-1.5, -0.5)]
      const blank = curve(spread(15, -2, 2), () => 0, 2)
      const problem = { ...blank, y: outputs(blank, Float64Array.from(teacher)) }
      const residuals = new Residuals(problem, ones(problem))
      const start = Float64Array.from(teacher, v => v + between(-0.15, 0.15))
      let before = Infinity
      for (const projects of [false, true]) {
        before = Infinity
        for (const steps of [0, 5, 20, 80, 320]) {
          const { loss, theta } = goDown(residuals, start, steps, projects)
          const here = residuals.blank()
          residuals.evaluate(theta, here)
          expect(here.loss).toBe(loss)
          expect(loss).toBeLessThanOrEqual(before)
          before = loss
        }
        expect(before, `teacher ${teacher.join()}`).toBeLessThan(1e-24)
      }
    }
  })

  it('with the best parameters of the outputs leaves nothing that these could take away, of one output or several', () => {
    const next = seeded(74)
    for (let repeat = 0; repeat < 12; repeat++) {
      const [rows, C] = [8 + repeat, 1 + (repeat % 3)]
      const blank = curve(spread(rows, -2, 2), () => 0, 3)
      const y = Float64Array.from({ length: rows * C }, () => 2 * next() - 1)
      const weight = repeat % 2 === 0 ? {} : { weight: Float64Array.from({ length: rows }, () => next()) }
      const problem = { ...blank, ...weight, model: { ...blank.model, outputs: C }, y }
      const residuals = new Residuals(problem, ones(problem))
      const start = Float64Array.from({ length: residuals.parameters }, () => 2 * next() - 1)
      const { theta, path } = goDown(residuals, start, 5, true)
      const here = residuals.blank()
      residuals.evaluate(theta, here)
      const columns = columnsOf(residuals)
      residuals.differentiate(here, columns)
      const length = (v: ArrayLike<number>): number => Math.sqrt(dot(v, v))
      expect(path.map(({ radius }) => radius)).toEqual(path.map(({ radius }) => radius).sort((a, b) => a - b))
      for (const p of residuals.linear)
        expectClose(
          dot(columns[p], here.r),
          0,
          1e-9 * length(columns[p]) * (length(here.r) + 1),
          `case ${repeat}: output ${p}`
        )
    }
  })

  it('stays where nothing can be computed', () => {
    const problem = curve([0, 1, 2], x => x, 1)
    const start = Float64Array.of(NaN, 1, 0, 1)
    expect([...goDown(new Residuals(problem, ones(problem)), start, 50).theta]).toEqual([...start])
  })
})

describe('a point that fits all rows', () => {
  const next = seeded(73)
  const between = (low: number, high: number): number => low + (high - low) * next()

  it('is near where a short step removes all residuals, and not where rows lie in tails of units', () => {
    for (let repeat = 0; repeat < 12; repeat++) {
      const x = spread(5, -1, 1).map(v => v + between(-0.1, 0.1))
      const theta = Float64Array.from({ length: 7 }, () => between(0.3, 1.5) * (next() < 0.5 ? -1 : 1))
      const blank = curve(x, () => 0, 2)
      const fit = { ...blank, y: outputs(blank, theta).map(z => z + between(-1e-12, 1e-12)) }
      expect(isBesideFit(new Residuals(fit, ones(fit)), theta)).toBe(true)
      // A step between two rows each: what is left of these is below 1e-8, and no finite weights remove it.
      const w = between(30, 40)
      const step = curve([-1, -0.5, 0.5, 1], v => Math.sign(v), 1)
      expect(isBesideFit(new Residuals(step, ones(step)), Float64Array.of(0, w, 0, 1))).toBe(false)
    }
  })
})

describe('a unit that becomes a line', () => {
  /** The unit's weight, and the line by least squares beside it, as weights that grow. */
  const asLine = (problem: Problem<Network>, w: number): Float64Array => {
    const { x, y, rows } = problem
    const mean = (v: ArrayLike<number>): number => Array.from(v).reduce((s, a) => s + a, 0) / rows
    const [mx, my] = [mean(x), mean(y)]
    const slope =
      Array.from(x).reduce((s, v, i) => s + (v - mx) * (y[i] - my), 0) /
      Array.from(x).reduce((s, v) => s + (v - mx) ** 2, 0)
    return Float64Array.of(-w * mx, w, my, slope / w)
  }
  const end = (f: (x: number) => number, x: readonly number[]): boolean => {
    const problem = curve(x, f, 1)
    const theta = asLine(problem, 1e-4)
    const here = new Residuals(problem, ones(problem)).blank()
    new Residuals(problem, ones(problem)).evaluate(theta, here)
    // What the line leaves is the limit, as the unit's own cubic term is below 1e-8 of its slope.
    return valleysOf(problem, ones(problem), epsOf.f64)!.isLowest(
      { limit: here.loss, uncertainty: 1e-6 * here.loss },
      theta,
      theta
    )
  }

  it('is no end of a way where bending it one way or the other lowers the loss', () => {
    const next = seeded(72)
    for (let repeat = 0; repeat < 12; repeat++) {
      const [bend, slope, from] = [(repeat % 2 === 0 ? 1 : -1) * (0.1 + next()), 0.5 + next(), -2 + next()]
      expect(end(x => slope * x + bend * x * x, spread(9 + repeat, from, from + 2 + next()))).toBe(false)
    }
  })

  it('is one where what it leaves bends the other way on both sides, and where nothing is left', () => {
    for (const cube of [0.05, 0.3, 1]) expect(end(x => 0.5 * x + cube * x ** 3, spread(11, -1.5, 1.5))).toBe(true)
    expect(end(x => 0.5 * x + 1, spread(7, -3, 3))).toBe(true)
  })
})

describe('rows of one unit, fitted by several', () => {
  const next = seeded(75)
  const between = (low: number, high: number): number => low + (high - low) * next()
  const sigmoid = { tanh: Math.tanh, logistic: (u: number) => 1 / (1 + Math.exp(-u)) }
  const cases = (['tanh', 'logistic'] as const).flatMap(activation =>
    [2, 3, 4].map(units => ({ activation, units, a: between(0.35, 1.5), b: between(-1.2, 1.2) }))
  )
  it.each(cases)('$activation, $units units, weight $a, bias $b: one valley, which no run leaves', async c => {
    const x = spread(7 + c.units, -3, 3)
    const y = x.map(v => sigmoid[c.activation](c.a * v + c.b))
    const { verdicts, degenerate } = await study({
      data: { columns: { x, y }, target: 'y' },
      model: { hidden: [c.units], activation: c.activation, loss: 'squared' },
      starts: { count: 60, seed: 1 }
    })
    expect(verdicts.diverging + verdicts.minimum).toBe(0)
    expect(verdicts.degenerate, JSON.stringify(verdicts)).toBeGreaterThanOrEqual(54)
    for (const { loss } of degenerate) expect(loss).toBeLessThan(1e-13)
  })
})

describe('curves that few units approach ever better', () => {
  it('exp(x) by two logistic units: every run goes to infinity, and to a loss of 0', async () => {
    const next = seeded(76)
    for (let repeat = 0; repeat < 3; repeat++) {
      const x = spread(9 + repeat, -1 - next(), 1 + next())
      const { verdicts, limits } = await study({
        data: { columns: { x, y: x.map(Math.exp) }, target: 'y' },
        model: { hidden: [2], activation: 'logistic', loss: 'squared' },
        starts: { count: 40, seed: 1 },
        stop: { steps: 3000 }
      })
      expect(verdicts.minimum + verdicts.degenerate).toBe(0)
      expect(verdicts.diverging, JSON.stringify(verdicts)).toBeGreaterThanOrEqual(36)
      for (const { loss, uncertainty } of limits) expect(Math.max(0, loss - uncertainty)).toBeLessThan(1e-13)
    }
  })
  it.each([
    [9, -1, 1],
    [14, -1.5, 1],
    [20, -2, 2]
  ])(
    'exp(x) on %i points from %f to %f: tails of two tanh units, told so, with limits that contain 0',
    async (N, from, to) => {
      const x = spread(N, from, to)
      const { verdicts, limits } = await study({
        data: { columns: { x, y: x.map(Math.exp) }, target: 'y' },
        model: { hidden: [2], activation: 'tanh', loss: 'squared' },
        starts: { count: 100, seed: 1 }
      })
      expect(verdicts.minimum + verdicts.degenerate).toBe(0)
      expect(verdicts.unfinished).toBeLessThanOrEqual(30)
      for (const { loss, uncertainty } of limits) expect(Math.max(0, loss - uncertainty)).toBeLessThan(1e-15)
    }
  )
})
