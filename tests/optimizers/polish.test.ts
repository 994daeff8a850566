// Polishing: from near a stationary point to the point itself, whatever its kind, and what it reports there.
import { describe, expect, it } from 'vitest'
import { symmetricEigen } from '../../src/core/linalg.js'
import { thresholds } from '../../src/core/thresholds.js'
import { parameterCount } from '../../src/models/model.js'
import type { Problem } from '../../src/models/types.js'
import { buildPolish, polishReport, polishStepsFor } from '../../src/optimizers/polish.js'
import {
  doubleWell,
  himmelblau,
  himmelblauMaximum,
  himmelblauMinima,
  himmelblauSaddles,
  quadratic,
  walk,
  type Landscape
} from '../helpers/analytic.js'
import { candidates, collect } from '../helpers/engines.js'
import { iris2, irisFits } from '../helpers/iris.js'
import { makeProblem } from '../helpers/problems.js'
import { givenStarts, randomStarts, rule } from '../helpers/runs.js'
import { expectAllClose, expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

type Report = Record<(typeof polishReport)[number], number>
const eps = 2 ** -52

/** Polishes as an engine would: until the program stalls. */
function polish(landscape: Landscape, start: readonly number[], scale?: readonly number[]) {
  const taken = walk(
    buildPolish({ eps, parameters: start.length }),
    landscape,
    start,
    polishStepsFor(start.length),
    scale
  )
  const { point, loss, gradientNorm, report, stalled } = taken.at(-1)!
  const named = Object.fromEntries(polishReport.map((name, i) => [name, report[i]])) as Report
  return { point, loss, gradientNorm, stalled, steps: taken.length, report: named }
}

describe('polish', () => {
  const kinds: { name: string; at: readonly [number, number]; negative: number }[] = [
    ...himmelblauMinima.map(at => ({ name: 'minimum', at, negative: 0 })),
    ...himmelblauSaddles.map(at => ({ name: 'saddle', at, negative: 1 })),
    { name: 'maximum', at: himmelblauMaximum, negative: 2 }
  ]
  it.each(kinds)('keeps to the $name of Himmelblau’s function at $at', ({ at, negative }) => {
    const start = [at[0] + 1e-3, at[1] - 2e-3]
    const { point, gradientNorm, report, stalled } = polish(himmelblau, start)
    expect(stalled).toBe(true)
    // The gradient is a sum of terms of size 4·|x|·11, evaluated with their roundings.
    const rounding = tolerance('f64', 2, 4 * 4 * 11)
    expectClose(gradientNorm, 0, rounding, 'gradient', 'gradient')
    const { values } = symmetricEigen(Float64Array.from(himmelblau.H(point)), 2)
    const flattest = Math.min(...values.map(Math.abs))
    expectAllClose(point, at, (Math.SQRT2 * rounding) / flattest, 'point', 'point')
    expect(report.negative).toBe(negative)
    expect(report.zero).toBe(0)
    const tol = tolerance('f64', 4, Math.max(...values.map(Math.abs)))
    expectClose(report.smallest, values[0], tol, 'smallest eigenvalue', 'smallest')
    expectClose(report.normH, Math.max(...values.map(Math.abs)), tol, '‖H‖', 'normH')
    const moved = Math.max(...at.map((v, p) => Math.abs(v - start[p]) / Math.max(1, Math.abs(start[p]))))
    expectClose(report.moved, moved, (2 * rounding) / flattest, 'moved', 'moved')
    expect(report.firstStep).toBeGreaterThan(1e-4)
    expect(report.newtonStep).toBeLessThan(1e-13)
  })

  it('counts flat directions and leaves them alone', () => {
    // ½(x + y − 1)²: a line of minima. The step is the shortest one onto it.
    const valley = quadratic([1, 1, 1, 1], [1, 1])
    const { point, report } = polish(valley, [2, 3])
    const tol = tolerance('f64', 4, 3)
    expectAllClose(point, [0, 1], tol, 'point', 'valley')
    expect(report.zero).toBe(1)
    expect(report.negative).toBe(0)
    expectClose(report.nullGradient, 0, tol, 'gradient along the flat direction', 'valley')
  })

  it('tells a slope along a flat direction from a stationary point', () => {
    // ½x² + 10⁻³ y: no curvature along y, and not stationary.
    const { report } = polish(quadratic([1, 0, 0, 0], [0, -1e-3]), [0.5, 7])
    expect(report.zero).toBe(1)
    expectClose(report.nullGradient, 1e-3, tolerance('f64', 4, 1e-3), 'slope', 'slope')
  })

  it('puts the zero band where the thresholds say', () => {
    const band = thresholds.zeroBandFactor * eps * 2 * 4
    for (const [curvature, zero, negative] of [
      [1.5 * band, 0, 0],
      [0.5 * band, 1, 0],
      [-0.5 * band, 1, 0],
      [-1.5 * band, 0, 1]
    ]) {
      const { report } = polish(quadratic([4, 0, 0, curvature], [0, 0]), [1, 0])
      expect([report.zero, report.negative], `curvature ${curvature}`).toEqual([zero, negative])
    }
  })

  it('judges in scaled variables: the answer does not depend on the units of the columns', () => {
    const scale = [1e-5, 1e4]
    const stretched: Landscape = {
      size: 2,
      f: x => doubleWell.f(x.map((v, p) => v / scale[p])),
      g: x => doubleWell.g(x.map((v, p) => v / scale[p])).map((v, p) => v / scale[p]),
      H: x => doubleWell.H(x.map((v, p) => v / scale[p])).map((v, k) => v / (scale[k >> 1] * scale[k & 1]))
    }
    const plain = polish(doubleWell, [0.9, 0.1])
    const other = polish(stretched, [0.9e-5, 0.1e4], scale)
    expect([other.report.negative, other.report.zero]).toEqual([plain.report.negative, plain.report.zero])
    expectClose(other.report.smallest, plain.report.smallest, tolerance('f64', 8, 2), 'smallest', 'scaled')
    expectAllClose(
      other.point.map((v, p) => v / scale[p]),
      plain.point,
      tolerance('f64', 8, 1),
      'point',
      'scaled'
    )
    expect(polish(stretched, [1e-9, 1e-3], scale).report.negative).toBe(1)
  })

  it('does not go astray along a curved valley, where rounding over hardly any curvature makes a long step', () => {
    // ¼r⁴ − ½r²: a circle of minima. Beside it the curvature along it is r² − 1, and the slope rounding.
    const valley: Landscape = {
      size: 2,
      f: ([x, y]) => (x * x + y * y) ** 2 / 4 - (x * x + y * y) / 2,
      g: ([x, y]) => [(x * x + y * y) * x - x, (x * x + y * y) * y - y],
      H: ([x, y]) => [3 * x * x + y * y - 1, 2 * x * y, 2 * x * y, x * x + 3 * y * y - 1]
    }
    for (const angle of [0.3, 0.7, 1.1, 2, 2.5])
      for (const off of [1e-11, 1e-12, 1e-13]) {
        const start = [Math.cos(angle) * (1 + off), Math.sin(angle) * (1 + off)]
        const { report, point } = polish(valley, start)
        expect([report.zero, report.negative], `angle ${angle}, ${off} off`).toEqual([1, 0])
        expect(report.newtonStep).toBeLessThan(thresholds.newtonStep)
        expectClose(Math.hypot(...point), 1, tolerance('f64', 8, 1), 'radius', 'curved valley')
      }
  })

  it('ends near 0, where roundings shrink with the point and gradients could be halved until numbers run out', () => {
    const bowl = quadratic([2, 1, 0.3, 1, 3, 0.7, 0.3, 0.7, 1.1], [0, 0, 0])
    const { point, stalled, steps, report } = polish(bowl, [0.1, 0.2, -0.3])
    expect(stalled).toBe(true)
    // Each step leaves a rounding of the point before it.
    expect(steps).toBeLessThanOrEqual(4)
    const size = Math.max(...point.map(Math.abs))
    expect(size).toBeLessThan(eps * eps)
    expect(size).toBeGreaterThan(0)
    expect([report.zero, report.negative]).toEqual([0, 0])
  })

  it('goes no further where a step does not halve the gradient', () => {
    // The Newton step of |x|^1.5 leads from x to −x, where the gradient is as large as before.
    const rough: Landscape = {
      size: 1,
      f: ([x]) => Math.abs(x) ** 1.5,
      g: ([x]) => [1.5 * Math.sign(x) * Math.sqrt(Math.abs(x))],
      H: ([x]) => [0.75 / Math.sqrt(Math.abs(x))]
    }
    const { point, steps, report } = polish(rough, [0.25])
    expect(steps).toBe(2)
    expect([...point]).toEqual([0.25])
    expect(report.moved).toBe(0)
  })
})

describe.each(candidates.filter(c => c.precision === 'f64'))('polish on $label', candidate => {
  it('brings the ends of a single-precision search to a gradient of rounding size', async () => {
    const problem = makeProblem({ loss: 'logistic', hidden: [2], rows: 40, ridge: 0.03125, penalizeBias: true })
    const P = parameterCount(problem.model)
    const engine = await candidate.open()
    const objective = await engine.prepare(problem)
    const search = await collect(objective, {
      ...rule({ label: '', optimizer: 'newton' }, problem, 'f64'),
      starts: randomStarts(20),
      stop: { steps: 300, gradient: 1e-4 }
    })
    const rounded = search.theta.map(Math.fround)
    const program = buildPolish({ eps, parameters: P })
    const block = await collect(objective, {
      program,
      starts: givenStarts(rounded, 20),
      stop: { steps: polishStepsFor(objective.parameters), gradient: 0 }
    })
    const { H } = await objective.evaluate(block.theta, { H: true })
    for (let r = 0; r < 20; r++) {
      expectClose(
        block.gradientNorm[r],
        0,
        tolerance('f64', Math.sqrt(40), 1),
        `gradient of run ${r}`,
        'polished gradient'
      )
      // In these columns' own units: inertia is the same in scaled variables.
      const { values } = symmetricEigen(H!.subarray(r * P * P, (r + 1) * P * P), P)
      const report = block.report.subarray(r * polishReport.length)
      expect(report[0], `negative eigenvalues of run ${r}`).toBe(values.filter(v => v < 0).length)
      expect(report[1], `zero eigenvalues of run ${r}`).toBe(0)
    }
    objective.dispose()
    engine.dispose()
  })

  it('is not led astray by second derivatives that are hardly numbers', async () => {
    // Least squares with three columns that overlap in the last row alone: XᵀX / N off its diagonal is below the smallest normal number.
    const problem: Problem = {
      ...makeProblem({ loss: 'squared', inputs: 3, rows: 4, bias: false }),
      x: Float64Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2, 2 ** -515, 2 ** -515, 2 ** -515),
      y: Float64Array.of(2, 4, -2, 0)
    }
    const engine = await candidate.open()
    const objective = await engine.prepare(problem)
    const block = await collect(objective, {
      program: buildPolish({ eps, parameters: 3 }),
      starts: givenStarts(Float64Array.of(0.5, 0.25, 0.75), 1),
      stop: { steps: polishStepsFor(objective.parameters), gradient: 0 }
    })
    const { H } = await objective.evaluate(block.theta, { H: true })
    expect(H![1]).toBeGreaterThan(0)
    expect(H![1]).toBeLessThan(2 ** -1022)
    expectAllClose(block.theta, [1, 2, -1], tolerance('f64', 4, 2), 'coefficient', 'subnormal')
    objective.dispose()
    engine.dispose()
  })

  it('ends at the coefficients of glm from a point that is off in the third digit', async () => {
    const problem = iris2()
    const { coefficients } = irisFits[0]
    const engine = await candidate.open()
    const objective = await engine.prepare(problem)
    const block = await collect(objective, {
      program: buildPolish({ eps, parameters: 5 }),
      starts: givenStarts(
        Float64Array.from(coefficients, (v, p) => v * (1 + (p % 2 === 0 ? 1e-3 : -1e-3))),
        1
      ),
      stop: { steps: polishStepsFor(objective.parameters), gradient: 0 }
    })
    expectAllClose(block.theta, coefficients, p => 1e-10 * Math.abs(coefficients[p]), 'coefficient', 'glm')
    objective.dispose()
    engine.dispose()
  })
})
