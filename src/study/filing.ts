/** Files end points under the distinct points that they belong to: those of a study while it runs, and saved ones anew. */
import type { Clusters } from '../analysis/cluster.js'
import type { Escape } from '../analysis/escape.js'
import type { LimitClusterer } from '../analysis/limits.js'
import { VerdictCode } from '../core/result.js'
import type { Objective } from '../engines/types.js'

/** Certified end points. */
export interface EndPoints {
  readonly count: number
  /** [count] */
  readonly start: Float64Array
  readonly verdict: Uint8Array
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  readonly precision: Float64Array
  /** [count, P] */
  readonly theta: Float64Array
}

/** Files the runs to infinity of a block under their limits. @param found [count, P] where the optimiser left them */
export async function fileLimits(
  limits: LimitClusterer,
  { degenerate: { data } }: Clusters,
  objective: OutputObjective,
  { start, ways }: { readonly start: Float64Array; readonly ways: ReadonlyMap<number, Escape> },
  found: Float64Array
): Promise<void> {
  const P = objective.parameters
  const width = data.rows * data.network.outputs
  const together = Math.max(1, Math.floor(outputNumbers / width))
  const all = [...ways].sort(([a], [b]) => a - b)
  for (let from = 0; from < all.length; from += together) {
    const part = all.slice(from, from + together)
    const some = new Float64Array(part.length * P)
    part.forEach(([i], n) => some.set(found.subarray(i * P, (i + 1) * P), n * P))
    const z = await objective.outputs(some, data)
    part.forEach(([i, { limit, uncertainty, growing }], n) =>
      limits.add({
        start: start[i],
        loss: limit,
        uncertainty,
        growing,
        z: z.subarray(n * width, (n + 1) * width),
        theta: some.slice(n * P, (n + 1) * P)
      })
    )
  }
}

/** What tells degenerate points apart is computed by the objective that certifies. */
export type OutputObjective = Required<Pick<Objective, 'parameters' | 'outputs'>>

/** Outputs of degenerate points that are held at a time, in numbers. */
const outputNumbers = 2 ** 20

/** Files all points in their order, and returns the id [count] of the distinct point of each; −1 for none. */
export async function fileEndPoints(
  { minima, saddles, degenerate }: Clusters,
  objective: OutputObjective,
  points: EndPoints
): Promise<Int32Array> {
  const { count, start, verdict, loss, gradientNorm, precision, theta } = points
  const P = objective.parameters
  const { data } = degenerate
  const width = data.rows * data.network.outputs
  const together = Math.max(1, Math.floor(outputNumbers / width))
  const flat = [...verdict.keys()].filter(i => verdict[i] === VerdictCode.degenerate)
  const ids = new Int32Array(count).fill(-1)
  let next = 0
  for (let from = 0; next < count; from += together) {
    const part = flat.slice(from, from + together)
    const some = new Float64Array(part.length * P)
    part.forEach((i, n) => some.set(theta.subarray(i * P, (i + 1) * P), n * P))
    const z = part.length > 0 ? await objective.outputs(some, data) : new Float64Array(0)
    const end = flat[from + together] ?? count
    for (let n = 0; next < end; next++) {
      const [at, values] = [next * P, [start[next], loss[next], gradientNorm[next], precision[next]] as const]
      if (verdict[next] === VerdictCode.minimum) ids[next] = minima.add(...values, theta, at)
      else if (verdict[next] === VerdictCode.saddle) ids[next] = saddles.add(...values, theta, at)
      else if (next === part[n]) ids[next] = degenerate.add(...values, z.subarray(n * width, ++n * width), theta, at)
    }
  }
  return ids
}
