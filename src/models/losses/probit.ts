import { scaled } from '../algebra.js'
import { erfc, logNormalCdf, normalHazard } from '../special.js'
import { shares, times } from './shares.js'
import type { ScalarLoss } from './types.js'

/** −y log Φ(z) − (1 − y) log Φ(−z) */
export const probit: ScalarLoss = {
  ...shares,
  model: 'probit regression',
  link: 'Φ',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out) {
    const a = normalHazard(z)
    const b = normalHazard(-z)
    out[0] = -times(y, logNormalCdf(z)) - times(1 - y, logNormalCdf(-z))
    out[1] = (1 - y) * b.r - y * a.r
    out[2] = y * a.r * a.excess + (1 - y) * b.r * b.excess
  },
  value: (A, z, y) =>
    A.add(scaled(A, -y, A.log(A.normalCdf(z))), scaled(A, y - 1, A.log(A.normalCdf(A.sub(A.constant(0), z))))),
  // φ²/(Φ(1 − Φ)) = r(z) r(−z) with the hazards r, r′ = −r (r + z).
  information(z, out) {
    const a = normalHazard(z)
    const b = normalHazard(-z)
    const slope = b.excess - a.excess
    out[0] = a.r * b.r
    out[1] = out[0] * slope
    // (r(−z) − z)′ = r(−z) (r(−z) − z) − 1 and (r(z) + z)′ = 1 − r(z) (r(z) + z).
    out[2] = out[0] * (slope * slope + b.r * b.excess + a.r * a.excess - 2)
  },
  informationValue(A, z) {
    const r = (at: typeof z): typeof z => A.exp(A.sub(scaled(A, -0.5, A.mul(at, at)), A.log(A.normalCdf(at))))
    return scaled(A, 1 / (2 * Math.PI), A.mul(r(z), r(A.sub(A.constant(0), z))))
  },
  mean: z => (z < 0 ? 0.5 * erfc(-z * Math.SQRT1_2) : 1 - 0.5 * erfc(z * Math.SQRT1_2)),
  even: 0,
  logLoss: (z, y) => (y === 0 ? 0 : -y * logNormalCdf(z)) + (y === 1 ? 0 : (y - 1) * logNormalCdf(-z))
}
