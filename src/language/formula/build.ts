/** From postfix code to nodes of a graph: looks names up, unfolds what the graph has no operation for. */
import { InputError } from '../../core/errors.js'
import { nearestName } from '../../core/names.js'
import { Op, type Graph, type NodeId } from './graph.js'
import { namedConstants, place, type Item } from './parse.js'

const unary: Readonly<Record<string, Op>> = {
  neg: Op.neg,
  exp: Op.exp,
  log: Op.log,
  sqrt: Op.sqrt,
  sin: Op.sin,
  cos: Op.cos,
  tanh: Op.tanh,
  atan: Op.atan,
  erf: Op.erf,
  abs: Op.abs
}
const binary: Readonly<Record<string, Op>> = {
  '+': Op.add,
  '-': Op.sub,
  '*': Op.mul,
  '/': Op.div,
  '^': Op.pow,
  min: Op.min,
  max: Op.max,
  '<': Op.less,
  '<=': Op.lessEqual,
  '==': Op.equal
}

/** Names in a formula that are no constants, in the order of their first appearance. */
export const namesIn = (items: readonly Item[]): string[] => [
  ...new Set(
    items.flatMap(item => (item.kind === 'name' && !Object.hasOwn(namedConstants, item.name) ? [item.name] : []))
  )
]

/**
 * The node of a formula. @param known node of each name. @throws InputError for a name that is not known, with the nearest.
 */
export function build(
  graph: Graph,
  items: readonly Item[],
  text: string,
  known: ReadonlyMap<string, () => NodeId>,
  what: string
): NodeId {
  const stack: NodeId[] = []
  for (const item of items) {
    if (item.kind === 'number') stack.push(graph.constant(item.value))
    else if (item.kind === 'name') stack.push(look(graph, item.name, item.at, text, known, what))
    else {
      const args = stack.splice(stack.length - item.count)
      stack.push(operation(graph, item.name, args))
    }
  }
  return stack[0]
}

function look(
  graph: Graph,
  name: string,
  at: number,
  text: string,
  known: ReadonlyMap<string, () => NodeId>,
  what: string
): NodeId {
  const node = known.get(name)
  if (node) return node()
  if (Object.hasOwn(namedConstants, name)) return graph.constant(namedConstants[name])
  const names = [...known.keys(), ...Object.keys(namedConstants)]
  const list = names.length > 30 ? `${names.slice(0, 30).join(', ')}, …` : names.join(', ')
  throw new InputError(
    `The formula has the unknown name "${name}" ${place(text, at)}; did you mean ${nearestName(name, names)}? ${what}: ${list}.`
  )
}

function operation(graph: Graph, name: string, args: readonly NodeId[]): NodeId {
  const [a, b, c] = args
  if (name === 'where') return graph.where(a, b, c)
  if (name === 'tan') return graph.div(graph.unary(Op.sin, a), graph.unary(Op.cos, a))
  if (name === '>') return graph.binary(Op.less, b, a)
  if (name === '>=') return graph.binary(Op.lessEqual, b, a)
  if (name === '!=') return graph.sub(graph.constant(1), graph.binary(Op.equal, a, b))
  if (Object.hasOwn(unary, name)) return graph.unary(unary[name], a)
  return args.slice(1).reduce((left, right) => graph.binary(binary[name], left, right), a)
}
