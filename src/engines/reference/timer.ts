/** Times the reference engine's kernels, one run at a time. */
import { symmetricEigen } from '../../core/linalg.js'
import { columnScale } from '../../models/model.js'
import type { Problem } from '../../models/types.js'
import { Slot } from '../../language/program.js'
import type { KernelTimer } from '../types.js'
import { evaluatorOf } from './evaluator.js'
import { Interpreter } from './interpreter.js'

const seconds = (work: () => void): number => {
  const began = performance.now()
  work()
  return (performance.now() - began) / 1000
}

export function referenceTimer(problem: Problem): KernelTimer {
  const evaluator = evaluatorOf(problem)
  const P = evaluator.parameters
  return {
    lanes: 1,
    async time(kernel, theta, repeats) {
      const g = new Float64Array(P)
      const H = kernel === 'gradient' ? undefined : new Float64Array(P * P)
      if (kernel === 'eigh') evaluator.evaluate(theta, g, H)
      return Float64Array.from({ length: repeats }, () =>
        seconds(() => {
          if (kernel === 'eigh') symmetricEigen(H!, P)
          else evaluator.evaluate(theta, g, H)
        })
      )
    },
    async timeSteps(program, theta, repeats) {
      const state = new Interpreter(program, P, columnScale(problem))
      const H = program.needs === 'H' ? state.matrices[Slot.H] : undefined
      const evaluation = new Float64Array(repeats)
      const update = new Float64Array(repeats)
      state.reset(theta)
      for (let k = 0; k < repeats; k++) {
        evaluation[k] = seconds(() => {
          state.scalars[Slot.f] = evaluator.evaluate(state.vectors[Slot.x], state.vectors[Slot.g], H)
        })
        state.scalars[Slot.step] = k
        update[k] = seconds(() => state.run())
      }
      return { evaluation, update }
    }
  }
}
