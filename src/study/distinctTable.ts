/** The distinct points of a study as rows of a table. */
import type { DistinctPoints } from '../analysis/distinctPoints.js'
import { userPoints } from '../models/model.js'
import type { DistinctRows } from '../runs/points.js'
import { stacked } from './describe.js'
import type { Folded } from './fold.js'
import type { Setup } from './setup.js'

/** Points that are objects at a time. */
const together = 4096

/** By kind, then id; losses and parameters are the user's. */
export function* distinctRows(setup: Setup, { minima, degenerate, saddles }: Folded): Generator<DistinctRows> {
  const lists: readonly DistinctPoints[] = [minima, degenerate, saddles]
  // A table without rows has its columns all the same.
  if (lists.every(points => points.length === 0)) yield rowsOf(setup, [], 0)
  for (const [kind, points] of lists.entries())
    for (let from = 0; from < points.length; from += together)
      yield rowsOf(setup, points.slice(from, from + together), kind)
}

function rowsOf(
  { model, frame, objective }: Setup,
  points: ReturnType<DistinctPoints['slice']>,
  kind: number
): DistinctRows {
  const theta = stacked(
    points.map(p => p.parameters),
    objective.parameters
  )
  return {
    id: Uint32Array.from(points, p => p.id),
    kind: new Uint8Array(points.length).fill(kind),
    loss: Float64Array.from(points, p => frame.lossScale * p.loss),
    gradientNorm: Float64Array.from(points, p => p.gradientNorm),
    runs: Uint32Array.from(points, p => p.count),
    copies: Uint32Array.from(points, p => p.copies),
    firstStart: Float64Array.from(points, p => p.firstStart),
    theta: userPoints(model, frame.toUser, theta)
  }
}
