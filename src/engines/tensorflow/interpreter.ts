/**
 * Executes an update program for B lanes with tensor operations: vectors are [B, P], scalars [B] (constants: rank 0), matrices
 * [B, P, P]. A slot's tensor is replaced, never written to, and two slots may share one.
 */
import { Op, Slot, instructionWidth, scalarBase, type Program } from '../../language/program.js'
import type { Device, Tensor } from './device.js'
import { eigh, scaled, trustRegion } from './linalg.js'

type Slots = (Tensor | undefined)[]
/** Everything that outlives a step. */
type Kept = { vectors: Slots; scalars: Slots; matrices: Slots }

export class Interpreter {
  private vectors: Slots
  private scalars: Slots
  private matrices: Slots
  /** Slots that the next step or the results of this one read; all other values are dropped after the step. */
  private readonly keptVectors: ReadonlySet<number>
  private readonly keptScalars: ReadonlySet<number>
  private readonly keptMatrices: ReadonlySet<number>
  private readonly constant: ReadonlySet<number>
  /** Boolean tensors that comparisons made, by their numeric form; a select on it needs no further comparison. */
  private masks = new Map<Tensor, Tensor>()
  private lanes = 0

  constructor(
    private readonly device: Device,
    readonly program: Program,
    readonly parameters: number,
    scale: Float64Array
  ) {
    const { tf } = device
    const { instructions, outputs, initialVectors, initialScalars, constants, report } = program
    this.vectors = new Array<Tensor | undefined>(program.vectors).fill(undefined)
    this.scalars = new Array<Tensor | undefined>(program.scalars).fill(undefined)
    this.matrices = new Array<Tensor | undefined>(program.matrices).fill(undefined)
    this.vectors[Slot.scale] = tf.tensor2d(Float32Array.from(scale), [1, parameters])
    for (const { slot, value } of constants) this.scalars[slot] = tf.scalar(value)
    this.constant = new Set(constants.map(c => c.slot))
    this.keptVectors = new Set([Slot.x, Slot.scale, outputs.point, ...initialVectors.map(s => s.slot)])
    this.keptScalars = new Set([
      Slot.step,
      outputs.loss,
      outputs.gradientNorm,
      outputs.stalled,
      ...initialScalars.map(s => s.slot),
      ...constants.map(s => s.slot),
      ...report.map(r => r.slot)
    ])
    this.keptMatrices = new Set(
      Array.from({ length: instructions.length / instructionWidth }, (_, i) => i * instructionWidth)
        .filter(at => instructions[at] === Op.tridiagonalize)
        .map(at => instructions[at + 1])
    )
  }

  /** [B, P] */
  get x(): Tensor {
    return this.vector(Slot.x)
  }
  get point(): Tensor {
    return this.vector(this.program.outputs.point)
  }

  private vector(slot: number): Tensor {
    const value = this.vectors[slot]
    if (!value) throw new Error(`${this.program.name}: vector ${slot} is read before it is written`)
    return value
  }
  private scalar(slot: number): Tensor {
    const value = this.scalars[slot]
    if (!value) throw new Error(`${this.program.name}: scalar ${slot} is read before it is written`)
    return value
  }
  private matrix(slot: number): Tensor {
    const value = this.matrices[slot]
    if (!value) throw new Error(`${this.program.name}: matrix ${slot} is read before it is written`)
    return value
  }

  /** Runs `change` and puts what it returns in the place of the old slots, whose tensors go unless they are still used. */
  private replace(change: () => Kept): void {
    const { tf } = this.device
    const before = [...this.vectors, ...this.scalars, ...this.matrices]
    const kept = tf.tidy(() => change() as never) as unknown as Kept
    this.vectors = kept.vectors
    this.scalars = kept.scalars
    this.matrices = kept.matrices
    const alive = new Set([...this.vectors, ...this.scalars, ...this.matrices])
    for (const tensor of new Set(before)) if (tensor && !alive.has(tensor)) tensor.dispose()
  }

  /** B lanes, all of them new: states take their initial values, x = θ0 [B, P]. */
  start(theta: Float32Array, lanes: number): void {
    const { tf } = this.device
    const P = this.parameters
    this.lanes = lanes
    this.replace(() => {
      const vectors = this.vectors.map((v, slot) => (slot === Slot.scale ? v : undefined))
      const scalars = this.scalars.map((s, slot) => (this.constant.has(slot) ? s : undefined))
      for (const { slot, value } of this.program.initialVectors) vectors[slot] = tf.fill([lanes, P], value)
      for (const { slot, value } of this.program.initialScalars) scalars[slot] = tf.fill([lanes], value)
      vectors[Slot.x] = tf.tensor2d(theta, [lanes, P])
      scalars[Slot.step] = tf.zeros([lanes])
      return { vectors, scalars, matrices: this.matrices.map(() => undefined) }
    })
  }

  /** New runs enter the lanes where `entering` is 1: [B]; theta [B, P] counts there. */
  refill(entering: Uint8Array, theta: Float32Array): void {
    const { tf, select } = this.device
    const P = this.parameters
    this.replace(() => {
      const lane = tf.cast(tf.tensor1d(Int32Array.from(entering), 'int32'), 'bool')
      const rows = tf.expandDims(lane, 1)
      const vectors = this.vectors.map((v, slot) => (this.keptVectors.has(slot) ? v : undefined))
      const scalars = this.scalars.map((s, slot) => (this.keptScalars.has(slot) ? s : undefined))
      for (const { slot, value } of this.program.initialVectors)
        vectors[slot] = select(rows, tf.fill([this.lanes, P], value), this.vector(slot))
      for (const { slot, value } of this.program.initialScalars)
        scalars[slot] = select(lane, tf.fill([this.lanes], value), this.broadcast(this.scalar(slot)))
      vectors[Slot.x] = select(rows, tf.tensor2d(theta, [this.lanes, P]), this.x)
      scalars[Slot.step] = select(lane, tf.zeros([this.lanes]), this.scalar(Slot.step))
      return { vectors, scalars, matrices: this.matrices }
    })
  }

  /** Keeps these lanes only, in this order. */
  gather(lanes: Int32Array): void {
    const { tf } = this.device
    this.replace(() => {
      const index = tf.tensor1d(lanes, 'int32')
      const pick = (v: Tensor | undefined, rank: number): Tensor | undefined =>
        v?.rank === rank && v.shape[0] === this.lanes ? tf.gather(v, index) : v
      return {
        vectors: this.vectors.map((v, slot) => (slot === Slot.scale ? v : pick(v, 2))),
        scalars: this.scalars.map(s => pick(s, 1)),
        matrices: this.matrices.map(m => pick(m, 3))
      }
    })
    this.lanes = lanes.length
  }

  /** All instructions once, with f [B], g [B, P] and H [B, P, P] at x, which are disposed of. */
  run(f: Tensor, g: Tensor, H?: Tensor): void {
    const { tf } = this.device
    const code = this.program.instructions
    this.scalars[Slot.f] = f
    this.vectors[Slot.g] = g
    if (H) this.matrices[Slot.H] = H
    this.replace(() => {
      const vectors = [...this.vectors]
      const scalars = [...this.scalars]
      const matrices = [...this.matrices]
      this.vectors = vectors
      this.scalars = scalars
      this.matrices = matrices
      this.masks = new Map()
      for (let at = 0; at < code.length; at += instructionWidth) {
        const op = code[at]
        if (op < scalarBase) this.vectorOp(op, at)
        else if (op < Op.dot) {
          const [a, b, c] = [code[at + 2], code[at + 3], code[at + 4]]
          this.scalars[code[at + 1]] = this.elementwise(op - scalarBase, operand => this.scalar(operand), a, b, c)
        } else if (op < Op.tridiagonalize) this.reduce(op, at)
        else this.matrixOp(op, at)
      }
      this.masks = new Map()
      scalars[Slot.step] = tf.add(this.scalar(Slot.step), 1)
      return {
        vectors: vectors.map((v, slot) => (this.keptVectors.has(slot) ? v : undefined)),
        scalars: scalars.map((s, slot) => (this.keptScalars.has(slot) ? s : undefined)),
        matrices: matrices.map((m, slot) => (this.keptMatrices.has(slot) ? m : undefined))
      }
    })
  }

  /** Loss, gradient norm and the stall flag after a step, each [B]. */
  results(): { loss: Float32Array; gradientNorm: Float32Array; stalled: Float32Array } {
    const { outputs } = this.program
    const all = this.read([outputs.loss, outputs.gradientNorm, outputs.stalled])
    const B = this.lanes
    return { loss: all.subarray(0, B), gradientNorm: all.subarray(B, 2 * B), stalled: all.subarray(2 * B) }
  }

  /** Scalar slots in one readback: [slots, B]. */
  read(slots: readonly number[]): Float32Array {
    const { tf } = this.device
    if (slots.length === 0) return new Float32Array(0)
    const stacked = tf.tidy(() => tf.stack(slots.map(slot => this.broadcast(this.scalar(slot)))))
    const values = stacked.dataSync<'float32'>()
    stacked.dispose()
    return values
  }

  dispose(): void {
    for (const tensor of new Set([...this.vectors, ...this.scalars, ...this.matrices])) tensor?.dispose()
  }

  private broadcast(s: Tensor): Tensor {
    return s.rank === 1 ? s : this.device.tf.add(s, this.device.tf.zeros([this.lanes]))
  }

  private float(mask: Tensor): Tensor {
    const value = this.device.tf.cast(mask, 'float32')
    this.masks.set(value, mask)
    return value
  }
  private mask(value: Tensor): Tensor {
    return this.masks.get(value) ?? this.device.tf.notEqual(value, 0)
  }

  private elementwise(op: number, read: (operand: number) => Tensor, a: number, b: number, c: number): Tensor {
    const { tf, select } = this.device
    switch (op) {
      case Op.copy:
        return read(a)
      case Op.add:
        return tf.add(read(a), read(b))
      case Op.sub:
        return tf.sub(read(a), read(b))
      case Op.mul:
        return tf.mul(read(a), read(b))
      case Op.div:
        return tf.div(read(a), read(b))
      // Not tf.minimum and tf.maximum: what those do with a NaN depends on the device.
      case Op.min:
        return select(tf.less(read(a), read(b)), read(a), read(b))
      case Op.max:
        return select(tf.greater(read(a), read(b)), read(a), read(b))
      case Op.fma:
        return tf.add(tf.mul(read(a), read(b)), read(c))
      case Op.select:
        return select(this.mask(read(a)), read(b), read(c))
      case Op.abs:
        return tf.abs(read(a))
      case Op.neg:
        return tf.neg(read(a))
      case Op.sqrt:
        return tf.sqrt(read(a))
      case Op.less:
        return this.float(tf.less(read(a), read(b)))
      case Op.lessEqual:
        return this.float(tf.lessEqual(read(a), read(b)))
      case Op.finite:
        return this.float(tf.isFinite(read(a)))
      default:
        throw new Error(`unknown instruction ${op}`)
    }
  }

  private vectorOp(op: number, at: number): void {
    const { tf } = this.device
    const code = this.program.instructions
    const read = (operand: number): Tensor => {
      if (operand >= 0) return this.vector(operand)
      const s = this.scalar(-1 - operand)
      if (s.rank === 0) return s
      const column = tf.expandDims(s, 1)
      const mask = this.masks.get(s)
      if (mask) this.masks.set(column, tf.expandDims(mask, 1))
      return column
    }
    const value = this.elementwise(op, read, code[at + 2], code[at + 3], code[at + 4])
    const full = value.rank === 2 && value.shape[0] === this.lanes && value.shape[1] === this.parameters
    this.vectors[code[at + 1]] = full ? value : tf.add(value, tf.zeros([this.lanes, this.parameters]))
  }

  private reduce(op: number, at: number): void {
    const { tf, select } = this.device
    const code = this.program.instructions
    const a = this.vector(code[at + 2])
    const set = (value: Tensor): void => {
      this.scalars[code[at + 1]] = value
    }
    switch (op) {
      case Op.dot:
        set(tf.sum(tf.mul(a, this.vector(code[at + 3])), 1))
        return
      case Op.sum:
        set(tf.sum(a, 1))
        return
      case Op.maxAbs: {
        const nan = tf.isNaN(a)
        const largest = tf.max(tf.abs(a), 1)
        set(select(tf.any(nan, 1), tf.fill(largest.shape, NaN), largest))
        return
      }
      case Op.minimum:
        set(tf.min(select(tf.isNaN(a), tf.fill(a.shape, Infinity), a), 1))
        return
      default:
        throw new Error(`unknown instruction ${op}`)
    }
  }

  private matrixOp(op: number, at: number): void {
    const { tf, select } = this.device
    const code = this.program.instructions
    const [dst, a, b, c, d] = [code[at + 1], code[at + 2], code[at + 3], code[at + 4], code[at + 5]]
    switch (op) {
      // The factor is the matrix itself: no TF.js device has a tridiagonal form.
      case Op.tridiagonalize: {
        const next = scaled(this.device, this.matrix(a), this.vector(b))
        const old = this.matrices[dst]
        const mask = tf.reshape(this.mask(this.scalar(c)), [-1, 1, 1])
        this.matrices[dst] = old ? select(mask, next, old) : next
        return
      }
      case Op.trustRegion: {
        const { p, predicted } = trustRegion(
          this.device,
          this.matrix(a),
          this.vector(b),
          this.broadcast(this.scalar(c))
        )
        this.vectors[dst] = p
        this.scalars[d] = predicted
        return
      }
      case Op.eigh: {
        const { values, vectors } = eigh(this.device, scaled(this.device, this.matrix(a), this.vector(b)))
        this.vectors[dst] = values
        this.matrices[c] = vectors
        return
      }
      case Op.multiply:
      case Op.multiplyTransposed: {
        const v = tf.expandDims(this.vector(b), 2)
        this.vectors[dst] = tf.squeeze(tf.matMul(this.matrix(a), v, op === Op.multiplyTransposed), [2])
        return
      }
      default:
        throw new Error(`unknown instruction ${op}`)
    }
  }
}
