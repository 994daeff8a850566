/** Distinct ends of runs, told apart by every bit of what is known of them. */
import type { Spare } from '../core/spare.js'
import {
  copyRows,
  makeEnds,
  storedColumns,
  isAscending,
  isOfEnd,
  widthOf,
  type EndRows,
  type EndRuns,
  type Layout,
  type Rows
} from './table.js'

/** A column of ends as whole numbers, with how many make up a row. */
interface Bits<V = Uint32Array> {
  readonly values: V
  readonly width: number
}

/** What ends are told apart by: θ in the user's coordinates follows from the conditioned one. */
interface Marks {
  readonly words: readonly Bits[]
  readonly codes: readonly Bits<Uint8Array>[]
}

const bitsOf = (values: Float64Array | Uint32Array, width: number): Bits =>
  values instanceof Float64Array
    ? { values: new Uint32Array(values.buffer, values.byteOffset, 2 * values.length), width: 2 * width }
    : { values, width }

// One function for each type: a loop that has met arrays of several types takes many times as long.

function areSameWords(a: readonly Bits[], i: number, b: readonly Bits[], j: number): boolean {
  for (let c = 0; c < a.length; c++) {
    const { values, width } = a[c]
    const other = b[c].values
    for (let p = i * width, q = j * width, end = p + width; p < end; p++, q++) if (values[p] !== other[q]) return false
  }
  return true
}

function areSameCodes(a: Marks['codes'], i: number, b: Marks['codes'], j: number): boolean {
  for (let c = 0; c < a.length; c++) if (a[c].values[i] !== b[c].values[j]) return false
  return true
}

const isSameRow = (a: Marks, i: number, b: Marks, j: number): boolean =>
  areSameWords(a.words, i, b.words, j) && areSameCodes(a.codes, i, b.codes, j)

function hashesOf(...columns: readonly Bits[]): Uint32Array {
  const [{ values, width }] = columns
  const hashes = new Uint32Array(values.length / width)
  for (const { values, width } of columns)
    for (let i = 0, at = 0; i < hashes.length; i++) {
      let hash = hashes[i]
      for (const end = at + width; at < end; at++) hash = Math.imul(hash ^ values[at], 0x9e3779b1) + (hash >>> 15)
      hashes[i] = hash ^ (hash >>> 16)
    }
  return hashes
}

/** Ends by the order in which they were met. */
export class EndTable {
  private rows: EndRows
  private size = 0
  private marks: Marks
  /** 1 + the place of an end; 0: empty. Open addressing. */
  private slots = new Uint32Array(128)
  private hashes = new Uint32Array(64)
  private readonly names

  /** @param spare where arrays are taken from */
  constructor(
    private readonly layout: Layout,
    private readonly spare?: Spare
  ) {
    this.names = storedColumns(layout).filter(isOfEnd)
    this.rows = makeEnds(layout, 64, spare)
    this.marks = this.marksOf(this.rows)
  }

  /** Takes ends up, and returns the row that each has here. */
  add(ends: EndRows): Uint32Array {
    this.reserve(this.size + ends.count)
    const { slots, layout, rows } = this
    const mask = slots.length - 1
    const before = this.size
    const fresh = new Uint32Array(ends.count)
    const places = new Uint32Array(ends.count)
    const marks = this.marksOf(ends)
    const hashes = ends.count === 0 ? places : hashesOf(...this.keys(ends))
    for (let e = 0; e < ends.count; e++) {
      let slot = hashes[e] & mask
      let place = -1
      for (; place < 0 && slots[slot] !== 0; slot = (slot + 1) & mask) {
        const other = slots[slot] - 1
        if (this.hashes[other] !== hashes[e]) continue
        const isSame =
          other < before ? isSameRow(marks, e, this.marks, other) : isSameRow(marks, e, marks, fresh[other - before])
        if (isSame) place = other
      }
      if (place < 0) {
        place = this.size++
        slots[slot] = this.size
        this.hashes[place] = hashes[e]
        fresh[place - before] = e
      }
      places[e] = place
    }
    const more = this.size - before
    for (const name of this.names) {
      const width = widthOf(name, layout)
      if (more === ends.count) rows[name]!.set(ends[name]!, before * width)
      else copyRows(rows[name]!, ends[name]!, width, fresh.subarray(0, more), before)
    }
    return places
  }

  /** The ends so far, in the memory of this table: more of them may take it away. */
  ends(): EndRows {
    const { size, layout } = this
    const out: Record<string, unknown> = { count: size }
    for (const name of this.names) out[name] = this.rows[name]!.subarray(0, size * widthOf(name, layout))
    return out as unknown as EndRows
  }

  /** The same, in memory of their own. */
  copy(): EndRows {
    const ends = this.ends()
    const out: Record<string, unknown> = { count: ends.count }
    for (const name of this.names) out[name] = ends[name]!.slice()
    return out as unknown as EndRows
  }

  /** Lets others have the memory. */
  giveBack(): void {
    this.spare?.give(this.rows)
  }

  /** What most ends differ in. */
  private keys(ends: EndRows): Bits[] {
    const { loss, gradientNorm, conditioned } = ends
    return [bitsOf(loss, 1), bitsOf(gradientNorm, 1), bitsOf(conditioned, widthOf('conditioned', this.layout))]
  }

  private marksOf(ends: EndRows): Marks {
    const words: Bits[] = []
    const codes: Bits<Uint8Array>[] = []
    for (const name of this.names) {
      const values = ends[name]!
      const width = widthOf(name, this.layout)
      if (values instanceof Uint8Array) codes.push({ values, width })
      else if (name !== 'theta') words.push(bitsOf(values, width))
    }
    return { words, codes }
  }

  private reserve(size: number): void {
    const { hashes } = this
    if (size <= hashes.length) return
    const room = 2 ** Math.ceil(Math.log2(size))
    const rows = makeEnds(this.layout, room, this.spare)
    for (const name of this.names) rows[name]!.set(this.rows[name] as never)
    this.giveBack()
    this.rows = rows
    this.marks = this.marksOf(rows)
    this.hashes = new Uint32Array(room)
    this.hashes.set(hashes)
    const mask = 2 * room - 1
    this.slots = new Uint32Array(mask + 1)
    for (let place = 0; place < this.size; place++) {
      let slot = hashes[place] & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = place + 1
    }
  }
}

/** The same rows, whose ends are those that a run came to, in the order of the first such runs: `rows` itself where they are. */
export function inOrder(rows: Rows, layout: Layout, spare?: Spare): Rows {
  const { end, ends } = rows
  const placeOf = new Uint32Array(ends.count)
  const which = new Uint32Array(ends.count)
  let count = 0
  for (let i = 0; i < end.length; i++) {
    const e = end[i]
    if (placeOf[e] > 0) continue
    which[count] = e
    placeOf[e] = ++count
  }
  if (count === ends.count && isAscending(which)) return rows
  const sorted = makeEnds(layout, count, spare)
  for (const name of storedColumns(layout).filter(isOfEnd))
    copyRows(sorted[name]!, ends[name]!, widthOf(name, layout), which.subarray(0, count), 0)
  const own = spare ? spare.u32(end.length) : new Uint32Array(end.length)
  for (let i = 0; i < own.length; i++) own[i] = placeOf[end[i]] - 1
  return { ...rows, end: own, ends: sorted }
}

/** The same rows for a table of runs each of which has an end of its own. */
export function distinct(rows: Rows, layout: Layout): Rows {
  const table = new EndTable(layout)
  const places = table.add(rows.ends)
  return { ...rows, end: rows.end.map(e => places[e]), ends: table.ends() }
}

export function runsOfEnds({
  count,
  end,
  ends
}: Pick<Rows, 'count' | 'end'> & { readonly ends: { readonly count: number } }): EndRuns {
  const counts = new Uint32Array(ends.count)
  const first = new Uint32Array(ends.count).fill(count)
  for (let i = 0; i < count; i++) {
    const e = end[i]
    if (counts[e]++ === 0) first[e] = i
  }
  return { counts, first }
}
