/**
 * Copies of a point of a model given as an expression: bounded parameters are periodic in the inner coordinates, and groups of parameters
 * that the user calls exchangeable may change places. A point is brought to one canonical copy.
 */
import { folded } from './coordinates.js'
import type { Expression } from './types.js'

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))

/** Order of the group of permutations. */
export const expressionCopies = ({ symmetry }: Expression): number =>
  symmetry.reduce((order, groups) => order * factorial(groups.length), 1)

/** Groups whose keys differ by less than this, relative, are near a tie. */
const nearTie = 1e-4
/** Up to this order `images` visits every copy. */
const smallGroup = 48

export class ExpressionCanonicalizer {
  readonly parameters: number
  readonly order: number
  /** Of each family, the order that `canonicalize` took last. */
  private readonly lastOrders: number[][]

  constructor(
    private readonly model: Expression,
    /** [P] of the functional by which groups are sorted. */
    private readonly coefficients: Float64Array
  ) {
    this.parameters = model.parameters.length
    this.order = expressionCopies(model)
    this.lastOrders = model.symmetry.map(groups => groups.map((_, k) => k))
  }

  /**
   * Undoes the permutation of the last call of `canonicalize`: writes to `out` [P] the copy whose canonical form is `canonical`. Inner
   * coordinates stay folded, which is the same point in the user's.
   */
  restore(canonical: Float64Array, out: Float64Array): void {
    out.set(canonical)
    this.model.symmetry.forEach((groups, n) => {
      const inverse = groups.map(() => 0)
      this.lastOrders[n].forEach((from, k) => (inverse[from] = k))
      this.arrange(out, groups, inverse)
    })
  }

  /** Writes the canonical copy of theta[at .. at+P) to `out` [P] and returns a number of the permutation that it took. */
  canonicalize(theta: Float64Array, out: Float64Array, at = 0): number {
    this.model.parameters.forEach((p, k) => (out[k] = folded(p, theta[at + k])))
    let image = 0
    this.model.symmetry.forEach((groups, n) => {
      const order = groups.map((_, k) => k).sort((a, b) => this.key(out, groups[a]) - this.key(out, groups[b]) || a - b)
      this.arrange(out, groups, order)
      this.lastOrders[n] = order
      // Lehmer code.
      order.forEach((k, i) => {
        const rank = order.slice(i + 1).filter(j => j < k).length
        image = (image * (order.length - i) + rank) % Number.MAX_SAFE_INTEGER
      })
    })
    return image
  }

  /** Other copies under which a point near a tie may have been filed. `visit` gets a scratch vector; true ends the search. */
  images(canonical: Float64Array, visit: (image: Float64Array) => boolean): boolean {
    if (this.order <= 1) return false
    if (this.order <= smallGroup) return this.every(canonical, 0, visit)
    for (const groups of this.model.symmetry)
      for (let k = 0; k + 1 < groups.length; k++) {
        const [a, b] = [this.key(canonical, groups[k]), this.key(canonical, groups[k + 1])]
        if (!(Math.abs(a - b) <= nearTie * Math.max(1, Math.abs(a), Math.abs(b)))) continue
        const image = canonical.slice()
        this.arrange(image, [groups[k], groups[k + 1]], [1, 0])
        if (visit(image)) return true
      }
    return false
  }

  /** No sum is known that no element changes. */
  sizeBelow(_theta: Float64Array): number {
    return NaN
  }

  /** Whether an image of theta [P] has all its parameters where `isNear` says so; undefined where the group is too large to try whole. */
  hasImage(theta: Float64Array, isNear: (p: number, value: number) => boolean): boolean | undefined {
    if (this.order > smallGroup) return undefined
    return this.every(theta, 0, image => image.every((v, p) => isNear(p, v)))
  }

  private every(point: Float64Array, from: number, visit: (image: Float64Array) => boolean): boolean {
    if (from === this.model.symmetry.length) return visit(point)
    const groups = this.model.symmetry[from]
    for (const order of permutations(groups.length)) {
      const image = point.slice()
      this.arrange(image, groups, order)
      if (this.every(image, from + 1, visit)) return true
    }
    return false
  }

  private key(theta: Float64Array, group: readonly number[]): number {
    return group.reduce((sum, p, i) => sum + this.coefficients[i] * theta[p], 0)
  }

  /** Group k takes the values of group order[k]. */
  private arrange(theta: Float64Array, groups: readonly (readonly number[])[], order: readonly number[]): void {
    const old = groups.map(group => group.map(p => theta[p]))
    groups.forEach((group, k) => group.forEach((p, i) => (theta[p] = old[order[k]][i])))
  }
}

function* permutations(n: number): Generator<number[]> {
  if (n === 0) yield []
  else
    for (const rest of permutations(n - 1))
      for (let at = 0; at < n; at++) yield [...rest.slice(0, at), n - 1, ...rest.slice(at)]
}
