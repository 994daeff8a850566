/**
 * From an expression graph to a `Program`: gives every value of the scheduled graph a slot (temporary slots are used again), and
 * writes states in place where nothing reads their old value any more.
 */
import type { Graph, Kind, Node } from '../graph.js'
import { Op, Slot, instructionWidth, scalarBase, type Program } from '../program.js'
import { isMatrixOp, isReduction, reachable, results, schedule } from './schedule.js'

export function compile(graph: Graph): Program {
  const { leaves, states } = graph
  const used = reachable(graph)
  if (graph.needs === 'g' && used.has(leaves.H))
    throw new Error(`${graph.name} uses H but does not say that it needs it`)
  const order = schedule(graph, used)
  const results_ = results(graph)

  const lastUse = new Map<Node, number>()
  order.forEach((node, at) => node.args.forEach(a => lastUse.set(a, at)))
  for (const node of results_) lastUse.set(node, Infinity)
  for (const { next } of states) if (next) lastUse.set(next, Infinity)

  const slots = new Map<Node, number>()
  const permanent = new Set<Node>()
  const count: Record<Kind, number> = { vector: 3, scalar: 2, matrix: 1 }
  const free: Record<Kind, number[]> = { vector: [], scalar: [], matrix: [] }
  const newSlot = (kind: Kind): number => free[kind].pop() ?? count[kind]++
  const slotOf = (node: Node): number => {
    const slot = slots.get(node)
    if (slot === undefined) throw new Error(`${graph.name}: a value is used before it is computed`)
    return slot
  }
  const keep = (node: Node, slot: number): void => {
    slots.set(node, slot)
    permanent.add(node)
  }
  for (const name of Object.keys(Slot) as (keyof typeof Slot)[]) keep(leaves[name], Slot[name])
  for (const { node } of states) if (!slots.has(node)) keep(node, newSlot(node.kind))
  const constants: { slot: number; value: number }[] = []
  for (const node of used) {
    if (node.source !== 'constant') continue
    keep(node, newSlot('scalar'))
    constants.push({ slot: slotOf(node), value: node.value })
  }

  /** The slot of the state that `node` becomes, when nothing reads the old value after `at`. */
  const inPlace = (node: Node, at: number): number | undefined => {
    const takers = states.filter(s => s.next === node)
    const old = takers[0]?.node
    if (takers.length !== 1 || !old || old.kind !== node.kind) return undefined
    if (node.op === 'tridiagonalize') return slotOf(old)
    if (isMatrixOp(node) || results_.includes(old) || states.some(s => s.next === old)) return undefined
    return (lastUse.get(old) ?? -1) > at ? undefined : slotOf(old)
  }

  const code: number[] = []
  const emit = (...words: number[]): void => {
    while (words.length < instructionWidth) words.push(0)
    code.push(...words)
  }
  const release = (node: Node, at: number): void => {
    if (permanent.has(node) || (lastUse.get(node) ?? -1) > at) return
    const slot = slots.get(node)
    if (slot === undefined || free[node.kind].includes(slot)) return
    free[node.kind].push(slot)
  }
  const define = (node: Node, at: number): number => {
    const state = inPlace(node, at)
    if (state !== undefined) permanent.add(node)
    const slot = state ?? newSlot(node.kind)
    slots.set(node, slot)
    return slot
  }
  /** Operand of an element-wise vector operation: scalars are marked by negative numbers. */
  const mixed = (node: Node): number => (node.kind === 'vector' ? slotOf(node) : -1 - slotOf(node))
  const second = new Map<Node, Node>()
  for (const node of graph.nodes) if (node.source === 'second') second.set(node.args[0], node)

  order.forEach((node, at) => {
    const op = node.op!
    const releaseOperands = (): void => new Set(node.args).forEach(a => release(a, at))
    if (isMatrixOp(node)) {
      const operands = node.args.slice(0, 3).map(slotOf)
      const companion = second.get(node)
      const dst = define(node, at)
      const extra = companion ? [define(companion, at)] : []
      emit(Op[op], dst, ...operands, ...extra)
      releaseOperands()
      for (const made of [node, companion]) if (made && !lastUse.has(made)) release(made, at)
    } else if (isReduction(node)) {
      const operands = node.args.map(slotOf)
      releaseOperands()
      emit(Op[op], define(node, at), ...operands)
    } else {
      const operands = node.args.map(a => (node.kind === 'vector' ? mixed(a) : slotOf(a)))
      releaseOperands()
      emit(node.kind === 'vector' ? Op[op] : Op[op] + scalarBase, define(node, at), ...operands)
    }
  })

  const copy = (kind: Kind, dst: number, from: Node): void => {
    if (kind === 'vector') emit(Op.copy, dst, mixed(from))
    else emit(Op.copy + scalarBase, dst, slotOf(from))
  }
  // A result that is the old value of a changing state must be saved before the state moves on.
  const changing = new Set(states.filter(s => s.next && s.next !== s.node).map(s => s.node))
  const saved = (node: Node): number => {
    if (!changing.has(node) && node !== leaves.f && node !== leaves.g) return slotOf(node)
    const slot = newSlot(node.kind)
    copy(node.kind, slot, node)
    return slot
  }
  const { point, loss, gradientNorm, stalled, report } = graph.outputs
  const outputs = {
    point: saved(point),
    loss: saved(loss),
    gradientNorm: saved(gradientNorm),
    stalled: stalled ? saved(stalled) : constantSlot(0)
  }
  const reported = Object.entries(report ?? {}).map(([name, node]) => ({ name, slot: saved(node) }))

  // States not written in place: first save the old values that other states take, then move.
  const stays = (node: Node, next: Node): boolean => node.kind === next.kind && slotOf(node) === slotOf(next)
  const moves = states.filter(s => s.next && !stays(s.node, s.next))
  const sources = moves.map(({ node, next }) => {
    const from = next!
    if (!changing.has(from)) return { node, from: mixedFrom(node, from) }
    const slot = newSlot(from.kind)
    copy(from.kind, slot, from)
    return { node, from: from.kind === 'vector' || node.kind === 'scalar' ? slot : -1 - slot }
  })
  for (const { node, from } of sources) {
    emit(node.kind === 'vector' ? Op.copy : Op.copy + scalarBase, slotOf(node), from)
  }

  function mixedFrom(node: Node, from: Node): number {
    return node.kind === 'vector' ? mixed(from) : slotOf(from)
  }
  function constantSlot(value: number): number {
    const known = constants.find(c => c.value === value)
    if (known) return known.slot
    // Not one that a temporary value has had: it is set once, and that would overwrite it in every step.
    const slot = count.scalar++
    constants.push({ slot, value })
    return slot
  }

  const ofKind = (kind: Kind): { slot: number; value: number }[] =>
    states
      .filter(s => s.node.kind === kind && s.node !== leaves.x)
      .map(s => ({ slot: slotOf(s.node), value: s.initial }))
  return {
    name: graph.name,
    needs: graph.needs,
    vectors: count.vector,
    scalars: count.scalar,
    matrices: count.matrix,
    instructions: Int32Array.from(code),
    constants,
    initialVectors: ofKind('vector'),
    initialScalars: ofKind('scalar'),
    inputs: states.flatMap(({ node, input }) =>
      input === undefined || node.kind === 'matrix' ? [] : [{ name: input, kind: node.kind, slot: slotOf(node) }]
    ),
    outputs,
    report: reported
  }
}
