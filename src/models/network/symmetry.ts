/**
 * Symmetries of a network: the finite group of relabellings that leave the function of the inputs, and f, unchanged
 * (permutations of the units of a hidden layer; sign flips). A point is brought to one canonical member of its orbit.
 *
 * Sign flips: tanh and identity are odd, so (w, b, v) → (−w, −b, −v) is exact. For `logistic` σ(−u) = 1 − σ(u), so the same
 * flip changes the next layer's pre-activations by −v, which its biases take up: exact where there are biases and the
 * ridge does not fall on them. softplus and relu have no flips. sin changes its sign with a
 * bias that moves by π: (b, v) → (b + π, −v), exact where there are biases and the ridge does not fall on them; biases are brought to [−π/2, π/2].
 * With the flips that includes b → b + 2π, and b → π − b with w → −w. The flips of identity units lie inside a continuous group
 * (any invertible, or with ridge any orthogonal, mixing of the units); they are counted all the same.
 */
import { activationTable } from '../activations.js'
import { layers } from './network.js'
import type { Network } from '../types.js'

export type Flips = 'none' | 'odd' | 'bias'

/** Which sign flips of hidden units are exact symmetries of f; `bias`: the next layer's biases take up a constant. */
export function flipsOf(network: Network): Flips {
  const { reflection } = activationTable[network.activation]
  if (reflection === 0) return 'odd'
  if (reflection === undefined || !network.bias) return 'none'
  return network.ridge > 0 && network.penalizeBias ? 'none' : 'bias'
}

/** How far a bias moves under a symmetry that turns the outgoing weights; 0 where there is none. */
export function antiperiodOf({ activation, bias, ridge, penalizeBias, hidden }: Network): number {
  const free = bias && !(ridge > 0 && penalizeBias) && hidden.length > 0
  return free ? (activationTable[activation].antiperiod ?? 0) : 0
}

/** Order of the group: Π over hidden layers of h! and, where flips are exact, 2^h; where biases can be moved, Infinity, as beyond the range of a double. */
export function networkCopies(network: Network): number {
  if (antiperiodOf(network) > 0) return Infinity
  const flip = flipsOf(network) === 'none' ? 1 : 2
  let order = 1
  for (const units of network.hidden) for (let k = 1; k <= units; k++) order *= k * flip
  return order
}

/**
 * Coefficients ½ + frac √p_k of the generic functional. Square roots of distinct primes are linearly independent over the
 * rationals, so no relation between weights with integer or rational coefficients (opposite weights, weights 1, −2, 1, a
 * unit that sees two inputs alike) makes a functional vanish or two of them agree: there are no structural ties, only
 * accidental ones.
 */
export function genericCoefficients(count: number): Float64Array {
  const out = new Float64Array(count)
  let n = 0
  for (let candidate = 2; n < count; candidate++) {
    let prime = true
    for (let d = 2; d * d <= candidate && prime; d++) prime = candidate % d !== 0
    if (!prime) continue
    const root = Math.sqrt(candidate)
    out[n++] = 0.5 + root - Math.floor(root)
  }
  return out
}

/**
 * Functionals that agree to this, relative to max(1, their largest terms), count as a tie, which leaves sign and order as they are:
 * so a dead unit or a pair of equal units, where rounding would decide, does not look like several copies.
 */
export const tieTolerance = 1e-7
/** Near-ties up to this are offered by `images` when the group is too large to try whole. */
export const nearTieTolerance = 1e-4
/** Up to this order `images` visits the whole group. */
const smallGroup = 48
/** Units that `hasImage` places before it leaves the question open. */
const mostPlacements = 1e5

/**
 * Brings points to canonical form, layer by layer from the inputs. A unit's functional is c₀·bias + Σ c_d·weight_d over its
 * incoming parameters, after the layer below has been brought to canonical form. Signs make it positive; units are sorted by
 * it, ascending. Holds scratch space: not re-entrant.
 */
export class Canonicalizer {
  /** P */
  readonly parameters: number
  /** Order of the group. */
  readonly order: number
  private readonly flips: Flips
  private readonly antiperiod: number
  private readonly hidden: ReturnType<typeof layers>
  private readonly above: ReturnType<typeof layers>
  private readonly bias: number
  private readonly coefficients: Float64Array
  private readonly keys: Float64Array
  private readonly sizes: Float64Array
  private readonly perm: Int32Array
  private readonly sign: Int8Array
  /** Of the element that `canonicalize` took last, layer after layer: perm and sign of every unit. */
  private readonly lastPerm: Int32Array
  private readonly lastSign: Int8Array
  /** How many antiperiods the biases were moved by, and which. */
  private readonly lastTurn: Float64Array
  private readonly copy: Float64Array
  private readonly work: Float64Array

  constructor(readonly network: Network) {
    const all = layers(network)
    const last = all[all.length - 1]
    this.parameters = last.at + last.units * last.stride
    this.order = networkCopies(network)
    this.flips = flipsOf(network)
    this.antiperiod = antiperiodOf(network)
    this.hidden = all.slice(0, -1)
    this.above = all.slice(1)
    this.bias = network.bias ? 1 : 0
    const widest = Math.max(...all.map(layer => layer.stride), 1)
    const most = Math.max(...network.hidden, 1)
    this.coefficients = genericCoefficients(widest)
    this.keys = new Float64Array(most)
    this.sizes = new Float64Array(most)
    this.perm = new Int32Array(most)
    this.sign = new Int8Array(most)
    this.copy = new Float64Array(Math.max(...all.map(layer => layer.units * layer.stride)))
    this.work = new Float64Array(this.parameters)
    const units = network.hidden.reduce((sum, h) => sum + h, 0)
    this.lastPerm = new Int32Array(units)
    this.lastSign = new Int8Array(units)
    this.lastTurn = new Float64Array(units)
  }

  /**
   * Writes the canonical copy of theta[at .. at+P) to `out` [P] and returns which group element that took, as a number: an
   * index below `order` while that is exact in a double, a 52-bit hash of the element beyond.
   */
  canonicalize(theta: Float64Array, out: Float64Array, at = 0): number {
    for (let p = 0; p < this.parameters; p++) out[p] = theta[at + p]
    return this.arrange(out, 0, true)
  }

  /**
   * Undoes what the last call of `canonicalize` did: writes to `out` [P] the copy whose canonical form is `canonical`, by the same
   * element. Exact but for flips that biases take up.
   */
  restore(canonical: Float64Array, out: Float64Array): void {
    out.set(canonical)
    const { perm, sign, lastPerm, lastSign, lastTurn } = this
    let end = lastPerm.length
    for (let l = this.hidden.length - 1; l >= 0; l--) {
      const units = this.hidden[l].units
      end -= units
      for (let k = 0; k < units; k++) {
        perm[lastPerm[end + k]] = k
        sign[k] = lastSign[end + lastPerm[end + k]]!
      }
      this.apply(out, l)
      if (this.antiperiod > 0) for (let k = 0; k < units; k++) this.turn(out, l, k, lastTurn[end + k])
    }
  }

  /** Moves the bias of unit k of layer l by `turns` antiperiods; outgoing weights change their signs with each. */
  private turn(theta: Float64Array, l: number, k: number, turns: number): void {
    if (turns === 0) return
    const { at, stride } = this.hidden[l]
    theta[at + k * stride] += turns * this.antiperiod
    if (turns % 2 === 0) return
    const next = this.above[l]
    for (let q = 0; q < next.units; q++) {
      const p = next.at + q * next.stride + this.bias + k
      theta[p] = -theta[p]
    }
  }

  /** Canonical form from hidden layer `first` up, in place; without `turning` biases stay where they are. */
  private arrange(out: Float64Array, first: number, keep = false, turning = this.antiperiod > 0): number {
    let image = 0
    let done = 0
    const exact = this.order <= Number.MAX_SAFE_INTEGER
    for (let l = first; l < this.hidden.length; l++) {
      const { at, units, stride } = this.hidden[l]
      if (turning)
        for (let k = 0; k < units; k++) {
          const turns = Math.round(out[at + k * stride] / this.antiperiod)
          this.turn(out, l, k, -turns)
          if (keep) this.lastTurn[done + k] = turns
          image = mix(image, Math.abs(2 * turns) + (turns < 0 ? 1 : 0))
        }
      this.functionals(out, l)
      for (let k = 0; k < units; k++) {
        const negative = this.flips !== 'none' && this.keys[k] < -tieTolerance * Math.max(1, this.sizes[k])
        this.sign[k] = negative ? -1 : 1
        if (negative) this.keys[k] = -this.keys[k]
      }
      this.sort(units)
      for (let k = 0; k < units; k++) {
        // Lehmer code of the permutation, with the sign as one more digit.
        let rank = 0
        for (let j = k + 1; j < units; j++) if (this.perm[j] < this.perm[k]) rank++
        const digit = this.flips === 'none' ? rank : 2 * rank + (this.sign[this.perm[k]] < 0 ? 1 : 0)
        const base = (units - k) * (this.flips === 'none' ? 1 : 2)
        image = exact ? image * base + digit : mix(image, digit)
      }
      if (keep)
        for (let k = 0; k < units; k++) {
          this.lastPerm[done + k] = this.perm[k]!
          this.lastSign[done + k] = this.sign[k]!
        }
      done += units
      this.apply(out, l)
    }
    return image
  }

  /**
   * Visits images of a canonical point under which the same point may have been filed because of a near-tie: the whole group
   * when it is small, else one flip or one exchange of neighbours at a time where a functional nearly ties. `visit` gets
   * a scratch vector [P]; true ends the search.
   */
  images(canonical: Float64Array, visit: (image: Float64Array) => boolean): boolean {
    if (this.order <= 1) return false
    if (this.order <= smallGroup) return this.wholeGroup(canonical, 0, visit)
    if (this.antiperiod > 0 && this.turned(canonical, visit)) return true
    for (let l = 0; l < this.hidden.length; l++) {
      const units = this.hidden[l].units
      for (let k = 0; k < units; k++) {
        this.functionals(canonical, l)
        const near = (gap: number): boolean => Math.abs(gap) <= nearTieTolerance * Math.max(1, this.sizes[k])
        const flip = this.flips !== 'none' && near(this.keys[k])
        const swap = k + 1 < units && near(this.keys[k + 1] - this.keys[k])
        if (flip && this.single(canonical, l, k, -1, visit)) return true
        if (swap && this.single(canonical, l, k, 1, visit)) return true
      }
    }
    return false
  }

  /** Points whose biases near the ends of their range are taken to the other end, one or all of them at a time. */
  private turned(canonical: Float64Array, visit: (image: Float64Array) => boolean): boolean {
    const near: (readonly [number, number])[] = []
    this.hidden.forEach(({ at, units, stride }, l) => {
      for (let k = 0; k < units; k++) {
        const left = 0.5 * this.antiperiod - Math.abs(canonical[at + k * stride])
        if (left <= nearTieTolerance) near.push([l, k])
      }
    })
    const sets = near.length > 1 ? [...near.map(place => [place]), near] : near.map(place => [place])
    return sets.some(places => {
      this.work.set(canonical)
      for (const [l, k] of places) {
        const { at, stride } = this.hidden[l]
        this.turn(this.work, l, k, this.work[at + k * stride] > 0 ? -1 : 1)
      }
      this.arrange(this.work, 0, false, false)
      return visit(this.work)
    })
  }

  /** One flip (`kind` −1) of unit k, or one exchange of units k and k + 1 (`kind` 1); layers above are sorted anew. */
  private single(
    canonical: Float64Array,
    l: number,
    k: number,
    kind: -1 | 1,
    visit: (image: Float64Array) => boolean
  ): boolean {
    this.work.set(canonical)
    this.identity(this.hidden[l].units)
    if (kind < 0) this.sign[k] = -1
    else {
      this.perm[k] = k + 1
      this.perm[k + 1] = k
    }
    this.apply(this.work, l)
    this.arrange(this.work, l + 1)
    return visit(this.work)
  }

  private wholeGroup(point: Float64Array, l: number, visit: (image: Float64Array) => boolean): boolean {
    if (l === this.hidden.length) return visit(point)
    const units = this.hidden[l].units
    const image = new Float64Array(this.parameters)
    const signs = this.flips === 'none' ? 1 : 2 ** units
    for (const order of permutations(units))
      for (let bits = 0; bits < signs; bits++) {
        image.set(point)
        for (let k = 0; k < units; k++) {
          this.perm[k] = order[k]
          this.sign[k] = (bits >> k) & 1 ? -1 : 1
        }
        this.apply(image, l)
        if (this.wholeGroup(image, l + 1, visit)) return true
      }
    return false
  }

  /** Sum of absolute values in the lowest layer, which no element of the group changes; NaN where biases can be moved. */
  sizeBelow(theta: Float64Array): number {
    if (this.antiperiod > 0 || this.hidden.length === 0) return NaN
    const { at, units, stride } = this.hidden[0]
    let sum = 0
    for (let p = at; p < at + units * stride; p++) sum += Math.abs(theta[p])
    return sum
  }

  /**
   * Whether an image of theta [P] under the whole group has all its parameters where `isNear` says so. Units are placed one by one, so that
   * elements which put one where its incoming parameters are not near are never formed. undefined where that is left open: groups
   * without end, and points with so many units alike that too many elements remain.
   */
  hasImage(theta: Float64Array, isNear: (p: number, value: number) => boolean): boolean | undefined {
    if (this.antiperiod > 0) return undefined
    let left = mostPlacements
    const last = this.above.at(-1) ?? { at: 0, units: 1, stride: this.parameters }
    const signs = this.flips === 'none' ? [1] : [1, -1]
    const areNear = (point: Float64Array, from: number, to: number, length: number, sign = 1): boolean => {
      for (let d = 0; d < length; d++) if (!isNear(to + d, sign * point[from + d])) return false
      return true
    }
    const reach = (point: Float64Array, l: number): boolean => {
      if (l === this.hidden.length) return areNear(point, last.at, last.at, last.units * last.stride)
      const { at, units, stride } = this.hidden[l]
      const perm = new Int32Array(units)
      const sign = new Int8Array(units)
      const place = (k: number): boolean => {
        if (left-- <= 0) return false
        if (k === units) {
          const image = point.slice()
          this.perm.set(perm)
          this.sign.set(sign)
          this.apply(image, l)
          return reach(image, l + 1)
        }
        for (let j = 0; j < units; j++) {
          if (sign[j] !== 0) continue
          perm[k] = j
          for (const s of signs) {
            sign[j] = s
            if (areNear(point, at + j * stride, at + k * stride, stride, s) && place(k + 1)) return true
          }
          sign[j] = 0
        }
        return false
      }
      return place(0)
    }
    const found = reach(theta, 0)
    return found || left > 0 ? found : undefined
  }

  private identity(units: number): void {
    for (let k = 0; k < units; k++) {
      this.perm[k] = k
      this.sign[k] = 1
    }
  }

  /** keys[k] ← functional of unit k of hidden layer l; sizes[k] ← sum of the absolute terms. */
  private functionals(theta: Float64Array, l: number): void {
    const { at, units, stride } = this.hidden[l]
    const c = this.coefficients
    for (let k = 0; k < units; k++) {
      let sum = 0
      let size = 0
      for (let d = 0; d < stride; d++) {
        const term = c[d] * theta[at + k * stride + d]
        sum += term
        size += Math.abs(term)
      }
      this.keys[k] = sum
      this.sizes[k] = size
    }
  }

  /** perm ← units in ascending order of keys; runs of ties keep their order (insertion sort: layers are narrow). */
  private sort(units: number): void {
    const { keys, perm, sizes } = this
    for (let k = 0; k < units; k++) {
      let j = k
      for (; j > 0 && keys[perm[j - 1]] > keys[k]; j--) perm[j] = perm[j - 1]
      perm[j] = k
    }
    for (let from = 0; from < units;) {
      let to = from + 1
      while (
        to < units &&
        keys[perm[to]] - keys[perm[to - 1]] <= tieTolerance * Math.max(1, sizes[perm[to]], sizes[perm[to - 1]])
      )
        to++
      if (to - from > 1) perm.subarray(from, to).sort()
      from = to
    }
  }

  /** Unit k of layer l becomes sign·(unit perm[k]); columns and biases of the layer above follow. */
  private apply(theta: Float64Array, l: number): void {
    const { at, units, stride } = this.hidden[l]
    const { perm, sign, copy, bias } = this
    let trivial = true
    for (let k = 0; k < units && trivial; k++) trivial = perm[k] === k && sign[k] > 0
    if (trivial) return
    copy.set(theta.subarray(at, at + units * stride))
    for (let k = 0; k < units; k++) {
      const from = perm[k] * stride
      const s = sign[perm[k]]
      for (let d = 0; d < stride; d++) theta[at + k * stride + d] = s * copy[from + d]
    }
    const next = this.above[l]
    for (let q = 0; q < next.units; q++) {
      const row = next.at + q * next.stride
      for (let k = 0; k < units; k++) copy[k] = theta[row + bias + k]
      for (let k = 0; k < units; k++) {
        const from = perm[k]
        if (sign[from] < 0) {
          theta[row + bias + k] = -copy[from]
          if (this.flips === 'bias') theta[row] += copy[from]
        } else theta[row + bias + k] = copy[from]
      }
    }
  }
}

/** One step of a 52-bit hash: two 26-bit multiplicative halves, exact in doubles. */
function mix(hash: number, digit: number): number {
  const low = hash % 0x4000000
  const high = Math.floor(hash / 0x4000000)
  const a = Math.imul(low ^ (digit + 1), 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
  const b = Math.imul(high ^ (a >>> 13), 0xc2b2ae35) ^ Math.imul(low, 0x27d4eb2f)
  return (b >>> 6) * 0x4000000 + ((a ^ (a >>> 15)) >>> 6)
}

function* permutations(n: number): Generator<readonly number[]> {
  if (n === 0) {
    yield []
    return
  }
  for (const rest of permutations(n - 1))
    for (let at = n - 1; at >= 0; at--) yield [...rest.slice(0, at), n - 1, ...rest.slice(at)]
}
