/**
 * Heavy ball (Polyak 1964): v ← βv − λg, x ← x + v; and Nesterov's accelerated gradient (1983) in the form of Sutskever et
 * al. (2013), with x the look-ahead point at which the gradient is taken: v ← βv − λg, x ← x + βv − λg. Where f overflows a step is
 * shortened and its velocity lost (overflow.ts).
 */
import { Rule } from '../language/rule.js'
import { learningRate } from './gd.js'
import { guarded } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

export const momentum: OptimizerDefinition = {
  name: 'momentum',
  needs: 'g',
  stochastic: true,
  steps: 10000,
  options: {
    learningRate: learningRate(0.1),
    momentum: { kind: 'number', default: 0.9, min: 0, max: 1, meaning: 'share β of the last velocity that is kept' },
    nesterov: { kind: 'boolean', default: false, meaning: 'take the gradient at the look-ahead point' }
  },
  build(options, context) {
    const r = new Rule('momentum', 'g')
    const beta = Number(options['momentum'])
    const rate = r.neg(r.scalarInput('learningRate', Number(options['learningRate'])))
    const v = r.vectorState()
    const velocity = r.fma(rate, r.g, r.mul(beta, v))
    const { accept, finish } = guarded(r, context)
    r.next(v, r.select(accept, velocity, 0))
    return finish(options['nesterov'] === true ? r.fma(rate, r.g, r.fma(beta, velocity, r.x)) : r.add(r.x, velocity))
  }
}
