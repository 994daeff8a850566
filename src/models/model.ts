/**
 * The closed union of models, network | expression: what every part of the program asks of a model, whichever kind it is. Whoever needs
 * what networks alone have (layers, a ridge) asks for the kind, and the compiler then knows the rest.
 */
import { Stream, words } from '../core/rng.js'
import { expressionConvexity, gaussNewtonModel, userModel } from './expression/expression.js'
import { activationTable, type ActivationDefinition } from './activations.js'
import { atBound, fromUser, toUser } from './expression/coordinates.js'
import { expressionPoint } from './expression/starts.js'
import { ExpressionCanonicalizer, expressionCopies } from './expression/symmetry.js'
import type { Expression } from './expression/types.js'
import { defaultLosses, lossTable } from './losses/index.js'
import { networkPoint } from './network/initialise.js'
import {
  networkColumnScale,
  networkConvexity,
  networkParameterCount,
  networkParameterNames,
  penalizedMask
} from './network/network.js'
import { linearPart, mapPoints, type ParameterMap } from './network/parameterMap.js'
import { Canonicalizer, genericCoefficients, networkCopies } from './network/symmetry.js'
import type { Convexity, Init, Model, Network, Problem } from './types.js'

/** What networks alone have; undefined for other models. */
export const networkOf = (model: Model): Network | undefined => (model.kind === 'network' ? model : undefined)

/** What formulas and objectives alone have; undefined for other models. */
export const expressionOf = (model: Model): Expression | undefined =>
  model.kind === 'expression' ? model.expression : undefined

export const isNetwork = (problem: Problem): problem is Problem<Network> => problem.model.kind === 'network'

/** Whether a model is a network without hidden layer: a generalised linear model. */
export const isLinear = (model: Model): model is Network => model.kind === 'network' && model.hidden.length === 0

/** Whether there are rows with a loss, and so residuals, scores and a sampling distribution; not so for an objective of the user's. */
export const hasLoss = (model: Model): boolean => model.kind === 'network' || !model.expression.objective

/** Whether H has a part without the curvature of z, that of Gauss and Newton, which is not H itself. */
export const hasGaussNewton = (model: Model): boolean => model.kind === 'expression' && !model.expression.objective

/** The problem with Gauss and Newton's matrix in place of the Hessian, for searching alone. */
export function withGaussNewton(problem: Problem): Problem {
  const { model } = problem
  if (model.kind === 'network') return problem
  return { ...problem, model: { ...model, expression: gaussNewtonModel(model.expression) } }
}

/** The activation of hidden layers; undefined where there are none. */
export const hiddenActivation = (model: Model): ActivationDefinition | undefined =>
  model.kind === 'network' && model.hidden.length > 0 ? activationTable[model.activation] : undefined

/** Whether a parameter lies on one of its bounds at θ [P]. */
export const isOnBound = (model: Model, theta: Float64Array): boolean =>
  model.kind === 'expression' && atBound(model.expression, toUser(model.expression, theta)).includes(true)

/** [P] name and bounds of every parameter, ±∞ where there are none. */
export const boundsOf = (model: Model): { readonly name: string; readonly lower: number; readonly upper: number }[] =>
  model.kind === 'network'
    ? Array.from({ length: networkParameterCount(model) }, () => ({ name: '', lower: -Infinity, upper: Infinity }))
    : model.expression.parameters.map(p => ({ name: p.name, lower: p.lower ?? -Infinity, upper: p.upper ?? Infinity }))

/** Whether a constant may be added to every sum, so that columns and target may be measured from other origins. */
export const hasBias = (model: Model): boolean => model.kind === 'network' && model.bias

/** Layers and penalties: an expression has none. */
export const layoutOf = (
  model: Model
): Pick<Network, 'hidden' | 'activation' | 'bias' | 'ridge' | 'penalizeBias' | 'firth'> =>
  model.kind === 'network' ? model : { hidden: [], activation: 'identity', bias: false, ridge: 0, penalizeBias: false }

/** A name for a model, such as "logistic regression" or "4-5-1 tanh, ridge 0.01". */
export function modelName(model: Model): string {
  if (model.kind === 'expression') return model.expression.objective ? 'objective' : `formula, ${model.loss}`
  const ridge = model.ridge > 0 ? `, ridge ${model.ridge}` : model.hidden.length > 0 ? ', no ridge' : ''
  if (model.hidden.length === 0) return `${lossTable[model.loss].model}${ridge}`
  const loss = model.loss === defaultLosses.twoLabels ? '' : ` ${model.loss}`
  return `${[model.inputs, ...model.hidden, model.outputs].join('-')} ${model.activation}${loss}${ridge}`
}

/** P */
export const parameterCount = (model: Model): number =>
  model.kind === 'network' ? networkParameterCount(model) : model.expression.parameters.length

/** [P] names: those of a user's formula, or by column and place in the network. */
export const parameterNames = (model: Model, columns: readonly string[], classes?: readonly string[]): string[] =>
  model.kind === 'network'
    ? networkParameterNames(model, columns, classes)
    : model.expression.parameters.map(p => p.name)

/** [P]: what one unit of a parameter is worth: 1 / rms of the input column for first-layer weights, the scale of a user's parameter. */
export function columnScale(problem: Problem): Float64Array {
  const { model } = problem
  if (model.kind === 'network') return networkColumnScale({ ...problem, model })
  const { parameters, coordinates } = model.expression
  return Float64Array.from(parameters, p => (coordinates === 'inner' ? 1 : p.scale))
}

/** [P] λ_p of the penalty ½ Σ_p λ_p θ_p²; all 0 where there is none. */
export function penaltyOf({ model, penalty }: Pick<Problem, 'model' | 'penalty'>): Float64Array {
  if (penalty) return penalty
  if (model.kind === 'expression') return new Float64Array(parameterCount(model))
  return Float64Array.from(penalizedMask(model), on => on * model.ridge)
}

/** Whether a ridge falls on any parameter. */
export const isRidged = (problem: Pick<Problem, 'model' | 'penalty'>): boolean => penaltyOf(problem).some(v => v > 0)

export const hasFirth = (model: Model): boolean => model.kind === 'network' && model.firth === true

/** Whether the ridge falls on every parameter, so that a convex model is strongly convex whatever the data. */
export const ridgeOnAll = (model: Model): boolean =>
  model.kind === 'network' && model.ridge > 0 && (!model.bias || model.penalizeBias)

/** Whether ℓ is convex in z. */
export const lossIsConvex = ({ loss }: Model): boolean => lossTable[loss].convex

export const convexity = (model: Model): Convexity =>
  model.kind === 'network' ? networkConvexity(model) : expressionConvexity(model)

/**
 * θ0 [P] from a word for each parameter, which says how far along its distribution it lies. `map`: of networks, from the coordinates it is
 * drawn in to those of the problem.
 */
export const pointOf = (model: Model, init: Init, random: Uint32Array, map?: ParameterMap): Float64Array =>
  model.kind === 'network' ? networkPoint(model, init, random, map) : expressionPoint(model.expression, random)

/** θ0 of a start: [P], the same on every engine. */
export const startPoint = (model: Model, init: Init, seed: number, start: number, map?: ParameterMap): Float64Array =>
  pointOf(model, init, words(seed, Stream.init, start, 0, parameterCount(model)), map)

/** Symmetric copies of a generic point that leave f unchanged: the order of the group, Infinity beyond the range of a double. */
export const copiesPossible = (model: Model): number =>
  model.kind === 'network' ? networkCopies(model) : expressionCopies(model.expression)

/** Whether every point is its own canonical copy: nothing to permute or turn, and no parameter that bounds fold. */
export const isOwnCopy = (model: Model): boolean =>
  copiesPossible(model) === 1 &&
  (model.kind === 'network'
    ? model.hidden.length === 0
    : model.expression.parameters.every(({ lower, upper }) => lower === null && upper === null))

/** What brings points to canonical form, whichever kind of model. */
export type AnyCanonicalizer = Pick<
  Canonicalizer,
  'parameters' | 'order' | 'canonicalize' | 'images' | 'hasImage' | 'sizeBelow' | 'restore'
>

export const canonicalizerOf = (model: Model): AnyCanonicalizer =>
  model.kind === 'network'
    ? new Canonicalizer(model)
    : new ExpressionCanonicalizer(model.expression, genericCoefficients(model.expression.parameters.length))

/** One point at a time; `canonicalizerOf` is the form for many. */
export const canonicalize = (model: Model, theta: Float64Array, out: Float64Array): number =>
  canonicalizerOf(model).canonicalize(theta, out)

/** The problem in the user's parameters, where its model can be had in them; networks are computed in conditioned ones. */
export function inUserCoordinates(problem: Problem): Problem {
  const { model } = problem
  if (model.kind === 'network') return problem
  return { ...problem, model: { ...model, expression: userModel(model.expression) } }
}

/** Every point of [R, P] by a function. */
function eachPoint(points: Float64Array, P: number, map: (point: Float64Array) => Float64Array): Float64Array {
  const out = new Float64Array(points.length)
  for (let at = 0; at < points.length; at += P) out.set(map(points.subarray(at, at + P)), at)
  return out
}

/**
 * Points [R, P] in the user's coordinates; in `out`, where the map takes it. `map`: of networks, from the coordinates of the problem to
 * the user's.
 */
export const userPoints = (model: Model, map: ParameterMap, theta: Float64Array, out?: Float64Array): Float64Array =>
  model.kind === 'network'
    ? mapPoints(model, map, theta, out)
    : eachPoint(theta, model.expression.parameters.length, u => toUser(model.expression, u))

/** The inverse of `userPoints`. @param map of networks: from the user's coordinates to the conditioned ones */
export const conditionedPoints = (model: Model, map: ParameterMap, theta: Float64Array): Float64Array =>
  model.kind === 'network'
    ? mapPoints(model, map, theta)
    : eachPoint(theta, model.expression.parameters.length, user => fromUser(model.expression, user))

/** Directions [R, P] of the user's coordinates in the conditioned ones. @param map of networks */
export const conditionedDirections = (model: Model, map: ParameterMap, directions: Float64Array): Float64Array =>
  model.kind === 'network'
    ? mapPoints(model, linearPart(map), directions)
    : eachPoint(directions, model.expression.parameters.length, d =>
        d.map((v, p) => v / model.expression.parameters[p].scale)
      )

/** Directions [R, P] in the user's coordinates. */
export const userDirections = (model: Model, map: ParameterMap, directions: Float64Array): Float64Array =>
  model.kind === 'network'
    ? mapPoints(model, linearPart(map), directions)
    : eachPoint(directions, model.expression.parameters.length, d =>
        d.map((v, p) => v * model.expression.parameters[p].scale)
      )
