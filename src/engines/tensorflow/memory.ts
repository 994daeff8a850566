/** How many runs fit a memory budget, found by trying a few of them rather than by counting the tensors of every formula. */
import type { Device } from './device.js'

/** Bytes that the tensors of one piece of work may take, about. */
export const memoryBudget = 256 * 2 ** 20
/** More runs at a time gain nothing: the operations are long enough by then. */
const mostRuns = 4096
/** What all runs share counts the less for each, the more are tried. */
const tries = [8, 64] as const

/**
 * The largest multiple of the device's lanes, at least one, for which `work` keeps its tensors within `budget` bytes; at most `mostRuns`.
 * @param work does it for so many runs, and leaves no tensor behind
 */
export async function runsThatFit(device: Device, budget: number, work: (runs: number) => void): Promise<number> {
  const { tf, laneMultiple } = device
  let fitting = 1
  for (const runs of tries) {
    const before = tf.memory().numBytes
    const { peakBytes } = await tf.profile(() => work(runs))
    fitting = Math.floor((budget * runs) / Math.max(1, peakBytes - before))
    if (fitting < tries[1]) break
  }
  return Math.max(1, Math.floor(Math.min(mostRuns, fitting) / laneMultiple)) * laneMultiple
}
