/** Limits that runs to infinity approach → the entries of a summary. */
import { defaultConfidence } from '../analysis/coverage.js'
import { escapes } from '../analysis/escape.js'
import type { LimitPoint, MetricSet } from '../core/result.js'
import { wilsonInterval } from '../core/stats.js'
import { scoresOf } from '../models/scores.js'
import type { Folded } from './fold.js'
import type { Setup } from './setup.js'

/** Losses of a fit differ by so many units of rounding where it is repeated. */
const fitNoise = 64

/** The infimum of the loss of separated data: from the fit to the rows that are left, or extrapolated where there is none. */
async function separatedLimit(
  { separation, certifier, judge, frame }: Setup,
  diverging: { readonly theta: Float64Array },
  lowest: number
): Promise<{ loss: number; uncertainty: number }> {
  if (separation.limit) {
    const { loss } = separation.limit
    return { loss, uncertainty: fitNoise * Number.EPSILON * Math.abs(loss) }
  }
  const { climbs, scale, eps } = judge
  const [way] = (await escapes(certifier.objective, climbs, scale, diverging.theta, eps, null)).ways
  const { lossScale } = frame
  return way
    ? { loss: lossScale * way.limit, uncertainty: lossScale * way.uncertainty }
    : { loss: lowest, uncertainty: Math.abs(lowest) }
}

/** The limits of runs to infinity, in all detail. */
export async function describeLimits(
  setup: Setup,
  { limits, runs, diverging, waterfall, verdicts }: Folded
): Promise<LimitPoint[]> {
  const { objective } = setup.certifier
  const P = setup.objective.parameters
  let list = limits
  if (setup.judge.separated && diverging) {
    // One limit for all runs of a convex model, however far each of them went.
    const { loss, uncertainty } = await separatedLimit(setup, diverging, waterfall[0]?.loss ?? diverging.loss)
    const infinite = Object.keys(setup.separation.infinite)
    const growing = [...setup.names.keys()].filter(p => infinite.includes(setup.names[p]))
    const count = verdicts.diverging
    list = [{ loss, uncertainty, count, firstStart: diverging.start, theta: diverging.theta, growing }]
  }
  if (list.length === 0) return []
  const theta = new Float64Array(list.length * P)
  list.forEach((limit, i) => theta.set(limit.theta, i * P))
  const train = await objective.score(theta)
  const test = setup.test ? await objective.score(theta, setup.test) : undefined
  const metrics = scoresOf(setup.model)
  const named = (values: Float64Array, row: number): MetricSet<number> =>
    Object.fromEntries(metrics.map((name, m) => [name, values[row * metrics.length + m]]))
  return list.map((limit, i) => ({
    loss: limit.loss,
    uncertainty: limit.uncertainty,
    count: limit.count,
    share: limit.count / runs,
    shareInterval: wilsonInterval(limit.count, runs, defaultConfidence),
    growing: limit.growing.map(p => setup.names[p]),
    metrics: { train: named(train.values, i), ...(test ? { test: named(test.values, i) } : {}) },
    firstStart: limit.firstStart
  }))
}
