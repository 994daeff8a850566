import { scaled } from '../algebra.js'
import type { ScalarLoss } from './types.js'

/** ½ (z − y)² */
export const squared: ScalarLoss = {
  response: 'number',
  allowed: 'any number',
  fits: () => true,
  parameters: [],
  model: 'linear regression',
  link: 'z',
  attainsZero: true,
  convex: true,
  strictlyConvex: true,
  quadratic: true,
  inUnit: unit => ({ parameters: [], scale: unit ** 2 }),
  terms(z, y, out) {
    out[0] = 0.5 * (z - y) * (z - y)
    out[1] = z - y
    out[2] = 1
  },
  value(A, z, y) {
    const r = A.sub(z, A.constant(y))
    return scaled(A, 0.5, A.mul(r, r))
  },
  information: (_, out) => void out.fill(0).fill(1, 0, 1),
  mean: z => z,
  deviance: (y, mu) => (y - mu) ** 2,
  pearson: (y, z) => (y - z) ** 2,
  dispersed: {
    per: 'row',
    logDensity: (y, z, phi, weight) => -0.5 * (Math.log((2 * Math.PI * phi) / weight) + (weight * (y - z) ** 2) / phi)
  }
}
