/** What all batches of one run request share: compiled kernels, and the sizes of what a lane needs, term by term. */
import { InputError } from '../../../core/errors.js'
import { Stream } from '../../../core/rng.js'
import { Status } from '../../../core/status.js'
import { formatBytes } from '../../../core/units.js'
import { initScales } from '../../../models/network/initialise.js'
import { parameterCount } from '../../../models/model.js'
import type { Problem } from '../../../models/types.js'
import { Slot } from '../../../language/program.js'
import type { PlainRequest } from '../../process/protocol.js'
import type { Gpu } from './device.js'
import { Evaluator, checkHessian, laneMultiple, type EvaluationNeeds } from './evaluate.js'
import { OwnPlan } from './ownPlan.js'
import { CompiledProgram, stateRows } from './program.js'
import { quantileValues } from './quantile.js'
import { literal, seedValues, type Values } from './text.js'
import { elementAt } from './update.js'

/** Numbers of a result before its report: entry, status, steps, loss, gradient norm. */
export const resultHead = 5

/** The bits of the largest f32 that is at most `value`, which is not negative. */
export function bitsBelow(value: number): number {
  const nearest = Math.fround(value)
  const bits = new Uint32Array(Float32Array.of(nearest).buffer)[0]
  return nearest > value ? bits - 1 : bits
}

/** Places in the order of mini-batches. */
export interface BatchRule {
  readonly size: number
  readonly perEpoch: number
}

export class Plan {
  readonly parameters: number
  /** Numbers of a result. */
  readonly width: number
  readonly needs: EvaluationNeeds
  readonly rule: BatchRule | undefined

  private constructor(
    readonly gpu: Gpu,
    readonly problem: Problem,
    readonly request: PlainRequest,
    readonly program: CompiledProgram,
    readonly starts: GPUComputePipeline,
    readonly turn: GPUComputePipeline,
    readonly exchange: GPUComputePipeline,
    /** Whether it touches vectors other than x. */
    readonly exchangesVectors: boolean,
    readonly order: GPUComputePipeline | undefined,
    /** What runs bring of their own. */
    readonly own: OwnPlan | undefined
  ) {
    this.parameters = parameterCount(problem.model)
    this.width = resultHead + request.program.report.length + this.parameters
    this.needs = request.program.needs
    this.rule = ruleOf(problem, request)
  }

  /** @throws InputError for a model of which not even the fewest lanes fit the buffers of the GPU */
  static async make(gpu: Gpu, problem: Problem, request: PlainRequest): Promise<Plan> {
    const P = parameterCount(problem.model)
    if (request.program.needs === 'H') checkHessian(P)
    const program = await CompiledProgram.compile(gpu, request.program, P)
    const starts = await gpu.kernel('starts.wgsl', startValues(problem, request))
    const turn = await gpu.kernel('turn.wgsl', turnValues(problem, request))
    const exchanged = exchangeValues(P, request)
    const exchange = await gpu.kernel('exchange.wgsl', exchanged)
    const rule = ruleOf(problem, request)
    const order =
      request.batch &&
      rule &&
      (await gpu.kernel('order.wgsl', {
        ...seedValues(request.batch.seed),
        stream: Stream.batches,
        ...rule,
        dataRows: problem.rows,
        shared: request.batch.order === 'shared'
      }))
    const usesVectors = exchanged['usesVectors'] === true
    const own = request.inputs && (await OwnPlan.make(gpu, request.program, request.inputs, problem))
    const plan = new Plan(gpu, problem, request, program, starts, turn, exchange, usesVectors, order, own)
    const least = laneMultiple * plan.largestPerLane()
    const most = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)
    if (least > most)
      throw new InputError(
        `${laneMultiple} runs of ${request.program.name} with ${P} parameters on ${problem.rows} rows need an array of ${formatBytes(least)}, and the GPU ${gpu.name} takes at most ${formatBytes(most)}; choose a smaller model, another optimizer or --engine cpu.`
      )
    return plan
  }

  /** Bytes of device memory of each lane, term by term. */
  laneTerms(): Readonly<Record<string, number>> {
    const { sizes } = this.program
    const P = this.parameters
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
    // f and g lie among scalars and vectors.
    const { theta, H, sums } = Evaluator.laneBytes(this.problem, this.needs)
    return {
      theta,
      hessian: H,
      sums,
      vectors: 4 * sizes.vectors,
      scalars: 4 * sizes.scalars,
      matrices: 4 * sum(sizes.matrices),
      linearAlgebra: 4 * (sizes.work + sizes.factor + sizes.eigenvectors + sizes.copies),
      state: 4 * stateRows,
      // The order of the rows, those of the step, and f and g over all rows.
      miniBatches: this.rule ? 4 * (this.problem.rows + this.rule.size + 1 + P) + sums : 0,
      own: this.own ? 4 * (this.own.terms * P + this.ownRows) : 0,
      path: this.request.trace ? 4 * 3 * tracedRounds : 0
    }
  }

  /** Numbers for rows of a lane's own: their shares, and the order that they are cut from. */
  private get ownRows(): number {
    return this.own?.drawsRows ? (this.own.shuffles ? 2 : 1) * this.problem.rows : 0
  }

  /** Bytes of each place of the queue: θ0 and its number, both again on the way in, what runs bring, and a result in each of two submits. */
  get placeBytes(): number {
    const P = this.parameters
    const points = this.request.starts.kind === 'given' ? P : 0
    return 4 * (P + 2 + points + 2 + (this.own?.width ?? 0) + 2 * this.width)
  }

  /** Bytes of each lane in the largest buffer that has lanes. */
  largestPerLane(): number {
    const { sizes } = this.program
    const P = this.parameters
    const { H, sums } = Evaluator.laneBytes(this.problem, this.needs)
    return Math.max(
      H,
      sums,
      4 *
        Math.max(
          sizes.vectors,
          sizes.scalars,
          sizes.work,
          sizes.factor,
          sizes.copies,
          ...sizes.matrices,
          P,
          this.rule || this.own?.drawsRows ? this.problem.rows : 0,
          (this.own?.terms ?? 0) * P,
          this.rule?.size ?? 0,
          this.request.trace ? 3 * tracedRounds : 0
        )
    )
  }
}

/** Rounds of a submit whose paths are kept. */
export const tracedRounds = 64

function ruleOf(problem: Problem, { batch }: PlainRequest): BatchRule | undefined {
  if (!batch) return undefined
  const size = Math.min(batch.size, problem.rows)
  return { size, perEpoch: Math.ceil(problem.rows / size) }
}

function startValues({ model }: Problem, { starts }: PlainRequest): Values {
  const parameters = parameterCount(model)
  if (starts.kind === 'given' || model.kind === 'expression') return { parameters, given: true, normal: false }
  const { kind } = initScales(model, starts.init)
  return {
    ...seedValues(starts.seed),
    parameters,
    given: false,
    normal: kind === 'normal',
    ...(kind === 'normal' ? quantileValues() : {})
  }
}

const indented = (lines: readonly string[]): string => lines.map(line => `      ${line}`).join('\n')

function turnValues(problem: Problem, request: PlainRequest): Values {
  const { program, stop } = request
  const { loss, gradientNorm, stalled } = program.outputs
  const parameters = parameterCount(problem.model)
  const rule = ruleOf(problem, request)
  // Constants that are read from memory lie there like the other initial values.
  const initial = [...program.initialScalars, ...program.constants]
  return {
    batch: rule !== undefined,
    perEpoch: rule?.perEpoch ?? 1,
    trace: request.trace === true,
    parameters,
    budget: Math.min(stop.steps, 2 ** 32 - 1),
    toleranceBits: bitsBelow(stop.gradient),
    loss: scalarText(loss),
    gradientNorm: scalarText(gradientNorm),
    stalled: scalarText(stalled),
    failed: Status.failed,
    converged: Status.converged,
    stalledStatus: Status.stalled,
    budgetStatus: Status.budget,
    width: resultHead + program.report.length + parameters,
    report: indented(
      program.report.map(({ slot }, k) => `results[at + ${resultHead + k}u] = bitcast<u32>(${scalarText(slot)});`)
    ),
    initial: indented(initial.map(({ slot, value }) => `scalars[${slot}u * lanes + lane] = ${initialText(value)};`))
  }
}

/** A scalar after a step. The number of the step is one less than has been counted by then. */
const scalarText = (slot: number): string =>
  slot === Slot.step ? 'f32(state[stepsRow * lanes + lane] - 1u)' : `scalars[${slot}u * lanes + lane]`

/** A number that a slot starts with, infinities included. */
const initialText = (value: number): string =>
  Number.isFinite(Math.fround(value)) ? literal(value) : value > 0 ? 'infinite()' : '-infinite()'

function exchangeValues(parameters: number, { program }: PlainRequest): Values {
  const { point } = program.outputs
  if (point === Slot.scale) throw new Error(`${program.name}: the point is the scale`)
  const place = (slot: number): string => {
    const { buffer, index } = elementAt(slot, `${parameters}u`)
    return `${buffer}[${index}]`
  }
  const vectors = [point, ...program.initialVectors.map(({ slot }) => slot)]
  return {
    parameters,
    usesVectors: vectors.some(slot => slot !== Slot.x),
    width: resultHead + program.report.length + parameters,
    header: resultHead + program.report.length,
    point: place(point),
    initial: indented(program.initialVectors.map(({ slot, value }) => `${place(slot)} = ${initialText(value)};`))
  }
}
