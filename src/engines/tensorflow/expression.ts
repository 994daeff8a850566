/**
 * f, g and the exact Hessian of a model given as an expression for R parameter vectors at once: its graph as tensor operations, on [R, 1] for
 * what depends on parameters alone, [n] for columns, [R, n] for the rest.
 */
import { fold } from '../../language/formula/evaluate.js'
import { Op, type NodeId } from '../../language/formula/graph.js'
import { compileExpression } from '../../models/expression/expression.js'
import type { Expression } from '../../models/expression/types.js'
import { lossConstants, isScalar } from '../../models/losses/index.js'
import type { Problem } from '../../models/types.js'
import type { Needs } from '../types.js'
import type { Device, Tensor } from './device.js'
import { Evaluator, type Rows, type Sums } from './evaluate.js'
import { lossTensors } from './losses.js'
import { sines } from './special.js'

/** The value of an operation on tensors. Kernels need not keep NaN in minima and maxima, so these are selections. */
function applied(device: Device, op: Op, [a, b, c]: readonly Tensor[]): Tensor {
  const { tf } = device
  // Shapes that differ are brought together first: not every device does that in selections.
  const select = (condition: Tensor, x: Tensor, y: Tensor): Tensor => {
    const zero = tf.mul(tf.add(tf.zerosLike(x), tf.zerosLike(y)), tf.zerosLike(tf.cast(condition, 'float32')))
    const whole = (v: Tensor): Tensor => tf.add(v, zero)
    return device.select(tf.greater(whole(tf.cast(condition, 'float32')), 0.5), whole(x), whole(y))
  }
  const isNaN = (v: Tensor): Tensor => tf.notEqual(v, v)
  const truth = (v: Tensor): Tensor => tf.cast(v, 'float32')
  const sech2 = (v: Tensor): Tensor => {
    const e = tf.exp(tf.mul(tf.abs(v), -2))
    const one = tf.add(e, 1)
    return tf.div(tf.mul(e, 4), tf.mul(one, one))
  }
  /** x^y (log x)^k, 0 where x is 0 and y positive. */
  const powLog = (x: Tensor, y: Tensor, k: number): Tensor => {
    let value = tf.pow(x, y)
    for (let i = 0; i < k; i++) value = tf.mul(value, tf.log(x))
    return select(tf.logicalAnd(tf.equal(x, 0), tf.greater(y, 0)), tf.zerosLike(value), value)
  }
  switch (op) {
    case Op.add:
      return tf.add(a, b)
    case Op.sub:
      return tf.sub(a, b)
    case Op.mul:
      return tf.mul(a, b)
    case Op.div:
      return tf.div(a, b)
    case Op.neg:
      return tf.neg(a)
    case Op.exp:
      return tf.exp(a)
    case Op.log:
      return tf.log(a)
    case Op.sqrt:
      return tf.sqrt(a)
    case Op.sin:
      return sines(device, a).sine
    case Op.cos:
      return sines(device, a).cosine
    case Op.tanh:
      return tf.tanh(a)
    case Op.sech2:
      return sech2(a)
    case Op.atan:
      return tf.atan(a)
    case Op.erf:
      return tf.erf(a)
    case Op.abs:
      return tf.abs(a)
    case Op.sign:
      return tf.sign(a)
    case Op.min:
      return select(tf.logicalOr(tf.less(a, b), isNaN(a)), a, b)
    case Op.max:
      return select(tf.logicalOr(tf.greater(a, b), isNaN(a)), a, b)
    case Op.pow:
      return tf.pow(a, b)
    case Op.powLog:
      return powLog(a, b, 1)
    case Op.powLog2:
      return powLog(a, b, 2)
    case Op.less:
      return truth(tf.less(a, b))
    case Op.lessEqual:
      return truth(tf.lessEqual(a, b))
    case Op.equal:
      return truth(tf.equal(a, b))
    case Op.where:
      return select(tf.notEqual(a, 0), b, c)
    default:
      throw new Error(`unknown operation ${op}`)
  }
}

export class ExpressionEvaluator extends Evaluator {
  constructor(
    device: Device,
    problem: Problem,
    private readonly expression: Expression
  ) {
    super(device, problem)
  }

  /** Values of nodes, by their numbers; a null for those that are 0 everywhere. */
  private values(theta: Tensor, { x }: Rows, roots: readonly NodeId[]): (Tensor | null)[] {
    const { tf } = this.device
    const { graph } = compileExpression(this.expression)
    const R = theta.shape[0]
    const column = (d: number): Tensor =>
      x.rank === 2
        ? tf.reshape(tf.slice(x, [d, 0], [1, x.shape[1] ?? 0]), [x.shape[1] ?? 0])
        : tf.reshape(tf.slice(x, [0, d, 0], [x.shape[0], 1, x.shape[2] ?? 0]), [x.shape[0], x.shape[2] ?? 0])
    const isZero = (id: NodeId): boolean => graph.op[id] === Op.constant && graph.value[id] === 0
    const wanted = roots.filter(id => !isZero(id))
    const found = fold<Tensor>(
      graph,
      wanted,
      (op, value) =>
        op === Op.constant ? tf.scalar(value) : op === Op.column ? column(value) : tf.slice(theta, [0, value], [R, 1]),
      (op, args) => applied(this.device, op, args)
    )
    const at = new Map(wanted.map((id, k) => [id, found[k]]))
    return roots.map(id => at.get(id) ?? null)
  }

  protected override outputs(theta: Tensor, rows: Rows): Tensor {
    const { tf } = this.device
    const { z } = compileExpression(this.expression)
    const [value] = this.values(theta, rows, [z])
    const R = theta.shape[0]
    const whole = tf.add(tf.zeros([R, rows.n]), value ?? 0)
    return tf.reshape(rows.offset ? tf.add(whole, rows.offset) : whole, [R, 1, rows.n])
  }

  protected override tile(theta: Tensor, rows: Rows, needs: Needs): Sums {
    const { tf, select } = this.device
    const { model } = this.problem
    const { z, first, second } = compileExpression(this.expression)
    const P = this.parameters
    const R = theta.shape[0]
    const zeros = tf.zeros([R, rows.n])
    const [value, ...derivatives] = this.values(theta, rows, [
      z,
      ...(needs.g || needs.H ? first : []),
      ...(needs.H ? second.map(s => s.node) : [])
    ])
    // Rows that are not there count as 0, whatever the formula says of them.
    const there = (v: Tensor): Tensor =>
      rows.masked ? select(tf.equal(tf.add(zeros, rows.c), 0), zeros, tf.add(zeros, v)) : v
    const whole = tf.add(zeros, value ?? 0)
    const c = tf.add(zeros, rows.c)
    let terms = { value: whole, first: tf.onesLike(whole), second: zeros }
    if (!this.expression.objective && isScalar(model.loss)) {
      const constants = lossConstants(model.loss, model.lossParameters)
      terms = lossTensors(this.device, model.loss, rows.offset ? tf.add(whole, rows.offset) : whole, rows.y, constants)
    }
    const weighted = (v: Tensor): Tensor => there(tf.mul(v, c))
    const f = tf.sum(weighted(terms.value), 1)
    if (!needs.g && !needs.H) return { f, g: [], H: [] }
    const delta = weighted(terms.first)
    const curvature = weighted(terms.second)
    const none = tf.zeros([R])
    const slopes = derivatives.slice(0, P).map(d => d && there(d))
    const g = needs.g
      ? [
          tf.stack(
            slopes.map(d => (d ? tf.sum(tf.mul(delta, d), 1) : none)),
            1
          )
        ]
      : []
    if (!needs.H) return { f, g, H: [] }
    const entries: Tensor[] = new Array<Tensor>(P * P).fill(none)
    const put = (p: number, q: number, v: Tensor): void => {
      const before = entries[p * P + q]
      entries[p * P + q] = entries[q * P + p] = before === none ? v : tf.add(before, v)
    }
    if (!this.expression.objective)
      for (let p = 0; p < P; p++) {
        const left = slopes[p]
        if (!left) continue
        const bent = tf.mul(curvature, left)
        for (let q = p; q < P; q++) {
          const right = slopes[q]
          if (right) put(p, q, tf.sum(tf.mul(bent, right), 1))
        }
      }
    second.forEach(({ p, q }, k) => {
      const d = derivatives[P + k]
      if (d) put(p, q, tf.sum(tf.mul(delta, there(d)), 1))
    })
    return { f, g, H: [tf.reshape(tf.stack(entries, 1), [R, P, P])] }
  }

  protected override gradientOf(parts: readonly Tensor[]): Tensor {
    return parts[0]
  }
  protected override hessianOf(parts: readonly Tensor[]): Tensor {
    return parts[0]
  }
}

export const evaluatorOf = (device: Device, problem: Problem): Evaluator =>
  problem.model.kind === 'expression'
    ? new ExpressionEvaluator(device, problem, problem.model.expression)
    : new Evaluator(device, problem)
