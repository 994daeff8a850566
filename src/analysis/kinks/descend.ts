/**
 * Descent of a piecewise smooth f to a minimum that may lie on kinks: Newton's method on the manifold where the kinks that the point lies
 * on are held (the active set), with a search along the step that stops at the kink where f turns, which is then held too. A kink
 * whose multiplier is outside [0, jump] is released. Absolute eigenvalues make each step descend.
 */
import { dot } from '../../core/linalg.js'
import { thresholds } from '../../core/thresholds.js'
import { signOf, type Kinked } from './cones.js'
import { backTo, hold, isFlat, pairsAtKinks, reduce, type Held, type Reduced } from './manifold.js'
import { isNearlyOut } from '../units.js'
import { Side, type Pieces } from './pieces.js'

/** Steps that a descent may take: as many as some billion operations allow, between these. */
const [fewestSteps, mostSteps] = [20, 400]
const operations = 2e9
const stepsFor = ({ parameters: P, rows }: Pieces): number =>
  Math.min(mostSteps, Math.max(fewestSteps, Math.round(operations / (rows * P ** 2 + 20 * P ** 3))))
/** Steps without a fall of f after which a descent gives up. */
const patience = 20
/** Sufficient decrease, and bisections of a step. */
const armijo = 1e-4
const bisections = 60
/** Kinks closer together than this share of a step are met at once. */
const narrow = 1e-9
/** Relative Newton step at which a point is as good as it gets. */
const arrived = 1e-12
/** Multipliers are known to this share of the largest jump. */
export const multiplierTolerance = 1e-7
/** Jumps of one unit below this share of others' are those of rounding. */
const roundingShare = 2 ** -20

export interface Descended {
  /** [P], not scaled. */
  readonly theta: Float64Array
  /** Units put out: all that enters and leaves them is 0. */
  readonly out: ReadonlySet<number>
  readonly held: Held
  readonly reduced: Reduced
  /** As in polishing: largest |p| / max(1, |θ|) of the Newton step p left, and the largest gradient along flat directions. */
  readonly newtonStep: number
  readonly nullGradient: number
  /** Whether no first-order direction leads down. */
  readonly stationary: boolean
  readonly steps: number
}

/** The middle one of the shares of an interval at which kinks are met, away from its ends; half of it where there are none. */
function middleOf(shares: number[]): number {
  if (shares.length === 0) return 0.5
  shares.sort((a, b) => a - b)
  const k = shares.length >> 1
  const between = k > 0 ? 0.5 * (shares[k - 1] + shares[k]) : shares[0]
  return Math.min(0.95, Math.max(0.05, between))
}

const largest = (v: ArrayLike<number>): number => {
  let top = 0
  for (let i = 0; i < v.length; i++) top = Math.max(top, Math.abs(v[i]))
  return top
}

/** What the multipliers are measured by. */
export const jumpSize = (pieces: Pieces, held: Held): number =>
  [...held.pairs, ...held.implied].reduce((m, pair) => Math.max(m, Math.abs(pieces.jump[pair])), 1e-12)

/**
 * To what a pair's multiplier is known. Where no unit lies below, it comes of derivatives by the unit's own weights, which are as small as what
 * leaves the unit.
 */
export function toleranceOf(pieces: Pieces, held: Held, pair: number): number {
  const all = jumpSize(pieces, held)
  if (pieces.problem.model.hidden.length > 1) return multiplierTolerance * all
  let own = roundingShare * all
  for (let p = pair % pieces.units; p < pieces.pairs; p += pieces.units) own = Math.max(own, Math.abs(pieces.jump[p]))
  return multiplierTolerance * Math.min(own, all)
}

/** The one-sided derivatives of f along what leaves the manifold, as a function of t in the held gradients' coordinates. */
export function kinkedAt(pieces: Pieces, scale: Float64Array, held: Held, multipliers: Float64Array): Kinked {
  const span = held.normal.slice(held.frozen)
  const within = (v: Float64Array): Float64Array => Float64Array.from(span, n => dot(n, v))
  const a = held.gradients.map(within)
  const p = new Float64Array(span.length)
  a.forEach((row, k) => row.forEach((v, i) => (p[i] -= multipliers[k] * v)))
  const implied = held.implied.map(pair => within(pieces.netGradient(pair).map((v, q) => v * scale[q])))
  return { p, c: [...held.pairs, ...held.implied].map(pair => pieces.jump[pair]), a: [...a, ...implied] }
}

class Descent {
  private readonly side: Uint8Array
  private readonly out = new Set<number>()
  /** Pairs that leave their kink for one side, while they are near it. */
  private readonly released = new Set<number>()
  private theta: Float64Array

  constructor(
    private readonly pieces: Pieces,
    private readonly scale: Float64Array,
    start: Float64Array,
    private readonly eps: number
  ) {
    this.theta = start.slice()
    this.side = new Uint8Array(pieces.pairs)
  }

  run(limit: number): Descended {
    let held = this.settle()
    let reduced = reduce(this.pieces, this.scale, this.theta, this.side, held)
    let steps = 0
    let last = Infinity
    let [lowest, idle] = [Infinity, 0]
    for (; steps < limit && idle < patience; steps++) {
      const { newtonStep, p, slope } = this.step(reduced)
      const noise = 16 * this.eps * Math.abs(reduced.f)
      idle = reduced.f < lowest - noise ? 0 : idle + 1
      lowest = Math.min(lowest, reduced.f)
      const small = newtonStep <= thresholds.newtonStep || -slope <= noise
      if (small && newtonStep > arrived && newtonStep < 0.5 * last) {
        // Differences of f say nothing any more.
        last = newtonStep
        this.move(p, 1)
      } else if (small) {
        const way = this.leaves(held, reduced)
        if (!way) break
        last = Infinity
        if (way !== 'released' && !this.search(way.direction, way.slope, reduced.f, held)) break
      } else {
        last = Infinity
        if (!this.search(p, slope, reduced.f, held)) break
      }
      held = this.settle()
      reduced = reduce(this.pieces, this.scale, this.theta, this.side, held)
    }
    const { newtonStep, nullGradient } = this.step(reduced)
    const stationary = this.released.size === 0 && this.leaves(held, reduced) === null
    return { theta: this.theta, out: this.out, held, reduced, newtonStep, nullGradient, stationary, steps }
  }

  /** Newton's step on the manifold with absolute eigenvalues, no longer than the point. */
  private step({ g, values, vectors, normH }: Reduced): {
    readonly p: Float64Array
    readonly slope: number
    readonly newtonStep: number
    readonly nullGradient: number
  } {
    const P = g.length
    const p = new Float64Array(P)
    let nullGradient = 0
    vectors.forEach((v, i) => {
      const c = dot(g, v)
      if (!isFlat(values[i], normH, P, this.eps)) for (let q = 0; q < P; q++) p[q] -= (c / Math.abs(values[i])) * v[q]
      else nullGradient = Math.max(nullGradient, Math.abs(c))
    })
    let newtonStep = 0
    let size = 1
    p.forEach((v, q) => {
      const here = Math.abs(this.theta[q] / this.scale[q])
      newtonStep = Math.max(newtonStep, Math.abs(v) / Math.max(1, here))
      size = Math.max(size, here)
    })
    const top = largest(p)
    if (top > size) for (let q = 0; q < P; q++) p[q] *= size / top
    return { p, slope: dot(g, p), newtonStep, nullGradient }
  }

  private move(p: Float64Array, alpha: number): void {
    this.theta = this.theta.map((v, q) => v + alpha * p[q] * this.scale[q])
    this.clear()
  }

  /** What is out stays at 0, free of roundings. */
  private clear(): void {
    for (const k of this.out) {
      const { incoming, outgoing } = this.pieces.weightsOf(k)
      for (const q of [...incoming, ...outgoing]) this.theta[q] = 0
    }
  }

  /** Puts units out, finds the kinks that the point lies on, and puts it on their manifold. */
  private settle(): Held {
    const { pieces, scale, side, released } = this
    this.clear()
    side.fill(Side.own)
    const f = pieces.at(this.theta, side)
    this.quench(f)
    let held = hold(pieces, scale, [], this.out)
    for (let pass = 0; pass < 3; pass++) {
      side.fill(Side.own)
      pieces.at(this.theta, side)
      const near = pairsAtKinks(pieces, this.out)
      for (const pair of near) side[pair] = Side.below
      for (const [pair, to] of this.sides) {
        if (near.includes(pair)) side[pair] = to
        else this.release(pair)
      }
      pieces.at(this.theta, side)
      held = hold(
        pieces,
        scale,
        near.filter(pair => !released.has(pair)),
        this.out
      )
      this.move(backTo(pieces, held), 1)
    }
    for (const pair of [...held.pairs, ...held.implied]) side[pair] = Side.below
    return held
  }

  /** Where released pairs go. */
  private readonly sides = new Map<number, number>()
  private release(pair: number, to?: number): void {
    if (to === undefined) {
      this.sides.delete(pair)
      this.released.delete(pair)
    } else {
      this.sides.set(pair, to)
      this.released.add(pair)
    }
  }

  /** Puts out the units of which next to nothing is left, where a ridge pulls them to 0 and f does not rise without them. */
  private quench(f: number): void {
    const { pieces, scale, side } = this
    for (let k = 0; k < pieces.units; k++) {
      if (this.out.has(k) || !isNearlyOut(pieces.partsOf(k), this.theta, scale, pieces.penalty)) continue
      const { incoming, outgoing } = pieces.weightsOf(k)
      const without = this.theta.slice()
      for (const p of [...incoming, ...outgoing]) without[p] = 0
      if (!(pieces.at(without, side) <= f + 16 * this.eps * Math.abs(f))) {
        pieces.at(this.theta, side)
        continue
      }
      this.theta = without
      this.out.add(k)
    }
  }

  /** A way down that leaves the manifold: null where there is none, `released` where a kink has been let go. */
  private leaves(
    held: Held,
    { multipliers }: Reduced
  ): null | 'released' | { readonly direction: Float64Array; readonly slope: number } {
    const { pieces, scale } = this
    if (held.implied.length > 0) {
      const tolerance = multiplierTolerance * jumpSize(pieces, held)
      const h = kinkedAt(pieces, scale, held, multipliers)
      const sign = signOf(h, tolerance)
      if (sign.sign !== 'negative') return null
      const direction = new Float64Array(pieces.parameters)
      const span = held.normal.slice(held.frozen)
      sign.direction.forEach((v, i) => span[i].forEach((n, q) => (direction[q] += v * n)))
      let slope = dot(h.p, sign.direction)
      h.a.forEach((a, k) => (slope += h.c[k] * Math.max(0, dot(a, sign.direction))))
      return { direction, slope }
    }
    let worst = 1
    let which = -1
    held.pairs.forEach((pair, k) => {
      const violation = Math.max(-multipliers[k], multipliers[k] - pieces.jump[pair]) / toleranceOf(pieces, held, pair)
      if (violation > worst) [worst, which] = [violation, k]
    })
    if (which < 0) return null
    const pair = held.pairs[which]
    const below = -multipliers[which] > multipliers[which] - pieces.jump[pair]
    this.release(pair, below ? Side.below : Side.above)
    return 'released'
  }

  /**
   * Goes along p as long as f falls: to the full step, to a point inside a piece, or to the kink where f turns. False where f does not
   * fall.
   */
  private search(p: Float64Array, slope: number, f: number, held: Held): boolean {
    const { pieces } = this
    const from = this.theta
    const side = new Uint8Array(pieces.pairs)
    const onTheWay = new Set([...held.pairs, ...held.implied])
    // Kinks that stay held along p take one side; the signs of others say where they are.
    const moving = (pair: number): boolean => Math.abs(dot(pieces.netGradient(pair), this.unscaled(p))) > 0
    pieces.at(from, this.side)
    for (const pair of held.pairs) if (!held.implied.length || !moving(pair)) side[pair] = Side.below
    if (held.implied.length === 0) for (const pair of onTheWay) side[pair] = Side.below
    const g = new Float64Array(pieces.parameters)
    const probe = (
      alpha: number
    ): { f: number; slope: number; up: Uint8Array; u: Float64Array; theta: Float64Array } => {
      const theta = from.map((v, q) => v + alpha * p[q] * this.scale[q])
      const value = pieces.at(theta, side)
      pieces.gradient(g)
      let along = 0
      for (let q = 0; q < p.length; q++) along += g[q] * p[q] * this.scale[q]
      return { f: value, slope: along, up: Uint8Array.from(pieces.u, v => (v > 0 ? 1 : 0)), u: pieces.u.slice(), theta }
    }
    const falls = (at: { f: number }, alpha: number): boolean => at.f <= f + armijo * alpha * slope
    const differ = (a: Uint8Array, b: Uint8Array): number[] => {
      const list: number[] = []
      for (let pair = 0; pair < a.length; pair++)
        if (side[pair] === Side.own && a[pair] !== b[pair] && !this.out.has(pair % pieces.units)) list.push(pair)
      return list
    }
    let [low, high] = [0, 1]
    let end = probe(1)
    if (falls(end, 1) && end.slope <= -0.9 * slope) {
      // Newton's own step, unless f has turned on the way.
      const begin = probe(0)
      if (end.slope <= 0 || differ(begin.up, end.up).length === 0) {
        this.theta = end.theta
        return true
      }
    }
    let begin = probe(1e-12)
    for (let k = 0; k < bisections; k++) {
      const crossed = differ(begin.up, end.up)
      if (crossed.length === 0 && low > 0 && Math.abs(begin.slope) <= 0.9 * Math.abs(slope)) {
        this.theta = begin.theta
        return true
      }
      if (crossed.length === 1 || (crossed.length > 0 && high - low < narrow)) {
        const [pair] = crossed
        const share = begin.u[pair] / (begin.u[pair] - end.u[pair])
        const alpha = low + (high - low) * Math.min(1, Math.max(0, share))
        const beside = 1e-9 * (high - low)
        // f may turn before the kink, or beyond it.
        const before = probe(Math.max(low, alpha - beside))
        const after = probe(Math.min(high, alpha + beside))
        if (
          high - low < narrow ||
          (falls(before, alpha) && before.slope < 0 && !(falls(after, alpha) && after.slope < 0))
        )
          return this.stopAt(from, p, alpha, crossed, f, low > 0 ? begin.theta : null)
        if (falls(after, alpha) && after.slope < 0) [low, begin] = [Math.min(high, alpha + beside), after]
        else [high, end] = [Math.max(low, alpha - beside), before]
        continue
      }
      const middle = low + (high - low) * middleOf(crossed.map(pair => begin.u[pair] / (begin.u[pair] - end.u[pair])))
      const at = probe(middle)
      if (falls(at, middle) && at.slope < 0) [low, begin] = [middle, at]
      else [high, end] = [middle, at]
    }
    if (!(low > 0)) return false
    this.theta = begin.theta
    return true
  }

  private unscaled(p: Float64Array): Float64Array {
    return p.map((v, q) => v * this.scale[q])
  }

  /** Goes to the kinks of `crossed`, about share `alpha` of the way. */
  private stopAt(
    from: Float64Array,
    p: Float64Array,
    alpha: number,
    crossed: readonly number[],
    f: number,
    instead: Float64Array | null
  ): boolean {
    const { pieces, scale } = this
    this.theta = from.map((v, q) => v + alpha * p[q] * scale[q])
    for (const pair of crossed) this.release(pair)
    const side = this.side.slice()
    for (const pair of crossed) side[pair] = Side.below
    for (let pass = 0; pass < 3; pass++) {
      pieces.at(this.theta, side)
      const near = [...new Set([...pairsAtKinks(pieces, this.out), ...crossed])].filter(k => !this.released.has(k))
      this.move(backTo(pieces, hold(pieces, scale, near, this.out)), 1)
    }
    if (pieces.at(this.theta, new Uint8Array(pieces.pairs)) <= f + 64 * this.eps * Math.abs(f)) return true
    if (!instead) {
      this.theta = from
      return false
    }
    this.theta = instead
    return true
  }
}

/**
 * Descends from `start` [P].
 * @param scale [P] of `columnScale`
 */
export const descend = (pieces: Pieces, scale: Float64Array, start: Float64Array, eps: number): Descended =>
  new Descent(pieces, scale, start, eps).run(stepsFor(pieces))
