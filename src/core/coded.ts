/** Columns by their distinct values: the values once, and for each row which of them it has. */
import { Spare } from './spare.js'

/** Rows that are coded together at most, so that a code takes two bytes. */
export const mostCoded = 1 << 16

/** A column of at most `mostCoded` rows: numbers are told apart by their bits, so that NaN, −0 and 0 come back as they were. */
export interface Coded {
  /** [rows] place of a row's value. */
  readonly codes: Uint16Array
  /** [size] distinct values in the order in which they were met. */
  readonly values: Float64Array
  /** [size] rows that have each. */
  readonly counts: Uint32Array
}

const leastSlots = 1 << 10
/** Distinct values after which a column of mostly distinct ones is given up: so many, and a half of the rows so far. */
const patience = 1 << 10

/** Where a value of these words is looked for first. */
export function slotOf(low: number, high: number, mask: number): number {
  const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
  return (hash ^ (hash >>> 15)) & mask
}

/** Codes one column after the other. */
export class Coder {
  /** Distinct values of the column. */
  size = 0
  /** 1 + the place of a value; 0: empty. Open addressing. */
  private table = new Uint32Array(leastSlots)
  private used = leastSlots
  /** Low and high words of the values. */
  private words = new Uint32Array(leastSlots)
  private counts = new Uint32Array(leastSlots / 2)

  /**
   * Codes of the values bits[at], bits[at + second], `stride` words apart, as many as `codes` has room for.
   * @returns false where at least half of them are distinct, if `few` are wanted; the codes say nothing then
   */
  code(bits: Uint32Array, at: number, second: 0 | 1, stride: number, codes: Uint16Array, few: boolean): boolean {
    const count = codes.length
    if (count > mostCoded) return false
    this.size = 0
    this.used = leastSlots
    this.table.fill(0, 0, leastSlots)
    let { table, words, counts } = this
    let mask = this.used - 1
    for (let i = 0, from = at; i < count;) {
      const low = bits[from]
      const high = bits[from + second]
      let slot = slotOf(low, high, mask)
      let code = table[slot] - 1
      while (code >= 0 && (words[2 * code] !== low || words[2 * code + 1] !== high)) {
        slot = (slot + 1) & mask
        code = table[slot] - 1
      }
      if (code < 0) {
        code = this.size
        if (few && code > patience + i / 2) return false
        if (2 * code >= this.used) {
          this.grow()
          ;({ table, words, counts } = this)
          mask = this.used - 1
          continue
        }
        words[2 * code] = low
        words[2 * code + 1] = high
        counts[code] = 0
        table[slot] = this.size = code + 1
      }
      const begin = i
      // Mostly there are long runs of one value.
      do {
        codes[i++] = code
        from += stride
      } while (i < count && bits[from] === low && bits[from + second] === high)
      counts[code] += i - begin
    }
    return true
  }

  /** [size] how many rows have each value. */
  tallies(): Uint32Array {
    return this.counts.slice(0, this.size)
  }

  /** The distinct values: of two words each, or of one. */
  distinct(second: 0 | 1): Uint32Array {
    const { words, size } = this
    return second === 1 ? words.slice(0, 2 * size) : Uint32Array.from({ length: size }, (_, i) => words[2 * i])
  }

  private grow(): void {
    const { words, size } = this
    this.used *= 2
    if (this.table.length < this.used) {
      this.table = new Uint32Array(this.used)
      this.words = new Uint32Array(this.used)
      this.words.set(words)
      const counts = new Uint32Array(this.used / 2)
      counts.set(this.counts)
      this.counts = counts
    } else this.table.fill(0, 0, this.used)
    const mask = this.used - 1
    for (let code = 0; code < size; code++) {
      let slot = slotOf(this.words[2 * code], this.words[2 * code + 1], mask)
      while (this.table[slot] !== 0) slot = (slot + 1) & mask
      this.table[slot] = code + 1
    }
  }
}

/** Columns of runs that are summed up over distinct values. */
type Tallied = 'lossFound' | 'steps' | 'train' | 'test'

/** The runs of a part by the distinct values of their columns: what its file and sums over its runs are made of. */
export class CodedRuns {
  private readonly known = new Map<string, Coded>()

  constructor(
    private readonly rows: Readonly<Partial<Record<Tallied, Float64Array | Uint32Array>>> & { readonly count: number },
    private readonly coder = new Coder(),
    private readonly spare = new Spare()
  ) {}

  /** Number `column` of each run's numbers of that name. */
  of(name: Tallied, column = 0): Coded {
    const key = `${name} ${column}`
    let coded = this.known.get(key)
    if (!coded) {
      const values = this.rows[name]
      if (!values) throw new Error(`these runs have no ${name}`)
      coded = codedColumn(this.coder, values, this.spare.u16(this.rows.count), column)
      this.known.set(key, coded)
    }
    return coded
  }

  /** Lets others have the memory. */
  giveBack(): void {
    this.spare.give(...this.known.values())
    this.known.clear()
  }
}

/** Column `column` of rows of numbers, as many as there is room for codes. */
function codedColumn(coder: Coder, values: Float64Array | Uint32Array, codes: Uint16Array, column: number): Coded {
  const width = codes.length === 0 ? 1 : values.length / codes.length
  const words = new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4)
  const each = values instanceof Float64Array ? 2 : 1
  const second = each === 2 ? 1 : 0
  if (!coder.code(words, each * column, second, each * width, codes, false))
    throw new RangeError(`${codes.length} rows are more than ${mostCoded}`)
  const distinct = coder.distinct(second)
  const counts = coder.tallies()
  return { codes, counts, values: each === 2 ? new Float64Array(distinct.buffer) : Float64Array.from(distinct) }
}
