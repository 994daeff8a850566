/**
 * Limited-memory BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithm 7.4) with a line search for the weak Wolfe
 * conditions by bracketing (Lewis and Overton 2013), whose trials are steps like any other. Where differences of f drown in
 * rounding, the approximate Wolfe conditions of Hager and Zhang (2005, eq. 4.1) take over.
 */
import { Rule, type Scalar, type Vector } from '../language/rule.js'
import { beginning } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

const armijo = 1e-4
const curvature = 0.9
/** δ of the approximate Wolfe conditions. */
const approximate = 0.1
const noiseFactor = 10
/**
 * After so many trials on one direction the memory is dropped; after twice as many the run has stalled. So it has after twice as
 * many steps whose expected decrease drowns in rounding and that do not improve on the smallest gradient either.
 */
const patience = 20
const longPatience = 150

export const lbfgs: OptimizerDefinition = {
  name: 'lbfgs',
  needs: 'g',
  stochastic: false,
  steps: 1000,
  options: {
    memory: { kind: 'number', default: 10, min: 1, max: 50, integer: true, meaning: 'pairs of steps that are kept' }
  },
  build(options, context) {
    const { eps } = context
    const r = new Rule('lbfgs', 'g')
    const memory = Number(options['memory'])
    const point = r.vectorState()
    const g0 = r.vectorState()
    const d = r.vectorState()
    const f0 = r.scalarState()
    const gradientNorm0 = r.scalarState()
    const slope0 = r.scalarState()
    const alpha = r.scalarState()
    const low = r.scalarState()
    const high = r.scalarState(Infinity)
    const trials = r.scalarState()
    const gamma = r.scalarState(1)
    const smallest = r.scalarState(Infinity)
    const idle = r.scalarState()
    const S = Array.from({ length: memory }, () => r.vectorState())
    const Y = Array.from({ length: memory }, () => r.vectorState())
    const rho = Array.from({ length: memory }, () => r.scalarState())

    // Is the trial x = point + α d good enough?
    const gradientNorm = r.maxAbs(r.g)
    const { usable, none, first, waiting, back, reported } = beginning(r, context, gradientNorm)
    const slope = r.dot(r.g, d)
    const noise = r.mul(noiseFactor * eps, r.abs(f0))
    const decreased = r.lessEqual(r.f, r.fma(r.mul(armijo, alpha), slope0, f0))
    const approximately = r.and(
      r.lessEqual(r.f, r.add(f0, noise)),
      r.lessEqual(slope, r.mul(2 * approximate - 1, slope0))
    )
    const short = r.and(usable, r.or(decreased, approximately))
    const wolfe = r.and(short, r.lessEqual(r.mul(curvature, slope0), slope))
    const accept = r.or(first, r.and(r.not(none), wolfe))

    const s = r.sub(r.x, point)
    const improved = r.less(gradientNorm, smallest)
    const drowned = r.lessEqual(r.mul(r.neg(alpha), slope0), noise)
    const idleNext = r.select(r.and(r.not(none), r.and(drowned, r.not(improved))), r.add(idle, 1), 0)

    // Bracket of the line search, and the next trial on the same direction.
    const lowNext = r.select(accept, 0, r.select(short, alpha, low))
    const highNext = r.select(accept, Infinity, r.select(short, high, alpha))
    const excess = r.sub(r.sub(r.f, f0), r.mul(alpha, slope0))
    const quadratic = r.div(r.mul(-0.5, r.mul(slope0, r.mul(alpha, alpha))), excess)
    const width = r.sub(highNext, lowNext)
    const inside = r.max(r.fma(0.1, width, lowNext), r.min(r.fma(0.5, width, lowNext), quadratic))
    const usableInside = r.select(usable, inside, r.fma(0.1, width, lowNext))
    const middle = r.select(r.less(0, lowNext), r.fma(0.5, width, lowNext), usableInside)
    const sameDirection = r.select(r.less(highNext, Infinity), middle, r.mul(3, alpha))

    // The memory takes the accepted step, where its curvature is safely positive.
    const y = r.sub(r.g, g0)
    const sy = r.dot(s, y)
    const scaledY = r.mul(r.scale, y)
    const yy = r.dot(scaledY, scaledY)
    const lengths = r.mul(r.norm(r.div(s, r.scale)), r.sqrt(yy))
    const push = r.and(r.and(accept, r.not(first)), r.less(r.mul(eps, lengths), sy))
    const trialsNext = r.select(r.or(accept, none), 0, r.add(trials, 1))
    const spent = r.or(drowned, r.lessEqual(r.norm(r.div(s, r.scale)), r.mul(eps, r.norm(r.div(point, r.scale)))))
    const at = (count: number): Scalar => r.and(r.less(count - 0.5, trialsNext), r.less(trialsNext, count + 0.5))
    const drop = r.or(r.and(spent, at(patience)), at(longPatience))
    const pairs = S.map((state, i): { s: Vector; y: Vector; rho: Scalar } => {
      const older = i === 0 ? { s, y, rho: r.div(1, sy) } : { s: S[i - 1], y: Y[i - 1], rho: rho[i - 1] }
      return {
        s: r.select(push, older.s, state),
        y: r.select(push, older.y, Y[i]),
        rho: r.select(drop, 0, r.select(push, older.rho, rho[i]))
      }
    }).map((pair, i) => {
      r.next(S[i], pair.s)
      r.next(Y[i], pair.y)
      r.next(rho[i], pair.rho)
      return pair
    })
    const gammaNext = r.select(drop, 1, r.select(push, r.div(sy, yy), gamma))
    const gNext = r.select(accept, r.g, g0)
    const pointNext = r.select(r.or(accept, none), r.x, point)

    // Two-loop recursion; a pair that is not there has rho = 0 and does nothing. The first matrix is γ diag(scale²).
    let q: Vector = gNext
    const coefficients = pairs.map(pair => {
      const a = r.mul(pair.rho, r.dot(pair.s, q))
      q = r.fma(r.neg(a), pair.y, q)
      return a
    })
    let direction: Vector = r.mul(r.mul(r.scale, r.scale), r.mul(gammaNext, q))
    for (let i = memory - 1; i >= 0; i--) {
      const pair = pairs[i]
      const b = r.mul(pair.rho, r.dot(pair.y, direction))
      direction = r.fma(r.sub(coefficients[i], b), pair.s, direction)
    }
    const renew = r.or(accept, drop)
    const steepest = r.mul(r.neg(r.mul(r.scale, r.scale)), gNext)
    const descends = r.less(0, r.dot(gNext, direction))
    const fresh = r.select(descends, r.neg(direction), steepest)
    const dNext = r.select(renew, fresh, d)
    const scaledNorm = r.norm(r.mul(r.scale, gNext))
    const cautious = r.min(1, r.div(1, scaledNorm))
    const startsOver = r.or(r.or(first, drop), r.not(descends))
    const alphaNext = r.select(renew, r.select(startsOver, cautious, 1), sameDirection)

    r.next(point, pointNext)
    r.next(g0, gNext)
    r.next(d, dNext)
    r.next(f0, r.select(accept, r.f, f0))
    r.next(gradientNorm0, r.select(accept, gradientNorm, gradientNorm0))
    r.next(slope0, r.dot(gNext, dNext))
    r.next(alpha, alphaNext)
    r.next(low, r.select(drop, 0, lowNext))
    r.next(high, r.select(drop, Infinity, highNext))
    r.next(trials, trialsNext)
    r.next(gamma, gammaNext)
    r.next(smallest, r.select(improved, gradientNorm, smallest))
    r.next(idle, idleNext)
    r.next(r.x, r.select(waiting, back, r.fma(alphaNext, dNext, pointNext)))
    return r.compile({
      point: pointNext,
      loss: reported(r.select(accept, r.f, f0), r.f),
      gradientNorm: reported(r.select(accept, gradientNorm, gradientNorm0), gradientNorm),
      stalled: r.or(
        r.less(2 * patience, r.max(r.mul(spent, trialsNext), idleNext)),
        r.less(2 * longPatience, trialsNext)
      )
    })
  }
}
