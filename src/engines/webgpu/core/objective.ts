/** A problem on a GPU, in the process that holds it: evaluation and scores in chunks of runs that fit, and runs. */
import { InputError } from '../../../core/errors.js'
import { layers } from '../../../models/network/network.js'
import { parameterCount } from '../../../models/model.js'
import { validateProblem } from '../../../models/validate.js'
import { classCells, scoreRun, scoresOf } from '../../../models/scores.js'
import { activations, type Problem } from '../../../models/types.js'
import type { PlainRequest } from '../../process/protocol.js'
import type { Evaluation, Needs, RunBlock, Scores } from '../../types.js'
import { GpuMemoryError, type Gpu } from './device.js'
import { Evaluator, laneMultiple, type EvaluationNeeds } from './evaluate.js'
import { predictFormula } from './formulaPlan.js'
import { tableOf } from './rowData.js'
import { minimise, type RunLimits } from './run.js'
import type { Supply } from './supply.js'

/** Bytes that the results of one chunk may take, about. */
const chunkBytes = 64 * 2 ** 20
const mostRuns = 16384
/** Numbers of f32 that a layer may have in a thread's memory, twice. */
const mostUnits = 960
const mostGroups = 65535

/** [R, width] of R lanes in [width][lanes]. */
function rowsOf(data: ArrayBuffer, lanes: number, runs: number, width: number, out: Float64Array, first: number): void {
  const values = new Float32Array(data)
  for (let r = 0; r < runs; r++) for (let i = 0; i < width; i++) out[(first + r) * width + i] = values[i * lanes + r]!
}

export class LocalObjective {
  readonly parameters: number

  constructor(
    readonly gpu: Gpu,
    readonly problem: Problem
  ) {
    validateProblem(problem)
    this.parameters = parameterCount(problem.model)
  }

  private count(theta: Float64Array): number {
    const R = theta.length / this.parameters
    if (!Number.isInteger(R))
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
    return R
  }

  /** θ of some runs as the kernels read it. */
  pack(theta: Float64Array, first: number, runs: number, lanes: number): Float32Array<ArrayBuffer> {
    const P = this.parameters
    const packed = new Float32Array(lanes * P)
    for (let r = 0; r < runs; r++) for (let p = 0; p < P; p++) packed[p * lanes + r] = theta[(first + r) * P + p]!
    return packed
  }

  /**
   * Calls `work` with chunks of runs, smaller ones where memory does not suffice.
   * @param numbers of 4 bytes that a run's results take
   */
  private async chunks(
    runs: number,
    numbers: number,
    work: (first: number, runs: number, lanes: number) => Promise<void>
  ): Promise<void> {
    const fitting = Math.min(mostRuns, Math.floor(chunkBytes / (4 * numbers)), Math.max(laneMultiple, runs))
    let size = Math.max(1, Math.ceil(fitting / laneMultiple)) * laneMultiple
    for (let first = 0; first < runs;) {
      const some = Math.min(size, runs - first)
      try {
        await work(first, some, Math.ceil(some / laneMultiple) * laneMultiple)
        first += some
      } catch (error) {
        if (!(error instanceof GpuMemoryError) || size <= laneMultiple) throw error
        size = Math.max(1, Math.floor(size / 2 / laneMultiple)) * laneMultiple
      }
    }
  }

  async evaluate(theta: Float64Array, needs: Needs): Promise<Evaluation> {
    const { gpu, parameters: P } = this
    const R = this.count(theta)
    const f = new Float64Array(R)
    const g = needs.g ? new Float64Array(R * P) : undefined
    const H = needs.H ? new Float64Array(R * P * P) : undefined
    const all: EvaluationNeeds = needs.H ? 'H' : needs.g ? 'g' : 'f'
    const { g: gradient, H: hessian, sums } = Evaluator.laneBytes(this.problem, all)
    await this.chunks(R, Math.max(gradient, hessian, sums, 4) / 4, async (first, runs, lanes) => {
      const evaluator = await Evaluator.create(gpu, this.problem, { lanes, needs: all })
      try {
        gpu.write(evaluator.theta as GPUBuffer, this.pack(theta, first, runs, lanes))
        gpu.submit(encoder => {
          const pass = encoder.beginComputePass()
          evaluator.encode(pass)
          pass.end()
        })
        const read = async (buffer: unknown, width: number, out: Float64Array): Promise<void> =>
          rowsOf(await gpu.read(buffer as GPUBuffer, 4 * lanes * width), lanes, runs, width, out, first)
        await read(evaluator.f, 1, f)
        if (g) await read(evaluator.g, P, g)
        if (H) await read(evaluator.H, P * P, H)
      } finally {
        evaluator.dispose()
      }
    })
    return { f, ...(g ? { g } : {}), ...(H ? { H } : {}) }
  }

  /** The kernel of the outputs z on the rows of a problem. */
  private predictor({ model, rows }: Problem): Promise<GPUComputePipeline> {
    const { gpu } = this
    if (model.kind === 'expression') return gpu.kernel('formula_predict.wgsl', predictFormula(model, rows))
    const all = layers(model)
    const widest = Math.max(model.inputs, ...all.map(layer => layer.units))
    if (widest > mostUnits)
      throw new InputError(
        `The scores of a network with ${widest} units side by side do not fit the memory of a GPU's thread; use --engine cpu.`
      )
    const list = (numbers: readonly number[]): string => numbers.map(n => `${n}u`).join(', ')
    return gpu.kernel('predict.wgsl', {
      ...Object.fromEntries(activations.map(name => [`activation_${name}`, name === model.activation])),
      WIDE: false,
      rows,
      inputs: model.inputs,
      outputs: model.outputs,
      depth: all.length,
      bias: model.bias ? 1 : 0,
      layerAt: list(all.map(l => l.at)),
      layerInputs: list(all.map(l => l.inputs)),
      layerUnits: list(all.map(l => l.units)),
      widest
    })
  }

  /** z on the GPU, the rest on the host: ranks and counts are no work for it. */
  async score(theta: Float64Array, data?: Problem): Promise<Scores> {
    const { gpu } = this
    const problem = data ?? this.problem
    const { model, rows, offset } = problem
    const C = model.outputs
    const R = this.count(theta)
    const columns = scoresOf(model).length
    if (columns === 0) return { values: new Float64Array(0), classCounts: new Float64Array(0) }
    const pipeline = await this.predictor(problem)
    const values = new Float64Array(R * columns)
    const classCounts = new Float64Array(classCells(model, rows))
    const z = new Float64Array(rows * C)
    await this.chunks(R, rows * C, async (first, runs, lanes) => {
      const owned = await gpu.guard(() => [
        gpu.upload(Float32Array.from(tableOf(problem)), 'x'),
        gpu.upload(this.pack(theta, first, runs, lanes), 'theta'),
        gpu.buffer(4 * rows * C * lanes, 'z')
      ])
      try {
        const group = gpu.bind(pipeline, owned)
        gpu.submit(encoder => {
          const pass = encoder.beginComputePass()
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, group)
          pass.dispatchWorkgroups(lanes / laneMultiple, Math.min(rows, mostGroups))
          pass.end()
        })
        const outputs = new Float32Array(await gpu.read(owned[2], 4 * rows * C * lanes))
        for (let r = 0; r < runs; r++) {
          for (let i = 0; i < rows * C; i++) z[i] = outputs[i * lanes + r] + (offset ? offset[Math.floor(i / C)] : 0)
          scoreRun(model, problem, z, values.subarray((first + r) * columns, (first + r + 1) * columns), classCounts)
        }
      } finally {
        for (const buffer of owned) buffer.destroy()
      }
    })
    return { values, classCounts }
  }

  minimise(request: PlainRequest, supply: Supply, limits: RunLimits): AsyncGenerator<RunBlock> {
    return minimise(this.gpu, this.problem, request, supply, limits)
  }
}
