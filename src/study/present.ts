/** From the conditioned coordinates, in which everything is computed, to the user's: what is shown and stored. */
import { userPoints, type Frame } from '../data/conditioning.js'
import { scoreNames } from '../models/scores.js'
import type { Network } from '../models/types.js'

/** Scores [R, M] in the user's units. */
export function userScores(network: Network, frame: Frame, scores: Float64Array): Float64Array {
  const names = scoreNames(network.loss)
  const at = names.indexOf('rmse')
  if (at < 0 || frame.targetScale === 1) return scores
  return scores.map((v, n) => (n % names.length === at ? v * frame.targetScale : v))
}

/** Losses in the user's units. */
export const userLosses = ({ lossScale }: Frame, losses: Float64Array): Float64Array =>
  lossScale === 1 ? losses : losses.map(v => v * lossScale)

/** What a block of runs holds in coordinates. */
interface Coordinates {
  readonly loss: Float64Array
  readonly lossFound: Float64Array
  /** [count, P] */
  readonly theta: Float64Array
  readonly thetaFound: Float64Array
  /** [count, M] */
  readonly train: Float64Array
  readonly test?: Float64Array
}

/** A block of runs in the user's coordinates; `conditioned` keeps θ as certified. */
export function userBlock<T extends Coordinates>(
  network: Network,
  frame: Frame,
  block: T
): T & { readonly conditioned: Float64Array } {
  return {
    ...block,
    loss: userLosses(frame, block.loss),
    lossFound: userLosses(frame, block.lossFound),
    theta: userPoints(network, frame, block.theta),
    thetaFound: userPoints(network, frame, block.thetaFound),
    conditioned: block.theta,
    train: userScores(network, frame, block.train),
    ...(block.test ? { test: userScores(network, frame, block.test) } : {})
  }
}
