/** The best minimum followed over resamples of the rows with replacement: its parameters, and what is predicted. */
import type { Cluster } from '../../analysis/cluster.js'
import { replicated, type Replicated } from '../../analysis/bootstrap.js'
import { pick } from '../../analysis/follow.js'
import type { Resampling } from '../../core/resampling.js'
import type { BootstrapParameters, BootstrapResult, BootstrapRow } from '../../core/resamplingResult.js'
import { Status } from '../../core/status.js'
import { lossTable } from '../../models/losses/index.js'
import { predictedMeans } from '../../models/means.js'
import { convexity, userPoints } from '../../models/model.js'
import { centred } from '../../models/network/shift.js'
import type { Problem } from '../../models/types.js'
import { optimizers, resolveOptimizer } from '../../optimizers/registry.js'
import { epsilonOf } from '../../optimizers/types.js'
import { collected, type Collected } from '../collected.js'
import { newtonLimit } from '../config.js'
import { classesOf } from '../multiplicity/index.js'
import type { Setup } from '../setup.js'
import { pickedRows } from '../../analysis/rows.js'
import { numbersAtOnce } from '../variance/scores.js'
import { refitsOf } from './plan.js'

const confidence = 0.95
const gradient = 1e-10
/** Objectives are one when they differ by less, relative to max(1, size). */
const alike = 1e-7
/** Groups of rows that are left out in turn for the acceleration, at most. */
const mostGroups = 500
/** Rows whose predictions are told, at most. */
const toldRows = 500
/**
 * Newton steps from where a run ended, and how far they go at most where it is a minimum, relative to max(1, largest parameter). Where the
 * loss dies away like an exponential, each goes a unit further however small the gradient.
 */
const [probeSteps, still] = [3, 1e-3]

interface Best {
  readonly cluster: Cluster
  readonly isFlat: boolean
}

/** [R, P] points one after the other. */
function repeated(points: readonly Float64Array[], times: number): Float64Array {
  const P = points[0].length
  const theta = new Float64Array(times * points.length * P)
  for (let r = 0; r < times; r++) points.forEach((point, k) => theta.set(point, (r * points.length + k) * P))
  return theta
}

/** Newton's method, or L-BFGS for large models, from points [R, P], each on the rows of a resample. */
function minimise(
  { certifier: { objective } }: Setup,
  theta: Float64Array,
  rows: { readonly how: Resampling; readonly numbers: Float64Array },
  stop: { readonly steps?: number; readonly gradient: number },
  signal: AbortSignal | undefined
): Promise<Collected | undefined> {
  const P = objective.parameters
  const { name, options } = resolveOptimizer(P <= newtonLimit ? 'newton' : 'lbfgs')
  const method = optimizers[name]
  return collected(objective, {
    program: method.build(options, { eps: epsilonOf.f64, parameters: P }),
    starts: { kind: 'given', theta, count: rows.numbers.length },
    stop: { steps: 10 * method.steps, ...stop },
    inputs: { rows },
    ...(signal ? { signal } : {})
  })
}

const [found, unbounded, unfinished] = [0, 1, 2] as const

/** [R] what became of runs from the minimum: found again, unbounded or unfinished. */
async function fates(
  setup: Setup,
  runs: Collected,
  rows: { readonly how: Resampling; readonly numbers: Float64Array },
  signal: AbortSignal | undefined
): Promise<Uint8Array | undefined> {
  const P = setup.certifier.objective.parameters
  const arrived = (r: number): boolean =>
    (runs.status[r] === Status.converged || runs.status[r] === Status.stalled) && Number.isFinite(runs.loss[r])
  const out = Uint8Array.from(runs.status, (_, r) => (arrived(r) ? found : unfinished))
  if (P > newtonLimit) return out
  const further = await minimise(setup, runs.theta.slice(), rows, { steps: probeSteps, gradient: 0 }, signal)
  if (!further) return undefined
  for (let r = 0; r < out.length; r++) {
    if (out[r] !== found) continue
    let [moved, size] = [0, 1]
    for (let p = r * P; p < (r + 1) * P; p++) {
      moved = Math.max(moved, Math.abs(further.theta[p] - runs.theta[p]))
      size = Math.max(size, Math.abs(runs.theta[p]))
    }
    if (!(moved <= still * size)) out[r] = unbounded
  }
  return out
}

/** @returns undefined when it was stopped */
export async function bootstrapOf(
  setup: Setup,
  { cluster, isFlat }: Best,
  resamples: number,
  signal: AbortSignal | undefined
): Promise<BootstrapResult | undefined> {
  const { certifier, config, model, frame, problem } = setup
  const P = certifier.objective.parameters
  const { seed } = config.starts
  // Every start of a convex model ends where the one from the minimum does.
  const starts = convexity(model).model ? 0 : refitsOf(setup)
  const each = starts + 1
  const points = [cluster.parameters, ...Array.from({ length: starts }, (_, s) => setup.starts.at(s))]
  const numbers = Float64Array.from({ length: resamples * each }, (_, r) => Math.floor(r / each))
  const how: Resampling = { kind: 'bootstrap', seed }
  const runs = await minimise(setup, repeated(points, resamples), { how, numbers }, { gradient }, signal)
  if (!runs) return undefined
  const firsts = Float64Array.from({ length: resamples }, (_, r) => r * each)
  const followed: Collected = {
    theta: pick(runs.theta, P, firsts),
    loss: Float64Array.from(firsts, r => runs.loss[r]),
    status: Uint8Array.from(firsts, r => runs.status[r])
  }
  const own = { how, numbers: Float64Array.from({ length: resamples }, (_, r) => r) }
  const fate = await fates(setup, followed, own, signal)
  if (!fate) return undefined
  let lower = 0
  const lowest = Float64Array.from(firsts, first => {
    let best = first
    for (let r = first + 1; r < first + each; r++) if (!(runs.loss[r] >= runs.loss[best])) best = r
    if (runs.loss[best] < runs.loss[first] - alike * Math.max(1, Math.abs(runs.loss[first]))) lower++
    return best
  })
  const kept = [...fate.keys()].filter(r => fate[r] === found)
  const reason = isFlat
    ? 'The best minimum is flat, so that its parameters are not determined.'
    : kept.length < 2
      ? `The minimum was found again on ${kept.length} of ${resamples} resamples, too few for intervals.`
      : undefined
  const parameters =
    reason === undefined ? await parameterIntervals(setup, cluster, pick(followed.theta, P, kept), signal) : undefined
  if (reason === undefined && !parameters) return undefined
  const finite = lowest.filter(r => Number.isFinite(runs.loss[r]))
  return {
    resamples,
    starts,
    confidence,
    point: { id: cluster.id, loss: frame.lossScale * cluster.loss },
    ...(parameters ? { parameters } : {}),
    ...(reason === undefined ? {} : { parametersReason: reason }),
    lost: {
      unbounded: fate.filter(f => f === unbounded).length,
      unfinished: fate.filter(f => f === unfinished).length
    },
    lower,
    rows: finite.length < 2 ? [] : await rowIntervals(setup, problem, cluster.parameters, pick(runs.theta, P, finite))
  }
}

/** @returns undefined when it was stopped */
async function parameterIntervals(
  setup: Setup,
  { parameters }: Cluster,
  theta: Float64Array,
  signal: AbortSignal | undefined
): Promise<BootstrapParameters | undefined> {
  const { model, frame, names, problem, config } = setup
  const P = parameters.length
  const user = (points: Float64Array): Float64Array => userPoints(model, frame.toUser, centred(model, points))
  const folds = Math.min(problem.rows, mostGroups)
  const how: Resampling = { kind: 'folds', folds, seed: config.starts.seed }
  const numbers = Float64Array.from({ length: folds }, (_, k) => k)
  const jackknife =
    folds < 2 ? undefined : await minimise(setup, repeated([parameters], folds), { how, numbers }, { gradient }, signal)
  if (signal?.aborted) return undefined
  const fate = jackknife && (await fates(setup, jackknife, { how, numbers }, signal))
  const without = jackknife && fate?.every(f => f === found) ? user(jackknife.theta) : undefined
  const estimates = user(parameters)
  const values = user(theta)
  const column = (of: Float64Array, p: number): Float64Array =>
    Float64Array.from({ length: of.length / P }, (_, r) => of[r * P + p])
  const each: Replicated[] = names.map((_, p) => {
    const said = replicated(
      estimates[p],
      column(values, p),
      without ? column(without, p) : new Float64Array(0),
      confidence
    )
    return without ? said : { ...said, bca: null }
  })
  return {
    names,
    estimates: [...estimates],
    standardErrors: each.map(e => e.standardError),
    biases: each.map(e => e.bias),
    percentile: each.map(e => e.percentile),
    basic: each.map(e => e.basic),
    bca: each.map(e => e.bca ?? ([null, null] as const))
  }
}

/** Places of the rows that are told: all, or so many evenly. */
const told = (rows: number): Int32Array =>
  rows <= toldRows
    ? Int32Array.from({ length: rows }, (_, i) => i)
    : Int32Array.from({ length: toldRows }, (_, k) => Math.round((k * (rows - 1)) / (toldRows - 1)))

/** Percentile intervals of the predictions by models [R, P]. */
async function rowIntervals(
  setup: Setup,
  problem: Problem,
  best: Float64Array,
  theta: Float64Array
): Promise<BootstrapRow[]> {
  const { model, frame, certifier, data } = setup
  const C = model.outputs
  const R = theta.length / best.length
  const loss = lossTable[model.loss]
  const { targetScale, targetOrigin } = frame
  const means = async (points: Float64Array, rows: Problem): Promise<Float64Array> => {
    const values = predictedMeans(model, await certifier.objective.outputs(points, rows))
    return loss.response === 'number' ? values.map((v, n) => targetScale * v + targetOrigin[n % C]) : values
  }
  const list: BootstrapRow[] = []
  const places = told(problem.rows)
  const together = Math.max(1, Math.floor(numbersAtOnce / (R * C)))
  for (let from = 0; from < places.length; from += together) {
    const some = places.subarray(from, from + together)
    const rows = pickedRows(problem, some)
    const at = await means(best, rows)
    const all = await means(theta, rows)
    some.forEach((place, i) => {
      const outputs = loss.response === 'class' ? [likeliest(at, i * C, C)] : Array.from({ length: C }, (_, c) => c)
      for (const c of outputs) {
        const values = Float64Array.from({ length: R }, (_, r) => all[(r * some.length + i) * C + c])
        const { standardError, percentile } = replicated(at[i * C + c], values, new Float64Array(0), confidence)
        const labels = classesOf(setup, loss.response === 'class' ? 0 : c)
        const one = loss.response === 'class' ? c : 1
        list.push({
          row: data.numbers?.[place] ?? place + 1,
          ...(loss.response !== 'class' && C > 1 ? { output: data.targets[c] } : {}),
          ...(loss.response === 'number' ? {} : { class: labels?.[one] ?? String(one) }),
          prediction: at[i * C + c],
          standardError,
          interval: percentile
        })
      }
    })
  }
  return list
}

function likeliest(p: Float64Array, at: number, C: number): number {
  let top = 0
  for (let c = 1; c < C; c++) if (p[at + c] > p[at + top]) top = c
  return top
}
