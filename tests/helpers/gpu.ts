// Evaluations through the webgpu engine's Evaluator, without the engine around it.
import type { Gpu } from '../../src/engines/webgpu/core/device.js'
import { Evaluator, type EvaluationNeeds, type EvaluatorOptions } from '../../src/engines/webgpu/core/evaluate.js'
import { parameterCount } from '../../src/models/model.js'
import type { Problem } from '../../src/models/types.js'

export interface GpuEvaluation {
  readonly f: Float64Array
  /** [R, P] */
  readonly g?: Float64Array
  /** [R, P, P] */
  readonly H?: Float64Array
}

export interface GpuRequest extends Pick<EvaluatorOptions, 'tuning'> {
  readonly needs: EvaluationNeeds
  /** L; the points take the first lanes, unless `at` says which. */
  readonly lanes?: number
  readonly at?: (r: number) => number
  /** [R][at most batchSize]: rows of each point's mini-batch. */
  readonly batches?: { readonly size: number; readonly rows: readonly Uint32Array[] }
}

/** f, g and H at the points theta [R, P]; every other lane holds large numbers. */
export async function evaluateOn(
  gpu: Gpu,
  problem: Problem,
  theta: Float64Array,
  request: GpuRequest
): Promise<GpuEvaluation> {
  const P = parameterCount(problem.model)
  const count = theta.length / P
  const { needs, lanes = 64 * Math.ceil(count / 64), at = (r: number) => r, batches } = request
  const packed = new Float32Array(P * lanes).fill(3)
  for (let r = 0; r < count; r++) for (let p = 0; p < P; p++) packed[p * lanes + at(r)] = theta[r * P + p]!
  let rows: EvaluatorOptions['rows']
  if (batches) {
    const numbers = new Uint32Array(batches.size * lanes).fill(0xffffffff)
    batches.rows.forEach((own, r) => own.forEach((row, k) => (numbers[k * lanes + at(r)] = row)))
    rows = { binding: gpu.upload(numbers, 'batch'), batchSize: batches.size }
  }
  const evaluator = await Evaluator.create(gpu, problem, {
    lanes,
    needs,
    ...(rows ? { rows } : {}),
    ...(request.tuning ? { tuning: request.tuning } : {})
  })
  try {
    gpu.write(evaluator.theta as GPUBuffer, packed)
    await gpu.guard(() =>
      gpu.submit(encoder => {
        const pass = encoder.beginComputePass()
        evaluator.encode(pass)
        pass.end()
      })
    )
    /** Numbers of `width` for each lane, as [R, width]. */
    const read = async (buffer: unknown, width: number): Promise<Float64Array> => {
      const all = new Float32Array(await gpu.read(buffer as GPUBuffer, 4 * lanes * width))
      return Float64Array.from(
        { length: count * width },
        (_, i) => all[(i % width) * lanes + at(Math.floor(i / width))]
      )
    }
    return {
      f: await read(evaluator.f, 1),
      ...(evaluator.g ? { g: await read(evaluator.g, P) } : {}),
      ...(evaluator.H ? { H: await read(evaluator.H, P * P) } : {})
    }
  } finally {
    evaluator.dispose()
    if (rows) (rows.binding as GPUBuffer).destroy()
  }
}
