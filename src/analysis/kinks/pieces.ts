/**
 * A network of piecewise linear units, piece by piece: on a piece every unit has one slope on every row, and f is smooth. Value, gradient,
 * Hessian and net inputs of a chosen piece, also where the point lies on its border. Rows with equal inputs are one here, since
 * their units meet kinks together.
 *
 * A pair is a row and a hidden unit, numbered row · K + unit, K the number of hidden units.
 */
import { activationTable } from '../../models/activations.js'
import { lossTable } from '../../models/losses/index.js'
import { softmaxSecond, softmaxTerms } from '../../models/losses/softmax.js'
import { layers, type Layer } from '../../models/network/network.js'
import { parameterCount, penaltyOf } from '../../models/model.js'
import { shiftDirections } from '../../models/network/shift.js'
import type { UnitParts } from '../units.js'
import type { Network, Problem } from '../../models/types.js'

/** Which slope a pair takes: that of the sign of its net input, or one side's whatever the sign. */
export const Side = { own: 0, below: 1, above: 2 } as const

/** Whether a network has hidden units with a kink. */
export const hasKinks = ({ hidden, activation }: Network): boolean =>
  hidden.length > 0 && activationTable[activation].slopes !== undefined

/** Work space of one problem. After `at`, the rest speaks of that point and piece. */
export class Pieces {
  /** P */
  readonly parameters: number
  /** Distinct rows that count. */
  readonly rows: number
  /** K */
  readonly units: number
  readonly pairs: number
  readonly penalty: Float64Array
  /** Orthonormal directions that no data determine. */
  readonly shifts: readonly Float64Array[]
  /** [pairs] net inputs, and the largest term of each, at least 1. */
  readonly u: Float64Array
  readonly size: Float64Array
  /** [pairs] ∂f/∂(the unit's output on the row), times the difference of the slopes: what f' has more above the kink than below. */
  readonly jump: Float64Array
  private readonly slope: Float64Array
  private readonly layers: readonly Layer[]
  /** 1 with biases. */
  readonly bias: 0 | 1
  readonly slopes: readonly [number, number]
  /** Hidden units before each hidden layer. */
  private readonly before: readonly number[]
  private readonly x: Float64Array
  /** Rows of the problem with the inputs of each distinct row. */
  private readonly members: readonly (readonly number[])[]
  private readonly share: Float64Array
  private readonly theta: Float64Array
  /** [rows, C] */
  private readonly z: Float64Array
  private readonly own = new Float64Array(3)

  constructor(readonly problem: Problem<Network>) {
    const { model: network, x, rows, weight } = problem
    this.layers = layers(network)
    this.parameters = parameterCount(network)
    this.penalty = penaltyOf(problem)
    this.shifts = shiftDirections(network)
    this.bias = network.bias ? 1 : 0
    this.slopes = activationTable[network.activation].slopes ?? [1, 1]
    const D = network.inputs
    const byInputs = new Map<string, number[]>()
    let total = 0
    for (let i = 0; i < rows; i++) {
      const w = weight ? weight[i] : 1
      total += w
      if (!(w > 0)) continue
      const key = x.subarray(i * D, (i + 1) * D).join()
      const same = byInputs.get(key)
      if (same) same.push(i)
      else byInputs.set(key, [i])
    }
    this.members = [...byInputs.values()]
    this.share = Float64Array.from({ length: rows }, (_, i) => (weight ? weight[i] : 1) / total)
    this.rows = this.members.length
    this.x = Float64Array.from(this.members.flatMap(([i]) => Array.from(x.subarray(i * D, (i + 1) * D))))
    let units = 0
    this.before = network.hidden.map(h => (units += h) - h)
    this.units = units
    this.pairs = this.rows * units
    this.u = new Float64Array(this.pairs)
    this.size = new Float64Array(this.pairs)
    this.jump = new Float64Array(this.pairs)
    this.slope = new Float64Array(this.pairs)
    this.theta = new Float64Array(this.parameters)
    this.z = new Float64Array(this.rows * network.outputs)
  }

  /** Layer and unit within it of hidden unit k. */
  placeOf(k: number): { readonly l: number; readonly j: number } {
    let l = this.before.length - 1
    while (this.before[l] > k) l--
    return { l, j: k - this.before[l] }
  }

  /** The hidden units of unit k's layer: from `before` to below `after`. */
  layerOf(k: number): { readonly before: number; readonly after: number } {
    const { l } = this.placeOf(k)
    return { before: this.before[l], after: this.before[l + 1] ?? this.units }
  }

  /** Places in θ of what enters hidden unit k, and of what leaves it. */
  weightsOf(k: number): { readonly incoming: number[]; readonly outgoing: number[] } {
    const { l, j } = this.placeOf(k)
    const [layer, next] = [this.layers[l], this.layers[l + 1]]
    return {
      incoming: Array.from({ length: layer.stride }, (_, d) => layer.at + j * layer.stride + d),
      outgoing: Array.from({ length: next.units }, (_, q) => next.at + q * next.stride + this.bias + j)
    }
  }

  /** The parameters of hidden unit k, and how far apart its net inputs are from its bias. */
  partsOf(k: number): UnitParts {
    const { incoming, outgoing } = this.weightsOf(k)
    const constant = this.bias ? this.theta[incoming[0]] : 0
    let spread = 0
    for (let pair = k; pair < this.pairs; pair += this.units)
      spread = Math.max(spread, Math.abs(this.u[pair] - constant))
    return { bias: this.bias ? incoming[0] : null, weights: incoming.slice(this.bias), outgoing, spread }
  }

  /** What a hidden unit's weights are multiplied by on a row: 1 for the bias, then the layer below. */
  inputsOf(row: number, k: number): Float64Array {
    const { l } = this.placeOf(k)
    const { stride } = this.layers[l]
    return Float64Array.from({ length: stride }, (_, d) => (d < this.bias ? 1 : this.below(row, l, d - this.bias)))
  }

  /** [C or units of the layer above] ∂f/∂(net inputs above hidden unit k) on a row. */
  above(row: number, k: number): Float64Array {
    const { l } = this.placeOf(k)
    const deltas = this.deltas(row)
    return deltas[l + 1]
  }

  private below(row: number, l: number, d: number): number {
    if (l === 0) return this.x[row * this.layers[0].inputs + d]
    const pair = row * this.units + this.before[l - 1] + d
    return this.slope[pair] * this.u[pair]
  }

  /** f at θ, on the piece that `side` [pairs] and the signs of the net inputs choose. */
  at(theta: Float64Array, side: Uint8Array): number {
    this.theta.set(theta)
    const { layers: all, bias, units, slopes, u, size, slope } = this
    const last = all.length - 1
    let f = 0
    for (let row = 0; row < this.rows; row++) {
      for (let l = 0; l <= last; l++) {
        const layer = all[l]
        for (let j = 0; j < layer.units; j++) {
          const from = layer.at + j * layer.stride
          let sum = bias ? theta[from] : 0
          let top = Math.max(1, Math.abs(sum))
          for (let d = 0; d < layer.inputs; d++) {
            const term = theta[from + bias + d] * this.below(row, l, d)
            sum += term
            top = Math.max(top, Math.abs(term))
          }
          if (l === last) this.z[row * layer.units + j] = sum
          else {
            const pair = row * units + this.before[l] + j
            u[pair] = sum
            size[pair] = top
            const up = side[pair] === Side.own ? sum > 0 : side[pair] === Side.above
            slope[pair] = slopes[up ? 1 : 0]
          }
        }
      }
      f += this.outputs(row)
    }
    let ridge = 0
    for (let p = 0; p < this.parameters; p++) ridge += this.penalty[p] * theta[p] * theta[p]
    return f + 0.5 * ridge
  }

  /** Loss of a row's members; adds ∂/∂z [C] and ∂²/∂z² [C, C] where given. */
  private outputs(row: number, first?: Float64Array, second?: Float64Array): number {
    const { model: network, y, offset } = this.problem
    const C = network.outputs
    const z = this.z.subarray(row * C, (row + 1) * C)
    const definition = lossTable[network.loss]
    let value = 0
    for (const i of this.members[row]) {
      const w = this.share[i]
      if (definition.response === 'class') {
        const p = new Float64Array(C)
        const d = new Float64Array(C)
        value += w * softmaxTerms(z, y[i], p, d)
        for (let c = 0; c < C; c++) {
          if (first) first[c] += w * d[c]
          if (second) for (let e = 0; e < C; e++) second[c * C + e] += w * softmaxSecond(p, c, e)
        }
        continue
      }
      for (let c = 0; c < C; c++) {
        definition.terms(z[c] + (offset ? offset[i] : 0), y[i * C + c], this.own, network.lossParameters ?? [])
        value += w * this.own[0]
        if (first) first[c] += w * this.own[1]
        if (second) second[c * C + c] += w * this.own[2]
      }
    }
    return value
  }

  /** ∂f/∂u on a row, layer by layer, the outputs last; writes `jump`. `extra` [pairs] is added to the hidden ones. */
  private deltas(row: number, extra?: Float64Array, second?: Float64Array): Float64Array[] {
    const { layers: all, bias, theta, units, slope, before } = this
    const last = all.length - 1
    const out = all.map(layer => new Float64Array(layer.units))
    this.outputs(row, out[last], second)
    for (let l = last - 1; l >= 0; l--) {
      const next = all[l + 1]
      for (let j = 0; j < all[l].units; j++) {
        let sum = 0
        for (let q = 0; q < next.units; q++) sum += theta[next.at + q * next.stride + bias + j] * out[l + 1][q]
        const pair = row * units + before[l] + j
        if (!extra) this.jump[pair] = (this.slopes[1] - this.slopes[0]) * sum
        out[l][j] = slope[pair] * sum + (extra ? extra[pair] : 0)
      }
    }
    return out
  }

  /** Writes ∇f to g [P], and `jump`. */
  gradient(g: Float64Array): void {
    for (let p = 0; p < this.parameters; p++) g[p] = this.penalty[p] * this.theta[p]
    for (let row = 0; row < this.rows; row++) this.addBack(row, this.deltas(row), this.layers.length - 1, g)
  }

  /** Adds Σ δ ∂u/∂θ over the layers up to `top`. */
  private addBack(row: number, deltas: readonly Float64Array[], top: number, g: Float64Array): void {
    const { layers: all, bias } = this
    for (let l = 0; l <= top; l++) {
      const layer = all[l]
      for (let j = 0; j < layer.units; j++) {
        const delta = deltas[l][j]
        if (delta === 0) continue
        const at = layer.at + j * layer.stride
        if (bias) g[at] += delta
        for (let d = 0; d < layer.inputs; d++) g[at + bias + d] += delta * this.below(row, l, d)
      }
    }
  }

  /** ∂u/∂θ [P] of unit j of layer l on a row. */
  private inward(row: number, l: number, j: number): Float64Array {
    const { layers: all, bias, theta, units, slope, before } = this
    const deltas = all.map(layer => new Float64Array(layer.units))
    deltas[l][j] = 1
    for (let m = l - 1; m >= 0; m--) {
      const next = all[m + 1]
      for (let k = 0; k < all[m].units; k++) {
        let sum = 0
        for (let q = 0; q < next.units; q++) sum += theta[next.at + q * next.stride + bias + k] * deltas[m + 1][q]
        deltas[m][k] = slope[row * units + before[m] + k] * sum
      }
    }
    const out = new Float64Array(this.parameters)
    this.addBack(row, deltas, l, out)
    return out
  }

  /** ∂u/∂θ [P] of a pair. */
  netGradient(pair: number): Float64Array {
    const { l, j } = this.placeOf(pair % this.units)
    return this.inward(Math.floor(pair / this.units), l, j)
  }

  /** Writes ∇²(f + Σ extra·u) to H [P, P]; `extra` [pairs]. */
  hessian(H: Float64Array, extra: Float64Array): void {
    const { layers: all, bias, parameters: P, units, slope, before } = this
    const C = this.problem.model.outputs
    const last = all.length - 1
    H.fill(0)
    for (let p = 0; p < P; p++) H[p * P + p] = this.penalty[p]!
    for (let row = 0; row < this.rows; row++) {
      const second = new Float64Array(C * C)
      const deltas = this.deltas(row, extra, second)
      const outer = Array.from({ length: C }, (_, c) => this.inward(row, last, c))
      for (let c = 0; c < C; c++)
        for (let e = 0; e < C; e++) {
          const w = second[c * C + e]
          if (w === 0) continue
          for (let p = 0; p < P; p++) {
            const left = w * outer[c][p]
            if (left !== 0) for (let q = 0; q < P; q++) H[p * P + q] += left * outer[e][q]
          }
        }
      // A weight times the output of the unit below it: both move.
      for (let m = 1; m <= last; m++)
        for (let e = 0; e < all[m].inputs; e++) {
          const s = slope[row * units + before[m - 1] + e]
          if (s === 0) continue
          const inner = this.inward(row, m - 1, e)
          for (let k = 0; k < all[m].units; k++) {
            const delta = s * deltas[m][k]
            if (delta === 0) continue
            const at = all[m].at + k * all[m].stride + bias + e
            for (let p = 0; p < P; p++) {
              H[at * P + p] += delta * inner[p]
              H[p * P + at] += delta * inner[p]
            }
          }
        }
    }
  }
}
