/**
 * Average marginal effects on the mean response, with errors by the delta method: for a column of numbers the mean of ∂μ/∂x over the rows,
 * for a level of labels the mean difference of μ between all rows at that level and all rows at the reference.
 */
import type { Inference, MarginalEffects } from '../../core/result.js'
import { meanSlopes } from '../../models/links.js'
import { scalarLoss } from '../../models/losses/index.js'
import type { Network, Problem } from '../../models/types.js'
import { twoSided, twoSidedQuantile } from './distributions.js'
import { designRows } from './hauckDonner.js'

/** Columns of the design that belong together, by their numbers: those of one term. */
export interface EffectTerm {
  readonly kind: 'number' | 'category'
  readonly columns: readonly number[]
}

export interface EffectQuestion {
  readonly problem: Problem<Network>
  /** [N] */
  readonly z: Float64Array
  /** [N, D] the user's columns. */
  readonly columns: Float64Array
  /** In the order of the design. */
  readonly terms: readonly EffectTerm[]
  /** Of each of the user's columns: its coefficient, and that as a form of the coordinates. */
  readonly coefficients: readonly { readonly value: number; readonly form: Float64Array; readonly name: string }[]
  /** Variance of a form of the coordinates. */
  readonly variance: (form: Float64Array) => number
  readonly confidence: number
  /** Degrees of freedom of Student's distribution, where the dispersion is estimated. */
  readonly df?: number
}

/** Undefined where the mean response is the linear predictor itself, or has several outputs. */
export function marginalEffects(question: EffectQuestion): MarginalEffects | undefined {
  const { problem, terms, coefficients, variance, confidence, df } = question
  const { link } = scalarLoss(problem.model.loss)
  if (link === 'z') return undefined
  const effects = terms.flatMap(({ kind, columns }) =>
    columns.map(d => ({
      name: coefficients[d].name,
      kind: kind === 'number' ? ('derivative' as const) : ('difference' as const),
      ...(kind === 'number' ? slope(question, d) : difference(question, columns, d))
    }))
  )
  return summarised(effects, variance, confidence, df)
}

/** Effects with their errors, tests and intervals. */
export function summarised(
  effects: readonly (Effect & { readonly name: string; readonly kind: MarginalEffects['kinds'][number] })[],
  variance: (form: Float64Array) => number,
  confidence: number,
  df?: number
): MarginalEffects {
  const quantile = twoSidedQuantile(confidence, df)
  const errors = effects.map(({ gradient }) => Math.sqrt(variance(gradient)))
  return {
    names: effects.map(e => e.name),
    kinds: effects.map(e => e.kind),
    estimates: effects.map(e => e.effect),
    standardErrors: errors,
    p: effects.map((e, i) => twoSided(e.effect / errors[i], df)),
    intervals: effects.map((e, i): Inference['wald'][number] => [
      e.effect - quantile * errors[i],
      e.effect + quantile * errors[i]
    ])
  }
}

export interface Effect {
  readonly effect: number
  /** By the coordinates. */
  readonly gradient: Float64Array
}

/** β mean μ′(z), and its gradient: mean μ′ · (form of β) + β mean μ″ x. */
function slope({ problem, z, coefficients }: EffectQuestion, d: number): Effect {
  const { link } = scalarLoss(problem.model.loss)
  const { value, form } = coefficients[d]
  const rows = designRows(problem)
  const gradient = new Float64Array(rows.width)
  const out = new Float64Array(2)
  let [mean, total] = [0, 0]
  for (let i = 0; i < problem.rows; i++) {
    const w = problem.weight ? problem.weight[i] : 1
    total += w
    if (w === 0) continue
    meanSlopes(link, z[i], out)
    mean += w * out[0]
    const x = rows.row(i)
    for (let p = 0; p < x.length; p++) gradient[p] += w * out[1] * x[p]
  }
  mean /= total
  for (let p = 0; p < gradient.length; p++) gradient[p] = mean * form[p] + (value * gradient[p]) / total
  return { effect: value * mean, gradient }
}

/** Mean of μ with all rows at the level of column `at` less that with all rows at the reference. */
function difference(
  { problem, z, columns, coefficients }: EffectQuestion,
  levels: readonly number[],
  at: number
): Effect {
  const definition = scalarLoss(problem.model.loss)
  const D = problem.model.inputs
  const rows = designRows(problem)
  const gradient = new Float64Array(rows.width)
  const out = new Float64Array(2)
  let [effect, total] = [0, 0]
  for (let i = 0; i < problem.rows; i++) {
    const w = problem.weight ? problem.weight[i] : 1
    total += w
    if (w === 0) continue
    const x = rows.row(i)
    for (const sign of [1, -1]) {
      let moved = z[i]
      const change = levels.map(d => (sign === 1 && d === at ? 1 : 0) - columns[i * D + d])
      levels.forEach((d, k) => (moved += change[k] * coefficients[d].value))
      meanSlopes(definition.link, moved, out)
      effect += sign * w * definition.mean(moved)
      for (let p = 0; p < x.length; p++) {
        let own = x[p]
        levels.forEach((d, k) => (own += change[k] * coefficients[d].form[p]))
        gradient[p] += sign * w * out[0] * own
      }
    }
  }
  return { effect: effect / total, gradient: gradient.map(v => v / total) }
}
