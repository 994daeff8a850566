/**
 * Decides before any training whether a model without hidden layer has a finite minimiser (Albert and Anderson 1984), from the
 * recession cone of its loss. Where the cone holds a direction, the loss falls along it from every point, so that there is no
 * stationary point at all; that is true of `brier` too. Each row gives one constraint: a direction may only lower its loss (≥ 0), or
 * must not touch it (= 0, where the loss grows both ways). Answers are in the user's coordinates.
 */
import type { Summary } from '../../core/result.js'
import { isScalar, lossTable, scalarLoss } from '../../models/losses/index.js'
import { layers } from '../../models/network/network.js'
import { parameterCount, penaltyOf } from '../../models/model.js'
import { isNetwork } from '../../models/model.js'
import type { Network, Problem } from '../../models/types.js'
import { designRank } from '../rank.js'
import { interior, rises, type ConeRows } from './cone.js'
import { limitOf, type Limit } from './limit.js'
import { product, rowSpace, times } from './rows.js'

export type Separation = Summary['separation']

/** The user's side of a problem: data as given, and what the problem's parameters are there. */
export interface UserView {
  /** [N, D] */
  readonly x: Float64Array
  /** The user's direction [P], point [P], of one in the problem's coordinates. */
  direction(d: Float64Array): Float64Array
  point(theta: Float64Array): Float64Array
}

/** One constraint: row i, for softmax its contrast of class y_i with class c, else its output c. */
interface Constraint {
  readonly row: number
  readonly c: number
  /** 1: may only rise, −1: only fall, 0: must stay. */
  readonly way: 1 | -1 | 0
}

/** Constraints tried first where there are far more: if they leave no direction, all do not. */
const sampled = (dim: number): number => Math.max(1000, 60 * dim)

const none = (status: Separation['status'], reason: string): Separation => ({
  status,
  infinite: {},
  undetermined: [],
  finite: {},
  rows: [],
  direction: [],
  reason
})

interface Design {
  /** [N, S]: a column of ones where there are biases, then (x − shift) / scale. */
  readonly X: Float64Array
  readonly shift: Float64Array
  readonly scale: Float64Array
}

/** The design with columns in units of their largest entry, moved to their means where a free bias can take that up. */
function designOf({ rows, x, model: network }: Problem<Network>, centred: boolean): Design {
  const D = network.inputs
  const bias = network.bias ? 1 : 0
  const S = D + bias
  const X = new Float64Array(rows * S).fill(1)
  const shift = new Float64Array(D)
  const scale = new Float64Array(D).fill(1)
  for (let d = 0; d < D; d++) {
    if (centred) {
      // About the first entry, so that an offset does not swallow the digits of the mean.
      let sum = 0
      for (let i = 0; i < rows; i++) sum += x[i * D + d] - x[d]
      shift[d] = x[d] + sum / rows
    }
    let top = 0
    for (let i = 0; i < rows; i++) top = Math.max(top, Math.abs(x[i * D + d] - shift[d]))
    if (top > 0) scale[d] = top
    for (let i = 0; i < rows; i++) X[i * S + bias + d] = (x[i * D + d] - shift[d]) / scale[d]
  }
  return { X, shift, scale }
}

function constraintsOf({ rows, y, weight, model }: Problem): Constraint[] {
  const C = model.outputs
  const list: Constraint[] = []
  const recedes = isScalar(model.loss) ? scalarLoss(model.loss).recedes : undefined
  for (let row = 0; row < rows; row++) {
    if (weight && weight[row] === 0) continue
    for (let c = 0; c < C; c++) {
      if (recedes) list.push({ row, c, way: recedes(y[row * C + c]) })
      else if (c !== y[row]) list.push({ row, c, way: 1 })
    }
  }
  return list
}

/** Directions that some rows leave alone. */
type Leftover = Pick<ReturnType<typeof rowSpace>, 'rest' | 'condition'>

/** The constraints of a problem over those of its parameters that may run away. */
class Constraints {
  readonly S: number
  readonly P: number
  /** [N, S] */
  readonly X: Float64Array
  /** Places in θ. */
  readonly free: readonly number[]
  private readonly isClass: boolean
  private readonly design: Design

  constructor(
    readonly problem: Problem<Network>,
    private readonly view: UserView
  ) {
    const { model: network, rows, weight } = problem
    const penalty = penaltyOf(problem)
    this.design = designOf(problem, network.bias && !penalty.some(v => v > 0))
    this.X = this.design.X
    this.S = layers(network)[0].stride
    this.P = parameterCount(network)
    this.isClass = !isScalar(network.loss)
    const S = this.S
    const used = Array.from({ length: rows }, (_, i) => i).filter(i => !weight || weight[i] > 0)
    const X = new Float64Array(used.length * S)
    used.forEach((i, n) => X.set(this.X.subarray(i * S, (i + 1) * S), n * S))
    // R's rule: columns that depend on others stay at 0; so does the base class, which classes are compared with.
    const aliased = new Set(designRank(X, used.length, S).aliased)
    this.free = Array.from({ length: this.P }, (_, p) => p).filter(
      p => !aliased.has(p % S) && !(penalty[p] > 0) && !(this.isClass && p < S)
    )
  }

  /** The change of a constraint along each free parameter, [list.length, free.length]; signed so that it may only rise. */
  matrix(list: readonly Constraint[]): Float64Array {
    const { S, X, free, isClass } = this
    const { y } = this.problem
    const out = new Float64Array(list.length * free.length)
    list.forEach(({ row, c, way }, n) => {
      free.forEach((p, k) => {
        const block = Math.floor(p / S)
        const sign = isClass ? (block === y[row] ? 1 : block === c ? -1 : 0) : block === c ? way || 1 : 0
        if (sign !== 0) out[n * free.length + k] = sign * X[row * S + (p % S)]
      })
    })
    return out
  }

  /** Directions and points [P] of the problem from those of the design here. */
  inProblem(theta: Float64Array): Float64Array {
    const { S, P, design } = this
    const D = this.problem.model.inputs
    const bias = S - D
    const out = theta.slice()
    for (let at = 0; at < P; at += S)
      for (let d = 0; d < D; d++) {
        const w = theta[at + bias + d] / design.scale[d]
        out[at + bias + d] = w
        if (bias === 1) out[at] -= w * design.shift[d]
      }
    return out
  }

  /** A direction [P] of the problem from its free entries here. */
  whole(d: ArrayLike<number>): Float64Array {
    const out = new Float64Array(this.P)
    this.free.forEach((p, k) => (out[p] = d[k]))
    return this.inProblem(out)
  }

  /**
   * The cone that constraints leave of directions Σ u_k basis_k. A row that lies in what the directions leave alone is 0 in all of them;
   * what rounding makes of it points anywhere, and is put to 0.
   * @param condition of the rows that the basis is orthogonal to
   */
  cone(list: readonly Constraint[], { rest: basis, condition }: Leftover): ConeRows {
    const matrix = this.matrix(list)
    const F = this.free.length
    const q = basis.length
    const rows = times(matrix, list.length, F, basis)
    let doubtful = false
    let relative = 0
    if (q < F)
      for (let n = 0; n < list.length; n++) {
        const [whole, row] = [matrix.subarray(n * F, (n + 1) * F), rows.subarray(n * q, (n + 1) * q)]
        const share = Math.sqrt(product(row, row) / product(whole, whole))
        const noise = 16 * F * Number.EPSILON * condition
        if (!(share > noise)) row.fill(0)
        else {
          relative = Math.max(relative, noise / share)
          if (!(share > 64 * noise)) doubtful = true
        }
      }
    return {
      rows,
      count: list.length,
      dim: q,
      relative,
      doubtful,
      error: this.errorOf(list, matrix, basis)
    }
  }

  /**
   * How far a constraint's change along d is known: roundings of d and of the sum, and of the user's numbers as they were written;
   * whole numbers are exact.
   */
  private errorOf(
    list: readonly Constraint[],
    matrix: Float64Array,
    basis: readonly Float64Array[]
  ): ConeRows['error'] {
    const { S, P, free, isClass, view } = this
    const { model: network, rows, y } = this.problem
    const D = network.inputs
    const bias = S - D
    const exact = Array.from({ length: D }, (_, j) => {
      for (let i = 0; i < rows; i++) if (!Number.isInteger(view.x[i * D + j])) return false
      return true
    })
    let last: Float64Array | undefined
    let largest = 0
    let user: Float64Array = new Float64Array(0)
    return (n, u) => {
      if (u !== last) {
        last = u
        const own = combination(basis, u, free.length)
        largest = own.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
        user = view.direction(this.whole(own)).map(Math.abs)
      }
      let sum = 0
      for (let k = 0; k < free.length; k++) sum += Math.abs(matrix[n * free.length + k])
      let written = 0
      const { row, c } = list[n]
      for (const block of isClass ? [c, y[row]] : [c])
        for (let j = 0; j < D; j++) if (!exact[j]) written += Math.abs(view.x[row * D + j]) * user[block * S + bias + j]
      return Number.EPSILON * ((P + 2) * sum * largest + written / 2)
    }
  }
}

/** Σ u_k basis_k, [n] */
function combination(basis: readonly Float64Array[], u: Float64Array, n: number): Float64Array {
  const d = new Float64Array(n)
  basis.forEach((v, k) => {
    for (let p = 0; p < n; p++) d[p] += u[k] * v[p]
  })
  return d
}

const itself = (problem: Problem): UserView => ({ x: problem.x, direction: d => d, point: theta => theta })

/**
 * Separation of the data by a model without hidden layer.
 * @param names [P], for the answers
 * @param view the user's side; absent: the problem is the user's
 */
export function separation(problem: Problem, names: readonly string[], view: UserView = itself(problem)): Separation {
  if (!isNetwork(problem) || problem.model.hidden.length > 0)
    return none('not-applicable', 'Separation is decided for networks without a hidden layer only.')
  const { model: network } = problem
  const definition = lossTable[network.loss]
  if (network.firth)
    return none('not-applicable', 'Firth’s penalty grows without bound along every direction of separation.')
  if (definition.response !== 'class' && !definition.recedes)
    return none('not-applicable', `The ${network.loss} loss grows in every direction that changes a prediction.`)
  const penalty = penaltyOf(problem)
  const ridge = penalty.some(v => v > 0)
  const held = 'With a ridge no weight can run away.'
  if (penalty.every(v => v > 0)) return none('not-applicable', held)
  const all = new Constraints(problem, view)
  const list = constraintsOf(problem)
  const bound = list.filter(c => c.way === 0)
  const open = list.filter(c => c.way !== 0)
  const F = all.free.length
  const bounded = definition.bounded
    ? ' The loss is bounded, though, so runs that give up on some rows may run away.'
    : ''
  const nothing = (): Separation =>
    ridge
      ? none('not-applicable', held)
      : none('none', `No direction lowers the loss of some rows without raising that of others.${bounded}`)
  const space = rowSpace(all.matrix(bound), bound.length, F)
  const q = space.rest.length
  if (open.length === 0) return nothing()
  const unsure = (): Separation =>
    none(
      'undecided',
      'Whether a direction lowers the loss of some rows without raising that of others lies within the rounding of the data; give the columns with more digits, or subtract a constant from those with a large offset.'
    )
  if (q === 0) return nothing()

  const stride = Math.floor(open.length / sampled(q))
  if (stride > 1) {
    const cone = all.cone(
      open.filter((_, n) => n % stride === 0),
      space
    )
    const { direction, undecided } = interior(cone)
    if (!direction && !undecided && rowSpace(cone.rows, cone.count, q).span.length === q) return nothing()
  }
  const found = interior(all.cone(open, space))
  if (!found.direction) {
    return found.undecided ? unsure() : nothing()
  }
  // Whether what was found leaves the bound rows alone is not known.
  if (space.doubtful) return unsure()
  return describe(all, view, names, { bound, open, basis: space.rest, found })
}

interface Found {
  readonly bound: readonly Constraint[]
  readonly open: readonly Constraint[]
  readonly basis: readonly Float64Array[]
  readonly found: ReturnType<typeof interior>
}

/** What is said of separated data. */
function describe(all: Constraints, view: UserView, names: readonly string[], parts: Found): Separation {
  const { bound, open, basis, found } = parts
  const { P, free } = all
  const complete = bound.length === 0 && found.positive.every(v => v === 1)
  const user = view.direction(all.whole(combination(basis, found.direction!, free.length)))

  // Each of the user's coefficients as a function of the problem's parameters.
  const image = free.map((_, k) => view.direction(all.whole(free.map((__, j) => (j === k ? 1 : 0)))))
  // Constraints that cannot become positive bind every direction of the cone.
  const binding = [...bound, ...open.filter((_, n) => found.positive[n] === 0)]
  const kept = rowSpace(all.matrix(binding), binding.length, free.length)
  const inside = kept.rest
  const rising = rises(
    all.cone(
      open.filter((_, n) => found.positive[n] === 1),
      kept
    )
  )
  const infinite: Record<string, 1 | -1> = {}
  const undetermined: string[] = []
  const staying: number[] = []
  for (let p = 0; p < P; p++) {
    const own = Float64Array.from(image, v => v[p])
    if (!own.some(v => v !== 0)) continue
    const c = Float64Array.from(inside, v => product(v, own))
    // A function of the constraints that bind is left with rounding of its cancelled parts.
    const size = Math.sqrt(product(own, own))
    const up = Math.sqrt(product(c, c)) > 1e-12 * size ? rising(c) : 0
    const down = Math.sqrt(product(c, c)) > 1e-12 * size ? rising(c.map(v => -v)) : 0
    if (up === 1 && down === 0) infinite[names[p]] = 1
    else if (down === 1 && up === 0) infinite[names[p]] = -1
    else if (up === 0 && down === 0) {
      staying.push(p)
      user[p] = 0
    } else undetermined.push(names[p])
  }
  const length = Math.sqrt(product(user, user))
  const limit = complete ? null : fitRest(all, parts)
  const at = limit ? view.point(all.inProblem(limit.theta)) : undefined
  const finite = at ? Object.fromEntries(staying.map(p => [names[p], at[p]])) : {}
  const errors = limit
    ? Object.fromEntries(
        staying.map(p => {
          const c = new Float64Array(P)
          free.forEach((f, k) => (c[f] = image[k][p]))
          return [names[p], Math.sqrt(limit.variance(c))]
        })
      )
    : {}
  const doubt = found.undecided ? ' Whether more rows are separated lies within the rounding of the data.' : ''
  return {
    status: complete ? 'complete' : 'quasi-complete',
    infinite,
    undetermined,
    finite,
    rows: separatedRows(all.problem, parts),
    direction: Array.from(user, v => (v === 0 ? 0 : v / length)),
    ...(limit
      ? { limit: { loss: limit.loss, standardErrors: errors, ...devianceOf(all.problem, limit.loss) } }
      : complete
        ? { limit: { loss: 0, standardErrors: {}, ...devianceOf(all.problem, 0) } }
        : {}),
    reason: complete
      ? 'A direction lowers the loss of every row: there is no finite minimiser.'
      : `A direction lowers the loss of some rows and leaves the others as they are: there is no finite minimiser.${doubt}`
  }
}

/** Twice what the loss is above that of a model with a parameter for each row; empty for losses that are no likelihood. */
function devianceOf({ model, rows, y, weight }: Problem, loss: number): { deviance?: number } {
  const definition = lossTable[model.loss]
  if (definition.noLikelihood !== undefined) return {}
  const terms = new Float64Array(3)
  let [least, total] = [0, 0]
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    total += w
    if (definition.response === 'class') continue
    for (let c = 0; c < model.outputs; c++) {
      const v = y[i * model.outputs + c]
      // A share's entropy; of counts, the loss where the mean is the count, 0 for none.
      if (definition.response === 'share')
        least -= w * (v > 0 && v < 1 ? v * Math.log(v) + (1 - v) * Math.log1p(-v) : 0)
      else if (v > 0) {
        definition.terms(Math.log(v), v, terms, model.lossParameters ?? [])
        least += w * terms[0]
      }
    }
  }
  return { deviance: 2 * (total * loss - least) }
}

/** Numbers, from 1, of the rows that cost nothing in the end. */
function separatedRows({ rows }: Problem, { bound, open, found }: Found): number[] {
  const state = new Uint8Array(rows)
  open.forEach(({ row }, n) => (state[row] |= found.positive[n] === 1 ? 1 : 2))
  for (const { row } of bound) state[row] |= 2
  return Array.from({ length: rows }, (_, i) => i + 1).filter(i => state[i - 1] === 1)
}

/** The fit of what separation leaves; null for a loss that is not convex, whose rest may have several. */
function fitRest(all: Constraints, { bound, open, found }: Found): Limit | null {
  const { problem, X, S, P, free } = all
  const { model: network, rows } = problem
  if (!lossTable[network.loss].convex || penaltyOf(problem).some(v => v > 0)) return null
  const counts = new Uint8Array(rows * network.outputs).fill(1)
  open.forEach(({ row, c }, n) => {
    if (found.positive[n] === 1) counts[row * network.outputs + c] = 0
  })
  const left = [...bound, ...open.filter((_, n) => found.positive[n] === 0)]
  const own = all.matrix(left)
  const spanning = new Float64Array(left.length * P)
  left.forEach((_, n) => free.forEach((p, k) => (spanning[n * P + p] = own[n * free.length + k])))
  return limitOf({ problem, design: X, columns: S, counts }, spanning, left.length, P)
}
