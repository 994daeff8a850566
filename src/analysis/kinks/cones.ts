/**
 * Positively homogeneous functions made of kinks, h(d) = p·d + Σ c_k max(0, a_k·d): one-sided derivatives of f are such. Whether one is
 * positive everywhere, or bounded by the length of d, is decided by branch and bound over the surface of a cube, where kinks
 * whose sign a box leaves open are enclosed between straight lines.
 */
import { dot, norm } from '../../core/linalg.js'
import { Stream, uniform, words } from '../../core/rng.js'

export interface Kinked {
  /** [n] */
  readonly p: Float64Array
  readonly c: ArrayLike<number>
  /** [n] each */
  readonly a: readonly Float64Array[]
}

/** Boxes after which the question is left open, and dimensions up to which it is asked. */
const mostBoxes = 20000
const mostDimensions = 12
/** Directions that are tried before any proof, and steps taken from each. */
const tries = 64
const ascents = 20
const refinements = 100

export function valueOf({ p, c, a }: Kinked, d: Float64Array): number {
  let sum = dot(p, d)
  for (let k = 0; k < a.length; k++) sum += c[k] * Math.max(0, dot(a[k], d))
  return sum
}

/** Gradient of h at d, where it has one. */
function slopeOf({ p, c, a }: Kinked, d: Float64Array): Float64Array {
  const out = p.slice()
  for (let k = 0; k < a.length; k++) if (dot(a[k], d) > 0) for (let i = 0; i < out.length; i++) out[i] += c[k] * a[k][i]
  return out
}

/** Directions of n numbers: the kinks' own, both ways, and some on all sides. */
function directions(n: number, given: readonly Float64Array[]): Float64Array[] {
  const list = given.flatMap(a => [a.slice(), a.map(v => -v)])
  for (let t = 0; t < tries; t++)
    list.push(Float64Array.from(words(1, Stream.generator, t, 0, n), w => 2 * uniform(w) - 1))
  return list.filter(d => norm(d) > 0).map(d => d.map(v => v / norm(d)))
}

/** A direction near d of larger value, found by steps to all sides: ridges stop an ascent along gradients. */
function refined(valueAt: (d: Float64Array) => number, d: Float64Array): Float64Array {
  const n = d.length
  let [best, most, reach] = [d, valueAt(d), 0.3]
  for (let t = 0; t < refinements * n; t++) {
    const noise = words(2, Stream.generator, t, 0, n)
    const to = best.map((v, i) => v + reach * (2 * uniform(noise[i]) - 1))
    const long = norm(to)
    const next = to.map(v => v / long)
    const value = long > 0 ? valueAt(next) : -Infinity
    if (value > most) [best, most] = [next, value]
    else reach = Math.max(1e-6, 0.97 * reach)
  }
  return best
}

interface Box {
  readonly low: Float64Array
  readonly high: Float64Array
}

interface Line {
  readonly slope: Float64Array
  readonly constant: number
}

/** A straight line below (sign 1) or above (sign −1) h on a box, times the sign. */
function lineOn({ p, c, a }: Kinked, { low, high }: Box, sign: 1 | -1): Line {
  const n = p.length
  const slope = p.map(v => sign * v)
  let constant = 0
  for (let k = 0; k < a.length; k++) {
    const w = sign * c[k]
    if (w === 0) continue
    let [l, u] = [0, 0]
    for (let i = 0; i < n; i++) {
      const t = a[k][i]
      l += t > 0 ? t * low[i] : t * high[i]
      u += t > 0 ? t * high[i] : t * low[i]
    }
    if (u <= 0) continue
    // Above by the chord, below by the nearer of the two lines.
    let factor = 1
    if (l < 0) {
      if (w < 0) {
        factor = u / (u - l)
        constant -= w * factor * l
      } else factor = u > -l ? 1 : 0
    }
    if (factor !== 0) for (let i = 0; i < n; i++) slope[i] += w * factor * a[k][i]
  }
  return { slope, constant }
}

/** The least value of a line on a box. */
function leastOn({ slope, constant }: Line, { low, high }: Box): number {
  let bound = constant
  for (let i = 0; i < slope.length; i++) bound += slope[i] > 0 ? slope[i] * low[i] : slope[i] * high[i]
  return bound
}

/** Faces of the cube [−1, 1]ⁿ, but for those across the first `free` coordinates. */
function* faces(n: number, free: number): Generator<Box> {
  for (let i = free; i < n; i++)
    for (const side of [-1, 1]) {
      const low = new Float64Array(n).fill(-1)
      const high = new Float64Array(n).fill(1)
      low[i] = high[i] = side
      yield { low, high }
    }
}

/** Whether `holds` is true of every box of a partition of such faces; false: not found within the limit. */
function holdsAround(n: number, free: number, holds: (box: Box) => boolean): boolean {
  const stack = [...faces(n, free)]
  for (let count = 0; stack.length > 0; count++) {
    const box = stack.pop()!
    if (count > mostBoxes) return false
    if (holds(box)) continue
    let widest = 0
    for (let i = 1; i < n; i++) if (box.high[i] - box.low[i] > box.high[widest] - box.low[widest]) widest = i
    const middle = 0.5 * (box.low[widest] + box.high[widest])
    if (!(middle > box.low[widest] && middle < box.high[widest])) return false
    const [low, high] = [box.low.slice(), box.high.slice()]
    high[widest] = low[widest] = middle
    stack.push({ low: box.low, high }, { low, high: box.high })
  }
  return true
}

export type Sign =
  { readonly sign: 'positive' | 'open' } | { readonly sign: 'negative'; readonly direction: Float64Array }

/**
 * Whether h is positive but at 0, or negative in some direction by more than `tolerance` times that direction's length; `open` where
 * neither shows.
 */
export function signOf(h: Kinked, tolerance: number): Sign {
  const n = h.p.length
  if (n === 0) return { sign: 'positive' }
  let best: Float64Array | undefined
  let least = -tolerance
  let [lowest, low] = [new Float64Array(n).fill(1 / Math.sqrt(n)) as Float64Array, Infinity]
  for (const start of directions(n, h.a)) {
    let d = start
    for (let step = 0; step < ascents; step++) {
      const value = valueOf(h, d)
      if (value < least) [least, best] = [value, d]
      if (value < low) [low, lowest] = [value, d]
      const slope = slopeOf(h, d)
      const size = norm(slope)
      if (!(size > 0)) break
      const next = d.map((v, i) => v - (0.5 / (1 + step)) * (slope[i] / size))
      const long = norm(next)
      if (!(long > 0)) break
      d = next.map(v => v / long)
    }
  }
  if (best) return { sign: 'negative', direction: best }
  const deepest = refined(d => -valueOf(h, d), lowest)
  if (valueOf(h, deepest) < -tolerance) return { sign: 'negative', direction: deepest }
  if (n > mostDimensions) return { sign: 'open' }
  return { sign: holdsAround(n, 0, box => leastOn(lineOn(h, box, 1), box) > tolerance) ? 'positive' : 'open' }
}

/** Σ_q h_q(d)² */
export const squareOf = (hs: readonly Kinked[], d: Float64Array): number =>
  hs.reduce((sum, h) => sum + valueOf(h, d) ** 2, 0)

/** Whether Σ_q h_q(d)² stays below |d|². */
export interface WithinLength {
  /** Below |d|² for all d, above it for one, equal to it at most, or neither shows; all but for the share of a margin. */
  readonly size: 'below' | 'even' | 'above' | 'open'
  /** Where it is largest, of those tried. */
  readonly direction: Float64Array
}

/** @param given directions that are tried as well */
export function withinLength(hs: readonly Kinked[], given: readonly Float64Array[], margin: number): WithinLength {
  const n = hs[0]?.p.length ?? 0
  const all = hs.flatMap(h => h.a)
  const starts = directions(n, [...given, ...all.slice(0, tries)])
  return largestWithin(hs, starts, margin, 0, d => normalised(d, norm(d)))
}

/**
 * The same where the length is that of all coordinates but the first, which goes from −1 to 1 when the largest other one is 1. Each h_q is
 * straight along the first between its kinks, so that their squares are largest at kinks or ends.
 */
export function withinPartOfLength(
  hs: readonly Kinked[],
  given: readonly Float64Array[],
  margin: number
): WithinLength {
  const n = hs[0]?.p.length ?? 0
  const all = hs.flatMap(h => h.a)
  const others = directions(
    n - 1,
    [...given, ...all.slice(0, tries)].map(d => d.subarray(1))
  )
  /** With the best first coordinate. */
  const best = (d: Float64Array): Float64Array => {
    const rest = d.slice()
    rest[0] = 0
    const long = norm(rest)
    const own = rest.map(v => v / long)
    const reach = own.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
    let [most, top] = [-1, own]
    for (const at of [-reach, reach, ...all.map(a => -dot(a, own) / a[0])]) {
      if (!(Math.abs(at) <= reach)) continue
      own[0] = at
      const square = squareOf(hs, own)
      if (square > most) [most, top] = [square, own.slice()]
      own[0] = 0
    }
    return top
  }
  const starts = others.map(d => best(Float64Array.of(0, ...d)))
  return largestWithin(hs, starts, margin, 1, best)
}

const normalised = (d: Float64Array, long: number): Float64Array => d.map(v => v / long)

/** @param along the place that is looked at for a direction */
function largestWithin(
  hs: readonly Kinked[],
  starts: readonly Float64Array[],
  margin: number,
  free: number,
  along: (d: Float64Array) => Float64Array
): WithinLength {
  const n = hs[0]?.p.length ?? 0
  let most = 0
  let best: Float64Array = new Float64Array(n)
  for (const start of starts) {
    let d = start
    for (let step = 0; step < ascents; step++) {
      const values = Float64Array.from(hs, h => valueOf(h, d))
      const square = dot(values, values)
      if (square > most) [most, best] = [square, d]
      const next = new Float64Array(n)
      hs.forEach((h, q) => slopeOf(h, d).forEach((v, i) => (next[i] += values[q] * v)))
      if (!(norm(next.subarray(free)) > 0)) break
      d = along(next)
    }
  }
  if (most > 0 && most <= 1 - margin) {
    best = along(refined(d => squareOf(hs, along(d)), best))
    most = squareOf(hs, best)
  }
  if (most > 1 + margin) return { size: 'above', direction: best }
  if (n > mostDimensions) return { size: 'open', direction: best }
  const isEven = most > 1 - margin
  const limit = isEven ? 1 + margin : 1 - margin
  const shows = holdsAround(n, free, box => isShort(hs, box, limit, free))
  return { size: !shows ? 'open' : isEven ? 'even' : 'below', direction: best }
}

/** Whether Σ_q h_q(d)² < limit |d|² on a box, where |d| leaves out the first `free` coordinates. */
function isShort(hs: readonly Kinked[], box: Box, limit: number, free: number): boolean {
  const n = box.low.length
  const [above, below] = [hs.map(h => lineOn(h, box, -1)), hs.map(h => lineOn(h, box, 1))]
  let square = 0
  for (let i = free; i < n; i++) {
    const nearest = box.low[i] > 0 ? box.low[i] : box.high[i] < 0 ? box.high[i] : 0
    square += nearest * nearest
  }
  let sum = 0
  hs.forEach((_, q) => (sum += Math.max(0, -leastOn(above[q], box), -leastOn(below[q], box)) ** 2))
  if (sum < limit * square) return true
  if (hs.length > 1) return false
  // |d| is at least its part along the middle of the box, which is straight as well.
  const middle = box.low.map((v, i) => (i < free ? 0 : 0.5 * (v + box.high[i])))
  const size = norm(middle)
  const root = Math.sqrt(limit)
  const isUnder = ({ slope, constant }: Line): boolean =>
    leastOn({ slope: slope.map((v, i) => v + (root * middle[i]) / size), constant }, box) > 0
  return isUnder(above[0]) && isUnder(below[0])
}
