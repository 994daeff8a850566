// The webgpu engine's device and objective in this process, without the child process around them.
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Gpu } from '../../src/engines/webgpu/core/device.js'
import { LocalObjective } from '../../src/engines/webgpu/core/objective.js'
import { WholeSupply } from '../../src/engines/webgpu/core/supply.js'
import { openGpu } from '../../src/engines/webgpu/host/open.js'
import type { Objective } from '../../src/engines/types.js'
import type { Problem } from '../../src/models/types.js'
import { useSwiftshader } from './swiftshader.js'

export function localObjective(gpu: Gpu, problem: Problem): Objective {
  const local = new LocalObjective(gpu, problem)
  return {
    problem,
    parameters: local.parameters,
    evaluate: (theta, needs) => local.evaluate(theta, needs),
    score: (theta, data) => local.score(theta, data),
    minimise: ({ signal, onOccupancy, ...request }) =>
      local.minimise(request, new WholeSupply(request.starts.count), {
        ...(signal ? { signal } : {}),
        ...(onOccupancy ? { onOccupancy } : {})
      }),
    dispose: () => undefined
  }
}

/** Opens the software GPU for all tests of a file, which are skipped where there is none. */
export function onSoftwareGpu(use: (gpu: Gpu) => void): void {
  const name = useSwiftshader()
  let gpu: Gpu | undefined
  beforeAll(async () => {
    if (name === undefined) return
    gpu = await openGpu(name)
    use(gpu)
  })
  beforeEach(context => context.skip(name === undefined, 'no software GPU for this system'))
  afterAll(() => gpu?.destroy())
}
