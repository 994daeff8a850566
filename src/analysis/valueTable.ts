/** Distinct numbers and columns that belong to them, for streams of which most values have been met before. */
import { slotOf } from '../core/coded.js'

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)
const least = 64

/** A column of twice the length. */
export function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * column.length)
  larger.set(column)
  return larger
}

/** Numbers by the places 0, 1, … in which they were met; −0 and 0 are one, and NaN is none. Open addressing. */
export class ValueTable {
  size = 0
  private values = new Float64Array(least)
  /** 1 + the place of a value; 0: empty. */
  private slots = new Uint32Array(2 * least)

  /** Values of which columns have room. */
  get room(): number {
    return this.values.length
  }

  valueAt(place: number): number {
    return this.values[place]
  }

  valuesAt(places: Uint32Array): Float64Array {
    const out = new Float64Array(places.length)
    for (let i = 0; i < out.length; i++) out[i] = this.values[places[i]]
    return out
  }

  /** The place of a value: `size` as it was before for one that has not been met. */
  place(value: number): number {
    const { slots, values } = this
    const mask = slots.length - 1
    number[0] = value + 0
    let at = slotOf(halves[0], halves[1], mask)
    for (; slots[at] !== 0; at = (at + 1) & mask) if (values[slots[at] - 1] === value) return slots[at] - 1
    slots[at] = ++this.size
    values[this.size - 1] = value + 0
    if (this.size === values.length) this.grow()
    return this.size - 1
  }

  /** The places by their values, ascending. */
  sorted(): Uint32Array {
    const values = this.values.slice(0, this.size).sort()
    const places = new Uint32Array(values.length)
    for (let i = 0; i < places.length; i++) places[i] = this.place(values[i])
    return places
  }

  private grow(): void {
    const { values, size } = this
    this.slots = new Uint32Array(4 * size)
    this.size = 0
    this.values = new Float64Array(2 * size)
    for (let i = 0; i < size; i++) this.place(values[i])
  }
}
