/** Points through the addon's enclosures, held against BigInt arithmetic (exact.ts). */
import { loadAddon } from '../../src/engines/cpu/addon.js'
import { enclosedOperations, type EnclosedOperation } from '../../src/engines/cpu/proofs.js'
import { Exact } from './exact.js'

type Function1 = (x: bigint, e: Exact) => bigint
type Function2 = (x: bigint, y: bigint, e: Exact) => bigint

const binary: Partial<Record<EnclosedOperation, Function2>> = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y, e) => e.multiply(x, y),
  divide: (x, y, e) => e.divide(x, y),
  power: (x, y, e) => power(x, y, e),
  powerLog: (x, y, e) => e.multiply(power(x, y, e), e.log(x)),
  powerLog2: (x, y, e) => e.multiply(power(x, y, e), square(e, e.log(x)))
}
const power: Function2 = (x, y, e) => e.exp(e.multiply(y, e.log(x)))
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
  squareRoot: (x, e) => e.root(x),
  arcTangent: (x, e) => e.arcTangent(x),
  errorFunction: (x, e) => 2n * e.normal(e.multiply(x, e.root(2n * e.one))) - e.one,
  geluSecond: (x, e) => e.multiply(e.density(x), 2n * e.one - square(e, x))
}

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

const addonOf = () => {
  const found = loadAddon()
  if ('reason' in found) throw new Error(found.reason)
  return found.addon
}

export interface Enclosed {
  /** Points whose exact value lies outside of the ball, or of the interval, or for which there is none. */
  readonly outside: number
  /** The largest half width of a ball, and width of an interval, relative to the larger of 1 and the value. */
  readonly ball: number
  readonly interval: number
}

/** Points, balls of radius 0 and intervals of one number, through an operation of the addon. */
export function enclosePoints(target: string, operation: EnclosedOperation, count: number, seed: number): Enclosed {
  const exact = new Exact(400)
  const random = seeded(seed)
  const [one, two] = [unary[operation], binary[operation]]
  const positive = operation === 'log' || operation === 'squareRoot' || operation.startsWith('power')
  const draw = (): Float64Array =>
    Float64Array.from({ length: count }, () => (positive ? 0.01 + 4 * random() : 8 * random() - 4))
  const points = operation === 'log1p' ? draw().map(Math.abs) : draw()
  const others = two ? draw() : null
  const number = enclosedOperations.indexOf(operation)
  const ballsOf = (x: Float64Array): Float64Array =>
    Float64Array.from({ length: 3 * count }, (_, i) => (i % 3 === 0 ? x[i / 3] : 0))
  const twice = (x: Float64Array): Float64Array => Float64Array.from([...x, ...x])
  const addon = addonOf()
  const balls = addon.encloseBalls(target, number, ballsOf(points), others && ballsOf(others))
  const ends = addon.enclose(target, number, twice(points), others && twice(others))
  let [outside, ball, interval] = [0, 0, 0]
  for (let i = 0; i < count; i++) {
    const x = exact.of(points[i])
    const value = two && others ? two(x, exact.of(others[i]), exact) : one!(x, exact)
    const [hi, lo, radius] = balls.subarray(3 * i)
    const [from, to] = [ends[i], ends[count + i]]
    const gap = exact.of(hi) + exact.of(lo) - value
    const holds =
      [hi, lo, radius, from, to].every(Number.isFinite) &&
      (gap < 0n ? -gap : gap) <= exact.of(radius) &&
      exact.of(from) <= value &&
      value <= exact.of(to)
    if (!holds) outside++
    ball = Math.max(ball, radius / Math.max(1, Math.abs(hi)))
    interval = Math.max(interval, (to - from) / Math.max(1, Math.abs(hi)))
  }
  return { outside, ball, interval }
}
