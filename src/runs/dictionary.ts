/** Columns of few distinct values: the values once, and for each row which of them it has. */

/** Distinct values that a dictionary holds at most, so that a code takes a byte. */
const mostValues = 256
const slots = 4 * mostValues

/** Of one column at a time: numbers are told apart by their bits, so that NaN, −0 and 0 come back as they were. */
export class Dictionary {
  /** Distinct values. */
  size = 0
  /** [count] of each row, until the next column is filled in. */
  codes = new Uint8Array(0)
  private room = new Uint8Array(0)
  /** [size, words per value] */
  private readonly values = new Uint32Array(2 * mostValues)
  private readonly table = new Uint16Array(slots)

  /**
   * Codes of `count` values, each of the words bits[at], bits[at + second], `stride` words apart.
   * @returns false where there are too many distinct ones; the codes say nothing then
   */
  fill(bits: Uint32Array, count: number, at: number, second: 0 | 1, stride: number): boolean {
    if (this.room.length < count) this.room = new Uint8Array(count)
    if (this.codes.length !== count) this.codes = this.room.subarray(0, count)
    this.size = 0
    this.table.fill(0)
    const { codes } = this
    for (let i = 0, from = at; i < count;) {
      const low = bits[from]
      const high = bits[from + second]
      const code = this.codeOf(low, high)
      if (code < 0) return false
      // Mostly there are long runs of one value.
      do {
        codes[i++] = code
        from += stride
      } while (i < count && bits[from] === low && bits[from + second] === high)
    }
    return true
  }

  /** The distinct values, in the order in which they were met, as bytes. */
  bytes(second: 0 | 1): Uint8Array {
    const { values, size } = this
    const words = second === 1 ? values.slice(0, 2 * size) : Uint32Array.from({ length: size }, (_, i) => values[2 * i])
    return new Uint8Array(words.buffer)
  }

  private codeOf(low: number, high: number): number {
    const { table, values } = this
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    let slot = (hash ^ (hash >>> 15)) & (slots - 1)
    for (; table[slot] !== 0; slot = (slot + 1) & (slots - 1)) {
      const code = table[slot] - 1
      if (values[2 * code] === low && values[2 * code + 1] === high) return code
    }
    if (this.size === mostValues) return -1
    values[2 * this.size] = low
    values[2 * this.size + 1] = high
    table[slot] = ++this.size
    return this.size - 1
  }
}
