/**
 * Climbing: the smallest loss on spheres of radius r, r·ratio, r·ratio², … around the origin, each found by Newton's iteration in the
 * sphere's tangent space from the last two spheres' points. Where f has no finite minimiser that way, it goes on falling from sphere to
 * sphere, whether the way there is a ray or a curve; beside a finite minimum it rises again, or stays as it is.
 *
 * With u = θ / scale, n = u/‖u‖ and the multiplier λ = −(gᵀn)/‖u‖, the step solves (|H + λI|) p = −(g + λu) + μ n with nᵀp = 0, and the
 * point is put back on the sphere (Absil, Mahony and Sepulchre 2008, ch. 6; absolute eigenvalues as in Dauphin et al. 2014, so that
 * it descends). A rejected trial is a step: the next one is shorter.
 */
import { thresholds } from '../core/thresholds.js'
import { Rule, type Scalar, type Vector } from '../language/rule.js'
import type { Program } from '../language/program.js'
import type { RuleContext } from './types.js'

/** Spheres after the first. */
export const climbLevels = 16
/** Steps that climbing may take. */
const climbSteps = 1500
/** Trials on one sphere at most. */
const trialsPerLevel = 150
/** Longest step, as a share of the radius. */
const longest = 0.3
const shortest = 1e-9
/** Decreases below noiseFactor·eps·|f| are rounding. */
const noiseFactor = 8
/** Eigenvalues count as at least this share of the largest. */
const floorShare = 1e-14

/** Names of the report scalars: the loss on each sphere (NaN where it was not reached), and Σ 2^k over those
 * that were left before they had settled. */
export const climbReport = [...Array.from({ length: climbLevels + 1 }, (_, k) => `loss${k}`), 'unsettled']

export function buildClimb({ eps }: RuleContext, ratio: number): Program {
  const r = new Rule('climb', 'H')
  const point = r.vectorState()
  const before = r.vectorState()
  const loss = r.scalarState()
  const norm = r.scalarState()
  const step = r.vectorState()
  /** dθ/dr along the path of the spheres' minima. */
  const way = r.vectorState()
  const radius = r.scalarState()
  const level = r.scalarState()
  const trials = r.scalarState()
  const limit = r.scalarState(longest)
  const unsettled = r.scalarState()
  /** 2^level */
  const bit = r.scalarState(1)
  const losses = climbReport.slice(0, -1).map(() => r.scalarState(NaN))

  const first = r.less(r.step, 0.5)
  const fresh = r.less(trials, 0.5)
  const u = r.div(r.x, r.scale)
  const size = r.norm(u)
  const n = r.div(u, size)
  const g = r.mul(r.scale, r.g)
  const lambda = r.neg(r.div(r.dot(g, n), size))
  const tangential = r.fma(lambda, u, g)
  const { values, vectors } = r.eigh(r.H, r.scale)
  const usable = r.and(r.finite(r.f), r.finite(r.maxAbs(values)))
  const inverse = r.div(1, r.max(r.abs(r.add(values, lambda)), r.max(1e-300, r.mul(floorShare, r.maxAbs(values)))))
  const c = r.multiplyTransposed(vectors, tangential)
  const across = r.multiplyTransposed(vectors, n)
  const weighted = r.mul(inverse, across)
  const mu = r.div(r.dot(weighted, c), r.dot(weighted, across))
  const newton = r.neg(r.multiply(vectors, r.mul(inverse, r.sub(c, r.mul(mu, across)))))

  const noise = r.mul(noiseFactor * eps, r.abs(loss))
  const normHere = r.maxAbs(tangential)
  const better = r.or(r.less(r.f, r.sub(loss, noise)), r.and(r.less(r.f, r.add(loss, noise)), r.less(normHere, norm)))
  const accept = r.and(usable, r.or(fresh, better))
  const length = r.norm(newton)
  const limitNext = r.select(
    fresh,
    longest,
    r.select(accept, r.min(longest, r.mul(2, limit)), r.mul(0.25, r.min(limit, r.div(r.norm(step), radius))))
  )
  const shorten = r.min(1, r.div(r.mul(limitNext, size), r.max(length, 1e-300)))
  const stepNext: Vector = r.select(accept, r.mul(shorten, newton), r.mul(0.25, step))
  const pointNext = r.select(accept, r.x, point)
  const lossNext = r.select(accept, r.f, loss)
  const normNext = r.select(accept, normHere, norm)
  const radiusHere = r.select(first, size, radius)

  // Has the sphere's minimum been found, or must it do?
  const predicted = r.neg(r.mul(0.5, r.dot(stepNext, tangential)))
  const noiseNext = r.mul(noiseFactor * eps, r.abs(lossNext))
  const drowned = r.and(accept, r.and(r.lessEqual(r.abs(predicted), noiseNext), r.less(length, r.mul(longest, size))))
  const tiny = r.less(r.norm(stepNext), r.mul(shortest, radiusHere))
  const settled = r.or(drowned, tiny)
  const worn = r.lessEqual(trialsPerLevel, trials)
  const leave = r.or(settled, worn)
  const broken = r.and(fresh, r.not(usable))

  const report: Record<string, Scalar> = {}
  losses.forEach((state, k) => {
    const here = r.and(leave, r.and(r.less(k - 0.5, level), r.less(level, k + 0.5)))
    report[`loss${k}`] = r.select(here, lossNext, state)
    r.next(state, report[`loss${k}`])
  })

  report['unsettled'] = r.add(unsettled, r.mul(bit, r.and(leave, r.not(settled))))

  // Onwards: every coordinate goes on as it went from the last sphere to this one, as powers of the radius do.
  const ownRatio = r.div(pointNext, before)
  const plain = r.less(level, 0.5)
  const steady = r.mul(r.less(ratio < 1 ? 0.5 : 1 / 1.5, ownRatio), r.less(ownRatio, 1.5))
  const alongHere = r.mul(r.scale, r.multiply(vectors, r.div(weighted, r.dot(weighted, across))))
  const along = r.select(accept, alongHere, way)
  const tangent = r.fma(r.mul(ratio - 1, radiusHere), along, pointNext)
  const onwards = r.select(plain, tangent, r.mul(pointNext, r.select(steady, ownRatio, 1)))
  const radiusNext = r.select(leave, r.mul(ratio, radiusHere), radiusHere)
  const aim = r.select(leave, onwards, r.fma(r.scale, stepNext, pointNext))
  const back = r.div(radiusNext, r.norm(r.div(aim, r.scale)))
  r.next(r.x, r.mul(back, aim))
  r.next(point, pointNext)
  r.next(before, r.select(leave, pointNext, before))
  r.next(loss, lossNext)
  r.next(norm, normNext)
  r.next(step, stepNext)
  r.next(way, along)
  r.next(radius, radiusNext)
  r.next(level, r.add(level, leave))
  r.next(trials, r.select(leave, 0, r.add(trials, 1)))
  r.next(limit, limitNext)
  r.next(bit, r.select(leave, r.mul(2, bit), bit))
  r.next(unsettled, report['unsettled'])
  const stalled = r.or(broken, r.and(leave, r.less(climbLevels - 0.5, level)))
  return r.compile({ point: pointNext, loss: lossNext, gradientNorm: r.max(normNext, 1e-300), stalled, report })
}

/** The programs of climbs, each compiled when it is asked for: most studies have no run to climb from. */
export function buildClimbs(context: RuleContext): {
  readonly outwards: Program
  readonly finely: Program
  readonly inwards: Program
  readonly steps: number
} {
  const made = new Map<number, Program>()
  const program = (ratio: number): Program => {
    const known = made.get(ratio) ?? buildClimb(context, ratio)
    made.set(ratio, known)
    return known
  }
  return {
    get outwards() {
      return program(thresholds.outwards)
    },
    get finely() {
      return program(thresholds.finely)
    },
    get inwards() {
      return program(thresholds.inwards)
    },
    steps: climbSteps
  }
}
