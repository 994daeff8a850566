/**
 * What a point on kinks is, by one-sided derivatives. With independent kinks held strictly between their two sides (0 < multiplier < jump)
 * f rises at first order in every direction that leaves the manifold, and the Hessian along the manifold decides. Where a kink is held by
 * nothing, the Hessians of both sides must be positive definite. Kinks that depend on each other, and units put out by a ridge,
 * are decided by branch and bound. (Yun, Sra and Jadbabaie 2019 test the same conditions by linear and quadratic programmes.)
 */
import { dot } from '../../core/linalg.js'
import { signOf, withinLength, type Kinked } from './cones.js'
import { jumpSize, kinkedAt, multiplierTolerance, type Descended } from './descend.js'
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

/**
 * A unit of which a ridge has left nothing: with incoming weights d and outgoing ones v, f changes by Σ_q v_q h_q(d) + ½ Σ λ v² + ½ Σ λ d²,
 * which is positive where Σ_q h_q² / λ_q < Σ λ d² for all d.
 */
export function unitPutOut(
  pieces: Pieces,
  theta: Float64Array,
  k: number,
  out: ReadonlySet<number>
): 'below' | 'even' | 'above' | 'open' {
  const { incoming, outgoing } = pieces.weightsOf(k)
  const { l } = pieces.placeOf(k)
  const roots = incoming.map(p => Math.sqrt(pieces.penalty[p]))
  const a: Float64Array[] = []
  const c: number[][] = outgoing.map(() => [])
  const constant = outgoing.map(() => new Float64Array(incoming.length))
  for (let row = 0; row < pieces.rows; row++) {
    const inputs = pieces.inputsOf(row, k).map((v, d) => v / roots[d])
    const above = pieces.above(row, k)
    a.push(inputs)
    outgoing.forEach((p, q) => {
      const factor = above[q] / Math.sqrt(pieces.penalty[p])
      c[q].push(factor * (pieces.slopes[1] - pieces.slopes[0]))
      inputs.forEach((v, d) => (constant[q][d] += factor * pieces.slopes[0] * v))
    })
  }
  // Deeper down, the layer below may be at kinks as well, which moves the inputs.
  if (l > 0 && pieces.problem.model.hidden.length > 2) return 'open'
  const hs = outgoing.map((_, q): Kinked => ({ p: constant[q], c: c[q], a }))
  // A unit that is there already may share its weights with this one, which changes nothing.
  const { before, after } = pieces.layerOf(k)
  const others: Float64Array[] = []
  for (let other = before; other < after; other++)
    if (!out.has(other)) others.push(Float64Array.from(pieces.weightsOf(other).incoming, (p, d) => theta[p] * roots[d]))
  const { size, direction } = withinLength(hs, others, margin)
  if (size !== 'even') return size
  const cosine = (d: Float64Array): number => dot(d, direction) / Math.sqrt(dot(d, d) * dot(direction, direction))
  return others.some(d => cosine(d) > 1 - margin) ? 'even' : 'open'
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
 * negative on one side at least, or neither. To a side that is not free f rises, whatever the curvature there.
 */
function weakSides(
  pieces: Pieces,
  scale: Float64Array,
  { theta, out, held, reduced }: Descended,
  weak: readonly Weak[],
  flat: number,
  eps: number
): 'positive' | 'negative' | 'open' {
  if (weak.length > mostWeak) return 'open'
  const P = theta.length
  const isWeak = new Set(weak.map(({ k }) => k))
  const strong = held.pairs.filter((_, k) => !isWeak.has(k))
  const gradients = weak.map(({ k }) => held.gradients[k])
  let open = false
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
    if (values.filter(v => isDown(v) || isFlat(v, normH, P, eps)).length > flat) open = true
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
  return open ? 'open' : 'positive'
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
  const index = negative + units.filter(u => u === 'above').length
  const zero = flat + units.filter(u => u === 'even').length
  // From the bottom nothing leads down, whatever rounding makes of its curvature.
  if (index > 0)
    return atBottom ? { verdict: 'degenerate', nullity: zero + index } : { verdict: 'saddle', index, nullity: zero }
  if (units.includes('open')) return unfinished

  const tolerance = multiplierTolerance * jumpSize(pieces, held)
  const weak: Weak[] = []
  held.pairs.forEach((pair, k) => {
    const mu = reduced.multipliers[k]
    const sides: number[] = []
    if (!(mu > tolerance)) sides.push(Side.below)
    if (!(pieces.jump[pair] - mu > tolerance)) sides.push(Side.above)
    if (sides.length > 0) weak.push({ k, sides })
  })
  if (held.implied.length > 0) {
    const layersHeld = pieces.problem.model.hidden.length
    const strict = layersHeld === 1 && signOf(kinkedAt(pieces, scale, held, reduced.multipliers), tolerance).sign
    if (strict !== 'positive') return atBottom && zero > 0 ? { verdict: 'degenerate', nullity: zero } : unfinished
  } else if (weak.length > 0) {
    const sides = weakSides(pieces, scale, point, weak, flat, eps)
    if (sides === 'negative') return atBottom ? unfinished : { verdict: 'saddle', index: 1, nullity: zero }
    if (sides === 'open') return atBottom && zero > 0 ? { verdict: 'degenerate', nullity: zero } : unfinished
  }
  return zero > 0 ? { verdict: 'degenerate', nullity: zero } : { verdict: 'minimum' }
}
