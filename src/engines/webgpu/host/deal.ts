/** Which starts of a request are still to be run, which a device has, and which have come back: nothing is lost with a device. */
import type { Ranges } from '../../process/protocol.js'

/** So many starts at least are dealt at a time. */
const leastDealt = 64

export class Deal<Device> {
  /** Pairs of first and count, in order. */
  private free: { first: number; count: number }[]
  private readonly held = new Map<Device, Set<number>>()

  constructor(count: number) {
    this.free = count > 0 ? [{ first: 0, count }] : []
  }

  /** Starts that no device has. */
  get left(): number {
    return this.free.reduce((sum, { count }) => sum + count, 0)
  }

  /** @param devices that share what is left: towards the end everyone gets less, so that all end together */
  deal(device: Device, wanted: number, devices: number): { readonly ranges: Ranges; readonly end: boolean } {
    const share = devices > 1 ? Math.max(leastDealt, Math.ceil(this.left / (2 * devices))) : Infinity
    const held = this.held.get(device) ?? new Set()
    this.held.set(device, held)
    const ranges: number[] = []
    for (let rest = Math.min(wanted, share); rest > 0 && this.free.length > 0;) {
      const [range] = this.free
      const n = Math.min(rest, range.count)
      ranges.push(range.first, n)
      for (let i = 0; i < n; i++) held.add(range.first + i)
      range.first += n
      range.count -= n
      rest -= n
      if (range.count === 0) this.free.shift()
    }
    return { ranges: Float64Array.from(ranges), end: this.free.length === 0 }
  }

  /** Runs that came back. */
  done(device: Device, starts: Iterable<number>): void {
    const held = this.held.get(device)
    for (const start of starts) held?.delete(start)
  }

  /** The device is gone, or has ended its work: what it still had is free again. @returns how many starts that is */
  release(device: Device): number {
    const starts = [...(this.held.get(device) ?? [])].sort((a, b) => a - b)
    this.held.delete(device)
    const ranges: { first: number; count: number }[] = []
    for (const start of starts) {
      const last = ranges.at(-1)
      if (last && last.first + last.count === start) last.count++
      else ranges.push({ first: start, count: 1 })
    }
    this.free = [...ranges, ...this.free]
    return starts.length
  }
}
