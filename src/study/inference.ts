/** From a setup to the inference at a minimiser: what the table's columns belong to, and the trials of its rows. */
import { inferenceOf } from '../analysis/inference/index.js'
import type { Inference } from '../core/result.js'
import { codedLevels } from '../data/design.js'
import type { Setup } from './setup.js'
import { isNetwork } from '../models/model.js'

/** Tests, intervals and likelihood at a minimiser of a model without hidden layer, where it has them. */
export async function inferenceAt(
  { problem, certifier, frame, names, data }: Setup,
  theta: Float64Array
): Promise<Inference | undefined> {
  if (!isNetwork(problem) || problem.model.hidden.length > 0) return undefined
  const { H } = await certifier.objective.evaluate(theta, { H: true })
  let next = 0
  const terms = data.preprocessing.terms.map(term => {
    const columns = Array.from({ length: term.kind === 'number' ? 1 : codedLevels(term).length }, () => next++)
    return { kind: term.kind, columns }
  })
  return inferenceOf({
    problem,
    objective: certifier.objective,
    theta,
    H: H!.slice(),
    names,
    frame,
    ...(data.trials ? { trials: data.trials } : {}),
    // Standardised columns without biases are not those of the table.
    ...(problem.model.bias || !data.standardization ? { effects: { columns: data.x, terms } } : {})
  })
}
