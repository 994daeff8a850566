/** Rows on which a model finds two classes equally likely, so that rounding decides which one is predicted. */
import { classCount } from '../models/scores.js'
import type { Problem } from '../models/types.js'
import { outputs } from '../models/outputs.js'

/** Outputs closer than this, relative to the largest of all rows or 1, are equal to the accuracy of a polished minimum. */
const tied = 1e-9

/** How many rows are tied at θ; 0 for models whose response is a number. */
export function tiedRows(problem: Problem, theta: Float64Array): number {
  const { model, rows } = problem
  if (classCount(model) === 0) return 0
  const C = model.outputs
  const z = outputs(problem, theta)
  const size = z.reduce((m, v) => Math.max(m, Math.abs(v)), 1)
  let count = 0
  for (let i = 0; i < rows; i++) {
    const [first, second] = C === 1 ? [z[i], 0] : [...z.subarray(i * C, (i + 1) * C)].sort((a, b) => b - a)
    if (Math.abs(first - second) <= tied * size) count++
  }
  return count
}
