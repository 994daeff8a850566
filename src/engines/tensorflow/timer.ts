/**
 * Times the kernels inside the child process, in chunks of runs that fit the memory budget. A time ends when the results have been
 * read back, as far as they must be.
 */
import { columnScale } from '../../models/model.js'
import type { Program } from '../../language/program.js'
import { Interpreter } from './interpreter.js'
import { eigh } from './linalg.js'
import type { LocalObjective } from './objective.js'
import { lanesThatFit, needsOf } from './run.js'
import type { Tensor } from './device.js'
import type { Values } from './evaluate.js'

const seconds = (work: () => void): number => {
  const began = performance.now()
  work()
  return (performance.now() - began) / 1000
}

/** θ in parts of `size` runs at most: [r, P] each. */
function parts(theta: Float64Array, P: number, size: number): Float32Array[] {
  const list: Float32Array[] = []
  for (let at = 0; at < theta.length; at += size * P) list.push(Float32Array.from(theta.subarray(at, at + size * P)))
  return list
}

export async function timeKernel(
  objective: LocalObjective,
  what: 'gradient' | 'hessian' | 'eigh',
  theta: Float64Array,
  repeats: number
): Promise<Float64Array> {
  const { device, evaluator, parameters: P } = objective
  const { tf } = device
  const needs = { g: true, H: what !== 'gradient' }
  const size = await objective.capacity(needs)
  const points = parts(theta, P, size).map(part => tf.tensor2d(part, [part.length / P, P]))
  const matrices = what === 'eigh' ? points.map(x => tf.tidy(() => evaluator.evaluate(x, needs).H!)) : []
  const read = (tensors: readonly (Tensor | undefined)[]): void => {
    for (const tensor of tensors) tensor?.dataSync()
  }
  const once = (): void => {
    for (const x of points)
      if (what !== 'eigh')
        tf.tidy(() => {
          const { f, g, H } = evaluator.evaluate(x, needs)
          read([f, g, H])
        })
    for (const H of matrices)
      tf.tidy(() => {
        const { values, vectors } = eigh(device, H)
        read([values, vectors])
      })
  }
  const times = Float64Array.from({ length: repeats }, () => seconds(once))
  tf.dispose([...points, ...matrices])
  return times
}

export async function timeSteps(
  { device, evaluator, parameters: P, problem, budget }: LocalObjective,
  program: Program,
  theta: Float64Array,
  repeats: number
): Promise<{ evaluation: Float64Array; update: Float64Array }> {
  const needs = needsOf(program)
  const evaluation = new Float64Array(repeats)
  const update = new Float64Array(repeats)
  for (const part of parts(theta, P, await lanesThatFit(device, evaluator, program, budget))) {
    const state = new Interpreter(device, program, P, columnScale(problem))
    state.start(part, part.length / P)
    for (let k = 0; k < repeats; k++) {
      let values = { f: state.x } as Values
      evaluation[k] += seconds(() => {
        values = evaluator.evaluate(state.x, needs)
        values.f.dataSync()
      })
      update[k] += seconds(() => {
        state.run(values.f, values.g!, values.H)
        state.results()
      })
    }
    state.dispose()
  }
  return { evaluation, update }
}
