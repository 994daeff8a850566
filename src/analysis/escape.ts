/**
 * Ways to infinity: along a ray or a curve the loss falls towards a limit that no finite point attains. A run on such a way has no
 * minimum to arrive at, however small gradient and curvature are there.
 *
 * The smallest loss on spheres around the origin (optimizers/climb.ts) decides. On a way to infinity it falls from sphere to sphere, at
 * first steeply, then ever more slowly, like a power of the radius or exponentially: the logarithm of what is left to fall is convex in
 * the radius, or nearly so. Before a finite minimum that logarithm bends down, and beyond it the loss rises, or stays as it is.
 */
import { thresholds } from '../core/thresholds.js'
import { extrapolated, fades, steepness, uncertaintyOf, type Gap, type Levels, type Limit } from './fading.js'
import { inOrder, lossNoise, pick, type JudgedObjective, type Runs } from './follow.js'
import type { Program } from '../engines/types.js'

/** Where a run to infinity goes. */
export interface Escape {
  /** Extrapolated limit of the loss, and how far that may be wrong. */
  readonly limit: number
  readonly uncertainty: number
  /** [P] The way at the last sphere; its largest entry is ±1 in scaled variables. */
  readonly direction: Float64Array
  /** Parameters that grow without bound. */
  readonly growing: readonly number[]
}

export interface Climbs {
  readonly outwards: Program
  /** In smaller steps, for losses that come to their limit within a few spheres. */
  readonly finely: Program
  readonly inwards: Program
  /** Steps that a climb may take. */
  readonly steps: number
}
/** Levels that a climb must reach: the radius has grown sixfold by then. */
const enoughLevels = 10
/** Of what the loss has fallen, it may rise by so much again: where it has come to its limit, spheres settle on little. */
const mayRise = 1e-2
/** Losses that must stand out of the noise, and how far, before their shape says something. */
const enoughGaps = 4
const standsOut = 8
/** A finite point attains the limit where no more than this share of the run's own fall is left there. */
const attained = 0.1
/** The logarithm of what is left to fall may become this much steeper over the outermost intervals. */
const bend = 3
const shapeIntervals = 3
/** Differences that shrink more slowly than this say nothing about their limit. */
const slowest = 0.95
/** Where less than this share of the run's loss is left on its own sphere, the run was far from the way that it was on. */
const atOnce = 1e-3
/** Earlier extrapolations that one is compared with. */
const earlier = 4
/** A parameter grows when it is this many times as large after the climb as before, and at least this share of the largest. */
const growthFactor = 2
const growthShare = 0.02

/**
 * Whether losses on spheres show a way to infinity, and its limit.
 * @param noise rounding of the loss
 * @param unsettled Σ 2^k over spheres outwards on which the smallest loss has not been found to the last digit
 */
export function approaches(outwards: Levels, inwards: Levels, noise: number, unsettled = 0): Limit | null {
  const out: number[] = [outwards[0]]
  let lowest = out[0]
  for (let k = 1; k < outwards.length && Number.isFinite(outwards[k]); k++) {
    if (!(outwards[k] <= lowest + noiseAt(noise, k) + mayRise * (out[0] - lowest))) {
      // Far out roundings grow, and the spheres' minima are hard to settle on.
      if (k > enoughLevels && (unsettled >> k) & 1) break
      return null
    }
    out.push(outwards[k])
    lowest = Math.min(lowest, outwards[k])
  }
  if (out.length <= enoughLevels) return null
  const end = limitOf(out, noise)
  if (!end) return null

  const floor = standsOut * Math.max(noise, end.uncertainty)
  const left = out.map(loss => loss - end.limit)
  const before: Gap[] = []
  let inner = 1
  for (; inner < inwards.length && inwards[inner] > inwards[inner - 1] - noise; inner++)
    before.unshift({ radius: thresholds.inwards ** inner, gap: inwards[inner] - end.limit })
  // Further in the path may be lost to a lower valley. Where it leads to the limit itself, a finite point attains it.
  for (; inner < inwards.length; inner++)
    if (inwards[inner] >= end.limit - end.uncertainty && inwards[inner] - end.limit < attained * left[0]) return null

  const sunk = left.findIndex(gap => !(gap > floor))
  const seen = sunk < 0 ? out.length : sunk
  const after = left.slice(0, seen).map((gap, k) => ({ radius: thresholds.outwards ** k, gap }))
  const isSettled = (k: number): boolean => !((unsettled >> k) & 1)
  const settles = Array.from({ length: Math.min(seen, out.length - 1) }, (_, k) => isSettled(k + 1)).some(Boolean)
  const enough =
    before.length > 0
      ? before.length + seen >= enoughGaps && (seen > 1 || isSteady(steepness([...before, ...after])))
      : seen >= enoughGaps - 1
  if (seen === 0 || !enough || !settles) return null
  const into = sunk < 0 ? [] : [{ radius: thresholds.outwards ** sunk, gap: floor }]
  const shape = steepness([...before, ...after, ...into])
  let gentlest = Infinity
  let isCompared = false
  for (let j = Math.max(0, Math.min(before.length, shape.length - shapeIntervals)); j < shape.length; j++) {
    isCompared ||= gentlest < Infinity
    if (!(shape[j] > 0 && shape[j] <= bend * gentlest)) return null
    // Where a sphere has not settled its loss is too high, so that the next fall looks too steep beside the one before.
    const level = j + 1 - before.length
    if (level < 0 || isSettled(level)) gentlest = Math.min(gentlest, shape[j])
  }
  // Where it falls inwards too, a fall beside none that ends on a sphere which has settled says nothing of how what is left shrinks.
  return isCompared || before.length > 0 ? knownBest(out, noise, end) : null
}

/** Spheres on which a loss may stay above a limit that it settles on, and further ones on which it must be seen to stay there. */
const fewSpheres = 4
const staysOn = 2
/** Of such an exponential the rate varies by no more than this factor, seen over at least so many noises. */
const steady = 1.5
const seenFrom = 30

/**
 * The limit of a loss that falls like an exponential so fast that it has come to it, but for rounding, within few spheres. How it gets there
 * shows in smaller steps: what is left must shrink at a steady rate, where before a finite minimum the rate grows without bound.
 * Beyond, f is flat to rounding and a climb may come upon other valleys, of which the run knows nothing.
 */
export function settlesOn(outwards: Levels, finely: Levels, noise: number): Limit | null {
  const sunk = sunkAt(outwards, noise)
  if (sunk < 0) return null
  const flat = Array.from(outwards).slice(sunk, sunk + staysOn + 1)
  const limit = Math.min(...flat)
  const uncertainty = Math.max(noise, Math.max(...flat) - limit)
  const floor = standsOut * uncertainty
  const after: Gap[] = []
  for (let k = 0; k < finely.length && finely[k] - limit > floor; k++)
    after.push({ radius: thresholds.finely ** k, gap: finely[k] - limit })
  if (after.length < enoughGaps - 1 || !(after[0].gap > seenFrom * floor)) return null
  const shape = steepness(after)
  const gentlest = Math.min(...shape)
  // On the next sphere no more than the floor is left, which must be no steeper a fall either.
  const end = after[after.length - 1]
  const into = after.length < finely.length ? Math.log(end.gap / floor) / (end.radius * (thresholds.finely - 1)) : 0
  return gentlest > 0 && [...shape, into].every(slope => slope <= steady * gentlest) ? { limit, uncertainty } : null
}

/** The first sphere outwards, among the first few, from which on a falling loss stays as it is but for rounding; −1 where there is none. */
function sunkAt(outwards: Levels, noise: number): number {
  for (let k = 1; k <= fewSpheres; k++) {
    let stays = true
    for (let m = k + 1; m <= k + staysOn; m++)
      stays &&= Math.abs(outwards[m] - outwards[m - 1]) <= standsOut * noiseAt(noise, m)
    if (stays) return k
    if (!(outwards[k] <= outwards[k - 1] + noiseAt(noise, k))) return -1
  }
  return -1
}

/** Whether what is left to fall shrinks exponentially, seen over many spheres. */
const isSteady = (slopes: readonly number[]): boolean =>
  slopes.length >= 2 * enoughGaps && slopes.every(slope => slope > 0 && slope <= bend * slopes[0])

/** Rounding of the loss on sphere k outwards: it grows with the parameters. */
const noiseAt = (noise: number, k: number): number => noise * thresholds.outwards ** k

/** How far losses 0 … m fall to the k-th, and whether that is above the noise, there and on the two spheres before. */
const fallTo = (losses: readonly number[], k: number): number => losses[k - 1] - losses[k]
const fallsTo = (losses: readonly number[], k: number, noise: number): boolean =>
  [k, k - 1, k - 2].every(j => fallTo(losses, j) > noiseAt(noise, j))

/** Aitken's extrapolation of falling losses; where they have sunk into the noise, what they have come to. */
function limitOf(losses: readonly number[], noise: number): Limit | null {
  const m = losses.length - 1
  if (!fallsTo(losses, m, noise)) {
    const limit = Math.min(...losses)
    const at = losses.indexOf(limit)
    const after = losses.slice(at)
    // Where it had still far to fall one sphere before, it has not come to a limit but to the sphere that is nearest to a minimum.
    if (after.length <= staysOn && fallTo(losses, at) > mayRise * (losses[0] - limit)) return null
    return { limit, uncertainty: Math.max(noise, ...after.map(loss => loss - limit)) }
  }
  const end = extrapolatedTo(losses, m, noise)
  return Number.isFinite(end.uncertainty) ? end : null
}

/** The extrapolation from loss k, as uncertain as it differs from those before; uncertainty NaN where there are none. */
function extrapolatedTo(losses: readonly number[], k: number, noise: number): Limit {
  const at = (j: number): number =>
    fallTo(losses, j) / fallTo(losses, j - 1) < slowest ? extrapolated(losses, j) : NaN
  // Errors of neighbouring extrapolations are much the same; those of earlier ones are larger, and may be 0 by chance.
  const limit = at(k)
  return {
    limit,
    uncertainty: Math.max(noise, uncertaintyOf(Array.from({ length: earlier + 1 }, (_, j) => at(k - j))))
  }
}

/**
 * The same limit as it is known best. Far out, where curvatures differ by more than the reach of rounding, spheres are settled on less
 * well than the noise of the loss would have it: losses that seem to have come to their limit may have sunk in that, and an
 * extrapolation from further in, with which all later ones agree, says more than they do.
 */
function knownBest(losses: readonly number[], noise: number, end: Limit): Limit {
  const m = losses.length - 1
  let best = end
  if (!fallsTo(losses, m, noise)) {
    const at = losses.indexOf(end.limit)
    const share = (k: number): number =>
      fallTo(losses, k - 1) > 0 ? Math.min(slowest, fallTo(losses, k) / fallTo(losses, k - 1)) : 0
    let slowly = 0
    for (let k = Math.max(2, at - earlier + 1); k <= at; k++) slowly = Math.max(slowly, share(k))
    // The last fall may be small by chance: as the one before it went, it would have gone on, too.
    const before = at > 2 ? fallTo(losses, at - 1) * (share(at - 1) ** 2 / (1 - share(at - 1))) : 0
    const left = at > 0 ? Math.max(2 * before, (fallTo(losses, at) * slowly) / (1 - slowly)) : 0
    best = { limit: end.limit, uncertainty: Math.max(end.uncertainty, left) }
  }
  const later = [best]
  for (let k = m - 1; k > earlier + 1; k--) {
    if (!fallsTo(losses, k, noise)) continue
    const here = extrapolatedTo(losses, k, noise)
    if (!Number.isFinite(here.uncertainty)) continue
    const agrees = later.every(l => Math.abs(l.limit - here.limit) <= l.uncertainty + here.uncertainty)
    // One that differs little from those before by chance differs from the next.
    const next = later[later.length - 1]
    const change = 2 * Math.abs(next.limit - here.limit)
    const uncertainty = Math.max(here.uncertainty, Math.min(change, next.uncertainty))
    if (agrees && uncertainty < best.uncertainty) best = { limit: here.limit, uncertainty }
    later.push(here)
  }
  return best
}

/** Of a loss that can be 0, and never less, at a finite point: a small one is no sign of a way by itself. */
export interface Floor {
  /** What counts for nothing. */
  readonly nothing: number
  /** Tells of point n whether it may be on a way to where the loss is 0 at infinity only. */
  readonly isFar: (n: number) => boolean
}

/** A limit that is 0, where rounding has left less. */
const notBelow = (floor: Floor | null, end: Limit): Limit =>
  floor && end.limit <= floor.nothing ? { limit: 0, uncertainty: Math.max(end.uncertainty, Math.abs(end.limit)) } : end

/** What was met on the way from one point. */
interface Climbed {
  readonly way: Escape | null
  /** Loss at the point, the least on its own sphere, and on any sphere outwards. */
  readonly loss: number
  readonly least: number
  readonly lowest: number
  /** Whether the loss rises inwards. */
  readonly rises: boolean
  /** Rounding of the loss. */
  readonly noise: number
  /** [P] The innermost point, and the outermost. */
  readonly inside: Float64Array
  readonly reached: Float64Array
}

const sum = (v: Uint32Array): number => v.reduce((s, k) => s + k, 0)

/** Climbs from points [count, P]. */
async function climbAll(
  objective: JudgedObjective,
  { outwards, finely, inwards, steps }: Climbs,
  scale: Float64Array,
  points: Float64Array,
  eps: number,
  floor: Floor | null
): Promise<{ readonly climbed: Climbed[]; readonly taken: number }> {
  const P = objective.parameters
  const count = points.length / P
  const K = outwards.report.length
  const out = await inOrder(objective, outwards, points, count, steps)
  const inside = await inOrder(objective, inwards, points, count, steps)
  const { f } = await objective.evaluate(points, {})
  const here = await lossNoise(objective, points, f, eps)
  const row = (theta: Float64Array, i: number): Float64Array => theta.subarray(i * P, (i + 1) * P)
  const levels = ({ report }: Runs, i: number): Float64Array => report.subarray(i * K, i * K + K - 1)
  const noiseOf = (i: number): number => {
    const [least] = levels(out, i)
    // Roundings of a loss that goes to nothing become less with it.
    return Math.max(here[i] * Math.min(1, Math.abs(least / f[i])), 64 * eps * Math.abs(least))
  }
  const ends = Array.from({ length: count }, (_, i) =>
    approaches(levels(out, i), levels(inside, i), noiseOf(i), out.report[i * K + K - 1])
  )
  // Where next to nothing is left on the run's own sphere, what was found there is another way than the run's.
  const mayFade = Array.from(ends, (_, i) => !floor || (floor.isFar(i) && levels(out, i)[0] >= atOnce * f[i]))
  const fading = (i: number, outer: Levels, ratio: number): Limit | null =>
    mayFade[i] ? fades(outer, levels(inside, i), ratio, floor !== null) : null
  ends.forEach((end, i) => {
    ends[i] = end ?? fading(i, levels(out, i), thresholds.outwards)
  })
  const open = [...ends.keys()].filter(i => !ends[i] && (mayFade[i] || sunkAt(levels(out, i), noiseOf(i)) > 0))
  const fine = await inOrder(objective, finely, pick(points, P, open), open.length, steps)
  open.forEach((i, n) => {
    const end = settlesOn(levels(out, i), levels(fine, n), noiseOf(i))
    // A loss that may be 0 at a finite point, and is but for rounding, has come to one.
    ends[i] =
      end && !(floor && end.limit <= standsOut * end.uncertainty) ? end : fading(i, levels(fine, n), thresholds.finely)
  })
  const finelyAt = new Map(open.map((i, n) => [i, n]))
  const climbed = Array.from({ length: count }, (_, i) => {
    const n = finelyAt.get(i)
    const to = n === undefined ? row(out.theta, i) : row(fine.theta, n)
    const way = ends[i] && { ...notBelow(floor, ends[i]), ...goingOn(row(points, i), to, scale) }
    const own = {
      loss: f[i],
      least: levels(out, i)[0],
      lowest: lowestOf(levels(out, i)),
      rises: rises(levels(inside, i)),
      noise: noiseOf(i)
    }
    return { ...own, way, inside: row(inside.theta, i), reached: to }
  })
  return { climbed, taken: sum(out.steps) + sum(inside.steps) + sum(fine.steps) }
}

/** The least that was met; spheres that were not reached have none. */
const lowestOf = (losses: Levels): number =>
  Array.from(losses).reduce((least, loss) => (loss < least ? loss : least), Infinity)

const rises = (inwards: Levels): boolean =>
  Array.from({ length: enoughGaps }, (_, k) => inwards[k + 1] > inwards[k]).every(Boolean)

/** Where a way leads that goes from one point [P] to another, and what grew. */
export function goingOn(
  from: Float64Array,
  to: Float64Array,
  scale: Float64Array
): Pick<Escape, 'direction' | 'growing'> {
  const moved = to.map((v, p) => v - from[p])
  const largest = moved.reduce((m, v, p) => Math.max(m, Math.abs(v / scale[p])), 0)
  const top = to.reduce((m, v, p) => Math.max(m, Math.abs(v / scale[p])), 0)
  const growing = [...to.keys()].filter(
    p => Math.abs(to[p]) > growthFactor * Math.abs(from[p]) && Math.abs(to[p] / scale[p]) > growthShare * top
  )
  return { direction: largest > 0 ? moved.map(v => v / largest) : moved, growing }
}

/**
 * For each point [count, P], the way to infinity that begins there, or null, and the outermost point of the climb.
 * @param floor null where the loss may be negative
 */
export async function escapes(
  objective: JudgedObjective,
  climbs: Climbs,
  scale: Float64Array,
  points: Float64Array,
  eps: number,
  floor: Floor | null
): Promise<{ readonly ways: (Escape | null)[]; readonly reached: Float64Array[]; readonly taken: number }> {
  const P = objective.parameters
  const { climbed, taken } = await climbAll(objective, climbs, scale, points, eps, floor)
  const ways = climbed.map(({ way }) => way)
  const reached = climbed.map(({ reached }) => reached)
  // Far out a loss that falls exponentially is so flat that its spheres are not settled on in time, and rounding takes part in where a
  // climb goes. Further in it is not so, and where the way from there has the limit that the run's own climb has come to, that is the run's way.
  const far = [...ways.keys()].filter(i => {
    const { least, loss, rises } = climbed[i]
    return !ways[i] && (rises || (!floor && least < atOnce * loss))
  })
  if (far.length === 0) return { ways, reached, taken }
  const inner = new Float64Array(far.length * P)
  far.forEach((i, n) => inner.set(climbed[i].inside, n * P))
  const again = await climbAll(
    objective,
    climbs,
    scale,
    inner,
    eps,
    floor && { ...floor, isFar: n => floor.isFar(far[n]) }
  )
  far.forEach((i, n) => {
    const { way } = again.climbed[n]
    const { loss, least, lowest, noise } = climbed[i]
    if (!way) return
    const apart = Math.abs(lowest - way.limit)
    const isThere = Math.abs(least - way.limit) <= way.uncertainty + atOnce * (loss - way.limit)
    if (!isThere && !(apart <= standsOut * noise)) return
    ways[i] = { ...way, limit: Math.min(lowest, way.limit), uncertainty: Math.max(apart, way.uncertainty) }
    reached[i] = again.climbed[n].reached
  })
  return { ways, reached, taken: taken + again.taken }
}
