// Runs to infinity, along rays and curves, beside runs to finite minima and in flat valleys that look like them.
import { describe, expect, it } from 'vitest'
import { approaches, settlesOn } from '../../src/analysis/escape.js'
import { thresholds } from '../../src/core/thresholds.js'
import { climbLevels } from '../../src/optimizers/climb.js'
import type { Landscape } from '../helpers/analytic.js'
import { expectClose } from '../helpers/tolerance.js'
import { judgePoints, judgeStudy, seeded, type Named } from '../helpers/judge.js'

/** A function of one variable with its first two derivatives. */
type Smooth = (x: number) => readonly [number, number, number]

/** floor + h(x) + ½ K (y − c(x))²: a channel along y = c(x). */
const channel = (floor: number, K: number, h: Smooth, c: Smooth): Landscape => ({
  size: 2,
  f: ([x, y]) => floor + h(x)[0] + (K * (y - c(x)[0]) ** 2) / 2,
  g: ([x, y]) => [h(x)[1] - K * (y - c(x)[0]) * c(x)[1], K * (y - c(x)[0])],
  H: ([x, y]) => {
    const s = y - c(x)[0]
    return [h(x)[2] + K * (c(x)[1] ** 2 - s * c(x)[2]), -K * c(x)[1], -K * c(x)[1], K]
  }
})
const exponential =
  (A: number, a: number): Smooth =>
  x => [A * Math.exp(-a * x), -a * A * Math.exp(-a * x), a * a * A * Math.exp(-a * x)]
const power =
  (A: number, p: number): Smooth =>
  x => [A * x ** -p, -p * A * x ** (-p - 1), p * (p + 1) * A * x ** (-p - 2)]
const nothing: Smooth = () => [0, 0, 0]
/** A bowl around x = m, of order n. */
const bowl =
  (A: number, m: number, n: number): Smooth =>
  x => [A * (x - m) ** n, n * A * (x - m) ** (n - 1), n * (n - 1) * A * (x - m) ** (n - 2)]
/** The same to the left of m, nothing beyond: the valley goes on for ever, flat. */
const ramp =
  (A: number, m: number): Smooth =>
  x =>
    x < m ? bowl(A, m, 4)(x) : [0, 0, 0]
const curves = (b: number): Smooth[] => [
  x => [b * x, b, 0],
  x => [b * x * x, 2 * b * x, 2 * b],
  x => [b * Math.sqrt(1 + x * x), (b * x) / Math.sqrt(1 + x * x), b / (1 + x * x) ** 1.5],
  x => [b * Math.log(1 + x * x), (2 * b * x) / (1 + x * x), (2 * b * (1 - x * x)) / (1 + x * x) ** 2]
]

describe('channels in the plane, seeded', () => {
  const next = seeded(11)
  const between = (low: number, high: number): number => low + (high - low) * next()
  const cases = Array.from({ length: 10 }, (_, n) => {
    const c = curves(between(0.2, 1))[n % 4]
    const start = between(4, 7)
    return { n, c, start, floor: n % 3 === 0 ? 0 : between(0.01, 2), K: between(0.5, 3), A: between(0.2, 2) }
  })
  const end = async (landscape: Landscape, c: Smooth, x: number): Promise<Named> =>
    judgePoints(landscape, [[x, c(x)[0]]])

  it.each(cases)('%# approaches its limit without end', async ({ n, c, start, floor, K, A }) => {
    const way = n % 2 === 0 ? exponential(A, 1 + (n % 3)) : power(A, 1 + (n % 3))
    const judged = await end(channel(floor, K, way, c), c, start)
    expect(judged.verdict).toEqual(['diverging'])
    const { limit, uncertainty, growing } = judged.ways.get(0)!
    expect(growing).toContain(0)
    expect(Math.abs(limit - floor)).toBeLessThanOrEqual(uncertainty)
    expect(uncertainty).toBeLessThan(1e-2 * A)
  })

  it.each(cases)('%# has a minimum further on, near or far', async ({ n, c, start, floor, K, A }) => {
    const at = start * [1.05, 1.5, 3, 8][n % 4]
    expect((await end(channel(floor, K, bowl(1e-3 * A, at, 2), c), c, start)).verdict).not.toContain('diverging')
    expect((await end(channel(floor, K, bowl(1e-6 * A, at, 4), c), c, start)).verdict).not.toContain('diverging')
  })

  it.each(cases)('%# is flat for ever, or from some place on', async ({ n, c, start, floor, K, A }) => {
    expect((await end(channel(floor, K, nothing, c), c, start)).verdict).not.toContain('diverging')
    for (const at of [0.9, 1.1, 1.5])
      expect((await end(channel(floor, K, ramp(1e-2 * A, at * start), c), c, start)).verdict, `${n}`).not.toContain(
        'diverging'
      )
  })
})

describe('channels along parabolas whose limit is near, seeded', () => {
  // Their spheres are flat but for rounding, so that rounding takes part in where a climb goes.
  const next = seeded(8)
  const between = (low: number, high: number): number => low + (high - low) * next()
  /** Of losses near 1, as it grows with the radius: on the outermost sphere. */
  const rounding = 64 * Number.EPSILON * thresholds.outwards ** climbLevels
  it.each([1e-7, 1e-8])('end at it where %d is left, beside the channel or in it', async left => {
    let found = 0
    for (let n = 0; n < 24; n++) {
      const [c, a, floor] = [curves(between(0.2, 1))[1], between(1, 4), between(0.1, 1.1)]
      const x = -Math.log(left) / a
      const point = [x, c(x)[0] + 1e-2 * Math.sqrt(left) * between(-1, 1)]
      const judged = await judgePoints(channel(floor, between(0.5, 1.5), exponential(1, a), c), [point])
      if (judged.verdict[0] === 'diverging') found++
      for (const { limit, uncertainty } of judged.ways.values()) {
        expect(Math.abs(limit - floor)).toBeLessThanOrEqual(Math.max(3 * uncertainty, rounding))
        expect(uncertainty).toBeLessThanOrEqual(left)
      }
    }
    expect(found).toBeGreaterThanOrEqual(21)
  })
})

describe('losses on spheres', () => {
  const levels = (f: (r: number) => number, ratio: number): number[] =>
    Array.from({ length: climbLevels + 1 }, (_, k) => f(ratio ** k))
  const both = (f: (r: number) => number, noise = 1e-15): ReturnType<typeof approaches> =>
    approaches(levels(f, thresholds.outwards), levels(f, thresholds.inwards), noise)
  it('extrapolates powers of the radius exactly, whatever the power', () => {
    for (const p of [1, 2, 3, 4.5]) {
      const end = both(r => 0.25 + 0.01 * r ** -p)!
      expect(Math.abs(end.limit - 0.25)).toBeLessThanOrEqual(end.uncertainty)
      expect(end.uncertainty).toBeLessThan(1e-12)
    }
  })
  it('show a limit that is not more certain than it is, where far spheres are settled on less well than rounding', () => {
    const next = seeded(23)
    const cases = 2000
    let [seen, within] = [0, 0]
    for (let n = 0; n < cases; n++) {
      const p = 1 + 3 * next()
      const [share, bends] = [10 ** (-2 - 4 * next()), next() - 0.5]
      const f = (r: number): number => 0.25 + share * r ** -p * (1 + (bends * 0.3) / r)
      // Too high, by what grows as r² far out.
      const rough = share * 10 ** (-4 - 4 * next())
      const out = levels(f, thresholds.outwards).map((loss, k) =>
        k < 8 ? loss : loss + rough * next() * thresholds.outwards ** (2 * (k - climbLevels))
      )
      const end = approaches(out, levels(f, thresholds.inwards), 1e-15)
      if (!end) continue
      seen++
      const wrong = Math.abs(end.limit - 0.25) / end.uncertainty
      if (wrong <= 1) within++
      expect(wrong, `case ${n}: ${JSON.stringify(end)}`).toBeLessThan(10)
      expect(end.uncertainty).toBeLessThan(0.02 * share)
    }
    expect(seen).toBeGreaterThan(0.95 * cases)
    expect(within).toBeGreaterThan(0.99 * seen)
  })
  it('says nothing where the loss rises, stays, or falls without slowing down', () => {
    expect(both(r => 1 + (r - 3) ** 2)).toBeNull()
    expect(both(() => 1)).toBeNull()
    expect(both(r => -r)).toBeNull()
    expect(both(r => Math.max(0, 1.3 - r) ** 2)).toBeNull()
    expect(both(() => NaN)).toBeNull()
  })

  it('show no limit before a minimum of a quartic, wherever the last sphere comes to lie', () => {
    for (const [down, q] of [
      [0.5, 0.02],
      [1, 0.01],
      [2, 0.005]
    ])
      for (let r = 0.1; r < 3; r += 0.01)
        expect(
          both(k => (-down * (r * k) ** 2) / 2 + (q * (r * k) ** 4) / 4),
          `from ${r}`
        ).toBeNull()
  })

  it('show no limit where they lead past a minimum into a channel that is a little lower', () => {
    for (let at = 1.8; at < 2.6; at += 0.02) {
      const lower = (r: number): number => 0.98 + 0.02 * Math.exp(-1.5 * (r - 1.5 * at))
      const f = (r: number): number => Math.min(1 + 0.5 * Math.max(0, 1 - r / at) ** 2, lower(r))
      expect(both(f), `minimum at ${at}`).toBeNull()
    }
  })

  it('show no limit where none but the last has settled and a finite point attains it', () => {
    for (let end = 1.3; end < 1.7; end += 0.01) {
      const f = (r: number): number => 1e-3 * Math.max(0, 1 - r / end) ** 2 + 1e-24
      const inwards = levels(r => 1e-3 * (1 - 0.2 * (1 - r)), thresholds.inwards)
      const first = levels(f, thresholds.outwards).findIndex(loss => loss < 1e-20)
      expect(approaches(levels(f, thresholds.outwards), inwards, 1e-16, 2 ** first - 1), `at ${end}`).toBeNull()
    }
  })

  describe('that fall so fast that few of them are above the limit', () => {
    const sudden = (f: (r: number) => number): ReturnType<typeof settlesOn> =>
      settlesOn(levels(f, thresholds.outwards), levels(f, thresholds.finely), 1e-15)

    it('show their limit in smaller steps, whatever valleys lie further on', () => {
      for (const rate of [15, 20, 30, 50]) {
        const end = sudden(r => (r > 3.2 ? 0 : 0.25 + 1e-9 * Math.exp(rate * (1 - r))))!
        expect(Math.abs(end.limit - 0.25)).toBeLessThanOrEqual(end.uncertainty)
        expect(end.uncertainty).toBeLessThan(1e-13)
      }
    })

    it('and none before a finite minimum, or where the valley goes on flat', () => {
      for (const at of [1.03, 1.1, 1.2, 1.35])
        for (const n of [2, 4]) {
          const bowl = (r: number): number => 0.25 + 1e-9 * (r - at) ** n
          expect(sudden(bowl)).toBeNull()
          expect(sudden(r => (r < at ? bowl(r) : 0.25))).toBeNull()
        }
      expect(sudden(() => 0.25)).toBeNull()
      expect(sudden(() => NaN)).toBeNull()
    })
  })
})

describe('networks', () => {
  const next = seeded(12)
  const between = (low: number, high: number): number => low + (high - low) * next()
  const spread = (n: number): number[] => Array.from({ length: n }, (_, i) => -1.5 + (3 * i) / (n - 1))

  it.each([2, 3])(
    'rows of a teacher that %i units can copy: one valley without loss, and nothing diverges',
    async h => {
      for (let repeat = 0; repeat < 2; repeat++) {
        const [a, b] = [between(0.6, 1.4), between(-0.6, 0.6)]
        const x = spread(7)
        const columns = { x, y: x.map(v => Math.tanh(a * v + b)) }
        const model = { hidden: [h], activation: 'tanh', loss: 'squared' }
        const { counts, losses } = await judgeStudy(columns, { model, starts: { count: 60, seed: 1 + repeat } })
        expect(counts['diverging']).toBe(0)
        expect(counts['degenerate']).toBeGreaterThanOrEqual(54)
        expect(Math.max(...losses('degenerate'))).toBeLessThan(1e-14)
      }
    }
  )

  it('a parabola is approached with ever larger weights, and never reached', async () => {
    for (let repeat = 0; repeat < 2; repeat++) {
      const [a, b, c] = [between(0.5, 2), between(-0.5, 0.5), between(-1, 1)]
      const x = spread(13).map(v => v / 1.5)
      const columns = { x, y: x.map(v => a * v * v + b * v + c) }
      const model = { hidden: [2], activation: 'tanh', loss: 'squared' }
      const { counts, limits } = await judgeStudy(columns, {
        model,
        starts: { count: 40, seed: 1 },
        stop: { steps: 3000 }
      })
      expect(counts['unfinished']).toBeLessThanOrEqual(6)
      expect(counts['diverging']).toBeGreaterThanOrEqual(20)
      // Two units that become steps fit up to four rows at the ends, of which two lie on the steps, and the others by their mean.
      const scatter = (y: readonly number[]): number => {
        const mean = y.reduce((sum, v) => sum + v, 0) / y.length
        return y.reduce((sum, v) => sum + (v - mean) ** 2 / 2, 0) / columns.y.length
      }
      const steps = [0, 1, 2, 3, 4].flatMap(i =>
        Array.from({ length: 5 - i }, (_, j) => scatter(columns.y.slice(i, columns.y.length - j)))
      )
      for (const limit of limits)
        expect(Math.min(...[0, ...steps].map(loss => Math.abs(limit - loss))), `${limit}`).toBeLessThan(1e-9)
    }
  })

  it.each([1990, 5000, -4000])('columns around %i saturate every unit: unfinished, and said so', async origin => {
    const x = Array.from({ length: 9 }, (_, i) => origin + 3 * i)
    const columns = { x, y: x.map((_, i) => 12 + i + between(-1, 1)) }
    const model = { hidden: [1], activation: 'logistic', loss: 'squared' }
    const { counts, reasons } = await judgeStudy(columns, { model, starts: { count: 60, seed: 1 } })
    expect(counts['diverging']).toBeLessThanOrEqual(3)
    expect(counts['minimum'] + counts['degenerate']).toBeLessThanOrEqual(6)
    expect(reasons.filter(r => r === 'saturated').length).toBeGreaterThanOrEqual(50)
  })

  it('XOR in other columns and targets: runs that fit two rows and halve the others go to infinity, and are told so', async () => {
    for (let repeat = 0; repeat < 2; repeat++) {
      const [u, v, s] = [2, between(-2, 2), between(0.3, 2)]
      const columns = { a: [v, v, s + v, s + v], b: [0, u, 0, u], y: [v, u + v, u + v, v] }
      const { counts, limits, losses } = await judgeStudy(columns, {
        model: { hidden: [2], activation: 'tanh', loss: 'squared' },
        starts: { count: 300, seed: 1 + repeat },
        stop: { steps: 3000 }
      })
      // On some the plateau is a saddle's, and other valleys begin at once.
      expect(counts['unfinished']).toBeLessThanOrEqual(15)
      expect(counts['minimum'] + counts['saddle']).toBe(0)
      // With targets 2 apart, ½ (1² + 1²) / 4.
      expect(limits.length).toBeGreaterThan(3)
      for (const limit of limits) expectClose(limit, 0.25, 1e-9, 'limit')
      expect(Math.max(...losses('degenerate'))).toBeLessThan(1e-14)
    }
  })
})
