/** Runs of a request in the order of their places, where so few are asked for that all lie in memory. */
import type { Objective, RunRequest } from '../engines/types.js'

export interface Collected {
  /** [R, P] where they ended. */
  readonly theta: Float64Array
  /** [R] f there, the run's own penalty included. */
  readonly loss: Float64Array
  /** [R] `Status`. */
  readonly status: Uint8Array
}

/** @returns undefined when the signal stopped them */
export async function collected(objective: Objective, request: RunRequest): Promise<Collected | undefined> {
  const P = objective.parameters
  const { count } = request.starts
  const all = { theta: new Float64Array(count * P), loss: new Float64Array(count), status: new Uint8Array(count) }
  for await (const block of objective.minimise(request))
    for (let i = 0; i < block.count; i++) {
      const at = block.start[i]
      all.theta.set(block.theta.subarray(i * P, (i + 1) * P), at * P)
      all.loss[at] = block.loss[i]
      all.status[at] = block.status[i]
    }
  return request.signal?.aborted ? undefined : all
}
