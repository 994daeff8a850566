/** How well runs of a crossed design predict: on all training rows, on those that a run's resample left out, and on held-out ones. */
import { resampledWeights } from '../../core/resampling.js'
import { classCells, scoreRun, scoresOf } from '../../models/scores.js'
import { userScores } from '../present.js'
import type { Setup } from '../setup.js'
import type { Design } from './design.js'

/** Numbers held at a time. */
export const numbersAtOnce = 2 ** 22

/** [N] for each resample: the weights of the rows that it leaves out. */
const weightsLeftOut = ({ problem }: Setup, { levels, how }: Design): Float64Array[] =>
  Array.from({ length: levels[2] }, (_, s) =>
    resampledWeights(how, s, problem.rows, undefined).map((n, i) => (n > 0 ? 0 : (problem.weight?.[i] ?? 1)))
  )

/** Scores of every run on the rows that its resample left out: [R, M]. */
async function leftOut(
  setup: Setup,
  weights: readonly Float64Array[],
  theta: Float64Array,
  places: Float64Array
): Promise<Float64Array> {
  const { problem, model, certifier } = setup
  const P = setup.objective.parameters
  const R = theta.length / P
  const M = scoresOf(model).length
  const out = new Float64Array(R * M)
  const counts = new Float64Array(classCells(model, problem.rows))
  const width = problem.rows * model.outputs
  const together = Math.max(1, Math.floor(numbersAtOnce / width))
  for (let from = 0; from < R; from += together) {
    const to = Math.min(R, from + together)
    const z = await certifier.objective.outputs(theta.slice(from * P, to * P))
    for (let r = from; r < to; r++) {
      const rows = { rows: problem.rows, y: problem.y, weight: weights[places[r] % weights.length] }
      scoreRun(
        model,
        rows,
        z.subarray((r - from) * width, (r - from + 1) * width),
        out.subarray(r * M, (r + 1) * M),
        counts
      )
    }
  }
  return out
}

/** Scores points θ [R, P] of runs at `places`, in the user's units: `train.…`, `out.…` and `test.…`, [R] each. */
export function scorer(
  setup: Setup,
  design: Design
): (theta: Float64Array, places: Float64Array) => Promise<Map<string, Float64Array>> {
  const { model, frame, certifier, test } = setup
  const names = scoresOf(model)
  const weights = names.length > 0 && design.levels[2] > 1 ? weightsLeftOut(setup, design) : undefined
  return async (theta, places) => {
    const columns = new Map<string, Float64Array>()
    if (names.length === 0) return columns
    const add = (rows: string, scores: Float64Array): void => {
      const values = userScores(model, frame, scores)
      names.forEach((name, m) =>
        columns.set(
          `${rows}.${name}`,
          Float64Array.from(places, (_, r) => values[r * names.length + m])
        )
      )
    }
    add('train', (await certifier.objective.score(theta)).values)
    if (weights) add('out', await leftOut(setup, weights, theta, places))
    if (test) add('test', (await certifier.objective.score(theta, test)).values)
    return columns
  }
}
