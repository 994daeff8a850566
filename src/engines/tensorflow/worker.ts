/** The child process of the engine: loads one TF.js package, holds its problems, and answers messages (protocol.ts). */
import { serve } from '../process/serve.js'
import type { Device } from './device.js'
import { loadDevice } from './load.js'
import { LocalObjective } from './objective.js'
import type { TensorflowQuestions } from './protocol.js'
import { timeKernel, timeSteps } from './timer.js'

let device: Device | undefined
const objectives = new Map<number, LocalObjective>()
let objectiveNumber = 0

function find(number: number): LocalObjective {
  const objective = objectives.get(number)
  if (!objective) throw new Error('this objective has been disposed of')
  return objective
}

serve<TensorflowQuestions>({
  async open({ device: name, folder }) {
    const opened = await loadDevice(name, folder)
    device = opened.device
    return opened.loaded
  },
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
