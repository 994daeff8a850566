/**
 * What can be said of one stationary point from its exact f64 Hessian: eigenvalues, flat directions and what explains them, and
 * standard errors where the minimum is strict and the loss is a likelihood.
 */
import { dot, symmetricEigen } from '../core/linalg.js'
import { thresholds } from '../core/thresholds.js'
import { lossTable } from '../models/losses/index.js'
import { shiftDirections, shiftCount } from '../models/network/shift.js'
import { contrastHessian, contrastMap, contrastNetwork } from './quotient.js'
import { layers } from '../models/network/network.js'
import { columnScale, hasLoss, isOnBound, isRidged } from '../models/model.js'
import { linearPart, mapPoints, pullBack, type ParameterMap } from '../models/network/parameterMap.js'
import { covarianceRows, positiveUserEigenvalues, userHessian } from './eigenvalues.js'
import { addFirth } from '../models/penalty.js'
import { explainedNullity } from './flat.js'
import { eigenWithin, isFlat, orthonormal } from './kinks/manifold.js'
import type { KinkedPoint } from './kinks/describe.js'
import { scaledCholesky } from './jacobi.js'
import { outputs } from '../models/outputs.js'
import type { ScaledCholesky } from './jacobi.js'
import type { Network, Problem } from '../models/types.js'

/** A parameter moves along the flat directions when the null space holds this share of its axis. */
export const flatShare = 1e-2

export interface PointQuestion {
  readonly problem: Problem<Network>
  /** [P] */
  readonly theta: Float64Array
  /** [P, P], of f at θ, both triangles. */
  readonly H: Float64Array
  /** Where units are at their kinks: f is smooth along the manifold that holds them there, and H that of `KinkedPoint`. */
  readonly kinked?: KinkedPoint
  /** A well-conditioned copy, where flat directions are counted. */
  readonly balanced?: { readonly theta: Float64Array; readonly H: Float64Array }
  /** [P] */
  readonly names: readonly string[]
  /** The way to the user's coordinates. */
  readonly frame: {
    readonly toUser: ParameterMap
    readonly fromUser: ParameterMap
    readonly toAsked: ParameterMap
    /** Absent: the conditioned coordinates are those that were asked for. */
    readonly fromAsked: ParameterMap | undefined
    /** Losses of those coordinates in the user's. */
    readonly askedLossScale: number
    readonly standardized: boolean
    readonly lossScale: number
  }
}

export interface PointDetails {
  /** Of the Hessian, ascending: in the user's coordinates, or as `askedFor` says. */
  readonly eigenvalues: number[]
  /** Eigenvalues of the scaled Hessian below, and inside, the zero band (that of polishing: core/thresholds.ts). */
  readonly index: number
  readonly nullity: number
  readonly nullityExplained: number
  readonly flatParameters: string[]
  /** λmax / λmin of the scaled Hessian of a strict minimum. */
  readonly condition?: number
  /** [P]; absent where `standardErrorsReason` says why. */
  readonly standardErrors?: number[]
  readonly standardErrorsReason?: string
  /** By the expected information, of formulas. */
  readonly expectedStandardErrors?: number[]
  readonly standardized?: {
    readonly parameters: number[]
    readonly eigenvalues: number[]
    readonly standardErrors?: number[]
  }
}

/** Names of the parameters that move along flat directions [nullity][P], judged in units in which all of them matter alike. */
function movingParameters({ problem, names, frame }: PointQuestion, basis: readonly Float64Array[]): string[] {
  const { model: network } = problem
  const P = names.length
  const first = layers(network)[0]
  const S = first.stride
  // How far conditioned parameters go for a unit of the user's; biases take up shifts, which are no size of their own.
  const unit = new Float64Array(P).fill(1)
  const bias = network.bias ? 1 : 0
  for (let d = bias; d < S; d++) {
    let square = 0
    for (let i = bias; i < S; i++) square += frame.fromUser.first[i * S + d] ** 2
    for (let k = 0; k < first.units; k++) unit[first.at + k * S + d] = Math.sqrt(square)
  }
  const span: Float64Array[] = []
  for (const vector of basis) {
    const moved = mapPoints(network, linearPart(frame.toUser), vector).map((v, p) => v * unit[p])
    for (const other of span) {
      const part = dot(moved, other)
      for (let p = 0; p < P; p++) moved[p] -= part * other[p]
    }
    const length = Math.sqrt(dot(moved, moved))
    if (length > 0) span.push(moved.map(v => v / length))
  }
  return names.filter((_, p) => span.reduce((sum, v) => sum + v[p] * v[p], 0) > flatShare)
}

/**
 * Whether eigenvalues are those of the standardised coordinates: where they were asked for and f has a ridge on them, or hidden layers,
 * whose curvature is comparable in those only.
 */
export const askedFor = (
  { hidden, ridge }: Pick<Network, 'hidden' | 'ridge'>,
  { standardized }: { readonly standardized: boolean }
): boolean => standardized && (hidden.length > 0 || ridge > 0)

/**
 * Inertia is judged in conditioned coordinates, on diag(s) H diag(s), s = `columnScale`: it is the same in all coordinates (Sylvester),
 * and does not depend on the units of the columns when judged so. Eigenvalues and standard errors are given in the user's.
 */
export function describePoint(question: PointQuestion): PointDetails {
  const { problem, theta, H, frame, kinked } = question
  const { model: network } = problem
  const P = theta.length
  const scale = columnScale(problem)
  const { values, index, nullity, basis, shifts } = inertiaOf(question, scale)
  const flat = question.balanced
    ? { ...inertiaOf({ ...question, ...question.balanced }, scale), theta: question.balanced.theta }
    : { nullity, basis, theta }
  const strict = index === 0 && nullity === 0 && !kinked
  const factor = strict && shifts === 0 ? scaledCholesky(H, P) : undefined
  const eigenvaluesIn = (toOwn: ParameterMap, fromOwn: ParameterMap | undefined, lossScale: number): number[] => {
    if (kinked) {
      const normals = kinked.normals.map(n => (fromOwn ? pullBack(network, fromOwn, n) : n))
      const ones = new Float64Array(P).fill(1)
      const { values: along } = eigenWithin(fromOwn ? userHessian(network, fromOwn, H) : H, ones, orthonormal(normals))
      return Array.from(along, v => lossScale * v)
    }
    const own =
      (strict ? strictEigenvalues(network, H, toOwn, fromOwn) : undefined) ??
      withoutZeros(symmetricEigen(fromOwn ? userHessian(network, fromOwn, H) : H, P).values, shifts)
    return Array.from(own, v => lossScale * v)
  }
  const inAsked = frame.standardized
    ? eigenvaluesIn(frame.toAsked, frame.fromAsked, frame.lossScale / frame.askedLossScale)
    : []
  const errors = sampling(question, factor && network.firth ? informationOf(problem, theta, H) : factor)
  const { standardized: _, ...own } = errors
  const moving = basis.map(v => v.map((a, p) => a * scale[p]))
  return {
    eigenvalues: askedFor(network, frame) ? inAsked : eigenvaluesIn(frame.toUser, frame.fromUser, frame.lossScale),
    index: index + (kinked?.index ?? 0),
    nullity: flat.nullity + (kinked?.nullity ?? 0),
    // A unit put out shares the weights of one that is there.
    nullityExplained: explainedNullity(problem, flat.theta, flat.basis, scale) + (kinked?.nullity ?? 0),
    flatParameters: movingParameters(question, moving),
    ...(strict ? { condition: values[P - 1] / values[shifts] } : {}),
    ...(frame.standardized
      ? {
          standardized: {
            parameters: [...mapPoints(network, frame.toAsked, theta)],
            eigenvalues: inAsked,
            ...(errors.standardized ? { standardErrors: errors.standardized } : {})
          }
        }
      : {}),
    ...own
  }
}

/** Eigenvalues of a strict minimum; undefined where they are not positive to rounding. */
function strictEigenvalues(
  network: Network,
  H: Float64Array,
  toUser: ParameterMap,
  fromUser: ParameterMap | undefined
): Float64Array | undefined {
  const own = (net: Network, A: Float64Array, of: (map: ParameterMap) => ParameterMap): Float64Array | undefined => {
    const factor = scaledCholesky(A, Math.round(Math.sqrt(A.length)))
    return (
      factor &&
      positiveUserEigenvalues(net, { toUser: of(toUser), ...(fromUser ? { fromUser: of(fromUser) } : {}) }, factor)
    )
  }
  const shifts = shiftCount(network)
  if (shifts === 0) return own(network, H, map => map)
  // With a ridge on the weights the biases alone are free, which is no network of its own.
  if (network.ridge > 0) return undefined
  return own(contrastNetwork(network), contrastHessian(network, H), contrastMap)
}

/** Ascending values but for the `count` that are nearest to 0. */
function withoutZeros(values: Float64Array, count: number): Float64Array {
  const zeros = [...values.keys()].sort((i, j) => Math.abs(values[i]) - Math.abs(values[j])).slice(0, count)
  return values.filter((_, i) => !zeros.includes(i))
}

/** Orthonormal basis of what is left of the span of orthonormal vectors beside others that lie in it. */
function beside(vectors: Float64Array[], others: readonly Float64Array[]): Float64Array[] {
  if (others.length === 0) return vectors
  const span: Float64Array[] = [...others]
  for (const vector of vectors) {
    const rest = vector.slice()
    for (let pass = 0; pass < 2; pass++)
      for (const other of span) {
        const part = dot(rest, other)
        for (let p = 0; p < rest.length; p++) rest[p] -= part * other[p]
      }
    const length = Math.sqrt(dot(rest, rest))
    if (length > flatShare) span.push(rest.map(v => v / length))
  }
  return span.slice(others.length)
}

/** What the scaled Hessian says. */
interface Inertia {
  /** Ascending. */
  readonly values: Float64Array
  /** Eigenvalues below the zero band, and inside it beside the shifts. */
  readonly index: number
  readonly nullity: number
  /** Orthonormal [nullity][P]. */
  readonly basis: Float64Array[]
  /** Directions that no data determine, whose eigenvalues are among `values`. */
  readonly shifts: number
}

function inertiaOf({ problem, theta, H, kinked }: PointQuestion, scale: Float64Array): Inertia {
  const P = theta.length
  if (kinked) {
    const normals = kinked.normals.map(n => n.map((v, p) => v * scale[p]))
    const { values, vectors, normH } = eigenWithin(H, scale, orthonormal(normals))
    const flat = Array.from(values, v => isFlat(v, normH, P, Number.EPSILON))
    const basis = vectors.filter((_, i) => flat[i])
    const index = values.filter((v, i) => v < 0 && !flat[i]).length
    return { values, index, nullity: basis.length, basis, shifts: 0 }
  }
  const { values, vectors } = symmetricEigen(H, P, scale)
  const normH = Math.max(Math.abs(values[0]), Math.abs(values[P - 1]))
  const band = thresholds.zeroBandFactor * Number.EPSILON * P * normH
  const flat = [...values.keys()].filter(i => Math.abs(values[i]) <= band)
  const shifts = shiftDirections(problem.model)
  const basis = beside(
    flat.map(i => Float64Array.from({ length: P }, (_, p) => vectors[p * P + i])),
    shifts
  )
  const index = values.filter(v => v < -band).length
  return { values, index, nullity: Math.max(0, flat.length - shifts.length), basis, shifts: shifts.length }
}

/** The factor of the observed information per unit of weight of a model with Firth's penalty, which has no part in it. */
export function informationOf(
  problem: Problem<Network>,
  theta: Float64Array,
  H: Float64Array
): ScaledCholesky | undefined {
  const penalty = new Float64Array(H.length)
  addFirth(problem, outputs(problem, theta), undefined, penalty)
  return scaledCholesky(
    H.map((v, k) => v - penalty[k]),
    theta.length
  )
}

const atKinks = 'The point lies on kinks, where the Hessian says nothing of how estimates vary.'

/** Standard errors by the observed information, in the user's coordinates and in those that were asked for. */
function sampling(
  question: PointQuestion,
  factor: ScaledCholesky | undefined
): Pick<PointDetails, 'standardErrors' | 'standardErrorsReason'> & {
  readonly standardized?: number[]
} {
  const { problem, theta, frame } = question
  const { model: network } = problem
  const unit = question.kinked ? atKinks : varianceUnit(problem, theta, factor)
  if (!factor && shiftCount(network) > 0)
    return {
      standardErrorsReason:
        'A number may be added to all classes, so that their parameters have no standard errors of their own; those of contrasts with the first class are in inference.'
    }
  if (typeof unit === 'string') return { standardErrorsReason: unit }
  const of = (map: ParameterMap, F: ScaledCholesky): number[] => {
    const rows = covarianceRows(network, map, F)
    const P = theta.length
    return Array.from({ length: P }, (_, p) => {
      // In units of the largest, so that squares of 1e±200 neither overflow nor vanish.
      let top = 0
      for (let r = 0; r < P; r++) top = Math.max(top, Math.abs(rows[r * P + p]))
      let sum = 0
      for (let r = 0; r < P; r++) sum += (rows[r * P + p] / top) ** 2
      return top > 0 ? top * Math.sqrt(sum * unit) : 0
    })
  }
  return {
    standardErrors: of(frame.toUser, factor!),
    ...(frame.standardized ? { standardized: of(frame.toAsked, factor!) } : {})
  }
}

/** A dispersion that rounding of targets and linear predictors alone leaves. */
function exactFit({ y, model }: Problem, z: Float64Array): number {
  const definition = lossTable[model.loss]
  let top = 0
  // Residuals of losses without a unit are relative to means e^z, which rounding of z moves by its size.
  if (definition.response !== 'class' && definition.inUnit)
    for (let i = 0; i < y.length; i++) top = Math.max(top, Math.abs(y[i]), Math.abs(z[i]))
  else for (const v of z) top = Math.max(top, 1, Math.abs(v))
  return (64 * Number.EPSILON * top) ** 2
}

/**
 * What the inverse Hessian is multiplied by to be a covariance: with f the weighted mean of −log-likelihoods, the information is Σw·H.
 * Where the likelihood has a dispersion to estimate, it is Σ w (`pearson` of the loss) / (n − P) (McCullagh & Nelder 1989, §8.3.6).
 * One sentence where there is none.
 */
export function varianceUnit(
  problem: Problem,
  theta: Float64Array,
  factor: ScaledCholesky | undefined
): number | string {
  const { model, rows, y, weight } = problem
  const definition = lossTable[model.loss]
  if (!hasLoss(model)) return 'An objective is no likelihood, so its curvature says nothing about sampling errors.'
  if (definition.noLikelihood) return definition.noLikelihood
  if (isOnBound(model, theta))
    return 'A parameter lies on its bound, where estimates are not normal around the true value.'
  if (isRidged(problem))
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
    used *= model.outputs
    if (used <= theta.length) return 'There are no more rows than parameters, so the dispersion cannot be estimated.'
    const z = outputs(problem, theta)
    let sum = 0
    for (let i = 0; i < y.length; i++) {
      sum += (weight ? weight[Math.floor(i / model.outputs)] : 1) * definition.pearson(y[i], z[i])
    }
    dispersion = sum / (used - theta.length)
    if (dispersion <= exactFit(problem, z))
      return 'The model fits every row exactly, but for rounding, so there is no dispersion to estimate and there are no standard errors.'
  }
  return dispersion / total
}
