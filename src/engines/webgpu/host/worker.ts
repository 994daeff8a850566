/** The child process of the engine: holds one GPU and the problems on it. */
import { serve } from '../../process/serve.js'
import { listAdapters } from './adapters.js'
import type { Gpu } from '../core/device.js'
import { inject } from './faults.js'
import { openGpu } from './open.js'
import { LocalObjective } from '../core/objective.js'
import type { WebgpuQuestions } from './protocol.js'
import { RemoteSupply } from '../core/supply.js'
import { measureCopy, measurePeak, timeKernel, timeSteps, timeSubmits } from '../core/timer.js'

let gpu: Gpu | undefined
const objectives = new Map<number, LocalObjective>()
let objectiveNumber = 0

function opened(): Gpu {
  if (!gpu) throw new Error('no GPU is open')
  return gpu
}

function find(number: number): LocalObjective {
  const objective = objectives.get(number)
  if (!objective) throw new Error('this objective has been disposed of')
  return objective
}

serve<WebgpuQuestions>(
  {
    list: () => listAdapters(),
    async open({ name, number, faults }) {
      gpu = await openGpu(name, number)
      if (faults) await inject(gpu, faults)
      const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits
      const { name: detail, kind, software } = gpu
      return { detail, kind, software, limits: { maxBufferSize, maxStorageBufferBindingSize } }
    },
    prepare({ problem }) {
      objectives.set(++objectiveNumber, new LocalObjective(opened(), problem))
      return objectiveNumber
    },
    release({ objective }) {
      objectives.delete(objective)
      return null
    },
    evaluate: ({ objective, theta, needs }) => find(objective).evaluate(theta, needs),
    score: ({ objective, theta, data }) => find(objective).score(theta, data),
    peak: ({ milliseconds }) => measurePeak(opened(), milliseconds),
    copy: ({ milliseconds }) => measureCopy(opened(), milliseconds),
    submit: ({ repeats }) => timeSubmits(opened(), repeats),
    time: ({ objective, kernel, theta, repeats }) => timeKernel(find(objective), kernel, theta, repeats),
    timeSteps: ({ objective, program, theta, repeats }) => timeSteps(find(objective), program, theta, repeats),
    async minimise({ objective, request, blocks }, context) {
      context.allow(blocks)
      const occupancy = { busy: 0, all: 0 }
      const onOccupancy = (busy: number, all: number): void => void Object.assign(occupancy, { busy, all })
      const supply = new RemoteSupply(count => context.want(count))
      for await (const block of find(objective).minimise(request, supply, { signal: context.signal, onOccupancy }))
        if (!(await context.deliver(block))) break
      return occupancy
    }
  },
  () => gpu?.waitMilliseconds ?? 0
)
