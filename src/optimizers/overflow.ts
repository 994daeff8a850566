/**
 * Where f overflows: the parts of an update rule that bring a run back to where the model computes. No start and no step fails a run
 * for that alone; a run has failed when nothing it can reach is finite.
 */
import type { RuleContext } from './types.js'
import type { Rule, Scalar, Vector } from '../language/rule.js'

/** Times that a start is moved towards the origin before its run has failed: halved, and later divided by 2¹⁶, past the smallest number. */
const returns = 200
const halvings = 64
/** Times in a row that a step is halved, until nothing is left of it: gradients are as large as f, and f as eps⁻². */
const shortenings = 160

/**
 * The start of a run. While none has been accepted and f or g is not finite there, or f is above `high`, x is halved: a start from which
 * an exponential overflows comes back to where the model computes. Each halving is a step.
 */
export interface Beginning {
  /** f and g are finite. */
  readonly usable: Scalar
  /** No point has been accepted before this step. */
  readonly none: Scalar
  /** The run begins here. */
  readonly first: Scalar
  /** It does not begin yet. */
  readonly waiting: Scalar
  /** x on its way back. */
  readonly back: Vector
  /** What to report: `value` once begun; before that, something large and finite, and `own` (f or ‖g‖ here) when all returns are used up. */
  readonly reported: (value: Scalar, own: Scalar) => Scalar
}

export function beginning(r: Rule, { eps, high = eps ** -2 }: RuleContext, gradientNorm: Scalar): Beginning {
  const begun = r.scalarState()
  const none = r.less(begun, 0.5)
  const usable = r.and(r.finite(r.f), r.finite(gradientNorm))
  const sane = r.and(usable, r.or(r.less(r.abs(r.f), high), r.less(returns, r.step)))
  const first = r.and(none, sane)
  const waiting = r.and(none, r.not(sane))
  const held = r.and(waiting, r.and(r.less(r.step, returns), r.finite(r.maxAbs(r.x))))
  r.next(begun, r.select(first, 1, begun))
  return {
    usable,
    none,
    first,
    waiting,
    back: r.mul(r.select(r.less(r.step, halvings), 0.5, 2 ** -16), r.x),
    reported: (value, own) => r.select(waiting, r.select(held, high, own), value)
  }
}

/**
 * A run whose steps have a length of their own, without a line search. A step that leads to where f or g is not finite, or to an f that
 * is above both `high` and that of the step's beginning, is halved until it does not.
 */
export interface Guarded {
  /** Whether the step that led here is taken; states keep their values otherwise. */
  readonly accept: Scalar
  /** Sets the next x, after an accepted step, and compiles the rule. */
  readonly finish: (next: Vector) => ReturnType<Rule['compile']>
}

export function guarded(r: Rule, context: RuleContext): Guarded {
  const { eps, high = 1 / eps } = context
  const point = r.vectorState()
  const f0 = r.scalarState()
  const gradientNorm0 = r.scalarState()
  const refused = r.scalarState()
  const gradientNorm = r.maxAbs(r.g)
  const start = beginning(r, context, gradientNorm)
  const { usable, none, first, waiting } = start
  const tame = r.and(usable, r.lessEqual(r.f, r.max(f0, high)))
  const wornOut = r.lessEqual(shortenings, refused)
  const accept = r.or(first, r.and(r.not(none), r.or(tame, r.and(usable, wornOut))))
  const pointNext = r.select(r.or(accept, none), r.x, point)
  const fNext = r.select(accept, r.f, f0)
  const gradientNormNext = r.select(accept, gradientNorm, gradientNorm0)
  r.next(point, pointNext)
  r.next(f0, fNext)
  r.next(gradientNorm0, gradientNormNext)
  r.next(refused, r.select(r.or(accept, none), 0, r.add(refused, 1)))
  const hopeless = r.and(r.not(none), r.and(wornOut, r.not(usable)))
  return {
    accept,
    finish(next) {
      const half = r.fma(0.5, r.sub(r.x, point), point)
      r.next(r.x, r.select(accept, next, r.select(waiting, start.back, half)))
      return r.compile({
        point: pointNext,
        loss: r.select(hopeless, r.f, start.reported(fNext, r.f)),
        gradientNorm: r.select(hopeless, gradientNorm, start.reported(gradientNormNext, gradientNorm))
      })
    }
  }
}
