/**
 * A loss that fades: what is left to fall goes on falling from sphere to sphere, no faster than an exponential of the radius and no more
 * slowly than a power of it, over so many spheres that no finite minimum can be what it falls to. Before a zero of order m at radius R
 * what is left is (1 − r/R)^m, whose logarithm falls ever more steeply.
 */
import { thresholds } from '../core/thresholds.js'

/** Losses on spheres, from the run's own outwards or inwards. */
export type Levels = ArrayLike<number>

export interface Limit {
  readonly limit: number
  readonly uncertainty: number
}

/** What is left to fall at a radius, in units of the run's own. */
export interface Gap {
  readonly radius: number
  readonly gap: number
}

/** How steeply the logarithm of what is left falls from one radius to the next, and by what power of the radius that is. */
function fall(from: Gap, to: Gap): { readonly slope: number; readonly power: number } {
  const drop = Math.log(from.gap / to.gap)
  return { slope: drop / (to.radius - from.radius), power: drop / Math.log(to.radius / from.radius) }
}

/** That slope, from each radius to the next. */
export const steepness = (gaps: readonly Gap[]): number[] => gaps.slice(1).map((gap, j) => fall(gaps[j], gap).slope)

/** Changes of extrapolations are taken to shrink by this at least from sphere to sphere. */
const shrinking = 0.98

/** The slope of that logarithm may be so many times the gentlest one before it. */
const steeper = 1.25
/** The power may be this share of the largest one before it. */
const slacker = 0.8
/** A power is at least so much, varies by no more than this factor, and is seen over this ratio of radii, outwards over that. */
const leastPower = 0.5
const steadyPower = 1.1
const powerRatio = 3
const powerOutwards = 1.6
/** An exponential is seen to fall to this share. */
const exponentialFall = 1e-6
/** Intervals outwards that must be seen. */
const fewestIntervals = 3
/** Extrapolations from neighbouring spheres may differ by this share of what is left; the limit is as uncertain as so many of them differ. */
const agreeing = 0.05
const earlier = 4

/**
 * The limit of such a fall; null where none is seen.
 * @param outwards on spheres of radius ratio^k
 * @param atLeastZero whether the loss cannot be below 0
 */
export function fades(outwards: Levels, inwards: Levels, ratio: number, atLeastZero: boolean): Limit | null {
  if (atLeastZero) {
    const seen = seenAbove(0, outwards, inwards, ratio)
    if (seen) return { limit: 0, uncertainty: outwards[seen] }
  }
  for (let k = unbroken(outwards); k > fewestIntervals; k--) {
    const limit = extrapolated(outwards, k)
    const left = outwards[k] - limit
    const change = Math.abs(limit - extrapolated(outwards, k - 1))
    if (!(left > 0 && change <= agreeing * left)) continue
    const seen = seenAbove(limit, outwards, inwards, ratio, k)
    if (!seen) continue
    const others = Array.from({ length: Math.min(earlier, k - 2) }, (_, j) => extrapolated(outwards, k - 1 - j))
    return { limit, uncertainty: Math.max(uncertaintyOf([limit, ...others]), Number.EPSILON * Math.abs(limit)) }
  }
  return null
}

/** Spheres outwards over which the loss falls without a break. */
function unbroken(losses: Levels): number {
  let k = 0
  while (k + 1 < losses.length && losses[k + 1] < losses[k]) k++
  return k
}

/** Aitken's extrapolation from the losses k − 2, k − 1 and k. */
export function extrapolated(losses: Levels, k: number): number {
  const change = losses[k - 1] - losses[k]
  const q = change / (losses[k - 2] - losses[k - 1])
  return losses[k] - (change * q) / (1 - q)
}

/**
 * How far the first of extrapolations, latest first, may be wrong: twice the largest change from earlier ones, or twice what is left to change
 * where changes shrink from sphere to sphere as the last two do. NaN where one of them is.
 */
export function uncertaintyOf([limit, ...others]: readonly number[]): number {
  const seen = others.reduce((most, other) => Math.max(most, Math.abs(limit - other)), 0)
  const [last, before] = [limit - others[0], others[0] - others[1]]
  const ratio = last === 0 ? 0 : Math.min(Math.max(0, last / before), shrinking)
  return 2 * Math.max(seen, (Math.abs(last) * ratio) / (1 - ratio))
}

/** A descent shows a power where its radius has grown tenfold, and over that the power has varied by no more than this factor. */
const grownAlong = 10
const steadyAlong = 2
/** On the last stretch the power is at most so many times the largest before: towards a finite zero it grows. */
const steeperAtEnd = 1.3
/** Neighbouring radii on a descent are this far apart at least for a power to be read from them. */
const apartAlong = 2

/**
 * Whether a loss that cannot be below 0 goes to 0 like a power of the radius along a descent that stays on a valley's floor. Before a finite zero
 * at radius R what is left is (1 − r/R)^m, whose power grows as fast as the radius at least.
 * @param path radii that grow from one to the next, and losses there
 * @param nothing losses that rounding makes, and that say nothing any more
 */
export function fadesAlong(path: readonly Gap[], nothing: number): boolean {
  const below = path.findIndex(({ gap }) => !(gap > nothing))
  const seen = below < 0 ? path : path.slice(0, below)
  // From the end inwards: the last stretch tells most of what the loss falls to, and must not be steeper than those before it.
  const end = seen[seen.length - 1]
  let [slackest, tautest, last, outer] = [Infinity, 0, NaN, end]
  for (let j = seen.length - 2; j >= 0; j--) {
    if (outer.radius < apartAlong * seen[j].radius) continue
    const { power } = fall(seen[j], outer)
    const isLast = outer === end
    outer = seen[j]
    if (isLast) last = power
    else tautest = Math.max(tautest, power)
    slackest = Math.min(slackest, power)
    if (!(slackest >= leastPower && Math.max(tautest, last) <= steadyAlong * slackest)) return false
    if (end.radius >= grownAlong * outer.radius) return last <= steeperAtEnd * tautest
  }
  return false
}

/** The last sphere outwards up to which what is above `limit` fades; 0 where it does not. */
function seenAbove(limit: number, outwards: Levels, inwards: Levels, ratio: number, upTo = Infinity): number {
  const gaps: Gap[] = [{ radius: 1, gap: outwards[0] - limit }]
  if (!(gaps[0].gap > 0)) return 0
  let [gentlest, steepest, slackest, tautest] = [Infinity, 0, Infinity, 0]
  let k = 1
  for (; k < outwards.length && k <= upTo; k++) {
    const next = { radius: ratio ** k, gap: outwards[k] - limit }
    if (!(next.gap > 0)) break
    const { slope, power } = fall(gaps[k - 1], next)
    // What rises, or slackens, is a path that was lost, or rounding.
    if (!(slope > 0) || power < slacker * tautest) break
    if (slope > steeper * gentlest) return 0
    gaps.push(next)
    gentlest = Math.min(gentlest, slope)
    steepest = Math.max(steepest, slope)
    tautest = Math.max(tautest, power)
    slackest = Math.min(slackest, power)
  }
  // Where the loss falls inwards too, a run has been in no channel but above a valley that goes both ways.
  if (k - 1 < fewestIntervals || !(inwards[1] > inwards[0])) return 0
  for (let j = 1; j < inwards.length; j++) {
    const next = { radius: thresholds.inwards ** j, gap: inwards[j] - limit }
    const { slope, power } = fall(next, gaps[0])
    if (!(slope > 0) || steeper * slope < steepest || power * slacker > slackest) break
    gaps.unshift(next)
    steepest = Math.max(steepest, slope)
    slackest = Math.min(slackest, power)
  }
  const [end] = gaps.slice(-1)
  return end.gap <= exponentialFall * gaps[0].gap || isPower(gaps) ? k - 1 : 0
}

/** Whether the outermost of what is left falls like a power of the radius. */
function isPower(gaps: readonly Gap[]): boolean {
  const [end] = gaps.slice(-1)
  if (!(end.radius >= powerOutwards)) return false
  let [slackest, tautest] = [Infinity, 0]
  for (let j = gaps.length - 1; j > 0; j--) {
    const { power } = fall(gaps[j - 1], gaps[j])
    slackest = Math.min(slackest, power)
    tautest = Math.max(tautest, power)
    if (!(slackest >= leastPower && tautest <= steadyPower * slackest)) return false
    if (end.radius >= powerRatio * gaps[j - 1].radius) return true
  }
  return false
}
