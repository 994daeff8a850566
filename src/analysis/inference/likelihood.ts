/**
 * Log-likelihood, deviances, dispersion and what follows from them, of a model without hidden layer, as R defines them: sums over rows
 * with their weights. z and y are in the target's unit of the problem; `unit` leads to the user's.
 */
import { logGamma } from '../../core/stats.js'
import { isScalar, lossTable, scalarLoss, type ScalarLoss } from '../../models/losses/index.js'
import type { Network, Problem } from '../../models/types.js'
import { rowLosses } from '../../models/outputs.js'
import { fTail } from './distributions.js'
import type { Inference } from '../../core/result.js'

export interface Rows {
  readonly problem: Problem<Network>
  /** [N] trials of each row, which its weight counts in, where the target is a share of successes among them. */
  readonly trials?: Float64Array
  /** The unit of the target: y_user = unit · y + a constant; and f_user = lossScale · f. */
  readonly unit: number
  readonly lossScale: number
}

export type Fit = Pick<
  Inference,
  'logLik' | 'deviance' | 'nullDeviance' | 'df' | 'nullDf' | 'aic' | 'bic' | 'dispersion' | 'linear'
>

const weightOf = ({ weight }: Problem, i: number): number => (weight ? weight[i] : 1)

/** log C(n, k) */
const logChoose = (n: number, k: number): number => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)

/** Rows that count, and their weight. */
export function sizeOf(problem: Problem<Network>): { readonly used: number; readonly total: number } {
  let [used, total] = [0, 0]
  for (let i = 0; i < problem.rows; i++) {
    const w = weightOf(problem, i)
    total += w
    if (w > 0) used++
  }
  return { used, total }
}

/** Least that −y log p − (1 − y) log(1 − p) can be. */
const entropy = (y: number): number => (y > 0 && y < 1 ? -y * Math.log(y) - (1 - y) * Math.log1p(-y) : 0)

/** Σ w · unit deviance over rows of the user's scale, by a function of the row. */
function sum(problem: Problem<Network>, of: (i: number) => number): number {
  let total = 0
  for (let i = 0; i < problem.rows; i++) {
    const w = weightOf(problem, i)
    if (w > 0) total += w * of(i)
  }
  return total
}

/** Deviance of means μ(i), in the problem's unit. */
function devianceOf(problem: Problem<Network>, definition: ScalarLoss, mean: (i: number) => number): number {
  const { y, model: network } = problem
  const parameters = network.lossParameters ?? []
  // Rounding may leave less than nothing of a row that is fitted exactly.
  if (definition.deviance) return sum(problem, i => Math.max(0, definition.deviance!(y[i], mean(i), parameters)))
  return sum(problem, i => {
    const mu = mean(i)
    const loss = (y[i] > 0 ? -y[i] * Math.log(mu) : 0) + (y[i] < 1 ? -(1 - y[i]) * Math.log1p(-mu) : 0)
    return 2 * Math.max(0, loss - entropy(y[i]))
  })
}

/** Deviance of linear predictors z [N], without the cancellation of means near their bounds. */
function devianceAt(problem: Problem<Network>, definition: ScalarLoss, z: ArrayLike<number>): number {
  const { y, model: network } = problem
  const parameters = network.lossParameters ?? []
  if (definition.deviance) return devianceOf(problem, definition, i => definition.mean(z[i]))
  const out = new Float64Array(3)
  return sum(problem, i => {
    definition.terms(z[i], y[i], out, parameters)
    return 2 * Math.max(0, out[0] - entropy(y[i]))
  })
}

/** Newton steps of the intercept at most. */
const interceptSteps = 200

/** The intercept of a model without columns, beside offsets: Newton's method within a bracket that halves where a step leaves it. */
function intercept(problem: Problem<Network>, definition: ScalarLoss, offset: Float64Array): number {
  const { y, model: network } = problem
  const out = new Float64Array(3)
  let [low, high] = [-Infinity, Infinity]
  let b = 0
  for (let k = 0; k < interceptSteps; k++) {
    let [g, h] = [0, 0]
    for (let i = 0; i < problem.rows; i++) {
      const w = weightOf(problem, i)
      if (w === 0) continue
      definition.terms(b + offset[i], y[i], out, network.lossParameters ?? [])
      g += w * out[1]
      h += w * out[2]
    }
    if (g > 0) high = b
    else low = b
    const step = h > 0 ? Math.max(-2, Math.min(2, -g / h)) : -Math.sign(g)
    let next = b + step
    if (!(next > low && next < high)) next = 0.5 * (low + high)
    if (!Number.isFinite(next) || Math.abs(next - b) <= Number.EPSILON * Math.max(1, Math.abs(b))) break
    b = next
  }
  return b
}

/** Deviance of the model with an intercept alone, or with nothing; null where it is no model of its kind. */
function nullDeviance(problem: Problem<Network>): number | null {
  const { model: network, rows, y, offset } = problem
  const { total } = sizeOf(problem)
  if (!isScalar(network.loss)) {
    const counts = new Float64Array(network.outputs)
    for (let i = 0; i < rows; i++) counts[y[i]] += weightOf(problem, i)
    const shares = network.bias ? counts.map(c => c / total) : counts.fill(1 / network.outputs)
    return sum(problem, i => -2 * Math.log(shares[y[i]]))
  }
  const definition = scalarLoss(network.loss)
  if (!definition.convex) return null
  if (!network.bias) return devianceAt(problem, definition, offset ?? new Float64Array(rows))
  if (!offset) {
    const mean = sum(problem, i => y[i]) / total
    return devianceOf(problem, definition, () => mean)
  }
  const b = intercept(problem, definition, offset)
  return devianceAt(
    problem,
    definition,
    offset.map(o => b + o)
  )
}

/**
 * @param z [N, C] linear predictors of the estimate
 * @param parameters those that were estimated
 * @param pearson dispersion in the user's unit; 1 where the likelihood has none
 */
export function fitOf(
  { problem, trials, unit, lossScale }: Rows,
  z: Float64Array,
  parameters: number,
  pearson: number
): Fit {
  const { model: network, rows, y } = problem
  const { used, total } = sizeOf(problem)
  const none = nullDeviance(problem)
  const df = used - parameters
  const nullDf = used - (network.bias ? network.outputs - (isScalar(network.loss) ? 0 : 1) : 0)
  const definition = lossTable[network.loss]
  let [logLik, deviance, estimated] = [0, 0, parameters]
  if (definition.response === 'class') {
    const losses = rowLosses(problem, z)
    deviance = 2 * sum(problem, i => losses[i])
    logLik = -0.5 * deviance
  } else {
    deviance = devianceAt(problem, definition, z) * lossScale
    const { dispersed, constant } = definition
    if (dispersed) {
      const phi = deviance / (dispersed.per === 'row' ? used : total)
      estimated++
      for (let i = 0; i < rows; i++) {
        const w = weightOf(problem, i)
        if (w > 0) logLik += dispersed.logDensity(y[i] * unit, z[i] * unit, phi, w)
      }
    } else {
      const out = new Float64Array(3)
      const given = network.lossParameters ?? []
      logLik = -sum(problem, i => {
        definition.terms(z[i], y[i], out, given)
        const ways = trials && trials[i] > 0 ? logChoose(trials[i], y[i] * trials[i]) / trials[i] : 0
        // A density is per unit of the target.
        return out[0] + (constant?.(y[i], given) ?? 0) - ways + Math.log(unit)
      })
    }
  }
  return {
    logLik,
    deviance,
    nullDeviance: none === null ? null : none * lossScale,
    df,
    nullDf,
    aic: -2 * logLik + 2 * estimated,
    bic: -2 * logLik + Math.log(used) * estimated,
    dispersion: pearson,
    ...(definition.response !== 'class' && definition.dispersed && definition.inUnit
      ? { linear: linearOf(problem, z, { scale: unit, parameters, dispersion: pearson }) }
      : {})
  }
}

/** R², as R's summary of lm has it: about the mean where there is an intercept, offsets left out. */
function linearOf(
  problem: Problem<Network>,
  z: Float64Array,
  { scale, parameters, dispersion }: { scale: number; parameters: number; dispersion: number }
): NonNullable<Fit['linear']> {
  const { model: network, y, offset } = problem
  const { used, total } = sizeOf(problem)
  const fitted = offset ? z.map((v, i) => v - offset[i]) : z
  const mean = network.bias ? sum(problem, i => fitted[i]) / total : 0
  const explained = scale * scale * sum(problem, i => (fitted[i] - mean) ** 2)
  const rest = scale * scale * sum(problem, i => (y[i] - z[i]) ** 2)
  const ones = network.bias ? 1 : 0
  const df = used - parameters
  const regressors = parameters - ones
  const r2 = regressors > 0 ? explained / (explained + rest) : 0
  const f = explained / regressors / dispersion
  return {
    sigma: Math.sqrt(dispersion),
    r2,
    adjustedR2: 1 - (1 - r2) * ((used - ones) / df),
    ...(regressors > 0 ? { f: { statistic: f, df: [regressors, df] as const, p: fTail(f, regressors, df) } } : {})
  }
}
