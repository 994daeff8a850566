// The counter-based generator: known answers of Philox, what a stream depends on, uniform and normal numbers, shuffles.
import { describe, expect, it } from 'vitest'
import { Stream, normalQuantile, philox, plainLog, sharedStart, shuffle, uniform, words } from '../../src/core/rng.js'
import { normalCdf } from '../../src/models/algebra.js'
import { expectClose, printWorst, tolerance } from '../helpers/tolerance.js'

printWorst()

type Four = [number, number, number, number]
const all = 0xffffffff

describe('philox', () => {
  // The authors' known answers for philox4x32-10 (Random123, kat_vectors).
  const known: { name: string; counter: Four; key: [number, number]; out: Four }[] = [
    {
      name: 'zeros',
      counter: [0, 0, 0, 0],
      key: [0, 0],
      out: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    },
    {
      name: 'all bits set',
      counter: [all, all, all, all],
      key: [all, all],
      out: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
    },
    {
      name: 'digits of pi',
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      out: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
    }
  ]
  it.each(known)('gives the known answer for $name', ({ counter, key, out }) => {
    expect(philox(counter, key)).toEqual(out)
  })

  it('multiplies 32-bit words without losing a bit', () => {
    // One round written with big integers, from the counter with its bits flipped, ten times.
    const step = ([a, b, c, d]: bigint[], k0: bigint, k1: bigint): bigint[] => {
      const low = (n: bigint): bigint => n & 0xffffffffn
      const [p, q] = [0xd2511f53n * a, 0xcd9e8d57n * c]
      return [low(q >> 32n) ^ b ^ k0, low(q), low(p >> 32n) ^ d ^ k1, low(p)]
    }
    for (let n = 1; n <= 200; n++) {
      const counter: Four = [(n * 0x9e3779b1) >>> 0, (n * 0x85ebca77) >>> 0, ~(n * 77) >>> 0, (n * 0xc2b2ae3d) >>> 0]
      const key: [number, number] = [(n * 0x27d4eb2f) >>> 0, ~n >>> 0]
      let state = counter.map(BigInt)
      for (let round = 0n; round < 10n; round++)
        state = step(
          state,
          (BigInt(key[0]) + round * 0x9e3779b9n) & 0xffffffffn,
          (BigInt(key[1]) + round * 0xbb67ae85n) & 0xffffffffn
        )
      expect(philox(counter, key)).toEqual(state.map(Number))
    }
  })
})

describe('words', () => {
  it('are those of the counter that the contract states', () => {
    const seed = 2 ** 32 * 7 + 5
    const start = 2 ** 32 * 11 + 3
    const got = words(seed, Stream.batches, start, 6, 3)
    const block = (n: number): number[] => philox([n, 3, 11, Stream.batches], [5, 7])
    expect([...got]).toEqual([block(1)[2], block(1)[3], block(2)[0]])
  })

  it('do not depend on how many are drawn at once', () => {
    const whole = words(9, Stream.init, 4, 0, 101)
    for (const [first, count] of [
      [0, 1],
      [3, 2],
      [7, 30],
      [100, 1],
      [50, 0]
    ])
      expect([...words(9, Stream.init, 4, first, count)]).toEqual([...whole.subarray(first, first + count)])
  })

  it('differ between seeds, streams and starts, also above 32 bits', () => {
    const key = (seed: number, stream: number, start: number): string => words(seed, stream, start, 0, 4).join()
    const seen = [
      key(1, 0, 0),
      key(2, 0, 0),
      key(1 + 2 ** 32, 0, 0),
      key(1, 1, 0),
      key(1, 0, 1),
      key(1, 0, 2 ** 32),
      key(1, 0, sharedStart)
    ]
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('are evenly spread', () => {
    // 16 bins, 16384 words: chi-squared with 15 degrees of freedom has mean 15 and standard deviation √30.
    const draws = words(123, Stream.generator, 0, 0, 16384)
    const bins = new Float64Array(16)
    for (const w of draws) bins[w >>> 28]++
    const chi = bins.reduce((sum, n) => sum + (n - 1024) ** 2 / 1024, 0)
    expect(Math.abs(chi - 15)).toBeLessThan(5 * Math.sqrt(30))
  })
})

describe('uniform and normal numbers', () => {
  it('uniform lies inside (0, 1) and is symmetric', () => {
    expect(uniform(0)).toBe(2 ** -33)
    expect(uniform(all)).toBe(1 - 2 ** -33)
    for (const w of words(3, 0, 0, 0, 100)) expect(uniform(w)).toBe(1 - uniform(all - w))
  })

  it('plainLog is the natural logarithm', () => {
    const inputs = [
      1,
      0.5,
      Math.SQRT1_2,
      1 - 2 ** -53,
      2 ** -33,
      1e-300,
      ...Array.from(words(4, 0, 0, 0, 500), uniform)
    ]
    for (const x of inputs)
      expectClose(plainLog(x), Math.log(x), tolerance('f64', 2, Math.abs(Math.log(x))), `log ${x}`, 'plainLog')
  })

  // 0.25, 0.001 and 1e-20 are the check values of Wichura (1988); the others are quantiles from tables.
  it.each([
    [0.5, 0],
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167814],
    [1e-20, -9.262340089798408],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [1e-10, -6.361340902404056]
  ])('normalQuantile(%f) = %f', (u, z) => {
    expectClose(normalQuantile(u), z, tolerance('f64', 2, Math.abs(z)), `quantile of ${u}`, 'normalQuantile')
  })

  it('normalQuantile is the inverse of the distribution function, and odd about one half', () => {
    const us = [...Array.from(words(5, 0, 0, 0, 400), uniform), 0.075, 0.925, 1e-6, 2 ** -33, 2 ** -38, 1e-14]
    for (const u of us) {
      const z = normalQuantile(u)
      const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
      // A relative error of z moves Φ by |z| φ(z); Φ itself is computed by a series of about 40 terms.
      const tol = tolerance('f64', 4, Math.abs(z) * density * (1 + z * z) + Math.max(u, 0.25))
      expectClose(normalCdf(z), u, u < 1e-3 ? tolerance('f64', 40, u * (1 + z * z)) : tol, `Φ(Φ⁻¹(${u}))`, 'Φ(Φ⁻¹(u))')
    }
    for (const w of words(6, 0, 0, 0, 200)) expect(normalQuantile(uniform(all - w))).toBe(-normalQuantile(uniform(w)))
  })

  it('normal numbers have the moments of N(0, 1)', () => {
    const n = 20000
    const z = Array.from(words(7, Stream.init, 1, 0, n), w => normalQuantile(uniform(w)))
    const mean = (power: number): number => z.reduce((sum, v) => sum + v ** power, 0) / n
    // Standard errors of the first four moments: √(var z^k / n) with var 1, 2, 15, 96.
    expect(Math.abs(mean(1))).toBeLessThan(4 * Math.sqrt(1 / n))
    expect(Math.abs(mean(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
    expect(Math.abs(mean(3))).toBeLessThan(4 * Math.sqrt(15 / n))
    expect(Math.abs(mean(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n))
  })
})

describe('shuffle', () => {
  it('is the Fisher-Yates order of the contract, in whole numbers', () => {
    for (const [n, epoch] of [
      [1, 0],
      [2, 3],
      [10, 0],
      [101, 7]
    ]) {
      const order = Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i >= 1; i--) {
        const [word] = words(42, Stream.batches, 8, epoch * n + i, 1)
        const j = Number((BigInt(word) * BigInt(i + 1)) >> 32n)
        ;[order[i], order[j]] = [order[j], order[i]]
      }
      expect([...shuffle(n, 42, Stream.batches, 8, epoch)]).toEqual(order)
    }
  })

  it('holds every row once, in another order for another epoch, start or seed', () => {
    const orders = [
      shuffle(50, 1, Stream.batches, 0, 0),
      shuffle(50, 1, Stream.batches, 0, 1),
      shuffle(50, 1, Stream.batches, 1, 0),
      shuffle(50, 2, Stream.batches, 0, 0)
    ]
    for (const order of orders)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(new Set(orders.map(o => o.join())).size).toBe(4)
  })

  it('gives all 24 orders of four rows alike', () => {
    const counts = new Map<string, number>()
    const draws = 4800
    for (let start = 0; start < draws; start++) {
      const order = shuffle(4, 5, Stream.batches, start, 0).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)
    expect(Math.abs(chi - 23)).toBeLessThan(5 * Math.sqrt(46))
  })
})
