/** From the conditioned coordinates, in which everything is computed, to the user's: what is shown and stored. */
import type { Spare } from '../core/spare.js'
import { type Frame } from '../data/conditioning.js'
import { userPoints } from '../models/model.js'
import { scoresOf } from '../models/scores.js'
import type { Model } from '../models/types.js'
import type { Rows } from '../runs/table.js'

/** Scores [R, M] in the user's units. */
export function userScores(model: Model, frame: Frame, scores: Float64Array): Float64Array {
  const names = scoresOf(model)
  const at = names.indexOf('rmse')
  if (at < 0 || frame.targetScale === 1) return scores
  return scores.map((v, n) => (n % names.length === at ? v * frame.targetScale : v))
}

/** Losses in the user's units. */
export const userLosses = ({ lossScale }: Frame, losses: Float64Array): Float64Array =>
  lossScale === 1 ? losses : losses.map(v => v * lossScale)

/** Runs in the user's coordinates; `conditioned` keeps θ as certified. */
export const userRows = (model: Model, frame: Frame, rows: Rows, spare?: Spare): Rows => ({
  ...rows,
  loss: userLosses(frame, rows.loss),
  lossFound: userLosses(frame, rows.lossFound),
  limit: userLosses(frame, rows.limit),
  limitError: userLosses(frame, rows.limitError),
  ...(rows.theta ? { theta: userPoints(model, frame.toUser, rows.theta, spare?.f64(rows.theta.length)) } : {}),
  ...(rows.thetaFound
    ? { thetaFound: userPoints(model, frame.toUser, rows.thetaFound, spare?.f64(rows.thetaFound.length)) }
    : {}),
  train: userScores(model, frame, rows.train),
  ...(rows.test ? { test: userScores(model, frame, rows.test) } : {})
})
