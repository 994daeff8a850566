/**
 * The run loop on a GPU: submits of some rounds, of which the next is under way while the results of the last are read; starts that go
 * to the queue; end points that come back. Runs never wait for each other: which lane a run is in, and when, changes nothing.
 */
import type { RunBlock } from '../../types.js'
import type { PlainRequest } from '../../process/protocol.js'
import { Batch, type Submitted } from './batch.js'
import { GpuMemoryError, type Gpu } from './device.js'
import { Evaluator, laneMultiple } from './evaluate.js'
import { Growth, Pace, lanesThatFit } from './pace.js'
import { Plan, resultHead, tracedRounds } from './plan.js'
import type { Supply } from './supply.js'
import type { Problem } from '../../../models/types.js'

export interface RunLimits {
  readonly signal?: AbortSignal
  readonly onOccupancy?: (busy: number, all: number) => void
}

/** Lanes to begin with where time tells the rest: enough to see whether more are worth it. */
const firstLanes = { software: 128, hardware: 16384 } as const

/** Slow runs are handed over before a block is full: progress shows, and an interruption finds little unjudged. */
const patienceMilliseconds = 1000

interface Finished {
  readonly start: number
  readonly theta: Float32Array
  readonly loss: number
  readonly gradientNorm: number
  readonly steps: number
  readonly status: number
  readonly report: Float32Array
  readonly trace: readonly number[]
}

/** A run under way or in the queue. */
interface Entry {
  /** Its place in the request. */
  readonly index: number
  readonly trace: number[]
}

class Runner {
  /** By entry, the number by which the GPU knows a run. */
  private readonly entries = new Map<number, Entry>()
  private readonly done: Finished[] = []
  private readonly growth: Growth
  private readonly first: number
  private busy = 0
  private all = 0
  private delivered = 0
  /** When the last block was handed over. */
  private handed = performance.now()

  constructor(
    private readonly plan: Plan,
    private readonly supply: Supply,
    private readonly limits: RunLimits
  ) {
    const { gpu, request } = plan
    const terms = plan.laneTerms()
    const fixed = Evaluator.fixedBytes(plan.problem)
    const most = lanesThatFit(gpu.limits, terms, fixed, plan.placeBytes, plan.largestPerLane())
    this.growth = new Growth(most, request.lanes !== undefined)
    this.first = request.starts.first ?? 0
  }

  private get aborted(): boolean {
    return this.limits.signal?.aborted === true
  }

  async *run(): AsyncGenerator<RunBlock> {
    const { gpu, request } = this.plan
    const { count } = request.starts
    const guess = request.lanes ?? (gpu.software ? firstLanes.software : firstLanes.hardware)
    let lanes: number | undefined = this.growth.first(count, Math.ceil(guess / laneMultiple) * laneMultiple)
    while (lanes !== undefined && !this.aborted) {
      const batch = await this.create(lanes)
      try {
        lanes = yield* this.through(batch)
      } catch (error) {
        // Memory can run out after all buffers have been made, too.
        lanes = error instanceof GpuMemoryError ? this.growth.halved(batch.lanes) : undefined
        if (lanes === undefined) throw error
      } finally {
        batch.dispose()
      }
      // Runs that had begun begin again.
      this.supply.giveBack(Array.from(this.entries.values(), entry => entry.index))
      this.entries.clear()
    }
    if (this.aborted) return
    if (this.done.length > 0) yield this.block(this.done.splice(0))
    this.limits.onOccupancy?.(this.busy, this.all)
  }

  private async create(lanes: number): Promise<Batch> {
    for (let tried = lanes; ;) {
      try {
        return await Batch.create(this.plan, tried)
      } catch (error) {
        const less = error instanceof GpuMemoryError ? this.growth.halved(tried) : undefined
        if (less === undefined) throw error
        tried = less
      }
    }
  }

  /** Runs starts until there are no more. @returns the lanes of another batch when that should go on with them */
  private async *through(batch: Batch): AsyncGenerator<RunBlock, number | undefined> {
    const { request, own } = this.plan
    const pace = new Pace()
    const underWay: Submitted[] = []
    let head = 0
    let put = 0
    let arrived = 0
    let measured = 0

    const fill = (): void => {
      const room = batch.places - ((put - head + 2 ** 32) % 2 ** 32)
      const starts = this.supply.take(room)
      if (starts.length === 0) return
      const entry = batch.put(
        starts.map(i => own?.orderOf(i) ?? this.first + i),
        this.pointsOf(starts),
        own?.words(starts)
      )
      starts.forEach((index, i) => this.entries.set((entry + i) % 2 ** 32, { index, trace: [] }))
      put = (put + starts.length) % 2 ** 32
    }
    const launch = (): void => {
      this.plan.gpu.beforeLaunch?.(this.delivered)
      fill()
      // A run needs no more rounds than its budget; with a queue behind it others follow.
      const useful = request.trace ? tracedRounds : Math.max(this.supply.stock > 0 ? 1024 : 0, request.stop.steps)
      const submitted = batch.launch(pace.rounds(useful))
      submitted.counters.catch(() => undefined)
      underWay.push(submitted)
      this.all += batch.lanes * submitted.rounds
    }
    /** The results of the oldest submit; the next one is on its way before they are here. */
    const collect = async (goOn: boolean): Promise<void> => {
      const submitted = underWay[0]
      const counters = await submitted.counters
      underWay.shift()
      head = counters.head
      if (measured++ > 0 || submitted.rounds > 1)
        pace.note(submitted.rounds, submitted.arrived - Math.max(submitted.launched, arrived))
      arrived = submitted.arrived
      const paths = request.trace ? await batch.paths(submitted.rounds) : undefined
      const results = counters.results > 0 ? batch.results(submitted, counters.results) : undefined
      results?.catch(() => undefined)
      if (goOn && this.supply.stock > 0) launch()
      if (paths) this.follow(new Uint32Array(paths), submitted.rounds, batch.lanes)
      if (results) this.take(await results, counters.results)
    }

    while (!this.aborted) {
      if (this.entries.size === 0 && this.supply.stock === 0) {
        if (this.supply.ended) return undefined
        await this.supply.wait()
        continue
      }
      if (underWay.length === 0) launch()
      // Two are under way while there are starts to come; a path must be read before the next submit.
      if (underWay.length === 1 && this.supply.stock > 0 && measured > 1 && !request.trace) launch()
      await collect(measured > 1 && !request.trace)
      yield* this.full()
      const round = pace.roundMilliseconds
      const other = round === undefined ? undefined : this.growth.next(batch.lanes, round, this.left())
      if (other === undefined) continue
      while (underWay.length > 0) await collect(false)
      yield* this.full()
      return other
    }
    return undefined
  }

  /** Starts that no lane holds, as far as this side knows. */
  private left(): number {
    const rest = this.plan.request.starts.count - this.delivered - this.entries.size
    return this.supply.ended ? Math.min(rest, this.supply.stock) : rest
  }

  private pointsOf(starts: readonly number[]): Float32Array<ArrayBuffer> | undefined {
    const { request, parameters: P } = this.plan
    if (request.starts.kind === 'random') return undefined
    const points = new Float32Array(starts.length * P)
    const { theta } = request.starts
    starts.forEach((index, i) => points.set(theta.subarray(index * P, (index + 1) * P), i * P))
    return points
  }

  /** @param words [rounds, 3, lanes] */
  private follow(words: Uint32Array, rounds: number, lanes: number): void {
    const numbers = new Float32Array(words.buffer)
    for (let round = 0; round < rounds; round++)
      for (let lane = 0; lane < lanes; lane++) {
        const at = round * 3 * lanes + lane
        this.entries.get(words[at])?.trace.push(numbers[at + lanes], numbers[at + 2 * lanes])
      }
  }

  /** @param data [count, width] words */
  private take(data: ArrayBuffer, count: number): void {
    const { width, request } = this.plan
    const words = new Uint32Array(data)
    const numbers = new Float32Array(data)
    const K = request.program.report.length
    for (let i = 0; i < count; i++) {
      const at = i * width
      const entry = this.entries.get(words[at])
      if (!entry) throw new Error('the GPU delivered a run that was not given to it')
      this.entries.delete(words[at])
      const steps = words[at + 2]
      this.busy += steps
      this.delivered++
      this.done.push({
        start: this.first + entry.index,
        status: words[at + 1],
        steps,
        loss: numbers[at + 3],
        gradientNorm: numbers[at + 4],
        report: numbers.subarray(at + resultHead, at + resultHead + K),
        theta: numbers.subarray(at + resultHead + K, at + width),
        trace: entry.trace
      })
    }
  }

  private *full(): Generator<RunBlock> {
    const size = this.plan.request.blockRuns ?? 2048
    while (this.done.length >= size && !this.aborted) yield this.block(this.done.splice(0, size))
    const late = performance.now() - this.handed > patienceMilliseconds
    if (late && this.done.length > 0 && !this.aborted) yield this.block(this.done.splice(0))
  }

  private block(done: readonly Finished[]): RunBlock {
    this.handed = performance.now()
    const { parameters: P, request } = this.plan
    const K = request.program.report.length
    const theta = new Float64Array(done.length * P)
    const report = new Float64Array(done.length * K)
    done.forEach((run, i) => {
      theta.set(run.theta, i * P)
      report.set(run.report, i * K)
    })
    return {
      count: done.length,
      start: Float64Array.from(done, d => d.start),
      theta,
      loss: Float64Array.from(done, d => d.loss),
      gradientNorm: Float64Array.from(done, d => d.gradientNorm),
      steps: Uint32Array.from(done, d => d.steps),
      status: Uint8Array.from(done, d => d.status),
      report,
      ...(request.trace ? { traces: done.map(d => Float64Array.from(d.trace)) } : {})
    }
  }
}

/** All runs of a request whose starts `supply` has or will have. */
export async function* minimise(
  gpu: Gpu,
  problem: Problem,
  request: PlainRequest,
  supply: Supply,
  limits: RunLimits
): AsyncGenerator<RunBlock> {
  const plan = await Plan.make(gpu, problem, request)
  yield* new Runner(plan, supply, limits).run()
}
