/**
 * A network's loss as a sum of squares at a point: outputs on the rows, their derivatives in θ, and their second derivatives along a direction.
 * With J = √ℓ″ ∂z and r = ℓ′/√ℓ″, each times the root of the row's share, f has the gradient Jᵀr and the Gauss-Newton matrix JᵀJ: neither
 * is formed here, since that would square a condition number.
 */
import { activationTable } from '../models/activations.js'
import { isScalar, scalarLoss, type ScalarLoss } from '../models/losses/index.js'
import { penaltyOf } from '../models/model.js'
import { layers, networkParameterCount, type Layer } from '../models/network/network.js'
import type { Network, Problem } from '../models/types.js'

/** Whether a problem is one of squares: smooth hidden units, a loss that is curved in z everywhere, and no penalty. */
export const hasResiduals = (problem: Problem<Network>): boolean => {
  const { hidden, activation, loss } = problem.model
  const { smooth, linear } = activationTable[activation]
  if (hidden.length === 0 || !smooth || linear || !isScalar(loss)) return false
  return scalarLoss(loss).strictlyConvex && penaltyOf(problem).every(v => v === 0)
}

/** What was computed at a point. */
export interface Residual {
  /** [P] */
  theta: Float64Array
  /** NaN where it cannot be computed. */
  loss: number
  /** What rounding of the outputs moves the loss by. */
  noise: number
  /** [count] */
  readonly r: Float64Array
  readonly root: Float64Array
  /** Per layer [rows, units]: φ, φ′ and φ″; of the last layer the outputs. */
  readonly units: readonly Float64Array[]
  readonly slopes: readonly Float64Array[]
  readonly bends: readonly Float64Array[]
}

export class Residuals {
  readonly parameters: number
  /** Rows that count, times outputs. */
  readonly count: number
  /** Places of the parameters in which the residuals are linear: those of the outputs, where ℓ″ is constant. */
  readonly linear: readonly number[]
  private readonly layers: readonly Layer[]
  private readonly bias: 0 | 1
  private readonly rows: readonly number[]
  /** Roots of the rows' shares. */
  private readonly share: Float64Array
  /** [rows, D] */
  private readonly x: Float64Array
  private readonly loss: ScalarLoss
  /** [count] Sums of the outputs' terms. */
  private readonly sizes: Float64Array
  private readonly terms = new Float64Array(3)
  /** Per layer: what moves an output on a row by its net inputs, and how these move along a direction, once and twice. */
  private readonly pulls: readonly Float64Array[]
  private readonly first: readonly Float64Array[]
  private readonly second: readonly Float64Array[]

  /** @param scale [P]: derivatives are in the scaled variables θ / scale */
  constructor(
    private readonly problem: Problem<Network>,
    readonly scale: Float64Array
  ) {
    const { model: network, rows, weight, x } = problem
    const D = network.inputs
    this.layers = layers(network)
    this.parameters = networkParameterCount(network)
    this.bias = network.bias ? 1 : 0
    this.rows = Array.from({ length: rows }, (_, i) => i).filter(i => !weight || weight[i] > 0)
    const total = this.rows.reduce((sum, i) => sum + (weight ? weight[i] : 1), 0)
    this.share = Float64Array.from(this.rows, i => Math.sqrt((weight ? weight[i] : 1) / total))
    this.x = Float64Array.from(this.rows.flatMap(i => [...x.subarray(i * D, (i + 1) * D)]))
    this.count = this.rows.length * network.outputs
    this.loss = scalarLoss(network.loss)
    const { at, units, stride } = this.layers[this.layers.length - 1]
    this.linear = this.loss.quadratic ? Array.from({ length: units * stride }, (_, p) => at + p) : []
    this.sizes = new Float64Array(this.count)
    this.pulls = this.perUnit(1)
    this.first = this.perUnit(1)
    this.second = this.perUnit(1)
  }

  /** Space for a point. */
  blank(): Residual {
    const N = this.rows.length
    return {
      theta: new Float64Array(this.parameters),
      loss: NaN,
      noise: NaN,
      r: new Float64Array(this.count),
      root: new Float64Array(this.count),
      units: this.perUnit(N),
      slopes: this.perUnit(N),
      bends: this.perUnit(N)
    }
  }

  private perUnit(rows: number): Float64Array[] {
    return this.layers.map(layer => new Float64Array(rows * layer.units))
  }

  /** Computes a point. */
  evaluate(theta: Float64Array, into: Residual): void {
    const { terms, problem, loss, bias, layers: all } = this
    const { outputs: C, lossParameters = [], activation } = problem.model
    const phi = activationTable[activation]
    const N = this.rows.length
    const { sizes } = this
    into.theta = theta
    all.forEach(({ at, units, inputs, stride }, l) => {
      const below = l > 0 ? into.units[l - 1] : this.x
      const isOutput = l === all.length - 1
      for (let n = 0; n < N; n++)
        for (let k = 0; k < units; k++) {
          const own = at + k * stride
          let u = bias ? theta[own] : 0
          let size = Math.abs(u)
          for (let d = 0; d < inputs; d++) {
            const term = theta[own + bias + d] * below[n * inputs + d]
            u += term
            size += Math.abs(term)
          }
          const to = n * units + k
          if (isOutput) {
            into.units[l][to] = u
            sizes[to] = size
            continue
          }
          phi.terms(u, terms)
          into.units[l][to] = terms[0]
          into.slopes[l][to] = terms[1]
          into.bends[l][to] = terms[2]
        }
    })
    const z = into.units[all.length - 1]
    let f = 0
    let noise = 0
    for (let n = 0; n < N; n++) {
      const i = this.rows[n]
      const offset = problem.offset ? problem.offset[i] : 0
      for (let c = 0; c < C; c++) {
        const at = n * C + c
        loss.terms(z[at] + offset, problem.y[i * C + c], terms, lossParameters)
        const root = Math.sqrt(terms[2])
        const r = terms[1] / root
        f += Number.isFinite(r) ? this.share[n] ** 2 * terms[0] : NaN
        into.root[at] = this.share[n] * root
        into.r[at] = this.share[n] * r
        noise += this.share[n] ** 2 * Math.abs(terms[1]) * sizes[at]
      }
    }
    into.loss = f
    into.noise = Number.EPSILON * (noise + Math.abs(f))
  }

  /** J at a point, by columns [P][count]. */
  differentiate(point: Residual, columns: readonly Float64Array[]): void {
    const { layers: all, scale, bias, pulls } = this
    const C = this.problem.model.outputs
    const top = all.length - 1
    for (let n = 0; n < this.rows.length; n++)
      for (let c = 0; c < C; c++) {
        const row = n * C + c
        for (let l = top; l >= 0; l--) {
          const { at, units, inputs, stride } = all[l]
          const below = l > 0 ? point.units[l - 1] : this.x
          for (let k = 0; k < units; k++) {
            let pull = 0
            if (l === top) pull = k === c ? point.root[row] : 0
            else {
              const next = all[l + 1]
              for (let q = 0; q < next.units; q++)
                pull += pulls[l + 1][q] * point.theta[next.at + q * next.stride + bias + k]
              pull *= point.slopes[l][n * units + k]
            }
            pulls[l][k] = pull
            const own = at + k * stride
            if (bias) columns[own][row] = pull * scale[own]
            for (let d = 0; d < inputs; d++) {
              const p = own + bias + d
              columns[p][row] = pull * below[n * inputs + d] * scale[p]
            }
          }
        }
      }
  }

  /** The columns of J that belong to the parameters of the outputs, [linear][count]. */
  differentiateOutputs(point: Residual, columns: readonly Float64Array[]): void {
    const { layers: all, scale, bias } = this
    const C = this.problem.model.outputs
    const { at, inputs, stride } = all[all.length - 1]
    const below = all.length > 1 ? point.units[all.length - 2] : this.x
    for (const column of columns) column.fill(0)
    for (let n = 0; n < this.rows.length; n++)
      for (let c = 0; c < C; c++)
        for (let d = -bias; d < inputs; d++) {
          const p = c * stride + bias + d
          const value = d < 0 ? 1 : below[n * inputs + d]
          columns[p][n * C + c] = point.root[n * C + c] * value * scale[at + p]
        }
  }

  /** √ℓ″ times the second derivatives of the outputs along a direction [P] of the scaled variables, into `out` [count]. */
  bendAlong(point: Residual, direction: Float64Array, out: Float64Array): void {
    const { layers: all, scale, bias, first, second } = this
    const { theta } = point
    const C = this.problem.model.outputs
    const top = all.length - 1
    for (let n = 0; n < this.rows.length; n++) {
      for (let l = 0; l <= top; l++) {
        const { at, units, inputs, stride } = all[l]
        const below = l > 0 ? point.units[l - 1] : this.x
        for (let k = 0; k < units; k++) {
          const own = at + k * stride
          let du = bias ? direction[own] * scale[own] : 0
          let ddu = 0
          for (let d = 0; d < inputs; d++) {
            const p = own + bias + d
            const moved = direction[p] * scale[p]
            du += moved * below[n * inputs + d]
            if (l === 0) continue
            du += theta[p] * first[l - 1][d]
            ddu += 2 * moved * first[l - 1][d] + theta[p] * second[l - 1][d]
          }
          const own2 = n * units + k
          first[l][k] = l === top ? du : point.slopes[l][own2] * du
          second[l][k] = l === top ? ddu : point.bends[l][own2] * du * du + point.slopes[l][own2] * ddu
        }
      }
      for (let c = 0; c < C; c++) out[n * C + c] = point.root[n * C + c] * second[top][c]
    }
  }
}
