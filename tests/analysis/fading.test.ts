// What losses on spheres tell of a fall that slows down: seeded falls like powers and exponentials of the radius, beside falls to finite points.
import { describe, expect, it } from 'vitest'
import { fades, fadesAlong } from '../../src/analysis/fading.js'
import { thresholds } from '../../src/core/thresholds.js'
import { climbLevels } from '../../src/optimizers/climb.js'
import { seeded } from '../helpers/judge.js'

const next = seeded(29)
const between = (low: number, high: number): number => low + (high - low) * next()
const onSpheres = (ratio: number, loss: (r: number) => number): number[] =>
  Array.from({ length: climbLevels + 1 }, (_, k) => loss(ratio ** k))
const ratios = [thresholds.outwards, thresholds.finely]
const seen = (loss: (r: number) => number, atLeastZero: boolean, ratio: number) =>
  fades(onSpheres(ratio, loss), onSpheres(thresholds.inwards, loss), ratio, atLeastZero)

describe.each(ratios)('on spheres %f apart, a loss that falls', ratio => {
  it('to nothing like an exponential is on a way to infinity, whatever roundings make of what is left far out', () => {
    for (let n = 0; n < 200; n++) {
      const [rate, size, power] = [between(20, 60), 10 ** between(-12, -6), between(-2, 2)]
      const floor = 10 ** between(-20, -17) * size
      const way = seen(r => size * Math.exp(-rate * (r - 1)) * r ** power + (r > 2 ? floor * next() : 0), true, ratio)
      expect(way, `rate ${rate}, power ${power}`).toMatchObject({ limit: 0 })
      expect(way!.uncertainty).toBeLessThanOrEqual(1e-4 * size)
    }
  })

  it('like a power of the radius is told its limit, nothing or not', () => {
    for (let n = 0; n < 200; n++) {
      const [power, size] = [between(1, 6), 10 ** between(-9, -3)]
      const limit = n % 2 === 0 ? 0 : 10 ** between(-3, 1)
      for (const atLeastZero of [true, false]) {
        const way = seen(r => limit + size * r ** -power, atLeastZero, ratio)
        expect(way, `power ${power}, limit ${limit}`).not.toBeNull()
        // Rounding of the losses themselves is carried along by the extrapolation.
        const rounding = (64 * Number.EPSILON * (limit + size)) / (1 - ratio ** -power) ** 2
        expect(Math.abs(way!.limit - limit)).toBeLessThanOrEqual(way!.uncertainty + rounding)
      }
    }
  })

  it('like two powers of the radius, the lesser of which takes long to fade, is told how uncertain its limit is', () => {
    let count = 0
    for (let n = 0; n < 1000; n++) {
      const [power, share, size] = [between(0.7, 3), between(-0.5, 2), 10 ** between(-3, -1)]
      const [second, limit] = [power + between(0.2, 2), between(0.1, 2)]
      const way = seen(r => limit + size * (r ** -power + share * r ** -second), false, ratio)
      if (!way) continue
      count++
      const text = `powers ${power} and ${second}, share ${share}`
      expect(Math.abs(way.limit - limit), text).toBeLessThanOrEqual(way.uncertainty)
    }
    expect(count).toBeGreaterThan(300)
  })

  it('to a finite radius, of whatever order, is on none, whether spheres lie before it or beyond', () => {
    for (let n = 0; n < 2000; n++) {
      const [at, order, size] = [1 + 10 ** between(-4, 1), between(1, 12), 10 ** between(-12, -3)]
      const limit = n % 3 === 0 ? 1 : 0
      const text = `order ${order} at ${at}, limit ${limit}`
      const flat = (r: number): number => limit + (r < at ? size * (at - r) ** order : limit * 1e-16 * next())
      const bowl = (r: number): number => limit + size * Math.abs(at - r) ** order
      for (const loss of [flat, bowl]) {
        expect(seen(loss, true, ratio), text).toBeNull()
        expect(seen(loss, false, ratio), text).toBeNull()
      }
    }
  })

  it('outwards and inwards is on none', () => {
    for (let n = 0; n < 100; n++) {
      const rate = between(20, 60)
      expect(seen(r => 1e-9 * Math.exp(-rate * Math.abs(r - 1)), true, ratio)).toBeNull()
    }
  })

  it('not at all, or is none, says nothing', () => {
    for (const loss of [() => 1, () => 0, () => NaN, (r: number) => -r, (r: number) => r]) {
      expect(seen(loss, true, ratio)).toBeNull()
      expect(seen(loss, false, ratio)).toBeNull()
    }
  })
})

describe('a descent along which a loss falls', () => {
  /** Radii that grow by uneven factors, with losses that are up to so many times what the valley's floor has there. */
  const path = (decades: number, loss: (r: number) => number, above = 1) => {
    const gaps = []
    for (let radius = 1; radius < 10 ** decades; radius *= between(1.2, 1.8))
      gaps.push({ radius, gap: loss(radius) * between(1, above) })
    return gaps
  }

  it('like a power of the radius over more than a decade is on a way to infinity, roundings beyond and bends of the path or not', () => {
    for (let n = 0; n < 200; n++) {
      const [power, size] = [between(1.5, 8), 10 ** between(-12, -8)]
      const floor = n % 2 === 0 ? 0 : size * 10 ** (-2 * power)
      const gaps = path(2.5, r => size * r ** -power + (floor > 0 && r > 100 ? floor * next() : 0), 1.2)
      expect(fadesAlong(gaps, 2 * floor), `power ${power}`).toBe(true)
    }
  })

  it('to a finite zero, or to something above 0, or over less than a decade shows none', () => {
    for (let n = 0; n < 200; n++) {
      const [order, power, size] = [between(1, 6), between(1.5, 8), 10 ** between(-12, -8)]
      const end = 10 ** between(0.3, 2.5)
      const before = path(2.5, r => size * Math.max(0, 1 - r / end) ** order).filter(
        ({ radius }) => radius < 0.999 * end
      )
      expect(fadesAlong(before, 0), `order ${order} at ${end}`).toBe(false)
      // Like a power at first.
      const late = (r: number): number => size * (r ** (-power / 2) - end ** (-power / 2)) ** 2
      const along = path(3, late).filter(({ radius }) => radius < 0.9 * end)
      along.push({ radius: 0.99 * end, gap: late(0.99 * end) })
      expect(fadesAlong(along, 0), `power ${power} to ${end}`).toBe(false)
      expect(
        fadesAlong(
          path(3, r => size * (0.05 + r ** -power)),
          0
        )
      ).toBe(false)
      expect(
        fadesAlong(
          path(0.95, r => size * r ** -power),
          0
        )
      ).toBe(false)
    }
  })
})
