/**
 * Summaries of streams in bounded memory that do not depend on the order in which runs end: quantiles, a sample of runs, a
 * count of distinct keys. Where something must be left out, what is kept is decided by a hash of the start number (or of
 * the key) alone, so the same runs give the same summary whatever the threads and the batch.
 */
import { quantileSorted } from '../core/stats.js'
import type { Histogram, Quantiles } from '../core/result.js'
import type { Coded } from '../core/coded.js'
import { doubled, ValueTable } from './valueTable.js'

/** A 32-bit hash of a non-negative integer below 2⁵³ (the finaliser of MurmurHash3 over both halves). */
export function hashInteger(n: number): number {
  let h = n | 0
  if (n >= 2 ** 32) h ^= Math.imul(Math.floor(n / 2 ** 32), 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Those of a column. */
export function hashIntegers(values: Float64Array, out: Uint32Array = new Uint32Array(values.length)): Uint32Array {
  for (let i = 0; i < out.length; i++) out[i] = hashInteger(values[i])
  return out
}

/** Runs that a thinned sample keeps at most; at least half as many once it has overflowed. */
export const sampleCapacity = 1 << 16
/** Values that differ by less than this, times max(1, |value|), are one bar of a histogram. */
const sameValues = 1e-9
/** Distinct values that `QuantileSketch` counts exactly. */
export const exactDistinct = 1 << 16

/**
 * Rows of numbers, one per run, thinned to those whose hash lies below a threshold that halves on overflow. The threshold
 * at the end is the largest 2³²⁻ʲ that leaves fewer than `capacity` runs: a function of the set of runs, not of its order.
 */
export class ThinnedSample {
  count = 0
  private threshold = 2 ** 32
  private hashes: Uint32Array
  private columns: Float64Array[]
  private room = new Uint32Array(0)

  /** @param expected runs at most, so that nothing has to grow */
  constructor(
    width: number,
    private readonly capacity = sampleCapacity,
    expected = 256
  ) {
    const rows = Math.max(1, Math.min(capacity, expected))
    this.hashes = new Uint32Array(rows)
    this.columns = Array.from({ length: width }, () => new Float64Array(rows))
  }

  /**
   * Makes room for runs with these hashes, `offered` of them where it is given (1 for those). Returns the places of the runs that are kept
   * for now, until the next are taken; their rows are the last ones: fill every column of them.
   */
  take(hashes: Uint32Array, offered?: Uint8Array): Uint32Array {
    if (this.room.length < hashes.length) this.room = new Uint32Array(hashes.length)
    const places = this.room
    let more = 0
    const { threshold } = this
    if (offered)
      for (let i = 0; i < hashes.length; i++) {
        places[more] = i
        more += hashes[i] < threshold && offered[i] === 1 ? 1 : 0
      }
    else
      for (let i = 0; i < hashes.length; i++) {
        places[more] = i
        more += hashes[i] < threshold ? 1 : 0
      }
    while (this.count + more > this.capacity) {
      this.halve()
      let kept = 0
      for (let n = 0; n < more; n++) {
        places[kept] = places[n]
        kept += hashes[places[n]] < this.threshold ? 1 : 0
      }
      more = kept
    }
    while (this.count + more > this.hashes.length) this.grow()
    for (let n = 0; n < more; n++) this.hashes[this.count++] = hashes[places[n]]
    return places.subarray(0, more)
  }

  /** Column c of the runs that were taken last, `which` of their block: column `at` of values [·, width], of rows `row` where given. */
  fill(c: number, values: Float64Array, which: Uint32Array, width = 1, at = 0, row?: Uint32Array | Uint16Array): void {
    const column = this.columns[c]
    const from = this.count - which.length
    if (row) for (let n = 0; n < which.length; n++) column[from + n] = values[row[which[n]] * width + at]
    else for (let n = 0; n < which.length; n++) column[from + n] = values[which[n] * width + at]
  }

  column(c: number): Float64Array {
    return this.columns[c]
  }

  /** True while no run has been left out. */
  get complete(): boolean {
    return this.threshold === 2 ** 32
  }

  private halve(): void {
    this.threshold /= 2
    const { hashes, threshold } = this
    const kept = new Uint32Array(this.count)
    let to = 0
    for (let from = 0; from < this.count; from++) {
      kept[to] = from
      if (hashes[from] < threshold) hashes[to++] = hashes[from]
    }
    for (const column of this.columns) for (let n = 0; n < to; n++) column[n] = column[kept[n]]
    this.count = to
  }

  private grow(): void {
    const size = 2 * this.hashes.length
    const hashes = new Uint32Array(size)
    hashes.set(this.hashes)
    this.hashes = hashes
    this.columns = this.columns.map(doubled)
  }
}

/** Distinct values of runs, and how many runs have each. */
export type Tally = Pick<Coded, 'values' | 'counts'>

/** How often each distinct value came. */
class ValueCounts {
  private readonly table = new ValueTable()
  private counts = new Float64Array(this.table.room)

  get size(): number {
    return this.table.size
  }

  add(value: number, times: number): void {
    const at = this.table.place(value)
    if (at === this.counts.length) this.counts = doubled(this.counts)
    this.counts[at] += times
  }

  /** Distinct values, ascending, and how many there are of each and of those before it. */
  sorted(): { values: Float64Array; upTo: Float64Array } {
    const order = this.table.sorted()
    const values = this.table.valuesAt(order)
    const upTo = new Float64Array(values.length)
    for (let i = 0, sum = 0; i < upTo.length; i++) upTo[i] = sum += this.counts[order[i]]
    return { values, upTo }
  }
}

/**
 * Quantiles of a stream. Exact (each distinct value with its count) while there are at most `exactDistinct` distinct values;
 * beyond, quartiles are those of a thinned sample of the runs (of at least `sampleCapacity`/2 of them: standard error of a
 * quartile's rank below 0.3 %), minimum and maximum stay exact. NaN is left out.
 */
export class QuantileSketch {
  count = 0
  private min = Infinity
  private max = -Infinity
  private exact: ValueCounts | undefined = new ValueCounts()

  /** @param sample of the same runs, whose column `column` holds their values, NaN for runs that are not added here */
  constructor(
    private readonly sample: ThinnedSample,
    private readonly column: number
  ) {}

  /** Values of runs, and how many runs have each. */
  add({ values, counts }: Tally): void {
    for (let j = 0; j < values.length; j++) {
      const value = values[j]
      if (counts[j] === 0 || Number.isNaN(value)) continue
      if (value < this.min) this.min = value
      if (value > this.max) this.max = value
      this.count += counts[j]
      this.tally(value, counts[j])
    }
  }

  private tally(value: number, times: number): void {
    if (!this.exact) return
    this.exact.add(value, times)
    if (this.exact.size > exactDistinct) this.exact = undefined
  }

  /** Whether quartiles are exact. */
  get isExact(): boolean {
    return this.exact !== undefined || this.sample.complete
  }

  /** All NaN when nothing was added. */
  result(): Quantiles {
    if (this.count === 0) return { min: NaN, q25: NaN, median: NaN, q75: NaN, max: NaN }
    const at = this.exact ? this.exactQuantile(this.exact) : this.sampleQuantile()
    return { min: this.min, q25: at(0.25), median: at(0.5), q75: at(0.75), max: this.max }
  }

  /** Counts in `bins` intervals of equal width from the smallest to the largest value; scaled up from the sample beyond `exactDistinct`. */
  histogram(bins: number): Histogram | undefined {
    const { min, max, count } = this
    if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined
    const width = (max - min) / bins
    // What differs by rounding is the same.
    if (!(max - min > sameValues * Math.max(1, Math.abs(min), Math.abs(max))))
      return { low: min, high: max, counts: [count] }
    const counts = new Array<number>(bins).fill(0)
    const place = (value: number, times: number): void => {
      counts[Math.min(bins - 1, Math.floor((value - min) / width))] += times
    }
    if (this.exact) {
      const { values, upTo } = this.exact.sorted()
      values.forEach((value, i) => place(value, upTo[i] - (i > 0 ? upTo[i - 1] : 0)))
    } else {
      const sample = this.sampled()
      for (const value of sample) place(value, count / sample.length)
    }
    return { low: min, high: max, counts }
  }

  /** The values of the sample. */
  private sampled(): Float64Array {
    const { sample, column } = this
    return sample
      .column(column)
      .subarray(0, sample.count)
      .filter(v => v === v)
  }

  private sampleQuantile(): (q: number) => number {
    const sorted = this.sampled().sort()
    return q => quantileSorted(sorted, q)
  }

  private exactQuantile(exact: ValueCounts): (q: number) => number {
    const { values, upTo } = exact.sorted()
    const order = (k: number): number => values[firstAbove(upTo, k)]
    return q => {
      const rank = q * (this.count - 1)
      const low = Math.floor(rank)
      return quantileSorted([order(low), order(Math.min(low + 1, this.count - 1))], rank - low)
    }
  }
}

/** Place of the first of the ascending values that is above k. */
function firstAbove(values: Float64Array, k: number): number {
  let low = 0
  for (let high = values.length; low < high;) {
    const middle = (low + high) >> 1
    if (values[middle] > k) high = middle
    else low = middle + 1
  }
  return low
}

/** Distinct keys counted exactly; beyond, their number is estimated to about 1.6 %. */
export const distinctCapacity = 4096

/**
 * Number of distinct keys in bounded memory: exact up to `distinctCapacity`; beyond, only keys whose hash lies below a
 * halving threshold are kept, and their number is scaled up (adaptive sampling, Flajolet 1990).
 */
export class DistinctCounter {
  private keys = new Set<number>()
  private threshold = 2 ** 32

  add(key: number): void {
    if (this.threshold < 2 ** 32 && hashInteger(key) >= this.threshold) return
    this.keys.add(key)
    while (this.keys.size > distinctCapacity) {
      this.threshold /= 2
      for (const kept of this.keys) if (hashInteger(kept) >= this.threshold) this.keys.delete(kept)
    }
  }

  get size(): number {
    return Math.round(this.keys.size * (2 ** 32 / this.threshold))
  }
}
