/**
 * What a point on kinks is, by one-sided derivatives. With independent kinks held strictly between their two sides (0 < multiplier < jump)
 * f rises at first order in every direction that leaves the manifold, and the Hessian along the manifold decides. Where a kink is held by
 * nothing, the Hessians of both sides must be positive definite. Kinks that depend on each other, and units put out by a ridge,
 * are decided by branch and bound. (Yun, Sra and Jadbabaie 2019 test the same conditions by linear and quadratic programmes.)
 */
import { dot, norm } from '../../core/linalg.js'
import { signOf, squareOf, withinLength, withinPartOfLength, type Kinked, type WithinLength } from './cones.js'
import { jumpSize, kinkedAt, multiplierTolerance, toleranceOf, type Descended } from './descend.js'
import { eigenWithin, hold, isFlat, type Held } from './manifold.js'
import { Side, type Pieces } from './pieces.js'

/** Kinks held by nothing of which all sides are looked at. */
const mostWeak = 8
/** How far from 1 the test of a unit put out must be. */
const margin = 1e-6

export type KinkVerdict =
  | { readonly verdict: 'minimum' }
  | { readonly verdict: 'degenerate'; readonly nullity: number }
  | { readonly verdict: 'saddle'; readonly index: number; readonly nullity: number }
  | { readonly verdict: 'unfinished' }

const unfinished: KinkVerdict = { verdict: 'unfinished' }

/** Whether two pairs of one row lie in different layers, so that neither side of one leaves the other's jump as it is. */
function isCoupled(pieces: Pieces, pairs: readonly number[]): boolean {
  const layerOf = new Map<number, number>()
  for (const pair of pairs) {
    const row = Math.floor(pair / pieces.units)
    const { l } = pieces.placeOf(pair % pieces.units)
    if ((layerOf.get(row) ?? l) !== l) return true
    layerOf.set(row, l)
  }
  return false
}

/** Derivatives that add up to 0 do so to this share of their limit, far beyond the kinks. */
const balanced = 1e-7
/** A unit that is there reaches the largest value there is, but for this. */
const reached = 1e-9

/** What a unit is of which a ridge has left nothing. */
export interface UnitOut {
  readonly size: WithinLength['size']
  /** Flat directions that it has: a free bias, and weights that it may share with a unit that is there. */
  readonly nullity: number
}

/**
 * A unit of which a ridge has left nothing: with incoming weights d and outgoing ones v, f changes by Σ_q v_q h_q(d) + ½ Σ λ v² + ½ Σ λ d²,
 * which is positive where Σ_q h_q² / λ_q < Σ λ d² for all d. A free bias has no part in the last sum; beyond where all rows are on one side
 * it changes no h_q, for the derivatives by the net inputs above add up to 0, whose biases are free as well.
 */
export function unitPutOut(pieces: Pieces, theta: Float64Array, k: number, out: ReadonlySet<number>): UnitOut {
  const { incoming, outgoing } = pieces.weightsOf(k)
  const { l } = pieces.placeOf(k)
  const isFree = pieces.bias === 1 && !(pieces.penalty[incoming[0]] > 0)
  const flat = isFree ? 1 : 0
  const open: UnitOut = { size: 'open', nullity: flat }
  // Deeper down, the layer below may be at kinks as well, which moves the inputs.
  if (l > 0 && pieces.problem.model.hidden.length > 2) return open
  const roots = incoming.map(p => Math.sqrt(pieces.penalty[p]))
  const rows = Array.from({ length: pieces.rows }, (_, row) => pieces.inputsOf(row, k))
  if (isFree) {
    const farthest = rows.reduce((most, x) => {
      const sum = x.reduce((s, v, d) => (d === 0 ? s : s + Math.abs(v) / roots[d]), 0)
      return Math.max(most, sum)
    }, 0)
    // Without inputs there is nothing that the unit could do.
    if (!(farthest > 0)) return { size: 'below', nullity: flat }
    roots[0] = 1 / farthest
  }
  const a: Float64Array[] = []
  const c: number[][] = outgoing.map(() => [])
  const constant = outgoing.map(() => new Float64Array(incoming.length))
  const total = new Float64Array(outgoing.length)
  rows.forEach((x, row) => {
    const inputs = x.map((v, d) => v / roots[d])
    const above = pieces.above(row, k)
    a.push(inputs)
    outgoing.forEach((p, q) => {
      const factor = above[q] / Math.sqrt(pieces.penalty[p])
      total[q] += factor
      c[q].push(factor * (pieces.slopes[1] - pieces.slopes[0]))
      inputs.forEach((v, d) => (constant[q][d] += factor * pieces.slopes[0] * v))
    })
  })
  const hs = outgoing.map((_, q): Kinked => ({ p: constant[q], c: c[q], a }))
  if (isFree && !(norm(total) / roots[0] <= balanced)) return open
  // A unit that is there already may share its weights with this one, which changes nothing.
  const { before, after } = pieces.layerOf(k)
  const others: Float64Array[] = []
  for (let other = before; other < after; other++)
    if (!out.has(other)) others.push(Float64Array.from(pieces.weightsOf(other).incoming, (p, d) => theta[p] * roots[d]))
  if (isFree) {
    const own = freeUnitOut(hs, others)
    return { size: own.size, nullity: flat + own.nullity }
  }
  const { size, direction } = withinLength(hs, others, margin)
  if (size !== 'even') return { size, nullity: flat }
  const cosine = (d: Float64Array): number => dot(d, direction) / Math.sqrt(dot(d, d) * dot(direction, direction))
  return others.some(d => cosine(d) > 1 - margin) ? { size, nullity: flat + 1 } : open
}

/** The same of a unit whose bias is free, without the flat direction which that makes. `others`: [1 + inputs] units that are there. */
function freeUnitOut(hs: readonly Kinked[], others: readonly Float64Array[]): UnitOut {
  const { size, direction } = withinPartOfLength(hs, others, margin)
  if (size !== 'even') return { size, nullity: 0 }
  const isThere = others.some(d => {
    const rest = d.subarray(1)
    const reach = rest.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
    const inside = d.with(0, Math.min(reach, Math.max(-reach, d[0])))
    return squareOf(hs, inside) >= (squareOf(hs, direction) - reached) * dot(rest, rest)
  })
  return isThere ? { size, nullity: 1 } : { size: 'open', nullity: 0 }
}

/** Whether `d` goes to the chosen sides of the kinks, where it leaves them at all. */
const goesTo = (gradients: readonly Float64Array[], sides: readonly number[], d: Float64Array): boolean =>
  gradients.every((g, k) => {
    let t = 0
    for (let p = 0; p < d.length; p++) t += g[p] * d[p]
    return sides[k] === Side.above ? t >= 0 : t <= 0
  })

/** A kink that is not held from all of its sides: its place among those held, and the sides to which f does not rise at first order. */
interface Weak {
  readonly k: number
  readonly sides: readonly number[]
}

/**
 * Inertia on the manifold of the strictly held kinks, whichever free sides the weakly held ones take: `positive` but for `flat` directions,
 * with more of these on one side, as at the end of a flat valley, negative on one side at least, or neither. To a side that is not free f rises, whatever the curvature there.
 */
function weakSides(
  pieces: Pieces,
  scale: Float64Array,
  { theta, out, held, reduced }: Descended,
  weak: readonly Weak[],
  flat: number,
  eps: number
): 'positive' | 'flat' | 'negative' | 'open' {
  if (weak.length > mostWeak) return 'open'
  const P = theta.length
  const isWeak = new Set(weak.map(({ k }) => k))
  const strong = held.pairs.filter((_, k) => !isWeak.has(k))
  const gradients = weak.map(({ k }) => held.gradients[k])
  let [open, flatter] = [false, false]
  for (let bits = 0; bits < 2 ** weak.length; bits++) {
    const sides = weak.map((_, j) => ((bits >> j) & 1 ? Side.above : Side.below))
    if (!weak.every((kink, j) => kink.sides.includes(sides[j]))) continue
    const side = new Uint8Array(pieces.pairs)
    for (const pair of held.pairs) side[pair] = Side.below
    weak.forEach(({ k }, j) => (side[held.pairs[k]] = sides[j]!))
    pieces.at(theta, side)
    const space: Held = hold(pieces, scale, strong, out)
    const extra = new Float64Array(pieces.pairs)
    held.pairs.forEach((pair, k) => {
      if (!isWeak.has(k)) extra[pair] = reduced.multipliers[k]!
    })
    const H = new Float64Array(P * P)
    pieces.hessian(H, extra)
    const { values, vectors, normH } = eigenWithin(H, scale, space.normal)
    const isDown = (v: number): boolean => v < 0 && !isFlat(v, normH, P, eps)
    // Directions that are flat on the manifold of all kinks are flat here too.
    if (values.some(isDown)) open = true
    if (values.filter(v => isFlat(v, normH, P, eps)).length > flat) flatter = true
    const down = vectors.some(
      (v, i) =>
        isDown(values[i]) &&
        (goesTo(gradients, sides, v) ||
          goesTo(
            gradients,
            sides,
            v.map(x => -x)
          ))
    )
    if (down) return 'negative'
  }
  return open ? 'open' : flatter ? 'flat' : 'positive'
}

/**
 * Judges where a descent came to.
 * @param atBottom whether f is as small as it can be, so that nothing leads down
 */
export function judgeKinks(
  pieces: Pieces,
  scale: Float64Array,
  point: Descended,
  eps: number,
  atBottom: boolean
): KinkVerdict {
  const { theta, out, held, reduced } = point
  const P = theta.length
  const at = new Uint8Array(pieces.pairs)
  for (const pair of [...held.pairs, ...held.implied]) at[pair] = Side.below
  pieces.at(theta, at)
  pieces.gradient(new Float64Array(P))
  const all = [...held.pairs, ...held.implied]
  if (!point.stationary || isCoupled(pieces, all)) return unfinished

  const negative = reduced.values.filter(v => v < 0 && !isFlat(v, reduced.normH, P, eps)).length
  const flat = reduced.values.filter(v => isFlat(v, reduced.normH, P, eps)).length
  const units = [...out].map(k => unitPutOut(pieces, theta, k, out))
  const index = negative + units.filter(({ size }) => size === 'above').length
  const zero = units.reduce((sum, { nullity }) => sum + nullity, flat)
  // From the bottom nothing leads down, whatever rounding makes of its curvature.
  if (index > 0)
    return atBottom ? { verdict: 'degenerate', nullity: zero + index } : { verdict: 'saddle', index, nullity: zero }
  if (units.some(({ size }) => size === 'open')) return unfinished

  const weak: Weak[] = []
  held.pairs.forEach((pair, k) => {
    const mu = reduced.multipliers[k]
    const tolerance = toleranceOf(pieces, held, pair)
    const sides: number[] = []
    if (!(mu > tolerance)) sides.push(Side.below)
    if (!(pieces.jump[pair] - mu > tolerance)) sides.push(Side.above)
    if (sides.length > 0) weak.push({ k, sides })
  })
  if (held.implied.length > 0) {
    const layersHeld = pieces.problem.model.hidden.length
    const tolerance = multiplierTolerance * jumpSize(pieces, held)
    const strict = layersHeld === 1 && signOf(kinkedAt(pieces, scale, held, reduced.multipliers), tolerance).sign
    if (strict !== 'positive') return atBottom && zero > 0 ? { verdict: 'degenerate', nullity: zero } : unfinished
  } else if (weak.length > 0) {
    const sides = weakSides(pieces, scale, point, weak, flat, eps)
    if (sides === 'negative') return atBottom ? unfinished : { verdict: 'saddle', index: 1, nullity: zero }
    if (sides === 'open' || (sides === 'flat' && zero === 0))
      return atBottom && zero > 0 ? { verdict: 'degenerate', nullity: zero } : unfinished
  }
  return zero > 0 ? { verdict: 'degenerate', nullity: zero } : { verdict: 'minimum' }
}
