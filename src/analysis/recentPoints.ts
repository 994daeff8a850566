/** End points that were met last, to the bit: most runs end at one of a few. */

/** Columns of end points that are strict. */
export interface EndPoints {
  readonly start: Float64Array
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  readonly precision: Float64Array
  /** [·, P] */
  readonly conditioned: Float64Array
  /** As `copy` of `Clusterer.add`. */
  readonly copy?: Float64Array
}

const most = 8

export class RecentPoints {
  /** [·] cluster of each, and the symmetric image, NaN where that is not known. */
  readonly ids = new Int32Array(most)
  readonly images = new Float64Array(most)
  private readonly losses = new Float64Array(most).fill(NaN)
  private readonly precisions = new Float64Array(most)
  /** [·, P] */
  private readonly points: Float64Array
  private latest = 0
  private next = 0

  constructor(private readonly P: number) {
    this.points = new Float64Array(most * P)
  }

  /** The place of end point i; −1 where it has not been met lately. */
  find(ends: EndPoints, i: number): number {
    if (this.is(this.latest, ends, i)) return this.latest
    for (let at = 0; at < most; at++) if (this.is(at, ends, i)) return (this.latest = at)
    return -1
  }

  private is(at: number, { loss, precision, conditioned }: EndPoints, i: number): boolean {
    if (loss[i] !== this.losses[at] || precision[i] !== this.precisions[at]) return false
    const { points, P } = this
    for (let p = 0, a = at * P, b = i * P; p < P; p++) if (points[a + p] !== conditioned[b + p]) return false
    return true
  }

  /** Remembers an end point in place of the one that has been here longest. */
  add(id: number, image: number, loss: number, precision: number, theta: Float64Array, from: number): void {
    const at = this.next
    this.next = (at + 1) % most
    this.latest = at
    this.ids[at] = id
    this.images[at] = image
    this.losses[at] = loss
    this.precisions[at] = precision
    for (let p = 0; p < this.P; p++) this.points[at * this.P + p] = theta[from + p]
  }
}
