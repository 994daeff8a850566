// The oracle for f, g and H: the whole model family written once over hyper-dual numbers (Fike and Alonso 2011), which give
// first and second derivatives exact to rounding. Nothing here uses the formulas of src/, not even the special functions.
import { layers, penaltyOf, parameterCount } from '../../src/models/network/network.js'
import type { Network, Problem } from '../../src/models/types.js'

/** v + a ε₁ + b ε₂ + ab ε₁ε₂, with ε₁² = ε₂² = 0. */
export interface HyperDual {
  readonly v: number
  readonly a: number
  readonly b: number
  readonly ab: number
}

export const real = (v: number): HyperDual => ({ v, a: 0, b: 0, ab: 0 })
/** h(x) from h, h′ and h″ at x.v. */
const lift = (x: HyperDual, h: number, h1: number, h2: number): HyperDual => ({
  v: h,
  a: h1 * x.a,
  b: h1 * x.b,
  ab: h1 * x.ab + h2 * x.a * x.b
})
export const add = (x: HyperDual, y: HyperDual): HyperDual => ({
  v: x.v + y.v,
  a: x.a + y.a,
  b: x.b + y.b,
  ab: x.ab + y.ab
})
export const mul = (x: HyperDual, y: HyperDual): HyperDual => ({
  v: x.v * y.v,
  a: x.v * y.a + x.a * y.v,
  b: x.v * y.b + x.b * y.v,
  ab: x.v * y.ab + x.a * y.b + x.b * y.a + x.ab * y.v
})
export const times = (k: number, x: HyperDual): HyperDual => ({ v: k * x.v, a: k * x.a, b: k * x.b, ab: k * x.ab })
export const shift = (x: HyperDual, k: number): HyperDual => ({ ...x, v: x.v + k })
export const exp = (x: HyperDual): HyperDual => lift(x, Math.exp(x.v), Math.exp(x.v), Math.exp(x.v))
export const log = (x: HyperDual): HyperDual => lift(x, Math.log(x.v), 1 / x.v, -1 / (x.v * x.v))
export const inverse = (x: HyperDual): HyperDual => lift(x, 1 / x.v, -1 / x.v ** 2, 2 / x.v ** 3)
const expm1 = (x: HyperDual): HyperDual => lift(x, Math.expm1(x.v), Math.exp(x.v), Math.exp(x.v))
const log1p = (x: HyperDual): HyperDual => lift(x, Math.log1p(x.v), 1 / (1 + x.v), -1 / (1 + x.v) ** 2)

/** Φ(z) by the positive series Σ z^(2n+1)/(2n+1)!!, which is exact to rounding while |z| is moderate. */
export function normalCdf(z: number): number {
  const t = Math.abs(z)
  let term = t
  let sum = t
  for (let n = 1; n < 200 && term > sum * 2 ** -60; n++) {
    term *= (t * t) / (2 * n + 1)
    sum += term
  }
  const inner = sum * density(t)
  // In the lower tail ½ − inner cancels; Lentz's continued fraction for the Mills ratio holds from 2 on.
  if (t < 2) return z < 0 ? 0.5 - inner : 0.5 + inner
  let fraction = t
  for (let n = 400; n >= 1; n--) fraction = t + n / fraction
  const tail = density(t) / fraction
  return z < 0 ? tail : 1 - tail
}
const density = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
const cdf = (x: HyperDual): HyperDual => lift(x, normalCdf(x.v), density(x.v), -x.v * density(x.v))

const sigmoid = (x: HyperDual): HyperDual => inverse(shift(exp(times(-1, x)), 1))
const softplus = (x: HyperDual): HyperDual => log1p(exp(x))

function activation(kind: Network['activation'], u: HyperDual): HyperDual {
  switch (kind) {
    case 'identity':
      return u
    case 'tanh': {
      const e = expm1(times(2, u))
      return mul(e, inverse(shift(e, 2)))
    }
    case 'logistic':
      return sigmoid(u)
    case 'softplus':
      return softplus(u)
    case 'relu':
      return u.v > 0 ? u : real(0)
    default:
      return kind satisfies never
  }
}

/** ℓ for moderate |z|, by its definition in DESIGN §3. */
export function loss(kind: Network['loss'], z: readonly HyperDual[], y: number): HyperDual {
  const one = z[0]
  const mix = (event: HyperDual, rest: HyperDual): HyperDual => add(times(-y, event), times(-(1 - y), rest))
  switch (kind) {
    case 'squared':
      return times(0.5, mul(shift(one, -y), shift(one, -y)))
    case 'logistic':
      return add(softplus(one), times(-y, one))
    case 'probit':
      return mix(log(cdf(one)), log(cdf(times(-1, one))))
    case 'cloglog':
      return mix(log(times(-1, expm1(times(-1, exp(one))))), times(-1, exp(one)))
    case 'poisson':
      return add(exp(one), times(-y, one))
    case 'gamma':
      return add(one, times(y, exp(times(-1, one))))
    case 'softmax':
      return add(log(z.map(exp).reduce(add)), times(-1, z[y]))
    case 'brier': {
      const d = shift(sigmoid(one), -y)
      return times(0.5, mul(d, d))
    }
    default:
      return kind satisfies never
  }
}

function outputs(problem: Problem, theta: readonly HyperDual[], i: number): HyperDual[] {
  const { network, x, offset } = problem
  const all = layers(network)
  let below = Array.from({ length: network.inputs }, (_, d) => real(x[i * network.inputs + d]))
  all.forEach((layer, l) => {
    const units: HyperDual[] = []
    for (let k = 0; k < layer.units; k++) {
      let at = layer.at + k * layer.stride
      let sum = network.bias ? theta[at++] : real(0)
      for (const value of below) sum = add(sum, mul(theta[at++], value))
      units.push(l === all.length - 1 ? sum : activation(network.activation, sum))
    }
    below = units
  })
  return offset ? below.map(z => shift(z, offset[i])) : below
}

/** Σ |w| |a| carried to the outputs: what a rounding error in the forward pass is relative to. */
function absoluteOutput(problem: Problem, theta: Float64Array, i: number): number {
  const { network, x, offset } = problem
  let below = Array.from({ length: network.inputs }, (_, d) => Math.abs(x[i * network.inputs + d]))
  for (const layer of layers(network))
    below = Array.from({ length: layer.units }, (_, k) => {
      let at = layer.at + k * layer.stride
      let sum = network.bias ? Math.abs(theta[at++]) : 0
      for (const value of below) sum += Math.abs(theta[at++]) * value
      return sum + 1
    })
  return Math.max(...below) + Math.abs(offset?.[i] ?? 0)
}

export interface Exact {
  readonly f: number
  readonly g: Float64Array
  readonly H: Float64Array
  /** Sums over the rows of the largest absolute contribution times (1 + Σ|w||a|), for f, g and H. */
  readonly magnitude: { readonly f: number; readonly g: number; readonly H: number }
}

/** f, g and H of a problem at θ. */
export function oracle(problem: Problem, theta: Float64Array): Exact {
  const { network, rows, y, weight } = problem
  const P = parameterCount(network)
  const g = new Float64Array(P)
  const H = new Float64Array(P * P)
  let f = 0
  let total = 0
  for (let i = 0; i < rows; i++) total += weight?.[i] ?? 1
  const magnitude = { f: 0, g: 0, H: 0 }
  for (let i = 0; i < rows; i++) {
    const c = (weight?.[i] ?? 1) / total
    const size = c * (1 + absoluteOutput(problem, theta, i))
    let [fTop, gTop, hTop] = [0, 0, 0]
    for (let p = 0; p < P; p++)
      for (let q = p; q < P; q++) {
        const dual = Array.from(theta, (v, k) => ({ v, a: k === p ? 1 : 0, b: k === q ? 1 : 0, ab: 0 }))
        const value = loss(network.loss, outputs(problem, dual, i), y[i])
        if (p === 0 && q === 0) f += c * value.v
        if (p === q) g[p] += c * value.a
        H[p * P + q] += c * value.ab
        fTop = Math.abs(value.v)
        gTop = Math.max(gTop, Math.abs(value.a))
        hTop = Math.max(hTop, Math.abs(value.ab))
      }
    // A rounding error of z moves f by ℓ′ and g by ℓ″: the larger of neighbours counts.
    magnitude.f += size * (fTop + gTop)
    magnitude.g += size * (gTop + hTop)
    magnitude.H += size * (gTop + hTop)
  }
  penaltyOf(problem).forEach((ridge, p) => {
    f += 0.5 * ridge * theta[p] ** 2
    g[p] += ridge * theta[p]
    H[p * P + p] += ridge
    magnitude.f += 0.5 * ridge * theta[p] ** 2
    magnitude.g += ridge * Math.abs(theta[p])
    magnitude.H += ridge
  })
  for (let p = 0; p < P; p++) for (let q = 0; q < p; q++) H[p * P + q] = H[q * P + p]
  return { f, g, H, magnitude }
}
