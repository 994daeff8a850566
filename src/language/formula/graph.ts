/**
 * Expressions as a graph: every node is made once (equal nodes are one), arguments come before what uses them, constants are folded and
 * neutral elements dropped. Nothing here recurses, so that formulas of any length fit the stack.
 */
import { InputError } from '../../core/errors.js'
import { erf } from './erf.js'

/**
 * `sech2` is 1 − tanh², `powLog` and `powLog2` are x^y log x and x^y (log x)², 0 where x is 0 and y positive; comparisons are 1 or 0;
 * `where` is c ≠ 0 ? a : b. The numbers are those of kernels/cpu/formula.h.
 */
export const Op = {
  constant: 0,
  column: 1,
  parameter: 2,
  add: 3,
  sub: 4,
  mul: 5,
  div: 6,
  neg: 7,
  exp: 8,
  log: 9,
  sqrt: 10,
  sin: 11,
  cos: 12,
  tanh: 13,
  sech2: 14,
  atan: 15,
  erf: 16,
  abs: 17,
  sign: 18,
  min: 19,
  max: 20,
  pow: 21,
  powLog: 22,
  powLog2: 23,
  less: 24,
  lessEqual: 25,
  equal: 26,
  where: 27
} as const
export type Op = (typeof Op)[keyof typeof Op]
export const opNames = Object.keys(Op) as (keyof typeof Op)[]
/** Arguments of each operation. */
export const arity = (op: Op): number =>
  op <= Op.parameter ? 0 : op === Op.where ? 3 : op <= Op.div ? 2 : op < Op.min ? 1 : 2

/** Number of a node in its graph. */
export type NodeId = number

export const nodeLimit = 300_000

function powLog(x: number, y: number, k: number): number {
  if (x === 0 && y > 0) return 0
  return Math.pow(x, y) * Math.log(x) ** k
}

/** The value of an operation on numbers. */
export function apply(op: Op, a: number, b: number, c: number): number {
  switch (op) {
    case Op.add:
      return a + b
    case Op.sub:
      return a - b
    case Op.mul:
      return a * b
    case Op.div:
      return a / b
    case Op.neg:
      return -a
    case Op.exp:
      return Math.exp(a)
    case Op.log:
      return Math.log(a)
    case Op.sqrt:
      return Math.sqrt(a)
    case Op.sin:
      return Math.sin(a)
    case Op.cos:
      return Math.cos(a)
    case Op.tanh:
      return Math.tanh(a)
    case Op.sech2: {
      const e = Math.exp(-2 * Math.abs(a))
      return (4 * e) / ((1 + e) * (1 + e))
    }
    case Op.atan:
      return Math.atan(a)
    case Op.erf:
      return erf(a)
    case Op.abs:
      return Math.abs(a)
    case Op.sign:
      return Math.sign(a)
    // A NaN stays one.
    case Op.min:
      return Math.min(a, b)
    case Op.max:
      return Math.max(a, b)
    case Op.pow:
      return Math.pow(a, b)
    case Op.powLog:
      return powLog(a, b, 1)
    case Op.powLog2:
      return powLog(a, b, 2)
    case Op.less:
      return a < b ? 1 : 0
    case Op.lessEqual:
      return a <= b ? 1 : 0
    case Op.equal:
      return a === b ? 1 : 0
    case Op.where:
      return a !== 0 ? b : c
    case Op.constant:
    case Op.column:
    case Op.parameter:
      throw new Error('a leaf has no arguments')
    default:
      return op satisfies never
  }
}

export class Graph {
  readonly op: Op[] = []
  readonly a: NodeId[] = []
  readonly b: NodeId[] = []
  readonly c: NodeId[] = []
  /** Value of a constant, number of a column or parameter. */
  readonly value: number[] = []
  private readonly known = new Map<string, NodeId>()

  private make(op: Op, a = 0, b = 0, c = 0, value = 0): NodeId {
    const key = op <= Op.parameter ? `${op}:${Object.is(value, -0) ? '-0' : value}` : `${op}:${a},${b},${c}`
    const old = this.known.get(key)
    if (old !== undefined) return old
    const id = this.op.length
    if (id >= nodeLimit)
      throw new InputError(
        `The formula and its derivatives have more than ${nodeLimit} operations; shorten it, or fix some of its parameters.`
      )
    this.op.push(op)
    this.a.push(a)
    this.b.push(b)
    this.c.push(c)
    this.value.push(value)
    this.known.set(key, id)
    return id
  }

  constant(value: number): NodeId {
    return this.make(Op.constant, 0, 0, 0, value)
  }
  column(index: number): NodeId {
    return this.make(Op.column, 0, 0, 0, index)
  }
  parameter(index: number): NodeId {
    return this.make(Op.parameter, 0, 0, 0, index)
  }
  isConstant(id: NodeId, value?: number): boolean {
    return this.op[id] === Op.constant && (value === undefined || this.value[id] === value)
  }
  private isNeg(id: NodeId): boolean {
    return this.op[id] === Op.neg
  }

  add(a: NodeId, b: NodeId): NodeId {
    if (this.isConstant(a) && this.isConstant(b)) return this.constant(this.value[a] + this.value[b])
    if (this.isConstant(a, 0)) return b
    if (this.isConstant(b, 0)) return a
    if (this.isNeg(b)) return this.sub(a, this.a[b])
    if (this.isNeg(a)) return this.sub(b, this.a[a])
    if (a === b) return this.mul(this.constant(2), a)
    return a < b ? this.make(Op.add, a, b) : this.make(Op.add, b, a)
  }
  sub(a: NodeId, b: NodeId): NodeId {
    if (this.isConstant(a) && this.isConstant(b)) return this.constant(this.value[a] - this.value[b])
    if (this.isConstant(b, 0)) return a
    if (this.isConstant(a, 0)) return this.neg(b)
    if (a === b) return this.constant(0)
    if (this.isNeg(b)) return this.add(a, this.a[b])
    if (this.isNeg(a)) return this.neg(this.add(this.a[a], b))
    return this.make(Op.sub, a, b)
  }
  neg(a: NodeId): NodeId {
    if (this.isConstant(a)) return this.constant(-this.value[a])
    if (this.isNeg(a)) return this.a[a]
    if (this.op[a] === Op.sub) return this.sub(this.b[a], this.a[a])
    return this.make(Op.neg, a)
  }
  mul(a: NodeId, b: NodeId): NodeId {
    if (this.isConstant(b)) [a, b] = [b, a]
    if (this.isConstant(a)) {
      if (this.isConstant(b)) return this.constant(this.value[a] * this.value[b])
      if (this.value[a] === 0) return a
      if (this.value[a] === 1) return b
      if (this.value[a] === -1) return this.neg(b)
      if (this.op[b] === Op.mul && this.isConstant(this.a[b]))
        return this.mul(this.constant(this.value[a] * this.value[this.a[b]]), this.b[b])
    }
    if (this.isNeg(a)) return this.neg(this.mul(this.a[a], b))
    if (this.isNeg(b)) return this.neg(this.mul(a, this.a[b]))
    if (this.isConstant(a)) return this.make(Op.mul, a, b)
    return a < b ? this.make(Op.mul, a, b) : this.make(Op.mul, b, a)
  }
  div(a: NodeId, b: NodeId): NodeId {
    if (this.isConstant(b)) {
      if (this.isConstant(a)) return this.constant(this.value[a] / this.value[b])
      if (this.value[b] === 1) return a
      if (this.value[b] === -1) return this.neg(a)
      // Exact, and faster.
      if (Number.isInteger(Math.log2(Math.abs(this.value[b])))) return this.mul(this.constant(1 / this.value[b]), a)
    }
    if (this.isConstant(a, 0)) return a
    if (this.isNeg(a)) return this.neg(this.div(this.a[a], b))
    if (this.isNeg(b)) return this.neg(this.div(a, this.a[b]))
    return this.make(Op.div, a, b)
  }
  /** x^n for a whole n ≥ 1, by squaring. */
  private whole(x: NodeId, n: number): NodeId {
    let power = x
    let out: NodeId | undefined
    for (let rest = n; ; power = this.mul(power, power)) {
      if (rest % 2 === 1) out = out === undefined ? power : this.mul(out, power)
      rest = Math.floor(rest / 2)
      if (rest === 0) return out!
    }
  }
  pow(x: NodeId, y: NodeId): NodeId {
    if (this.isConstant(y)) {
      const n = this.value[y]
      if (this.isConstant(x)) return this.constant(Math.pow(this.value[x], n))
      if (n === 0) return this.constant(1)
      if (n === 0.5) return this.unary(Op.sqrt, x)
      if (n === -0.5) return this.div(this.constant(1), this.unary(Op.sqrt, x))
      if (Number.isInteger(n) && Math.abs(n) <= 1024)
        return n > 0 ? this.whole(x, n) : this.div(this.constant(1), this.whole(x, -n))
    }
    if (this.isConstant(x) && this.value[x] > 0)
      return this.unary(Op.exp, this.mul(this.constant(Math.log(this.value[x])), y))
    return this.make(Op.pow, x, y)
  }
  /** x^y (log x)^k, k = 0, 1, 2. */
  powLog(x: NodeId, y: NodeId, k: number): NodeId {
    if (k === 0) return this.pow(x, y)
    const op = k === 1 ? Op.powLog : Op.powLog2
    if (this.isConstant(x) && this.isConstant(y)) return this.constant(apply(op, this.value[x], this.value[y], 0))
    return this.make(op, x, y)
  }
  unary(op: Op, a: NodeId): NodeId {
    if (op === Op.neg) return this.neg(a)
    if (this.isConstant(a)) return this.constant(apply(op, this.value[a], 0, 0))
    if (this.isNeg(a)) {
      const inner = this.a[a]
      if (op === Op.cos || op === Op.sech2 || op === Op.abs) return this.unary(op, inner)
      if (op === Op.sin || op === Op.tanh || op === Op.atan || op === Op.erf || op === Op.sign)
        return this.neg(this.unary(op, inner))
    }
    return this.make(op, a)
  }
  binary(op: Op, a: NodeId, b: NodeId): NodeId {
    if (op === Op.add) return this.add(a, b)
    if (op === Op.sub) return this.sub(a, b)
    if (op === Op.mul) return this.mul(a, b)
    if (op === Op.div) return this.div(a, b)
    if (op === Op.pow) return this.pow(a, b)
    if (this.isConstant(a) && this.isConstant(b)) return this.constant(apply(op, this.value[a], this.value[b], 0))
    if ((op === Op.min || op === Op.max) && a === b) return a
    return this.make(op, a, b)
  }
  where(condition: NodeId, a: NodeId, b: NodeId): NodeId {
    if (this.isConstant(condition)) return this.value[condition] !== 0 ? a : b
    return a === b ? a : this.make(Op.where, condition, a, b)
  }

  /** A node in which parameters are replaced by other nodes. */
  substitute(root: NodeId, by: (parameter: number) => NodeId): NodeId {
    const now = new Map<NodeId, NodeId>()
    for (const id of this.needed([root])) {
      const op = this.op[id]
      const [a, b, c] = [this.a[id], this.b[id], this.c[id]].map(k => now.get(k)!)
      const n = arity(op)
      if (op === Op.parameter) now.set(id, by(this.value[id]))
      else if (n === 0) now.set(id, id)
      else if (n === 1) now.set(id, this.unary(op, a))
      else if (op === Op.where) now.set(id, this.where(a, b, c))
      else now.set(id, this.binary(op, a, b))
    }
    return now.get(root)!
  }

  /** The nodes that `roots` need, arguments first. */
  needed(roots: readonly NodeId[]): NodeId[] {
    const mark = new Uint8Array(this.op.length)
    for (const id of roots) mark[id] = 1
    const list: NodeId[] = []
    for (let id = this.op.length - 1; id >= 0; id--) {
      if (mark[id] === 0) continue
      list.push(id)
      const n = arity(this.op[id])
      if (n > 0) mark[this.a[id]] = 1
      if (n > 1) mark[this.b[id]] = 1
      if (n > 2) mark[this.c[id]] = 1
    }
    return list.reverse()
  }
}
