/** Runs on several devices at once: deals starts, gathers blocks, and lets others finish what a device that failed had begun. */
import { startPoint, parameterCount } from '../../../models/model.js'
import type { Model } from '../../../models/types.js'
import type { PlainRequest } from '../../process/protocol.js'
import { inputsOf } from '../../inputs.js'
import type { Objective, RunBlock, Starts } from '../../types.js'
import { Deal } from './deal.js'

/** Blocks from several sources for one consumer, who may be slower. */
class BlockQueue {
  private readonly blocks: { readonly block: RunBlock; readonly taken: () => void }[] = []
  private wake: (() => void) | undefined
  private failure: Error | undefined
  private ended = false
  private closed = false

  /** @param taken called when the consumer has it, or will not have it any more */
  push(block: RunBlock, taken: () => void): void {
    if (this.closed) {
      taken()
      return
    }
    this.blocks.push({ block, taken })
    this.wake?.()
  }
  end(failure?: Error): void {
    this.ended = true
    this.failure ??= failure
    this.wake?.()
  }
  /** Drops what is here and what comes: nobody wants it. */
  close(): void {
    this.closed = true
    for (const { taken } of this.blocks.splice(0)) taken()
    this.wake?.()
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<RunBlock> {
    for (;;) {
      const next = this.blocks.shift()
      if (next) {
        next.taken()
        yield next.block
      } else if (this.ended) {
        if (this.failure) throw this.failure
        return
      } else
        await new Promise<void>(resolve => {
          this.wake = resolve
        })
    }
  }
}

/** A device as the runs see it. */
export interface RunDevice {
  readonly usable: boolean
  /** Runs starts that it asks for until there are none; rejects with what happened to the device, or with any other error. */
  run(
    request: PlainRequest,
    hooks: {
      readonly onBlock: (block: RunBlock, taken: () => void) => void
      readonly onWant: (count: number) => ReturnType<Deal<unknown>['deal']>
      readonly signal: AbortSignal
    }
  ): Promise<{ readonly busy: number; readonly all: number }>
}

export interface RunHelp {
  /** Whether an error means that the device is of no more use. */
  isFault(error: unknown): error is Error
  /** Another objective for the same problem, when no device is left; it throws when there is none. */
  instead(fault: Error | undefined): Promise<Objective>
  /** A device failed; so many runs that it had begun go on elsewhere. */
  onFault(device: RunDevice, fault: Error, runs: number): void
}

/** Starts run at a time in the place of devices that failed. */
const insteadRuns = 4096

export async function* runOnDevices(
  devices: readonly RunDevice[],
  model: Model,
  request: PlainRequest,
  help: RunHelp,
  signal: AbortSignal | undefined,
  onOccupancy: ((busy: number, all: number) => void) | undefined
): AsyncGenerator<RunBlock> {
  const first = request.starts.first ?? 0
  const deal = new Deal<RunDevice | string>(request.starts.count)
  const queue = new BlockQueue()
  const stop = new AbortController()
  const occupancy = { busy: 0, all: 0 }
  let fault: Error | undefined

  const runOn = async (device: RunDevice, sharing: number): Promise<void> => {
    try {
      const { busy, all } = await device.run(request, {
        onBlock(block, taken) {
          deal.done(
            device,
            block.start.map(n => n - first)
          )
          queue.push(block, taken)
        },
        onWant: count => deal.deal(device, count, sharing),
        signal: stop.signal
      })
      occupancy.busy += busy
      occupancy.all += all
      deal.release(device)
    } catch (error) {
      if (!help.isFault(error)) {
        stop.abort()
        throw error
      }
      fault = error
      help.onFault(device, error, deal.release(device))
    }
  }
  const work = async (): Promise<void> => {
    while (deal.left > 0 && !stop.signal.aborted) {
      const usable = devices.filter(d => d.usable)
      if (usable.length === 0) {
        await runInstead(await help.instead(fault), model, request, deal, queue, stop.signal)
        return
      }
      const ends = await Promise.allSettled(usable.map(device => runOn(device, usable.length)))
      const failed = ends.find(end => end.status === 'rejected')
      if (failed) throw failed.reason
    }
  }
  const abort = (): void => {
    stop.abort()
    queue.close()
  }
  signal?.addEventListener('abort', abort, { once: true })
  let finished = false
  const working = work().then(
    () => queue.end(),
    (error: unknown) => queue.end(error instanceof Error ? error : new Error(String(error)))
  )
  try {
    yield* queue
    finished = true
    if (!stop.signal.aborted) onOccupancy?.(occupancy.busy, occupancy.all)
  } finally {
    signal?.removeEventListener('abort', abort)
    if (!finished) abort()
    await working
  }
}

/** All starts that are left, on another objective. */
async function runInstead(
  objective: Objective,
  model: Model,
  request: PlainRequest,
  deal: Deal<RunDevice | string>,
  queue: BlockQueue,
  signal: AbortSignal
): Promise<void> {
  const { starts } = request
  const number = starts.first ?? 0
  while (deal.left > 0 && !signal.aborted) {
    const { ranges } = deal.deal('instead', insteadRuns, 1)
    const { inputs } = request
    const inPlace = request.batch !== undefined || inputs !== undefined
    for (const { part, numbers } of partsOf(model, starts, ranges, inPlace)) {
      const own = inputs && inputsOf(inputs, starts.count, (part.first ?? 0) - number, part.count)
      const brought = own && { inputs: own }
      for await (const block of objective.minimise({ ...request, ...brought, starts: part, signal })) {
        const named = numbers ? { ...block, start: block.start.map(i => numbers[i]) } : block
        deal.done(
          'instead',
          named.start.map(n => n - number)
        )
        await new Promise<void>(resolve => queue.push(named, resolve))
        if (signal.aborted) return
      }
    }
  }
}

/**
 * Requests for parts of the starts. Scattered ones become given points, which run together; mini-batches are drawn by the number of
 * the run, and what runs bring goes by their place, so that those stay `inPlace`. `numbers`: the start numbers by place, where they are others.
 */
function partsOf(
  model: Model,
  starts: Starts,
  ranges: Float64Array,
  inPlace: boolean
): { part: Starts; numbers?: Float64Array }[] {
  const P = parameterCount(model)
  const number = starts.first ?? 0
  const pairs = Array.from({ length: ranges.length / 2 }, (_, i) => ({
    first: ranges[2 * i],
    count: ranges[2 * i + 1]
  }))
  if (inPlace || pairs.length === 1)
    return pairs.map(({ first, count }) => ({
      part:
        starts.kind === 'random'
          ? { ...starts, first: number + first, count }
          : { ...starts, theta: starts.theta.subarray(first * P, (first + count) * P), first: number + first, count }
    }))
  const places = pairs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i))
  const theta = new Float64Array(places.length * P)
  places.forEach((place, i) =>
    theta.set(
      starts.kind === 'random'
        ? startPoint(model, starts.init, starts.seed, number + place, starts.map)
        : starts.theta.subarray(place * P, (place + 1) * P),
      i * P
    )
  )
  return [
    {
      part: { kind: 'given', theta, count: places.length },
      numbers: Float64Array.from(places, place => number + place)
    }
  ]
}
