/**
 * Arithmetic that the model family is written over once (definition.ts): plain numbers, or hyper-dual numbers (Fike and Alonso 2011), which
 * give first and second derivatives exact to rounding; any other that can add, multiply and apply the functions below will do.
 */
export interface Algebra<T> {
  readonly constant: (value: number) => T
  readonly add: (a: T, b: T) => T
  readonly sub: (a: T, b: T) => T
  readonly mul: (a: T, b: T) => T
  readonly div: (a: T, b: T) => T
  readonly exp: (a: T) => T
  readonly log: (a: T) => T
  readonly expm1: (a: T) => T
  readonly log1p: (a: T) => T
  readonly sin: (a: T) => T
  /** Φ, the standard normal distribution function. */
  readonly normalCdf: (a: T) => T
  /** `above()` where `a` is positive, else `below()`: an arithmetic of sets gives the union of both where both are possible. */
  readonly positive: (a: T, above: () => T, below: () => T) => T
}

/** Φ(z) by the positive series Σ z^(2n+1)/(2n+1)!!, and in the tails by the continued fraction of the Mills ratio. */
export function normalCdf(z: number): number {
  const t = Math.abs(z)
  let term = t
  let sum = t
  for (let n = 1; n < 200 && term > sum * 2 ** -60; n++) {
    term *= (t * t) / (2 * n + 1)
    sum += term
  }
  const inner = sum * density(t)
  // In the lower tail ½ − inner cancels; Lentz's continued fraction holds from 2 on.
  if (t < 2) return z < 0 ? 0.5 - inner : 0.5 + inner
  let fraction = t
  for (let n = 400; n >= 1; n--) fraction = t + n / fraction
  const tail = density(t) / fraction
  return z < 0 ? tail : 1 - tail
}
const density = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)

export const numbers: Algebra<number> = {
  constant: value => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  exp: Math.exp,
  log: Math.log,
  expm1: Math.expm1,
  log1p: Math.log1p,
  sin: Math.sin,
  normalCdf,
  positive: (a, above, below) => (a > 0 ? above() : below())
}

/** v + a ε₁ + b ε₂ + ab ε₁ε₂, with ε₁² = ε₂² = 0. */
export interface HyperDual {
  readonly v: number
  readonly a: number
  readonly b: number
  readonly ab: number
}

/** h(x) from h, h′ and h″ at x.v. */
const lift = (x: HyperDual, h: number, h1: number, h2: number): HyperDual => ({
  v: h,
  a: h1 * x.a,
  b: h1 * x.b,
  ab: h1 * x.ab + h2 * x.a * x.b
})
const multiply = (x: HyperDual, y: HyperDual): HyperDual => ({
  v: x.v * y.v,
  a: x.v * y.a + x.a * y.v,
  b: x.v * y.b + x.b * y.v,
  ab: x.v * y.ab + x.a * y.b + x.b * y.a + x.ab * y.v
})

export const hyperDuals: Algebra<HyperDual> = {
  constant: v => ({ v, a: 0, b: 0, ab: 0 }),
  add: (x, y) => ({ v: x.v + y.v, a: x.a + y.a, b: x.b + y.b, ab: x.ab + y.ab }),
  sub: (x, y) => ({ v: x.v - y.v, a: x.a - y.a, b: x.b - y.b, ab: x.ab - y.ab }),
  mul: multiply,
  div: (x, y) => multiply(x, lift(y, 1 / y.v, -1 / y.v ** 2, 2 / y.v ** 3)),
  exp: x => lift(x, Math.exp(x.v), Math.exp(x.v), Math.exp(x.v)),
  log: x => lift(x, Math.log(x.v), 1 / x.v, -1 / (x.v * x.v)),
  expm1: x => lift(x, Math.expm1(x.v), Math.exp(x.v), Math.exp(x.v)),
  log1p: x => lift(x, Math.log1p(x.v), 1 / (1 + x.v), -1 / (1 + x.v) ** 2),
  sin: x => lift(x, Math.sin(x.v), Math.cos(x.v), -Math.sin(x.v)),
  normalCdf: x => lift(x, normalCdf(x.v), density(x.v), -x.v * density(x.v)),
  positive: (x, above, below) => (x.v > 0 ? above() : below())
}

/** log(1 + e^a), for moderate a. */
export const softplusOf = <T>(A: Algebra<T>, a: T): T => A.log1p(A.exp(a))
/** 1 / (1 + e^−a), for moderate a. */
export const sigmoidOf = <T>(A: Algebra<T>, a: T): T =>
  A.div(A.constant(1), A.add(A.exp(A.sub(A.constant(0), a)), A.constant(1)))
/** k a */
export const scaled = <T>(A: Algebra<T>, k: number, a: T): T => A.mul(A.constant(k), a)
