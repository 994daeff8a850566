/** Tails and quantiles of the distributions of test statistics, by the incomplete beta function of core/stats.ts and by erfc. */
import { normalQuantile } from '../../core/rng.js'
import { betaQuantile, incompleteBeta } from '../../core/stats.js'
import { erfc } from '../../models/special.js'

/** P(F > f), F with df1 and df2 degrees of freedom. */
export const fTail = (f: number, df1: number, df2: number): number =>
  f > 0 ? incompleteBeta(df2 / (df2 + df1 * f), 0.5 * df2, 0.5 * df1) : 1

/** P(|T| > |t|): Student's with df degrees of freedom, standard normal without. */
export const twoSided = (t: number, df?: number): number =>
  df === undefined ? erfc(Math.abs(t) * Math.SQRT1_2) : fTail(t * t, 1, df)

/** P(χ² > x), one degree of freedom. */
export const chiSquaredTail = (x: number): number => (x > 0 ? erfc(Math.sqrt(0.5 * x)) : 1)

/** t with P(|T| ≤ t) = confidence: Student's with df degrees of freedom, standard normal without. */
export function twoSidedQuantile(confidence: number, df?: number): number {
  if (df === undefined) return -normalQuantile(0.5 * (1 - confidence))
  // T²/(df + T²) is Beta(½, df/2).
  const y = betaQuantile(confidence, 0.5, 0.5 * df)
  return Math.sqrt((df * y) / (1 - y))
}
