/**
 * `bench kernels`: what each engine reaches on gradient, Hessian, update and eigen-decomposition, beside the peak of the same
 * machine in the same minutes. A result is compared with the reference before it is timed; a wrong one scores nothing.
 */
import { parameterCount } from '../models/network.js'
import type { Problem } from '../models/types.js'
import { optimizers, resolveOptimizer } from '../optimizers/registry.js'
import { epsilonOf } from '../optimizers/types.js'
import type { Program } from '../optimizers/program.js'
import { referenceEntry } from '../engines/reference/index.js'
import type { Engine, EngineEntry, KernelTimer, Objective, Precision } from '../engines/types.js'
import { quantileSorted } from '../core/stats.js'
import { answersOf, checkKernel, checkedPoints, type Answers } from './check.js'
import { describeMachine } from './machine.js'
import type { KernelName, KernelRecord, KernelResults, Missing } from './records.js'
import {
  eighFlops,
  gradientFlops,
  hessianFlops,
  leastBytes,
  pointsFor,
  problemOfSize,
  updateFlops,
  type Size
} from './sizes.js'
import { ascending, median } from './statistics.js'
import { studyRecords } from './studies.js'

export interface KernelOptions {
  /** Engines to measure, already known to run here or not. */
  readonly engines: readonly EngineEntry[]
  /** Both where an engine has both, when absent. */
  readonly precisions?: readonly Precision[]
  readonly kernels: readonly KernelName[]
  readonly sizes: readonly Size[]
  /** Numbers of threads of the studies. */
  readonly threads: readonly number[]
  /** How long one kernel is measured, about. */
  readonly secondsPerKernel: number
  /** Starts of the studies, as a multiple of their usual number. */
  readonly studyScale: number
  readonly onRecord?: (record: KernelRecord) => void
  readonly signal?: AbortSignal
}

/** Peak and kernel take turns so many times, so that both see the same machine. */
const rounds = 5
const peakMilliseconds = 5
/** Submits that a record takes the time of. */
const timedSubmits = 50
/** A sample is long enough for the clock. */
const sampleSeconds = 2e-4
const mostSamples = 40
/** Optimisers whose updates are timed: the cheapest rule, one with a memory, and the one on the exact Hessian. */
const timedOptimizers = ['adam', 'lbfgs', 'newton'] as const
/** Updates are timed on the way, in so many steps from a start: at a minimum a trust region only shrinks, which costs little. */
const stepsFromStart = 8
/** Larger decompositions and Newton updates take seconds. */
const eighLimit = 160
/** Numbers in the largest array that a batch from outside may need. */
const batchNumbers = 2 ** 24
const batchRuns = 16384

/** What is timed: `repeats` repeats → seconds of each; for updates also those of the evaluations. */
interface Timed {
  readonly lanes: number
  run(repeats: number): Promise<{ seconds: Float64Array; evaluation?: Float64Array }>
  peak: (() => Promise<number>) | null
}

interface Measured {
  readonly seconds: number[]
  readonly evaluation: number[]
  readonly repeats: number
  readonly peak: number | null
}

async function measure(timed: Timed, budget: number): Promise<Measured> {
  // Warm-up, and the scale of one repeat.
  const one = median((await timed.run(2)).seconds)
  const repeats = Math.max(1, Math.ceil(sampleSeconds / one))
  const samples = Math.max(1, Math.min(mostSamples, Math.floor(budget / rounds / (repeats * one))))
  const seconds: number[] = []
  const evaluation: number[] = []
  const peaks: number[] = []
  const sums = (values: Float64Array, into: number[]): void => {
    for (let s = 0; s < samples; s++) {
      let sum = 0
      for (let r = 0; r < repeats; r++) sum += values[s * repeats + r]
      into.push(sum)
    }
  }
  for (let round = 0; round < rounds; round++) {
    if (timed.peak) peaks.push(await timed.peak())
    const result = await timed.run(samples * repeats)
    sums(result.seconds, seconds)
    if (result.evaluation) sums(result.evaluation, evaluation)
  }
  return { seconds, evaluation, repeats, peak: peaks.length > 0 ? median(peaks) : null }
}

/** The engine's own timer, or `evaluate` seen from outside for the kernels that it offers. */
function timedKernel(
  timer: KernelTimer | undefined,
  objective: Objective,
  kernel: 'gradient' | 'hessian' | 'eigh' | 'update',
  program: Program | undefined
): Timed | null {
  const { problem, parameters: P } = objective
  if (timer) {
    const lanes = timer.lanesFor?.(kernel) ?? timer.lanes
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
  return {
    lanes,
    peak: null,
    async run(repeats) {
      const seconds = new Float64Array(repeats)
      for (let k = 0; k < repeats; k++) {
        const began = performance.now()
        await objective.evaluate(theta, needs)
        seconds[k] = (performance.now() - began) / 1000
      }
      return { seconds }
    }
  }
}

const flopsOf = (kernel: KernelName, problem: Problem, program: Program | undefined): number | null => {
  const P = parameterCount(problem.network)
  switch (kernel) {
    case 'gradient':
      return gradientFlops(problem)
    case 'hessian':
      return hessianFlops(problem)
    case 'eigh':
      return eighFlops(P)
    case 'update':
      return program ? updateFlops(program, P) : null
    case 'study':
      return null
    default:
      return kernel satisfies never
  }
}

/** One record of a kernel on one lane group or batch. */
async function record(
  engine: Engine,
  timer: KernelTimer | undefined,
  objective: Objective,
  answers: Answers,
  kernel: 'gradient' | 'hessian' | 'eigh' | 'update',
  name: string,
  program: Program | undefined,
  copyRate: number | null,
  budget: number
): Promise<KernelRecord | null> {
  const { problem, parameters: P } = objective
  const timed = timedKernel(timer, objective, kernel, program)
  if (!timed) return null
  const R = timed.lanes
  const { network, rows } = problem
  const common = {
    engine: engine.name,
    precision: engine.precision,
    kernel,
    sizes: { N: rows, D: network.inputs, hidden: network.hidden, P, R }
  }
  const threads = timer ? 1 : engine.threads
  const error = await checkKernel(objective, engine.precision, answers, kernel, program)
  if (error !== null) {
    const nothing = { perSecond: 0, gflops: 0, peakGflops: null, share: 0 }
    return {
      ...common,
      ...nothing,
      name,
      threads,
      seconds: [],
      repeats: 0,
      rounds,
      spread: { q25: 0, q75: 0, best: 0 },
      error
    }
  }
  const { seconds, evaluation, repeats, peak } = await measure(timed, budget)
  const sorted = ascending(seconds)
  const rate = (q: number): number => (R * repeats) / quantileSorted(sorted, q)
  const perSecond = rate(0.5)
  const flops = flopsOf(kernel, problem, program)
  const gflops = flops === null ? null : (flops * perSecond) / 1e9
  const peakGflops = peak === null ? null : peak / 1e9
  const traffic = (): Partial<KernelRecord> => {
    if ((kernel !== 'gradient' && kernel !== 'hessian') || gflops === null) return {}
    const bytes = leastBytes(problem, kernel, R, engine.precision === 'f64' ? 8 : 4) / R
    const allowed =
      peakGflops === null || copyRate === null ? null : Math.min(peakGflops, ((flops! / bytes) * copyRate) / 1e9)
    return {
      gigabytesPerSecond: (bytes * perSecond) / 1e9,
      peakGigabytesPerSecond: copyRate === null ? null : copyRate / 1e9,
      rooflineShare: allowed === null ? null : gflops / allowed
    }
  }
  return {
    ...common,
    perSecond,
    gflops,
    peakGflops,
    share: gflops === null || peakGflops === null ? null : gflops / peakGflops,
    name,
    threads,
    seconds,
    repeats,
    rounds,
    spread: { q25: rate(0.75), q75: rate(0.25), best: rate(0) },
    ...traffic(),
    ...(kernel === 'update' ? { shareOfStep: median(seconds) / (median(seconds) + median(evaluation)) } : {}),
    ...(timer?.submit ? { secondsPerSubmit: median(await timer.submit(timedSubmits)) } : {})
  }
}

/** All kernels of one engine at one size. */
async function* recordsOfSize(
  engine: Engine,
  reference: Engine,
  size: Size,
  options: KernelOptions
): AsyncGenerator<KernelRecord | Missing> {
  const problem = problemOfSize(size)
  const P = parameterCount(problem.network)
  const small = P <= eighLimit
  const wanted = options.kernels.filter(k => k !== 'study' && (k !== 'eigh' || small))
  if (wanted.length === 0) return
  const timer = engine.timer?.(problem)
  const objective = await engine.prepare(problem)
  const hessian = wanted.some(k => k === 'hessian' || k === 'eigh')
  // The Hessian of ten thousand rows takes the reference minutes.
  const withHessian = hessian && problem.rows * P * P <= 3e8
  const answers = await answersOf(reference, problem, pointsFor(problem, checkedPoints), withHessian)
  const copyRate = timer?.copy ? await timer.copy(peakMilliseconds) : null
  const context = { eps: epsilonOf[engine.precision], parameters: P }
  try {
    for (const kernel of wanted) {
      if (kernel === 'study') continue
      if ((kernel === 'hessian' || kernel === 'eigh') && !withHessian) {
        const reason = `N=${size.N} P=${P} is left out: the reference engine's Hessian, which checks it, would take minutes.`
        yield { engine: engine.name, precision: engine.precision, kernel, reason }
        continue
      }
      const names = kernel === 'update' ? timedOptimizers.filter(n => n !== 'newton' || small) : ['']
      for (const name of names) {
        if (options.signal?.aborted) return
        const program = name === '' ? undefined : optimizers[name].build(resolveOptimizer(name).options, context)
        const made = await record(
          engine,
          timer,
          objective,
          answers,
          kernel,
          name,
          program,
          copyRate,
          options.secondsPerKernel
        )
        yield (
          made ?? {
            engine: engine.name,
            precision: engine.precision,
            kernel,
            reason: `The ${engine.name} engine runs this kernel inside its steps and cannot time it alone.`
          }
        )
      }
    }
  } finally {
    objective.dispose()
    answers.reference.dispose()
  }
}

export async function benchKernels(options: KernelOptions): Promise<KernelResults> {
  const began = performance.now()
  const machine = describeMachine()
  const records: KernelRecord[] = []
  const missing: Missing[] = []
  const note = (found: KernelRecord | Missing): void => {
    if ('reason' in found) {
      if (!missing.some(m => m.engine === found.engine && m.precision === found.precision && m.kernel === found.kernel))
        missing.push(found)
      return
    }
    records.push(found)
    options.onRecord?.(found)
  }
  const reference = await referenceEntry.load({ precision: 'f64' })
  for (const entry of options.engines) {
    const support = await entry.available()
    if (!support.ok) {
      missing.push({ engine: entry.name, reason: support.reason })
      continue
    }
    for (const precision of entry.precisions) {
      if (options.precisions && !options.precisions.includes(precision)) continue
      const engine = await entry.load({ precision })
      try {
        for (const size of options.sizes)
          for await (const found of recordsOfSize(engine, reference, size, options)) note(found)
      } finally {
        engine.dispose()
      }
      if (options.kernels.includes('study') && !options.signal?.aborted)
        for await (const found of studyRecords(entry.name, precision, options)) note(found)
    }
  }
  reference.dispose()
  const wallSeconds = (performance.now() - began) / 1000
  return { format: 'manystart/bench', version: 1, machine, records, missing, wallSeconds }
}
