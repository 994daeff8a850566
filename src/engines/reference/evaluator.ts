/** The evaluator of a problem, whichever kind of model it has. */
import type { Problem } from '../../models/types.js'
import { Evaluator } from './evaluate.js'
import { ExpressionEvaluator } from './expression.js'

export type ModelEvaluator = Pick<Evaluator, 'problem' | 'parameters' | 'evaluate' | 'predict'>

export function evaluatorOf(problem: Problem): ModelEvaluator {
  const { expression } = problem.network
  return expression ? new ExpressionEvaluator(problem, expression) : new Evaluator(problem)
}
