/** From the runs of a crossed design to how much each source gives of what varies between them. */
import { Squares, type Levels } from '../../analysis/variance.js'
import { WorkError } from '../../core/errors.js'
import { Status } from '../../core/status.js'
import {
  sources,
  type ModelVariance,
  type RowSplit,
  type Source,
  type VarianceSplit
} from '../../core/varianceResult.js'
import { lossTable } from '../../models/losses/index.js'
import { predictedMeans } from '../../models/means.js'
import { convexity, modelName } from '../../models/model.js'
import { scoresOf } from '../../models/scores.js'
import { epsilonOf } from '../../optimizers/types.js'
import type { CrossedRuns } from '../../runs/crossed.js'
import { endsOf } from '../ends.js'
import { userLosses } from '../present.js'
import type { Setup } from '../setup.js'
import { someRows } from '../../analysis/rows.js'
import type { Design } from './design.js'
import { numbersAtOnce, scorer } from './scores.js'

/** Rows whose predictions are split one by one. */
const shownRows = 1000

/** Leaves out the starts of which a run failed, so that the design stays balanced. */
function balanced(runs: CrossedRuns, levels: Levels, P: number) {
  const each = levels[1] * levels[2]
  const fails = (status: number): boolean => status === Status.failed
  const kept = Array.from({ length: levels[0] }, (_, i) => i).filter(
    i => !runs.status.subarray(i * each, (i + 1) * each).some(fails)
  )
  const failed = runs.status.filter(fails).length
  if (kept.length < Math.min(2, levels[0]))
    throw new WorkError(
      `${failed} of ${runs.status.length} runs failed, too many to compare the others; give a smaller learning rate or smaller starts.`
    )
  const take = (values: Float64Array, width: number): Float64Array => {
    const out = new Float64Array(kept.length * width)
    kept.forEach((i, n) => out.set(values.subarray(i * width, (i + 1) * width), n * width))
    return out
  }
  return {
    place: take(runs.place, each),
    theta: take(runs.theta, each * P),
    measured: new Map([...runs.measured].map(([name, values]) => [name, take(values, each)])),
    levels: [kept.length, levels[1], levels[2]] as const,
    failed,
    // Whether every run met the test of its gradient on the rows as they are, so that what its stopping leaves can be told.
    arrived: levels[2] === 1 && runs.status.every(status => status === Status.converged)
  }
}

/** Four times the rms of what stopping leaves of a quantity: its values where the runs ended, and where they were heading. */
const leftBy = (values: ArrayLike<number>, settled: ArrayLike<number> | undefined): number => {
  if (!settled) return 0
  let sum = 0
  for (let r = 0; r < values.length; r++) sum += (values[r] - settled[r]) ** 2
  return 4 * Math.sqrt(sum / values.length)
}

/** Predictions: all rows together, and row by row. */
async function predictions(
  setup: Setup,
  levels: Levels,
  theta: Float64Array,
  settled: Float64Array | undefined,
  eps: number
) {
  const { problem, model, certifier, frame } = setup
  const R = levels[0] * levels[1] * levels[2]
  const C = model.outputs
  const all = new Squares(levels)
  const rows: RowSplit[] = []
  let left = 0
  const unit = lossTable[model.loss].response === 'number' ? frame.targetScale : 1
  const together = Math.max(1, Math.floor(numbersAtOnce / (R * C)))
  for (let from = 0; from < problem.rows; from += together) {
    const to = Math.min(problem.rows, from + together)
    const some = someRows(problem, from, to)
    const means = predictedMeans(model, await certifier.objective.outputs(theta, some))
    const heading = settled && predictedMeans(model, await certifier.objective.outputs(settled, some))
    const n = to - from
    for (let i = 0; i < n; i++) {
      const row = new Squares(levels)
      let own = 0
      for (let c = 0; c < C; c++) {
        const column = (of: Float64Array): Float64Array =>
          Float64Array.from({ length: R }, (_, r) => unit * of[(r * n + i) * C + c])
        const values = column(means)
        own += leftBy(values, heading && column(heading)) ** 2
        all.add(values)
        row.add(values)
      }
      left += own
      if (problem.rows > shownRows) continue
      const split = row.components(eps, Math.sqrt(own), false)
      const shares = Object.fromEntries(sources.map(s => [s, split[s].share])) as Record<Source, number>
      rows.push({ row: from + i + 1, mean: split.mean, deviation: split.deviation, shares })
    }
  }
  rows.sort((a, b) => b.deviation - a.deviation || a.row - b.row)
  return { all: all.components(eps, Math.sqrt(left)), rows }
}

/** Of `train.accuracy` it is `accuracy`. */
const metricOf = (column: string): string => column.replace(/^train\./, '')

/** What the runs of one model tell of why they differ. */
export async function modelVariance(
  setup: Setup,
  design: Design,
  runs: CrossedRuns
): Promise<Omit<ModelVariance, 'seconds'>> {
  const { model, frame } = setup
  const P = setup.objective.parameters
  const { place, theta, measured, levels, failed, arrived } = balanced(runs, design.levels, P)
  const R = place.length
  const eps = epsilonOf[setup.engine.precision]
  const metrics: Record<string, VarianceSplit> = {}
  const notes: string[] = []
  const { ends, ...heading } = await endsOf(setup, theta)
  const settled = arrived ? heading : undefined
  const heads = new Map(settled ? await scorer(setup, design)(settled.theta, place) : [])
  if (settled) heads.set('loss', userLosses(frame, settled.loss))
  for (const [name, values] of measured) {
    const missing = values.reduce((n, v) => n + (Number.isFinite(v) ? 0 : 1), 0)
    const squares = new Squares(levels)
    squares.add(values)
    if (missing === 0) metrics[metricOf(name)] = squares.components(eps, leftBy(values, heads.get(name)))
    else notes.push(`${metricOf(name)} has no value in ${missing} of ${R} runs, so its variance is not split.`)
  }
  const reached = new Squares(levels)
  for (const { runs } of ends) reached.add(runs)
  metrics['minimum'] = reached.components(eps)
  const predicted =
    scoresOf(model).length > 0 ? await predictions(setup, levels, theta, settled?.theta, eps) : undefined
  if (predicted) metrics['predictions'] = predicted.all
  if (failed > 0)
    notes.push(
      `${failed} of ${design.levels.reduce((a, b) => a * b)} runs failed; the ${design.levels[0] - levels[0]} starts that they belong to are left out.`
    )
  return {
    name: setup.config.name ?? modelName(setup.model),
    convex: convexity(model).model,
    metrics,
    minima: ends.map(({ end, loss, runs }) => ({ end, loss, runs: runs.reduce((a, b) => a + b, 0) })),
    rows: predicted?.rows ?? [],
    runs: R,
    failed,
    notes: [...setup.remarks, ...notes]
  }
}
