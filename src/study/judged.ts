/** Finished runs → rows: verdicts of those that are to be judged, scores of all. */
import { emptyJudged, merged } from '../analysis/recognise.js'
import type { Judged } from '../analysis/verdict.js'
import { ReasonCode, VerdictCode } from '../core/result.js'
import type { Spare } from '../core/spare.js'
import { Status } from '../core/status.js'
import { conditionedDirections } from '../models/model.js'
import { classCount } from '../models/scores.js'
import type { Diverging, Facts } from '../runs/part.js'
import { pickRuns, rowsFrom, type Layout, type RunBlock } from '../runs/table.js'
import { userRows } from './present.js'
import type { Setup } from './setup.js'

/** Rows of θ of the runs that did not fail. */
function finite(block: RunBlock, verdict: Uint8Array, P: number): { theta: Float64Array; which?: number[] } {
  if (!verdict.includes(VerdictCode.failed)) return block
  const which: number[] = []
  for (let i = 0; i < block.count; i++) if (verdict[i] !== VerdictCode.failed) which.push(i)
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
): Promise<Judged> {
  if (!which) return setup.judgeRuns(block.theta, block, block.count, spare)
  const { separated, objective } = setup.judge
  const out = emptyJudged(block.theta, block, block.count, objective.parameters)
  for (let i = 0; i < block.count; i++) {
    out.reason[i] = ReasonCode.unjudged
    if (block.status[i] === Status.failed) out.verdict[i] = VerdictCode.failed
    else if (separated) out.verdict[i] = VerdictCode.diverging
    if (out.verdict[i] !== VerdictCode.unfinished) out.reason[i] = 0
  }
  if (which.length === 0) return out
  const runs = pickRuns(block, which)
  return merged(out, await setup.judgeRuns(runs.theta, runs, runs.count), which, objective.parameters)
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
  const { theta, which: scored } = finite(block, result.verdict, P)
  const train = await certifier.objective.score(theta, undefined, spare)
  const held = test ? await certifier.objective.score(theta, test, spare) : undefined
  const spread = (values: Float64Array): Float64Array => spreadOut(values, scored, block.count, M)
  const conditioned = rowsFrom(
    layout,
    block,
    { ...result, conditioned: result.theta },
    {
      train: spread(train.values),
      ...(held ? { test: spread(held.values) } : {})
    }
  )
  const rows = userRows(model, setup.frame, conditioned, spare)
  let diverging: Diverging | undefined
  for (let i = 0; i < block.count; i++) {
    if (result.verdict[i] !== VerdictCode.diverging || (diverging && diverging.start <= block.start[i])) continue
    const direction = result.ways.get(i)?.direction ?? separating(setup)
    const point = result.theta.slice(i * P, (i + 1) * P)
    diverging = { start: block.start[i], loss: result.loss[i], theta: point, direction }
  }
  const classCounts = classCount(model) > 0 ? train.classCounts : new Float64Array(0)
  const growing = new Map([...result.ways].map(([i, way]) => [block.start[i], way.growing] as const))
  const facts: Facts = { classCounts, growing, ...(diverging ? { diverging } : {}) }
  let steps = 0
  for (let i = 0; i < block.count; i++) steps += block.steps[i]
  return {
    rows,
    facts,
    holders: [block, result, conditioned, rows],
    /** Evaluations of the search, and of the judge. */
    searching: { f: steps, g: steps, H: program.needs === 'H' ? steps : 0 },
    judging: { f: result.steps + result.losses, g: result.steps, H: result.steps }
  }
}
