/** Whether a way to infinity that was found on spheres is that of the run, and not one that spheres hold beside it. */
import type { Limit } from './fading.js'
import { sizeOf } from './follow.js'

/** What is known of a run beside the spheres. */
export interface Stand {
  readonly loss: number
  /** What its steepest slope makes over its length (`fallOver`). */
  readonly fall: number
  /** What counts for nothing in a loss that can fall to 0; 0 of others. */
  readonly nothing: number
}

/** max |g| · max(1, |θ|) at a point [P], in scaled variables. */
export const fallOver = (theta: Float64Array, g: Float64Array, scale: Float64Array): number =>
  g.reduce((most, v, p) => Math.max(most, Math.abs(scale[p] * v)), 0) * sizeOf(scale, theta)

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

/** @param downhill undefined where no descent was made */
export function isOwnWay({ limit, uncertainty }: Limit, stand: Stand, downhill: Downhill | undefined): boolean {
  const { loss, fall, nothing } = stand
  const left = loss - limit
  // A limit that is less certain than the fall to it may be that of a finite minimum.
  if (left > 0 && uncertainty >= left && uncertainty > nothing) return false
  if (left > mostLeft * fall + uncertainty + nothing) return false
  if (!downhill || left <= nearlyThere * Math.abs(loss)) return true
  return !downhill.isFinite && downhill.loss >= limit - clearlyBelow * uncertainty - nothing
}
