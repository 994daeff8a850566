import { logGamma } from '../../core/stats.js'
import { scaled } from '../algebra.js'
import { times } from './shares.js'
import type { ScalarLoss } from './types.js'

/** z + y e^−z, the gamma likelihood with log link. */
export const gamma: ScalarLoss = {
  response: 'positive',
  allowed: 'positive values',
  fits: y => y > 0,
  parameters: [],
  model: 'gamma regression',
  link: 'exp',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out) {
    const u = times(y, Math.exp(-z))
    out[0] = z + u
    out[1] = 1 - u
    out[2] = u
  },
  value: (A, z, y) => A.add(z, scaled(A, y, A.exp(A.sub(A.constant(0), z)))),
  // The variance is φ μ², so that the link's slope drops out.
  information: (_, out) => void out.fill(0).fill(1, 0, 1),
  mean: Math.exp,
  deviance: (y, mu) => 2 * (-Math.log(y / mu) + (y - mu) / mu),
  pearson: (y, z) => (y * Math.exp(-z) - 1) ** 2,
  dispersed: {
    per: 'weight',
    // Shape 1/φ and mean e^z.
    logDensity: (y, z, phi, weight) =>
      weight * ((Math.log(y / phi) - z - y * Math.exp(-z)) / phi - Math.log(y) - logGamma(1 / phi))
  },
  ratio: 'ratio of means'
}
