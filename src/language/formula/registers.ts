/**
 * The compact form of a formula with its derivatives that engines execute (kernels/README.md, "Formulas"): operations that depend on the
 * row alone are done once for every problem, those on the parameters alone once for every evaluation, the rest for every row and run.
 */
import { Tape } from './evaluate.js'
import { Op, arity, opNames, type Graph, type NodeId } from './graph.js'
import type { Derivatives } from './derive.js'

/** Where an operand is: number · 4 + kind. */
export const Operand = { lane: 0, parameter: 1, row: 2, constant: 3 } as const

export const registerWidth = 5

/** a b + c with one rounding: an operation of registers alone, numbered after those of graphs. */
const fusedOp = opNames.length

/** What must be evaluated: z, then its gradient, then its Hessian. */
export interface Stages {
  /** Instructions up to which z, g and H are ready. */
  readonly ends: Int32Array
  /** [count, 5]: operation, destination register, operands a, b, c. */
  readonly code: Int32Array
  readonly registers: number
}

export interface RegisterProgram {
  readonly parameters: number
  /** Once for every evaluation; registers 0 … P−1 hold θ. Destinations and operands are of kind `parameter`. */
  readonly prelude: Stages
  /** For every row. */
  readonly body: Stages
  readonly constants: Float64Array
  /** Columns of rows, `Tape` roots in the order of their numbers. */
  readonly rowNodes: readonly NodeId[]
  readonly z: number
  /** [P] operands of ∂z/∂θ_p */
  readonly first: Int32Array
  /** [count, 3]: p ≤ q and the operand of ∂²z/∂θ_p∂θ_q. */
  readonly second: Int32Array
}

/** What a node depends on, as bits. */
export const onRow = 1
export const onParameters = 2

/** 0: constant, 1: depends on the row, 2: on parameters, 3: on both. */
export function kinds(graph: Graph): Uint8Array {
  const kind = new Uint8Array(graph.op.length)
  for (let id = 0; id < kind.length; id++) {
    const op = graph.op[id]
    const n = arity(op)
    if (op === Op.column) kind[id] = onRow
    if (op === Op.parameter) kind[id] = onParameters
    if (n > 0) kind[id] |= kind[graph.a[id]]
    if (n > 1) kind[id] |= kind[graph.b[id]]
    if (n > 2) kind[id] |= kind[graph.c[id]]
  }
  return kind
}

class Allocator {
  private readonly free: number[] = []
  count: number
  constructor(first: number) {
    this.count = first
  }
  take(): number {
    return this.free.pop() ?? this.count++
  }
  give(register: number): void {
    this.free.push(register)
  }
}

/** An operation and its operands. */
interface Operation {
  readonly op: number
  readonly args: readonly NodeId[]
}

/** Registers and instructions of the nodes of one kind, in stages; a register is used again when its value has been read last. */
function emit(
  operations: ReadonlyMap<NodeId, Operation>,
  stages: readonly (readonly NodeId[])[],
  kept: ReadonlySet<NodeId>,
  first: number,
  operand: (id: NodeId) => number,
  assign: (id: NodeId, register: number) => void
): Stages {
  const order = stages.flat()
  const own = new Set(order)
  const last = new Map<NodeId, number>()
  order.forEach((id, i) => {
    for (const k of operations.get(id)!.args) if (own.has(k)) last.set(k, i)
  })
  const allocator = new Allocator(first)
  const registers = new Map<NodeId, number>()
  const code: number[] = []
  order.forEach((id, i) => {
    const { op, args } = operations.get(id)!
    const operands = args.map(operand)
    for (const k of new Set(args)) if (last.get(k) === i && !kept.has(k)) allocator.give(registers.get(k)!)
    const register = allocator.take()
    registers.set(id, register)
    assign(id, register)
    // An operation without further operands repeats its first, which every engine can read.
    code.push(op, register, operands[0], operands[1] ?? operands[0], operands[2] ?? operands[0])
  })
  let end = 0
  const ends = Int32Array.from(stages, stage => (end += stage.length))
  return { ends, code: Int32Array.from(code), registers: allocator.count }
}

/** Operations on row and parameters of the nodes seen, where a product that one sum alone reads is part of that sum. */
function operationsOf(
  graph: Graph,
  seen: ReadonlySet<NodeId>,
  kept: ReadonlySet<NodeId>,
  kind: Uint8Array
): Map<NodeId, Operation> {
  const operations = new Map<NodeId, Operation>()
  const uses = new Map<NodeId, number>()
  for (const id of seen) {
    const args = [graph.a[id], graph.b[id], graph.c[id]].slice(0, arity(graph.op[id]))
    for (const k of args) uses.set(k, (uses.get(k) ?? 0) + 1)
    if (args.length > 0) operations.set(id, { op: graph.op[id], args })
  }
  for (const [id, { op, args }] of operations) {
    if (op !== Op.add || kind[id] !== (onRow | onParameters)) continue
    const product = args.find(k => graph.op[k] === Op.mul && kind[k] === kind[id] && uses.get(k) === 1 && !kept.has(k))
    if (product === undefined) continue
    const rest = args[0] === product ? args[1] : args[0]
    operations.set(id, { op: fusedOp, args: [graph.a[product], graph.b[product], rest] })
    operations.delete(product)
  }
  return operations
}

export function compileRegisters(
  graph: Graph,
  z: NodeId,
  { first, second }: Derivatives,
  parameters: number
): RegisterProgram {
  const kind = kinds(graph)
  const roots = [[z], [...first], second.map(s => s.node)]
  const kept = new Set(roots.flat())
  const seen = new Set<NodeId>()
  const stages = roots.map(list => graph.needed(list).filter(id => !seen.has(id) && seen.add(id)))
  const operations = operationsOf(graph, seen, kept, kind)
  const of = (wanted: number): NodeId[][] =>
    stages.map(stage => stage.filter(id => kind[id] === wanted && operations.has(id)))

  const constants: number[] = []
  const rowNodes: NodeId[] = []
  const places = new Map<NodeId, number>()
  const operand = (id: NodeId): number => {
    const known = places.get(id)
    if (known !== undefined) return known
    let place: number
    if (graph.op[id] === Op.parameter) place = graph.value[id] * 4 + Operand.parameter
    else if (kind[id] === 0) place = (constants.push(graph.value[id]) - 1) * 4 + Operand.constant
    else if (kind[id] === onRow) place = (rowNodes.push(id) - 1) * 4 + Operand.row
    else throw new Error('an operand is used before it is made')
    places.set(id, place)
    return place
  }
  const into =
    (where: number) =>
    (id: NodeId, register: number): void =>
      void places.set(id, register * 4 + where)
  // What rows read of the prelude must outlive it.
  const read = new Set(kept)
  for (const [id, { args }] of operations) if (kind[id] === (onRow | onParameters)) for (const k of args) read.add(k)
  const prelude = emit(operations, of(onParameters), read, parameters, operand, into(Operand.parameter))
  const body = emit(operations, of(onRow | onParameters), kept, 0, operand, into(Operand.lane))
  return {
    parameters,
    prelude,
    body,
    z: operand(z),
    first: Int32Array.from(first, operand),
    second: Int32Array.from(second.flatMap(s => [s.p, s.q, operand(s.node)])),
    constants: Float64Array.from(constants),
    rowNodes
  }
}

/** Values of the row nodes on rows x [N, D]: [S, N], a column after the other. */
export function rowColumns(graph: Graph, program: RegisterProgram, x: Float64Array, rows: number): Float64Array {
  const { rowNodes } = program
  const out = new Float64Array(rowNodes.length * rows)
  const tape = new Tape(graph, rowNodes)
  const D = rows > 0 ? x.length / rows : 0
  for (let i = 0; i < rows; i++) {
    tape.run(x.subarray(i * D, (i + 1) * D), [])
    for (let s = 0; s < rowNodes.length; s++) out[s * rows + i] = tape.root(s)
  }
  return out
}
