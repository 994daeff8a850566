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
import { InputError } from '../../../core/errors.js'
import { parameterCount, penaltyOf } from '../../../models/model.js'
import { validateProblem } from '../../../models/validate.js'
import type { Problem } from '../../../models/types.js'
import type { Binding, Gpu } from './device.js'
import { planFormula, planFormulaHessian } from './formulaPlan.js'
import { chunksOf, planGradient, type GradientPlan, type GradientRequest, type Tuning } from './gradientPlan.js'
import { planHessian, type HessianPlan } from './hessianPlan.js'
import { columnsOf, packRows, plainRows, targetsOf } from './rowData.js'
import type { Values } from './text.js'

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
  /** [N, L] of the rows for each lane, where lanes have weights of their own: they sum to 1, and those of the problem do not count. */
  readonly shares?: Binding
  /** For measurements: how the gradient's kernel is laid out. */
  readonly tuning?: Tuning
}

/** Lanes of a workgroup: one each thread. */
export const laneMultiple = 64
/** Largest P of a Hessian. */
export const mostHessianParameters = 1024
export const hessianTooLarge = (parameters: number): string =>
  `The webgpu engine takes Hessians of up to ${mostHessianParameters} parameters and the model has ${parameters}; use lbfgs or --engine cpu.`

/** @throws InputError for more parameters than Hessians may have */
export function checkHessian(parameters: number): void {
  if (parameters > mostHessianParameters) throw new InputError(hessianTooLarge(parameters))
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  /** Workgroups for each 64 lanes, and in the other direction. */
  readonly z: number
  readonly y: number
}

interface Plans {
  /** f, and g where it is wanted. */
  readonly plan: GradientPlan
  /** H of a network. */
  readonly second?: HessianPlan
  /** Constants of the kernels of H of a formula. */
  readonly entries: readonly Values[]
}

/** What is computed for a model of either kind. */
function plansOf(problem: Problem, how: Omit<GradientRequest, 'problem'>, H: boolean, tuning?: Tuning): Plans {
  const { model } = problem
  if (model.kind === 'expression') {
    const own = { ...problem, model }
    return { plan: planFormula({ ...how, problem: own }), entries: H ? planFormulaHessian(own) : [] }
  }
  const own = { ...problem, model }
  const plan = planGradient({ ...how, problem: own }, tuning)
  return { plan, ...(H ? { second: planHessian(own) } : {}), entries: [] }
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
    this.parameters = parameterCount(problem.model)
  }

  /** Bytes of device memory of each lane: θ, f, g, H, and at most so many for the partial sums of f and g. */
  static laneBytes(
    problem: Problem,
    needs: EvaluationNeeds
  ): Readonly<Record<'theta' | 'f' | 'g' | 'H' | 'sums', number>> {
    const P = parameterCount(problem.model)
    const chunks = chunksOf(problem.rows)
    const g = needs === 'f' ? 0 : P
    const H = needs === 'H' ? P * P : 0
    const sums = chunks > 1 || problem.penalty ? chunks * (1 + g) : 0
    return { theta: 4 * P, f: 4, g: 4 * g, H: 4 * H, sums: 4 * sums }
  }

  /** Bytes of device memory that do not depend on the number of lanes: the rows of the data, padded, at most three times. */
  static fixedBytes(problem: Problem): number {
    return 3 * 4 * ((problem.rows + 16) * (columnsOf(problem.model) + targetsOf(problem.model) + 2) + 8192)
  }

  /**
   * Compiles the kernels and makes the buffers that `options` does not bring.
   * @throws InputError for shapes that no thread can hold; GpuMemoryError when the buffers do not fit
   */
  static async create(gpu: Gpu, problem: Problem, options: EvaluatorOptions): Promise<Evaluator> {
    validateProblem(problem)
    const { lanes, needs, rows } = options
    const P = parameterCount(problem.model)
    if (lanes % laneMultiple !== 0) throw new Error(`${lanes} lanes are no multiple of ${laneMultiple}`)
    if (needs === 'H' && rows) throw new Error('mini-batches have no Hessian')
    if (needs === 'H') checkHessian(P)
    const request = { gradient: needs !== 'f', batchSize: rows?.batchSize }
    const { plan, second, entries } = plansOf(problem, request, needs === 'H', options.tuning)
    const own = options.shares !== undefined
    const dataRows = problem.rows
    const gradient = await gpu.kernel(plan.file, { ...plan.values, own, sharesAt: 6 })
    const finish = plan.finishes ? await gpu.kernel('finish.wgsl', plan.values) : undefined
    const hessian = second && (await gpu.kernel('hessian.wgsl', { ...second.values, own, sharesAt: 8, dataRows }))
    const formulas: GPUComputePipeline[] = []
    for (const values of entries)
      formulas.push(await gpu.kernel('formula.wgsl', { ...values, own, sharesAt: 6, dataRows }))
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
        const data = rows
          ? plainRows(problem, plan.overread)
          : packRows(problem, plan.width, plan.rowMultiple, plan.overread)
        const x = fill(data.x, 'x')
        const rowData = fill(data.data, 'rows')
        const bound = [x, rowData, theta, rows?.binding]
        const ridges = penaltyOf(problem)
        const penalty =
          ridges.some(v => v > 0) && (finish || hessian) ? fill(Float32Array.from(ridges), 'penalty') : undefined
        const z = laneMultiple / plan.runs
        if (finish) {
          const sums = make(plan.chunks * (g ? 1 + P : 1) * lanes, 'sums')
          made.add(gradient, [...bound, sums, undefined, options.shares], plan.chunks, z)
          made.add(finish, [theta, sums, f, penalty, g], g ? 1 + P : 1)
        } else made.add(gradient, [...bound, f, g, options.shares], 1, z)
        if (hessian && second && H) {
          const own = packRows(problem, second.width, second.rowMultiple, 0)
          const tables = [
            fill(second.blockTable, 'blocks'),
            fill(second.tileTable, 'tiles'),
            fill(second.pairTable, 'pairs')
          ]
          const bindings = [fill(own.x, 'x'), fill(own.data, 'rows'), theta, H, ...tables, penalty, options.shares]
          made.add(hessian, bindings, second.blocks, laneMultiple / second.runs)
        }
        for (const pipeline of formulas)
          made.add(pipeline, [x, rowData, theta, H, undefined, undefined, options.shares], 1)
        made.owned.push(...owned)
        return made
      } catch (error) {
        for (const buffer of owned) buffer.destroy()
        throw error
      }
    })
  }

  private add(pipeline: GPUComputePipeline, bindings: readonly (Binding | undefined)[], y: number, z = 1): void {
    this.dispatches.push({ pipeline, group: this.gpu.bind(pipeline, bindings), y, z })
  }

  /** Records the dispatches of one evaluation of all lanes. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { pipeline, group, y, z } of this.dispatches) {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(this.lanes / laneMultiple, y, z)
    }
  }

  dispose(): void {
    for (const buffer of this.owned) buffer.destroy()
  }
}
