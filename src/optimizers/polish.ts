/**
 * Polishing: Newton's iteration for the equation g = 0, from an end point to the stationary point beside it, whatever its
 * index. It does not descend, so that a saddle stays a saddle. Directions whose curvature is inside the zero band are left
 * alone. A step is kept while it at least halves the gradient; the first that does not ends the run.
 *
 * Everything is judged in the scaled variables θ / scale, so that verdicts do not depend on the units of the columns
 * (inertia is the same in all of them, by Sylvester's law).
 */
import { thresholds } from '../core/thresholds.js'
import { Rule } from './expression.js'
import type { Program } from './program.js'
import type { RuleContext } from './types.js'

/** Steps that polishing may take. */
export const polishSteps = 60

/** Names of the report scalars, in order, at the polished point. */
export const polishReport = [
  'negative', // eigenvalues below −band
  'zero', // eigenvalues inside the band
  'smallest', // smallest eigenvalue (scaled variables)
  'normH', // ‖H‖₂ (scaled variables)
  'newtonStep', // max_p |p_p| / max(1, |θ_p|) of the Newton step that is still predicted
  'nullGradient', // largest gradient component along the zero band's directions (scaled variables)
  'firstStep', // newtonStep at the start
  'moved' // max_p |θ_p − start_p| / max(1, |start_p|)
] as const

export function buildPolish({ eps, parameters }: RuleContext): Program {
  const r = new Rule('polish', 'H')
  const point = r.vectorState()
  const origin = r.vectorState()
  const loss = r.scalarState()
  const norm = r.scalarState()
  const scaledNorm = r.scalarState()

  const first = r.less(r.step, 0.5)
  const scaledG = r.mul(r.scale, r.g)
  const scaledNormHere = r.maxAbs(scaledG)
  const better = r.and(r.finite(r.f), r.less(scaledNormHere, r.mul(0.5, scaledNorm)))
  const accept = r.or(first, better)

  const { values, vectors } = r.eigh(r.H, r.scale)
  const normH = r.maxAbs(values)
  const band = r.mul(thresholds.zeroBandFactor * eps * parameters, normH)
  const coefficients = r.multiplyTransposed(vectors, scaledG)
  const curved = r.less(band, r.abs(values))
  const reduced = r.select(curved, r.div(coefficients, values), 0)
  const p = r.neg(r.mul(r.scale, r.multiply(vectors, reduced)))
  const originNext = r.select(first, r.x, origin)
  const pointNext = r.select(accept, r.x, point)

  const here = {
    negative: r.sum(r.less(values, r.neg(band))),
    zero: r.sub(parameters, r.sum(curved)),
    smallest: r.minimum(values),
    normH,
    newtonStep: r.maxAbs(r.div(p, r.max(1, r.abs(r.x)))),
    nullGradient: r.maxAbs(r.select(curved, 0, coefficients)),
    firstStep: r.maxAbs(r.div(p, r.max(1, r.abs(r.x)))),
    moved: r.maxAbs(r.div(r.sub(pointNext, originNext), r.max(1, r.abs(originNext))))
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
  r.next(r.x, r.add(pointNext, r.select(accept, p, 0)))
  // gradientNorm 0 would end the run as converged with the same result; a rejected step ends it as stalled.
  return r.compile({ point: pointNext, loss: lossNext, gradientNorm: normNext, stalled: r.not(accept), report })
}
