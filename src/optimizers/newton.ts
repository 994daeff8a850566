/**
 * Newton's method in a trust region on the exact Hessian (Moré and Sorensen 1983; Conn, Gould and Toint 2000, ch. 6-7). The
 * subproblem is solved with the hard case, so runs leave strict saddles. Lengths are measured in units of 1/rms of the
 * input columns (`scale`), so that the region does not depend on the units of the data.
 *
 * Starts at which f overflows come back to where the model computes (overflow.ts).
 *
 * A rejected trial is a step: the next one solves the same model again with a smaller radius.
 */
import { Rule } from '../language/rule.js'
import { beginning } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

/** A step is accepted when it attains this share of the predicted decrease. */
const acceptRatio = 1e-4
const shrinkBelow = 0.25
const growAbove = 0.75
/** The subproblem's step length is within 10 % of the radius when the region is active. */
const activeShare = 0.85
/**
 * Decreases below noiseFactor·eps·|f| say nothing; there, a smaller gradient is what counts. On unstandardised columns sums of
 * large terms of both signs make f that noisy: with 10, one run in a hundred on iris2 stalled at seven digits.
 */
const noiseFactor = 100

export const newton: OptimizerDefinition = {
  name: 'newton',
  needs: 'H',
  stochastic: false,
  steps: 500,
  options: {
    radius: {
      kind: 'number',
      default: 1,
      min: 0,
      exclusiveMin: true,
      max: 1e6,
      meaning: 'first trust-region radius, relative to max(1, length of the start)'
    }
  },
  build(options, context) {
    const { eps } = context
    const r = new Rule('newton', 'H')
    const point = r.vectorState()
    const g0 = r.vectorState()
    const factor = r.factorState()
    const f0 = r.scalarState()
    const gradientNorm0 = r.scalarState()
    const radius = r.scalarState()
    const predicted0 = r.scalarState()
    const length0 = r.scalarState()

    const gradientNorm = r.maxAbs(r.g)
    const { usable, none, first, waiting, back, reported } = beginning(r, context, gradientNorm)
    const noise = r.mul(noiseFactor * eps, r.abs(f0))
    const decrease = r.sub(f0, r.f)
    const ratio = r.div(decrease, predicted0)
    const inNoise = r.lessEqual(predicted0, noise)
    const goodInNoise = r.and(r.less(gradientNorm, gradientNorm0), r.less(r.f, r.add(f0, noise)))
    const good = r.and(usable, r.select(inNoise, goodInNoise, r.less(acceptRatio, ratio)))
    const accept = r.or(first, r.and(r.not(none), good))

    const xLength = r.norm(r.div(r.x, r.scale))
    const shrink = r.or(r.not(good), r.and(r.not(inNoise), r.less(ratio, shrinkBelow)))
    const active = r.less(r.mul(activeShare, radius), length0)
    const grow = r.and(r.and(good, active), r.or(inNoise, r.less(growAbove, ratio)))
    const adapted = r.select(shrink, r.mul(0.25, r.min(length0, radius)), r.select(grow, r.mul(3, radius), radius))
    const newRadius = r.select(first, r.mul(Number(options['radius']), r.max(1, xLength)), adapted)

    const gNext = r.select(accept, r.g, g0)
    const pointNext = r.select(r.or(accept, none), r.x, point)
    const fNext = r.select(accept, r.f, f0)
    const gradientNormNext = r.select(accept, gradientNorm, gradientNorm0)
    const factorNext = r.tridiagonalize(factor, r.H, r.scale, accept)
    const { p, predicted } = r.trustRegion(factorNext, r.mul(r.scale, gNext), newRadius)

    r.next(point, pointNext)
    r.next(g0, gNext)
    r.next(f0, fNext)
    r.next(gradientNorm0, gradientNormNext)
    r.next(radius, newRadius)
    r.next(predicted0, predicted)
    r.next(r.x, r.select(waiting, back, r.fma(r.scale, p, pointNext)))

    // For a positive semidefinite model the predicted decrease is at most ‖g‖‖p‖. More means negative curvature: the point is no
    // minimum however small its gradient, and the run must go on. The decrease per length then stands in for the gradient.
    const stepLength = r.norm(p)
    const scaledNorm = r.norm(r.mul(r.scale, gNext))
    const curvedDown = r.less(r.mul(2, r.mul(scaledNorm, stepLength)), predicted)
    const stationarity = r.select(curvedDown, r.max(gradientNormNext, r.div(predicted, stepLength)), gradientNormNext)

    r.next(length0, stepLength)
    const pointLength = r.norm(r.div(pointNext, r.scale))
    const tooShort = r.less(newRadius, r.mul(eps, r.max(1, pointLength)))
    const stuck = r.and(r.not(none), r.and(inNoise, r.not(good)))
    return r.compile({
      point: pointNext,
      loss: reported(fNext, r.f),
      gradientNorm: reported(stationarity, gradientNorm),
      stalled: r.and(r.not(waiting), r.or(tooShort, stuck))
    })
  }
}
