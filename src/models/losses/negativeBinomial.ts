import { logGamma } from '../../core/stats.js'
import { scaled, softplusOf } from '../algebra.js'
import { sigmoid } from '../special.js'
import type { ScalarLoss } from './types.js'

/** (y + 1/α) log(1 + α e^z) − y z: counts with mean μ = e^z and variance μ + α μ², α = `dispersion` given. */
export const negativeBinomial: ScalarLoss = {
  response: 'count',
  allowed: 'counts that are not negative',
  fits: y => y >= 0,
  parameters: [{ name: 'dispersion', meaning: 'α of the variance μ + α μ²', above: 0, most: 1e6 }],
  constants: ([alpha]) => [alpha, Math.log(alpha), 1 / alpha],
  model: 'negative binomial regression',
  link: 'exp',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out, [alpha]) {
    const w = z + Math.log(alpha)
    const linear = w > 0 ? w / alpha + y * Math.log(alpha) : -y * z
    out[0] = linear + (y + 1 / alpha) * Math.log1p(Math.exp(-Math.abs(w)))
    out[1] = sigmoid(w) / alpha - y * sigmoid(-w)
    out[2] = (y + 1 / alpha) * sigmoid(w) * sigmoid(-w)
  },
  value: (A, z, y, [alpha]) =>
    A.sub(scaled(A, y + 1 / alpha, softplusOf(A, A.add(z, A.constant(Math.log(alpha))))), scaled(A, y, z)),
  // μ / (1 + αμ)
  information(z, out, [alpha]) {
    const w = z + Math.log(alpha)
    const [up, down] = [sigmoid(w), sigmoid(-w)]
    out[0] = up / alpha
    out[1] = (up * down) / alpha
    out[2] = (up * down * (down - up)) / alpha
  },
  mean: Math.exp,
  deviance: (y, mu, [alpha]) =>
    2 * ((y === 0 ? 0 : y * Math.log(y / mu)) - (y + 1 / alpha) * Math.log1p((y - mu) / (mu + 1 / alpha))),
  constant: (y, [alpha]) => logGamma(y + 1) + logGamma(1 / alpha) - logGamma(y + 1 / alpha) - y * Math.log(alpha),
  ratio: 'rate ratio',
  recedes: y => (y === 0 ? -1 : 0)
}
