/** K-fold cross-validation of a study's model, by its own optimiser from its own starts. */
import { pickedRows } from '../../analysis/rows.js'
import type { CrossValidation, HeldOut } from '../../core/resamplingResult.js'
import { rowCounts, type Resampling } from '../../core/resampling.js'
import { mean } from '../../core/stats.js'
import { Status } from '../../core/status.js'
import { rowLosses } from '../../models/outputs.js'
import { withGaussNewton } from '../../models/model.js'
import { classCells, scoreRun, scoresOf, type ScoreName } from '../../models/scores.js'
import type { Problem } from '../../models/types.js'
import { optimizers } from '../../optimizers/registry.js'
import { collected, type Collected } from '../collected.js'
import { userScores } from '../present.js'
import { requestOf } from '../run.js'
import type { Setup } from '../setup.js'
import { refitsOf } from './plan.js'

/** Scores that are means over rows, of which parts have means of their own. */
const overRows: readonly ScoreName[] = ['accuracy', 'logLoss']

/** The runs of all parts of all divisions from each of the starts, the starts of a part one after the other. */
async function runsOf(
  setup: Setup,
  how: Resampling,
  models: number,
  starts: number,
  signal: AbortSignal | undefined
): Promise<Collected | undefined> {
  const { certifier, optimizer } = setup
  const P = certifier.objective.parameters
  const count = models * starts
  const theta = new Float64Array(count * P)
  for (let s = 0; s < starts; s++) {
    const point = setup.starts.at(s)
    for (let m = 0; m < models; m++) theta.set(point, (m * starts + s) * P)
  }
  const request = requestOf(
    setup,
    { first: 0, count: 1 },
    {
      program: setup.exactProgram,
      starts: { kind: 'given', theta, count },
      inputs: {
        draws: { order: Float64Array.from({ length: count }, (_, r) => r % starts) },
        rows: { how, numbers: Float64Array.from({ length: count }, (_, r) => Math.floor(r / starts)) }
      },
      ...(signal ? { signal } : {})
    }
  )
  if (optimizers[optimizer.name].curvature !== 'gaussNewton') return collected(certifier.objective, request)
  const linearised = await certifier.engine.prepare(withGaussNewton(setup.problem))
  try {
    return await collected(linearised, request)
  } finally {
    linearised.dispose()
  }
}

/** Loss and scores of rows, each at an output of its own z [N, C]: `loss` first. */
function measured({ model, frame }: Setup, rows: Problem, z: Float64Array): number[] {
  const losses = rowLosses(rows, z)
  let [sum, total] = [0, 0]
  losses.forEach((v, i) => {
    const w = rows.weight ? rows.weight[i] : 1
    // A row that weighs nothing may overflow.
    if (w > 0) sum += w * v
    total += w
  })
  const scores = new Float64Array(scoresOf(model).length)
  scoreRun(model, rows, z, scores, new Float64Array(classCells(model, rows.rows)))
  return [(frame.lossScale * sum) / total, ...userScores(model, frame, scores)]
}

const deviation = (values: readonly number[]): number => {
  const middle = mean(values)
  return Math.sqrt(values.reduce((a, v) => a + (v - middle) ** 2, 0) / (values.length - 1))
}

/**
 * The standard error is that of the mean of the parts' means (Hastie, Tibshirani and Friedman 2009, ch. 7.10), averaged over the divisions;
 * as parts share rows to fit to, none is without bias (Bengio and Grandvalet 2004).
 * @param best [P] of all rows, where a minimum is known
 * @returns undefined when it was stopped
 */
export async function crossValidationOf(
  setup: Setup,
  best: Float64Array | undefined,
  folds: number,
  signal: AbortSignal | undefined
): Promise<CrossValidation | undefined> {
  const { problem, config, certifier, model } = setup
  const { repeats } = config.resampling
  const starts = refitsOf(setup)
  const how: Resampling = { kind: 'folds', folds, seed: config.starts.seed }
  const runs = await runsOf(setup, how, folds * repeats, starts, signal)
  if (!runs) return undefined
  const P = certifier.objective.parameters
  const C = model.outputs
  const failed = runs.status.filter(s => s === Status.failed).length
  const fails = (r: number): boolean => runs.status[r] === Status.failed
  /** Which of the starts of a part has the lowest loss on the rows that it was fitted to. */
  const lowest = (m: number): number => {
    let at = m * starts
    for (let r = at + 1; r < (m + 1) * starts; r++) if (!fails(r) && (fails(at) || runs.loss[r] < runs.loss[at])) at = r
    return at
  }
  const names = ['loss', ...scoresOf(model)]
  const pooled: number[][] = []
  const singles: number[][] = []
  const errors: number[][] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    const z = new Float64Array(problem.rows * C)
    const ofStarts = Array.from({ length: starts }, () => new Float64Array(problem.rows * C))
    const parts: number[][] = []
    for (let fold = 0; fold < folds; fold++) {
      const m = repeat * folds + fold
      const kept = rowCounts(how, m, problem.rows)
      const held = Int32Array.from([...kept.keys()].filter(i => kept[i] === 0))
      const rows = pickedRows(problem, held)
      const width = held.length * C
      const own = await certifier.objective.outputs(runs.theta.slice(m * starts * P, (m + 1) * starts * P), rows)
      const of = (r: number): Float64Array => own.subarray((r - m * starts) * width, (r - m * starts + 1) * width)
      const chosen = of(lowest(m))
      parts.push(measured(setup, rows, chosen))
      held.forEach((row, i) => {
        z.set(chosen.subarray(i * C, (i + 1) * C), row * C)
        ofStarts.forEach((to, s) => to.set(of(m * starts + s).subarray(i * C, (i + 1) * C), row * C))
      })
    }
    pooled.push(measured(setup, problem, z))
    // A start that failed on a part has no prediction for its rows.
    ofStarts.forEach((of, s) => {
      if (!Array.from({ length: folds }, (_, fold) => (repeat * folds + fold) * starts + s).some(fails))
        singles.push(measured(setup, problem, of))
    })
    errors.push(names.map((_, k) => deviation(parts.map(part => part[k]).filter(Number.isFinite)) / Math.sqrt(folds)))
  }
  const training = best && measured(setup, problem, await certifier.objective.outputs(best))
  const heldOut = (k: number): HeldOut => {
    const hasError = k === 0 || overRows.some(name => name === names[k])
    const error = mean(errors.map(e => e[k]))
    return {
      estimate: mean(pooled.map(p => p[k])),
      ...(hasError && Number.isFinite(error) ? { error } : {}),
      training: training?.[k] ?? null,
      ...(starts > 1 && singles.length > 0 ? { single: mean(singles.map(s => s[k])) } : {})
    }
  }
  return {
    folds,
    repeats,
    starts,
    loss: heldOut(0),
    metrics: Object.fromEntries(names.slice(1).map((name, k) => [name, heldOut(k + 1)])),
    ...(repeats > 1 ? { betweenRepeats: deviation(pooled.map(p => p[0])) } : {}),
    failed
  }
}
