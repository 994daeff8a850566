/** Runs followed on along narrow curved valleys, and what that tells of ways to infinity. */
import { activate } from '../models/activations.js'
import { parameterCount } from '../models/model.js'
import { layers } from '../models/network/network.js'
import { fadesAlong, type Limit } from './fading.js'
import { scaledLength } from './follow.js'
import { Residuals, hasResiduals } from './residuals.js'
import { hasStep, netInputs } from './units.js'
import { goDown, isBesideFit, type Descent } from './valley.js'
import type { Network, Problem } from '../models/types.js'

/** Steps along a valley, and multiplications that they may take; where that leaves fewer than some, none are made. */
const mostSteps = 1000
const mostWork = 6e7
const fewestSteps = 60
/** Runs whose gradient is larger are under way, and not in a narrow valley: their optimiser had too few steps. */
export const crawling = 2 ** -8
/** A way to infinity does not lead back: at its end |θ| is at least this share of what it was. */
const stays = 0.9
/** A unit is nearly a line where its net inputs are within this of each other; it is bent by spreading them so far, around ±`around`. */
const nearlyLine = 0.1
const bentTo = 0.3
const around = 1
/** Steps down from there. */
const bentSteps = 100

/** Where going on along a valley has led to. */
export interface Followed extends Descent {
  /** Parameters that fit all rows but for rounding, a way on which they are fitted at infinity only, or neither as far as was seen. */
  readonly leadsTo: 'fit' | 'infinity' | null
  /** Whether |θ| is more than `grown` times as large there. */
  readonly grows: boolean
}

export interface Valleys {
  /**
   * Downhill along the valley that a point [P] lies in.
   * @param isNear whether a loss of 0 may be what this valley leads to: from further up the best parameters of the outputs may be another's
   */
  goOn(theta: Float64Array, isNear: boolean): Followed
  /** Whether what lies downhill from the outermost point of a climb agrees with the limit that was read from it. */
  bearsOut(way: Limit, reached: Float64Array): boolean
  /**
   * Whether nothing near the end of a way leads below its limit, where units become lines. A unit that is a line, from weights in that go to 0
   * and weights out that grow, can be bent a little either way: to first order one of the two lowers f, unless all rows are fitted. Where the
   * limit is 0, whether what lies downhill from where it begins is no finite point that fits all of them.
   */
  isLowest(way: Limit, reached: Float64Array, from: Float64Array): boolean
}

/**
 * Parameters that fit all rows leave at most this share of the loss that a descent began with, |θ| at most so many times as large: where
 * the loss goes to 0 like a power of |θ|, below the sixteenth, so much takes longer ways.
 */
const leftOver = 1e-4
const grown = 1.2
/** Losses below this share of what counts for nothing are rounding. */
const deep = 1e-6

/**
 * Null where valleys are not followed: of losses that are no sums of squares, and of large problems.
 * @param nothing what counts for nothing in a loss that cannot be below 0; 0 of others
 */
export function valleysOf(problem: Problem<Network> | null, scale: Float64Array, nothing: number): Valleys | null {
  if (!problem || !hasResiduals(problem)) return null
  const P = parameterCount(problem.model)
  const steps = Math.min(mostSteps, Math.floor(mostWork / (2 * (problem.rows * problem.model.outputs + P) * P * P)))
  if (steps < fewestSteps) return null
  let known: Residuals | undefined
  const residuals = (): Residuals => (known ??= new Residuals(problem, scale))
  const down = (theta: Float64Array, most = steps): Descent => goDown(residuals(), theta, most)
  const fast = (theta: Float64Array): Descent | null =>
    residuals().linear.length > 0 ? goDown(residuals(), theta, steps, true) : null
  const grows = ({ theta, path: [start] }: Descent): boolean => scaledLength(theta, scale) > grown * start.radius
  // A unit that is a step fits rows at infinity only.
  const isFit = (end: Descent): boolean =>
    end.loss <= Math.min(nothing, leftOver * end.path[0].gap) && !grows(end) && !hasStep(problem, end.theta)
  return {
    goOn: (theta, isNear) => {
      const first = isNear ? fast(theta) : null
      if (first && isFit(first)) return { ...first, leadsTo: 'fit', grows: false }
      if (first && fadesAlong(first.path, deep * nothing)) return { ...first, leadsTo: 'infinity', grows: true }
      const end = down(theta)
      return { ...end, steps: end.steps + (first?.steps ?? 0), leadsTo: null, grows: grows(end) }
    },
    bearsOut: ({ limit, uncertainty }, reached) => {
      const end = down(reached)
      return end.loss >= limit - uncertainty && scaledLength(end.theta, scale) >= stays * scaledLength(reached, scale)
    },
    isLowest: ({ limit, uncertainty }, reached, from) => {
      if (nothing > 0 && limit <= uncertainty) {
        const end = fast(from)
        if (end && isFit(end)) return false
        return problem.rows * problem.model.outputs > P || !isBesideFit(residuals(), down(from).theta)
      }
      return bentLines(problem, reached).every(
        point => !(down(point, Math.min(steps, bentSteps)).loss < limit - uncertainty)
      )
    }
  }
}

/** θ with one unit that is nearly a line bent, for each such unit; what it gives stays the same line. */
function bentLines(problem: Problem<Network>, theta: Float64Array): Float64Array[] {
  const { model: network } = problem
  if (!network.bias) return []
  const all = layers(network)
  const ranges = network.hidden.map(units =>
    Array.from({ length: units }, () => ({ least: Infinity, most: -Infinity }))
  )
  netInputs(problem, theta, 0, (l, k, u) => {
    ranges[l][k].least = Math.min(ranges[l][k].least, u)
    ranges[l][k].most = Math.max(ranges[l][k].most, u)
  })
  const [phi, bent] = [new Float64Array(3), new Float64Array(3)]
  const points: Float64Array[] = []
  ranges.forEach((units, l) =>
    units.forEach(({ least, most }, k) => {
      if (!(most - least > 0 && most - least < nearlyLine)) return
      const middle = (least + most) / 2
      activate(network.activation, middle, phi)
      const [at, next] = [all[l].at + k * all[l].stride, all[l + 1]]
      const factor = bentTo / (most - least)
      for (const centre of [around, -around]) {
        activate(network.activation, centre, bent)
        const point = theta.slice()
        for (let d = 1; d < all[l].stride; d++) point[at + d] *= factor
        point[at] = centre + factor * (theta[at] - middle)
        for (let q = 0; q < next.units; q++) {
          const own = next.at + q * next.stride
          const out = own + 1 + k
          point[out] *= phi[1] / (factor * bent[1])
          point[own] += theta[out] * phi[0] - point[out] * bent[0]
        }
        points.push(point)
      }
    })
  )
  return points
}
