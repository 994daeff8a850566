/**
 * Adam (Kingma and Ba 2015, algorithm 1). The powers β₁ᵗ and β₂ᵗ of the bias correction are kept by recurrence, because
 * `pow` loses digits in f32. Where f overflows a step is shortened and leaves no trace in the means (overflow.ts).
 */
import { Rule } from '../language/rule.js'
import { learningRate } from './gd.js'
import { guarded } from './overflow.js'
import type { OptimizerDefinition } from './types.js'

export const adam: OptimizerDefinition = {
  name: 'adam',
  needs: 'g',
  stochastic: true,
  steps: 10000,
  options: {
    learningRate: learningRate(0.01),
    beta1: { kind: 'number', default: 0.9, min: 0, max: 0.999999, meaning: 'decay of the mean gradient' },
    beta2: { kind: 'number', default: 0.999, min: 0, max: 0.99999999, meaning: 'decay of the mean squared gradient' },
    epsilon: { kind: 'number', default: 1e-8, min: 0, exclusiveMin: true, max: 1, meaning: 'added to the root' }
  },
  build(options, context) {
    const r = new Rule('adam', 'g')
    const beta1 = Number(options['beta1'])
    const beta2 = Number(options['beta2'])
    const m = r.vectorState()
    const v = r.vectorState()
    const power1 = r.scalarState(1)
    const power2 = r.scalarState(1)
    const power1Next = r.mul(beta1, power1)
    const power2Next = r.mul(beta2, power2)
    const mNext = r.fma(1 - beta1, r.g, r.mul(beta1, m))
    const vNext = r.fma(1 - beta2, r.mul(r.g, r.g), r.mul(beta2, v))
    const learningRate = r.scalarInput('learningRate', Number(options['learningRate']))
    const rate = r.div(r.neg(learningRate), r.sub(1, power1Next))
    const root = r.sqrt(r.mul(vNext, r.div(1, r.sub(1, power2Next))))
    const { accept, finish } = guarded(r, context)
    r.next(m, r.select(accept, mNext, m))
    r.next(v, r.select(accept, vNext, v))
    r.next(power1, r.select(accept, power1Next, power1))
    r.next(power2, r.select(accept, power2Next, power2))
    return finish(r.add(r.x, r.div(r.mul(rate, mNext), r.add(root, Number(options['epsilon'])))))
  }
}
