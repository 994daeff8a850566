/** Faults that a GPU has only now and then, made to happen, so that tests can see what becomes of the runs. */
import type { Gpu } from '../core/device.js'

export interface Faults {
  /** An endless kernel comes first in the submit that follows so many runs of a request. */
  readonly hangAfter?: number
  /** The device is lost before the submit that follows so many. */
  readonly loseAfter?: number
  /** Buffers of more bytes do not fit. */
  readonly mostBytes?: number
}

/** Waits for a number that never comes. */
const endlessKernel = `
@group(0) @binding(0) var<storage, read_write> a: atomic<u32>;
@compute @workgroup_size(1) fn main() { while (atomicLoad(&a) == 0u) {} }`

export async function inject(gpu: Gpu, faults: Faults): Promise<void> {
  const { hangAfter = Infinity, loseAfter = Infinity, mostBytes = Infinity } = faults
  const hang = Number.isFinite(hangAfter) ? await launcher(gpu, endlessKernel) : undefined
  gpu.mostBytes = mostBytes
  gpu.beforeLaunch = delivered => {
    if (delivered >= loseAfter) gpu.device.destroy()
    if (delivered >= hangAfter) hang?.()
  }
}

/** What starts a kernel of one thread, whose only buffer holds one number. */
export async function launcher(gpu: Gpu, kernel: string): Promise<() => void> {
  const pipeline = await gpu.pipeline(kernel, 'one thread')
  const group = gpu.bind(pipeline, [gpu.buffer(4, 'one thread')])
  return () =>
    gpu.submit(encoder => {
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(1)
      pass.end()
    })
}
