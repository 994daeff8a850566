/**
 * Elementary functions to hundreds of digits over BigInt fixed-point numbers, as an oracle for enclosures: nothing here shares a formula
 * with kernels/cpu. A `Fixed` is an integer n that stands for n / 2^bits.
 */
export class Exact {
  readonly one: bigint
  private readonly sqrtTwoPi: bigint
  private readonly pi: bigint

  /** @param bits after the point; a result is right to within a few units of the last place, times its number of steps */
  constructor(readonly bits: number) {
    this.one = 1n << BigInt(bits)
    this.pi = this.machinPi()
    this.sqrtTwoPi = sqrt(2n * this.pi * this.one)
  }

  /** A double as it is, as long as its last bit is above 2^−bits. */
  of(x: number): bigint {
    if (x === 0) return 0n
    const view = new DataView(new ArrayBuffer(8))
    view.setFloat64(0, x)
    const word = view.getBigUint64(0)
    const exponent = Number((word >> 52n) & 0x7ffn)
    const mantissa = (word & 0xfffffffffffffn) | (exponent > 0 ? 1n << 52n : 0n)
    const shift = Math.max(exponent, 1) - 1075 + this.bits
    const n = shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift)
    return x < 0 ? -n : n
  }
  multiply = (a: bigint, b: bigint): bigint => (a * b) >> BigInt(this.bits)
  divide = (a: bigint, b: bigint): bigint => (a << BigInt(this.bits)) / b

  /** Taylor series at x / 2^k, squared k times. */
  exp(x: bigint): bigint {
    const k = BigInt(Math.max(0, x.toString(2).length - this.bits + 40))
    const small = x >> k
    let sum = this.one
    let term = this.one
    for (let n = 1n; term !== 0n && term !== -1n; n++) {
      term = this.multiply(term, small) / n
      sum += term
    }
    for (let i = 0n; i < k; i++) sum = this.multiply(sum, sum)
    return sum
  }
  /** Halley's method on e^y = x, from the logarithm of the leading 50 bits: three steps multiply right bits by 27. */
  log(x: bigint): bigint {
    const spare = x.toString(2).length - 50
    const leading = spare > 0 ? Number(x >> BigInt(spare)) : Number(x) * 2 ** -spare
    let y = this.of(Math.log(leading)) + BigInt(spare - this.bits) * this.logTwo()
    for (let i = 0; i < 4; i++) {
      const e = this.exp(y)
      y += this.divide(2n * (x - e), x + e)
    }
    return y
  }
  /** log 2 to 52 bits. */
  private readonly logTwo = (): bigint => this.of(Math.LN2)
  tanh(x: bigint): bigint {
    const e = this.exp(2n * x)
    return this.divide(e - this.one, e + this.one)
  }
  logistic = (x: bigint): bigint => this.divide(this.one, this.one + this.exp(-x))
  softplus = (x: bigint): bigint => this.log(this.one + this.exp(x))
  /** φ(z) */
  density = (z: bigint): bigint => this.divide(this.exp(-this.multiply(z, z) / 2n), this.sqrtTwoPi)
  /** Φ(z) = ½ + φ(z) Σ z^(2k+1)/(2k+1)!!; all terms have one sign, so what is lost is at most what 1 − Φ lacks in bits. */
  normal(z: bigint): bigint {
    const square = this.multiply(z, z)
    let term = z
    let sum = z
    for (let k = 3n; term !== 0n && term !== -1n; k += 2n) {
      term = this.multiply(term, square) / k
      sum += term
    }
    return this.one / 2n + this.multiply(this.density(z), sum)
  }

  /** Taylor series at the remainder by 2π. */
  sine(x: bigint): bigint {
    const r = x % (2n * this.pi)
    const square = this.multiply(r, r)
    let term = r
    let sum = r
    for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
      term = -this.multiply(term, square) / (k * (k + 1n))
      sum += term
    }
    return sum
  }
  cosine = (x: bigint): bigint => this.sine(x + this.pi / 2n)
  root = (x: bigint): bigint => sqrt(x * this.one)
  /** From 50 bits by y + (x − tan y)/(1 + x tan y), whose error is the third power of the one before. */
  arcTangent(x: bigint): bigint {
    let y = this.of(Math.atan(Number(x) / 2 ** this.bits))
    for (let i = 0; i < 3; i++) {
      const tangent = this.divide(this.sine(y), this.cosine(y))
      y += this.divide(x - tangent, this.one + this.multiply(x, tangent))
    }
    return y
  }

  /** 16 arctan(1/5) − 4 arctan(1/239) */
  private machinPi(): bigint {
    const arctan = (n: bigint): bigint => {
      let power = this.one / n
      let sum = power
      for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
        power /= n * n
        sum += (sign * power) / k
      }
      return sum
    }
    return 16n * arctan(5n) - 4n * arctan(239n)
  }
}

/** ⌊√n⌋ by Newton's method. */
function sqrt(n: bigint): bigint {
  let x = 1n << BigInt(Math.ceil(n.toString(2).length / 2))
  for (;;) {
    const next = (x + n / x) / 2n
    if (next >= x) return x
    x = next
  }
}
