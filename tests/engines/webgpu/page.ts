// What the browser test runs in a page: the webgpu engine's core on the GPU that the page has.
import { Gpu, requestDevice } from '../../../src/engines/webgpu/core/device.js'
import { LocalObjective } from '../../../src/engines/webgpu/core/objective.js'
import { WholeSupply } from '../../../src/engines/webgpu/core/supply.js'
import type { Sources } from '../../../src/engines/webgpu/core/text.js'
import type { PlainRequest } from '../../../src/engines/process/protocol.js'
import type { RunBlock } from '../../../src/engines/types.js'
import type { Problem } from '../../../src/models/types.js'

export interface PageJob {
  readonly sources: Sources
  readonly problem: Problem
  readonly request: PlainRequest
}

/** All runs of a request, with the adapter's name. */
export async function search({ sources, problem, request }: PageJob): Promise<{ adapter: string; blocks: RunBlock[] }> {
  const adapter = await navigator.gpu.requestAdapter()
  if (!adapter) throw new Error('the page has no GPU')
  const { vendor, architecture } = adapter.info
  const name = `${vendor} ${architecture}`
  const gpu = new Gpu(await requestDevice(adapter), sources, { name, kind: name, software: true })
  const blocks: RunBlock[] = []
  const supply = new WholeSupply(request.starts.count)
  for await (const block of new LocalObjective(gpu, problem).minimise(request, supply, {})) blocks.push(block)
  gpu.destroy()
  return { adapter: name, blocks }
}
