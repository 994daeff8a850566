/**
 * The minimiser against the ridge: all ridges, many starts of each and all folds are lanes of one batch, whose runs bring their own penalty
 * and rows.
 */
import { rowLosses } from '../models/outputs.js'
import type { RidgePathResult } from '../core/result.js'
import { resampledWeights, rowCounts, type Resampling } from '../core/resampling.js'
import { Status } from '../core/status.js'
import { conditionProblem } from '../data/conditioning.js'
import type { RunInputs } from '../engines/types.js'
import { mapPoints } from '../models/network/parameterMap.js'
import type { Problem, Network } from '../models/types.js'
import { collected } from './collected.js'
import { newtonLimit } from './config.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import { epsilonOf } from '../optimizers/types.js'
import { askedOf, givenRows, type Certifying, type Setup } from './setup.js'
import { isLinear, networkOf } from '../models/model.js'

/** Ridges of a path that is chosen from the data, where nothing is said of them: from where little is left of the weights to a millionth of that. */
const steps = 49
const strongest = 10
const range = 1e-6
/** Starts of each ridge, at most, and where Hessians of all of them would take more multiplications than that; always a few. */
const [fewStarts, manyStarts] = [20, 1000]
const multiplications = 2e10
const manyFolds = 10
const gradient = 1e-10
/** Objectives are one when they differ by less, relative to max(1, size). */
const alike = 1e-7

interface Path {
  readonly setup: Setup
  readonly objective: Certifying
  readonly problem: Problem
  /** [P] λ_p of a ridge of 1. */
  readonly unit: Float64Array
  readonly toUser: (theta: Float64Array) => Float64Array
  readonly starts: Float64Array
}

/** @returns undefined where no path was asked for, or it was stopped */
export async function ridgePathOf(setup: Setup, signal?: AbortSignal): Promise<RidgePathResult | undefined> {
  const { config, data, names, certifier } = setup
  const model = networkOf(setup.model)
  const asked = config.model.ridgePath
  if (asked === undefined || !model) return undefined
  // Coordinates in which a ridge is a sum of squares, as those of the study need not be.
  const given = givenRows(data, data, model.bias)
  const standard = askedOf(data, model.bias)
  const { problem: penalised, frame } = conditionProblem({ ...model, ridge: 1 }, given, standard)
  const { penalty: unit, ...rest } = penalised
  const problem: Problem<Network> = { ...rest, model: { ...penalised.model, ridge: 0 } }
  const objective = await certifier.engine.prepare(problem)
  try {
    const map = standard ? frame.toAsked : frame.toUser
    const P = objective.parameters
    const listed = Array.isArray(asked) ? (asked as readonly number[]) : undefined
    const values = listed?.length ?? (typeof asked === 'object' && 'path' in asked ? asked.path : steps)
    const affordable = Math.floor(multiplications / (values * (problem.rows * P ** 2 + P ** 3)))
    const count = Math.min(config.starts.count, Math.max(fewStarts, Math.min(manyStarts, affordable)))
    const starts = new Float64Array(count * P)
    for (let i = 0; i < count; i++) starts.set(setup.starts.at(i), i * P)
    const path: Path = {
      setup,
      objective: objective as Certifying,
      problem,
      unit: unit!,
      toUser: theta => mapPoints(model, map, theta),
      starts
    }
    const ridges = listed ? [...new Set(listed)].sort((a, b) => b - a) : await chosen(path, values)
    const fits = await minimise(path, ridges, count, {}, signal)
    if (!fits) return undefined
    const best = ridges.map((ridge, k) => bestOf(path, fits.slice(k * count, (k + 1) * count), ridge))
    const crossValidated = await crossValidation(path, ridges, best, signal)
    return {
      ridges,
      starts: count,
      names,
      standardized: standard !== undefined,
      parameters: best.map(b => (model.hidden.length === 0 ? [...path.toUser(b.theta)] : [])),
      losses: best.map(b => frame.lossScale * b.loss),
      objectives: best.map(b => frame.lossScale * b.objective),
      arrived: best.map(b => b.arrived),
      distinct: best.map(b => b.distinct),
      spread: best.map(b => b.spread),
      ...(crossValidated
        ? {
            crossValidated: {
              ...crossValidated,
              losses: crossValidated.losses.map(v => frame.lossScale * v),
              errors: crossValidated.errors.map(v => frame.lossScale * v)
            }
          }
        : {})
    }
  } finally {
    objective.dispose()
  }
}

/** Ridges on a logarithmic scale, by the curvature where all weights are 0. */
async function chosen({ objective, unit }: Path, values: number): Promise<number[]> {
  const P = objective.parameters
  const { H } = await objective.evaluate(new Float64Array(P), { H: true })
  let top = 0
  for (let p = 0; p < P; p++) if (unit[p] > 0) top = Math.max(top, Math.abs(H![p * P + p]) / unit[p])
  const first = strongest * (top > 0 && Number.isFinite(top) ? top : 1)
  // As many digits as tell neighbours apart.
  const digits = Math.max(3, Math.ceil(Math.log10(values)) + 1)
  return Array.from({ length: values }, (_, k) => Number((first * range ** (k / (values - 1))).toPrecision(digits)))
}

interface Fit {
  readonly theta: Float64Array
  readonly objective: number
  readonly converged: boolean
}

/** Runs of every ridge from each of its starts, ridge by ridge; undefined when it was stopped. */
async function minimise(
  { objective, unit, starts }: Path,
  ridges: readonly number[],
  each: number,
  more: { readonly from?: Float64Array; readonly rows?: RunInputs['rows'] },
  signal: AbortSignal | undefined
): Promise<Fit[] | undefined> {
  const P = objective.parameters
  const count = ridges.length * each
  const theta = more.from ?? new Float64Array(count * P)
  if (!more.from) ridges.forEach((_, k) => theta.set(starts, k * each * P))
  const ridge = new Float64Array(count * P)
  for (let r = 0; r < count; r++) for (let p = 0; p < P; p++) ridge[r * P + p] = ridges[Math.floor(r / each)] * unit[p]
  const { name, options } = resolveOptimizer(P <= newtonLimit ? 'newton' : 'lbfgs')
  const program = optimizers[name].build(options, { eps: epsilonOf.f64, parameters: P })
  const runs = await collected(objective, {
    program,
    starts: { kind: 'given', theta, count },
    stop: { steps: 10 * optimizers[name].steps, gradient },
    inputs: { ridge, ...(more.rows ? { rows: more.rows } : {}) },
    ...(signal ? { signal } : {})
  })
  if (!runs) return undefined
  return Array.from(runs.loss, (objective, r) => ({
    theta: runs.theta.slice(r * P, (r + 1) * P),
    objective,
    converged: runs.status[r] === Status.converged || runs.status[r] === Status.stalled
  }))
}

interface Best extends Fit {
  readonly loss: number
  readonly arrived: number
  readonly distinct: number
  readonly spread: number
}

function bestOf({ unit, toUser, setup }: Path, fits: readonly Fit[], ridge: number): Best {
  const arrived = fits.filter(fit => fit.converged && Number.isFinite(fit.objective))
  const sorted = [...(arrived.length > 0 ? arrived : fits)].sort((a, b) => a.objective - b.objective)
  const [best] = sorted
  const tolerance = alike * Math.max(1, Math.abs(best.objective))
  let distinct = arrived.length > 0 ? 1 : 0
  for (let i = 1; i < arrived.length; i++) if (sorted[i].objective - sorted[i - 1].objective > tolerance) distinct++
  const convex = isLinear(setup.model)
  const own = toUser(best.theta)
  const spread = convex
    ? arrived
        .filter(fit => fit.objective - best.objective <= tolerance)
        .reduce((most, fit) => {
          const other = toUser(fit.theta)
          return own.reduce((m, v, p) => Math.max(m, Math.abs(v - other[p]) / Math.max(1, Math.abs(v))), most)
        }, 0)
    : 0
  let penalty = 0
  best.theta.forEach((v, p) => (penalty += 0.5 * ridge * unit[p] * v * v))
  return { ...best, loss: best.objective - penalty, arrived: arrived.length, distinct, spread }
}

/** Loss of rows that were held out in turn, for each ridge; from the minimiser of all rows. */
async function crossValidation(
  path: Path,
  ridges: readonly number[],
  best: readonly Best[],
  signal: AbortSignal | undefined
): Promise<RidgePathResult['crossValidated']> {
  const { objective, problem, setup } = path
  const { rows } = problem
  const folds = Math.min(manyFolds, rows)
  if (folds < 3) return undefined
  const P = objective.parameters
  const how: Resampling = { kind: 'folds', folds, seed: setup.config.starts.seed }
  const count = ridges.length * folds
  const from = new Float64Array(count * P)
  const numbers = new Float64Array(count)
  for (let r = 0; r < count; r++) {
    from.set(best[Math.floor(r / folds)].theta, r * P)
    numbers[r] = r % folds
  }
  const fits = await minimise(path, ridges, folds, { from, rows: { how, numbers } }, signal)
  if (!fits) return undefined
  const theta = new Float64Array(count * P)
  fits.forEach((fit, r) => theta.set(fit.theta, r * P))
  const losses: number[] = []
  const errors: number[] = []
  const held = Array.from({ length: folds }, (_, fold) => {
    const kept = rowCounts(how, fold, rows)
    const weights = resampledWeights(how, -1, rows, problem.weight)
    return weights.map((w, i) => (kept[i] === 0 ? w : 0))
  })
  for (let k = 0; k < ridges.length; k++) {
    const own = theta.subarray(k * folds * P, (k + 1) * folds * P)
    const z = await objective.outputs(own.slice())
    const width = z.length / folds
    const means: number[] = []
    let [sum, total] = [0, 0]
    for (let fold = 0; fold < folds; fold++) {
      const row = rowLosses(problem, z.subarray(fold * width, (fold + 1) * width))
      let [part, weight] = [0, 0]
      held[fold].forEach((w, i) => {
        if (w === 0) return
        part += w * row[i]
        weight += w
      })
      if (weight > 0) means.push(part / weight)
      sum += part
      total += weight
    }
    const middle = means.reduce((a, b) => a + b, 0) / means.length
    const variance = means.reduce((a, v) => a + (v - middle) ** 2, 0) / (means.length - 1)
    losses.push(sum / total)
    errors.push(Math.sqrt(variance / means.length))
  }
  const finite = losses.map(v => (Number.isFinite(v) ? v : Infinity))
  const at = finite.indexOf(Math.min(...finite))
  if (!Number.isFinite(finite[at])) return undefined
  const withinOneError = finite.findIndex(v => v <= finite[at] + errors[at])
  return { folds, losses, errors, best: at, withinOneError }
}
