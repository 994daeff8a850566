/** How the kernels of `bench kernels` are timed: from inside where an engine has a timer, else `evaluate` from outside. */
import type { Evaluation, KernelTimer, Objective } from '../../engines/types.js'
import type { Program } from '../../language/program.js'
import { checkedPoints } from './check.js'
import { pointsFor } from './sizes.js'
import { energyOf, meterEnergy, type CardPower } from '../energy.js'
import { median } from '../statistics.js'

/** Peak and kernel take turns so many times, so that both see the same machine. */
export const rounds = 5
/** How long a look at the peak, or at the copy rate, takes. */
export const peakMilliseconds = 5
/** A sample is long enough for the clock. */
const sampleSeconds = 2e-4
const mostSamples = 40
/** Updates are timed on the way, in so many steps from a start: at a minimum a trust region only shrinks, which costs little. */
const stepsFromStart = 8
/** Numbers in the largest array that a batch from outside may need. */
const batchNumbers = 2 ** 24
const batchRuns = 16384

/** What is timed: `repeats` repeats → seconds of each; for updates also those of the evaluations. */
export interface Timed {
  readonly lanes: number
  run(repeats: number): Promise<{ seconds: Float64Array; evaluation?: Float64Array }>
  peak: (() => Promise<number>) | null
}

export interface Measured {
  /** Of each sample: `repeats` repeats; for updates without and of the evaluations. */
  readonly seconds: number[]
  readonly evaluation: number[]
  readonly repeats: number
  readonly peak: number | null
  /** Of all samples together, evaluations included; null where it cannot be read. */
  readonly joules: number | null
}

/** @param budget seconds that all samples may take, about; there is one in every round at least */
export async function measure(timed: Timed, budget: number, cards?: CardPower): Promise<Measured> {
  // Warm-up, and the scale of one repeat.
  const trial = await timed.run(2)
  const one = median(trial.seconds)
  const whole = one + (trial.evaluation ? median(trial.evaluation) : 0)
  const repeats = Math.max(1, Math.ceil(sampleSeconds / one))
  const samples = Math.max(1, Math.min(mostSamples, Math.floor(budget / rounds / (repeats * whole))))
  const seconds: number[] = []
  const evaluation: number[] = []
  const peaks: number[] = []
  let joules: number | null = 0
  const sums = (values: Float64Array, into: number[]): void => {
    for (let s = 0; s < samples; s++) {
      let sum = 0
      for (let r = 0; r < repeats; r++) sum += values[s * repeats + r]
      into.push(sum)
    }
  }
  for (let round = 0; round < rounds; round++) {
    if (timed.peak) peaks.push(await timed.peak())
    const used = meterEnergy(cards)
    const result = await timed.run(samples * repeats)
    const taken = energyOf(used(), cards !== undefined)
    joules = joules === null || taken === null ? null : joules + taken
    sums(result.seconds, seconds)
    if (result.evaluation) sums(result.evaluation, evaluation)
  }
  return { seconds, evaluation, repeats, peak: peaks.length > 0 ? median(peaks) : null, joules }
}

/**
 * The engine's own timer, or `evaluate` seen from outside for the kernels that it offers;
 * null for a kernel that it cannot time.
 */
export function timedKernel(
  timer: KernelTimer | undefined,
  objective: Objective,
  kernel: 'gradient' | 'hessian' | 'eigh' | 'update',
  program: Program | undefined
): Timed | null {
  const { problem, parameters: P } = objective
  if (timer) {
    const lanes = timer.lanesFor?.(kernel, program) ?? timer.lanes
    const theta = pointsFor(problem, lanes)
    return {
      lanes,
      peak: timer.peak ? async () => (await timer.peak?.(peakMilliseconds)) ?? NaN : null,
      async run(repeats) {
        if (kernel !== 'update') return { seconds: await timer.time(kernel, theta, repeats) }
        const evaluation = new Float64Array(repeats)
        const update = new Float64Array(repeats)
        for (let k = 0; k < repeats; k += stepsFromStart) {
          const times = await timer.timeSteps(program!, theta, Math.min(stepsFromStart, repeats - k))
          evaluation.set(times.evaluation, k)
          update.set(times.update, k)
        }
        return { seconds: update, evaluation }
      }
    }
  }
  if (kernel === 'update' || kernel === 'eigh') return null
  const perRun = kernel === 'hessian' ? P * P : P
  const lanes = Math.max(checkedPoints, Math.min(batchRuns, Math.floor(batchNumbers / perRun)))
  const theta = pointsFor(problem, lanes)
  const needs = { g: true, H: kernel === 'hessian' }
  let out: Evaluation | undefined
  return {
    lanes,
    peak: null,
    async run(repeats) {
      const seconds = new Float64Array(repeats)
      for (let k = 0; k < repeats; k++) {
        const began = performance.now()
        out = await objective.evaluate(theta, needs, out)
        seconds[k] = (performance.now() - began) / 1000
      }
      return { seconds }
    }
  }
}
