import { scaled } from '../algebra.js'
import type { ScalarLoss } from './types.js'

/** ½ r² for |r| ≤ δ and δ |r| − ½ δ² beyond, r = z − y (Huber 1964). */
export const huber: ScalarLoss = {
  response: 'number',
  allowed: 'any number',
  attainsZero: true,
  fits: () => true,
  parameters: [{ name: 'delta', meaning: 'residual from which the loss grows in proportion', above: 0, most: 1e100 }],
  constants: ([delta]) => [delta],
  model: "Huber's regression",
  link: 'z',
  convex: true,
  strictlyConvex: false,
  inUnit: (unit, [delta]) => ({ parameters: [delta / unit], scale: unit ** 2 }),
  noLikelihood: "Huber's loss is no likelihood, so its curvature says nothing about sampling errors.",
  terms(z, y, out, [delta]) {
    const r = z - y
    const size = Math.abs(r)
    const far = size > delta
    out[0] = far ? delta * (size - 0.5 * delta) : 0.5 * r * r
    out[1] = far ? Math.sign(r) * delta : r
    out[2] = far ? 0 : r === r ? 1 : NaN
  },
  value(A, z, y, [delta]) {
    const r = A.sub(z, A.constant(y))
    const far = (size: typeof r): typeof r => scaled(A, delta, A.sub(size, A.constant(0.5 * delta)))
    return A.positive(
      A.sub(r, A.constant(delta)),
      () => far(r),
      () =>
        A.positive(
          A.sub(A.constant(-delta), r),
          () => far(A.sub(A.constant(0), r)),
          () => scaled(A, 0.5, A.mul(r, r))
        )
    )
  },
  mean: z => z,
  deviance(y, mu, [delta]) {
    const r = Math.abs(y - mu)
    return r <= delta ? r * r : delta * (2 * r - delta)
  }
}
