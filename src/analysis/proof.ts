/**
 * Proofs about stationary points (DESIGN §5): that a box around one holds no other, and the inertia of the Hessian over it. The
 * arithmetic is an engine's (`Certifier`); here are the words for what it shows.
 */
import type { PointProof } from '../core/result.js'
import { canonicalizerOf, type AnyCanonicalizer } from '../models/model.js'
import type { Model } from '../models/types.js'
import type { Objective, Proofs, ProofStatus } from '../engines/types.js'

const reasons: Readonly<Record<Exclude<ProofStatus, 'proved'>, string>> = {
  kink: 'A unit’s kink crosses the box, where f has no second derivatives.',
  singular: 'The Hessian is singular to rounding, so that the point need not be isolated.',
  notFinite: 'A number overflows, or a unit sits at its kink.',
  noBox: 'The Hessian is too near to singular: over every box tried it may lose an eigenvalue’s sign.',
  inertia: 'The number of negative eigenvalues could not be settled.'
}
const noArithmetic =
  'There is no interval arithmetic here for this model; the cpu engine has it for most networks (run `npm run build` where it is not built).'

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

/** Points with their proofs and the boxes of these. */
export interface ProvedPoints {
  readonly proofs: PointProof[]
  /** [R, P] half widths; 0 where nothing is proved. */
  readonly radii: Float64Array
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
): Promise<ProvedPoints> {
  if (!objective.certifier)
    return {
      proofs: index.map(() => ({ status: 'not proved', radius: 0, reason: noArithmetic })),
      radii: new Float64Array(theta.length)
    }
  const proofs = await objective.certifier.prove(theta)
  return { proofs: index.map((expected, i) => proofOf(proofs, i, expected)), radii: proofs.radii }
}

/** A proved minimum: its coordinates, and its box. */
export interface Box {
  readonly theta: Float64Array
  readonly radii: Float64Array
  readonly loss: number
}

/** Losses of proved points are right to some roundings. */
const lossError = 16 * Number.EPSILON

/**
 * Of each proved minimum, whether it is proved to be another point than all others, symmetric images included: by its loss, or because every
 * image of the other lies outside its box, which holds one stationary point only. Groups that cannot be gone through leave points of
 * one loss undecided.
 */
export function provedDistinct(model: Model, boxes: readonly Box[]): boolean[] {
  if (boxes.length < 2) return boxes.map(() => true)
  const canonicalizer = canonicalizerOf(model)
  const all = boxes.map(({ theta, radii, loss }, i) => {
    const size = canonicalizer.sizeBelow(theta)
    // Sums are rounded, too.
    const sizeError = 2 * canonicalizer.sizeBelow(radii) + 1e-12 * size
    return { i, theta, radii, loss, size, sizeError }
  })
  const out = boxes.map(() => true)
  all.sort((a, b) => a.loss - b.loss)
  all.forEach((a, k) => {
    for (let m = k + 1; m < all.length; m++) {
      const b = all[m]
      if (b.loss - a.loss > lossError * Math.max(1, Math.abs(a.loss))) break
      if (Math.abs(b.size - a.size) > a.sizeError || areApart(canonicalizer, a, b)) continue
      out[a.i] = false
      out[b.i] = false
    }
  })
  return out
}

/** Whether no image of b is within twice the box of a: rounded coordinates, and images of them, are off by less. */
const areApart = (canonicalizer: AnyCanonicalizer, a: Box, b: Box): boolean =>
  canonicalizer.hasImage(b.theta, (p, v) => Math.abs(v - a.theta[p]) <= 2 * a.radii[p]) === false
