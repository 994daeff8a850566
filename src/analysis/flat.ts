/**
 * Which flat directions of the Hessian the model itself explains: continuous symmetries and dead units. Each explanation is a
 * tangent vector along which the network's outputs stay the same; it counts if it lies in the Hessian's null space (a
 * ridge, for one, bends most of them).
 */
import { dot, norm, symmetricEigen, without } from '../core/linalg.js'
import { activate, activationTable } from '../models/activations.js'
import { layers } from '../models/network/network.js'
import { shiftDirections } from '../models/network/shift.js'
import type { Layer } from '../models/network/network.js'
import { netInputs } from './units.js'
import type { Network, Problem } from '../models/types.js'

/** Weights count as zero below this times the largest parameter beside them: polishing leaves them at rounding level. */
const deadTolerance = 1e-6
/** A tangent lies in the null space when this share of its length does; also the rank tolerance among tangents. */
const insideNull = 0.999

/** Outgoing weights of a unit that a ridge has put out, after polishing. */
const putOut = 1e-9

type Entry = readonly [parameter: number, value: number]

/** Tangents are independent when this share of one's length is left beside the others. */
const independent = 1e-6

/**
 * Dimension of the orbit of θ under the mixings of linear units that leave f as it is, beside shifts of all classes: every invertible mixing of
 * a layer without a ridge, its rotations with one (which may differ from column to column), and shifts of a free bias that the next layer
 * takes up.
 */
export function mixingRank(network: Network, theta: Float64Array): number {
  if (!activationTable[network.activation].linear || network.hidden.length === 0) return 0
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const shifts = shiftDirections(network)
  const span = shifts.slice()
  for (let l = 0; l + 1 < all.length; l++) {
    const moves =
      network.ridge > 0
        ? rotations(theta, all[l], all[l + 1], bias === 1 && !network.penalizeBias, bias)
        : mixings(theta, all[l], all[l + 1], bias)
    for (const move of moves) {
      const t = new Float64Array(theta.length)
      for (const [p, value] of move) t[p] += value
      const length = norm(t)
      if (!(length > 0)) continue
      const rest = without(
        t.map(v => v / length),
        span
      )
      const left = norm(rest)
      if (left > independent) span.push(rest.map(v => v / left))
    }
  }
  return span.length - shifts.length
}

/** Rotations of two linear units at a time, and shifts of their biases where these are free. */
function rotations(theta: Float64Array, layer: Layer, next: Layer, free: boolean, bias: number): Entry[][] {
  const list: Entry[][] = []
  for (let i = 0; i < layer.units; i++) {
    for (let j = i + 1; j < layer.units; j++) {
      const entries: Entry[] = []
      const [a, b] = [incoming(layer, i), incoming(layer, j)]
      for (let d = 0; d < layer.stride; d++) entries.push([a + d, theta[b + d]], [b + d, -theta[a + d]])
      for (let q = 0; q < next.units; q++) {
        const [v, w] = [outgoing(next, bias, q, i), outgoing(next, bias, q, j)]
        entries.push([v, theta[w]], [w, -theta[v]])
      }
      list.push(entries)
    }
    if (free)
      list.push([
        [incoming(layer, i), 1],
        ...Array.from({ length: next.units }, (_, q): Entry => [
          next.at + q * next.stride,
          -theta[outgoing(next, bias, q, i)]
        ])
      ])
  }
  return list
}

/**
 * Flat directions that are exact beyond doubt, without a look at the Hessian: with a ridge on the weights alone, the biases of units
 * that nothing leaves.
 */
export function exactlyFlat(network: Network, theta: Float64Array, at = 0): number {
  if (activationTable[network.activation].linear && network.hidden.length > 0)
    return mixingRank(network, theta.subarray(at))
  if (!(network.ridge > 0) || !network.bias || network.penalizeBias) return 0
  const all = layers(network)
  let count = 0
  for (let l = 0; l + 1 < all.length; l++) {
    const next = all[l + 1]
    for (let j = 0; j < all[l].units; j++) {
      let dead = true
      for (let q = 0; q < next.units && dead; q++) dead = Math.abs(theta[at + outgoing(next, 1, q, j)]) <= putOut
      if (dead) count++
    }
  }
  return count
}

/** Directions along which the network computes the same, as sparse vectors over parameters. */
export function symmetryTangents(problem: Problem<Network>, theta: Float64Array): Entry[][] {
  const { model: network } = problem
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const list: Entry[][] = []
  const phi = activationTable[network.activation]
  const leaves = leaving(problem, theta)
  for (let l = 0; l + 1 < all.length; l++) {
    list.push(...deadUnits(network, theta, all[l], all[l + 1], bias, leaves[l]))
    list.push(...twinUnits(network, theta, all[l], all[l + 1], bias))
    if (phi.linear) list.push(...mixings(theta, all[l], all[l + 1], bias))
    else if (phi.homogeneous) {
      list.push(...scalings(theta, all[l], all[l + 1], bias))
      list.push(...parallelUnits(theta, all[l], all[l + 1], bias))
    }
  }
  if (phi.slopes) list.push(...sleepingUnits(problem, theta, all, bias))
  return list
}

const incoming = (layer: Layer, j: number): number => layer.at + j * layer.stride
const outgoing = (next: Layer, bias: number, q: number, j: number): number => next.at + q * next.stride + bias + j

const largest = (v: Float64Array): number => v.reduce((top, a) => Math.max(top, Math.abs(a)), 0)

/** Below what parameters from `from` to `to` count as zero. Far out those of another layer, or unit, may be huge. */
const zeroAmong = (theta: Float64Array, from: number, to: number): number =>
  deadTolerance * Math.max(largest(theta.subarray(from, to)), deadTolerance * largest(theta))

/** Per hidden layer and unit: the largest |φ| on the rows, at least 1. */
function heights(problem: Problem<Network>, theta: Float64Array): Float64Array[] {
  const phi = activationTable[problem.model.activation]
  const terms = new Float64Array(3)
  const most = problem.model.hidden.map(units => new Float64Array(units).fill(1))
  netInputs(problem, theta, 0, (l, k, u) => {
    phi.terms(u, terms)
    most[l][k] = Math.max(most[l][k], Math.abs(terms[0]))
  })
  return most
}

/** Per hidden layer and unit: whether anything leaves it. */
export function leaving(problem: Problem<Network>, theta: Float64Array): boolean[][] {
  const all = layers(problem.model)
  const bias = problem.model.bias ? 1 : 0
  return heights(problem, theta).map((layer, l) => {
    const next = all[l + 1]
    const limit = zeroAmong(theta, next.at, next.at + next.units * next.stride)
    return Array.from(layer, (height, j) =>
      Array.from({ length: next.units }, (_, q) => Math.abs(theta[outgoing(next, bias, q, j)]) * height).some(
        v => v > limit
      )
    )
  })
}

function deadUnits(
  network: Network,
  theta: Float64Array,
  layer: Layer,
  next: Layer,
  bias: number,
  leaves: readonly boolean[]
): Entry[][] {
  const list: Entry[][] = []
  const phi = new Float64Array(3)
  for (let j = 0; j < layer.units; j++) {
    const from = incoming(layer, j)
    const out = Array.from({ length: next.units }, (_, q) => outgoing(next, bias, q, j))
    // Nothing leaves the unit: whatever enters it is free.
    if (!leaves[j]) for (let d = 0; d < layer.stride; d++) list.push([[from + d, 1]])
    // No input enters: the unit is a constant φ(b), confounded with the biases above.
    const limit = zeroAmong(theta, from, from + layer.stride)
    let constant = true
    for (let d = bias; d < layer.stride; d++) constant &&= Math.abs(theta[from + d]) <= limit
    if (!constant) continue
    activate(network.activation, bias ? theta[from] : 0, phi)
    const [value, slope] = phi
    const compensate = (q: number, change: number): Entry[] => (bias ? [[next.at + q * next.stride, -change]] : [])
    if (bias || value === 0) for (let q = 0; q < next.units; q++) list.push([[out[q], 1], ...compensate(q, value)])
    if (bias) list.push([[from, 1], ...out.flatMap((p, q) => compensate(q, theta[p] * slope))])
  }
  return list
}

/** Two units that compute the same (or, for odd activations, the opposite) may share their outgoing weights in any way. */
function twinUnits(network: Network, theta: Float64Array, layer: Layer, next: Layer, bias: number): Entry[][] {
  const list: Entry[][] = []
  const odd = activationTable[network.activation].reflection === 0
  for (let i = 0; i < layer.units; i++) {
    const limit = zeroAmong(theta, incoming(layer, i), incoming(layer, i) + layer.stride)
    for (let j = i + 1; j < layer.units; j++)
      for (const sign of odd ? [1, -1] : [1]) {
        let twins = true
        for (let d = 0; d < layer.stride; d++)
          twins &&= Math.abs(theta[incoming(layer, i) + d] - sign * theta[incoming(layer, j) + d]) <= limit
        if (!twins) continue
        for (let q = 0; q < next.units; q++)
          list.push([
            [outgoing(next, bias, q, i), 1],
            [outgoing(next, bias, q, j), -sign]
          ])
      }
  }
  return list
}

/**
 * Units of which one's incoming weights are a positive multiple κ of another's: what leaves them may be shared in any way, and with a ridge
 * on all of them they may be turned into each other.
 */
function parallelUnits(theta: Float64Array, layer: Layer, next: Layer, bias: number): Entry[][] {
  const list: Entry[][] = []
  const part = (j: number): Float64Array => theta.subarray(incoming(layer, j), incoming(layer, j) + layer.stride)
  for (let i = 0; i < layer.units; i++)
    for (let j = i + 1; j < layer.units; j++) {
      const [a, b] = [part(i), part(j)]
      const sizes = norm(a) * norm(b)
      if (!(dot(a, b) > (1 - deadTolerance ** 2) * sizes) || !(sizes > 0)) continue
      const kappa = norm(b) / norm(a)
      for (let q = 0; q < next.units; q++)
        list.push([
          [outgoing(next, bias, q, i), kappa],
          [outgoing(next, bias, q, j), -1]
        ])
      const turn: Entry[] = []
      for (let d = 0; d < layer.stride; d++) turn.push([incoming(layer, i) + d, b[d]], [incoming(layer, j) + d, -a[d]])
      for (let q = 0; q < next.units; q++) {
        const [v, w] = [outgoing(next, bias, q, i), outgoing(next, bias, q, j)]
        turn.push([v, theta[w]], [w, -theta[v]])
      }
      list.push(turn)
    }
  return list
}

/** Units that no row wakes, and that give 0 then: all that enters and leaves them is free. */
function sleepingUnits(problem: Problem<Network>, theta: Float64Array, all: readonly Layer[], bias: number): Entry[][] {
  const phi = activationTable[problem.model.activation]
  if (phi.slopes?.[0] !== 0) return []
  const awake = all.slice(0, -1).map(layer => new Uint8Array(layer.units))
  netInputs(problem, theta, 0, (l, k, u) => {
    if (u > 0) awake[l][k] = 1
  })
  const list: Entry[][] = []
  awake.forEach((layer, l) =>
    layer.forEach((isAwake, j) => {
      if (isAwake) return
      const from = incoming(all[l], j)
      for (let d = 0; d < all[l].stride; d++) list.push([[from + d, 1]])
      for (let q = 0; q < all[l + 1].units; q++) list.push([[outgoing(all[l + 1], bias, q, j), 1]])
    })
  )
  return list
}

/** Linear units: W → (I + εE) W, V → V (I − εE) for each unit matrix E, and shifts of a bias taken up above. */
function mixings(theta: Float64Array, layer: Layer, next: Layer, bias: number): Entry[][] {
  const list: Entry[][] = []
  for (let i = 0; i < layer.units; i++) {
    for (let j = 0; j < layer.units; j++) {
      const entries: Entry[] = []
      for (let d = 0; d < layer.stride; d++) entries.push([incoming(layer, i) + d, theta[incoming(layer, j) + d]])
      for (let q = 0; q < next.units; q++)
        entries.push([outgoing(next, bias, q, j), -theta[outgoing(next, bias, q, i)]])
      list.push(entries)
    }
    if (bias)
      list.push([
        [incoming(layer, i), 1],
        ...Array.from({ length: next.units }, (_, q): Entry => [
          next.at + q * next.stride,
          -theta[outgoing(next, bias, q, i)]
        ])
      ])
  }
  return list
}

/** Positively homogeneous units: (w, b) → (1 + ε)(w, b), v → (1 − ε) v. */
function scalings(theta: Float64Array, layer: Layer, next: Layer, bias: number): Entry[][] {
  return Array.from({ length: layer.units }, (_, j) => {
    const entries: Entry[] = []
    for (let d = 0; d < layer.stride; d++) entries.push([incoming(layer, j) + d, theta[incoming(layer, j) + d]])
    for (let q = 0; q < next.units; q++) entries.push([outgoing(next, bias, q, j), -theta[outgoing(next, bias, q, j)]])
    return entries
  })
}

/** Orthonormal vectors [·][P] that span the symmetries' tangents in scaled variables, where a direction t becomes t / scale. */
export function symmetrySpan(problem: Problem<Network>, theta: Float64Array, scale: Float64Array): Float64Array[] {
  const span: Float64Array[] = []
  for (const tangent of symmetryTangents(problem, theta)) {
    const t = new Float64Array(theta.length)
    for (const [p, value] of tangent) t[p] += value / scale[p]
    const length = norm(t)
    if (!(length > 0)) continue
    const rest = without(
      t.map(v => v / length),
      span
    )
    const left = norm(rest)
    if (left > 1 - insideNull) span.push(rest.map(v => v / left))
  }
  return span
}

/**
 * Dimension of the part of a null space that symmetry explains: of the tangents' span, what lies inside. `basis` [nullity][P]:
 * orthonormal vectors in the scaled variables θ / scale.
 */
export function explainedNullity(
  problem: Problem<Network>,
  theta: Float64Array,
  basis: readonly Float64Array[],
  scale: Float64Array
): number {
  if (basis.length === 0) return 0
  const span = symmetrySpan(problem, theta, scale)
  // Cosines between the two spaces: the square roots of the eigenvalues of M Mᵀ, M = the tangents in the basis. A ridge bends single
  // tangents (a mixing of identity units) and leaves combinations (their rotations), so the spans must be compared whole.
  const M = span.map(t => Float64Array.from(basis, vector => dot(vector, t)))
  const K = M.length
  if (K === 0) return 0
  const gram = Float64Array.from({ length: K * K }, (_, k) => dot(M[Math.floor(k / K)], M[k % K]))
  return symmetricEigen(gram, K).values.filter(v => v >= insideNull ** 2).length
}

/** Losses that differ by this share are told apart. */
const toldApart = 2 ** -33

/**
 * Whether the fall that a slope along flat directions makes over the length of θ would make a difference. Beside a huge curvature rounding
 * hides such a slope: far out a narrow valley that leads to infinity looks flat.
 */
export const hidesFall = (fall: number, loss: number): boolean => fall > toldApart * loss
