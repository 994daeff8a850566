/** What a summary says of a point that lies on kinks. */
import { hold, pairsAtKinks, reduce } from './manifold.js'
import { Side, type Pieces } from './pieces.js'
import { unitPutOut } from './verdict.js'

/** A point on kinks: f is smooth along the manifold where they are held. */
export interface KinkedPoint {
  /** Pairs of a distinct row and a unit at its kink, those of units put out apart. */
  readonly kinks: number
  /** Units of which a ridge has left nothing. */
  readonly out: number
  /** [P, P] Hessian of f with the kinks' multipliers. */
  readonly H: Float64Array
  /** [P] each: they span what leaves the manifold, as gradients. */
  readonly normals: readonly Float64Array[]
  /** Beside those of H along the manifold: directions that units put out have. */
  readonly index: number
  readonly nullity: number
}

/** Null where no unit is at its kink. `theta` [P] is stationary. */
export function kinkedPoint(pieces: Pieces, scale: Float64Array, theta: Float64Array): KinkedPoint | null {
  const out = new Set<number>()
  const normals: Float64Array[] = [...pieces.shifts]
  for (let k = 0; k < pieces.units; k++) {
    const { incoming, outgoing } = pieces.weightsOf(k)
    const all = [...incoming, ...outgoing]
    if (!all.every(p => theta[p] === 0)) continue
    out.add(k)
    for (const p of all) normals.push(new Float64Array(theta.length).fill(1, p, p + 1))
  }
  const side = new Uint8Array(pieces.pairs)
  pieces.at(theta, side)
  const pairs = pairsAtKinks(pieces, out)
  if (pairs.length + out.size === 0) return null
  for (const pair of pairs) side[pair] = Side.below
  pieces.at(theta, side)
  const held = hold(pieces, scale, pairs, out)
  const { H } = reduce(pieces, scale, theta, side, held)
  held.pairs.forEach(pair => normals.push(pieces.netGradient(pair)))
  const units = [...out].map(k => unitPutOut(pieces, theta, k, out))
  const index = units.filter(({ size }) => size === 'above').length
  const nullity = units.reduce((sum, unit) => sum + unit.nullity, 0)
  return { kinks: pairs.length, out: out.size, H, normals, index, nullity }
}
