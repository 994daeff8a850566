/** The order of a graph's operations: by depth, so that engines can fuse all vector work between two barriers into one pass. */
import type { Graph, Node } from '../graph.js'
import type { OpName } from '../program.js'

const matrixOps: ReadonlySet<OpName> = new Set([
  'tridiagonalize',
  'trustRegion',
  'eigh',
  'multiply',
  'multiplyTransposed'
])
const reductions: ReadonlySet<OpName> = new Set(['dot', 'sum', 'maxAbs', 'minimum'])
export const isMatrixOp = (node: Node): boolean => node.op !== null && matrixOps.has(node.op)
export const isReduction = (node: Node): boolean => node.op !== null && reductions.has(node.op)

/** Nodes that must hold their value after the last instruction. */
export function results(graph: Graph): Node[] {
  const { point, loss, gradientNorm, stalled, report } = graph.outputs
  return [point, loss, gradientNorm, ...(stalled ? [stalled] : []), ...Object.values(report ?? {})]
}

export function reachable(graph: Graph): Set<Node> {
  const used = new Set<Node>()
  const visit = (node: Node): void => {
    if (used.has(node)) return
    used.add(node)
    node.args.forEach(visit)
  }
  results(graph).forEach(visit)
  for (const { next } of graph.states) if (next) visit(next)
  return used
}

/**
 * The operations that are used, by barrier depth (a reduction or a matrix operation ends a level), and within a level
 * scalars, then vectors and reductions, then matrices: all vector work of a level can be fused into one pass.
 */
export function schedule(graph: Graph, used: ReadonlySet<Node>): Node[] {
  const ready = new Map<Node, number>()
  const keyed: { node: Node; level: number; rank: number }[] = []
  for (const node of graph.nodes) {
    if (!used.has(node)) continue
    const level = node.args.reduce((deepest, a) => Math.max(deepest, ready.get(a) ?? 0), 0)
    ready.set(node, isMatrixOp(node) || isReduction(node) ? level + 1 : level)
    if (node.source !== 'operation') continue
    keyed.push({ node, level, rank: isMatrixOp(node) ? 2 : node.kind === 'vector' || isReduction(node) ? 1 : 0 })
  }
  keyed.sort((a, b) => a.level - b.level || a.rank - b.rank || a.node.id - b.node.id)
  const order: Node[] = []
  for (let from = 0; from < keyed.length;) {
    const { level, rank } = keyed[from]
    const past = keyed.findIndex((k, i) => i > from && (k.level !== level || k.rank !== rank))
    const to = past < 0 ? keyed.length : past
    order.push(
      ...readersFirst(
        graph,
        keyed.slice(from, to).map(k => k.node)
      )
    )
    from = to
  }
  return order
}

/**
 * The same nodes, each after its operands, and where that allows it after all that read the old value of the state that it becomes:
 * then it can be written in place, and a memory that shifts needs no copies.
 */
function readersFirst(graph: Graph, nodes: readonly Node[]): Node[] {
  const waiting = new Set(nodes)
  const becomes = new Map<Node, Node>()
  for (const { node, next } of graph.states) if (next) becomes.set(next, node)
  const order: Node[] = []
  const computable = (node: Node): boolean => !node.args.some(a => waiting.has(a))
  const unread = (node: Node): boolean => {
    const state = becomes.get(node)
    return state === undefined || ![...waiting].some(n => n !== node && n.args.includes(state))
  }
  while (waiting.size > 0) {
    const able = [...waiting].filter(computable)
    const node = able.find(unread) ?? able[0]
    waiting.delete(node)
    order.push(node)
  }
  return order
}
