// Newton in a trust region, on functions whose stationary points are known and on the data of iris.
import { describe, expect, it } from 'vitest'
import { Status } from '../../src/core/status.js'
import { newton } from '../../src/optimizers/newton.js'
import type { Program } from '../../src/language/program.js'
import {
  doubleWell,
  himmelblau,
  himmelblauMinima,
  himmelblauSaddles,
  quadratic,
  walk,
  type Landscape
} from '../helpers/analytic.js'
import { candidates, collect } from '../helpers/engines.js'
import { iris2, irisFits } from '../helpers/iris.js'
import { normals } from '../helpers/problems.js'
import { rule } from '../helpers/runs.js'
import { expectAllClose, expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

const build = (radius = 1): Program => newton.build({ radius }, { eps: 2 ** -52, parameters: 2 })

describe('newton', () => {
  it('solves a convex quadratic in one step when its region is large enough', () => {
    // Ax = b with x = (1, −2).
    const bowl = quadratic([4, 1, 1, 3], [2, -5])
    const [first, second] = walk(build(100), bowl, [7, 9], 2)
    const tol = tolerance('f64', 8, 20)
    expect([...first.point]).toEqual([7, 9])
    expectAllClose(first.next, [1, -2], tol, 'step', 'one Newton step')
    expect([...second.point]).toEqual([...first.next])
    expectClose(second.gradientNorm, 0, tol, 'gradient', 'gradient after one step')
  })

  it('solves it in one step in badly scaled columns too', () => {
    const bowl = quadratic([4e12, 1e3, 1e3, 3e-6], [0, 0])
    const [first] = walk(build(1e6), bowl, [3e-6, 2e3], 1, [1e-6, 1e3])
    expectAllClose(first.next, [0, 0], i => tolerance('f64', 64, i === 0 ? 3e-6 : 2e3), 'step', 'scaled Newton step')
  })

  it('keeps to its region: the radius times max(1, length of the start), then thrice as much after good steps', () => {
    // ½x² from 1000 with radius 0.01 of the length: 10, 30, 90, … to within the 10 % of the subproblem.
    const taken = walk(build(0.01), quadratic([1], [0]), [1000], 6)
    let radius = 10
    for (const step of taken.slice(0, 4)) {
      const length = Math.abs(step.next[0] - step.point[0])
      expect(length).toBeLessThanOrEqual(1.1 * radius)
      expect(length).toBeGreaterThanOrEqual(0.9 * radius)
      radius *= 3
    }
  })

  it('takes back a step that raises f, and tries again in a smaller region', () => {
    // 1 + log cosh x: the Newton step from 2 overshoots to about −11.
    const landscape: Landscape = {
      size: 1,
      f: ([x]) => 1 + Math.log(Math.cosh(x)),
      g: ([x]) => [Math.tanh(x)],
      H: ([x]) => [1 / Math.cosh(x) ** 2]
    }
    const taken = walk(build(10), landscape, [2], 30)
    const [first, second] = taken
    expect(Math.abs(first.next[0])).toBeGreaterThan(10)
    expect([...second.point]).toEqual([2])
    expect(second.loss).toBe(first.loss)
    expect(Math.abs(second.next[0] - 2)).toBeLessThan(0.3 * Math.abs(first.next[0] - 2))
    const last = taken[taken.length - 1]
    expectClose(last.point[0], 0, tolerance('f64', 1, 1), 'minimiser', 'log cosh')
    // The loss of the current point never rises.
    for (let k = 1; k < taken.length; k++) expect(taken[k].loss).toBeLessThanOrEqual(taken[k - 1].loss)
  })

  it('takes a trial that is not finite back', () => {
    const barrier: Landscape = {
      size: 1,
      f: ([x]) => x - Math.log(x),
      g: ([x]) => [1 - 1 / x],
      H: ([x]) => [1 / (x * x)]
    }
    const taken = walk(build(2), barrier, [50], 60)
    expect(taken.some(t => Number.isNaN(barrier.f(t.evaluated)))).toBe(true)
    const last = taken[taken.length - 1]
    expectClose(last.point[0], 1, tolerance('f64', 4, 1), 'minimiser', 'barrier')
  })

  it('leaves strict saddles, started exactly on them', () => {
    const taken = walk(build(), doubleWell, [0, 0], 40)
    // The gradient is zero there, and yet the run may not count as converged.
    expect(taken[0].gradientNorm).toBeGreaterThan(0.1)
    const last = taken[taken.length - 1]
    expectClose(Math.abs(last.point[0]), 1, tolerance('f64', 4, 1), '|x|', 'double well')
    expectClose(last.point[1], 0, tolerance('f64', 4, 1), 'y', 'double well')
    for (const saddle of himmelblauSaddles) {
      const end = walk(build(), himmelblau, saddle, 60).at(-1)!
      const gaps = himmelblauMinima.map(([x, y]) => Math.hypot(end.point[0] - x, end.point[1] - y))
      expectClose(Math.min(...gaps), 0, tolerance('f64', 1, 4), 'distance to a minimum', 'from a saddle')
    }
  })

  it('leaves the monkey saddle’s slopes downwards and never stops at a point of negative curvature', () => {
    // x³ − 3xy² + ¼(x² + y²)²: a degenerate saddle at 0, minima at distance 3 with f = −27/4 along 60°, 180°, 300°.
    const monkey: Landscape = {
      size: 2,
      f: ([x, y]) => x ** 3 - 3 * x * y * y + 0.25 * (x * x + y * y) ** 2,
      g: ([x, y]) => [3 * x * x - 3 * y * y + x * (x * x + y * y), -6 * x * y + y * (x * x + y * y)],
      H: ([x, y]) => [6 * x + 3 * x * x + y * y, -6 * y + 2 * x * y, -6 * y + 2 * x * y, -6 * x + x * x + 3 * y * y]
    }
    for (let k = 0; k < 12; k++) {
      const angle = 0.1 + (k * Math.PI) / 6
      const taken = walk(build(), monkey, [1e-3 * Math.cos(angle), 1e-3 * Math.sin(angle)], 60)
      expectClose(taken.at(-1)!.loss, -6.75, tolerance('f64', 64, 6.75 * 4), `from angle ${angle}`, 'monkey saddle')
    }
  })

  it('ends at one of the four minima of Himmelblau’s function from anywhere', () => {
    const starts = normals(200, 90).map(v => 4 * v)
    const found = new Set<number>()
    for (let k = 0; k < 100; k++) {
      const { point } = walk(build(), himmelblau, [starts[2 * k], starts[2 * k + 1]], 80).at(-1)!
      const nearest = himmelblauMinima.findIndex(([x, y]) => Math.hypot(x - point[0], y - point[1]) < 1e-9)
      expect(nearest, `from start ${k} to ${point.join(', ')}`).toBeGreaterThanOrEqual(0)
      found.add(nearest)
    }
    expect(found.size).toBe(4)
  })

  it('converges quadratically at the end', () => {
    const taken = walk(build(), himmelblau, [2.5, 2.5], 30)
    const errors = taken
      .map(t => Math.hypot(t.point[0] - 3, t.point[1] - 2))
      .filter((e, i, all) => i === 0 || e !== all[i - 1])
    const close = errors.filter(e => e < 0.1 && e > 1e-7)
    expect(close.length).toBeGreaterThanOrEqual(2)
    // ‖H⁻¹‖ times half the third derivative is below 1 near (3, 2).
    for (let k = 1; k < close.length; k++) expect(close[k]).toBeLessThan(close[k - 1] ** 2)
  })

  it('stalls at the minimum when asked for more than the precision holds', () => {
    const taken = walk(build(), himmelblau, [2.5, 2.5], 60)
    expect(taken.at(-1)!.stalled).toBe(true)
    expect(taken.length).toBeLessThan(20)
    expectAllClose(taken.at(-1)!.point, [3, 2], tolerance('f64', 4, 3), 'point', 'stalled point')
  })
})

// The coefficients of R's glm (FACTS): the data are nearly separated and the columns badly scaled.
describe.each(candidates.filter(c => c.precision === 'f64'))('newton on iris2, $label', candidate => {
  const data = iris2()

  it.each(irisFits)(
    '$loss reaches the coefficients of glm to 1e-8 from every start',
    async ({ loss, coefficients, logLikelihood }) => {
      const problem = { ...data, model: { ...data.model, loss } }
      const engine = await candidate.open()
      const objective = await engine.prepare(problem)
      const count = candidate.name === 'reference' ? 60 : 500
      // Far out cloglog grows like e^z, and Newton gains one unit of z in a step: more steps than the budget.
      for (const init of loss === 'cloglog' ? [{ normal: 1 }] : [{ normal: 1 }, { normal: 20 }]) {
        const block = await collect(objective, {
          ...rule({ label: '', optimizer: 'newton' }, problem, 'f64'),
          starts: { kind: 'random', seed: 4, first: 0, count, init },
          stop: { steps: 500, gradient: 1e-11 }
        })
        expect([...block.status]).toEqual(new Array(count).fill(Status.converged))
        for (let r = 0; r < count; r++) {
          const what = `${loss}, run ${r}, coefficient`
          expectAllClose(
            block.theta.subarray(5 * r, 5 * r + 5),
            coefficients,
            p => 1e-8 * Math.abs(coefficients[p]),
            what,
            loss
          )
          // The digits that glm gives.
          expectClose(-100 * block.loss[r], logLikelihood, 1e-9, `${loss}, run ${r}, log-likelihood`, 'log-likelihood')
        }
      }
      objective.dispose()
      engine.dispose()
    }
  )
})
