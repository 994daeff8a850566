import { logGamma } from '../../core/stats.js'
import { scaled } from '../algebra.js'
import type { ScalarLoss } from './types.js'

/** ½ (ν + 1) log(1 + r² / (ν s²)), r = z − y: errors with Student's distribution, ν degrees of freedom and scale s given. */
export const student: ScalarLoss = {
  response: 'number',
  allowed: 'any number',
  attainsZero: true,
  fits: () => true,
  parameters: [
    { name: 'df', meaning: 'degrees of freedom ν', above: 0, most: 1e6 },
    { name: 'scale', meaning: 'scale s of the errors', above: 0, most: 1e100 }
  ],
  constants: ([df, scale]) => [0.5 * (df + 1), 1 / (df * scale * scale), (df + 1) / (df * scale * scale)],
  model: "regression with Student's errors",
  link: 'z',
  convex: false,
  strictlyConvex: false,
  inUnit: (unit, [df, scale]) => ({ parameters: [df, scale / unit], scale: 1 }),
  nonconvexReason:
    'The loss of Student’s errors grows as a logarithm, so it is not convex, even without a hidden layer.',
  terms(z, y, out, [df, scale]) {
    const r = z - y
    const k = 1 / (df * scale * scale)
    const t = k * r * r
    out[0] = 0.5 * (df + 1) * Math.log1p(t)
    out[1] = ((df + 1) * k * r) / (1 + t)
    out[2] = ((df + 1) * k * (1 - t)) / (1 + t) / (1 + t)
  },
  value(A, z, y, [df, scale]) {
    const r = scaled(A, 1 / (scale * Math.sqrt(df)), A.sub(z, A.constant(y)))
    return scaled(A, 0.5 * (df + 1), A.log1p(A.mul(r, r)))
  },
  constant: (_, [df, scale]) =>
    logGamma(0.5 * df) - logGamma(0.5 * (df + 1)) + 0.5 * Math.log(Math.PI * df) + Math.log(scale),
  // (ν + 1) / ((ν + 3) s²) (Lange, Little and Taylor 1989).
  information: (_, out, [df, scale]) => void out.fill(0).fill((df + 1) / (df + 3) / scale ** 2, 0, 1),
  mean: z => z,
  deviance: (y, mu, [df, scale]) => (df + 1) * Math.log1p((y - mu) ** 2 / (df * scale * scale))
}
