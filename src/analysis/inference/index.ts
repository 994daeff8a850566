/**
 * What a statistician asks of the minimiser of a model without hidden layer: tests and intervals of the coefficients, likelihood and
 * deviances, effects. All arithmetic is in the conditioned coordinates; a coefficient of the user is a linear form there.
 */
import { dot } from '../../core/linalg.js'
import type { Inference, Interval } from '../../core/result.js'
import type { Objective } from '../../engines/types.js'
import { isScalar, lossTable } from '../../models/losses/index.js'
import { layers } from '../../models/network/network.js'
import { linearPart, mapPoints, pullBack, type ParameterMap } from '../../models/network/parameterMap.js'
import type { Network, Problem } from '../../models/types.js'
import { scaledCholesky, solveScaled, type ScaledCholesky } from '../jacobi.js'
import { outputs } from '../../models/outputs.js'
import { informationOf, varianceUnit } from '../stationary.js'
import { classEffects } from './classEffects.js'
import { chiSquaredTail, fTail, twoSided, twoSidedQuantile } from './distributions.js'
import { expectedInformation } from './expected.js'
import { classElasticities, waldElasticities, type Direction } from './hauckDonner.js'
import { fitOf, sizeOf } from './likelihood.js'
import { marginalEffects, type EffectTerm } from './marginal.js'
import { refitAll, type Refit } from './refit.js'

export const confidence = 0.95

export interface InferenceQuestion {
  readonly problem: Problem<Network>
  readonly objective: Pick<Objective, 'evaluate' | 'parameters'>
  /** [P] a minimiser of f. */
  readonly theta: Float64Array
  /** [P, P] of f there. */
  readonly H: Float64Array
  readonly names: readonly string[]
  readonly frame: {
    readonly toUser: ParameterMap
    readonly fromUser: ParameterMap
    readonly targetScale: number
    readonly lossScale: number
  }
  /** [N] of the target, where it has them. */
  readonly trials?: Float64Array
  /** [N, D] the user's columns, and what they belong to; absent where effects are not asked for. */
  readonly effects?: { readonly columns: Float64Array; readonly terms: readonly EffectTerm[] }
}

/** Multiplications up to which refits are made; some seconds. */
const affordable = 2e10
/** Refits of a coefficient, times evaluations of each. */
const evaluations = 3 * 10

/** The coordinates in which the minimiser is isolated: all, or the contrasts of classes with the first. */
interface Isolated {
  readonly free: readonly number[]
  readonly theta: Float64Array
  /** Of the observed information per unit of weight. */
  readonly factor: ScaledCholesky
}

/** Whether a model can have this at all. */
const applies = ({ model: network, penalty }: Problem<Network>): boolean =>
  network.hidden.length === 0 &&
  !(network.ridge > 0) &&
  !penalty?.some(v => v > 0) &&
  lossTable[network.loss].noLikelihood === undefined &&
  (network.outputs === 1 || !isScalar(network.loss))

function isolated({ problem, theta, H }: InferenceQuestion): Isolated | undefined {
  const { model: network } = problem
  const P = theta.length
  const isClass = !isScalar(network.loss)
  const S = layers(network)[0].stride
  const free = Array.from({ length: P }, (_, p) => p).filter(p => !isClass || p >= S)
  const n = free.length
  const block = Float64Array.from({ length: n * n }, (_, at) => H[free[Math.floor(at / n)] * P + free[at % n]])
  const factor = network.firth ? informationOf(problem, theta, H) : scaledCholesky(block, n)
  if (!factor) return undefined
  return { free, theta: Float64Array.from(free, p => (isClass ? theta[p] - theta[p % S] : theta[p])), factor }
}

/** Undefined where the model has no likelihood, or no isolated minimiser with standard errors. */
export async function inferenceOf(question: InferenceQuestion): Promise<Inference | undefined> {
  const { problem, frame, names } = question
  const { model: network } = problem
  if (!applies(problem)) return undefined
  const at = isolated(question)
  if (!at) return undefined
  const unit = varianceUnit(problem, question.theta, at.factor)
  if (typeof unit === 'string') return undefined
  const P = question.theta.length
  const n = at.free.length
  const { total } = sizeOf(problem)
  const definition = lossTable[network.loss]
  const dispersed = definition.response !== 'class' && definition.pearson !== undefined
  const z = outputs(problem, question.theta)
  const fit = fitOf(
    {
      problem,
      unit: frame.targetScale,
      lossScale: frame.lossScale,
      ...(question.trials ? { trials: question.trials } : {})
    },
    z,
    n,
    dispersed ? unit * total * frame.lossScale : 1
  )
  const df = dispersed ? fit.df : undefined
  const user = mapPoints(network, frame.toUser, question.theta)
  const S = layers(network)[0].stride
  const directions = at.free.map((p): Direction => {
    const axis = new Float64Array(P)
    axis[p] = 1
    const pick = (v: Float64Array): Float64Array => Float64Array.from(at.free, q => v[q])
    return {
      form: pick(pullBack(network, frame.toUser, axis)),
      value: isScalar(network.loss) ? user[p] : user[p] - user[p % S],
      alone: pick(mapPoints(network, linearPart(frame.fromUser), axis))
    }
  })
  const variance = (form: Float64Array, factor = at.factor): number => unit * dot(form, solveScaled(factor, form))
  // In units of the largest entry, so that squares of 1e±200 neither overflow nor vanish.
  const errorOf = (form: Float64Array, factor = at.factor): number => {
    const top = form.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    return top > 0
      ? top *
          Math.sqrt(
            variance(
              form.map(v => v / top),
              factor
            )
          )
      : 0
  }
  const errors = directions.map(({ form }) => errorOf(form))
  const expected = expectedInformation(problem, z, at.free, question.theta)
  const expectedFactor = expected === 'observed' ? at.factor : expected && scaledCholesky(expected, n)
  const expectedErrors = expectedFactor && directions.map(({ form }) => errorOf(form, expectedFactor))
  const statistic = directions.map(({ value }, k) => value / errors[k])
  const quantile = twoSidedQuantile(confidence, df)
  const elasticities = !definition.convex
    ? directions.map(() => null)
    : isScalar(network.loss)
      ? waldElasticities(problem, z, directions)
      : classElasticities(problem, z, weighted(at.factor, total), directions)
  const effects = question.effects && effectsOf(question.effects)

  function effectsOf({ columns, terms }: NonNullable<InferenceQuestion['effects']>): Inference['marginalEffects'] {
    const bias = network.bias ? 1 : 0
    if (!isScalar(network.loss)) {
      const classes = Array.from({ length: network.outputs }, (_, c) => c)
      const features = Array.from({ length: network.inputs }, (_, d) => d)
      const none = { value: 0, form: new Float64Array(n) }
      return classEffects({
        problem,
        z,
        columns,
        terms,
        contrasts: classes.map(c => features.map(d => (c === 0 ? none : directions[(c - 1) * S + bias + d]))),
        names: classes.map(c => features.map(d => names[c * S + bias + d])),
        variance,
        confidence
      })
    }
    return marginalEffects({
      problem,
      z,
      columns,
      terms,
      coefficients: directions.slice(bias).map(({ form, value }, d) => ({ form, value, name: names[bias + d] })),
      variance,
      confidence,
      ...(df === undefined ? {} : { df })
    })
  }

  return {
    names: at.free.map(p => names[p]),
    estimates: directions.map(d => d.value),
    standardErrors: errors,
    ...(expectedErrors ? { expectedStandardErrors: expectedErrors } : {}),
    distribution: dispersed ? 't' : 'z',
    confidence,
    statistic,
    p: statistic.map(t => twoSided(t, df)),
    wald: directions.map(({ value }, k): Interval => [value - quantile * errors[k], value + quantile * errors[k]]),
    ...(await refits(question, { at, directions, unit: 1 / unit, quantile, ...(df === undefined ? {} : { df }) })),
    hauckDonner: elasticities.map(e => (e === null ? null : e < 0)),
    waldElasticity: elasticities,
    ...fit,
    ...(definition.ratio === undefined ? {} : { ratio: definition.ratio }),
    ...(effects && effects.names.length > 0 ? { marginalEffects: effects } : {})
  }
}

/** The factor of `by` times the matrix. */
const weighted = ({ n, d, L }: ScaledCholesky, by: number): ScaledCholesky => ({
  n,
  d: d.map(v => v * Math.sqrt(by)),
  L
})

interface Refits {
  readonly at: Isolated
  readonly directions: readonly Direction[]
  /** Of f, to be minus the log-likelihood over its dispersion. */
  readonly unit: number
  readonly quantile: number
  readonly df?: number
}

/** Profile intervals and tests of each coefficient against 0, by one batch of refits. */
async function refits(
  { problem, objective, frame }: InferenceQuestion,
  { at, directions, unit, quantile, df }: Refits
): Promise<Pick<Inference, 'profile' | 'likelihoodRatio' | 'profileReason'>> {
  const n = directions.length
  const work = evaluations * n * problem.rows * n * n
  if (work > affordable)
    return {
      profileReason: `Profile intervals and likelihood-ratio tests are left out: ${n} coefficients on ${problem.rows} rows would take too long.`
    }
  const bias = problem.model.bias
  const S = layers(problem.model)[0].stride
  const list = directions.flatMap(({ form }, k): Refit[] => {
    // The user's intercept is the form and what the map adds to it.
    const added = bias && k % S === 0 ? frame.toUser.shift[Math.floor(k / S)] : 0
    return [
      { form, at: added === 0 ? 0 : -added },
      { form, root: -quantile },
      { form, root: quantile }
    ]
  })
  const found = await refitAll({ objective, free: at.free, minimiser: at.theta, unit }, list)
  const end = (k: number): number | null => {
    const result = found[k]
    if (!result) return null
    const { form, value } = directions[Math.floor(k / 3)]
    return value + (result.value - dot(form, at.theta))
  }
  return {
    profile: directions.map((_, k): Interval => [end(3 * k + 1), end(3 * k + 2)]),
    ...(directions.every((_, k) => found[3 * k])
      ? {
          likelihoodRatio: directions.map((_, k) => {
            const statistic = found[3 * k]!.fall
            return { statistic, df: 1, p: df === undefined ? chiSquaredTail(statistic) : fTail(statistic, 1, df) }
          })
        }
      : {})
  }
}
