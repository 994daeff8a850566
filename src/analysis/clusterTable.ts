/** What is kept of each distinct point: columns of numbers grown by doubling, so that a million distinct points still fit. */
import { DistinctCounter } from './sketch.js'

/** A distinct point. */
export interface Cluster {
  /** The place among all, by loss. */
  readonly id: number
  /** Of the representative: the run polished best (smallest gradient norm, then smallest start). */
  readonly start: number
  readonly loss: number
  readonly gradientNorm: number
  /** Relative size of the Newton step still predicted there. */
  readonly precision: number
  /** [P], the canonical copy (as found for degenerate points). */
  readonly parameters: Float64Array
  readonly count: number
  readonly firstStart: number
  /** The first starts that led there, ascending, at most `listedStarts`. */
  readonly starts: readonly number[]
  /** Distinct symmetric images met (estimated beyond `distinctCapacity`). */
  readonly copies: number
}

/** Starts that are listed with a point. */
export const listedStarts = 10

/** Runs that ended where another did, to the bit. */
export interface Others {
  readonly count: number
  /** Their first starts, ascending, `listedStarts` at most. */
  readonly starts: readonly number[]
}

const columnNames = [
  'start',
  'loss',
  'gradientNorm',
  'precision',
  'count',
  'firstStart',
  'firstImage',
  'lastListed',
  'point',
  'signature'
] as const

export class ClusterTable {
  size = 0
  start = new Float64Array(16)
  loss = new Float64Array(16)
  gradientNorm = new Float64Array(16)
  precision = new Float64Array(16)
  count = new Float64Array(16)
  firstStart = new Float64Array(16)
  /** The first image met; a counter follows once there is a second: most points of a rich landscape are met once. */
  firstImage = new Float64Array(16)
  /** The last of the starts that are listed; Infinity while there is room for more. */
  lastListed = new Float64Array(16)
  /** [·, width] representatives. */
  point: Float64Array
  /** [·, signatureWidth] what else identifies a point. */
  signature: Float64Array
  private readonly images = new Map<number, DistinctCounter>()
  private readonly starts = new Map<number, number[]>()

  constructor(
    readonly width: number,
    signatureWidth: number
  ) {
    this.point = new Float64Array(16 * width)
    this.signature = new Float64Array(16 * signatureWidth)
  }

  /** A new row with no runs yet; returns its id. */
  push(firstStart: number, image: number): number {
    const id = this.size++
    if (id === this.start.length)
      for (const name of columnNames) {
        const larger = new Float64Array(2 * this[name].length)
        larger.set(this[name])
        this[name] = larger
      }
    this.firstStart[id] = firstStart
    this.firstImage[id] = image
    this.lastListed[id] = Infinity
    return id
  }

  /** Counts a run, and others of higher starts at the same point. */
  hit(id: number, start: number, image: number, others?: Others): void {
    this.meet(id, start)
    if (others) {
      for (const other of others.starts) this.meet(id, other)
      this.count[id] += others.count - others.starts.length
    }
    this.noteImage(id, image)
  }

  private meet(id: number, start: number): void {
    this.count[id]++
    if (start <= this.lastListed[id]) this.listStart(id, start)
    if (start < this.firstStart[id]) this.firstStart[id] = start
  }

  private noteImage(id: number, image: number): void {
    let counter = this.images.size === 0 ? undefined : this.images.get(id)
    if (!counter) {
      if (image === this.firstImage[id]) return
      counter = new DistinctCounter()
      counter.add(this.firstImage[id])
      this.images.set(id, counter)
    }
    counter.add(image)
  }

  private listStart(id: number, start: number): void {
    // Most points of a rich landscape are met once: their start stands in the table.
    if (this.count[id] === 1) return
    let list = this.starts.get(id)
    if (!list) this.starts.set(id, (list = [this.firstStart[id]]))
    let at = list.length
    while (at > 0 && list[at - 1] > start) at--
    list.splice(at, 0, start)
    if (list.length > listedStarts) list.pop()
    if (list.length === listedStarts) this.lastListed[id] = list[listedStarts - 1]
  }

  /** Is a run better polished than the representative? Ties go to the smaller start, so the order of arrival has no say. */
  better(id: number, start: number, gradientNorm: number): boolean {
    const kept = this.gradientNorm[id]
    return gradientNorm < kept || (gradientNorm === kept && start < this.start[id])
  }

  represent(id: number, start: number, loss: number, gradientNorm: number, precision: number): void {
    this.start[id] = start
    this.loss[id] = loss
    this.gradientNorm[id] = gradientNorm
    this.precision[id] = precision
  }

  /** Distinct symmetric images met of a point. */
  copies(row: number): number {
    return this.images.get(row)?.size ?? 1
  }

  /** A point, each of its coordinates in units of `scale` [width]. */
  cluster(row: number, id = row, scale?: Float64Array): Cluster {
    const { width } = this
    const parameters = this.point.slice(row * width, (row + 1) * width)
    if (scale) for (let p = 0; p < width; p++) parameters[p] *= scale[p]
    return {
      id,
      start: this.start[row],
      loss: this.loss[row],
      gradientNorm: this.gradientNorm[row],
      precision: this.precision[row],
      parameters,
      count: this.count[row],
      firstStart: this.firstStart[row],
      starts: this.starts.get(row) ?? [this.firstStart[row]],
      copies: this.copies(row)
    }
  }
}
