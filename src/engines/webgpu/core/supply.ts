/** Where a batch gets its starts from: all of the request, or parts that the program hands out to several devices. */
import type { Ranges } from '../../process/protocol.js'

/** Starts by their place in the request. */
export interface Supply {
  /** Up to `count` starts that are at hand. */
  take(count: number): number[]
  /** Starts that were taken and did not run come first again. */
  giveBack(starts: readonly number[]): void
  /** Whether there will be no more than are at hand. */
  readonly ended: boolean
  /** How many are at hand. */
  readonly stock: number
  /** Resolves when there are some at hand, or will be none. */
  wait(): Promise<void>
}

class Stock {
  private readonly single: number[] = []
  private readonly ranges: { first: number; count: number }[] = []
  size = 0

  add(ranges: Ranges): void {
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i + 1] === 0) continue
      this.ranges.push({ first: ranges[i], count: ranges[i + 1] })
      this.size += ranges[i + 1]
    }
  }
  giveBack(starts: readonly number[]): void {
    // One by one: there may be more than a call takes arguments.
    for (const start of starts) this.single.push(start)
    this.size += starts.length
  }
  take(count: number): number[] {
    const taken = this.single.splice(0, count)
    while (taken.length < count && this.ranges.length > 0) {
      const range = this.ranges[0]
      const n = Math.min(count - taken.length, range.count)
      for (let i = 0; i < n; i++) taken.push(range.first + i)
      range.first += n
      range.count -= n
      if (range.count === 0) this.ranges.shift()
    }
    this.size -= taken.length
    return taken
  }
}

/** All starts of a request. */
export class WholeSupply implements Supply {
  readonly ended = true
  private readonly held = new Stock()
  constructor(count: number) {
    this.held.add(Float64Array.of(0, count))
  }
  get stock(): number {
    return this.held.size
  }
  take(count: number): number[] {
    return this.held.take(count)
  }
  giveBack(starts: readonly number[]): void {
    this.held.giveBack(starts)
  }
  wait(): Promise<void> {
    return Promise.resolve()
  }
}

/** Starts that `want` brings, some ahead of need. */
export class RemoteSupply implements Supply {
  ended = false
  private readonly held = new Stock()
  private asking: Promise<void> | undefined

  constructor(private readonly want: (count: number) => Promise<{ readonly ranges: Ranges; readonly end: boolean }>) {}

  get stock(): number {
    return this.held.size
  }

  private ask(count: number): Promise<void> {
    this.asking ??= this.want(count).then(({ ranges, end }) => {
      this.held.add(ranges)
      this.ended = end
      this.asking = undefined
    })
    return this.asking
  }

  take(count: number): number[] {
    const taken = this.held.take(count)
    // As many again as were wanted should be at hand next time.
    if (!this.ended && this.held.size < count) void this.ask(2 * count)
    return taken
  }
  giveBack(starts: readonly number[]): void {
    this.held.giveBack(starts)
  }
  async wait(): Promise<void> {
    if (this.held.size === 0 && !this.ended) await this.ask(64)
  }
}
