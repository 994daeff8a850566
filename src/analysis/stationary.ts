/**
 * What can be said of one stationary point from its exact f64 Hessian: eigenvalues, flat directions and what explains them, and
 * standard errors where the minimum is strict and the loss is a likelihood.
 */
import { symmetricEigen } from '../core/linalg.js'
import { thresholds } from '../core/thresholds.js'
import { lossTable } from '../models/losses/index.js'
import { columnScale } from '../models/network/network.js'
import { explainedNullity } from './flat.js'
import { inverseDiagonal, positiveEigenvalues, scaledCholesky } from './jacobi.js'
import { outputs } from './predict.js'
import type { ScaledCholesky } from './jacobi.js'
import type { Problem } from '../models/types.js'

/** Above this P eigenvalues come from the QL iteration: errors are then relative to the largest, and the time stays small. */
export const jacobiLimit = 160
/** A parameter moves along the flat directions when the null space holds this share of its axis. */
export const flatShare = 1e-2

export interface PointQuestion {
  readonly problem: Problem
  /** [P] */
  readonly theta: Float64Array
  /** [P, P], of f at θ, both triangles. */
  readonly H: Float64Array
  /** [P] */
  readonly names: readonly string[]
}

export interface PointDetails {
  /** Of H, ascending. */
  readonly eigenvalues: number[]
  /** Eigenvalues of the scaled Hessian below, and inside, the zero band (that of polishing: core/thresholds.ts). */
  readonly index: number
  readonly nullity: number
  readonly nullityExplained: number
  readonly flatParameters: string[]
  /** [P]; absent where `standardErrorsReason` says why. */
  readonly standardErrors?: number[]
  readonly standardErrorsReason?: string
}

/**
 * Inertia is judged on diag(s) H diag(s), s = `columnScale`: it is the same for every positive s (Sylvester), and does not depend
 * on the units of the columns when judged so.
 */
export function describePoint({ problem, theta, H, names }: PointQuestion): PointDetails {
  const P = theta.length
  const scale = columnScale(problem)
  const { values, vectors } = symmetricEigen(H, P, scale)
  const normH = Math.max(Math.abs(values[0]), Math.abs(values[P - 1]))
  const band = thresholds.zeroBandFactor * Number.EPSILON * P * normH
  const flat: number[] = []
  let index = 0
  for (let i = 0; i < P; i++) {
    if (values[i] < -band) index++
    else if (!(values[i] > band)) flat.push(i)
  }
  const basis = flat.map(i => Float64Array.from({ length: P }, (_, p) => vectors[p * P + i]))
  const strict = index === 0 && flat.length === 0
  const factor = strict ? scaledCholesky(H, P) : undefined
  const eigenvalues = factor && P <= jacobiLimit ? positiveEigenvalues(factor) : symmetricEigen(H, P).values
  const errors = standardErrors(problem, theta, factor)
  return {
    eigenvalues: Array.from(eigenvalues),
    index,
    nullity: flat.length,
    nullityExplained: explainedNullity(problem.network, theta, basis, scale),
    flatParameters: names.filter((_, p) => basis.reduce((sum, v) => sum + v[p] * v[p], 0) > flatShare),
    ...(typeof errors === 'string' ? { standardErrorsReason: errors } : { standardErrors: errors })
  }
}

/**
 * Square roots of the diagonal of the inverse observed information, times the dispersion's root. With f the weighted mean of
 * −log-likelihoods, the information is Σw·H. Where the
 * likelihood has a dispersion to estimate, it is Σ w (`pearson` of the loss) / (n − P) (McCullagh & Nelder 1989, §8.3.6). Returns one sentence where there are none.
 */
function standardErrors(problem: Problem, theta: Float64Array, factor: ScaledCholesky | undefined): number[] | string {
  const { network, rows, y, weight } = problem
  const definition = lossTable[network.loss]
  if (definition.noLikelihood) return definition.noLikelihood
  if (network.ridge > 0)
    return 'With a ridge the estimate is biased and the Hessian holds the penalty too, so its inverse is no sampling variance.'
  if (!factor) return 'The point is not a strict minimum, so the parameters are not identified.'
  let total = 0
  let used = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    total += w
    if (w > 0) used++
  }
  let dispersion = 1
  if (definition.response !== 'class' && definition.pearson) {
    if (used <= theta.length) return 'There are no more rows than parameters, so the dispersion cannot be estimated.'
    const z = outputs(problem, theta)
    let sum = 0
    for (let i = 0; i < rows; i++) {
      sum += (weight ? weight[i] : 1) * definition.pearson(y[i], z[i])
    }
    dispersion = sum / (used - theta.length)
  }
  return Array.from(inverseDiagonal(factor), v => Math.sqrt((v / total) * dispersion))
}
