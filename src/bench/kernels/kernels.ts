/**
 * `bench kernels`: what each engine, on each of its devices, reaches on gradient, Hessian, update and eigen-decomposition, beside the peak
 * of the same machine in the same minutes. A result is compared with the reference before it is timed; a wrong one scores nothing.
 */
import { parameterCount, layoutOf } from '../../models/model.js'
import type { Problem } from '../../models/types.js'
import { optimizers, resolveOptimizer } from '../../optimizers/registry.js'
import { epsilonOf } from '../../optimizers/types.js'
import type { Program } from '../../language/program.js'
import { referenceEntry } from '../../engines/reference/index.js'
import type { DeviceEntry, Engine, EngineEntry, KernelTimer, Objective, Precision } from '../../engines/types.js'
import { quantileSorted } from '../../core/stats.js'
import { formatSeconds } from '../../core/units.js'
import { answersOf, checkKernel, checkedPoints, type Answers } from './check.js'
import { readConditions } from '../conditions.js'
import type { CardPower } from '../energy.js'
import { describeMachine } from '../machine.js'
import type { KernelName, KernelRecord, KernelResults, MeasuredEngine, Missing } from './records.js'
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
import { ascending, median } from '../statistics.js'
import { studyRecords } from './studies.js'
import { measure, peakMilliseconds, rounds, timedKernel, type Timed } from './timing.js'

export interface KernelOptions {
  /** Engines to measure, already known to run here or not. */
  readonly engines: readonly EngineEntry[]
  /** Of engines that have several: these alone, by name; when absent all that can run here, without software GPUs beside hardware. */
  readonly devices?: readonly string[]
  /** Both where an engine has both, when absent. */
  readonly precisions?: readonly Precision[]
  readonly kernels: readonly KernelName[]
  readonly sizes: readonly Size[]
  /** Numbers of threads of the studies. */
  readonly threads: readonly number[]
  /** Threads of the kernels, all at once; one when absent. */
  readonly kernelThreads?: number
  /** How long one kernel is measured, about. */
  readonly secondsPerKernel: number
  /** Starts of the studies, as a multiple of their usual number. */
  readonly studyScale: number
  /** Follows the power of graphics cards. */
  readonly cards?: CardPower
  readonly onRecord?: (record: KernelRecord) => void
  readonly signal?: AbortSignal
}

/** Submits that a record takes the time of. */
const timedSubmits = 50
/** Optimisers whose updates are timed: the cheapest rule, one with a memory, and the one on the exact Hessian. */
const timedOptimizers = ['adam', 'lbfgs', 'newton'] as const
/** Larger decompositions and Newton updates take seconds. */
const eighLimit = 160
/** A kernel is left out where one repeat, of which there are seven at least, would take longer. */
const repeatLimitSeconds = 2

type TimedKernel = 'gradient' | 'hessian' | 'eigh' | 'update'

/** Counted operations of one run's repeat, for updates with the evaluation before it: what the time of a larger size is told from. */
function repeatFlops(kernel: TimedKernel, problem: Problem, program: Program | undefined): number {
  const evaluation = program?.needs === 'H' ? hessianFlops(problem) : gradientFlops(problem)
  return flopsOf(kernel, problem, program) + (kernel === 'update' ? evaluation : 0)
}

function flopsOf(kernel: TimedKernel, problem: Problem, program: Program | undefined): number {
  const P = parameterCount(problem.model)
  switch (kernel) {
    case 'gradient':
      return gradientFlops(problem)
    case 'hessian':
      return hessianFlops(problem)
    case 'eigh':
      return eighFlops(P)
    case 'update':
      return updateFlops(program!, P)
    default:
      return kernel satisfies never
  }
}

/** An engine on a device with what has been learnt of it. */
interface Bench {
  readonly engine: Engine
  /** By name, where the engine has several. */
  readonly device: string | undefined
  /** Of each kernel and rule at the size before: seconds that one counted operation of one run took. */
  readonly pace: Map<string, number>
  readonly options: KernelOptions
}

/** One record of a kernel on one lane group or batch. */
async function record(
  { engine, device, pace, options }: Bench,
  timer: KernelTimer | undefined,
  timed: Timed,
  objective: Objective,
  answers: Answers,
  kernel: TimedKernel,
  name: string,
  program: Program | undefined,
  memoryRate: number | null
): Promise<KernelRecord> {
  const { problem, parameters: P } = objective
  const R = timed.lanes
  const { model, rows } = problem
  const common = {
    engine: engine.name,
    precision: engine.precision,
    kernel,
    sizes: { N: rows, D: model.inputs, hidden: layoutOf(model).hidden, P, R }
  }
  const where = device === undefined ? {} : { device }
  const error = await checkKernel(objective, engine.precision, answers, kernel, program)
  if (error !== null) {
    const nothing = { perSecond: 0, gflops: 0, peakGflops: null, share: 0 }
    return {
      ...common,
      ...nothing,
      name,
      threads: engine.threads,
      seconds: [],
      repeats: 0,
      rounds,
      spread: { q25: 0, q75: 0, best: 0 },
      error,
      ...where
    }
  }
  const { seconds, evaluation, repeats, peak, joules } = await measure(timed, options.secondsPerKernel, options.cards)
  const whole = (median(seconds) + (evaluation.length > 0 ? median(evaluation) : 0)) / repeats
  pace.set(`${kernel} ${name}`, whole / R / repeatFlops(kernel, problem, program))
  const sorted = ascending(seconds)
  const rate = (q: number): number => (R * repeats) / quantileSorted(sorted, q)
  const perSecond = rate(0.5)
  const flops = flopsOf(kernel, problem, program)
  const gflops = (flops * perSecond) / 1e9
  const peakGflops = peak === null ? null : peak / 1e9
  const traffic = async (): Promise<Partial<KernelRecord>> => {
    if (kernel !== 'gradient' && kernel !== 'hessian') return {}
    const bytes = leastBytes(problem, kernel, R, engine.precision === 'f64' ? 8 : 4)
    // Where so few bytes cannot be copied alone, as on a GPU, memory's own rate is the bound.
    const copyRate = (await timer?.copy?.(peakMilliseconds, bytes)) ?? memoryRate
    const allowed =
      peakGflops === null || copyRate === null ? null : Math.min(peakGflops, (((flops * R) / bytes) * copyRate) / 1e9)
    return {
      gigabytesPerSecond: (bytes * perSecond) / R / 1e9,
      peakGigabytesPerSecond: copyRate === null ? null : copyRate / 1e9,
      memoryGigabytesPerSecond: memoryRate === null ? null : memoryRate / 1e9,
      rooflineShare: allowed === null ? null : gflops / allowed
    }
  }
  return {
    ...common,
    perSecond,
    gflops,
    peakGflops,
    share: peakGflops === null ? null : gflops / peakGflops,
    name,
    threads: engine.threads,
    seconds,
    repeats,
    rounds,
    spread: { q25: rate(0.75), q75: rate(0.25), best: rate(0) },
    ...(await traffic()),
    // Updates are timed between evaluations, whose energy they cannot be told from.
    ...(kernel === 'update' ? {} : { joulesPerRun: joules === null ? null : joules / (R * repeats * seconds.length) }),
    ...(kernel === 'update' ? { shareOfStep: median(seconds) / (median(seconds) + median(evaluation)) } : {}),
    ...(timer?.submit ? { secondsPerSubmit: median(await timer.submit(timedSubmits)) } : {}),
    ...where
  }
}

/** What the reference says at each size, once for all engines. */
class Reference {
  private readonly known = new Map<Size, Promise<Answers>>()
  private constructor(private readonly engine: Engine) {}
  static open = async (): Promise<Reference> => new Reference(await referenceEntry.load({ precision: 'f64' }))

  answers(size: Size, problem: Problem, withHessian: boolean): Promise<Answers> {
    const found =
      this.known.get(size) ?? answersOf(this.engine, problem, pointsFor(problem, checkedPoints), withHessian)
    this.known.set(size, found)
    return found
  }

  dispose(): void {
    this.engine.dispose()
  }
}

/** All kernels of one engine at one size. */
async function* recordsOfSize(bench: Bench, reference: Reference, size: Size): AsyncGenerator<KernelRecord | Missing> {
  const { engine, device, pace, options } = bench
  const problem = problemOfSize(size)
  const P = parameterCount(problem.model)
  const small = P <= eighLimit
  const wanted = options.kernels.filter(k => k !== 'study').filter(k => k !== 'eigh' || small)
  if (wanted.length === 0) return
  const timer = engine.timer?.(problem)
  const objective = await engine.prepare(problem)
  const hessian = options.kernels.some(k => k === 'hessian' || k === 'eigh')
  // The Hessian of ten thousand rows takes the reference minutes.
  const withHessian = hessian && problem.rows * P * P <= 3e8
  const answers = await reference.answers(size, problem, withHessian)
  const memoryRate = timer?.copy ? await timer.copy(peakMilliseconds) : null
  const context = { eps: epsilonOf[engine.precision], parameters: P }
  const missing = (kernel: KernelName, reason: string): Missing => ({
    ...{ engine: engine.name, precision: engine.precision, kernel, reason },
    ...(device === undefined ? {} : { device })
  })
  try {
    for (const kernel of wanted) {
      if ((kernel === 'hessian' || kernel === 'eigh') && !withHessian) {
        const reason = `N=${size.N} P=${P} is left out: the reference engine's Hessian, which checks it, would take minutes.`
        yield missing(kernel, reason)
        continue
      }
      const names = kernel === 'update' ? timedOptimizers.filter(n => n !== 'newton' || small) : ['']
      for (const name of names) {
        if (options.signal?.aborted) return
        const program = name === '' ? undefined : optimizers[name].build(resolveOptimizer(name).options, context)
        const timed = timedKernel(timer, objective, kernel, program)
        if (!timed) {
          yield missing(kernel, `The ${engine.name} engine runs this kernel inside its steps and cannot time it alone.`)
          continue
        }
        const predicted = (pace.get(`${kernel} ${name}`) ?? 0) * repeatFlops(kernel, problem, program) * timed.lanes
        if (predicted > repeatLimitSeconds) {
          const what = `${name === '' ? '' : `${name} at `}N=${size.N} P=${P} R=${timed.lanes}`
          const limit = `more than ${formatSeconds(repeatLimitSeconds)}`
          yield missing(
            kernel,
            `${what} is left out: one repeat would take about ${formatSeconds(predicted)}, ${limit}.`
          )
          continue
        }
        yield await record(bench, timer, timed, objective, answers, kernel, name, program, memoryRate)
      }
    }
  } finally {
    objective.dispose()
  }
}

/** The devices of an engine that are to be measured, `undefined` for the only one it has, and what cannot be. */
export async function targetsOf(
  entry: EngineEntry,
  wanted: readonly string[] | undefined
): Promise<{ targets: (string | undefined)[]; missing: Missing[] }> {
  const devices = (await entry.devices?.()) ?? []
  if (devices.length === 0) {
    const support = await entry.available()
    return support.ok
      ? { targets: [undefined], missing: [] }
      : { targets: [], missing: [{ engine: entry.name, reason: support.reason }] }
  }
  const isSoftware = ({ support }: DeviceEntry): boolean => support.ok && support.software === true
  const hardware = devices.some(d => d.support.ok && !isSoftware(d))
  const targets: string[] = []
  const missing: Missing[] = []
  for (const device of devices) {
    const { name, support } = device
    if (wanted && !wanted.includes(name)) continue
    const reason = !support.ok
      ? support.reason
      : !wanted && hardware && isSoftware(device)
        ? 'It computes on the processor; --device with its name measures it.'
        : undefined
    if (reason === undefined) targets.push(name)
    else missing.push({ engine: entry.name, reason, device: name })
  }
  return { targets, missing }
}

export async function benchKernels(options: KernelOptions): Promise<KernelResults> {
  const began = performance.now()
  const machine = describeMachine()
  const before = readConditions()
  const records: KernelRecord[] = []
  const missing: Missing[] = []
  const measured: MeasuredEngine[] = []
  const note = (found: KernelRecord | Missing): void => {
    if ('reason' in found) {
      const text = JSON.stringify(found)
      if (!missing.some(m => JSON.stringify(m) === text)) missing.push(found)
      return
    }
    records.push(found)
    options.onRecord?.(found)
  }
  const reference = await Reference.open()
  for (const entry of options.engines) {
    const { targets, missing: absent } = await targetsOf(entry, options.devices)
    absent.forEach(note)
    for (const device of targets) {
      const where = device === undefined ? {} : { device }
      for (const precision of entry.precisions) {
        if (options.precisions && !options.precisions.includes(precision)) continue
        const engine = await entry.load({ precision, threads: options.kernelThreads ?? 1, ...where })
        if (!measured.some(m => m.engine === entry.name && m.device === device))
          measured.push({ engine: entry.name, ...where, detail: engine.device })
        const bench = { engine, device, pace: new Map<string, number>(), options }
        try {
          for (const size of options.sizes) for await (const found of recordsOfSize(bench, reference, size)) note(found)
        } finally {
          engine.dispose()
        }
        if (options.kernels.includes('study') && !options.signal?.aborted)
          for await (const found of studyRecords({ engine: entry.name, ...where, precision }, options)) note(found)
      }
    }
  }
  reference.dispose()
  const wallSeconds = (performance.now() - began) / 1000
  const conditions = [before, readConditions()]
  return {
    format: 'manystart/bench',
    version: 1,
    machine,
    records,
    missing,
    wallSeconds,
    engines: measured,
    conditions
  }
}
