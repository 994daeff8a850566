/**
 * Loss, gradient and exact Hessian of a network at one θ, by the formulas of kernels/README.md, one row at a time. This is
 * the definition that the other engines are tested against; it is written to be read.
 */
import { activate } from '../../models/activations.js'
import { lossTable, type LossParameters } from '../../models/losses/index.js'
import { softmaxSecond, softmaxTerms } from '../../models/losses/softmax.js'
import { layers, type Layer } from '../../models/network/network.js'
import { parameterCount, penaltyOf } from '../../models/model.js'
import { addFirth } from '../../models/penalty.js'
import type { Problem, Network } from '../../models/types.js'

const matrix = (rows: number, columns: number): Float64Array[] =>
  Array.from({ length: rows }, () => new Float64Array(columns))

/** Work space and constants of one problem. */
export class Evaluator {
  readonly parameters: number
  private readonly layers: readonly Layer[]
  private readonly penalty: Float64Array
  private readonly penalized: boolean
  private readonly bias: 0 | 1
  private readonly totalWeight: number
  /** a[l]: activations of layer l, a[0] = x; u, first and second: pre-activations, φ′ and φ″ of layer l + 1. */
  private readonly a: Float64Array[]
  private readonly u: Float64Array[]
  private readonly first: Float64Array[]
  private readonly second: Float64Array[]
  /** delta[l] = ∂f/∂u and s[l] = Σ W δ of the layer above. */
  private readonly delta: Float64Array[]
  private readonly s: Float64Array[]
  /** T[m] and R[m] [units of layer l, units of layer m] for the source layer l at hand. */
  private readonly T: Float64Array[][][]
  private readonly R: Float64Array[][][]
  private readonly curvature: Float64Array[]
  private readonly p: Float64Array
  private readonly terms = new Float64Array(3)
  private readonly lossParameters: LossParameters

  constructor(readonly problem: Problem<Network>) {
    const { model: network } = problem
    this.layers = layers(network)
    this.parameters = parameterCount(network)
    this.penalty = penaltyOf(problem)
    this.penalized = this.penalty.some(v => v > 0)
    this.bias = network.bias ? 1 : 0
    let total = 0
    for (let i = 0; i < problem.rows; i++) total += problem.weight ? problem.weight[i] : 1
    this.totalWeight = total
    this.a = [new Float64Array(network.inputs), ...this.layers.map(l => new Float64Array(l.units))]
    const perLayer = (): Float64Array[] => this.layers.map(l => new Float64Array(l.units))
    this.u = perLayer()
    this.first = perLayer()
    this.second = perLayer()
    this.delta = perLayer()
    this.s = perLayer()
    const pairs = (): Float64Array[][][] => this.layers.map(l => this.layers.map(m => matrix(l.units, m.units)))
    this.T = pairs()
    this.R = pairs()
    this.curvature = matrix(network.outputs, network.outputs)
    this.p = new Float64Array(network.outputs)
    this.lossParameters = network.lossParameters ?? []
  }

  /** Forward pass of row i; leaves z, offset included, in the last layer of `u`. */
  private forward(theta: Float64Array, i: number): Float64Array {
    const { model: network, x, offset } = this.problem
    const D = network.inputs
    this.a[0].set(x.subarray(i * D, (i + 1) * D))
    const last = this.layers.length - 1
    this.layers.forEach((layer, l) => {
      const below = this.a[l]
      for (let k = 0; k < layer.units; k++) {
        const at = layer.at + k * layer.stride
        let sum = this.bias ? theta[at] : 0
        for (let d = 0; d < layer.inputs; d++) sum += theta[at + this.bias + d] * below[d]
        this.u[l][k] = sum
        if (l === last) continue
        activate(network.activation, sum, this.terms)
        this.a[l + 1][k] = this.terms[0]!
        this.first[l][k] = this.terms[1]!
        this.second[l][k] = this.terms[2]!
      }
    })
    if (offset) for (let k = 0; k < network.outputs; k++) this.u[last][k] += offset[i]
    return this.u[last]
  }

  /** Outputs z, [N, C], offset included. */
  predict(theta: Float64Array): Float64Array {
    const { rows, model: network } = this.problem
    const out = new Float64Array(rows * network.outputs)
    for (let i = 0; i < rows; i++) out.set(this.forward(theta, i), i * network.outputs)
    return out
  }

  /** ℓ at the last forward pass; writes δ of the outputs and, when asked, c ∂²ℓ/∂z². */
  private outputs(i: number, c: number, needH: boolean): number {
    const { model: network, y } = this.problem
    const last = this.layers.length - 1
    const z = this.u[last]
    const delta = this.delta[last]
    const definition = lossTable[network.loss]
    if (definition.response === 'class') {
      const value = softmaxTerms(z, y[i], this.p, delta)
      for (let k = 0; k < z.length; k++) {
        delta[k] *= c
        if (needH) for (let m = 0; m < z.length; m++) this.curvature[k][m] = c * softmaxSecond(this.p, k, m)
      }
      return value
    }
    let value = 0
    for (let k = 0; k < z.length; k++) {
      definition.terms(z[k], y[i * z.length + k], this.terms, this.lossParameters)
      value += this.terms[0]
      delta[k] = c * this.terms[1]
      this.curvature[k][k] = c * this.terms[2]
    }
    return value
  }

  private backward(theta: Float64Array): void {
    for (let l = this.layers.length - 2; l >= 0; l--) {
      const above = this.layers[l + 1]
      for (let k = 0; k < this.layers[l].units; k++) {
        let sum = 0
        for (let q = 0; q < above.units; q++)
          sum += theta[above.at + q * above.stride + this.bias + k] * this.delta[l + 1][q]
        this.s[l][k] = sum
        this.delta[l][k] = this.first[l][k] * sum
      }
    }
  }

  private addGradient(g: Float64Array): void {
    this.layers.forEach((layer, l) => {
      for (let k = 0; k < layer.units; k++) {
        const at = layer.at + k * layer.stride
        const delta = this.delta[l][k]
        if (this.bias) g[at] += delta
        for (let d = 0; d < layer.inputs; d++) g[at + this.bias + d] += delta * this.a[l][d]
      }
    })
  }

  /** T^{lm} for m ≥ l, then R^{lm} from the outputs down to l. */
  private sensitivities(theta: Float64Array, l: number): void {
    const last = this.layers.length - 1
    const units = this.layers[l].units
    for (let j = 0; j < units; j++) {
      this.T[l][l][j].fill(0)[j] = 1
      for (let m = l + 1; m <= last; m++) {
        const layer = this.layers[m]
        for (let k = 0; k < layer.units; k++) {
          const at = layer.at + k * layer.stride + this.bias
          let sum = 0
          for (let e = 0; e < layer.inputs; e++) sum += theta[at + e] * this.first[m - 1][e] * this.T[l][m - 1][j][e]
          this.T[l][m][j][k] = sum
        }
      }
      for (let c = 0; c < this.layers[last].units; c++) {
        let sum = 0
        for (let d = 0; d < this.layers[last].units; d++) sum += this.curvature[c][d] * this.T[l][last][j][d]
        this.R[l][last][j][c] = sum
      }
      for (let m = last - 1; m >= l; m--) {
        const above = this.layers[m + 1]
        for (let k = 0; k < this.layers[m].units; k++) {
          let sum = 0
          for (let q = 0; q < above.units; q++)
            sum += theta[above.at + q * above.stride + this.bias + k] * this.R[l][m + 1][j][q]
          this.R[l][m][j][k] = this.second[m][k] * this.T[l][m][j][k] * this.s[m][k] + this.first[m][k] * sum
        }
      }
    }
  }

  private addHessian(theta: Float64Array, H: Float64Array): void {
    const P = this.parameters
    this.layers.forEach((low, l) => {
      this.sensitivities(theta, l)
      for (let m = l; m < this.layers.length; m++) {
        const top = this.layers[m]
        for (let j = 0; j < low.units; j++)
          for (let k = 0; k < top.units; k++) {
            const r = this.R[l][m][j][k]
            for (let d = -this.bias; d < low.inputs; d++) {
              const left = d < 0 ? 1 : this.a[l][d]
              const row = (low.at + j * low.stride + this.bias + d) * P + top.at + k * top.stride + this.bias
              for (let e = -this.bias; e < top.inputs; e++) {
                let value = r * (e < 0 ? 1 : this.a[m][e])
                if (m > l && e >= 0) value += this.delta[m][k] * this.first[m - 1][e] * this.T[l][m - 1][j][e]
                H[row + e] += left * value
              }
            }
          }
      }
    })
  }

  /**
   * f, and g [P] and H [P, P] where arrays are given, over all rows or over `rows` (a mini-batch, with the mean over its weights).
   * `own` [N]: weights that take the place of the problem's.
   */
  evaluate(theta: Float64Array, g?: Float64Array, H?: Float64Array, rows?: Uint32Array, own?: Float64Array): number {
    const weight = own ?? this.problem.weight
    const P = this.parameters
    g?.fill(0)
    H?.fill(0)
    const total = rows
      ? rows.reduce((sum, i) => sum + (weight ? weight[i] : 1), 0)
      : own
        ? own.reduce((sum, w) => sum + w, 0)
        : this.totalWeight
    let f = 0
    const count = rows ? rows.length : this.problem.rows
    for (let n = 0; n < count; n++) {
      const i = rows ? rows[n] : n
      // A mini-batch whose rows all weigh nothing says nothing.
      const c = total > 0 ? (weight ? weight[i] : 1) / total : 0
      if (c === 0) continue
      this.forward(theta, i)
      f += c * this.outputs(i, c, H !== undefined)
      if (!g && !H) continue
      this.backward(theta)
      if (g) this.addGradient(g)
      if (H) this.addHessian(theta, H)
    }
    if (this.penalized) {
      let sum = 0
      for (let p = 0; p < P; p++) {
        const ridge = this.penalty[p]
        if (!(ridge > 0)) continue
        sum += ridge * theta[p] * theta[p]
        if (g) g[p] += ridge * theta[p]
        if (H) H[p * P + p] += ridge
      }
      f += 0.5 * sum
    }
    if (H) for (let p = 0; p < P; p++) for (let q = 0; q < p; q++) H[p * P + q] = H[q * P + p]!
    if (this.problem.model.firth) f += addFirth(this.problem, this.predict(theta), g, H)
    return f
  }
}
