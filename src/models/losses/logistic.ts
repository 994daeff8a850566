import { scaled, sigmoidOf, softplusOf } from '../algebra.js'
import { sigmoid } from '../special.js'
import { logisticLogLoss, shares, times } from './shares.js'
import type { ScalarLoss } from './types.js'

/** log(1 + e^z) − y z */
export const logistic: ScalarLoss = {
  ...shares,
  model: 'logistic regression',
  link: 'sigmoid',
  convex: true,
  strictlyConvex: true,
  terms(z, y, out) {
    const up = sigmoid(z)
    const down = sigmoid(-z)
    out[0] = (z > 0 ? times(1 - y, z) : times(y, -z)) + Math.log1p(Math.exp(-Math.abs(z)))
    out[1] = (1 - y) * up - y * down
    out[2] = up * down
  },
  value: (A, z, y) => A.sub(softplusOf(A, z), scaled(A, y, z)),
  information(z, out) {
    const up = sigmoid(z)
    const down = sigmoid(-z)
    out[0] = up * down
    out[1] = out[0] * (down - up)
    out[2] = out[0] * (1 - 6 * out[0])
  },
  informationValue(A, z) {
    const up = sigmoidOf(A, z)
    return A.mul(up, A.sub(A.constant(1), up))
  },
  mean: sigmoid,
  ratio: 'odds ratio',
  even: 0,
  logLoss: logisticLogLoss
}
