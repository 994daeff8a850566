/**
 * The way of steepest descent from a point, θ′ = −∇f, by implicit steps in time (linearly implicit Euler; Kelley and Keyes 1998): the step
 * over a time h solves (H + I/h) p = −g. A step is kept where f falls as the quadratic model says and the point moves by little, so that
 * a run stays in its own valley, and h grows as long as it does: along a valley that becomes ever flatter times are powers of ten.
 *
 * Lengths are those of the scaled variables θ / scale. A rejected trial is a step: the next one is shorter.
 */
import { Rule } from '../language/rule.js'
import type { Program } from '../language/program.js'
import type { RuleContext } from './types.js'

/** Steps on the way down. */
export const flowSteps = 600
/** Longest step, relative to max(1, |θ|). */
const longest = 0.2
/** f falls by what was predicted within this share of it, else the step was too long; within the smaller one, the next may be longer. */
const astray = 0.5
const close = 0.2
const longer = 4
const shorter = 0.25
/** Of the damping 1/h beside a curvature below 0: so many times that. */
const steadfast = 3
/** Decreases below noiseFactor·eps·|f| are rounding. */
const noiseFactor = 8
/** Beside the largest eigenvalue a damping of this share is none. */
const leastDamping = 1e-16

export function buildFlow({ eps }: RuleContext): Program {
  const r = new Rule('flow', 'H')
  const point = r.vectorState()
  const loss = r.scalarState()
  const norm = r.scalarState()
  const step = r.vectorState()
  /** −gᵀp and ½ pᵀHp of the step. */
  const slope = r.scalarState()
  const bend = r.scalarState()
  /** 1/h */
  const damping = r.scalarState()
  const isCut = r.scalarState()

  const first = r.less(r.step, 0.5)
  const g = r.mul(r.scale, r.g)
  const { values, vectors } = r.eigh(r.H, r.scale)
  const largest = r.maxAbs(values)
  const usable = r.and(r.finite(r.f), r.finite(largest))
  const noise = r.mul(noiseFactor * eps, r.abs(loss))
  const predicted = r.sub(slope, bend)
  const fall = r.sub(loss, r.f)
  const error = r.abs(r.sub(fall, predicted))
  const good = r.and(usable, r.lessEqual(error, r.max(noise, r.mul(astray, predicted))))
  const accept = r.or(first, good)
  const easy = r.lessEqual(error, r.max(noise, r.mul(close, predicted)))

  const adapted = r.select(
    accept,
    r.select(r.and(easy, r.not(isCut)), r.div(damping, longer), damping),
    r.div(damping, shorter)
  )
  const below = r.mul(steadfast, r.max(0, r.neg(r.minimum(values))))
  const dampingHere = r.max(r.select(first, largest, adapted), r.max(below, r.mul(leastDamping, largest)))
  const c = r.multiplyTransposed(vectors, g)
  const damped = r.div(c, r.max(r.add(values, dampingHere), 1e-300))
  const length = r.norm(damped)
  const reach = r.mul(longest, r.max(1, r.norm(r.div(r.x, r.scale))))
  const shorten = r.min(1, r.div(reach, r.max(length, 1e-300)))
  const p = r.mul(shorten, damped)
  const slopeHere = r.dot(c, p)
  const bendHere = r.mul(0.5, r.dot(p, r.mul(values, p)))
  const cut = r.less(shorten, 1)

  const pointNext = r.select(accept, r.x, point)
  const lossNext = r.select(accept, r.f, loss)
  const normNext = r.select(accept, r.maxAbs(r.g), norm)
  const stepNext = r.select(accept, r.neg(r.multiply(vectors, p)), r.mul(shorter, step))
  r.next(point, pointNext)
  r.next(loss, lossNext)
  r.next(norm, normNext)
  r.next(step, stepNext)
  r.next(slope, r.select(accept, slopeHere, r.mul(shorter, slope)))
  r.next(bend, r.select(accept, bendHere, r.mul(shorter * shorter, bend)))
  r.next(isCut, r.select(accept, cut, isCut))
  r.next(damping, r.select(accept, dampingHere, adapted))
  r.next(r.x, r.fma(r.scale, stepNext, pointNext))
  const nothing = r.mul(noiseFactor * eps, r.abs(lossNext))
  const undamped = r.less(dampingHere, r.mul(2 * leastDamping, largest))
  const promise = r.sub(slopeHere, bendHere)
  const ends = r.and(accept, r.and(r.lessEqual(promise, nothing), r.or(undamped, cut)))
  const worn = r.less(r.norm(stepNext), r.mul(eps, r.max(1, r.norm(r.div(pointNext, r.scale)))))
  const stalled = r.or(r.and(first, r.not(usable)), r.or(ends, worn))
  return r.compile({ point: pointNext, loss: lossNext, gradientNorm: normNext, stalled })
}
