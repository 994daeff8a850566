/**
 * Polishing: Newton's iteration for the equation g = 0, from an end point to the stationary point beside it, whatever its
 * index. It does not descend, so that a saddle stays a saddle. Directions whose curvature is inside the zero band are left
 * alone. A step is kept while it at least halves the gradient. Beside a curved valley a flat direction has some curvature yet, for
 * what is left of the gradient bends f, and the step along it leads astray: when a step fails, one is tried that leaves alone
 * whatever is nearly flat. A run ends when that fails too, or when the step left to take is far below rounding: towards parameters
 * that are 0, roundings shrink with the parameters, and the gradient could be halved until its numbers run out.
 *
 * Everything is judged in the scaled variables θ / scale, so that verdicts do not depend on the units of the columns
 * (inertia is the same in all of them, by Sylvester's law).
 */
import { thresholds } from '../core/thresholds.js'
import { Rule, type Scalar, type Vector } from '../language/rule.js'
import type { Program } from '../language/program.js'
import type { RuleContext } from './types.js'

/** Steps that polishing may take; each costs P³, so large models get fewer, which a strict minimum does not need. */
export const polishStepsFor = (parameters: number): number =>
  Math.min(60, Math.max(10, Math.round(2e9 / parameters ** 3)))

/** Nearly flat: within this many zero bands. */
const nearlyFlat = 2 ** 20

/** Names of the report scalars, in order, at the polished point. */
export const polishReport = [
  'negative', // eigenvalues below −band
  'zero', // eigenvalues inside the band
  'smallest', // smallest eigenvalue (scaled variables)
  'normH', // ‖H‖₂ (scaled variables)
  'newtonStep', // largest |p| / max(1, |θ|) of the Newton step p that is still predicted (scaled variables)
  'nullGradient', // largest gradient component along the zero band's directions (scaled variables)
  'firstStep', // newtonStep at the start
  'decrease', // of the loss, that the Newton step predicts
  'moved' // largest |θ − start| / max(1, |start|) (scaled variables)
] as const

export function buildPolish({ eps, parameters }: RuleContext): Program {
  const r = new Rule('polish', 'H')
  const point = r.vectorState()
  const origin = r.vectorState()
  const loss = r.scalarState()
  const norm = r.scalarState()
  const scaledNorm = r.scalarState()
  const spare = r.vectorState()
  const hasSpare = r.scalarState()

  const first = r.less(r.step, 0.5)
  const scaledG = r.mul(r.scale, r.g)
  const scaledNormHere = r.maxAbs(scaledG)
  const { values, vectors } = r.eigh(r.H, r.scale)
  const normH = r.maxAbs(values)
  const better = r.and(r.and(r.finite(r.f), r.finite(normH)), r.less(scaledNormHere, r.mul(0.5, scaledNorm)))
  const accept = r.or(first, better)

  const band = r.mul(thresholds.zeroBandFactor * eps * parameters, normH)
  const coefficients = r.multiplyTransposed(vectors, scaledG)
  const curved = r.less(band, r.abs(values))
  const solved = (steep: Vector): Vector => r.select(steep, r.div(coefficients, values), 0)
  const reduced = solved(curved)
  const p = r.neg(r.multiply(vectors, reduced))
  const relativeTo = (change: Vector, at: Vector): Scalar =>
    r.maxAbs(r.div(change, r.max(1, r.abs(r.div(at, r.scale)))))
  const newtonStep = relativeTo(p, r.x)
  const originNext = r.select(first, r.x, origin)
  const pointNext = r.select(accept, r.x, point)

  const steep = r.less(r.mul(nearlyFlat, band), r.abs(values))
  const between = r.less(r.sum(steep), r.sum(curved))
  const retry = r.and(r.not(accept), hasSpare)

  const here = {
    negative: r.sum(r.less(values, r.neg(band))),
    zero: r.sub(parameters, r.sum(curved)),
    smallest: r.minimum(values),
    normH,
    newtonStep,
    nullGradient: r.maxAbs(r.select(curved, 0, coefficients)),
    firstStep: newtonStep,
    decrease: r.mul(0.5, r.dot(coefficients, reduced)),
    moved: relativeTo(r.div(r.sub(pointNext, originNext), r.scale), originNext)
  }
  const report: Record<string, typeof normH> = {}
  for (const name of polishReport) {
    if (name === 'moved') {
      report[name] = here.moved
      continue
    }
    const kept = r.scalarState()
    report[name] = r.select(name === 'firstStep' ? first : accept, here[name], kept)
    r.next(kept, report[name])
  }
  const lossNext = r.select(accept, r.f, loss)
  const normNext = r.select(accept, r.maxAbs(r.g), norm)
  r.next(point, pointNext)
  r.next(origin, originNext)
  r.next(loss, lossNext)
  r.next(norm, normNext)
  r.next(scaledNorm, r.select(accept, scaledNormHere, scaledNorm))
  r.next(spare, r.select(accept, r.neg(r.multiply(vectors, solved(steep))), spare))
  r.next(hasSpare, r.select(accept, between, 0))
  r.next(r.x, r.fma(r.scale, r.select(accept, p, r.select(retry, spare, 0)), pointNext))
  // gradientNorm 0 would end the run as converged with the same result; a rejected step without another ends it as stalled.
  const arrived = r.and(accept, r.lessEqual(newtonStep, eps * eps))
  const stalled = r.or(arrived, r.and(r.not(accept), r.not(retry)))
  return r.compile({ point: pointNext, loss: lossNext, gradientNorm: normNext, stalled, report })
}
