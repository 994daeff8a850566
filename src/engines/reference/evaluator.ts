/** The evaluator of a problem, whichever kind of model it has. */
import type { Problem } from '../../models/types.js'
import { Evaluator } from './evaluate.js'
import { ExpressionEvaluator } from './expression.js'

export type ModelEvaluator = Pick<Evaluator, 'parameters' | 'evaluate' | 'predict'> & { readonly problem: Problem }

export function evaluatorOf(problem: Problem): ModelEvaluator {
  const { model } = problem
  return model.kind === 'expression'
    ? new ExpressionEvaluator(problem, model.expression)
    : new Evaluator({ ...problem, model })
}
