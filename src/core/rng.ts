/**
 * Counter-based random numbers: a value depends only on (seed, stream, start, word), never on what was drawn before. The
 * contract, with the order of operations that other engines repeat bit for bit, is kernels/README.md, "Random numbers".
 */

/** What a stream is for. */
export const Stream = { init: 0, batches: 1, split: 2, generator: 3, bootstrap: 4, rows: 5, design: 6 } as const

/** Start number that stands for "all runs" (shared mini-batch order). */
export const sharedStart = Number.MAX_SAFE_INTEGER

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

/** High 32 bits of a 32 × 32 bit product, by halves, exact in doubles. */
function high(a: number, b: number): number {
  const al = a & 0xffff
  const ah = a >>> 16
  const bl = b & 0xffff
  const bh = b >>> 16
  const middle = ah * bl + ((al * bl) >>> 16)
  const rest = al * bh + (middle % 0x10000)
  return (ah * bh + Math.floor(middle / 0x10000) + Math.floor(rest / 0x10000)) >>> 0
}

/** Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011): four words from a counter of four and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number]
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const h0 = high(M0, c0)
    const l0 = Math.imul(M0, c0) >>> 0
    const h1 = high(M1, c2)
    const l1 = Math.imul(M1, c2) >>> 0
    c0 = (h1 ^ c1 ^ k0) >>> 0
    c1 = l1
    c2 = (h0 ^ c3 ^ k1) >>> 0
    c3 = l0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  return [c0, c1, c2, c3]
}

const low32 = (n: number): number => n % 0x100000000
const high32 = (n: number): number => Math.floor(n / 0x100000000)

/** Words first … first+count−1 of a stream, each an integer in [0, 2³²). @param out where they go */
export function words(
  seed: number,
  stream: number,
  start: number,
  first: number,
  count: number,
  out = new Uint32Array(count)
): Uint32Array {
  const key: [number, number] = [low32(seed), high32(seed)]
  let block = -1
  let four: readonly number[] = []
  for (let i = 0; i < count; i++) {
    const w = first + i
    const b = Math.floor(w / 4)
    if (b !== block) {
      block = b
      four = philox([low32(b), low32(start), high32(start), stream], key)
    }
    out[i] = four[w % 4]!
  }
  return out
}

/** (word + ½) / 2³², in (0, 1). */
export const uniform = (word: number): number => (word + 0.5) / 4294967296

const LN2_HIGH = 0.69314718036912381649
const LN2_LOW = 1.90821492927058770002e-10

/**
 * Natural logarithm for x in (0, 1], in plain IEEE operations of a fixed order: x = m·2^−k with m in [√½, √2), then
 * log m = 2 atanh(s), s = (m − 1)/(m + 1), by its series to s²³.
 */
export function plainLog(x: number): number {
  let m = x
  let k = 0
  while (m < 0.7071067811865476) {
    m = m * 2
    k = k + 1
  }
  const s = (m - 1) / (m + 1)
  const z = s * s
  let sum = 1 / 23
  for (let n = 21; n >= 1; n -= 2) sum = sum * z + 1 / n
  return 2 * s * sum - k * LN2_LOW - k * LN2_HIGH
}

const horner = (c: readonly number[], x: number): number => {
  let y = c[c.length - 1]
  for (let i = c.length - 2; i >= 0; i--) y = y * x + c[i]
  return y
}

// Coefficients of Wichura's AS 241, routine PPND16 (Applied Statistics 37, 1988), lowest power first.
const A = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
  67265.770927008700853, 33430.575583588128105, 2509.0809287301226727
]
const B = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
  28729.085735721942674, 5226.495278852854561
]
const C = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
  0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4
]
const D = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9
]
const E = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123, 0.026532189526576123093,
  0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7
]
const F = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15
]

/** What Φ⁻¹ is made of, for engines that do the same on a device: numerators and denominators, and the two parts of log 2. */
export const quantileTables = { centre: [A, B], tail: [C, D], logTwo: [LN2_HIGH, LN2_LOW] } as const

/** Φ⁻¹(u) for u in (0, 1), relative error about 1e-16 (Wichura 1988). */
export function normalQuantile(u: number): number {
  const q = u - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * horner(A, r)) / horner(B, r)
  }
  const r = Math.sqrt(-plainLog(q < 0 ? u : 1 - u))
  const x = r <= 5 ? horner(C, r - 1.6) / horner(D, r - 1.6) : horner(E, r - 5) / horner(F, r - 5)
  return q < 0 ? -x : x
}

/**
 * Order of `n` rows in one epoch: Fisher-Yates from the identity, i = n−1 … 1, j = ⌊word (i+1) / 2³²⌋, word number
 * epoch·n + i. (The bias of the multiplication is below n / 2³².)
 */
export function shuffle(n: number, seed: number, stream: number, start: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  const random = words(seed, stream, start, epoch * n, n)
  for (let i = n - 1; i >= 1; i--) {
    const j = Math.floor((random[i] * (i + 1)) / 4294967296)
    const t = order[i]
    order[i] = order[j]!
    order[j] = t
  }
  return order
}
