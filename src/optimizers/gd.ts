/** Gradient descent with a constant step length; only where f overflows is a step shortened (overflow.ts). */
import { Rule } from '../language/rule.js'
import { guarded } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

export const learningRate = (value: number) =>
  ({
    kind: 'number',
    default: value,
    min: 0,
    exclusiveMin: true,
    max: 1e6,
    meaning: 'step length per unit of gradient'
  }) as const

export const gd: OptimizerDefinition = {
  name: 'gd',
  needs: 'g',
  stochastic: true,
  steps: 10000,
  options: { learningRate: learningRate(0.1) },
  build(options, context) {
    const r = new Rule('gd', 'g')
    const rate = r.scalarInput('learningRate', Number(options['learningRate']))
    return guarded(r, context).finish(r.fma(r.neg(rate), r.g, r.x))
  }
}
