/**
 * Points that fill the unit cube evenly: the sequence of Sobol (1967) by the direction numbers of S. Joe and F. Y. Kuo (Constructing Sobol
 * sequences with better two-dimensional projections, SIAM J. Sci. Comput. 30, 2008; their table new-joe-kuo-6), scrambled by random
 * triangular matrices and shifted (J. Matoušek, On the L2-discrepancy for anchored boxes, J. Complexity 14, 1998). A point depends on
 * (seed, number) alone.
 */
import { readFileSync } from 'node:fs'
import { Stream, words } from './rng.js'

/** Dimensions with direction numbers: those of all primitive polynomials of degree 13 and less. */
export const sobolDimensions = 1111
/** Points of a sequence, whose coordinates have 32 bits. */
export const sobolPoints = 2 ** 32
const bits = 32

/** V_j of a dimension, j = 0 … 31, bit 31 the first after the point. `row`: s a m_1 … m_s of the table. */
function directionNumbers([s, a, ...m]: readonly number[]): Uint32Array {
  const v = new Uint32Array(bits)
  for (let j = 0; j < bits; j++) {
    if (j < s) {
      v[j] = m[j] << (bits - 1 - j)
      continue
    }
    v[j] = v[j - s] ^ (v[j - s] >>> s)
    for (let k = 1; k < s; k++) if ((a >>> (s - 1 - k)) & 1) v[j] ^= v[j - k]
  }
  return v
}

/** The table's rows, without the number of the dimension; the first dimension is van der Corput's sequence. */
function* rows(count: number): Generator<readonly number[]> {
  const table = new URL('../core/sobol.txt', import.meta.url)
  const lines = readFileSync(table, 'utf8').split('\n').slice(1)
  for (let p = 0; p < count; p++)
    yield p === 0 ? [bits, 0, ...new Array<number>(bits).fill(1)] : lines[p - 1].split(' ').slice(1).map(Number)
}

function parity(word: number): number {
  let w = word ^ (word >>> 16)
  w ^= w >>> 8
  w ^= w >>> 4
  return (0x6996 >>> (w & 15)) & 1
}

/** L v for the lower triangular bit matrix L with ones on its diagonal whose other entries are the leading bits of `random` [32]. */
function scrambled(v: number, random: Uint32Array): number {
  let out = 0
  for (let i = 0; i < bits; i++) {
    const diagonal = (1 << (bits - 1 - i)) >>> 0
    const before = i === 0 ? 0 : (-1 << (bits - i)) >>> 0
    if (parity(v & ((random[i] & before) | diagonal))) out |= diagonal
  }
  return out
}

export class Sobol {
  /** [P, 32] */
  private readonly directions: Uint32Array
  private readonly shift: Uint32Array

  /**
   * @param dimensions at most `sobolDimensions`
   * @param seed of scrambling and shift; without one the sequence as published
   */
  constructor(
    readonly dimensions: number,
    seed?: number
  ) {
    this.directions = new Uint32Array(dimensions * bits)
    this.shift = new Uint32Array(dimensions)
    let p = 0
    for (const row of rows(dimensions)) {
      let v = directionNumbers(row)
      if (seed !== undefined) {
        const random = words(seed, Stream.design, p, 0, bits + 1)
        v = v.map(word => scrambled(word, random))
        this.shift[p] = random[bits]
      }
      this.directions.set(v, p * bits)
      p++
    }
  }

  /** Coordinates of point 0 ≤ k < 2³², times 2³² and cut off: [P]. In the order of Gray codes, as the published sequence is. */
  words(k: number): Uint32Array {
    const out = this.shift.slice()
    const gray = (k ^ (k >>> 1)) >>> 0
    for (let j = 0; j < bits; j++) {
      if (((gray >>> j) & 1) === 0) continue
      for (let p = 0; p < out.length; p++) out[p] ^= this.directions[p * bits + j]
    }
    return out
  }
}
