/**
 * Whether a way to infinity that was found on spheres is that of the run, and not one that spheres hold beside it. The run's own way is that of
 * steepest descent.
 */
import { thresholds } from '../core/thresholds.js'
import type { Escape } from './escape.js'
import type { Limit } from './fading.js'
import { inOrder, isFarFrom, lossNoise, pick, sizeOf, type JudgedObjective, type ValuedObjective } from './follow.js'
import type { Judge } from './judge.js'
import type { Polished } from './polished.js'

/** What is known of a point beside the spheres. */
export interface Stand {
  readonly loss: number
  /** max |g| · max(1, |θ|), in scaled variables: what its steepest slope makes over its length. */
  readonly fall: number
  /** What counts for nothing in a loss that can fall to 0; 0 of others. */
  readonly nothing: number
}

/** Of points [count, P]. */
export async function standsOf(
  objective: ValuedObjective,
  points: Float64Array,
  losses: ArrayLike<number>,
  scale: Float64Array,
  nothing: number
): Promise<Stand[]> {
  const P = objective.parameters
  const { g } = await objective.evaluate(points, { g: true })
  return Array.from(losses, (loss, n) => {
    const [theta, slopes] = [points, g!].map(v => v.subarray(n * P, (n + 1) * P))
    const steepest = slopes.reduce((most, v, p) => Math.max(most, Math.abs(scale[p] * v)), 0)
    return { loss, fall: steepest * sizeOf(scale, theta), nothing }
  })
}

/** Where a descent by Newton's method has led to from a run. */
export interface Downhill {
  readonly loss: number
  /** Whether that is a finite minimum, or fits all rows at finite parameters. */
  readonly isFinite: boolean
}

/**
 * What is left to fall is at most so many times |g| |θ|: of a fall like a power of |θ| it is that by the power, of an exponential one less. A
 * run that has come to where it is flatter has another limit, and what is lower on its sphere another way.
 */
const mostLeft = 20
/** A limit is refuted by a point downhill that is lower by so many of its uncertainties. */
const clearlyBelow = 3
/** A run that has no more than this share of its loss to fall is on its own way, which a descent in long steps may leave. */
const nearlyThere = 1e-5

/** Whether more is left to fall to a limit than a run can still do. */
const isTooLow = ({ limit, uncertainty }: Limit, { loss, fall, nothing }: Stand): boolean =>
  loss - limit > mostLeft * fall + uncertainty + nothing

/** Whether a run may be on its way to a loss of nothing. */
export const maySink = (stand: Stand, downhill: Downhill | undefined): boolean =>
  !downhill?.isFinite && !isTooLow({ limit: 0, uncertainty: 0 }, stand)

/** Whether a loss refutes a limit. */
const isBelow = (loss: number, { limit, uncertainty }: Limit, nothing: number): boolean =>
  loss < limit - clearlyBelow * uncertainty - nothing

/**
 * @param downhill undefined where no descent was made
 * @param penalty [P] λ_p of a ridge: no loss goes to −∞, so that none falls for ever while a parameter grows on which a ridge falls; such
 * a way leads to a minimum that the ridge makes, or back
 */
export function isOwnWay(
  { limit, uncertainty, growing }: Escape,
  stand: Stand,
  downhill: Downhill | undefined,
  penalty: Float64Array
): boolean {
  const { loss, nothing } = stand
  const left = loss - limit
  // A limit that is less certain than the fall to it may be that of a finite minimum.
  if (left > 0 && uncertainty >= left && uncertainty > nothing) return false
  if (isTooLow({ limit, uncertainty }, stand) || growing.some(p => penalty[p] > 0)) return false
  if (!downhill || left <= nearlyThere * Math.abs(loss)) return true
  return !downhill.isFinite && !isBelow(downhill.loss, { limit, uncertainty }, nothing)
}

/**
 * Ways of runs found at points [count, P], but for those that steepest descent refutes: it comes to a finite minimum, below the limit, or to
 * where it ends above the limit.
 * @param nothing what counts for nothing in a loss that can fall to 0; 0 of others
 */
export async function refuteDownstream(
  objective: JudgedObjective,
  { flow, polish, polishSteps, scale, eps }: Judge,
  points: Float64Array,
  ways: readonly (Escape | null)[],
  nothing: number,
  polished: Polished
): Promise<{ readonly ways: (Escape | null)[]; readonly steps: number }> {
  const P = objective.parameters
  const left = ways.slice()
  const which = [...ways.keys()].filter(n => ways[n])
  const ends = await inOrder(objective, flow.program, pick(points, P, which), which.length, flow.steps)
  const beside = await inOrder(objective, polish, ends.theta, which.length, polishSteps)
  const noise = await lossNoise(objective, ends.theta, ends.loss, eps)
  const stands = await standsOf(objective, ends.theta, ends.loss, scale, nothing)
  let steps = 0
  which.forEach((n, k) => {
    steps += ends.steps[k] + beside.steps[k]
    const [end, at] = [ends, beside].map(({ theta }) => theta.subarray(k * P, (k + 1) * P))
    const isMinimum = polished.isMinimum(beside, k) && !isFarFrom(scale, end, at, thresholds.arrived)
    const stand = { ...stands[k], nothing: Math.max(nothing, noise[k]) }
    if (isMinimum || isBelow(stand.loss, ways[n]!, stand.nothing) || isTooLow(ways[n]!, stand)) left[n] = null
  })
  return { ways: left, steps }
}
