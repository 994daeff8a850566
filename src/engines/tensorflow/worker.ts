/** The child process of the engine: loads one TF.js package, holds its problems, and answers messages (protocol.ts). */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { serve } from '../process/serve.js'
import { deviceOf, type Device, type TF } from './device.js'
import { LocalObjective } from './objective.js'
import type { DeviceName, Loaded } from './packages.js'
import type { TensorflowQuestions } from './protocol.js'
import { timeKernel, timeSteps } from './timer.js'

let device: Device | undefined
const objectives = new Map<number, LocalObjective>()
let objectiveNumber = 0

/** tfjs-node 4 calls two functions of node:util that Node 23 removed. */
function mendUtil(require: NodeJS.Require): void {
  const util = require('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}

interface Versions {
  readonly version: string
}
interface WasmPackage {
  setWasmPaths(folder: string): void
}
interface NativeParts {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
}

async function open(name: DeviceName, folder: string): Promise<Loaded> {
  const require = createRequire(join(folder, 'package.json'))
  mendUtil(require)
  const { version } = require(join(folder, 'package.json')) as Versions
  if (name === 'wasm') {
    const tf = require('@tensorflow/tfjs-core') as TF
    const wasm = require(folder) as WasmPackage
    wasm.setWasmPaths(`${dirname(require.resolve(folder))}/`)
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start')
    await tf.ready()
    device = deviceOf(tf)
    return { version, gpu: false }
  }
  const tf = require(folder) as TF
  await tf.ready()
  if (tf.getBackend() !== 'tensorflow')
    throw new Error(`it offers the backend ${tf.getBackend()} instead of tensorflow`)
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeParts
  device = deviceOf(tf)
  return { version, library: binding?.TF_Version ?? 'of unknown version', gpu: isUsingGpuDevice === true }
}

function find(number: number): LocalObjective {
  const objective = objectives.get(number)
  if (!objective) throw new Error('this objective has been disposed of')
  return objective
}

serve<TensorflowQuestions>({
  open: ({ device: name, folder }) => open(name, folder),
  prepare({ problem }) {
    if (!device) throw new Error('no package is open')
    objectives.set(++objectiveNumber, new LocalObjective(device, problem))
    return objectiveNumber
  },
  release({ objective: number }) {
    const objective = objectives.get(number)
    objectives.delete(number)
    objective?.dispose()
    return null
  },
  evaluate: ({ objective, theta, needs }) => find(objective).evaluate(theta, needs),
  score: ({ objective, theta, data }) => find(objective).score(theta, data),
  time: ({ objective, kernel, theta, repeats }) => timeKernel(find(objective), kernel, theta, repeats),
  timeSteps: ({ objective, program, theta, repeats }) => timeSteps(find(objective), program, theta, repeats),
  async minimise({ objective, request }, context) {
    const occupancy = { busy: 0, all: 0 }
    const onOccupancy = (busy: number, all: number): void => void Object.assign(occupancy, { busy, all })
    for await (const block of find(objective).minimise({ ...request, signal: context.signal, onOccupancy }))
      if (!(await context.deliver(block))) break
    return occupancy
  }
})
