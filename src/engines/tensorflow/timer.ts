/** Times the kernels inside the child process. A time ends when the results have been read back, as far as they must be. */
import { columnScale } from '../../models/network.js'
import type { Program } from '../../optimizers/program.js'
import { Factors } from './factors.js'
import { Interpreter } from './interpreter.js'
import type { LocalObjective } from './objective.js'
import type { Tensor } from './device.js'
import type { Values } from './evaluate.js'

const seconds = (work: () => void): number => {
  const began = performance.now()
  work()
  return (performance.now() - began) / 1000
}

/** Waits for a device that works on its own: one number that depends on everything asked for is read. */
const settle = (tensors: readonly (Tensor | undefined)[]): void => {
  for (const tensor of tensors) tensor?.dataSync()
}

export function timeKernel(
  { device, evaluator, parameters: P }: LocalObjective,
  what: 'gradient' | 'hessian' | 'eigh',
  theta: Float64Array,
  repeats: number
): Float64Array {
  const { tf } = device
  const R = theta.length / P
  const x = tf.tensor2d(Float32Array.from(theta), [R, P])
  const H = what === 'eigh' ? evaluator.evaluate(x, { H: true }).H! : null
  const one = tf.ones([1, P])
  const factors = new Factors(device, P)
  factors.start(R)
  const times = Float64Array.from({ length: repeats }, () =>
    seconds(() =>
      tf.tidy(() => {
        if (H) {
          const { values, vectors } = factors.eigh(H, one)
          settle([values, vectors])
        } else {
          const values = evaluator.evaluate(x, { g: true, H: what === 'hessian' })
          settle([values.f, values.g, values.H])
        }
      })
    )
  )
  tf.dispose([x, one, ...(H ? [H] : [])])
  return times
}

export function timeSteps(
  { device, evaluator, parameters: P, problem }: LocalObjective,
  program: Program,
  theta: Float64Array,
  repeats: number
): { evaluation: Float64Array; update: Float64Array } {
  const R = theta.length / P
  const state = new Interpreter(device, program, P, columnScale(problem), new Factors(device, P))
  state.start(Float32Array.from(theta), R)
  const needs = { g: true, H: program.needs === 'H' }
  const evaluation = new Float64Array(repeats)
  const update = new Float64Array(repeats)
  for (let k = 0; k < repeats; k++) {
    let values = { f: state.x } as Values
    evaluation[k] = seconds(() => {
      values = evaluator.evaluate(state.x, needs)
      values.f.dataSync()
    })
    update[k] = seconds(() => {
      state.run(values.f, values.g!, values.H)
      state.results()
    })
  }
  state.dispose()
  return { evaluation, update }
}
