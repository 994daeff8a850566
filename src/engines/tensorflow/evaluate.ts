/**
 * f, g and the exact Hessian of R parameter vectors at once, by the formulas of kernels/README.md written out as tensor operations. The
 * rows come last: activations are [R, units, n], a layer's product is one matrix product over all runs, and the first layer of
 * all runs is a single product X W₁. Rows are taken in tiles, in a fixed order.
 */
import { layers, type Layer } from '../../models/network/network.js'
import { parameterCount, penaltyOf, hasBias, layoutOf } from '../../models/model.js'
import { isScalar, lossConstants } from '../../models/losses/index.js'
import type { Problem } from '../../models/types.js'
import type { Needs } from '../types.js'
import type { Device, Tensor } from './device.js'
import { activationTensors, lossTensors, softmaxTensors } from './losses.js'

/** Rows of a tile, of all rows and of mini-batches: a sum over so many has the same order of additions whatever the number of runs. */
export const tileRows = 256

/** Rows as tensors: inputs with a leading 1 where there are biases, targets, weights that sum to 1 and offsets. */
export interface Rows {
  readonly n: number
  /** [D + 1, n], or [R, D + 1, n] where every run has its own rows. */
  readonly x: Tensor
  /** [n] or [R, n]; several outputs: [C, n] or [R, C, n], for softmax 1 at the row's class. */
  readonly y: Tensor
  readonly c: Tensor
  readonly offset?: Tensor
  /** Whether c may be 0, where the row counts as absent whatever its loss. */
  readonly masked: boolean
}

/** Results as tensors. */
export interface Values {
  /** [R] */
  readonly f: Tensor
  /** [R, P] */
  readonly g?: Tensor
  /** [R, P, P] */
  readonly H?: Tensor
}

/** Sums over rows, in the shapes that the products have: g and H still by layers. */
export type Sums = { f: Tensor; g: Tensor[]; H: Tensor[] }

interface Forward {
  /** Activations with a leading row of ones where there are biases: below[l] feeds layer l. */
  readonly below: Tensor[]
  /** φ′ and, for a Hessian, φ″ of each hidden layer; φ″ is absent where it is zero everywhere. */
  readonly first: Tensor[]
  readonly second: (Tensor | undefined)[]
  /** [R, C, n], offset included. */
  readonly z: Tensor
}

export class Evaluator {
  readonly parameters: number
  private readonly layers: readonly Layer[]
  private readonly bias: 0 | 1
  /** All rows of the problem: inputs [N, D + 1], targets [N] or [N, C], offsets [N]. */
  private readonly x: Tensor
  private readonly y: Tensor
  private readonly offset: Tensor | undefined
  /** Those with a weight. */
  private readonly tiles: Rows[] = []
  /** λ_p [P], where any is not 0. */
  private readonly penalty: Tensor | undefined
  private readonly penaltyDiagonal: Tensor | undefined

  constructor(
    protected readonly device: Device,
    readonly problem: Problem
  ) {
    const { tf } = device
    const { model, weight, rows: N, x, y, offset } = problem
    const { inputs: D, outputs: C } = model
    this.layers = model.kind === 'network' ? layers(model) : []
    this.parameters = parameterCount(model)
    this.bias = hasBias(model) ? 1 : 0
    this.x = tf.tidy(() => {
      // An objective has no columns, and tensors have at least one.
      const inputs = D === 0 ? tf.zeros([N, 1]) : tf.tensor2d(Float32Array.from(x), [N, D])
      return this.bias ? tf.concat([tf.ones([N, 1]), inputs], 1) : inputs
    })
    this.y = tf.tidy(() =>
      isScalar(model.loss)
        ? C === 1
          ? tf.tensor1d(Float32Array.from(y))
          : tf.tensor2d(Float32Array.from(y), [N, C])
        : tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(y), 'int32'), C), 'float32')
    )
    this.offset = offset ? tf.tensor1d(Float32Array.from(offset)) : undefined
    const used = Int32Array.from({ length: N }, (_, i) => i).filter(i => !weight || weight[i] > 0)
    let total = 0
    for (const i of used) total += weight ? weight[i] : 1
    for (let at = 0; at < used.length; at += tileRows) {
      const part = used.subarray(at, at + tileRows)
      const c = Float32Array.from(part, i => (weight ? weight[i] : 1) / total)
      this.tiles.push(this.rows(part, c, [part.length]))
    }
    const penalty = Float32Array.from(penaltyOf(problem))
    this.penalty = penalty.some(v => v > 0) ? tf.tensor1d(penalty) : undefined
    this.penaltyDiagonal = this.penalty && tf.diag(this.penalty)
  }

  dispose(): void {
    for (const tile of this.tiles) this.disposeRows(tile)
    for (const tensor of [this.x, this.y, this.offset, this.penalty, this.penaltyDiagonal]) tensor?.dispose()
  }

  disposeRows({ x, y, c, offset }: Rows): void {
    for (const tensor of [x, y, c, offset]) tensor?.dispose()
  }

  /** Rows `index` of the problem with weights c, both of that shape: [n], or [R, n] where every run has its own. */
  rows(index: Int32Array, c: Float32Array, shape: [number] | [number, number]): Rows {
    const { tf } = this.device
    return tf.tidy(() => {
      const at = tf.tensor(index, shape, 'int32')
      const columns = (table: Tensor): Tensor =>
        tf.transpose(tf.gather(table, at), shape.length === 1 ? [1, 0] : [0, 2, 1])
      return {
        n: shape[shape.length - 1],
        x: columns(this.x),
        y: this.y.rank === 1 ? tf.gather(this.y, at) : columns(this.y),
        c: tf.tensor(c, shape),
        masked: shape.length === 2,
        ...(this.offset ? { offset: tf.gather(this.offset, at) } : {})
      }
    })
  }

  /** θ of a layer: [R, units, stride], or without biases [R, units, inputs]. */
  private weights(theta: Tensor, l: number, withBias: boolean): Tensor {
    const { tf } = this.device
    const layer = this.layers[l]
    const R = theta.shape[0]
    const all = tf.reshape(tf.slice(theta, [0, layer.at], [R, layer.units * layer.stride]), [
      R,
      layer.units,
      layer.stride
    ])
    return withBias || this.bias === 0 ? all : tf.slice(all, [0, 0, 1], [R, layer.units, layer.inputs])
  }

  /** @param curved whether φ″ is wanted */
  private forward(theta: Tensor, rows: Rows, curved: boolean): Forward {
    const { tf } = this.device
    const R = theta.shape[0]
    const { n } = rows
    const { activation } = layoutOf(this.problem.model)
    const below: Tensor[] = [rows.x]
    const first: Tensor[] = []
    const second: (Tensor | undefined)[] = []
    let u = this.firstLayer(theta, rows)
    for (let l = 1; l < this.layers.length; l++) {
      const under = u
      const terms = tf.tidy(() => activationTensors(this.device, activation, under, curved))
      first.push(terms.first)
      second.push(terms.second)
      below.push(this.bias ? tf.concat([tf.ones([R, 1, n]), terms.value], 1) : terms.value)
      u = tf.matMul(this.weights(theta, l, true), below[l])
    }
    const z = rows.offset ? tf.add(u, rows.offset.rank === 2 ? tf.expandDims(rows.offset, 1) : rows.offset) : u
    return { below, first, second, z }
  }

  /** [R, units, n]: all runs in one product where they share the rows. */
  private firstLayer(theta: Tensor, rows: Rows): Tensor {
    const { tf } = this.device
    const { units, stride } = this.layers[0]
    const R = theta.shape[0]
    const W = this.weights(theta, 0, true)
    if (rows.x.rank === 3) return tf.matMul(W, rows.x)
    return tf.reshape(tf.matMul(tf.reshape(W, [R * units, stride]), rows.x), [R, units, rows.n])
  }

  /** Σ_rows v aᵀ over v [R, m, n] and a, the inputs of layer l: [R, m, stride]. */
  private outer(v: Tensor, a: Tensor): Tensor {
    const { tf } = this.device
    if (a.rank === 3) return tf.matMul(v, a, false, true)
    const [R, m, n] = v.shape as [number, number, number]
    return tf.reshape(tf.matMul(tf.reshape(v, [R * m, n]), a, false, true), [R, m, a.shape[0]])
  }

  /** c ∂²ℓ/∂z² applied to T [R, C, j, n] over its classes, for softmax: c p_c Σ_d p_d (T_c − T_d), free of cancellation. */
  private curve(p: Tensor, c: Tensor, T: Tensor): Tensor {
    const { tf } = this.device
    const C = this.problem.model.outputs
    const weighted = tf.expandDims(p, 2)
    const cut = (a: Tensor, k: number): Tensor => {
      const size = [...a.shape]
      size[1] = 1
      return tf.slice(a, [0, k, 0, 0], size)
    }
    const parts = Array.from({ length: C }, (_, k) => {
      const differences = tf.mul(tf.sub(cut(T, k), T), weighted)
      return tf.mul(tf.sum(differences, 1, true), cut(weighted, k))
    })
    return tf.mul(tf.concat(parts, 1), c)
  }

  protected tile(theta: Tensor, rows: Rows, needs: Needs): Sums {
    const { tf, select } = this.device
    const { model } = this.problem
    const R = theta.shape[0]
    const { n } = rows
    const last = this.layers.length - 1
    const { below, first, second, z } = this.forward(theta, rows, needs.H === true)
    const masked = (v: Tensor, c: Tensor): Tensor => {
      const product = tf.mul(v, c)
      return rows.masked ? select(tf.equal(c, 0), tf.zerosLike(product), product) : product
    }
    let delta: Tensor
    let curve: (T: Tensor) => Tensor
    let f: Tensor
    if (!isScalar(model.loss)) {
      const { value, first: d, p } = tf.tidy(() => softmaxTensors(this.device, z, rows.y, tf.sub(1, rows.y)))
      f = tf.sum(masked(value, rows.c), 1)
      const c = rows.c.rank === 2 ? tf.expandDims(rows.c, 1) : rows.c
      delta = masked(d, c)
      const c4 = rows.c.rank === 2 ? tf.reshape(rows.c, [R, 1, 1, n]) : rows.c
      curve = T => this.curve(p, c4, T)
    } else {
      const { loss, outputs: C } = model
      const constants = lossConstants(loss, model.lossParameters)
      // One output has no axis of its own here, so that its tensors are as small as can be.
      const flat = C === 1 ? tf.reshape(z, [R, n]) : z
      const c = C > 1 && rows.c.rank === 2 ? tf.expandDims(rows.c, 1) : rows.c
      const terms = tf.tidy(() => lossTensors(this.device, loss, flat, rows.y, constants))
      f = tf.sum(tf.reshape(masked(terms.value, c), [R, C * n]), 1)
      delta = tf.reshape(masked(terms.first, c), [R, C, n])
      const weighted = tf.reshape(masked(terms.second, c), [R, C, 1, n])
      curve = T => tf.mul(T, weighted)
    }
    if (!needs.g && !needs.H) return { f, g: [], H: [] }

    const deltas: Tensor[] = []
    const s: Tensor[] = []
    deltas[last] = delta
    for (let l = last - 1; l >= 0; l--) {
      s[l] = tf.matMul(this.weights(theta, l + 1, false), deltas[l + 1], true, false)
      deltas[l] = tf.mul(first[l], s[l])
    }
    const g = needs.g ? deltas.map((d, l) => this.outer(d, below[l])) : []
    const H = needs.H ? this.hessianSums(theta, { below, first, second, z }, deltas, s, curve) : []
    return { f, g, H }
  }

  /** Blocks (l, m), l ≤ m, row by row: [R, (k, e, j), d], and for l = m = 1 [R (k, j), (d, e)]. */
  private hessianSums(
    theta: Tensor,
    { below, first, second }: Forward,
    deltas: readonly Tensor[],
    s: readonly Tensor[],
    curve: (T: Tensor) => Tensor
  ): Tensor[] {
    const { tf } = this.device
    const R = theta.shape[0]
    const last = this.layers.length - 1
    const n = below[0].shape[below[0].rank - 1]
    // T and Q of kernels/README.md have the upper layer's unit first: [R, units of layer m, J, n].
    const blocksOf = (l: number): Tensor[] => {
      const J = this.layers[l].units
      const T: Tensor[] = []
      const identity = tf.reshape(tf.eye(J), [1, J, J, 1])
      T[l] = identity
      for (let m = l + 1; m <= last; m++) {
        const { units, inputs } = this.layers[m]
        const W = this.weights(theta, m, false)
        if (m === l + 1) T[m] = tf.mul(tf.reshape(W, [R, units, J, 1]), tf.reshape(first[l], [R, 1, J, n]))
        else {
          const inner = (): Tensor => tf.reshape(tf.mul(T[m - 1], tf.expandDims(first[m - 1], 2)), [R, inputs, J * n])
          T[m] = tf.tidy(() => tf.reshape(tf.matMul(W, inner()), [R, units, J, n]))
        }
      }
      const Q: Tensor[] = []
      Q[last] = tf.tidy(() => curve(l === last ? tf.tile(identity, [R, 1, 1, n]) : T[last]))
      for (let m = last - 1; m >= l; m--)
        Q[m] = tf.tidy(() => {
          const above = this.layers[m + 1].units
          const W = this.weights(theta, m + 1, false)
          const inner = tf.matMul(W, tf.reshape(Q[m + 1], [R, above, J * n]), true, false)
          const linear = tf.mul(tf.reshape(inner, [R, this.layers[m].units, J, n]), tf.expandDims(first[m], 2))
          const bend = second[m]
          return bend ? tf.add(linear, tf.mul(T[m], tf.expandDims(tf.mul(bend, s[m]), 2))) : linear
        })
      return Array.from({ length: last - l + 1 }, (_, k) =>
        tf.tidy(() => this.block(l, l + k, Q[l + k], T, deltas[l + k], first, below, R, n))
      )
    }
    return this.layers.flatMap((_, l) => tf.tidy(() => blocksOf(l)))
  }

  private block(
    l: number,
    m: number,
    Q: Tensor,
    T: readonly Tensor[],
    delta: Tensor,
    first: readonly Tensor[],
    below: readonly Tensor[],
    R: number,
    n: number
  ): Tensor {
    const { tf } = this.device
    const J = this.layers[l].units
    const { units: K, stride: E, inputs } = this.layers[m]
    if (m === 0) {
      // The products of inputs are the same for every run.
      const x = below[0]
      const pairs = tf.mul(tf.expandDims(x, x.rank - 1), tf.expandDims(x, x.rank - 2))
      if (x.rank === 2) return tf.matMul(tf.reshape(Q, [R * K * J, n]), tf.reshape(pairs, [E * E, n]), false, true)
      return tf.matMul(tf.reshape(Q, [R, K * J, n]), tf.reshape(pairs, [R, E * E, n]), false, true)
    }
    let inner = tf.mul(tf.reshape(Q, [R, K, 1, J, n]), tf.reshape(below[m], [R, 1, E, 1, n]))
    if (m > l) {
      const across = tf.reshape(tf.mul(T[m - 1], tf.expandDims(first[m - 1], 2)), [R, 1, inputs, J, n])
      const extra = tf.mul(across, tf.reshape(delta, [R, K, 1, 1, n]))
      inner = tf.add(inner, this.bias ? tf.concat([tf.zeros([R, K, 1, J, n]), extra], 2) : extra)
    }
    return this.outer(tf.reshape(inner, [R, K * E * J, n]), below[l])
  }

  /** [R, P] of the sums of a tile. */
  protected gradientOf(parts: readonly Tensor[], R: number): Tensor {
    const { tf } = this.device
    const flat = parts.map((v, l) => tf.reshape(v, [R, this.layers[l].units * this.layers[l].stride]))
    return flat.length === 1 ? flat[0] : tf.concat(flat, 1)
  }

  /** The blocks of H put together, both triangles. */
  protected hessianOf(blocks: readonly Tensor[], R: number): Tensor {
    const { tf } = this.device
    const count = this.layers.length
    const at = (l: number, m: number): number => (l * (2 * count - l + 1)) / 2 + m - l
    const size = (l: number): number => this.layers[l].units * this.layers[l].stride
    const upper = (l: number, m: number): Tensor => {
      const { units: J, stride: Dl } = this.layers[l]
      const { units: K, stride: E } = this.layers[m]
      const raw = blocks[at(l, m)]
      const ordered =
        m === 0
          ? tf.transpose(tf.reshape(raw, [R, K, J, Dl, E]), [0, 2, 3, 1, 4])
          : tf.transpose(tf.reshape(raw, [R, K, E, J, Dl]), [0, 3, 4, 1, 2])
      return tf.reshape(ordered, [R, size(l), size(m)])
    }
    const table = this.layers.map((_, l) => this.layers.map((__, m) => (m >= l ? upper(l, m) : null)))
    const bands = this.layers.map((_, l) =>
      tf.concat(
        this.layers.map((__, m) => table[l][m] ?? tf.transpose(table[m][l]!, [0, 2, 1])),
        2
      )
    )
    const H = bands.length === 1 ? bands[0] : tf.concat(bands, 1)
    // Products in another order may round differently: the mean of both triangles is symmetric to the last bit.
    return tf.add(tf.mul(H, 0.5), tf.mul(tf.transpose(H, [0, 2, 1]), 0.5))
  }

  /** θ: [R, P]. The caller disposes of the results, or calls this inside tf.tidy. */
  evaluate(theta: Tensor, needs: Needs, rows: readonly Rows[] = this.tiles): Values {
    const { tf } = this.device
    const R = theta.shape[0]
    return tf.tidy(() => {
      let sums: Sums | undefined
      for (const tile of rows) {
        const before = sums
        sums = tf.tidy(() => {
          const part = this.tile(theta, tile, needs)
          if (!before) return part
          return {
            f: tf.add(before.f, part.f),
            g: before.g.map((v, i) => tf.add(v, part.g[i])),
            H: before.H.map((v, i) => tf.add(v, part.H[i]))
          }
        })
        if (before) for (const old of [before.f, ...before.g, ...before.H]) old.dispose()
      }
      const { f, g, H } = sums!
      let value = f
      let gradient: Tensor | undefined
      let hessian: Tensor | undefined
      if (needs.g) gradient = this.gradientOf(g, R)
      if (needs.H) hessian = this.hessianOf(H, R)
      if (this.penalty && this.penaltyDiagonal) {
        const pulled = tf.mul(theta, this.penalty)
        value = tf.add(value, tf.mul(tf.sum(tf.mul(pulled, theta), 1), 0.5))
        gradient = gradient && tf.add(gradient, pulled)
        hessian = hessian && tf.add(hessian, this.penaltyDiagonal)
      }
      return { f: value, ...(gradient ? { g: gradient } : {}), ...(hessian ? { H: hessian } : {}) }
    })
  }

  /** z of a tile: [R, C, n], offset included. */
  protected outputs(theta: Tensor, rows: Rows): Tensor {
    return this.forward(theta, rows, false).z
  }

  /** z, [R, C, N] with all rows of the problem, offset included; only for problems whose rows all have a weight. */
  predict(theta: Tensor): Tensor {
    const { tf } = this.device
    return tf.tidy(() =>
      tf.concat(
        this.tiles.map(tile => this.outputs(theta, tile)),
        2
      )
    )
  }
}
