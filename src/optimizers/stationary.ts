/**
 * Any stationary point: descent on ‖g‖ rather than on f, so that saddles and maxima are found as minima are. The direction is the damped
 * Newton step −H (H² + μ)⁻¹ g, along which ½‖g‖² falls at the rate Σ λ²c²/(λ² + μ) (c = g in the eigenvectors of H); a step
 * that does not reduce ‖g‖ enough is tried again at a quarter of its length. Where H g = 0 but g is not, a run comes to rest at no
 * stationary point.
 */
import { Rule } from '../language/rule.js'
import { beginning } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

/** Part of the decrease of ‖g‖² of the linear model that a step must reach. */
const acceptShare = 1e-4
/** μ relative to the square of the largest eigenvalue. */
const damping = 1e-16

export const stationary: OptimizerDefinition = {
  name: 'stationary',
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
      meaning: 'longest step, relative to max(1, length of the point)'
    }
  },
  build(options, context) {
    const { eps } = context
    const r = new Rule('stationary', 'H')
    const point = r.vectorState()
    const direction = r.vectorState()
    const share = r.scalarState()
    const loss0 = r.scalarState()
    const norm0 = r.scalarState()
    const merit0 = r.scalarState()

    const gradientNorm = r.maxAbs(r.g)
    const start = beginning(r, context, gradientNorm)
    const { none, first, waiting } = start
    const scaledG = r.mul(r.scale, r.g)
    const merit = r.dot(scaledG, scaledG)
    const { values, vectors } = r.eigh(r.H, r.scale)
    const largest = r.maxAbs(values)
    const usable = r.and(r.and(r.finite(r.f), r.finite(merit)), r.finite(largest))
    const limit = r.mul(r.sub(1, r.mul(acceptShare, share)), merit0)
    const accept = r.or(first, r.and(r.not(none), r.and(usable, r.less(merit, limit))))

    const mu = r.mul(damping, r.mul(largest, largest))
    const c = r.multiplyTransposed(vectors, scaledG)
    const reduced = r.div(r.mul(values, c), r.max(r.add(r.mul(values, values), mu), Number.MIN_VALUE))
    const full = r.neg(r.multiply(vectors, reduced))
    const pointNext = r.select(r.or(accept, none), r.x, point)
    const size = r.max(1, r.norm(r.div(pointNext, r.scale)))
    const longest = r.mul(Number(options['radius']), size)
    const capped = r.mul(full, r.min(1, r.div(longest, r.max(r.norm(full), Number.MIN_VALUE))))
    const directionNext = r.select(accept, capped, direction)
    const shareNext = r.select(accept, 1, r.mul(0.25, share))
    const normNext = r.select(accept, gradientNorm, norm0)
    const lossNext = r.select(accept, r.f, loss0)

    r.next(point, pointNext)
    r.next(direction, directionNext)
    r.next(share, shareNext)
    r.next(loss0, lossNext)
    r.next(norm0, normNext)
    r.next(merit0, r.select(accept, merit, merit0))
    r.next(r.x, r.select(waiting, start.back, r.fma(r.mul(r.scale, directionNext), shareNext, pointNext)))
    const step = r.mul(shareNext, r.norm(directionNext))
    return r.compile({
      point: pointNext,
      loss: start.reported(lossNext, r.f),
      gradientNorm: start.reported(normNext, gradientNorm),
      stalled: r.and(r.not(waiting), r.less(step, r.mul(eps, size)))
    })
  }
}
