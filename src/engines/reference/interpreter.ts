/** Executes an update program for one run with plain loops: the meaning of every instruction, one statement each. */
import { symmetricEigen, tridiagonalize, trustRegionStep, type Tridiagonal } from '../../core/linalg.js'
import { Op, Slot, instructionWidth, scalarBase, type Program } from '../../language/program.js'

function elementary(op: number, a: number, b: number, c: number): number {
  switch (op) {
    case Op.copy:
      return a
    case Op.add:
      return a + b
    case Op.sub:
      return a - b
    case Op.mul:
      return a * b
    case Op.div:
      return a / b
    case Op.min:
      return a < b ? a : b
    case Op.max:
      return a > b ? a : b
    case Op.fma:
      return a * b + c
    case Op.select:
      return a !== 0 ? b : c
    case Op.abs:
      return Math.abs(a)
    case Op.neg:
      return -a
    case Op.sqrt:
      return Math.sqrt(a)
    case Op.less:
      return a < b ? 1 : 0
    case Op.lessEqual:
      return a <= b ? 1 : 0
    case Op.finite:
      return Number.isFinite(a) ? 1 : 0
    default:
      throw new Error(`unknown instruction ${op}`)
  }
}

/** The slots of one run. */
export class Interpreter {
  readonly vectors: Float64Array[]
  readonly scalars: Float64Array
  readonly matrices: Float64Array[]
  private readonly factors: (Tridiagonal | undefined)[]
  private readonly temporary: Float64Array

  constructor(
    readonly program: Program,
    readonly parameters: number,
    scale: Float64Array
  ) {
    const P = parameters
    this.vectors = Array.from({ length: program.vectors }, () => new Float64Array(P))
    this.scalars = new Float64Array(program.scalars)
    this.matrices = Array.from({ length: program.matrices }, () => new Float64Array(P * P))
    this.factors = new Array<Tridiagonal | undefined>(program.matrices).fill(undefined)
    this.temporary = new Float64Array(P)
    this.vectors[Slot.scale].set(scale)
    for (const { slot, value } of program.constants) this.scalars[slot] = value
  }

  /** A run enters: states take their initial values, x = θ0. */
  reset(start: Float64Array): void {
    for (const { slot, value } of this.program.initialVectors) this.vectors[slot].fill(value)
    for (const { slot, value } of this.program.initialScalars) this.scalars[slot] = value
    this.vectors[Slot.x].set(start)
    this.scalars[Slot.step] = 0
  }

  /** All instructions once; f, g, H and the step number are in their slots. */
  run(): void {
    const code = this.program.instructions
    for (let at = 0; at < code.length; at += instructionWidth) {
      const op = code[at]
      if (op < scalarBase) this.vectorOp(op, at)
      else if (op < Op.dot)
        this.scalars[code[at + 1]] = elementary(
          op - scalarBase,
          this.scalars[code[at + 2]],
          this.scalars[code[at + 3]],
          this.scalars[code[at + 4]]
        )
      else if (op < Op.tridiagonalize) this.reduce(op, at)
      else this.matrixOp(op, at)
    }
  }

  private vectorOp(op: number, at: number): void {
    const code = this.program.instructions
    const dst = this.vectors[code[at + 1]]
    const read = (place: number): ((p: number) => number) => {
      const operand = code[place]
      if (operand < 0) {
        const value = this.scalars[-1 - operand]
        return () => value
      }
      const v = this.vectors[operand]
      return p => v[p]
    }
    const [a, b, c] = [read(at + 2), read(at + 3), read(at + 4)]
    for (let p = 0; p < this.parameters; p++) dst[p] = elementary(op, a(p), b(p), c(p))
  }

  private reduce(op: number, at: number): void {
    const code = this.program.instructions
    const a = this.vectors[code[at + 2]]
    const b = this.vectors[code[at + 3]]
    let value = op === Op.minimum ? Infinity : 0
    for (let p = 0; p < this.parameters; p++) {
      if (op === Op.dot) value += a[p] * b[p]
      else if (op === Op.sum) value += a[p]
      else if (op === Op.minimum) value = a[p] < value ? a[p] : value
      else value = Math.max(value, Math.abs(a[p]))
    }
    this.scalars[code[at + 1]] = value
  }

  private matrixOp(op: number, at: number): void {
    const P = this.parameters
    const code = this.program.instructions
    const [dst, a, b, c, d] = [code[at + 1], code[at + 2], code[at + 3], code[at + 4], code[at + 5]]
    switch (op) {
      case Op.tridiagonalize:
        if (this.scalars[c] !== 0) this.factors[dst] = tridiagonalize(this.matrices[a], P, this.vectors[b])
        return
      case Op.trustRegion: {
        const factor = this.factors[a]
        // A run that has met no finite Hessian yet has no model to minimise; its rule takes another step.
        if (!factor) {
          this.vectors[dst].fill(0)
          this.scalars[d] = 0
          return
        }
        const { p, predicted } = trustRegionStep(factor, this.vectors[b], this.scalars[c])
        this.vectors[dst].set(p)
        this.scalars[d] = predicted
        return
      }
      case Op.eigh: {
        const { values, vectors } = symmetricEigen(this.matrices[a], P, this.vectors[b])
        this.vectors[dst].set(values)
        this.matrices[c].set(vectors)
        return
      }
      case Op.multiply:
      case Op.multiplyTransposed: {
        const A = this.matrices[a]
        const v = this.vectors[b]
        const out = this.temporary.fill(0)
        for (let i = 0; i < P; i++)
          for (let j = 0; j < P; j++) {
            if (op === Op.multiply) out[i] += A[i * P + j] * v[j]
            else out[j] += A[i * P + j] * v[i]
          }
        this.vectors[dst].set(out)
        return
      }
      default:
        throw new Error(`unknown instruction ${op}`)
    }
  }
}
