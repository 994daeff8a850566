/**
 * Double-double arithmetic: an unevaluated sum hi + lo of two doubles, about 106 bits. Sums and products without error by Knuth and by
 * Veltkamp and Dekker (Hida, Li and Bailey 2001 for the compound operations). Results are returned in `hi` and `lo` of one object, so
 * that inner loops allocate nothing; magnitudes must stay within 1e±300.
 */

const splitter = 2 ** 27 + 1

/** An accumulator; all operations work in place. */
export class DoubleDouble {
  constructor(
    public hi = 0,
    public lo = 0
  ) {}

  set(hi: number, lo = 0): this {
    this.hi = hi
    this.lo = lo
    return this
  }

  /** this ← this + (b + c), |c| ≤ ulp(b). */
  add(b: number, c = 0): this {
    const s = this.hi + b
    const v = s - this.hi
    const e = this.hi - (s - v) + (b - v) + (this.lo + c)
    this.hi = s + e
    this.lo = e - (this.hi - s)
    return this
  }

  /** this ← this + a·b for doubles. */
  addProduct(a: number, b: number): this {
    const p = a * b
    const ca = splitter * a
    const ah = ca - (ca - a)
    const al = a - ah
    const cb = splitter * b
    const bh = cb - (cb - b)
    const bl = b - bh
    return this.add(p, ah * bh - p + ah * bl + al * bh + al * bl)
  }

  /** this ← this + (ah + al)(bh + bl). */
  addProducts(ah: number, al: number, bh: number, bl: number): this {
    this.addProduct(ah, bh)
    const cross = ah * bl + al * bh
    return cross === 0 ? this : this.add(cross)
  }

  /** this ← this · (b + c). */
  multiply(b: number, c = 0): this {
    const { hi, lo } = this
    return this.set(0).addProducts(hi, lo, b, c)
  }

  /** this ← this / (b + c). */
  divide(b: number, c = 0): this {
    const q = this.hi / b
    // The remainder after the first quotient has all its bits.
    const rest = new DoubleDouble(this.hi, this.lo).addProducts(-q, 0, b, c)
    const q2 = rest.hi / b
    rest.addProducts(-q2, 0, b, c)
    this.set(q)
      .add(q2)
      .add(rest.hi / b)
    return this
  }

  /** this ← √this. */
  root(): this {
    if (!(this.hi > 0)) return this.set(this.hi === 0 ? 0 : NaN)
    const x = Math.sqrt(this.hi)
    const rest = new DoubleDouble(this.hi, this.lo).addProduct(-x, x)
    return this.set(x).add(rest.hi / (2 * x))
  }

  get value(): number {
    return this.hi + this.lo
  }
}

/** Σ values[i] weights[i] (weights 1 where absent) to the last bit or nearly. */
export function exactSum(values: Iterable<number>): number {
  const sum = new DoubleDouble()
  for (const v of values) sum.add(v)
  return sum.value
}
