/** Random intervals and balls through the addon's operations, held against BigInt arithmetic (exact.ts). */
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { enclosedOperations, type EnclosedOperation } from '../../src/engines/cpu/proofs.js'
import { Exact } from './exact.js'

type Function1 = (x: bigint, e: Exact) => bigint
type Function2 = (x: bigint, y: bigint, e: Exact) => bigint

/** Arguments ±2^from … ±2^to. */
interface Range {
  readonly from: number
  readonly to: number
  readonly sign: 'both' | 'positive'
}

const binary: Partial<Record<EnclosedOperation, Function2>> = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y, e) => e.multiply(x, y),
  divide: (x, y, e) => e.divide(x, y)
}
const square = (e: Exact, x: bigint): bigint => e.multiply(x, x)
const hazard: Function1 = (x, e) => e.divide(e.density(x), e.normal(x))
const unary: Partial<Record<EnclosedOperation, Function1>> = {
  exp: (x, e) => e.exp(x),
  expm1: (x, e) => e.exp(x) - e.one,
  log1p: (x, e) => e.log(e.one + x),
  log: (x, e) => e.log(x),
  tanh: (x, e) => e.tanh(x),
  tanhFirst: (x, e) => e.one - square(e, e.tanh(x)),
  tanhSecond: (x, e) => {
    const t = e.tanh(x)
    return -2n * e.multiply(t, e.one - square(e, t))
  },
  logistic: (x, e) => e.logistic(x),
  logisticFirst: (x, e) => {
    const s = e.logistic(x)
    return e.multiply(s, e.one - s)
  },
  logisticSecond: (x, e) => {
    const s = e.logistic(x)
    return e.multiply(e.multiply(s, e.one - s), e.one - 2n * s)
  },
  softplus: (x, e) => e.softplus(x),
  hazard,
  excess: (x, e) => hazard(x, e) + x,
  logNormal: (x, e) => e.log(e.normal(x)),
  sine: (x, e) => e.sine(x),
  cosine: (x, e) => e.cosine(x),
  gelu: (x, e) => e.multiply(x, e.normal(x)),
  geluFirst: (x, e) => e.normal(x) + e.multiply(x, e.density(x)),
  geluSecond: (x, e) => e.multiply(e.density(x), 2n * e.one - square(e, x))
}

const ranges: Partial<Record<EnclosedOperation, Range>> = {
  exp: { from: -60, to: 9, sign: 'both' },
  expm1: { from: -60, to: 9, sign: 'both' },
  log1p: { from: -60, to: 1, sign: 'positive' },
  log: { from: -200, to: 200, sign: 'positive' },
  hazard: { from: -40, to: 4.2, sign: 'both' },
  excess: { from: -40, to: 4.2, sign: 'both' },
  logNormal: { from: -40, to: 4.2, sign: 'both' },
  sine: { from: -40, to: 20, sign: 'both' },
  cosine: { from: -40, to: 20, sign: 'both' },
  gelu: { from: -40, to: 4.2, sign: 'both' },
  geluFirst: { from: -40, to: 4.2, sign: 'both' },
  geluSecond: { from: -40, to: 4.2, sign: 'both' }
}
const arithmetic: Range = { from: -120, to: 120, sign: 'both' }
const smooth: Range = { from: -60, to: 5.5, sign: 'both' }

/** Numbers of a seeded generator in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Fuzzed {
  readonly count: number
  /** Cases in which the exact result lies outside. */
  readonly outside: number
  /** Largest relative half width of a ball from points, in units of 2⁻¹⁰⁶; largest distance of an interval's end from a value met, relative. */
  readonly loosest: number
  /** Of balls from points: the largest half width, relative to max(1, |argument|), in units of 2⁻¹⁰⁶. */
  readonly widest?: number
}

const addonOf = () => {
  const found = loadAddon()
  if ('reason' in found) throw new Error(found.reason)
  return found.addon
}

const bitsFor = (operation: EnclosedOperation): number => (/hazard|excess|logNormal|gelu/.test(operation) ? 1400 : 1300)

function draw(range: Range, random: () => number): number {
  const size = 2 ** (range.from + (range.to - range.from) * random()) * (1 + random())
  const x = size / 2
  return range.sign === 'both' && random() < 0.5 ? -x : x
}

/** Balls of random radius; the value at a random point of each must lie in the result. */
export function fuzzBalls(target: string, operation: EnclosedOperation, count: number, seed: number): Fuzzed {
  const exact = new Exact(bitsFor(operation))
  const random = seeded(seed)
  const two = binary[operation]
  const one = unary[operation]
  const range = ranges[operation] ?? (two ? arithmetic : smooth)
  const make = (): Float64Array => {
    const out = new Float64Array(3 * count)
    for (let i = 0; i < count; i++) {
      const hi = draw(range, random)
      out[3 * i] = hi
      out[3 * i + 1] = random() < 0.3 ? 0 : hi * 2 ** -54 * (2 * random() - 1)
      out[3 * i + 2] = random() < 0.5 ? 0 : Math.abs(hi) * 2 ** (-20 - 80 * random())
    }
    return out
  }
  const a = make()
  const b = two ? make() : null
  const out = addonOf().encloseBalls(target, enclosedOperations.indexOf(operation), a, b)
  const inside = (v: Float64Array, i: number): bigint => {
    const part = Math.round(2 ** 20 * (2 * random() - 1))
    return exact.of(v[3 * i]) + exact.of(v[3 * i + 1]) + (exact.of(v[3 * i + 2]) * BigInt(part)) / (1n << 20n)
  }
  let outside = 0
  let loosest = 0
  let widest = 0
  for (let i = 0; i < count; i++) {
    const x = inside(a, i)
    const value = two && b ? two(x, inside(b, i), exact) : one!(x, exact)
    const distance = exact.of(out[3 * i]) + exact.of(out[3 * i + 1]) - value
    const gap = distance < 0n ? -distance : distance
    if (!Number.isFinite(out[3 * i + 2]) || gap > exact.of(out[3 * i + 2]) + 1n) outside++
    const isPoint = a[3 * i + 2] === 0 && (!b || b[3 * i + 2] === 0)
    if (isPoint && value !== 0n) loosest = Math.max(loosest, (out[3 * i + 2] / Math.abs(out[3 * i])) * 2 ** 106)
    if (isPoint) widest = Math.max(widest, (out[3 * i + 2] / Math.max(1, Math.abs(a[3 * i]))) * 2 ** 106)
  }
  return { count, outside, loosest, widest }
}

/** Intervals of random width, some of them points; the value at a random point and at both ends must lie in the result. */
export function fuzzIntervals(target: string, operation: EnclosedOperation, count: number, seed: number): Fuzzed {
  const exact = new Exact(bitsFor(operation))
  const random = seeded(seed)
  const two = binary[operation]
  const one = unary[operation]
  const range = ranges[operation] ?? (two ? arithmetic : smooth)
  const make = (): { ends: Float64Array; points: Float64Array } => {
    const ends = new Float64Array(2 * count)
    const points = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const x = draw(range, random)
      const kind = random()
      const y = kind < 0.3 ? x : kind < 0.8 ? x * (1 + 2 ** (-50 * random())) : draw(range, random)
      const most = 2 ** range.to
      const [lo, hi] = [Math.max(-most, Math.min(x, y)), Math.min(most, Math.max(x, y))]
      ends[i] = lo
      ends[count + i] = hi
      points[i] = Math.min(hi, Math.max(lo, lo + (hi - lo) * random()))
    }
    return { ends, points }
  }
  const a = make()
  const b = two ? make() : null
  const out = addonOf().enclose(target, enclosedOperations.indexOf(operation), a.ends, b?.ends ?? null)
  let outside = 0
  let loosest = 0
  for (let i = 0; i < count; i++) {
    const [lo, hi] = [exact.of(out[i]), exact.of(out[count + i])]
    const values: bigint[] = []
    const at = (x: number, y: number): void => {
      const v = two ? two(exact.of(x), exact.of(y), exact) : one!(exact.of(x), exact)
      values.push(v)
      if (!Number.isFinite(out[i]) || !Number.isFinite(out[count + i]) || v < lo - 1n || v > hi + 1n) outside++
    }
    at(a.points[i], b ? b.points[i] : 0)
    for (const j of [i, count + i]) {
      if (!b) at(a.ends[j], 0)
      else for (const k of [i, count + i]) at(a.ends[j], b.ends[k])
    }
    const isPoint = a.ends[i] === a.ends[count + i] && (!b || b.ends[i] === b.ends[count + i])
    if (isPoint) loosest = Math.max(loosest, (out[count + i] - out[i]) / Math.max(Math.abs(out[i]), 1e-280))
  }
  return { count, outside, loosest }
}
