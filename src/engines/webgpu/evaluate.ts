/**
 * f, g and H of a problem for a batch of lanes on a GPU.
 *
 * The contract of the buffers, all f32, parameter-major with the lanes innermost, L lanes, a multiple of 64:
 *
 *     theta[p * L + lane]     read      one run's parameters in each lane; lanes without a run hold 0
 *     f[lane]                 written
 *     g[p * L + lane]         written   for needs g and H
 *     H[(p * P + q) * L + lane] written for needs H, both triangles
 *     rows[k * L + lane]      read      u32, k < batchSize: the lane's mini-batch by row numbers; a number of N or above is no
 *                                       row. The mean is over the weights of the lane's rows. Full batch without this buffer.
 *
 * `encode` records dispatches that read theta (and rows) and overwrite all of f, g and H. Every lane is computed alone, sums run in an
 * order that depends on the problem only, and so a lane's bits depend neither on L nor on its neighbours.
 */
import { InputError } from '../../core/errors.js'
import { layers, parameterCount, penalizedMask, validateProblem } from '../../models/network.js'
import { activations, losses, type Problem } from '../../models/types.js'
import type { Binding, Gpu } from './device.js'
import { kernelText, literal, type Values } from './text.js'

export type EvaluationNeeds = 'f' | 'g' | 'H'

export interface EvaluatorOptions {
  /** L, a multiple of 64. */
  readonly lanes: number
  readonly needs: EvaluationNeeds
  /** Where given, these are used (and not destroyed by `dispose`); theta must lie in another buffer than f, g and H. */
  readonly theta?: Binding
  readonly f?: Binding
  readonly g?: Binding
  readonly H?: Binding
  /** Evaluate mini-batches, of the rows that this buffer names. Not with needs H. */
  readonly rows?: { readonly binding: Binding; readonly batchSize: number }
}

/** Lanes of a workgroup: one each thread. */
export const laneMultiple = 64
/** Rows that one thread sums before another takes over; long sums are sums of these. */
const rowsOfChunk = 512
const mostChunks = 16
/** Bytes that WGSL grants a thread in private memory, and again as much in a function; less what is no array of units. */
const privateBytes = 8192 - 512
/** Gradients up to this length are summed in a thread's memory, longer ones in the sums' buffer. */
const mostHeld = 1024
/** Largest P of a Hessian. */
export const mostHessianParameters = 1024

/** Constants of the generic kernels (network.wgsl and what includes it). */
function shapeOf(problem: Problem, options: EvaluatorOptions, kernel: 'gradient' | 'hessian'): Values {
  const { network, rows } = problem
  const all = layers(network)
  const P = parameterCount(network)
  const C = network.outputs
  const hidden = all.slice(0, -1).reduce((sum, layer) => sum + layer.units, 0)
  const heldRows = Math.max(1, Math.min(8, Math.floor(512 / P)))
  // Numbers of each row of data in private memory, and in the function; then what does not grow with the rows of a pack.
  const [inPrivate, inFunction, fixed] =
    kernel === 'hessian'
      ? [3 * hidden + C, 4 * hidden + 3 * C, heldRows * P]
      : [2 * hidden + C, C, P <= mostHeld ? P : 0]
  const fits = (rowsOfPack: number): boolean =>
    4 * rowsOfPack * inPrivate <= privateBytes && 4 * (rowsOfPack * inFunction + fixed) <= privateBytes
  const rowsOfPack = fits(4) ? 4 : 1
  if (!fits(rowsOfPack))
    throw new InputError(
      `The ${kernel} of a network with ${hidden} hidden units and ${C} outputs does not fit the memory of a GPU's thread; use --engine cpu.`
    )
  const items = options.rows ? options.rows.batchSize : rows
  const packs = Math.ceil(items / rowsOfPack)
  const wanted = kernel === 'hessian' ? 1 : Math.min(mostChunks, Math.ceil(items / rowsOfChunk))
  const packsOfChunk = Math.ceil(packs / wanted)
  const before = (counts: readonly number[]): number[] =>
    counts.map((_, i) => counts.slice(0, i).reduce((sum, n) => sum + n, 0))
  const list = (numbers: readonly number[]): string => numbers.map(n => `${n}u`).join(', ')
  const blocksOfUnit = all.map(layer => Math.ceil(layer.stride / heldRows))
  const blocks = all.map((layer, l) => layer.units * blocksOfUnit[l])
  return {
    ...Object.fromEntries(activations.map(name => [`activation_${name}`, name === network.activation])),
    ...Object.fromEntries(losses.map(name => [`loss_${name}`, name === network.loss])),
    WIDE: rowsOfPack === 4,
    rowsOfPack,
    scalar: network.loss !== 'softmax',
    batch: options.rows !== undefined,
    gradient: options.needs !== 'f',
    hessian: kernel === 'hessian',
    held: P <= mostHeld,
    inputs: network.inputs,
    outputs: C,
    depth: all.length,
    bias: network.bias ? 1 : 0,
    hidden: Math.max(1, hidden),
    units: hidden + C,
    parameters: P,
    layerAt: list(all.map(l => l.at)),
    layerInputs: list(all.map(l => l.inputs)),
    layerUnits: list(all.map(l => l.units)),
    layerStride: list(all.map(l => l.stride)),
    unitAt: list(before(all.map(l => l.units))),
    items,
    dataRows: rows,
    packs,
    chunks: Math.ceil(packs / packsOfChunk),
    packsOfChunk,
    sumsOfChunk: options.needs === 'f' ? 1 : 1 + P,
    ridged: network.ridge > 0,
    ridge: literal(network.ridge),
    heldRows,
    sums: heldRows * P,
    blockAt: list(before(blocks)),
    blocksOfUnit: list(blocksOfUnit),
    blocks: blocks.reduce((sum, n) => sum + n, 0)
  }
}

/** Rows as the kernels read them: x [packs, D] and y, weight / total, offset [packs, 3], each of `wide` rows side by side. */
function packRows(problem: Problem, wide: number): { x: Float32Array<ArrayBuffer>; data: Float32Array<ArrayBuffer> } {
  const { rows, network, x, y, weight, offset } = problem
  const D = network.inputs
  const packs = Math.ceil(rows / wide)
  const packed = new Float32Array(packs * D * wide)
  const data = new Float32Array(packs * 3 * wide)
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  for (let n = 0; n < packs; n++)
    for (let i = 0; i < wide; i++) {
      // Beyond the end: a copy of the last row, without weight.
      const at = n * wide + i
      const row = Math.min(at, rows - 1)
      for (let d = 0; d < D; d++) packed[(n * D + d) * wide + i] = x[row * D + d]!
      data[n * 3 * wide + i] = y[row]!
      data[(n * 3 + 1) * wide + i] = at < rows ? (weight ? weight[row] : 1) / total : 0
      data[(n * 3 + 2) * wide + i] = offset ? offset[row] : 0
    }
  return { x: packed, data }
}

/** Rows as mini-batches gather them: x [N, D] and y, weight, offset [N, 3]. */
function plainRows(problem: Problem): { x: Float32Array<ArrayBuffer>; data: Float32Array<ArrayBuffer> } {
  const { rows, x, y, weight, offset } = problem
  const data = new Float32Array(rows * 3)
  for (let i = 0; i < rows; i++) data.set([y[i], weight ? weight[i] : 1, offset ? offset[i] : 0], i * 3)
  return { x: Float32Array.from(x), data }
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly y: number
}

export class Evaluator {
  readonly lanes: number
  readonly parameters: number
  private readonly dispatches: Dispatch[] = []
  private readonly owned: GPUBuffer[] = []

  private constructor(
    readonly gpu: Gpu,
    readonly problem: Problem,
    options: EvaluatorOptions,
    /** [P, L] */
    readonly theta: Binding,
    /** [L] */
    readonly f: Binding,
    /** [P, L], for needs g and H. */
    readonly g: Binding | undefined,
    /** [P, P, L], for needs H. */
    readonly H: Binding | undefined
  ) {
    this.lanes = options.lanes
    this.parameters = parameterCount(problem.network)
  }

  /** Bytes of device memory of each lane: θ, f, g, H, and the partial sums of f and g. */
  static bytesPerLane(problem: Problem, needs: EvaluationNeeds): number {
    const P = parameterCount(problem.network)
    const chunks = Math.min(mostChunks, Math.ceil(problem.rows / rowsOfChunk))
    const theta = P
    const f = 1
    const g = needs === 'f' ? 0 : P
    const H = needs === 'H' ? P * P : 0
    const sums = chunks * (1 + g)
    return 4 * (theta + f + g + H + sums)
  }

  /** Bytes of device memory that do not depend on the number of lanes: the rows of the data, at most three times. */
  static fixedBytes(problem: Problem): number {
    return 3 * 4 * (problem.rows + 3) * (problem.network.inputs + 3)
  }

  /**
   * Compiles the kernels and makes the buffers that `options` does not bring.
   * @throws InputError for shapes that no thread can hold; GpuMemoryError when the buffers do not fit
   */
  static async create(gpu: Gpu, problem: Problem, options: EvaluatorOptions): Promise<Evaluator> {
    validateProblem(problem)
    const { lanes, needs, rows } = options
    const P = parameterCount(problem.network)
    if (lanes % laneMultiple !== 0) throw new Error(`${lanes} lanes are no multiple of ${laneMultiple}`)
    if (needs === 'H' && rows) throw new Error('mini-batches have no Hessian')
    if (needs === 'H' && P > mostHessianParameters)
      throw new InputError(
        `The webgpu engine takes Hessians of up to ${mostHessianParameters} parameters and the model has ${P}; use lbfgs or --engine cpu.`
      )
    const shape = shapeOf(problem, options, 'gradient')
    const gradient = await gpu.pipeline(kernelText('gradient.wgsl', shape), 'gradient')
    const finish = await gpu.pipeline(kernelText('finish.wgsl', shape), 'finish')
    const hessianShape = needs === 'H' ? shapeOf(problem, options, 'hessian') : undefined
    const hessian = hessianShape && (await gpu.pipeline(kernelText('hessian.wgsl', hessianShape), 'hessian'))
    return gpu.guard(() => {
      const owned: GPUBuffer[] = []
      const make = (numbers: number, label: string): GPUBuffer => {
        const buffer = gpu.buffer(4 * numbers, label)
        owned.push(buffer)
        return buffer
      }
      const fill = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, label: string): GPUBuffer => {
        const buffer = gpu.upload(data, label)
        owned.push(buffer)
        return buffer
      }
      try {
        const theta = options.theta ?? make(P * lanes, 'theta')
        const f = options.f ?? make(lanes, 'f')
        const g = needs === 'f' ? undefined : (options.g ?? make(P * lanes, 'g'))
        const H = needs === 'H' ? (options.H ?? make(P * P * lanes, 'H')) : undefined
        const made = new Evaluator(gpu, problem, options, theta, f, g, H)
        made.owned.push(...owned)
        owned.length = 0
        const uploads = new Map<number, { x: GPUBuffer; data: GPUBuffer }>()
        const rowsFor = (wide: number): { x: GPUBuffer; data: GPUBuffer } => {
          let found = uploads.get(wide)
          if (!found) {
            const packed = rows ? plainRows(problem) : packRows(problem, wide)
            found = { x: fill(packed.x, 'x'), data: fill(packed.data, 'rows') }
            uploads.set(wide, found)
          }
          return found
        }
        const penalized =
          problem.network.ridge > 0 ? fill(Uint32Array.from(penalizedMask(problem.network)), 'penalized') : undefined
        const chunks = Number(shape['chunks'])
        const sums = make(chunks * Number(shape['sumsOfChunk']) * lanes, 'sums')
        const data = rowsFor(Number(shape['rowsOfPack']))
        made.add(gradient, [data.x, data.data, theta, sums, rows?.binding], chunks)
        made.add(finish, [theta, sums, f, penalized, g], g ? 1 + P : 1)
        if (hessian && hessianShape && H) {
          const own = rowsFor(Number(hessianShape['rowsOfPack']))
          made.add(hessian, [own.x, own.data, theta, H, penalized], Number(hessianShape['blocks']))
        }
        made.owned.push(...owned)
        return made
      } catch (error) {
        for (const buffer of owned) buffer.destroy()
        throw error
      }
    })
  }

  private add(pipeline: GPUComputePipeline, bindings: readonly (Binding | undefined)[], y: number): void {
    this.dispatches.push({ pipeline, group: this.gpu.bind(pipeline, bindings), y })
  }

  /** Records the dispatches of one evaluation of all lanes. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { pipeline, group, y } of this.dispatches) {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(this.lanes / laneMultiple, y)
    }
  }

  dispose(): void {
    for (const buffer of this.owned) buffer.destroy()
  }
}
