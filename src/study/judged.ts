/** Finished runs → rows: verdicts of those that are to be judged, scores of all. */
import { together, unjudged, type JudgedRuns } from '../analysis/judgedRuns.js'
import { VerdictCode } from '../core/result.js'
import type { Spare } from '../core/spare.js'
import { conditionedDirections } from '../models/model.js'
import { classCount } from '../models/scores.js'
import type { Diverging, Facts } from '../runs/part.js'
import { pickRuns, rowsFrom, type Layout, type RunBlock } from '../runs/table.js'
import { userRows } from './present.js'
import type { Setup } from './setup.js'

/** Rows of θ of the runs that did not fail. */
function finite(
  block: RunBlock,
  { end, ends: { verdict } }: JudgedRuns,
  P: number
): { theta: Float64Array; which?: number[] } {
  if (!verdict.includes(VerdictCode.failed)) return block
  const which: number[] = []
  for (let i = 0; i < block.count; i++) if (verdict[end[i]] !== VerdictCode.failed) which.push(i)
  const theta = new Float64Array(which.length * P)
  which.forEach((i, n) => theta.set(block.theta.subarray(i * P, (i + 1) * P), n * P))
  return { theta, which }
}

/** Scores back to the places of the block; failed runs get NaN. */
function spreadOut(values: Float64Array, which: readonly number[] | undefined, count: number, M: number): Float64Array {
  if (!which) return values
  const out = new Float64Array(count * M).fill(NaN)
  which.forEach((i, n) => out.set(values.subarray(n * M, (n + 1) * M), i * M))
  return out
}

/** The direction in which the data are separated, in conditioned coordinates; 0 where that is not known. */
function separating({ model, frame, separation, objective }: Setup): Float64Array {
  const { direction } = separation
  return direction.length === 0
    ? new Float64Array(objective.parameters)
    : conditionedDirections(model, frame.fromUser, Float64Array.from(direction))
}

/** Verdicts of the runs `which` of a block; the others are told to be unjudged. */
async function verdictsOf(
  setup: Setup,
  block: RunBlock,
  which: readonly number[] | undefined,
  spare: Spare
): Promise<JudgedRuns> {
  if (!which) return setup.judgeRuns(block.theta, block, block.count, spare)
  const out = unjudged(block.theta, block, setup.judge.separated)
  if (which.length === 0) return out
  const runs = pickRuns(block, Uint32Array.from(which))
  return together(out, await setup.judgeRuns(runs.theta, runs, runs.count), which)
}

/** What the metadata of a part say of these runs. */
function factsOf(
  setup: Setup,
  { start, count }: RunBlock,
  { end, ends }: JudgedRuns,
  classCounts: Float64Array
): Facts {
  const growing = new Map<number, readonly number[]>()
  let diverging: Diverging | undefined
  if (!ends.verdict.includes(VerdictCode.diverging)) return { classCounts, growing }
  const P = setup.objective.parameters
  for (let i = 0; i < count; i++) {
    const e = end[i]
    const way = ends.ways.get(e)
    if (way) growing.set(start[i], way.growing)
    if (ends.verdict[e] !== VerdictCode.diverging || (diverging && diverging.start <= start[i])) continue
    const direction = way?.direction ?? separating(setup)
    diverging = { start: start[i], loss: ends.loss[e], theta: ends.theta.slice(e * P, (e + 1) * P), direction }
  }
  return { classCounts, growing, ...(diverging ? { diverging } : {}) }
}

/**
 * Verdicts and scores of finished runs.
 * @param spare where arrays are taken from: those of `holders` may be given back when the rows have been read
 * @param which the runs that are judged; all of them where it is not given
 */
export async function judged(setup: Setup, layout: Layout, block: RunBlock, spare: Spare, which?: readonly number[]) {
  const { certifier, test, model, program } = setup
  const P = setup.objective.parameters
  const M = layout.metrics.length
  const result = await verdictsOf(setup, block, which, spare)
  const { end, ends } = result
  const { theta, which: scored } = finite(block, result, P)
  const train = await certifier.objective.score(theta, undefined, spare)
  const held = test ? await certifier.objective.score(theta, test, spare) : undefined
  const spread = (values: Float64Array): Float64Array => spreadOut(values, scored, block.count, M)
  const conditioned = rowsFrom(
    layout,
    block,
    { end, ends: { ...ends, conditioned: ends.theta } },
    {
      train: spread(train.values),
      ...(held ? { test: spread(held.values) } : {})
    }
  )
  const rows = userRows(model, setup.frame, conditioned, spare)
  const facts = factsOf(setup, block, result, classCount(model) > 0 ? train.classCounts : new Float64Array(0))
  let steps = 0
  for (let i = 0; i < block.count; i++) steps += block.steps[i]
  return {
    rows,
    facts,
    holders: [block, result, ends, conditioned, rows, rows.ends],
    /** Evaluations of the search, and of the judge. */
    searching: { f: steps, g: steps, H: program.needs === 'H' ? steps : 0 },
    judging: { f: ends.steps + ends.losses, g: ends.steps, H: ends.steps }
  }
}
