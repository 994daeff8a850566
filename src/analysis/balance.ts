/**
 * A well-conditioned copy of a network of linear units. Every invertible mixing of a hidden layer that the next one undoes leaves f as it is, and
 * takes the Hessian at a stationary point to a congruent one, whose inertia is the same (Sylvester) but may be hidden by rounding where
 * units are nearly alike, or weights large on one side of the layer and small on the other.
 */
import { dot, norm, without } from '../core/linalg.js'
import { reportPlaces } from '../language/program.js'
import { activationTable } from '../models/activations.js'
import { layers } from '../models/network/network.js'
import { shiftCount } from '../models/network/shift.js'
import { mixingRank } from './flat.js'
import { inOrder, type JudgedObjective, type Runs } from './follow.js'
import type { Judge } from './judge.js'
import type { Network } from '../models/types.js'

/** What is left of a row beside the others is rounding below this share of it. */
const rounding = 2 ** -40

/** Whether every mixing of a hidden layer leaves f as it is. */
export const isMixed = ({ activation, hidden, ridge }: Network): boolean =>
  hidden.length > 0 && activationTable[activation].linear === true && !(ridge > 0)

/** Orthonormal rows that span those of A, those of most left first, and L with A = L Q, by columns. */
function factored(A: readonly Float64Array[]): { Q: Float64Array[]; L: Float64Array[] } {
  const Q: Float64Array[] = []
  const most = Math.min(A.length, A[0].length)
  const lengths = A.map(norm)
  while (Q.length < most) {
    const left = A.map(row => without(row, Q))
    const share = left.map((row, i) => (lengths[i] > 0 ? norm(row) / lengths[i] : 0))
    const k = share.indexOf(Math.max(...share))
    if (!(share[k] > rounding)) break
    const long = norm(left[k])
    Q.push(left[k].map(v => v / long))
  }
  return { Q, L: Q.map(q => Float64Array.from(A, row => dot(row, q))) }
}

/** Orthonormal vectors that complete columns to a basis. */
function completed(columns: readonly Float64Array[], size: number): Float64Array[] {
  const basis: Float64Array[] = []
  const add = (v: Float64Array): void => {
    const rest = without(v, basis)
    const long = norm(rest)
    basis.push(rest.map(a => a / long))
  }
  for (const column of columns) add(column)
  while (basis.length < size) {
    const units = Array.from({ length: size }, (_, i) => new Float64Array(size).fill(1, i, i + 1))
    const left = units.map(unit => norm(without(unit, basis)))
    add(units[left.indexOf(Math.max(...left))])
  }
  return basis.slice(columns.length)
}

/**
 * The copy of θ [P] in which the weights into each hidden layer are orthogonal, in scaled variables θ / scale, as large as those that leave it,
 * and its biases 0.
 */
export function balanced(network: Network, theta: Float64Array, scale: Float64Array): Float64Array {
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const out = theta.map((v, p) => v / scale[p])
  for (let l = 0; l + 1 < all.length; l++) {
    const [layer, next] = [all[l], all[l + 1]]
    const [from, to] = [layer, next].map(
      ({ at, stride }) =>
        (k: number): number =>
          at + k * stride
    )
    const outgoing = Array.from({ length: next.units }, (_, q) => out.slice(to(q) + bias, to(q) + next.stride))
    for (let k = 0; bias && k < layer.units; k++) {
      outgoing.forEach((row, q) => (out[to(q)] += row[k] * out[from(k)]))
      out[from(k)] = 0
    }
    const A = Array.from({ length: layer.units }, (_, k) => out.slice(from(k) + bias, from(k) + layer.stride))
    const { Q, L } = factored(A)
    const through = (columns: readonly Float64Array[]): Float64Array[] =>
      columns.map(column => Float64Array.from(outgoing, row => dot(row, column)))
    const live = through(L)
    const size = Math.sqrt(Math.max(...live.map(norm), 0)) || 1
    // What comes from units that nothing enters may be of any size.
    const idle = through(completed(L, layer.units)).map(v => v.map(a => (norm(v) > 0 ? (a * size) / norm(v) : 0)))
    for (let k = 0; k < layer.units; k++) {
      for (let d = 0; d < layer.inputs; d++) out[from(k) + bias + d] = k < Q.length ? size * Q[k][d] : 0
      for (let q = 0; q < next.units; q++)
        out[to(q) + bias + k] = k < Q.length ? live[k][q] / size : idle[k - Q.length][q]
    }
  }
  return out.map((v, p) => v * scale[p])
}

/** Well-conditioned copies of points [count, P], polished. */
function copiesOf(
  objective: JudgedObjective,
  network: Network,
  { polish, polishSteps, scale }: Judge,
  points: Float64Array
): Promise<Runs> {
  const P = objective.parameters
  const count = points.length / P
  const copies = new Float64Array(points.length)
  for (let n = 0; n < count; n++) copies.set(balanced(network, points.subarray(n * P, (n + 1) * P), scale), n * P)
  return inOrder(objective, polish, copies, count, polishSteps)
}

/** The same with Hessians [count, P, P]. */
export async function polishedCopies(
  objective: JudgedObjective,
  network: Network,
  judge: Judge,
  points: Float64Array
): Promise<{ readonly theta: Float64Array; readonly H: Float64Array }> {
  const { theta } = await copiesOf(objective, network, judge, points)
  return { theta, H: (await objective.evaluate(theta, { H: true })).H! }
}

/**
 * Flat directions of degenerate points [count, P], beside shifts of all classes, each counted at a well-conditioned copy: all points of one valley
 * have the same.
 */
export async function nullitiesOf(
  objective: JudgedObjective,
  network: Network,
  judge: Judge,
  points: Float64Array
): Promise<{ readonly nullity: Uint32Array; readonly steps: number }> {
  const P = objective.parameters
  const run = await copiesOf(objective, network, judge, points)
  const { zero, negative } = reportPlaces(judge.polish)
  const K = judge.polish.report.length
  const nullity = Uint32Array.from({ length: run.count }, (_, n) => {
    const flat = run.report[n * K + zero] + run.report[n * K + negative] - shiftCount(network)
    return Math.max(1, flat, mixingRank(network, run.theta.subarray(n * P, (n + 1) * P)))
  })
  return { nullity, steps: run.steps.reduce((sum, v) => sum + v, 0) }
}
