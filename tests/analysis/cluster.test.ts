import { describe, expect, it, vi } from 'vitest'
import { Clusterer, FunctionClusterer, openClusters } from '../../src/analysis/cluster.js'
import { listedStarts } from '../../src/analysis/clusterTable.js'
import { outputs } from '../../src/models/outputs.js'
import { RankedIds } from '../../src/analysis/ranked.js'
import { DistinctCounter, distinctCapacity } from '../../src/analysis/sketch.js'
import { normalQuantile, Stream, uniform, words } from '../../src/core/rng.js'
import { parameterCount } from '../../src/models/model.js'
import { genericCoefficients } from '../../src/models/network/symmetry.js'
import type { Network, Problem } from '../../src/models/types.js'

const glm: Network = {
  kind: 'network',
  inputs: 2,
  hidden: [],
  outputs: 1,
  activation: 'tanh',
  loss: 'brier',
  bias: false,
  ridge: 0,
  penalizeBias: false
}
const net: Network = { ...glm, inputs: 3, hidden: [2], loss: 'logistic', bias: true }
const random = (n: number, start: number): Float64Array =>
  Float64Array.from(words(11, Stream.generator, start, 0, n), w => normalQuantile(uniform(w)))

/** Permutes and flips the two tanh units of `net` by three bits. */
function image(theta: Float64Array, bits: number): Float64Array {
  const out = Float64Array.from(theta)
  for (let k = 0; k < 2; k++) {
    const from = bits & 4 ? 1 - k : k
    const s = (bits >> k) & 1 ? -1 : 1
    for (let d = 0; d < 4; d++) out[k * 4 + d] = s * theta[from * 4 + d]
    out[9 + k] = s * theta[9 + from]
  }
  return out
}

describe('Clusterer', () => {
  it('counts runs, halves, copies and the first start, and keeps the best polished run', () => {
    const clusterer = new Clusterer(net)
    const a = random(11, 1)
    const b = random(11, 2)
    // Starts arrive in descending order; every third one is b.
    for (let start = 39; start >= 0; start--)
      clusterer.add(
        start,
        start % 3 === 0 ? 0.2 : 0.1,
        start === 7 ? 1e-16 : 1e-12 * (1 + start),
        1e-12,
        image(start % 3 === 0 ? b : a, start % 8)
      )
    const [first, second, ...rest] = clusterer.clusters()
    expect(rest).toEqual([])
    expect(first).toMatchObject({
      loss: 0.1,
      count: 26,
      firstStart: 1,
      copies: 8,
      start: 7,
      gradientNorm: 1e-16
    })
    expect(second).toMatchObject({ loss: 0.2, count: 14, firstStart: 0, copies: 8, start: 0 })
    expect(clusterer.size).toBe(2)
  })

  it('gives the same clusters in whichever order runs arrive', () => {
    const order = Array.from({ length: 200 }, (_, i) => i)
    const run = (starts: readonly number[]): unknown => {
      const clusterer = new Clusterer(net)
      for (const s of starts) {
        const theta = image(random(11, s % 13), (s * 5) % 8).map((v, p) => v * (1 + 1e-13 * Math.sin(s + p)))
        clusterer.add(s, 0.1 + (s % 13) / 100, 1e-12 * (1 + Math.abs(Math.sin(s))), 1e-12, theta)
      }
      return clusterer.clusters().map(({ id, ...rest }) => (expect(id).toBeGreaterThanOrEqual(0), rest))
    }
    const expected = run(order)
    expect(run([...order].reverse())).toEqual(expected)
    expect(run(order.map(i => (i * 77) % 200))).toEqual(expected)
  })

  it('files runs that ended at one point, to the bit, as it files them one by one', () => {
    const P = 11
    const count = 400
    const w = words(17, Stream.generator, 0, 0, 2 * count)
    // Stretches of one point, to the bit, of its images, of rounding, and of better polished runs.
    const rows = Array.from({ length: count }, (_, i) => {
      const stretch = w[Math.floor(i / 9)]
      const theta = image(random(P, stretch % 3), (stretch >>> 8) % 8)
      return w[count + i] % 11 === 0 ? theta.map(v => v * (1 + 1e-14)) : theta
    })
    const loss = rows.map((_, i) => 0.1 + (w[Math.floor(i / 9)] % 3) / 100)
    const gradientNorm = rows.map((_, i) => 1e-12 * (1 + (w[count + i] % 7 === 0 ? 0 : i % 2)))
    const [one, other] = [new Clusterer(net), new Clusterer(net)]
    const ids = rows.map((theta, i) => one.add(i, loss[i], gradientNorm[i], 1e-13, theta))
    const ends = new Map<string, number[]>()
    rows.forEach((theta, i) => {
      const key = [...theta, loss[i], gradientNorm[i]].join()
      ends.set(key, [...(ends.get(key) ?? []), i])
    })
    for (const [i, ...others] of ends.values()) {
      const starts = others.slice(0, listedStarts)
      const id = other.add(i, loss[i], gradientNorm[i], 1e-13, rows[i], 0, NaN, { count: others.length, starts })
      expect(others.every(k => ids[k] === id)).toBe(true)
      expect(id).toBe(ids[i])
    }
    expect(other.clusters()).toEqual(one.clusters())
    expect(one.size).toBe(3)
    expect(ends.size).toBeLessThan(count / 4)
  })

  it('tells apart points that share a loss exactly, or lie close in θ with another loss', () => {
    const clusterer = new Clusterer(glm)
    const at = (x: number, y: number): Float64Array => Float64Array.from([x, y])
    const ids = [
      clusterer.add(0, 0.3, 0, 0, at(-1.5, 0.01)),
      clusterer.add(1, 0.3, 0, 0, at(0.01, -1.5)),
      clusterer.add(2, 0.3, 0, 0, at(-1.5 + 1e-8, 0.01)),
      clusterer.add(3, 0.3 + 1e-8, 0, 0, at(-1.5, 0.01)),
      clusterer.add(4, 0.3, 0, 0, at(-1.5 + 1e-4, 0.01))
    ]
    expect(ids).toEqual([0, 1, 0, 2, 3])
  })

  it('widens the tolerance for points that were polished to less', () => {
    const far = Float64Array.from([1, 2 + 1e-5])
    for (const [precision, clusters] of [
      [1e-12, 2],
      [1e-5, 1]
    ] as const) {
      const clusterer = new Clusterer(glm)
      clusterer.add(0, 0.3, 0, 1e-12, Float64Array.from([1, 2]))
      clusterer.add(1, 0.3, 0, precision, far)
      expect(clusterer.size).toBe(clusters)
    }
  })

  it('does not split a minimum where the canonical form nearly ties', () => {
    // The functional of the first unit is within rounding of the tolerance around zero: noise decides its sign.
    for (const hidden of [2, 6]) {
      const network = { ...net, hidden: [hidden] }
      const P = parameterCount(network)
      const c = genericCoefficients(4)
      const theta = random(P, 5)
      const size = [1, 2, 3].reduce((sum, d) => sum + c[d] * Math.abs(theta[d]), 0)
      const rest = c[1] * theta[1] + c[2] * theta[2] + c[3] * theta[3]
      const clusterer = new Clusterer(network)
      for (let start = 0; start < 10; start++) {
        const point = Float64Array.from(theta)
        // Around ± 1.0e-7 of the size, the limit of a tie, on both sides of zero.
        const gap = (start % 2 ? 1 : -1) * (0.9 + 0.05 * (start >> 1)) * 2e-7 * size
        point[0] = (gap - rest) / c[0]
        clusterer.add(start, 0.1, 1e-12, 1e-12, point)
      }
      expect(clusterer.size).toBe(1)
    }
  })

  it('stays exact with thousands of distinct points, half of which share a loss', () => {
    const network = { ...glm, inputs: 12 }
    const clusterer = new Clusterer(network)
    const theta = new Float64Array(12)
    for (let start = 0; start < 8192; start++) {
      const bits = (start * 2731) % 4096
      let left = 0
      for (let d = 0; d < 12; d++) {
        const one = (bits >> d) & 1
        left += one
        theta[d] = one ? -1.5693973349 : 0.0129252348
      }
      clusterer.add(start, 0.06 + left * 0.02, 1e-14, 1e-14, theta)
    }
    expect(clusterer.size).toBe(4096)
    expect(clusterer.clusters().every(c => c.count === 2)).toBe(true)
  })
})

describe('FunctionClusterer', () => {
  it('tells thousands of flat points of one loss apart, comparing each with few of them', () => {
    const rows = 40
    const problem: Problem = { model: net, rows, x: new Float64Array(rows * 3), y: new Float64Array(rows) }
    const clusterer = new FunctionClusterer(problem)
    const theta = new Float64Array(parameterCount(net))
    const points = 4000
    let compared = 0
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own object below
    const plain = RankedIds.prototype.within
    const counting = vi.spyOn(RankedIds.prototype, 'within').mockImplementation(function (
      this: RankedIds,
      low,
      high,
      accept
    ) {
      return plain.call(this, low, high, id => {
        compared++
        return accept(id)
      })
    })
    try {
      // Twice, the second time with the rounding of another path.
      for (const scale of [1, 1 + 1e-9])
        for (let i = 0; i < points; i++)
          clusterer.add(
            i,
            0.25,
            1e-9,
            1e-9,
            random(rows, i).map(z => z * scale),
            theta
          )
    } finally {
      counting.mockRestore()
    }
    expect(clusterer.size).toBe(points)
    expect(clusterer.clusters().every(c => c.count === 2)).toBe(true)
    // One comparison finds a point again; the others are of points that happen to lie beside it.
    expect(compared).toBeLessThan(2 * points)
  })

  const problem: Problem = { model: net, rows: 6, x: random(18, 50), y: new Float64Array(6) }

  it('puts together what computes the same, whatever the free parameters are', () => {
    const clusterer = new FunctionClusterer(problem)
    const theta = random(11, 3)
    // Unit 2 has no outgoing weight: its incoming parameters are free.
    theta[10] = 0
    const other = Float64Array.from(theta)
    other.set([5, -3, 2, 1], 4)
    const third = Float64Array.from(theta)
    third[8] += 1
    const ids = [theta, other, third].map((t, i) => clusterer.add(i, 0.25, 1e-14, 1e-12, outputs(problem, t), t))
    expect(ids).toEqual([0, 0, 1])
    expect(clusterer.clusters().map(c => c.count)).toEqual([2, 1])
    expect(clusterer.clusters()[0].parameters).toEqual(theta)
  })

  it('sees through the common shift of softmax outputs', () => {
    const soft: Problem = { ...problem, model: { ...glm, inputs: 3, outputs: 3, loss: 'softmax', bias: true } }
    const clusterer = new FunctionClusterer(soft)
    const theta = random(12, 4)
    const shifted = theta.map((v, p) => v + [0.3, -2, 1, 0.5][p % 4])
    expect(clusterer.add(0, 0.5, 1e-14, 1e-12, outputs(soft, theta), theta)).toBe(0)
    expect(clusterer.add(1, 0.5, 1e-14, 1e-12, outputs(soft, shifted), shifted)).toBe(0)
    const changed = theta.map((v, p) => (p === 1 ? v + 0.1 : v))
    expect(clusterer.add(2, 0.5, 1e-14, 1e-12, outputs(soft, changed), changed)).toBe(1)
  })
})

it('tells points apart in the units of the columns, not of the numbers', () => {
  // Two columns, of size 10⁸ and 10⁻⁸: weights of 1e-8 and 1e8 are of size one.
  const columns = [1e8, 1e-8]
  const problem: Problem = {
    model: glm,
    rows: 4,
    x: Float64Array.from([1, -1, 1, 1, -1, 1, -1, -1], (v, n) => v * columns[n % 2]),
    y: new Float64Array(4)
  }
  const { minima } = openClusters(problem)
  const add = (start: number, ...theta: number[]): number =>
    minima.add(
      start,
      0.3,
      1e-14,
      1e-13,
      Float64Array.from(theta, (v, p) => v / columns[p])
    )
  expect(add(0, 1, 2)).toBe(0)
  expect(add(1, 1.1, 2)).toBe(1)
  expect(add(2, 1 + 1e-8, 2 - 1e-8)).toBe(0)
  // Nothing is lost on the way there and back.
  expect([...minima.clusters()[0].parameters]).toEqual([1 / columns[0], 2 / columns[1]])
})

it('counts one copy of a point at the origin, whatever rounding leaves there', () => {
  const clusterer = new Clusterer(net)
  for (let start = 0; start < 10; start++)
    clusterer.add(
      start,
      0.5,
      1e-17,
      1e-16,
      random(11, start).map(v => v * 1e-18)
    )
  expect(clusterer.clusters().map(c => [c.count, c.copies])).toEqual([[10, 1]])
})

it('ranked ids agree with a plain search through many insertions and removals', () => {
  const ranked = new RankedIds()
  const keys = new Map<number, number>()
  const w = words(3, Stream.generator, 1, 0, 6000)
  for (let i = 0; i < 6000; i++) {
    // Few distinct keys, so that equal keys straddle chunks.
    const key = w[i] % 97
    ranked.insert(i, key)
    keys.set(i, key)
    if (i % 3 === 0) {
      const gone = w[i] % (i + 1)
      ranked.remove(gone)
      keys.delete(gone)
    }
  }
  for (let low = -1; low < 98; low += 0.5) {
    const seen = new Set<number>()
    ranked.within(low, low + 1, id => (seen.add(id), false))
    const expected = [...keys].filter(([, key]) => key >= low && key <= low + 1).map(([id]) => id)
    expect([...seen].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b))
  }
})

it('counts distinct keys exactly at first, then to a few per cent, in any order', () => {
  const counter = new DistinctCounter()
  for (let i = 0; i < 3 * distinctCapacity; i++) counter.add((i * 7) % distinctCapacity)
  expect(counter.size).toBe(distinctCapacity)
  const up = new DistinctCounter()
  const down = new DistinctCounter()
  const n = 200000
  for (let i = 0; i < n; i++) {
    up.add(i * 3)
    down.add((n - 1 - i) * 3)
  }
  expect(up.size).toBe(down.size)
  // At least distinctCapacity/2 keys are kept, so five standard errors are 5/√2048.
  expect(Math.abs(up.size / n - 1)).toBeLessThan(5 / Math.sqrt(distinctCapacity / 2))
})
