/** Convergence curves: a sample of the study's runs once more with their paths, as quantile bands at common steps. */
import type { Bands, Curves } from '../core/result.js'
import { quantileSorted } from '../core/stats.js'
import type { Range } from '../runs/part.js'
import { requestOf } from './run.js'
import type { Setup } from './setup.js'

/** Runs that are traced: the first starts of the study. */
const tracedRuns = 200
/** Steps at which bands are given, at most. */
const curvePoints = 160

function bands(rows: readonly (readonly number[])[]): Bands {
  const at = (q: number): number[] => rows.map(sorted => quantileSorted(sorted, q))
  return { q05: at(0.05), q25: at(0.25), median: at(0.5), q75: at(0.75), q95: at(0.95) }
}

/** @param floor the smallest certified loss, from which gaps are measured, in the user's units as they are */
export async function convergenceCurves(
  setup: Setup,
  { first, count }: Range,
  floor: number,
  signal?: AbortSignal
): Promise<Curves | undefined> {
  const runs = Math.min(tracedRuns, count)
  const traces: Float64Array[] = []
  const request = requestOf(setup, { first, count: runs }, { trace: true, ...(signal ? { signal } : {}) })
  for await (const block of setup.objective.minimise(request)) traces.push(...(block.traces ?? []))
  if (signal?.aborted) return undefined
  const longest = Math.max(0, ...traces.map(t => t.length / 2))
  if (longest === 0) return undefined
  const steps: number[] = []
  for (let k = 0; k < curvePoints; k++) {
    const step = longest <= curvePoints ? k + 1 : Math.round(longest ** (k / (curvePoints - 1)))
    if (step <= longest && step !== steps.at(-1)) steps.push(step)
  }
  // A run that has ended stays where it ended.
  const column = (step: number, part: 0 | 1): number[] =>
    traces
      .filter(t => t.length > 0)
      .map(t => t[2 * (Math.min(step, t.length / 2) - 1) + part])
      .filter(Number.isFinite)
      .sort((a, b) => a - b)
  return {
    runs: traces.length,
    steps,
    lossGap: bands(steps.map(step => column(step, 0).map(loss => Math.max(0, setup.frame.lossScale * loss - floor)))),
    gradientNorm: bands(steps.map(step => column(step, 1)))
  }
}
