/**
 * Average marginal effects on the probabilities of classes, with errors by the delta method: for a column of numbers the mean over the rows
 * of ∂p_c/∂x = p_c (β_c − Σ_k p_k β_k), for a level of labels the mean difference of p_c between all rows at that level and all rows at the
 * reference. β_k are contrasts with the first class, whose own are 0.
 */
import type { MarginalEffects } from '../../core/result.js'
import { softmax } from '../../models/means.js'
import type { Network, Problem } from '../../models/types.js'
import { designRows } from './hauckDonner.js'
import { summarised, type Effect, type EffectTerm } from './marginal.js'

export interface ClassQuestion {
  readonly problem: Problem<Network>
  /** [N, C] */
  readonly z: Float64Array
  /** [N, D] the user's columns. */
  readonly columns: Float64Array
  readonly terms: readonly EffectTerm[]
  /** [C][D] contrasts of each class, and those as forms of the coordinates; 0 for the first class. */
  readonly contrasts: readonly (readonly { readonly value: number; readonly form: Float64Array }[])[]
  /** [C][D] */
  readonly names: readonly (readonly string[])[]
  readonly variance: (form: Float64Array) => number
  readonly confidence: number
}

export function classEffects(question: ClassQuestion): MarginalEffects {
  const { terms, names, variance, confidence } = question
  const list = terms.flatMap(({ kind, columns }) =>
    columns.flatMap(d => {
      const effects = kind === 'number' ? slopes(question, d) : differences(question, columns, d)
      return effects.map((effect, c) => ({
        ...effect,
        name: names[c][d],
        kind: kind === 'number' ? ('derivative' as const) : ('difference' as const)
      }))
    })
  )
  return summarised(list, variance, confidence)
}

/** Sums over rows of a number and its gradient for each class, as means. */
class Means {
  readonly effects: number[]
  readonly gradients: Float64Array[]
  private total = 0

  constructor(classes: number, size: number) {
    this.effects = new Array<number>(classes).fill(0)
    this.gradients = Array.from({ length: classes }, () => new Float64Array(size))
  }

  count(weight: number): void {
    this.total += weight
  }

  means(): Effect[] {
    return this.effects.map((sum, c) => ({
      effect: sum / this.total,
      gradient: this.gradients[c].map(v => v / this.total)
    }))
  }
}

function eachRow(
  { problem, z }: ClassQuestion,
  means: Means,
  visit: (i: number, weight: number, x: Float64Array, z: Float64Array) => void
): Effect[] {
  const C = problem.model.outputs
  const rows = designRows(problem)
  for (let i = 0; i < problem.rows; i++) {
    const weight = problem.weight ? problem.weight[i] : 1
    means.count(weight)
    if (weight !== 0) visit(i, weight, rows.row(i), z.subarray(i * C, (i + 1) * C))
  }
  return means.means()
}

function slopes(question: ClassQuestion, d: number): Effect[] {
  const { problem, contrasts } = question
  const C = problem.model.outputs
  const beta = contrasts.map(list => list[d].value)
  const forms = contrasts.map(list => list[d].form)
  const S = designRows(problem).width
  const means = new Means(C, (C - 1) * S)
  return eachRow(question, means, (_, weight, x, z) => {
    const p = softmax(z, C)
    const m = p.reduce((sum, v, k) => sum + v * beta[k], 0)
    for (let c = 0; c < C; c++) {
      means.effects[c] += weight * p[c] * (beta[c] - m)
      const to = means.gradients[c]
      for (let k = 0; k < C; k++) {
        // Of p_c and of m by the output of class k, and of both by β_k.
        const share = (k === c ? p[c] : 0) - p[c] * p[k]
        const byOutput = weight * (share * (beta[c] - m) - p[c] * p[k] * (beta[k] - m))
        if (k > 0) for (let q = 0; q < S; q++) to[(k - 1) * S + q] += byOutput * x[q]
        const byContrast = weight * share
        for (let q = 0; q < to.length; q++) to[q] += byContrast * forms[k][q]
      }
    }
  })
}

function differences(question: ClassQuestion, levels: readonly number[], at: number): Effect[] {
  const { problem, contrasts, columns } = question
  const C = problem.model.outputs
  const D = problem.model.inputs
  const S = designRows(problem).width
  const means = new Means(C, (C - 1) * S)
  return eachRow(question, means, (i, weight, x, z) => {
    for (const sign of [1, -1]) {
      const change = levels.map(d => (sign === 1 && d === at ? 1 : 0) - columns[i * D + d])
      const moved = z.map((v, k) => levels.reduce((sum, d, l) => sum + change[l] * contrasts[k][d].value, v))
      const p = softmax(moved, C)
      for (let c = 0; c < C; c++) {
        means.effects[c] += sign * weight * p[c]
        const to = means.gradients[c]
        for (let k = 1; k < C; k++) {
          const byOutput = sign * weight * ((k === c ? p[c] : 0) - p[c] * p[k])
          for (let q = 0; q < S; q++) to[(k - 1) * S + q] += byOutput * x[q]
          levels.forEach((d, l) => {
            if (change[l] === 0) return
            const { form } = contrasts[k][d]
            for (let q = 0; q < to.length; q++) to[q] += byOutput * change[l] * form[q]
          })
        }
      }
    }
  })
}
