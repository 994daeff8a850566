/**
 * f near a point of one piece after another that meet at it: the kinks that the point lies on are held, which leaves a manifold on which f
 * is smooth, with a multiplier for each of them (Nocedal and Wright 2006, ch. 12; partly smooth functions, Lewis 2002).
 *
 * All vectors here are in scaled variables θ / scale.
 */
import { dot, symmetricEigen } from '../../core/linalg.js'
import { thresholds } from '../../core/thresholds.js'
import { kinkTolerance } from '../units.js'
import { Side, type Pieces } from './pieces.js'

/** A kink's gradient is new beside others where this share of it is left. */
const independent = 1e-8

/** The kinks at a point. */
export interface Held {
  /** Pairs that are held, with gradients ∂u/∂(θ/scale) that are independent. */
  readonly pairs: readonly number[]
  readonly gradients: readonly Float64Array[]
  /** Pairs at their kinks as well, as long as the held ones are. */
  readonly implied: readonly number[]
  /** Orthonormal: the directions that leave the manifold, shifts and those of units put out first. */
  readonly normal: readonly Float64Array[]
  /** Lower triangular: row k gives gradient k in `normal`, behind these. */
  readonly factor: readonly (readonly number[])[]
  /** Of `normal`, those that are shifts or belong to units put out. */
  readonly frozen: number
}

/** f on the manifold. */
export interface Reduced {
  readonly f: number
  /** [P] gradient within the manifold. */
  readonly g: Float64Array
  /** f′(d) = Σ −μ t + jump · max(0, t), t = (gradients of the pairs) · d, beside g · d. */
  readonly multipliers: Float64Array
  /** Eigenvalues, ascending, and eigenvectors [P] of the Hessian of f along the manifold. */
  readonly values: Float64Array
  readonly vectors: readonly Float64Array[]
  readonly normH: number
  /** [P, P] Hessian of f + Σ multiplier · u, not scaled. */
  readonly H: Float64Array
}

/**
 * Whether an eigenvalue says nothing: it is inside the zero band, or so little below it that it may be one of a flat valley, whose
 * position is known to (rounding of g) ÷ (eigenvalue) only.
 */
export function isFlat(value: number, normH: number, P: number, eps: number): boolean {
  const band = thresholds.zeroBandFactor * eps * P * normH
  return value <= band && value >= -thresholds.weakSaddle * band
}

/** Pairs at their kinks, but for those of units put out. */
export function pairsAtKinks(pieces: Pieces, out: ReadonlySet<number>): number[] {
  const list: number[] = []
  for (let pair = 0; pair < pieces.pairs; pair++)
    if (Math.abs(pieces.u[pair]) <= kinkTolerance * pieces.size[pair] && !out.has(pair % pieces.units)) list.push(pair)
  return list
}

function without(v: Float64Array, others: readonly Float64Array[]): { rest: Float64Array; parts: number[] } {
  const rest = v.slice()
  const parts = new Array<number>(others.length).fill(0)
  for (let pass = 0; pass < 2; pass++)
    others.forEach((other, j) => {
      const part = dot(rest, other)
      parts[j] += part
      for (let p = 0; p < rest.length; p++) rest[p] -= part * other[p]
    })
  return { rest, parts }
}

/** Whether a unit of a lower layer is at its kink on the row of a pair. */
function hasKinkBelow(pieces: Pieces, pair: number, pairs: readonly number[]): boolean {
  const K = pieces.units
  const { l } = pieces.placeOf(pair % K)
  return pairs.some(other => Math.floor(other / K) === Math.floor(pair / K) && pieces.placeOf(other % K).l < l)
}

/** Holds as many of `pairs` as are independent; `pieces` speaks of the point. */
export function hold(pieces: Pieces, scale: Float64Array, pairs: readonly number[], out: ReadonlySet<number>): Held {
  // Shifts belong to the last layer, whose scale is 1.
  const normal: Float64Array[] = [...pieces.shifts]
  for (const k of out) {
    const { incoming, outgoing } = pieces.weightsOf(k)
    for (const p of [...incoming, ...outgoing]) {
      const { rest } = without(new Float64Array(scale.length).fill(1, p, p + 1), normal)
      if (Math.sqrt(dot(rest, rest)) > 0.5) normal.push(rest)
    }
  }
  const frozen = normal.length
  const held: number[] = []
  const implied: number[] = []
  const gradients: Float64Array[] = []
  const factor: number[][] = []
  for (const pair of pairs) {
    const gradient = pieces.netGradient(pair).map((v, p) => v * scale[p])
    // Nothing near the point moves it: all that enters is 0, or comes from units that sleep.
    if (gradient.every(v => v === 0) && !hasKinkBelow(pieces, pair, pairs)) continue
    const { rest, parts } = without(gradient, normal)
    const left = Math.sqrt(dot(rest, rest))
    if (!(left > independent * Math.sqrt(dot(gradient, gradient)))) {
      implied.push(pair)
      continue
    }
    held.push(pair)
    gradients.push(gradient)
    factor.push([...parts.slice(frozen), left])
    normal.push(rest.map(v => v / left))
  }
  return { pairs: held, gradients, implied, normal, factor, frozen }
}

/** The point of the manifold near θ: Newton's iteration for u = 0 on the held pairs. `pieces` speaks of θ; returns the way there, scaled. */
export function backTo(pieces: Pieces, { pairs, normal, factor, frozen }: Held): Float64Array {
  const out = new Float64Array(pieces.parameters)
  const y: number[] = []
  pairs.forEach((pair, k) => {
    let sum = -pieces.u[pair]
    for (let j = 0; j < k; j++) sum -= factor[k][j] * y[j]
    y.push(sum / factor[k][k])
  })
  y.forEach((v, k) => normal[frozen + k].forEach((n, p) => (out[p] += v * n)))
  return out
}

/** f, gradient, multipliers and Hessian on the manifold at θ; the held and implied pairs take the slope below their kinks. */
export function reduce(
  pieces: Pieces,
  scale: Float64Array,
  theta: Float64Array,
  side: Uint8Array,
  held: Held
): Reduced {
  const P = pieces.parameters
  const at = side.slice()
  for (const pair of [...held.pairs, ...held.implied]) at[pair] = Side.below
  const f = pieces.at(theta, at)
  const full = new Float64Array(P)
  pieces.gradient(full)
  for (let p = 0; p < P; p++) full[p] *= scale[p]
  const { rest: g, parts } = without(full, held.normal)
  const m = held.pairs.length
  const multipliers = new Float64Array(m)
  for (let k = m - 1; k >= 0; k--) {
    let sum = -parts[held.frozen + k]
    for (let j = k + 1; j < m; j++) sum -= held.factor[j][k] * multipliers[j]
    multipliers[k] = sum / held.factor[k][k]
  }
  const extra = new Float64Array(pieces.pairs)
  held.pairs.forEach((pair, k) => (extra[pair] = multipliers[k]))
  const H = new Float64Array(P * P)
  pieces.hessian(H, extra)
  return { f, g, multipliers, H, ...eigenWithin(H, scale, held.normal) }
}

/** Orthonormal vectors that span the same, without those that depend on others. */
export function orthonormal(list: readonly Float64Array[]): Float64Array[] {
  const out: Float64Array[] = []
  for (const v of list) {
    const { rest } = without(v, out)
    const left = Math.sqrt(dot(rest, rest))
    if (left > independent * Math.sqrt(dot(v, v))) out.push(rest.map(a => a / left))
  }
  return out
}

/** Eigenvalues and eigenvectors of diag(s) H diag(s) in the complement of `normal`. */
export function eigenWithin(
  H: Float64Array,
  scale: Float64Array,
  normal: readonly Float64Array[]
): Pick<Reduced, 'values' | 'vectors' | 'normH'> {
  const P = scale.length
  const S = Float64Array.from(H, (v, i) => v * scale[Math.floor(i / P)] * scale[i % P])
  const project = (): void => {
    for (let r = 0; r < P; r++) S.set(without(S.subarray(r * P, (r + 1) * P), normal).rest, r * P)
    for (let r = 0; r < P; r++) for (let c = 0; c < r; c++) [S[r * P + c], S[c * P + r]] = [S[c * P + r], S[r * P + c]]
  }
  // Rows, then columns.
  project()
  project()
  for (let r = 0; r < P; r++)
    for (let c = 0; c < r; c++) S[r * P + c] = S[c * P + r] = 0.5 * (S[r * P + c] + S[c * P + r])
  let normH = 0
  for (let r = 0; r < P; r++) {
    let sum = 0
    for (let c = 0; c < P; c++) sum += Math.abs(S[r * P + c])
    normH = Math.max(normH, sum)
  }
  // What leaves the manifold goes to the end.
  const shift = normH > 0 ? 2 * normH : 1
  for (const n of normal) for (let r = 0; r < P; r++) for (let c = 0; c < P; c++) S[r * P + c] += shift * n[r] * n[c]
  const { values, vectors } = symmetricEigen(S, P)
  const inside = P - normal.length
  return {
    values: values.slice(0, inside),
    vectors: Array.from({ length: inside }, (_, i) => Float64Array.from({ length: P }, (_, p) => vectors[p * P + i])),
    normH: values.slice(0, inside).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  }
}
