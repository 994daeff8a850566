import { scaled, sigmoidOf } from '../algebra.js'
import { sigmoid } from '../special.js'
import { logisticLogLoss, shares } from './shares.js'
import type { ScalarLoss } from './types.js'

/** Squared loss through the logistic function: ½ (logistic(z) − y)². */
export const brier: ScalarLoss = {
  ...shares,
  model: 'squared loss through the sigmoid',
  link: 'sigmoid',
  attainsZero: true,
  convex: false,
  strictlyConvex: false,
  nonconvexReason: 'Squared loss through the logistic function is not convex, even without a hidden layer.',
  bounded: true,
  noLikelihood:
    'Squared loss through the logistic function is no likelihood, so its curvature says nothing about sampling errors.',
  terms(z, y, out) {
    const up = sigmoid(z)
    const down = sigmoid(-z)
    const d = (1 - y) * up - y * down
    const s = up * down
    out[0] = 0.5 * d * d
    out[1] = d * s
    out[2] = s * s + d * s * (down - up)
  },
  value(A, z, y) {
    const d = A.sub(sigmoidOf(A, z), A.constant(y))
    return scaled(A, 0.5, A.mul(d, d))
  },
  mean: sigmoid,
  even: 0,
  logLoss: logisticLogLoss
}
