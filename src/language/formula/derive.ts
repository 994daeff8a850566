/**
 * Exact derivatives by differentiation of the graph, in the forward direction: the branch of a `where` that is not taken then has no
 * part in the result, infinite or not.
 */
import { Op, arity, type Graph, type NodeId } from './graph.js'

/** The derivatives of `roots` by a parameter; `undefined` where one is identically 0. */
export function differentiate(graph: Graph, roots: readonly NodeId[], by: NodeId): (NodeId | undefined)[] {
  const d = new Map<NodeId, NodeId>()
  for (const id of graph.needed(roots)) {
    const derivative = id === by ? graph.constant(1) : step(graph, id, d)
    if (derivative !== undefined && !graph.isConstant(derivative, 0)) d.set(id, derivative)
  }
  return roots.map(id => d.get(id))
}

function step(graph: Graph, id: NodeId, d: ReadonlyMap<NodeId, NodeId>): NodeId | undefined {
  const op = graph.op[id]
  const count = arity(op)
  if (count === 0) return undefined
  const [a, b, c] = [graph.a[id], graph.b[id], graph.c[id]]
  const da = d.get(a)
  const db = count > 1 ? d.get(b) : undefined
  const dc = count > 2 ? d.get(c) : undefined
  if (da === undefined && db === undefined && dc === undefined) return undefined
  const zero = graph.constant(0)
  const one = graph.constant(1)
  switch (op) {
    case Op.add:
      return graph.add(da ?? zero, db ?? zero)
    case Op.sub:
      return graph.sub(da ?? zero, db ?? zero)
    case Op.mul: {
      if (a === b) return graph.mul(graph.mul(graph.constant(2), a), da!)
      const left = da === undefined ? zero : graph.mul(da, b)
      const right = db === undefined ? zero : graph.mul(a, db)
      return graph.add(left, right)
    }
    case Op.div:
      // (a′ − (a/b) b′) / b
      return graph.div(db === undefined ? da! : graph.sub(da ?? zero, graph.mul(id, db)), b)
    case Op.neg:
      return graph.neg(da!)
    case Op.exp:
      return graph.mul(id, da!)
    case Op.log:
      return graph.div(da!, a)
    case Op.sqrt:
      return graph.div(graph.mul(graph.constant(0.5), da!), id)
    case Op.sin:
      return graph.mul(graph.unary(Op.cos, a), da!)
    case Op.cos:
      return graph.neg(graph.mul(graph.unary(Op.sin, a), da!))
    case Op.tanh:
      return graph.mul(graph.unary(Op.sech2, a), da!)
    case Op.sech2:
      return graph.mul(graph.mul(graph.constant(-2), graph.mul(graph.unary(Op.tanh, a), id)), da!)
    case Op.atan:
      return graph.div(da!, graph.add(one, graph.mul(a, a)))
    case Op.erf: {
      const bell = graph.unary(Op.exp, graph.neg(graph.mul(a, a)))
      return graph.mul(graph.mul(graph.constant(2 / Math.sqrt(Math.PI)), bell), da!)
    }
    case Op.abs:
      return graph.mul(graph.unary(Op.sign, a), da!)
    case Op.min:
      return graph.where(graph.binary(Op.less, a, b), da ?? zero, db ?? zero)
    case Op.max:
      return graph.where(graph.binary(Op.less, a, b), db ?? zero, da ?? zero)
    case Op.pow:
    case Op.powLog:
    case Op.powLog2: {
      // ∂ x^y log^k x = y x^(y−1) log^k x + k x^(y−1) log^(k−1) x in x, x^y log^(k+1) x in y.
      const k = op === Op.pow ? 0 : op === Op.powLog ? 1 : 2
      let sum = zero
      if (da !== undefined) {
        const less = graph.sub(b, one)
        let inner = graph.mul(b, graph.powLog(a, less, k))
        if (k > 0) inner = graph.add(inner, graph.mul(graph.constant(k), graph.powLog(a, less, k - 1)))
        sum = graph.mul(inner, da)
      }
      if (db === undefined) return sum
      if (k === 2) throw new Error('third derivatives of powers are not known')
      return graph.add(sum, graph.mul(graph.powLog(a, b, k + 1), db))
    }
    case Op.where:
      return graph.where(a, db ?? zero, dc ?? zero)
    case Op.sign:
    case Op.less:
    case Op.lessEqual:
    case Op.equal:
      return undefined
    case Op.constant:
    case Op.column:
    case Op.parameter:
      return undefined
    default:
      return op satisfies never
  }
}

export interface Second {
  /** p ≤ q */
  readonly p: number
  readonly q: number
  readonly node: NodeId
}

export interface Derivatives {
  /** [P]: ∂z/∂θ_p; the node of the constant 0 where z does not depend on θ_p. */
  readonly first: readonly NodeId[]
  /** ∂²z/∂θ_p∂θ_q, those that are not identically 0. */
  readonly second: readonly Second[]
}

/** [P]: the first derivatives of a node in the parameters 0 … P−1. */
export function gradient(graph: Graph, z: NodeId, parameters: number): NodeId[] {
  const zero = graph.constant(0)
  return Array.from({ length: parameters }, (_, p) => differentiate(graph, [z], graph.parameter(p))[0] ?? zero)
}

/** All first and second derivatives of a node in the parameters 0 … P−1. */
export function derivatives(graph: Graph, z: NodeId, parameters: number): Derivatives {
  const first = gradient(graph, z, parameters)
  const second: Second[] = []
  for (let q = 0; q < parameters; q++)
    differentiate(graph, first.slice(0, q + 1), graph.parameter(q)).forEach((node, p) => {
      if (node !== undefined) second.push({ p, q, node })
    })
  return { first, second }
}
