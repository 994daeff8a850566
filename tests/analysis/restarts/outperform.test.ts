// P(A beats B) against going through all pairs and all sets, and its intervals against other ways to have them.
import { describe, expect, it } from 'vitest'
import type { Side } from '../../../src/analysis/restarts/outperform.js'
import { Stream, normalQuantile, uniform, words } from '../../../src/core/rng.js'
import { ofRuns } from '../../helpers/crossed.js'
import { expectClose, tolerance } from '../../helpers/tolerance.js'

const drawn = (count: number, number: number): Float64Array =>
  Float64Array.from(words(11, Stream.bootstrap, number, 0, count), uniform)

function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) {
    yield []
    return
  }
  for (let i = from; i <= n - k; i++) for (const rest of subsets(n, k - 1, i + 1)) yield [i, ...rest]
}

const better = (a: number, b: number): number => {
  const [x, y] = [a, b].map(v => (Number.isFinite(v) ? v : Infinity))
  return x < y ? 1 : x === y ? 0.5 : 0
}

/** By all pairs of sets of k, the best by loss, equally good ones in turn. */
function byHand(a: Side, b: Side, k: number, m: number): number {
  const best = ({ losses, values }: Side, set: number[]): number[] => {
    const key = (i: number): number => (Number.isFinite(losses[i]) ? losses[i] : Infinity)
    const least = Math.min(...set.map(key))
    return set.filter(i => key(i) === least).map(i => values[m][i])
  }
  let [sum, pairs] = [0, 0]
  for (const setA of subsets(a.losses.length, k))
    for (const setB of subsets(b.losses.length, k)) {
      const [x, y] = [best(a, setA), best(b, setB)]
      for (const u of x) for (const v of y) sum += better(u, v) / (x.length * y.length)
      pairs++
    }
  return sum / pairs
}

/** Losses, and a value that goes along with them only partly. */
const side = (losses: readonly number[], number: number): Side => {
  const own = Float64Array.from(losses)
  const noise = drawn(losses.length, number)
  return { losses: own, values: [own, noise.map((u, i) => Math.round(4 * u) + (own[i] > 2 ? 1 : 0))] }
}

const sides: Readonly<Record<string, readonly [Side, Side]>> = {
  'all different': [side([...drawn(7, 1)], 2), side([...drawn(5, 3)], 4)],
  'with ties': [side([1, 1, 2, 3, 3], 5), side([1, 2, 2, 2, 3, 4], 6)],
  'with runs that failed': [side([1, NaN, 2, Infinity, 3], 7), side([NaN, 2, 2.5, 0.5], 8)]
}

describe.each(Object.entries(sides))('P(A beats B), %s', (_, [a, b]) => {
  it('is that of all pairs of sets', () => {
    const found = ofRuns(a, b, false, [1, 2, 3])
    for (const [m, list] of found.entries())
      for (const { k, probability } of list)
        expectClose(probability, byHand(a, b, k, m), tolerance('f64', 500, 1), `value ${m}, best of ${k}`)
  })

  it('and P(B beats A) are 1 together', () => {
    const [ab, ba] = [ofRuns(a, b, false, [1, 2]), ofRuns(b, a, false, [1, 2])]
    ab.forEach((list, m) =>
      list.forEach(({ probability }, n) =>
        expectClose(probability + ba[m][n].probability, 1, tolerance('f64', 100, 1), `value ${m}`)
      )
    )
  })
})

it('Losses that differ by rounding tie', () => {
  const losses = Float64Array.of(0.3, 0.3 + 1e-16, 0.3 - 5e-17)
  const a = { losses, values: [losses] }
  const b = { losses: Float64Array.of(0.1 + 0.2), values: [Float64Array.of(0.1 + 0.2)] }
  expect(ofRuns(a, b, false, [1])[0][0].probability).toBe(0.5)
})

describe('pairs', () => {
  it('of one start are compared with each other alone', () => {
    const a = side([1, 2, 3, 4, 5], 1)
    const b = side([1.5, 2, 2.5, 4.5, 5.5], 2)
    const [[{ probability }]] = ofRuns(a, b, true, [1])
    expect(probability).toBe((1 + 0.5 + 0 + 1 + 1) / 5)
  })

  it('tell small differences that lie in the scatter of the runs', () => {
    const losses = drawn(200, 20)
    const a = { losses, values: [losses] }
    const shifted = losses.map((v, i) => v + (i % 5 === 0 ? -1e-3 : 1e-3))
    const b = { losses: shifted, values: [shifted] }
    const [[paired]] = ofRuns(a, b, true, [1])
    const [[apart]] = ofRuns(a, b, false, [1])
    expect(paired.probability).toBe(0.8)
    expect(paired.interval[0]).toBeGreaterThan(0.7)
    expect(apart.interval[0]).toBeLessThan(0.5)
  })

  it('of a study with itself are even, without doubt', () => {
    const a = side([...drawn(30, 21)], 22)
    for (const [{ probability, interval }] of ofRuns(a, a, true, [1])) {
      expect(probability).toBe(0.5)
      expect(interval).toEqual([0.5, 0.5])
    }
  })
})

describe('intervals', () => {
  const normal = (n: number, number: number, shift: number): Side => {
    const losses = drawn(n, number).map(u => normalQuantile(u) + shift)
    return { losses, values: [losses] }
  }

  it('agree with those of DeLong, DeLong and Clarke-Pearson (1988) for single runs', () => {
    const [a, b] = [normal(150, 30, 0), normal(200, 31, 0.5)]
    const [[{ probability, interval }]] = ofRuns(a, b, false, [1])
    // The variance of the mean of what each run wins against the other side.
    const wins = (own: Float64Array, others: Float64Array, of: (o: number, v: number) => number): number => {
      const list = Array.from(own, v => others.reduce((sum, o) => sum + of(o, v), 0) / others.length)
      const mean = list.reduce((s, v) => s + v, 0) / list.length
      return list.reduce((s, v) => s + (v - mean) ** 2, 0) / (list.length - 1) / list.length
    }
    const variance = wins(a.losses, b.losses, (o, v) => better(v, o)) + wins(b.losses, a.losses, (o, v) => better(o, v))
    const half = 1.959963984540054 * Math.sqrt(variance)
    // A quantile of 1000 resamples is off by some hundredths of its width.
    expectClose(interval[0], probability - half, 0.2 * half, 'low end')
    expectClose(interval[1], probability + half, 0.2 * half, 'high end')
  })

  it('hold the true probability about as often as they claim', () => {
    const shift = 0.6
    // Φ(0.6/√2), by the distribution of the difference of two normal variables
    const truth = 0.6643137
    let held = 0
    const studies = 60
    for (let s = 0; s < studies; s++) {
      const [[{ interval }]] = ofRuns(normal(40, 100 + s, 0), normal(40, 300 + s, shift), false, [1])
      if (interval[0] <= truth && truth <= interval[1]) held++
    }
    // 95 % of 60 is 57; below 52 has a probability of less than 1 %.
    expect(held).toBeGreaterThanOrEqual(52)
  })

  it('allow for what was not seen where one side always wins', () => {
    const a = side([1, 2, 3, 4, 5, 6, 7, 8], 1)
    const b = side([11, 12, 13, 14, 15, 16, 17, 18, 19, 20], 2)
    const [[one, two]] = ofRuns(a, b, false, [1, 2])
    expect([one.probability, one.interval[1]]).toEqual([1, 1])
    // All of 8 contests, of 4 between the best of two.
    expectClose(one.interval[0], 0.025 ** (1 / 8), tolerance('f64', 100, 1), 'low end')
    expectClose(two.interval[0], 0.025 ** (1 / 4), tolerance('f64', 100, 1), 'low end of the best of two')
    const [[lost]] = ofRuns(b, a, false, [1])
    expect([lost.probability, lost.interval[0]]).toEqual([0, 0])
    expectClose(lost.interval[1], 1 - 0.025 ** (1 / 8), tolerance('f64', 100, 1), 'high end')
  })
})
