/**
 * What can be said of one stationary point of a model given as an expression, in the user's parameters θ(u). Where the gradient is 0,
 * the Hessian in θ is J⁻¹ H J⁻¹, J = dθ/du (diagonal); a parameter on a bound (J = 0) keeps its inner coordinate.
 */
import { symmetricEigen } from '../core/linalg.js'
import { thresholds } from '../core/thresholds.js'
import { slopes } from '../models/expression/coordinates.js'
import type { Expression } from '../models/expression/types.js'
import type { Problem } from '../models/types.js'
import { expectedInformation } from './inference/expected.js'
import { outputs } from '../models/outputs.js'
import { scaledCholesky, type ScaledCholesky } from './jacobi.js'
import { flatShare, varianceUnit, type PointDetails, type PointQuestion } from './stationary.js'

export function describeFormulaPoint(
  problem: Problem,
  { theta, H, names }: Pick<PointQuestion, 'theta' | 'H' | 'names'>,
  expression: Expression
): PointDetails {
  const P = theta.length
  const { values, vectors } = symmetricEigen(H, P)
  const band = thresholds.zeroBandFactor * Number.EPSILON * P * Math.max(Math.abs(values[0]), Math.abs(values[P - 1]))
  const index = values.filter(v => v < -band).length
  const flat = [...values.keys()].filter(i => Math.abs(values[i]) <= band)
  const moves = (p: number): number => flat.reduce((sum, i) => sum + vectors[p * P + i] ** 2, 0)
  const J = slopes(expression, theta).map(s => (Math.abs(s) > 0 ? Math.abs(s) : 1))
  const user = H.map((v, n) => v / (J[Math.floor(n / P)] * J[n % P]))
  const factor = index === 0 && flat.length === 0 ? scaledCholesky(user, P) : undefined
  const unit = varianceUnit(problem, theta, factor)
  const expected =
    factor && !expression.objective
      ? expectedInformation(problem, outputs(problem, theta), [...names.keys()], theta)
      : undefined
  const expectedFactor =
    expected instanceof Float64Array
      ? scaledCholesky(
          expected.map((v, n) => v / (J[Math.floor(n / P)] * J[n % P])),
          P
        )
      : undefined
  return {
    eigenvalues: [...symmetricEigen(user, P).values],
    index,
    nullity: flat.length,
    nullityExplained: 0,
    flatParameters: names.filter((_, p) => moves(p) > flatShare),
    ...(factor ? { condition: values[P - 1] / values[0] } : {}),
    ...(typeof unit === 'string'
      ? { standardErrorsReason: unit }
      : {
          standardErrors: Array.from(inverseDiagonal(factor!), v => Math.sqrt(v * unit)),
          ...(expectedFactor
            ? { expectedStandardErrors: Array.from(inverseDiagonal(expectedFactor), v => Math.sqrt(v * unit)) }
            : {})
        })
  }
}

/** Diagonal of A⁻¹, from A = D L Lᵀ D. */
function inverseDiagonal({ n, d, L }: ScaledCholesky): Float64Array {
  const out = new Float64Array(n)
  const column = new Float64Array(n)
  for (let p = 0; p < n; p++) {
    let sum = 0
    for (let i = p; i < n; i++) {
      let v = i === p ? 1 : 0
      for (let k = p; k < i; k++) v -= L[i * n + k] * column[k]
      column[i] = v / L[i * n + i]
      sum += column[i] * column[i]
    }
    out[p] = sum / d[p] / d[p]
  }
  return out
}
