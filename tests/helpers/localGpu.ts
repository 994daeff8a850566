// The webgpu engine's objective in this process, without the child process around it.
import type { Gpu } from '../../src/engines/webgpu/device.js'
import { LocalObjective } from '../../src/engines/webgpu/objective.js'
import { WholeSupply } from '../../src/engines/webgpu/supply.js'
import type { Objective } from '../../src/engines/types.js'
import type { Problem } from '../../src/models/types.js'

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
