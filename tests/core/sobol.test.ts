// Sobol's sequence: bit for bit the published one without a seed; with one, as evenly spread, and a point follows from seed and number alone.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Stream, words } from '../../src/core/rng.js'
import { Sobol, sobolDimensions } from '../../src/core/sobol.js'

describe('the sequence without a seed', () => {
  const sequence = new Sobol(sobolDimensions)

  it('begins with the published points', () => {
    const points = Array.from({ length: 8 }, (_, k) => Array.from(new Sobol(3).words(k), w => w / 2 ** 32))
    expect(points).toEqual([
      [0, 0, 0],
      [0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25],
      [0.25, 0.75, 0.75],
      [0.375, 0.375, 0.625],
      [0.875, 0.875, 0.125],
      [0.625, 0.125, 0.875],
      [0.125, 0.625, 0.375]
    ])
  })

  it('is that of another implementation in all dimensions, near and far (tests/fixtures/sobol.py)', () => {
    const all = new Uint32Array(4096 * sobolDimensions)
    for (let k = 0; k < 4096; k++) all.set(sequence.words(k), k * sobolDimensions)
    const hash = createHash('sha256').update(new Uint8Array(all.buffer)).digest('hex')
    expect(hash).toBe('77cfabb3a286faeb9da93249807b3f186eef192de763b80e68180ffa025bcbd9')
    const far = sequence.words(123456789)
    expect([0, 1, 2, 39, 1110].map(p => far[p])).toEqual([4191448864, 3403469216, 27513184, 4284203552, 2054762400])
  })
})

/** Degrees of the primitive polynomials of the first dimensions, less one: what each adds to t. */
const quality = [0, 0, 1, 2, 2]

/** All ways to share out `sum` over `count` dimensions. */
function* shares(sum: number, count: number): Generator<number[]> {
  if (count === 1) yield [sum]
  else for (let d = 0; d <= sum; d++) for (const rest of shares(sum - d, count - 1)) yield [d, ...rest]
}

describe.each([undefined, 1, 2 ** 40 + 7])('the sequence with seed %s', seed => {
  it('has as many points in every elementary interval of base 2 as in any other', () => {
    for (let s = 1; s <= 5; s++) {
      const sequence = new Sobol(s, seed)
      const t = quality.slice(0, s).reduce((a, b) => a + b)
      for (const m of [t, t + 3, 8])
        for (const block of [0, 1, 5, 2 ** 20]) {
          const points = Array.from({ length: 2 ** m }, (_, i) => sequence.words(block * 2 ** m + i))
          for (const depth of shares(m - t, s)) {
            const counts = new Map<number, number>()
            for (const point of points) {
              const cell = depth.reduce((at, d, p) => at * 2 ** d + Math.floor(point[p] / 2 ** (32 - d)), 0)
              counts.set(cell, (counts.get(cell) ?? 0) + 1)
            }
            expect(counts.size).toBe(2 ** (m - t))
            expect(new Set(counts.values())).toEqual(new Set([2 ** t]))
          }
        }
    }
  })

  it('spreads the points of a power of two evenly in every dimension', () => {
    const sequence = new Sobol(sobolDimensions, seed)
    const seen = Array.from({ length: sobolDimensions }, () => new Set<number>())
    for (let k = 256; k < 512; k++) sequence.words(k).forEach((word, p) => seen[p].add(word >>> 24))
    expect(seen.every(cells => cells.size === 256)).toBe(true)
  })
})

it('a point is the same whatever came before and however many dimensions there are; other seeds give others', () => {
  const numbers = words(3, Stream.split, 0, 0, 50)
  const forth = new Sobol(12, 9)
  const some = Array.from(numbers, k => Array.from(forth.words(k)))
  const back = new Sobol(40, 9)
  for (let i = numbers.length - 1; i >= 0; i--) expect(Array.from(back.words(numbers[i]).slice(0, 12))).toEqual(some[i])
  const other = new Sobol(12, 10)
  for (const [i, k] of numbers.entries()) other.words(k).forEach((word, p) => expect(word).not.toBe(some[i][p]))
})
