/**
 * Proofs about stationary points (DESIGN §5): that a box around one holds no other, and the inertia of the Hessian over it. The
 * arithmetic is an engine's (`Certifier`); here are the words for what it shows.
 */
import type { PointProof } from '../core/result.js'
import type { Objective, Proofs, ProofStatus } from '../engines/types.js'

const reasons: Readonly<Record<Exclude<ProofStatus, 'proved'>, string>> = {
  kink: 'A unit’s kink crosses the box, where f has no second derivatives.',
  singular: 'The Hessian is singular to rounding, so that the point need not be isolated.',
  notFinite: 'A number overflows, or a unit sits at its kink.',
  noBox: 'The Hessian is too near to singular: over every box tried it may lose an eigenvalue’s sign.',
  inertia: 'The number of negative eigenvalues could not be settled.'
}
const noArithmetic =
  'Proofs are for networks, by the interval arithmetic of the cpu engine; run `npm run build` where it is not built.'

/** What is proved of point i; `expected`: the number of negative eigenvalues that its verdict says. */
export function proofOf(proofs: Proofs, i: number, expected: number): PointProof {
  const status = proofs.status[i]
  if (status !== 'proved') return { status: 'not proved', radius: 0, reason: reasons[status] }
  if (proofs.index[i] === expected) return { status: 'proved', radius: proofs.radius[i] }
  return {
    status: 'not proved',
    radius: 0,
    reason: `It is proved that one stationary point is here, but with index ${proofs.index[i]}.`
  }
}

/**
 * Proofs of isolated stationary points, in their order.
 * @param theta [R, P] polished points, in the coordinates of the objective's problem
 * @param index [R] the number of negative eigenvalues that each one's verdict says: 0 for minima
 */
export async function provePoints(
  objective: Pick<Objective, 'certifier'>,
  theta: Float64Array,
  index: readonly number[]
): Promise<PointProof[]> {
  if (!objective.certifier) return index.map(() => ({ status: 'not proved', radius: 0, reason: noArithmetic }))
  const proofs = await objective.certifier.prove(theta)
  return index.map((expected, i) => proofOf(proofs, i, expected))
}
