/**
 * Losses below which a run has no finite point to come to. Where every row of the data pulls its output to infinity, a loss that is small
 * enough means that all outputs are on the rows' own sides of where an output layer of zeros leaves them. As long as they are, f
 * falls when the output layer is multiplied by more than 1: there is no stationary point. A descent never leaves the points below its own loss, so that it
 * goes on for ever, and along that ray the loss falls to its infimum over all points.
 */
import { isScalar, scalarLoss } from '../models/losses/index.js'
import { isNetwork, parameterCount, penaltyOf } from '../models/model.js'
import { layers } from '../models/network/network.js'
import type { Escape } from './escape.js'
import type { Problem } from '../models/types.js'

/** Where ℓ has come to what it tends to, but for rounding; terms are computed without overflow up to there. */
const farOut = 1e4
/** Losses found in single precision are right to much more than this share. */
const surely = 0.5

export interface Receding {
  /** What f tends to. */
  readonly limit: number
  /** f below which no stationary point is left. */
  readonly below: number
  /** Places in θ of the output layer. */
  readonly first: number
  readonly parameters: number
}

/** Null where there is no such loss: without hidden layers, with a ridge, or where a row has a finite best output. */
export function recedingOf(problem: Problem): Receding | null {
  if (!isNetwork(problem) || problem.model.hidden.length === 0) return null
  const { model: network, rows, y, weight, offset } = problem
  const penalty = penaltyOf(problem)
  const parameters = parameterCount(network)
  if (penalty.some(v => v > 0)) return null
  const share = (i: number): number => (weight ? weight[i] : 1)
  let total = 0
  for (let i = 0; i < rows; i++) total += share(i)
  let limit = 0
  let least = Infinity
  const take = (w: number, here: number, end: number): void => {
    limit += (w / total) * end
    least = Math.min(least, (w / total) * (here - end))
  }
  const definition = isScalar(network.loss) ? scalarLoss(network.loss) : null
  const out = new Float64Array(3)
  const lossAt = (z: number, target: number): number => {
    definition!.terms(z, target, out, network.lossParameters ?? [])
    return out[0]
  }
  for (let i = 0; i < rows; i++) {
    const w = share(i)
    if (!(w > 0)) continue
    // Of classes, the target's output is the largest where its probability is above ½.
    if (!definition) take(w, Math.LN2, 0)
    else if (!definition.recedes) return null
    else
      for (let c = 0; c < network.outputs; c++) {
        const target = y[i * network.outputs + c]
        const way = definition.recedes(target)
        if (way === 0) return null
        take(w, lossAt(offset ? offset[i] : 0, target), lossAt(way * farOut, target))
      }
  }
  return least > 0 && Number.isFinite(least)
    ? { limit, below: limit + surely * least, first: layers(network).at(-1)!.at, parameters }
    : null
}

/** The way to infinity of a run at θ [P], whose loss is below. */
export function recedingWay({ limit, first, parameters }: Receding, theta: Float64Array): Escape {
  const direction = new Float64Array(parameters)
  let largest = 0
  for (let p = first; p < parameters; p++) largest = Math.max(largest, Math.abs(theta[p]))
  for (let p = first; p < parameters; p++) direction[p] = theta[p] / largest
  const growing = [...direction.keys()].filter(p => direction[p] !== 0)
  return { limit, uncertainty: 0, direction, growing }
}
