/**
 * Times kernels inside the child process, by the GPU's own clock where it has one, beside what multiply-adds in registers and a copy
 * reach on the same GPU.
 */
import { Op, Slot, type Program } from '../../../language/program.js'
import { Batch } from './batch.js'
import type { Gpu } from './device.js'
import { Evaluator, laneMultiple } from './evaluate.js'
import type { LocalObjective } from './objective.js'
import { Plan } from './plan.js'

/** Vector chains of a thread, each of four numbers, and multiply-adds of each in a turn of the loop. */
const chains = 8
const unrolled = 8
const peakGroups = 4096
const peakThreads = 256
/** A dispatch is long enough for the clock. */
const leastSeconds = 1e-3
const copyBytes = 128 * 2 ** 20
const copyGroups = 4096

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Repeats `once` for about so long, at least three times. @returns the median of the seconds */
async function repeated(milliseconds: number, once: () => Promise<number>): Promise<number> {
  const seconds: number[] = []
  const end = performance.now() + milliseconds
  do seconds.push(await once())
  while (performance.now() < end || seconds.length < 3)
  return median(seconds)
}

/** Floating-point operations per second, two for each multiply-add. */
export async function measurePeak(gpu: Gpu, milliseconds: number): Promise<number> {
  const pipeline = await gpu.kernel('peak.wgsl', { chains, unrolled })
  const groups = gpu.software ? 8 : peakGroups
  const out = gpu.buffer(4 * groups * peakThreads, 'peak')
  try {
    for (let rounds = 1; ; rounds *= 2) {
      const flags = gpu.constants(Uint32Array.of(rounds, 0, 0, 0), 'rounds')
      const group = gpu.bind(pipeline, [out, flags])
      const once = (): Promise<number> =>
        gpu.timed(pass => {
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, group)
          pass.dispatchWorkgroups(groups)
        })
      try {
        // The shortest of some: a GPU that wakes up, or a busy processor, makes a short dispatch look long.
        const shortest = Math.min(await once(), await once(), await once(), await once())
        if (shortest < leastSeconds) continue
        return (2 * 4 * chains * unrolled * rounds * groups * peakThreads) / (await repeated(milliseconds, once))
      } finally {
        flags.destroy()
      }
    }
  } finally {
    out.destroy()
  }
}

/** Bytes read and written per second. */
export async function measureCopy(gpu: Gpu, milliseconds: number): Promise<number> {
  const bytes = Math.min(copyBytes, gpu.limits.maxStorageBufferBindingSize)
  const pipeline = await gpu.kernel('copy.wgsl', {})
  const [from, to] = await gpu.guard(() => [gpu.buffer(bytes, 'from'), gpu.buffer(bytes, 'to')])
  try {
    const group = gpu.bind(pipeline, [from, to])
    const once = (): Promise<number> =>
      gpu.timed(pass => {
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(copyGroups)
      })
    await once()
    return (2 * bytes) / (await repeated(milliseconds, once))
  } finally {
    from.destroy()
    to.destroy()
  }
}

/** Seconds of each of so many submits of one empty pass and the reading of four bytes. */
export async function timeSubmits(gpu: Gpu, repeats: number): Promise<Float64Array> {
  const buffer = gpu.buffer(4, 'nothing')
  const seconds = new Float64Array(repeats)
  for (let k = 0; k < repeats; k++) {
    const began = performance.now()
    gpu.submit(encoder => encoder.beginComputePass().end())
    await gpu.read(buffer, 4)
    seconds[k] = (performance.now() - began) / 1000
  }
  buffer.destroy()
  return seconds
}

/** One step whose report is nothing and whose update is an eigen-decomposition of H. */
const eigenProgram: Program = {
  name: 'eigenvalues',
  needs: 'H',
  vectors: 5,
  scalars: 4,
  matrices: 2,
  instructions: Int32Array.of(Op.eigh, 3, Slot.H, 4, 1, 0),
  constants: [],
  initialVectors: [{ slot: 4, value: 1 }],
  inputs: [],
  initialScalars: [
    { slot: 2, value: 0 },
    { slot: 3, value: 1 }
  ],
  outputs: { point: 3, loss: Slot.f, gradientNorm: 3, stalled: 2 },
  report: []
}

export async function timeKernel(
  objective: LocalObjective,
  kernel: 'gradient' | 'hessian' | 'eigh',
  theta: Float64Array,
  repeats: number
): Promise<Float64Array> {
  if (kernel === 'eigh') return (await timeSteps(objective, eigenProgram, theta, repeats)).update
  const { gpu, problem, parameters: P } = objective
  const runs = theta.length / P
  const lanes = Math.ceil(runs / laneMultiple) * laneMultiple
  const evaluator = await Evaluator.create(gpu, problem, { lanes, needs: kernel === 'hessian' ? 'H' : 'g' })
  try {
    gpu.write(evaluator.theta as GPUBuffer, objective.pack(theta, 0, runs, lanes))
    const seconds = new Float64Array(repeats)
    for (let k = 0; k < repeats; k++) seconds[k] = await gpu.timed(pass => evaluator.encode(pass))
    return seconds
  } finally {
    evaluator.dispose()
  }
}

export async function timeSteps(
  { gpu, problem, parameters: P }: LocalObjective,
  program: Program,
  theta: Float64Array,
  repeats: number
): Promise<{ evaluation: Float64Array; update: Float64Array }> {
  const count = theta.length / P
  const starts = { kind: 'given' as const, theta, count }
  const plan = await Plan.make(gpu, problem, { program, starts, stop: { steps: 2 ** 31, gradient: 0 } })
  const batch = await Batch.create(plan, Math.ceil(count / laneMultiple) * laneMultiple)
  try {
    const places = Array.from({ length: Math.min(count, batch.places) }, (_, i) => i)
    batch.put(places, Float32Array.from(theta.subarray(0, places.length * P)))
    // Runs enter their lanes, and no round follows.
    await batch.launch(0).counters
    const evaluation = new Float64Array(repeats)
    const update = new Float64Array(repeats)
    for (let k = 0; k < repeats; k++) {
      const seconds = await batch.timeStep()
      evaluation[k] = seconds.evaluation
      update[k] = seconds.update
    }
    return { evaluation, update }
  } finally {
    batch.dispose()
  }
}
