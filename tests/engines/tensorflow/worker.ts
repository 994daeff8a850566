// A process that loads one TF.js package and looks into the engine's parts there: tensors alive, bytes, operations.
import type { Evaluation, Needs } from '../../../src/engines/types.js'
import { serve } from '../../../src/engines/process/serve.js'
import type { Device, Tensor } from '../../../src/engines/tensorflow/device.js'
import { Interpreter } from '../../../src/engines/tensorflow/interpreter.js'
import { eigh, trustRegion } from '../../../src/engines/tensorflow/linalg.js'
import { loadDevice } from '../../../src/engines/tensorflow/load.js'
import { LocalObjective } from '../../../src/engines/tensorflow/objective.js'
import type { DeviceName } from '../../../src/engines/tensorflow/packages.js'
import type { Problem } from '../../../src/models/types.js'
import type { PlainRequest } from '../../../src/engines/process/protocol.js'

export interface Looks {
  open: { ask: { readonly device: DeviceName; readonly folder: string }; answer: null }
  /** Tensors before, after every step of a run, and after all is disposed of. */
  run: {
    ask: { readonly problem: Problem; readonly request: PlainRequest }
    answer: { readonly before: number; readonly steps: readonly number[]; readonly after: number }
  }
  /** Results under a memory budget, with the bytes of the largest moment beyond those held before. */
  evaluate: {
    ask: { readonly problem: Problem; readonly theta: Float64Array; readonly needs: Needs; readonly budget: number }
    answer: { readonly values: Evaluation; readonly peakBytes: number; readonly capacity: number }
  }
  /** Kernels of one evaluation: name and shapes of the inputs. */
  kernels: {
    ask: { readonly problem: Problem; readonly theta: Float64Array; readonly needs: Needs }
    answer: readonly { readonly name: string; readonly inputs: readonly (readonly number[])[] }[]
  }
  /** A: [B, P, P]; g: [B, P]; radius: [B]. */
  trustRegion: {
    ask: { readonly A: Float32Array; readonly g: Float32Array; readonly radius: Float32Array; readonly P: number }
    answer: { readonly p: Float32Array; readonly predicted: Float32Array; readonly operations: readonly string[] }
  }
  eigh: {
    ask: { readonly A: Float32Array; readonly P: number }
    answer: { readonly values: Float32Array; readonly vectors: Float32Array; readonly operations: readonly string[] }
  }
}

let device: Device

/** Reads tensors that `work` makes, and lists the operations of TensorFlow that it runs by name. */
function operations<K extends string>(
  work: () => Record<K, Tensor>
): Record<K, Float32Array> & { operations: string[] } {
  const backend = device.tf.backend() as unknown as Record<string, (name: string, ...rest: unknown[]) => unknown>
  const names = new Set<string>()
  const before = { single: backend['executeSingleOutput'], multiple: backend['executeMultipleOutputs'] }
  for (const [key, method] of Object.entries({
    executeSingleOutput: before.single,
    executeMultipleOutputs: before.multiple
  }))
    if (method)
      backend[key] = (name, ...rest) => {
        names.add(name)
        return method.call(backend, name, ...rest)
      }
  const values: Record<string, Float32Array> = {}
  device.tf.tidy(() => {
    for (const [key, tensor] of Object.entries<Tensor>(work())) values[key] = Float32Array.from(tensor.dataSync())
  })
  if (before.single) backend['executeSingleOutput'] = before.single
  if (before.multiple) backend['executeMultipleOutputs'] = before.multiple
  return { ...(values as Record<K, Float32Array>), operations: [...names].sort() }
}

serve<Looks>({
  async open({ device: name, folder }) {
    device = (await loadDevice(name, folder)).device
    return null
  },
  async run({ problem, request }) {
    const { memory } = device.tf
    const before = memory().numTensors
    const objective = new LocalObjective(device, problem)
    const steps: number[] = []
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on its own object below
    const { run } = Interpreter.prototype
    Interpreter.prototype.run = function (...values) {
      run.apply(this, values)
      steps.push(memory().numTensors)
    }
    try {
      for await (const block of objective.minimise(request)) void block
    } finally {
      Interpreter.prototype.run = run
    }
    objective.dispose()
    // The first step is the trial that finds how many lanes fit.
    return { before, steps, after: memory().numTensors }
  },
  async evaluate({ problem, theta, needs, budget }) {
    const { tf } = device
    const objective = new LocalObjective(device, problem, budget)
    const capacity = await objective.capacity(needs)
    const before = tf.memory().numBytes
    let values: Evaluation | undefined
    const { peakBytes } = await tf.profile(async () => {
      values = await objective.evaluate(theta, needs)
    })
    objective.dispose()
    return { values: values!, peakBytes: peakBytes - before, capacity }
  },
  async kernels({ problem, theta, needs }) {
    const { tf } = device
    const objective = new LocalObjective(device, problem)
    const P = objective.parameters
    const x = tf.tensor2d(Float32Array.from(theta), [theta.length / P, P])
    const { kernels } = await tf.profile(() => tf.tidy(() => void objective.evaluator.evaluate(x, needs)))
    x.dispose()
    objective.dispose()
    return kernels.map(k => ({ name: k.name, inputs: Object.values<number[]>(k.inputShapes) }))
  },
  trustRegion({ A, g, radius, P }) {
    const { tf } = device
    const B = radius.length
    return operations(() => {
      const { p, predicted } = trustRegion(
        device,
        tf.tensor3d(A, [B, P, P]),
        tf.tensor2d(g, [B, P]),
        tf.tensor1d(radius)
      )
      return { p, predicted }
    })
  },
  eigh({ A, P }) {
    const { tf } = device
    return operations(() => {
      const { values, vectors } = eigh(device, tf.tensor3d(A, [A.length / (P * P), P, P]))
      return { values, vectors }
    })
  }
})
