/** The loss between end points, in sentences. */
import type { Summary } from '../core/result.js'
import { short } from './words.js'

/** What the pictures show, in sentences. */
export function landscapeText(s: Summary): string[] {
  const { segment } = s.landscape ?? {}
  const out: string[] = []
  if (segment) {
    const { from, to, barrier, twin } = segment
    out.push(
      (barrier > 0
        ? `Between ${from} and ${to} the loss rises by ${short(barrier, 3)} above the higher of them`
        : `On the straight way from ${from} to ${to} the loss is nowhere above the higher of them`) +
        (s.problem.hidden.length > 0 ? ', the second moved to its nearest symmetric copy.' : '.') +
        (twin ? ` The ${twin.loss} loss, which is convex, has no hill on the same way.` : '')
    )
  }
  const { witness } = s.convex
  if (witness)
    out.push(
      `A witness that the loss is not convex: at a point with loss ${short(witness.loss, 6)} the Hessian has the eigenvalue ${short(witness.eigenvalue, 4)}.`
    )
  return out
}
