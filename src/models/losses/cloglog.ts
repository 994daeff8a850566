import { scaled } from '../algebra.js'
import { cloglogEvent, cloglogRatio } from '../special.js'
import { shares, times } from './shares.js'
import type { ScalarLoss } from './types.js'

/** −y log p − (1 − y) log(1 − p), p = 1 − exp(−e^z) */
export const cloglog: ScalarLoss = {
  ...shares,
  model: 'cloglog regression',
  link: 'extreme',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out) {
    const u = Math.exp(z)
    const { q, slope } = cloglogRatio(u)
    out[0] = times(y, cloglogEvent(z)) + times(1 - y, u)
    out[1] = times(1 - y, u) - y * q
    out[2] = times(1 - y, u) - y * slope
  },
  value(A, z, y) {
    const u = A.exp(z)
    const event = A.log(A.sub(A.constant(0), A.expm1(A.sub(A.constant(0), u))))
    return A.add(scaled(A, -y, event), scaled(A, 1 - y, u))
  },
  // u²/(e^u − 1) = u q, with u = e^z and q = u/(e^u − 1).
  information(z, out) {
    const u = Math.exp(z)
    const { q, slope } = cloglogRatio(u)
    // q′ = slope = q (1 − q − u), so q″ = slope (1 − q − u) − q (slope + u).
    const k = q > 0 ? slope / q : 0
    const second = slope * k - q * (slope + u)
    out[0] = u * q
    out[1] = u * (q + slope)
    out[2] = u * (q + 2 * slope + second)
    if (q === 0) out.fill(0)
  },
  informationValue(A, z) {
    const u = A.exp(z)
    return A.div(A.mul(u, u), A.expm1(u))
  },
  mean: z => -Math.expm1(-Math.exp(z)),
  ratio: 'hazard ratio',
  even: Math.log(Math.LN2),
  logLoss: (z, y) => (y === 0 ? 0 : y * cloglogEvent(z)) + (y === 1 ? 0 : (1 - y) * Math.exp(z))
}
