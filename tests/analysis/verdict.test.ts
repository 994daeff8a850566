// Every verdict, on functions, networks and data whose stationary points are known.
import { describe, expect, it } from 'vitest'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { Status } from '../../src/core/status.js'
import { thresholds } from '../../src/core/thresholds.js'
import { mapPoints } from '../../src/models/network/parameterMap.js'
import { resolveConfig } from '../../src/study/config.js'
import { setUp } from '../../src/study/setup.js'
import {
  doubleWell,
  himmelblau,
  himmelblauMaximum,
  himmelblauMinima,
  himmelblauSaddles,
  quadratic,
  type Landscape
} from '../helpers/analytic.js'
import { auerProducts, auerStudy } from '../helpers/auer.js'
import { inWords, judgePoints } from '../helpers/judge.js'
import { firstCandidates } from '../helpers/engines.js'
import { expectAllClose, expectClose, tolerance } from '../helpers/tolerance.js'
import type { Network } from '../../src/models/types.js'

const eps = 2 ** -52

describe('on functions of two variables', () => {
  it('tells minima, saddles and the maximum of Himmelblau’s function apart, and moves to them', async () => {
    const known = [
      ...himmelblauMinima.map(at => ({ at, verdict: 'minimum', index: 0 })),
      ...himmelblauSaddles.map(at => ({ at, verdict: 'saddle', index: 1 })),
      { at: himmelblauMaximum, verdict: 'saddle', index: 2 }
    ]
    const judged = await judgePoints(
      himmelblau,
      known.map(({ at: [x, y] }) => [x + 1e-3, y - 1e-3])
    )
    expect(judged.verdict).toEqual(known.map(k => k.verdict))
    expect([...judged.index]).toEqual(known.map(k => k.index))
    known.forEach(({ at }, i) => {
      expectAllClose(judged.theta.subarray(2 * i, 2 * i + 2), at, 1e-13 * 4, `point ${i}`)
      expectClose(judged.loss[i], himmelblau.f(Float64Array.from(at)), 1e-12, `loss ${i}`)
    })
    expect(Math.max(...judged.precision)).toBeLessThan(1e-13)
  })

  it('does not call a point on a slope stationary, whatever the run loop said', async () => {
    // Far from every minimum: polishing would end at one, but a long way off.
    const { verdict, theta, loss } = await judgePoints(himmelblau, [[-20, 14]])
    expect(verdict).toEqual(['unfinished'])
    // The run stays where it was.
    expect([...theta]).toEqual([-20, 14])
    expect(loss[0]).toBe(himmelblau.f(Float64Array.of(-20, 14)))
  })

  it('lets runs of a convex model, or found in single precision, move further', async () => {
    const bowl = quadratic([2, 0, 0, 3], [2, 3])
    expect((await judgePoints(bowl, [[40, 40]])).verdict).toEqual(['unfinished'])
    const { verdict, theta } = await judgePoints(bowl, [[40, 40]], { moveLimit: Infinity })
    expect(verdict).toEqual(['minimum'])
    expectAllClose(theta, [1, 1], tolerance('f64', 8, 40), 'minimiser')
  })

  it('calls a line of minima degenerate, of nullity one', async () => {
    const judged = await judgePoints(quadratic([1, 1, 1, 1], [1, 1]), [[0.3, 0.4]])
    expect(judged.verdict).toEqual(['degenerate'])
    expect([judged.index[0], judged.nullity[0]]).toEqual([0, 1])
    expectAllClose(judged.theta, [0.45, 0.55], tolerance('f64', 8, 1), 'nearest point of the line')
  })

  it('calls a minimum without curvature degenerate', async () => {
    const quartic: Landscape = {
      size: 2,
      f: ([x, y]) => 1 + x ** 2 / 2 + y ** 4 / 4,
      g: ([x, y]) => [x, y ** 3],
      H: ([, y]) => [1, 0, 0, 3 * y * y]
    }
    const judged = await judgePoints(quartic, [[0.01, 0.02]])
    expect(judged.verdict).toEqual(['degenerate'])
    expect(judged.nullity[0]).toBe(1)
  })

  it('calls a strict saddle a saddle even where a run sits exactly on it', async () => {
    const judged = await judgePoints(doubleWell, [
      [0, 0],
      [1, 0]
    ])
    expect(judged.verdict).toEqual(['saddle', 'minimum'])
  })

  describe('weak saddles: f = c + ½x² − ½κy² + ¼qy⁴, with κ a little outside the zero band', () => {
    const band = thresholds.zeroBandFactor * eps * 2
    const weak = (c: number, kappa: number, q: number): Landscape => ({
      size: 2,
      f: ([x, y]) => c + x ** 2 / 2 - (kappa * y ** 2) / 2 + (q * y ** 4) / 4,
      g: ([x, y]) => [x, -kappa * y + q * y ** 3],
      H: ([, y]) => [1, 0, 0, -kappa + 3 * q * y ** 2]
    })
    const at = async (landscape: Landscape) => {
      const { verdict, index, nullity } = await judgePoints(landscape, [[1e-3, 0]])
      return [verdict[0], index[0], nullity[0]]
    }
    const kappa = 0.1 * thresholds.weakSaddle * band

    it('are saddles where Newton’s method goes downhill by more than rounding', async () => {
      // The minima at y² = κ/q lie κ²/(4q) lower.
      const q = kappa ** 2 / 4e-3
      expect(await at(weak(1, kappa, q))).toEqual(['saddle', 1, 0])
    })
    it('are degenerate where the loss falls by nothing that can be told from rounding', async () => {
      // κ²/(4q) is below eps.
      expect(await at(weak(1, kappa, 1))).toEqual(['degenerate', 0, 1])
    })
    it('are saddles without further question beyond the limit', async () => {
      expect(await at(weak(1, 2 * thresholds.weakSaddle * band, 1))).toEqual(['saddle', 1, 0])
    })
    it('are degenerate inside the zero band', async () => {
      expect(await at(weak(1, 0.5 * band, 1))).toEqual(['degenerate', 0, 1])
    })
  })

  it('does not call a plateau degenerate: gradient and curvature at rounding level, yet it leads down', async () => {
    // y²/(1 + y²): at y = 2·10⁴ the gradient is 2.5e-13 and the curvature −4e-17.
    const plateau: Landscape = {
      size: 2,
      f: ([x, y]) => x ** 2 / 2 + y ** 2 / (1 + y ** 2),
      g: ([x, y]) => [x, (2 * y) / (1 + y ** 2) ** 2],
      H: ([, y]) => [1, 0, 0, (2 - 6 * y ** 2) / (1 + y ** 2) ** 3]
    }
    const { verdict, theta, nullity, precision } = await judgePoints(plateau, [[1e-7, 2e4]])
    expect(verdict).toEqual(['unfinished'])
    expect([...theta]).toEqual([1e-7, 2e4])
    expect([nullity[0], precision[0]]).toEqual([0, Infinity])
  })

  it('finds the direction in which a loss falls for ever', async () => {
    const slide: Landscape = {
      size: 2,
      f: ([x, y]) => Math.exp(-x) + y ** 2 / 2,
      g: ([x, y]) => [-Math.exp(-x), y],
      H: ([x]) => [Math.exp(-x), 0, 0, 1]
    }
    const judged = await judgePoints(slide, [[20, 0.1]])
    expect(judged.verdict).toEqual(['diverging'])
    const way = judged.ways.get(0)!
    expectAllClose(way.direction, [1, 0], 1e-2, 'direction')
    expect(way.growing).toEqual([0])
    expect(Math.abs(way.limit)).toBeLessThanOrEqual(way.uncertainty)
  })

  it('does not take a flat direction for one in which the loss falls', async () => {
    // ½(1 − x)² whatever y is: degenerate, not diverging.
    expect((await judgePoints(quadratic([1, 0, 0, 0], [1, 0]), [[0.9, 50]])).verdict).toEqual(['degenerate'])
  })

  it('does not judge by the units of the columns: a slope in a tiny column is no stationary point', async () => {
    // exp(−u) + ½v² with u = x/s: at x = 5s the slope along u is 7e-3 and along x, times s, too. s = 1e7 hid it.
    const s = 1e7
    const slide: Landscape = {
      size: 2,
      f: ([x, y]) => Math.exp(-x / s) + y ** 2 / 2,
      g: ([x, y]) => [-Math.exp(-x / s) / s, y],
      H: ([x]) => [Math.exp(-x / s) / s ** 2, 0, 0, 1]
    }
    const scale = Float64Array.of(s, 1)
    expect((await judgePoints(slide, [[5 * s, 0]], { scale })).verdict).toEqual(['diverging'])
    // ½(x/s)² + ½y², a small and a large unit: the minimum is within reach in its own units only.
    for (const unit of [1e-7, 1e7]) {
      const bowl = quadratic([1 / unit ** 2, 0, 0, 1], [0, 0])
      const stretched = { scale: Float64Array.of(unit, 1) }
      expect((await judgePoints(bowl, [[0.4 * unit, 0]], stretched)).verdict).toEqual(['minimum'])
      expect((await judgePoints(bowl, [[0.6 * unit, 0]], stretched)).verdict).toEqual(['unfinished'])
    }
  })

  it('does not call a plateau degenerate where the loss falls by little, but by more than rounding', async () => {
    // 1 + ½x² + 10⁻⁷ / (1 + y): at y = 10⁴ gradient and curvature are far below every threshold.
    const plain: Landscape = {
      size: 2,
      f: ([x, y]) => 1 + x ** 2 / 2 + 1e-7 / (1 + y),
      g: ([x, y]) => [x, -1e-7 / (1 + y) ** 2],
      H: ([, y]) => [1, 0, 0, 2e-7 / (1 + y) ** 3]
    }
    expect((await judgePoints(plain, [[1e-7, 1e4]])).verdict).not.toEqual(['degenerate'])
  })

  it('calls nothing diverging where the model is bounded', async () => {
    const slide: Landscape = {
      size: 1,
      f: ([x]) => Math.exp(-x),
      g: ([x]) => [-Math.exp(-x)],
      H: ([x]) => [Math.exp(-x)]
    }
    expect((await judgePoints(slide, [[20]])).verdict).toEqual(['diverging'])
    expect((await judgePoints(slide, [[20]], { bounded: true })).verdict).toEqual(['unfinished'])
  })

  it('calls no point degenerate that is flatter than the data of a convex model leave it', async () => {
    const valley = quadratic([1, 1, 1, 1], [1, 1])
    const verdictWith = async (flatDirections: number) =>
      (await judgePoints(valley, [[0.3, 0.4]], { flatDirections, bounded: true })).verdict
    expect(await verdictWith(1)).toEqual(['degenerate'])
    expect(await verdictWith(0)).toEqual(['unfinished'])
  })

  it('calls every run diverging where linear programming has shown separation, and failed ones failed', async () => {
    const separated = { separated: true }
    const judged = await judgePoints(doubleWell, [[1, 0]], separated)
    expect(judged.verdict).toEqual(['diverging'])
    expect(judged.ways.size).toBe(0)
    expect((await judgePoints(doubleWell, [[1, 0]], separated, Status.failed)).verdict).toEqual(['failed'])
  })

  it('calls a run that broke failed, also beside sound ones', async () => {
    expect((await judgePoints(doubleWell, [[NaN, 0]], {}, Status.failed)).verdict).toEqual(['failed'])
    const objective = {
      ...doubleWell,
      f: ([x, y]: Float64Array) => (x > 5 ? NaN : doubleWell.f(Float64Array.of(x, y)))
    }
    // Polishing meets NaN: no verdict on a stationary point comes of it.
    expect((await judgePoints(objective, [[6, 0]])).verdict).not.toContain('minimum')
  })
})

describe.each(firstCandidates.filter(c => c.precision === 'f64').map(c => c.name))('on %s', engine => {
  it.each([1, 2, 3])('the stationary points of %i copies of Auer’s problem have their index', async d => {
    const setup = await setUp(resolveConfig({ ...auerStudy(d), engine }, 'the test'))
    const points = auerProducts(d)
    const near = Float64Array.from(points.flatMap(p => p.theta.map((w, j) => w * (1 + (j % 2 === 0 ? 1e-4 : -1e-4)))))
    const { frame } = setup
    const network = setup.model as Network
    const theta = mapPoints(network, frame.fromUser, near)
    const { f } = await setup.objective.evaluate(theta, {})
    const found = { loss: f, gradientNorm: f, status: new Uint8Array(points.length).fill(Status.converged) }
    const judged = inWords(await judgeRuns(setup.judge, theta, found, points.length))
    setup.dispose()
    expect([...judged.index]).toEqual(points.map(p => p.index))
    expect(judged.verdict).toEqual(points.map(p => (p.index > 0 ? 'saddle' : 'minimum')))
    expect([...judged.nullity]).toEqual(points.map(() => 0))
    const certified = mapPoints(network, frame.toUser, judged.theta)
    points.forEach((point, i) => {
      expectAllClose(certified.subarray(i * d, (i + 1) * d), point.theta, 6e-11, `point ${i}`)
      expectClose(judged.loss[i] * frame.lossScale, point.loss, 6e-11, `loss ${i}`)
    })
    // C(d, k)·2^(d−k) of them have k negative eigenvalues.
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)
    for (let k = 0; k <= d; k++) expect(judged.index.filter(n => n === k)).toHaveLength(choose(d, k) * 2 ** (d - k))
  })
})
