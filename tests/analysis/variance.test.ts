// Variance components of crossed factors: exact on additive tables, unbiased and covered on random ones.
import { describe, expect, it } from 'vitest'
import { Squares, type Levels } from '../../src/analysis/variance.js'
import { factors, sources, type Source } from '../../src/core/varianceResult.js'
import { Stream, normalQuantile, uniform, words } from '../../src/core/rng.js'
import { expectClose } from '../helpers/tolerance.js'

const normals = (n: number, seed: number, series: number): Float64Array =>
  Float64Array.from(words(seed, Stream.generator, series, 0, n), w => normalQuantile(uniform(w)))
const variance = (v: Float64Array): number => {
  const mean = v.reduce((s, x) => s + x, 0) / v.length
  return v.reduce((s, x) => s + (x - mean) ** 2, 0) / (v.length - 1)
}
const eps = 2 ** -52

/** y = Σ of the effects of every source, deviations as given. */
function table(levels: Levels, deviations: Readonly<Partial<Record<Source, number>>>, seed: number): Float64Array {
  const [I, O, S] = levels
  const list = sources.map((source, k) => {
    const parts = source === 'residual' ? factors : (source.split(':') as (typeof factors)[number][])
    const has = factors.map(f => parts.includes(f))
    const size = levels.reduce((n, l, f) => (has[f] ? n * l : n), 1)
    return { has, values: normals(size, seed, k).map(v => v * (deviations[source] ?? 0)) }
  })
  return Float64Array.from({ length: I * O * S }, (_, r) => {
    const at = [Math.floor(r / (O * S)), Math.floor(r / S) % O, r % S]
    return list.reduce((sum, { has, values }) => {
      const place = levels.reduce((n, l, f) => (has[f] ? n * l + at[f] : n), 0)
      return sum + values[place]
    }, 0)
  })
}
const split = (levels: Levels, values: ArrayLike<number>) => {
  const squares = new Squares(levels)
  squares.add(values)
  return squares.components(eps)
}

describe('an additive table', () => {
  it.each<[string, Levels]>([
    ['three factors', [7, 5, 4]],
    ['two factors', [6, 9, 1]],
    ['starts and resamples', [4, 1, 11]],
    ['one factor', [12, 1, 1]]
  ])('has the variances of its effects as components: %s', (_, levels) => {
    // A large offset costs no digits of the components.
    for (const offset of [0, 1e6]) {
      const effects = levels.map((n, k) => normals(n, 3, 20 + k))
      const values = Float64Array.from({ length: levels[0] * levels[1] * levels[2] }, (_, r) => {
        const at = [Math.floor(r / (levels[1] * levels[2])), Math.floor(r / levels[2]) % levels[1], r % levels[2]]
        return offset + effects.reduce((s, e, k) => s + (levels[k] > 1 ? e[at[k]] : 0), 0)
      })
      const found = split(levels, values)
      const { deviation, mean } = found
      const expected = levels.map((n, k) => (n > 1 ? variance(effects[k]) : 0))
      const total = expected.reduce((s, v) => s + v, 0)
      const tol = 256 * eps * Math.max(1, offset)
      expectClose(deviation ** 2, total, tol, 'total')
      factors.forEach((f, k) => {
        expectClose(found[f].deviation ** 2, expected[k], tol, f)
        expectClose(found[f].share, expected[k] / total, tol / total, `share of ${f}`)
        expect(found[f].interval[0]).toBeLessThanOrEqual(found[f].share)
        expect(found[f].interval[1]).toBeGreaterThanOrEqual(found[f].share)
      })
      expect(found.residual.share).toBeLessThan(1e-9)
      expect(Number.isFinite(mean)).toBe(true)
    }
  })
})

it('components of random tables are unbiased, and intervals cover them', () => {
  const levels: Levels = [12, 10, 8]
  const deviations = {
    start: 2,
    order: 1,
    resample: 1.5,
    'start:order': 0.5,
    'start:resample': 1,
    'order:resample': 0.7,
    residual: 0.8
  } as const
  const truth = Object.fromEntries(sources.map(s => [s, deviations[s] ** 2])) as Record<Source, number>
  const total = sources.reduce((sum, s) => sum + truth[s], 0)
  const repeats = 150
  const values = Object.fromEntries(sources.map(s => [s, [] as number[]])) as Record<Source, number[]>
  const covered = Object.fromEntries(sources.map(s => [s, 0])) as Record<Source, number>
  for (let n = 0; n < repeats; n++) {
    const found = split(levels, table(levels, deviations, 100 + n))
    for (const s of sources) {
      values[s].push(found[s].deviation ** 2)
      if (found[s].interval[0] <= truth[s] / total && truth[s] / total <= found[s].interval[1]) covered[s]++
    }
  }
  for (const s of sources) {
    const list = Float64Array.from(values[s])
    const mean = list.reduce((a, b) => a + b, 0) / repeats
    // Truncation at 0 hardly ever happens with these components.
    expectClose(mean, truth[s], 5 * Math.sqrt(variance(list) / repeats), s)
    // 95 %: five standard deviations of the share.
    expect(covered[s] / repeats, s).toBeGreaterThan(0.95 - 5 * Math.sqrt((0.05 * 0.95) / repeats))
  }
})

it('rounding is nobody’s share, and exchange of factors exchanges shares', () => {
  const constant = split([5, 4, 3], new Float64Array(60).fill(0.1))
  for (const s of sources) expect(constant[s]).toMatchObject({ share: 0, interval: [0, 0] })
  const noise = split(
    [5, 4, 1],
    Float64Array.from({ length: 20 }, (_, i) => 1 + (i % 3) * eps)
  )
  for (const s of sources) expect(noise[s].share).toBe(0)
  const values = table([4, 6, 1], { start: 1, order: 2, residual: 0.5 }, 9)
  const turned = Float64Array.from({ length: 24 }, (_, r) => values[(r % 4) * 6 + Math.floor(r / 4)])
  const a = split([4, 6, 1], values)
  const b = split([6, 4, 1], turned)
  expectClose(a.start.share, b.order.share, 64 * eps, 'start')
  expectClose(a.residual.share, b.residual.share, 64 * eps, 'residual')
})

it('quantities add up: a categorical outcome as the indicators of its categories', () => {
  const category = Array.from({ length: 24 }, (_, r) => Math.floor(r / 6) % 2)
  const squares = new Squares([4, 6, 1])
  for (const c of [0, 1]) squares.add(category.map(v => (v === c ? 1 : 0)))
  const { start, deviation } = squares.components(eps)
  expectClose(start.share, 1, 64 * eps, 'share')
  // Two indicators of variance 1/3 each (4 starts, half of them in either category).
  expectClose(deviation ** 2, 2 / 3, 64 * eps, 'variance')
})
