import { logGamma } from '../../core/stats.js'
import { scaled } from '../algebra.js'
import type { ScalarLoss } from './types.js'

/** e^z − y z */
export const poisson: ScalarLoss = {
  response: 'count',
  allowed: 'counts that are not negative',
  fits: y => y >= 0,
  parameters: [],
  model: 'poisson regression',
  link: 'exp',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out) {
    const u = Math.exp(z)
    out[0] = u - y * z
    out[1] = u - y
    out[2] = u
  },
  value: (A, z, y) => A.sub(A.exp(z), scaled(A, y, z)),
  information(z, out) {
    out.fill(Math.exp(z))
  },
  informationValue: (A, z) => A.exp(z),
  mean: Math.exp,
  deviance: (y, mu) => 2 * ((y === 0 ? 0 : y * Math.log(y / mu)) - (y - mu)),
  constant: y => logGamma(y + 1),
  ratio: 'rate ratio',
  recedes: y => (y === 0 ? -1 : 0)
}
