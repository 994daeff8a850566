/** The `study` records of `bench kernels`: whole runs per second with verdicts and clusters, threads, and lane occupancy. */
import { parameterCount, layoutOf } from '../../models/model.js'
import type { EngineName, KernelTimer, Precision } from '../../engines/types.js'
import { resolveConfig, type StudyConfig } from '../../study/config.js'
import { requestOf } from '../../study/run.js'
import { runInMemory } from '../../study/session.js'
import { setUp, type Setup } from '../../study/setup.js'
import { quantileSorted } from '../../core/stats.js'
import { formatSeconds } from '../../core/units.js'
import { energyOf, meterEnergy, type CardPower } from '../energy.js'
import type { KernelRecord, Missing } from './records.js'
import { gradientFlops, hessianFlops } from './sizes.js'
import { ascending, median } from '../statistics.js'
import { peakMilliseconds } from './timing.js'

export interface StudyCase {
  readonly name: string
  readonly study: Readonly<Record<string, unknown>>
  /** Usual numbers of starts; the reference engine takes a fiftieth. */
  readonly starts: readonly number[]
}

const iris2 = { builtin: 'iris2', standardize: true }
const ridgeNet = { hidden: [5], activation: 'tanh', loss: 'logistic', ridge: 0.01 }

export const studyCases: readonly StudyCase[] = [
  { name: 'iris2 logistic newton', study: { data: { builtin: 'iris2' }, optimizer: 'newton' }, starts: [1000, 10000] },
  {
    name: 'iris2 4-5-1 tanh ridge 0.01 newton',
    study: { data: iris2, model: ridgeNet, optimizer: 'newton' },
    starts: [200, 2000]
  },
  {
    name: 'iris2 4-5-1 tanh ridge 0.01 lbfgs',
    study: { data: iris2, model: ridgeNet, optimizer: 'lbfgs' },
    starts: [2000]
  }
]

const referenceShare = 50
const leastStarts = 8
const studyRounds = 3
/** A number of starts is left out where the study, which runs three times, would take longer. */
const studyLimitSeconds = 10
/** Starts whose minima the reference engine must have found too. */
const checkedStarts = 6
/** Losses of the same minimum after polishing in f64. */
const lossTolerance = 1e-8

/** What a study runs on. */
export interface StudyTarget {
  readonly engine: EngineName
  /** By name, where the engine has several. */
  readonly device?: string
  readonly precision: Precision
}

const configOf = (studyCase: StudyCase, target: StudyTarget, count: number): StudyConfig =>
  resolveConfig({ ...studyCase.study, starts: { count, seed: 1 }, ...target }, 'the benchmark')

/** Losses of the strict minima that a few starts lead to on the reference engine. */
export async function referenceMinima(studyCase: StudyCase): Promise<number[]> {
  const setup = await setUp(configOf(studyCase, { engine: 'reference', precision: 'f64' }, checkedStarts))
  try {
    const { folded } = await runInMemory(setup)
    return [...folded.minima.column('loss')]
  } finally {
    setup.dispose()
  }
}

interface Search {
  readonly seconds: number
  readonly steps: number
  readonly occupancy: number | null
  readonly withoutRefill: number | null
}

/** The search alone: no verdicts, no clusters. */
async function search(setup: Setup, lanes: number | undefined): Promise<Search> {
  const count = setup.config.starts.count
  const steps = new Float64Array(count)
  let occupancy: number | null = null
  const began = performance.now()
  const onOccupancy = (busy: number, all: number): void => void (occupancy = all > 0 ? busy / all : null)
  for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count }, { onOccupancy })))
    for (let i = 0; i < block.count; i++) steps[block.start[i]] = block.steps[i]
  const seconds = (performance.now() - began) / 1000
  const total = steps.reduce((a, b) => a + b, 0)
  return {
    seconds,
    steps: total,
    occupancy,
    withoutRefill: lanes === undefined ? null : occupancyInBatches(steps, lanes)
  }
}

/** Share of busy lane-steps if each batch of consecutive starts waited for its slowest run. */
export function occupancyInBatches(steps: Float64Array, lanes: number): number {
  let busy = 0
  let all = 0
  for (let at = 0; at < steps.length; at += lanes) {
    const batch = steps.subarray(at, at + lanes)
    busy += batch.reduce((a, b) => a + b, 0)
    all += lanes * Math.max(...batch)
  }
  return busy / all
}

export interface StudyOptions {
  readonly threads: readonly number[]
  readonly studyScale: number
  readonly signal?: AbortSignal
}

export async function* studyRecords(
  target: StudyTarget,
  options: StudyOptions
): AsyncGenerator<KernelRecord | Missing> {
  // An engine of one thread gives the same figure whatever is asked for.
  const threadCounts = target.engine === 'cpu' ? options.threads : [Math.max(...options.threads)]
  for (const studyCase of studyCases) {
    const wanted = await referenceMinima(studyCase)
    const share = target.engine === 'reference' ? referenceShare : 1
    const counts = studyCase.starts.map(usual =>
      Math.max(leastStarts, Math.round((usual * options.studyScale) / share))
    )
    for (const threads of threadCounts) {
      let secondsPerStart = 0
      for (const count of new Set(counts)) {
        if (options.signal?.aborted) return
        const predicted = secondsPerStart * count
        if (predicted > studyLimitSeconds) {
          const limit = `more than ${formatSeconds(studyLimitSeconds)}`
          const reason = `${studyCase.name}, ${count} starts, is left out: it would take about ${formatSeconds(predicted)}, ${limit}.`
          yield { ...target, kernel: 'study', reason }
          continue
        }
        const made = await studyRecord(studyCase, target, count, threads, wanted)
        secondsPerStart = median(made.seconds) / count
        yield made
      }
    }
  }
}

/** A study that is set up, and what has been measured of it so far. */
export class OpenStudy {
  private readonly seconds: number[] = []
  private readonly peaks: number[] = []
  private readonly joules: (number | null)[] = []
  private error: string | undefined
  private readonly timer: KernelTimer | undefined
  private constructor(
    private readonly studyCase: StudyCase,
    private readonly target: StudyTarget,
    private readonly setup: Setup,
    private readonly wanted: readonly number[],
    private readonly cards: CardPower | undefined
  ) {
    this.timer = setup.engine.timer?.(setup.problem)
  }

  /** @param options `wanted`: losses of minima that must be found */
  static async open(
    studyCase: StudyCase,
    target: StudyTarget,
    count: number,
    options: { readonly threads: number; readonly wanted: readonly number[]; readonly cards?: CardPower | undefined }
  ): Promise<OpenStudy> {
    const setup = await setUp(configOf(studyCase, target, count), { threads: options.threads })
    return new OpenStudy(studyCase, target, setup, options.wanted, options.cards)
  }

  get name(): string {
    return this.studyCase.name
  }

  /** Runs the whole study once: seconds, and joules where they can be read. */
  async repeat(): Promise<{ seconds: number; joules: number | null }> {
    const used = meterEnergy(this.cards)
    const began = performance.now()
    const { folded } = await runInMemory(this.setup)
    const seconds = (performance.now() - began) / 1000
    const joules = energyOf(used(), this.cards !== undefined)
    const found = [...folded.minima.column('loss')]
    const lost = this.wanted.find(w => !found.some(f => Math.abs(f - w) <= lossTolerance * Math.max(1, Math.abs(w))))
    if (lost !== undefined)
      this.error = `The minimum with loss ${lost} that the reference finds from these starts is missing.`
    return { seconds, joules }
  }

  /** A repeat that counts, after a look at the peak. */
  async sample(): Promise<void> {
    if (this.timer?.peak) this.peaks.push((await this.timer.peak(peakMilliseconds)) / 1e9)
    const { seconds, joules } = await this.repeat()
    this.seconds.push(seconds)
    this.joules.push(joules)
  }

  /** The samples as a record. @param searches how often the search alone is timed */
  async record(searches: number): Promise<KernelRecord> {
    const { setup, target, seconds, error } = this
    const { problem, engine, program } = setup
    const { model } = problem
    const count = setup.config.starts.count
    const alone: Search[] = []
    for (let k = 0; k < searches; k++) alone.push(await search(setup, this.timer?.lanes))
    const sorted = ascending(seconds)
    const rate = (q: number): number => count / quantileSorted(sorted, q)
    const searchSeconds = median(alone.map(s => s.seconds))
    const flops = program.needs === 'H' ? hessianFlops(problem) : gradientFlops(problem)
    const good = error === undefined
    const gflops = good ? (flops * alone[0].steps) / searchSeconds / 1e9 : 0
    const peakGflops = this.peaks.length > 0 ? median(this.peaks) : null
    const joules = this.joules.filter(j => j !== null)
    return {
      engine: target.engine,
      precision: target.precision,
      kernel: 'study',
      sizes: {
        N: problem.rows,
        D: model.inputs,
        hidden: layoutOf(model).hidden,
        P: parameterCount(model),
        R: count
      },
      perSecond: good ? rate(0.5) : 0,
      gflops,
      peakGflops,
      share: peakGflops === null ? null : gflops / peakGflops,
      name: this.name,
      threads: engine.threads,
      seconds,
      repeats: 1,
      rounds: seconds.length,
      spread: { q25: rate(0.75), q75: rate(0.25), best: rate(0) },
      ...(error === undefined ? {} : { error }),
      occupancy: alone[0].occupancy,
      occupancyWithoutRefill: alone[0].withoutRefill,
      searchPerSecond: count / searchSeconds,
      evaluationsPerSecond: alone[0].steps / searchSeconds,
      joulesPerRun: joules.length > 0 ? median(joules) / count : null,
      ...(target.device === undefined ? {} : { device: target.device })
    }
  }

  close(): void {
    this.setup.dispose()
  }
}

async function studyRecord(
  studyCase: StudyCase,
  target: StudyTarget,
  count: number,
  threads: number,
  wanted: readonly number[]
): Promise<KernelRecord> {
  const study = await OpenStudy.open(studyCase, target, count, { threads, wanted })
  try {
    for (let round = 0; round < studyRounds; round++) await study.sample()
    return await study.record(studyRounds)
  } finally {
    study.close()
  }
}
