/** `manystart bench` alone: certified runs per second, gradients and Hessians beside the machine's peaks, in one to two minutes. */
import { availableParallelism } from 'node:os'
import { twoSidedQuantile } from '../../analysis/inference/distributions.js'
import type { EngineEntry, Precision } from '../../engines/types.js'
import { CardPower } from '../energy.js'
import { readConditions } from '../conditions.js'
import { benchKernels, targetsOf } from '../kernels/kernels.js'
import type { KernelRecord, KernelResults, Missing } from '../kernels/records.js'
import { OpenStudy, referenceMinima, type StudyTarget } from '../kernels/studies.js'
import { describeMachine } from '../machine.js'
import { geometricMean, median } from '../statistics.js'
import { cardStudies, cardVersion, definition, roundUp, unit, type Scale } from './definition.js'

/** The headline of one engine on one device. */
export interface Score {
  readonly engine: StudyTarget['engine']
  readonly device?: string
  readonly precision: Precision
  readonly threads: number
  /** Certified runs per second; 0 where a study was wrong. */
  readonly value: number
  /** Of each repeat. */
  readonly repeats: readonly number[]
  /** 95 %, over the repeats. */
  readonly low: number
  readonly high: number
}

export interface Card {
  readonly version: number
  readonly definition: string
  readonly unit: string
  /** The highest first. */
  readonly scores: readonly Score[]
  /** Made in seconds, to see that it works: nothing to quote. */
  readonly quick: boolean
}

export interface CardResults extends KernelResults {
  readonly card: Card
}

export interface CardProgress {
  /** Of the work, 0 to 1. */
  readonly share: number
  readonly secondsLeft: number
  readonly doing: string
}

export interface CardOptions {
  readonly engines: readonly EngineEntry[]
  readonly devices?: readonly string[]
  readonly threads?: number
  readonly scale: Scale
  readonly quick: boolean
  readonly onProgress?: (progress: CardProgress) => void
  readonly signal?: AbortSignal
}

/** Engines whose speed people ask for; the others compute the same for comparison. */
const usual: readonly EngineEntry['name'][] = ['cpu', 'webgpu']

/** Of all engines those that are fast here: the processor's and the GPUs'; where there are none, the reference. */
export async function measuredEngines(all: readonly EngineEntry[]): Promise<EngineEntry[]> {
  const found: EngineEntry[] = []
  for (const entry of all.filter(e => usual.includes(e.name))) {
    const devices = (await entry.devices?.()) ?? []
    const supports = devices.length > 0 ? devices.map(d => d.support) : [await entry.available()]
    // A GPU that is the processor in disguise is measured when it is named.
    if (supports.some(support => support.ok && support.software !== true)) found.push(entry)
  }
  return found.length > 0 ? found : all.filter(e => e.name === 'reference')
}

const confidence = 0.95

/** Mean of the logarithms of one score for each repeat, with Student's interval. */
export function scoreOf(repeats: readonly number[]): { value: number; low: number; high: number } {
  const value = median(repeats)
  if (!(Math.min(...repeats) > 0)) return { value: 0, low: 0, high: 0 }
  const logs = repeats.map(Math.log)
  const n = logs.length
  const mean = logs.reduce((a, b) => a + b, 0) / n
  if (n < 2) return { value, low: 0, high: Infinity }
  const variance = logs.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1)
  const half = twoSidedQuantile(confidence, n - 1) * Math.sqrt(variance / n)
  return { value, low: Math.exp(mean - half), high: Math.exp(mean + half) }
}

/** Tells how far the plan has come. Weights are seconds as planned; what is left goes by the pace so far. */
class Plan {
  private done = 0
  private readonly began = performance.now()
  constructor(
    private readonly total: number,
    private readonly tell: CardOptions['onProgress']
  ) {}
  begin(doing: string): void {
    const pace = this.done > 0 ? (performance.now() - this.began) / 1000 / this.done : 1
    const left = Math.max(0, this.total - this.done)
    this.tell?.({ share: 1 - left / this.total, secondsLeft: left * pace, doing })
  }
  end(weight: number): void {
    this.done += weight
  }
}

/** Certified runs of the studies on one engine. */
async function studies(
  target: StudyTarget,
  threads: number,
  cards: CardPower | undefined,
  plan: Plan,
  { scale, signal }: CardOptions
): Promise<{ records: KernelRecord[]; score: Score } | undefined> {
  const where = target.device === undefined ? target.engine : `${target.engine} on ${target.device}`
  const open: OpenStudy[] = []
  try {
    for (const studyCase of cardStudies) {
      plan.begin(`${where}: ${studyCase.name}, how many starts`)
      const wanted = await referenceMinima(studyCase)
      let count = scale.firstStarts
      for (;;) {
        if (signal?.aborted) return undefined
        const study = await OpenStudy.open(studyCase, target, count, { threads, wanted, cards })
        const { seconds } = await study.repeat()
        if (seconds >= scale.studySeconds) {
          open.push(study)
          break
        }
        study.close()
        // At most a hundredfold at a time: the first starts of an engine say little of its pace.
        count = roundUp(Math.max(count + 1, count * Math.min(100, (1.2 * scale.studySeconds) / seconds)))
      }
      plan.end(2 * scale.studySeconds)
    }
    for (let round = 0; round < scale.rounds; round++)
      for (const study of open) {
        if (signal?.aborted) return undefined
        plan.begin(`${where}: ${study.name}, ${round + 1} of ${scale.rounds}`)
        await study.sample()
        plan.end(2 * scale.studySeconds)
      }
    const records: KernelRecord[] = []
    for (const study of open) {
      if (signal?.aborted) return undefined
      plan.begin(`${where}: ${study.name}, search alone`)
      records.push(await study.record(1))
      plan.end(scale.studySeconds)
    }
    const rates = Array.from({ length: scale.rounds }, (_, k) =>
      geometricMean(records.map(r => (r.error === undefined ? r.sizes.R / r.seconds[k] : 0)))
    )
    return { records, score: { ...target, threads: records[0].threads, repeats: rates, ...scoreOf(rates) } }
  } finally {
    for (const study of open) study.close()
  }
}

/** An engine searches a card in the precision in which it is fastest among those that a study takes by itself. */
const searchPrecision = (entry: EngineEntry): Precision => (entry.precisions.includes('f64') ? 'f64' : 'f32')

/** Measures the card; what an interruption cut off is missing in it. */
export async function benchCard(options: CardOptions): Promise<CardResults> {
  const began = performance.now()
  const machine = describeMachine()
  const before = readConditions()
  const threads = options.threads ?? availableParallelism()
  const { scale, signal } = options
  const targets: { entry: EngineEntry; device: string | undefined }[] = []
  const missing: Missing[] = []
  for (const entry of options.engines) {
    const found = await targetsOf(entry, options.devices)
    missing.push(...found.missing)
    targets.push(...found.targets.map(device => ({ entry, device })))
  }
  const perStudies = cardStudies.length * (2 + 2 * scale.rounds + 1) * scale.studySeconds
  const kernelCount = targets.reduce((n, t) => n + 2 * scale.sizes.length * t.entry.precisions.length, 0)
  const perKernel = 2 * scale.secondsPerKernel
  const plan = new Plan(targets.length * perStudies + kernelCount * perKernel, options.onProgress)
  const cards = CardPower.open(machine.energy.gpu === null ? 0 : (machine.gpus?.length ?? 0))
  try {
    plan.begin('gradients and Hessians')
    const kernels = await benchKernels({
      engines: options.engines,
      ...(options.devices ? { devices: options.devices } : {}),
      kernels: ['gradient', 'hessian'],
      sizes: scale.sizes,
      threads: [threads],
      kernelThreads: threads,
      secondsPerKernel: scale.secondsPerKernel,
      studyScale: 1,
      onRecord: r => {
        plan.end(perKernel)
        plan.begin(`${r.engine} ${r.precision}: ${r.kernel}s`)
      },
      ...(cards ? { cards } : {}),
      ...(signal ? { signal } : {})
    })
    const records = [...kernels.records]
    const scores: Score[] = []
    for (const { entry, device } of targets) {
      const target = {
        engine: entry.name,
        ...(device === undefined ? {} : { device }),
        precision: searchPrecision(entry)
      }
      const found = await studies(target, threads, cards, plan, options)
      if (!found) break
      records.push(...found.records)
      scores.push(found.score)
    }
    scores.sort((a, b) => b.value - a.value)
    return {
      format: 'manystart/bench',
      version: 1,
      machine,
      records,
      missing: [...missing, ...kernels.missing.filter(m => m.kernel !== undefined)],
      wallSeconds: (performance.now() - began) / 1000,
      ...(kernels.engines ? { engines: kernels.engines } : {}),
      conditions: [before, readConditions()],
      card: { version: cardVersion, definition, unit, scores, quick: options.quick }
    }
  } finally {
    cards?.close()
  }
}
