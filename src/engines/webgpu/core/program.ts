/** An update program on a GPU: its kernels, compiled once, and the buffers that they work on, for any number of lanes. */
import { radiusTolerance } from '../../../core/linalg.js'
import { Op, Slot, type Program } from '../../../language/program.js'
import type { Binding, Gpu } from './device.js'
import { literal, type Values } from './text.js'
import {
  elementAt,
  instructionsOf,
  isMatrixOp,
  partsOf,
  splitOf,
  vectorRow,
  vectorRows,
  type Instruction
} from './update.js'

/** Rows of the lanes' state (kernels/webgpu/lanes.wgsl). */
export const stateRows = 8

/** What a kernel is given and how many workgroups it takes. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly x: number
  readonly y: number
}

export function encode(pass: GPUComputePassEncoder, { pipeline, group, x, y }: Dispatch): void {
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(x, y)
}

/** Buffers of a batch, lanes innermost. */
export interface ProgramBuffers {
  readonly lanes: number
  /** u32 [stateRows][lanes] */
  readonly state: GPUBuffer
  /** [P][lanes] */
  readonly x: GPUBuffer
  /** [vectorRows][P][lanes], g first. */
  readonly vectors: GPUBuffer
  /** [scalars][lanes], f first. */
  readonly scalars: GPUBuffer
  /** [P] */
  readonly scale: GPUBuffer
  /** Of matrix slots, H first: [P][P][lanes], or factors [P + 3][P][lanes]. */
  readonly matrices: readonly (Binding | undefined)[]
  /** [workRows][P][lanes] and what eigen-decompositions need, where the program has such operations. */
  readonly work: GPUBuffer | undefined
  readonly factor: GPUBuffer | undefined
  readonly eigenvectors: GPUBuffer | undefined
  readonly copies: GPUBuffer | undefined
}

interface Kernel {
  readonly pipeline: GPUComputePipeline
  readonly bindings: (buffers: ProgramBuffers) => (Binding | undefined)[]
  /** Lanes of a workgroup, and workgroups side by side. */
  readonly width: number
  readonly y: number
}

/** Eigenvectors' rows that a thread holds, and threads of a lane. */
function slicesOf(parameters: number): { held: number; slices: number } {
  const held = Math.max(4, Math.ceil(parameters / 16))
  return { held, slices: Math.ceil(parameters / held) }
}

/** Numbers of each lane, by what they are for. */
export interface ProgramSizes {
  readonly vectors: number
  readonly scalars: number
  /** By slot; 0 for H, which the evaluation has. */
  readonly matrices: readonly number[]
  readonly work: number
  readonly factor: number
  readonly eigenvectors: number
  readonly copies: number
}

export function sizesOf(program: Program, parameters: number): ProgramSizes {
  const P = parameters
  const operations = instructionsOf(program).filter(i => isMatrixOp(i.op))
  const has = (op: number): boolean => operations.some(i => i.op === op)
  const factors = new Set(operations.filter(i => i.op === Op.tridiagonalize).map(i => i.dst))
  const matrices = Array.from({ length: program.matrices }, (_, slot) =>
    slot === Slot.H ? 0 : factors.has(slot) ? (P + 3) * P : P * P
  )
  return {
    vectors: vectorRows(program) * P,
    scalars: program.scalars,
    matrices,
    work: has(Op.trustRegion) ? 6 * P : has(Op.tridiagonalize) || has(Op.eigh) ? P : 0,
    factor: has(Op.eigh) ? (P + 3) * P : 0,
    eigenvectors: has(Op.eigh) ? P * P : 0,
    copies: has(Op.eigh) ? slicesOf(P).slices * 2 * P : 0
  }
}

const needed = (binding: Binding | undefined): Binding => {
  if (!binding) throw new Error('a matrix operation has no matrix')
  return binding
}

async function matrixKernels(gpu: Gpu, { op, dst, operands }: Instruction, parameters: number): Promise<Kernel[]> {
  const [a, b, c, d] = operands
  const { split, width } = splitOf(parameters)
  const shape = { parameters }
  const shared = { ...shape, width, split, isSplit: split > 1 }
  const compile = (file: string, values: Values): Promise<GPUComputePipeline> => gpu.kernel(file, values)
  const vector = (slot: number, buffers: ProgramBuffers): GPUBuffer => buffers[elementAt(slot, 'size').buffer]
  const place = (slot: number, p = 'p'): string => elementAt(slot, 'size', p).index
  switch (op) {
    case Op.tridiagonalize:
    case Op.eigh: {
      const masked = op === Op.tridiagonalize
      const reduce: Kernel = {
        pipeline: await compile('tridiagonalize.wgsl', { ...shared, operandAt: place(b), masked, mask: c }),
        bindings: buffers => [
          buffers.state,
          needed(buffers.matrices[a]),
          masked ? needed(buffers.matrices[dst]) : buffers.factor,
          buffers.work,
          vector(b, buffers),
          masked ? buffers.scalars : undefined
        ],
        width,
        y: 1
      }
      if (masked) return [reduce]
      const { held, slices } = slicesOf(parameters)
      return [
        reduce,
        {
          pipeline: await compile('eigh.wgsl', { ...shape, held }),
          bindings: ({ state, factor, eigenvectors, copies }) => [state, factor, eigenvectors, copies],
          width: 64,
          y: slices
        },
        {
          pipeline: await compile('ascending.wgsl', { ...shape, operandAt: place(dst) }),
          bindings: buffers => [
            buffers.state,
            buffers.eigenvectors,
            buffers.copies,
            vector(dst, buffers),
            needed(buffers.matrices[c])
          ],
          width: 64,
          y: parameters
        }
      ]
    }
    case Op.trustRegion: {
      const reflect = async (slot: number, transposed: boolean): Promise<Kernel> => ({
        pipeline: await compile('reflect.wgsl', { ...shared, operandAt: place(slot), transposed }),
        bindings: buffers => [buffers.state, needed(buffers.matrices[a]), buffers.work, vector(slot, buffers)],
        width,
        y: 1
      })
      const tolerance = literal(radiusTolerance)
      return [
        await reflect(b, true),
        {
          pipeline: await compile('region.wgsl', { ...shape, radiusTolerance: tolerance, radius: c, predicted: d }),
          bindings: buffers => [buffers.state, needed(buffers.matrices[a]), buffers.work, buffers.scalars],
          width: 64,
          y: 1
        },
        await reflect(dst, false)
      ]
    }
    case Op.multiply:
    case Op.multiplyTransposed: {
      const apart = elementAt(b, 'size').buffer !== 'vectors'
      if (elementAt(dst, 'size').buffer !== 'vectors') throw new Error('a product goes to x or to the scale')
      const transposed = op === Op.multiplyTransposed
      const places = { operandAt: place(b), productAt: place(dst) }
      return [
        {
          pipeline: await compile('multiply.wgsl', { ...shape, ...places, apart, transposed }),
          bindings: buffers => [
            buffers.state,
            needed(buffers.matrices[a]),
            buffers.vectors,
            apart ? vector(b, buffers) : undefined
          ],
          width: 64,
          y: parameters
        }
      ]
    }
    default:
      throw new Error(`unknown instruction ${op}`)
  }
}

/** The kernels of a program for vectors of P numbers. */
export class CompiledProgram {
  private constructor(
    private readonly gpu: Gpu,
    readonly program: Program,
    readonly parameters: number,
    readonly sizes: ProgramSizes,
    private readonly kernels: readonly Kernel[]
  ) {}

  static async compile(gpu: Gpu, program: Program, parameters: number): Promise<CompiledProgram> {
    const kernels: Kernel[] = []
    for (const part of partsOf(program, parameters)) {
      if (part.kind === 'matrix') {
        kernels.push(...(await matrixKernels(gpu, part.instruction, parameters)))
        continue
      }
      const { usesScalars, usesVectors, usesX, usesScale, width } = part.values
      kernels.push({
        pipeline: await gpu.kernel('update.wgsl', part.values, `update of ${program.name}`),
        bindings: ({ state, scalars, vectors, x, scale }) => [
          state,
          usesScalars ? scalars : undefined,
          usesVectors ? vectors : undefined,
          usesX ? x : undefined,
          usesScale ? scale : undefined
        ],
        width: Number(width),
        y: 1
      })
    }
    return new CompiledProgram(gpu, program, parameters, sizesOf(program, parameters), kernels)
  }

  /** The commands of one update of all lanes that hold a run. */
  bind(buffers: ProgramBuffers): Dispatch[] {
    return this.kernels.map(kernel => ({
      pipeline: kernel.pipeline,
      group: this.gpu.bind(kernel.pipeline, kernel.bindings(buffers)),
      x: buffers.lanes / kernel.width,
      y: kernel.y
    }))
  }

  /** A vector slot as the evaluation can be bound to it. */
  vector(slot: number, { lanes, x, vectors }: ProgramBuffers): Binding {
    if (slot === Slot.x) return x
    const bytes = 4 * this.parameters * lanes
    return { buffer: vectors, offset: vectorRow(slot) * bytes, size: bytes }
  }
}
