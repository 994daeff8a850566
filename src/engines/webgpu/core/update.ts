/**
 * From an update program to kernels: instructions between two matrix operations become one kernel (update.wgsl), in which element-wise
 * work and reductions that need nothing from each other's results share a loop over the parameters. Values that live within a loop
 * stay in registers; only what is read later is stored, in the slot that the program gives it. The text depends on the program and on
 * P alone, so that a run's bits depend on nothing else.
 */
import { Op, Slot, instructionWidth, scalarBase, type Program } from '../../../language/program.js'
import { literal, type Values } from './text.js'

export interface Instruction {
  readonly op: number
  readonly dst: number
  /** a, b, c, d */
  readonly operands: readonly number[]
}

export type Part =
  { readonly kind: 'fused'; readonly values: Values } | { readonly kind: 'matrix'; readonly instruction: Instruction }

/** Operands that an element-wise operation has. */
const operandCounts = new Map<number, number>([
  ...([Op.copy, Op.abs, Op.neg, Op.sqrt, Op.finite] as const).map(op => [op, 1] as const),
  ...([Op.fma, Op.select] as const).map(op => [op, 3] as const)
])
const operandCount = (op: number): number => operandCounts.get(op) ?? 2

const isVectorOp = (op: number): boolean => op < scalarBase
const isScalarOp = (op: number): boolean => op >= scalarBase && op < Op.dot
const isReduction = (op: number): boolean => op >= Op.dot && op < Op.tridiagonalize
export const isMatrixOp = (op: number): boolean => op >= Op.tridiagonalize

export function instructionsOf(program: Program): Instruction[] {
  const list: Instruction[] = []
  for (let at = 0; at < program.instructions.length; at += instructionWidth) {
    const [op, dst, ...operands] = program.instructions.subarray(at, at + instructionWidth)
    list.push({ op, dst, operands })
  }
  return list
}

interface Slots {
  readonly vectors: readonly number[]
  readonly scalars: readonly number[]
}

/** Slots that an instruction reads, and those that it writes. */
function reads({ op, operands: [a, b, c] }: Instruction): Slots {
  if (isVectorOp(op)) {
    const used = [a, b, c].slice(0, operandCount(op))
    return { vectors: used.filter(v => v >= 0), scalars: used.filter(v => v < 0).map(v => -1 - v) }
  }
  if (isScalarOp(op)) return { vectors: [], scalars: [a, b, c].slice(0, operandCount(op - scalarBase)) }
  if (isReduction(op)) return { vectors: op === Op.dot ? [a, b] : [a], scalars: [] }
  return { vectors: [b], scalars: op === Op.tridiagonalize || op === Op.trustRegion ? [c] : [] }
}
function writes({ op, dst, operands: [, , , d] }: Instruction): Slots {
  if (isVectorOp(op)) return { vectors: [dst], scalars: [] }
  if (isScalarOp(op) || isReduction(op)) return { vectors: [], scalars: [dst] }
  if (op === Op.tridiagonalize) return { vectors: [], scalars: [] }
  return { vectors: [dst], scalars: op === Op.trustRegion ? [d] : [] }
}

interface Live {
  readonly vectors: ReadonlySet<number>
  readonly scalars: ReadonlySet<number>
}

/** Slots whose value is read after each instruction, by later ones, by the next step or by the results of this one. */
function liveAfter(program: Program, list: readonly Instruction[]): Live[] {
  const { outputs, initialVectors, initialScalars, report } = program
  let vectors = new Set<number>([Slot.x, outputs.point, ...initialVectors.map(s => s.slot)])
  let scalars = new Set<number>([
    outputs.loss,
    outputs.gradientNorm,
    outputs.stalled,
    ...initialScalars.map(s => s.slot),
    ...report.map(r => r.slot)
  ])
  const after = new Array<Live>(list.length)
  for (let i = list.length - 1; i >= 0; i--) {
    after[i] = { vectors, scalars }
    const [read, written] = [reads(list[i]), writes(list[i])]
    vectors = new Set([...[...vectors].filter(v => !written.vectors.includes(v)), ...read.vectors])
    scalars = new Set([...[...scalars].filter(s => !written.scalars.includes(s)), ...read.scalars])
  }
  return after
}

/** Row of a vector slot in the buffer of vectors, where g is first; x and the scale are buffers of their own. */
export const vectorRow = (slot: number): number => (slot === Slot.g ? 0 : slot - 2)
export const vectorRows = (program: Program): number => Math.max(1, program.vectors - 2)

/** The place of element p of a vector slot, for kernels with `lane`, `lanes` and P known as `size`. */
export function elementAt(slot: number, size: string, p = 'p'): { buffer: 'x' | 'vectors' | 'scale'; index: string } {
  if (slot === Slot.x) return { buffer: 'x', index: `${p} * lanes + lane` }
  if (slot === Slot.scale) return { buffer: 'scale', index: p }
  return { buffer: 'vectors', index: `(${vectorRow(slot)}u * ${size} + ${p}) * lanes + lane` }
}

/** Threads that share a lane: more for long vectors, of which fewer lanes fit; and lanes of a workgroup. */
export function splitOf(parameters: number): { split: number; width: number } {
  if (parameters <= 64) return { split: 1, width: 64 }
  return parameters <= 256 ? { split: 4, width: 64 } : { split: 8, width: 32 }
}

/** WGSL of an element-wise operation. */
function expression(op: number, [a, b, c]: readonly string[]): string {
  switch (op) {
    case Op.copy:
      return a
    case Op.add:
      return `${a} + ${b}`
    case Op.sub:
      return `${a} - ${b}`
    case Op.mul:
      return `${a} * ${b}`
    case Op.div:
      return `${a} / ${b}`
    case Op.min:
      return `select(${b}, ${a}, isLess(${a}, ${b}))`
    case Op.max:
      return `select(${b}, ${a}, isLess(${b}, ${a}))`
    case Op.fma:
      return `fma(${a}, ${b}, ${c})`
    case Op.select:
      return `select(${c}, ${b}, isTrue(${a}))`
    case Op.abs:
      return `abs(${a})`
    case Op.neg:
      return `-${a}`
    case Op.sqrt:
      return `rootOf(${a})`
    case Op.less:
      return `asMask(isLess(${a}, ${b}))`
    case Op.lessEqual:
      return `asMask(isAtMost(${a}, ${b}))`
    case Op.finite:
      return `asMask(isFinite(${a}))`
    default:
      throw new Error(`unknown instruction ${op}`)
  }
}

interface Reduction {
  readonly op: number
  readonly name: string
}

/** A loop over the parameters that is being gathered. */
interface Loop {
  readonly before: string[]
  readonly body: string[]
  /** Vector slots that are in registers. */
  readonly registers: Map<number, string>
  readonly written: Set<number>
  readonly reductions: Reduction[]
}

class FusedWriter {
  private readonly loads: string[] = []
  private readonly lines: string[] = []
  private readonly scalars = new Map<number, string>()
  private readonly written = new Set<number>()
  /** Scalar slots whose sum is complete only after the open loop. */
  private readonly pending = new Set<number>()
  private loop: Loop | undefined
  private names = 0
  private mostSums = 0
  private readonly split: number

  constructor(
    private readonly constants: ReadonlyMap<number, Constant>,
    private readonly parameters: number
  ) {
    this.split = splitOf(parameters).split
  }

  private name(kind: string): string {
    return `${kind}${this.names++}`
  }

  private scalar(slot: number): string {
    const known = this.scalars.get(slot) ?? this.constants.get(slot)?.name
    if (known !== undefined) return known
    const name = this.name('s')
    const value = slot === Slot.step ? 'f32(state[stepsRow * lanes + lane])' : `scalars[${slot}u * lanes + lane]`
    this.loads.push(`  let ${name} = ${value};`)
    this.scalars.set(slot, name)
    return name
  }

  private element(slot: number): string {
    const { buffer, index } = elementAt(slot, 'parameters')
    return `${buffer}[${index}]`
  }

  private vector(loop: Loop, slot: number): string {
    const known = loop.registers.get(slot)
    if (known !== undefined) return known
    const name = this.name('v')
    loop.body.push(`    let ${name} = ${this.element(slot)};`)
    loop.registers.set(slot, name)
    return name
  }

  private open(): Loop {
    this.loop ??= { before: [], body: [], registers: new Map(), written: new Set(), reductions: [] }
    return this.loop
  }

  private define(slot: number, name: string): void {
    this.scalars.set(slot, name)
    this.written.add(slot)
  }

  /** @param live slots that are read after the instruction before this one */
  add(instruction: Instruction, live: Live | undefined): void {
    const { op, dst, operands } = instruction
    const read = reads(instruction)
    if (this.loop && live && read.scalars.some(s => this.pending.has(s))) this.close(live)
    if (isScalarOp(op)) {
      // Nothing in the open loop is needed, so that it can stand before.
      const kind = op - scalarBase
      const name = this.name('s')
      const text = expression(
        kind,
        operands.slice(0, operandCount(kind)).map(s => this.scalar(s))
      )
      ;(this.loop?.before ?? this.lines).push(`  let ${name} = ${text};`)
      this.pending.delete(dst)
      this.define(dst, name)
      return
    }
    const loop = this.open()
    if (isVectorOp(op)) {
      const values = operands.slice(0, operandCount(op)).map(o => (o >= 0 ? this.vector(loop, o) : this.scalar(-1 - o)))
      const name = this.name('v')
      loop.body.push(`    let ${name} = ${expression(op, values)};`)
      loop.registers.set(dst, name)
      loop.written.add(dst)
      return
    }
    const [a, b] = read.vectors.map(slot => this.vector(loop, slot))
    const name = this.name('r')
    loop.reductions.push({ op, name })
    if (op === Op.dot) loop.body.push(`    ${name} = fma(${a}, ${b}, ${name});`)
    else if (op === Op.sum) loop.body.push(`    ${name} += ${a};`)
    else if (op === Op.maxAbs) loop.body.push(`    ${name} = bitcast<f32>(largerBits(bitcast<u32>(${name}), ${a}));`)
    else loop.body.push(`    ${name} = select(${name}, ${a}, isLess(${a}, ${name}));`)
    this.pending.add(dst)
    this.define(dst, `${name}${this.split > 1 ? 'all' : ''}`)
  }

  close(live: Live): void {
    const { loop } = this
    if (!loop) return
    this.loop = undefined
    this.pending.clear()
    this.lines.push(...loop.before)
    for (const { op, name } of loop.reductions)
      this.lines.push(`  var ${name} = ${op === Op.minimum ? 'infinite()' : '0.0'};`)
    this.lines.push('  for (var p = first; p < last; p++) {', ...loop.body)
    for (const slot of loop.written) {
      if (!live.vectors.has(slot)) continue
      const store = `${this.element(slot)} = ${loop.registers.get(slot)!};`
      this.lines.push(this.split > 1 ? `    if (on) { ${store} }` : `    ${store}`)
    }
    this.lines.push('  }')
    if (this.split === 1 || loop.reductions.length === 0) return
    // Every thread adds up the parts of all, in their order.
    this.mostSums = Math.max(this.mostSums, loop.reductions.length)
    loop.reductions.forEach(({ name }, n) => this.lines.push(`  keep(${n}u, id.x, ${name});`))
    this.lines.push('  workgroupBarrier();')
    loop.reductions.forEach(({ op, name }, n) => {
      const all = op === Op.maxAbs ? 'largest' : op === Op.minimum ? 'least' : 'total'
      this.lines.push(`  let ${name}all = ${all}(${n}u, id.x);`)
    })
    this.lines.push('  workgroupBarrier();')
  }

  finish(live: Live): Values {
    this.close(live)
    const { parameters } = this
    const { split, width } = splitOf(parameters)
    const stores = [...this.written]
      .filter(slot => live.scalars.has(slot))
      .map(slot => `scalars[${slot}u * lanes + lane] = ${this.scalars.get(slot)!};`)
    // Where threads share a lane, all of them have read before one writes.
    if (split > 1)
      this.lines.push('  storageBarrier();', '  if (on && part == 0u) {', ...stores.map(s => `    ${s}`), '  }')
    else this.lines.push(...stores.map(s => `  ${s}`))
    const statements = [...this.loads, ...this.lines].join('\n')
    const uses = (buffer: string): boolean => new RegExp(`\\b${buffer}\\[`).test(statements)
    const constants = [...this.constants.values()].filter(
      ({ name, value }) => Number.isFinite(value) && new RegExp(`\\b${name}\\b`).test(statements)
    )
    return {
      parameters,
      width,
      split,
      isSplit: split > 1,
      partSize: Math.ceil(parameters / split),
      mostSums: Math.max(1, this.mostSums),
      usesScalars: uses('scalars'),
      usesVectors: uses('vectors'),
      usesX: uses('x'),
      usesScale: uses('scale'),
      constants: constants.map(({ name, value }) => `var<private> ${name}: f32 = ${literal(value)};`).join('\n'),
      statements
    }
  }
}

/** A constant of the program as the kernels name it; value: the nearest f32. */
interface Constant {
  readonly name: string
  readonly value: number
}

function constantsOf(program: Program): Map<number, Constant> {
  return new Map(
    program.constants.map(({ slot, value: exact }, i) => {
      const value = Math.fround(exact)
      if (Number.isNaN(value)) throw new Error(`${program.name}: a constant is no number`)
      const name = Number.isFinite(value) ? `c${i}` : value > 0 ? 'infinite()' : '(-infinite())'
      return [slot, { name, value }]
    })
  )
}

/** The kernels and matrix operations of a program, in order. */
export function partsOf(program: Program, parameters: number): Part[] {
  const list = instructionsOf(program)
  const live = liveAfter(program, list)
  const constants = constantsOf(program)
  const parts: Part[] = []
  let writer: FusedWriter | undefined
  const flush = (at: number): void => {
    if (writer) parts.push({ kind: 'fused', values: writer.finish(live[at]) })
    writer = undefined
  }
  list.forEach((instruction, i) => {
    if (isMatrixOp(instruction.op)) {
      flush(i - 1)
      const { vectors, scalars } = reads(instruction)
      if (scalars.includes(Slot.step))
        throw new Error(`${program.name}: a matrix operation reads the number of the step`)
      if (writes(instruction).vectors.some(v => vectors.includes(v)))
        throw new Error(`${program.name}: a matrix operation overwrites what it reads`)
      parts.push({ kind: 'matrix', instruction })
      return
    }
    writer ??= new FusedWriter(constants, parameters)
    writer.add(instruction, live[i - 1])
  })
  flush(list.length - 1)
  return parts
}
