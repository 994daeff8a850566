/** How little is left of a loss that can fall to 0 and no further, at points of a network; nothing is little of other losses, which may be negative. */
import { hasStep } from './units.js'
import type { Judge } from './judge.js'

export class Bottom {
  /** What counts for nothing in a loss that has fallen so far; 0 for others. */
  readonly nothing: number
  /** What rounding of residuals leaves of it. */
  readonly rounding: number
  /** What is close to nothing: its square root, relative to the loss of outputs that are all 0. */
  private readonly little: number

  constructor(
    private readonly judge: Judge,
    eps: number
  ) {
    const blank = judge.blankLoss ?? 0
    this.nothing = eps * blank
    this.rounding = (64 * eps) ** 2 * blank
    this.little = Math.sqrt(eps) * blank
  }

  /** Whether a loss has fallen to 0, but for rounding. */
  isAt(loss: number): boolean {
    return this.nothing > 0 && loss <= this.nothing
  }

  /** Whether no more than a little is left; of losses that may be negative that is not known. */
  isLittle(loss: number): boolean {
    return this.nothing > 0 && loss <= this.little
  }

  /** Whether a little is left to fall: residuals bend f as much as they are large, so that curvature says nothing yet. */
  isNear(loss: number): boolean {
    return this.isLittle(loss) && !this.isAt(loss)
  }

  /** Whether all rows are fitted, but for rounding, by units none of which is a step. */
  isFit(loss: number, theta: Float64Array): boolean {
    const { network } = this.judge
    return network !== null && loss <= this.rounding && !hasStep(network, theta)
  }

  /**
   * Whether next to nothing is left to fall, but something, and a unit has become a step: a finite point without loss is not near, and what
   * looks like a flat one is on a way to infinity, where curvature has sunk below rounding.
   */
  isOnTheMove(loss: number, theta: Float64Array, at: number): boolean {
    const { network } = this.judge
    return network !== null && loss <= this.nothing && loss > this.rounding && hasStep(network, theta, at)
  }
}
