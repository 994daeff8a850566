/** Evaluates nodes of a graph, by numbers or by any other algebra (hyper-dual numbers, intervals). */
import { Op, apply, arity, type Graph, type NodeId } from './graph.js'

/** The operations that `roots` need as a list; values in one array, arguments before what uses them. */
export class Tape {
  private readonly ops: Uint8Array
  private readonly a: Int32Array
  private readonly b: Int32Array
  private readonly c: Int32Array
  private readonly leaf: Float64Array
  private readonly values: Float64Array
  private readonly places: readonly number[]
  /** Node of each place. */
  readonly nodes: readonly NodeId[]

  constructor(graph: Graph, roots: readonly NodeId[]) {
    const nodes = graph.needed(roots)
    const place = new Map(nodes.map((id, i) => [id, i]))
    const places = (ids: readonly NodeId[]): Int32Array => Int32Array.from(nodes, id => place.get(ids[id]) ?? 0)
    this.nodes = nodes
    this.ops = Uint8Array.from(nodes, id => graph.op[id])
    this.a = places(graph.a)
    this.b = places(graph.b)
    this.c = places(graph.c)
    this.leaf = Float64Array.from(nodes, id => graph.value[id])
    this.values = new Float64Array(nodes.length)
    this.places = roots.map(id => place.get(id)!)
  }

  /** Evaluates all roots. @param columns [D] one row. @param parameters [P] */
  run(columns: ArrayLike<number>, parameters: ArrayLike<number>): void {
    const { ops, a, b, c, leaf, values } = this
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i] as Op
      values[i] =
        op === Op.constant
          ? leaf[i]
          : op === Op.column
            ? columns[leaf[i]]
            : op === Op.parameter
              ? parameters[leaf[i]]
              : apply(op, values[a[i]], values[b[i]], values[c[i]])
    }
  }
  /** Value of a root after `run`. */
  root(k: number): number {
    return this.values[this.places[k]]
  }
  /** First place whose value is not finite though all its arguments are; −1 where there is none. */
  firstFault(): number {
    const { ops, values } = this
    return values.findIndex(
      (v, i) => !Number.isFinite(v) && this.argumentsOf(i).every(Number.isFinite) && arity(ops[i] as Op) > 0
    )
  }
  /** Values of the arguments of a place. */
  argumentsOf(i: number): number[] {
    const at = [this.a[i], this.b[i], this.c[i]]
    return at.slice(0, arity(this.ops[i] as Op)).map(k => this.values[k])
  }
}

/** The values of `roots` in an algebra of which `leaf` and `operation` give the elements. */
export function fold<T>(
  graph: Graph,
  roots: readonly NodeId[],
  leaf: (op: typeof Op.constant | typeof Op.column | typeof Op.parameter, value: number) => T,
  operation: (op: Op, args: readonly T[]) => T
): T[] {
  const values = new Map<NodeId, T>()
  for (const id of graph.needed(roots)) {
    const op = graph.op[id]
    if (op === Op.constant || op === Op.column || op === Op.parameter) values.set(id, leaf(op, graph.value[id]))
    else {
      const args = [graph.a[id], graph.b[id], graph.c[id]].slice(0, arity(op))
      values.set(
        id,
        operation(
          op,
          args.map(k => values.get(k)!)
        )
      )
    }
  }
  return roots.map(id => values.get(id)!)
}
