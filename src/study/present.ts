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
export function userRows(model: Model, frame: Frame, rows: Rows, spare?: Spare): Rows {
  const { ends } = rows
  const user = (theta: Float64Array): Float64Array => userPoints(model, frame.toUser, theta, spare?.f64(theta.length))
  return {
    ...rows,
    lossFound: userLosses(frame, rows.lossFound),
    ...(rows.thetaFound ? { thetaFound: user(rows.thetaFound) } : {}),
    train: userScores(model, frame, rows.train),
    ...(rows.test ? { test: userScores(model, frame, rows.test) } : {}),
    ends: {
      ...ends,
      loss: userLosses(frame, ends.loss),
      limit: userLosses(frame, ends.limit),
      limitError: userLosses(frame, ends.limitError),
      ...(ends.theta ? { theta: user(ends.theta) } : {})
    }
  }
}
