// The loss between end points: known barriers, convex twins, copies of networks, and contour lines.
import { describe, expect, it } from 'vitest'
import { isolines } from '../../src/core/contours.js'
import { landscapeChart } from '../../src/report/charts/landscape.js'
import { landscapeText } from '../../src/report/landscape.js'
import { study } from '../../src/study/study.js'
import { expectClose } from '../helpers/tolerance.js'

describe('contour lines', () => {
  it('lie where the function has the value: circles, and both branches of a hyperbola', () => {
    const n = 41
    const grid = (f: (x: number, y: number) => number): Float64Array =>
      Float64Array.from({ length: n * n }, (_, at) => f((at % n) - 20, Math.floor(at / n) - 20))
    for (const r of [3.3, 9.1, 17.8]) {
      const lines = isolines(
        grid((x, y) => x * x + y * y),
        n,
        r * r
      )
      expect(lines).toHaveLength(1)
      expect(lines[0][0]).toEqual(lines[0].at(-1))
      // Linear interpolation of a square between neighbours is off by at most ¼ in the square.
      for (const [x, y] of lines[0]) expectClose(Math.hypot(x - 20, y - 20), r, 0.26 / (2 * r) + 1e-12, 'radius')
    }
    expect(
      isolines(
        grid((x, y) => (x + 0.3) * (y + 0.4) - 30),
        n
      )
    ).toHaveLength(2)
    expect(
      isolines(
        grid(() => 1),
        n
      )
    ).toEqual([])
    expect(
      isolines(
        grid((x, y) => (x > 0 ? NaN : y - 0.5)),
        n
      )
        .flat()
        .every(p => p.every(Number.isFinite))
    ).toBe(true)
  })
})

describe('the loss between end points', () => {
  it('has the barrier of the product construction, and none under the convex twin', async () => {
    // Two copies of one input with two rows each: f = E/8, with E of the rows of both.
    const columns = { a: [10, 0.7, 0, 0], b: [0, 0, 10, 0.7], y: [0.55, 0.25, 0.55, 0.25] }
    const s = await study({
      data: { columns, target: 'y' },
      model: { loss: 'brier', bias: false },
      starts: { count: 100, init: { normal: 2 } }
    })
    expect(s.minima).toHaveLength(4)
    const { segment, plane } = s.landscape!
    expect([segment!.from, segment!.to]).toEqual(['minimum 1', 'minimum 2'])
    // The maximum lies between two of the stations.
    expectClose(segment!.barrier, (0.3221200085 - 0.3024998319) / 8, 2e-5, 'barrier')
    expect(segment!.twin!.loss).toBe('logistic')
    const twin = segment!.twin!.losses as readonly number[]
    for (let k = 1; k + 1 < twin.length; k++)
      expect(twin[k - 1] - 2 * twin[k] + twin[k + 1]).toBeGreaterThan(-1e-4 * Math.max(...twin))
    expect(plane!.points.map(p => p.name)).toEqual(['minimum 1', 'minimum 2', 'minimum 3'])
    plane!.points.forEach((p, i) => expectClose(p.loss, s.minima[i].loss, 1e-12, p.name))
    // The three minima are corners of a square.
    expectClose(plane!.points[2].x, 0, 1e-4, 'x')
    expectClose(plane!.points[2].y, 1, 1e-4, 'y')
    expect(plane!.levels.every(({ lines }) => lines.length > 0)).toBe(true)
    expect((await landscapeChart(s))!.svgs).toHaveLength(3)
    expect(landscapeText(s).join(' ')).toMatch(/rises by 0\.00245 .* witness .* eigenvalue -/s)
  })

  it('takes the nearest copies of networks', async () => {
    const s = await study({
      data: { builtin: 'iris2', standardize: true },
      model: { hidden: [2], activation: 'tanh', ridge: 0.001, penalizeBias: true },
      starts: { count: 60, init: { normal: 2 } }
    })
    expect(s.minima).toHaveLength(2)
    const { segment, plane } = s.landscape!
    const at = (t: number): number => segment!.losses[segment!.at.findIndex(v => Math.abs(v - t) < 1e-9)]!
    // The stations nearest to the ends are a hundredth off.
    expect(
      Math.abs(at(segment!.at.reduce((m, v) => (Math.abs(v) < Math.abs(m) ? v : m), 1)) - s.minima[0].loss)
    ).toBeLessThan(1e-3)
    plane!.points.slice(0, 2).forEach((p, i) => expectClose(p.loss, s.minima[i].loss, 1e-12, p.name))
    expect(plane!.twin).toBeUndefined()
  })

  it('is a bowl through starts where there is one minimum', async () => {
    const s = await study({ data: { builtin: 'iris2' }, model: { loss: 'logistic' }, starts: { count: 5 } })
    expect(s.landscape!.segment).toBeUndefined()
    expect(s.landscape!.plane!.points.map(p => p.name)).toEqual(['minimum 1', 'start 0', 'start 1'])
    expect(s.landscape!.plane!.twin).toBeUndefined()
  })

  it('is left out for one parameter and one minimum', async () => {
    const s = await study({
      data: { columns: { x: [1, -1, 0.5], y: [1, 2, 3] }, target: 'y' },
      model: { loss: 'squared', bias: false },
      starts: { count: 5 }
    })
    expect(s.landscape).toBeUndefined()
  })
})
