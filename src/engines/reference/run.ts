/** The run loop of kernels/README.md for one run: evaluate, update, test, until the run stops. */
import { Status } from '../../core/status.js'
import { resampledWeights } from '../../core/resampling.js'
import { Stream, sharedStart, shuffle } from '../../core/rng.js'
import { Slot } from '../../language/program.js'
import type { RunRequest } from '../types.js'
import { enterInputs, hold, ownTerms } from './inputs.js'
import type { ModelEvaluator } from './evaluator.js'
import type { Interpreter } from './interpreter.js'

export interface FinishedRun {
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly steps: number
  readonly status: Status
  readonly report: Float64Array
  readonly trace: Float64Array | undefined
}

/** Rows of the mini-batch of every step, epoch by epoch. */
function batches(rows: number, batch: NonNullable<RunRequest['batch']>, start: number) {
  const size = Math.min(batch.size, rows)
  const perEpoch = Math.ceil(rows / size)
  const key = batch.order === 'shared' ? sharedStart : start
  let epoch = -1
  let order: Uint32Array = new Uint32Array(0)
  return (step: number): { rows: Uint32Array; last: boolean } => {
    const at = step % perEpoch
    if (at === 0 || epoch < 0) {
      epoch = Math.floor(step / perEpoch)
      order = shuffle(rows, batch.seed, Stream.batches, key, epoch)
    }
    return { rows: order.subarray(at * size, Math.min((at + 1) * size, rows)), last: at === perEpoch - 1 }
  }
}

/** What the loop needs of an evaluator. */
export type Evaluates = Pick<ModelEvaluator, 'parameters' | 'evaluate'> & {
  readonly problem: Pick<ModelEvaluator['problem'], 'rows' | 'weight'>
}

/** A run, step by step: who drives it may stop between any two. */
export function* stepsOf(
  evaluator: Evaluates,
  state: Interpreter,
  request: RunRequest,
  start: number,
  theta0: Float64Array,
  /** Place of the start in the request. */
  index = start
): Generator<void, FinishedRun, void> {
  const { program, stop } = request
  const { outputs } = program
  const x = state.vectors[Slot.x]
  const g = state.vectors[Slot.g]
  const H = program.needs === 'H' ? state.matrices[Slot.H] : undefined
  const scratch = new Float64Array(evaluator.parameters)
  const { inputs } = request
  const { rows: all, weight } = evaluator.problem
  const next = request.batch ? batches(all, request.batch, inputs?.draws?.order?.[index] ?? start) : undefined
  const own = inputs?.rows && resampledWeights(inputs.rows.how, inputs.rows.numbers[index], all, weight)
  const trace: number[] = []
  const evaluate = (at: Float64Array, g?: Float64Array, H?: Float64Array, rows?: Uint32Array): number => {
    const f = evaluator.evaluate(at, g, H, rows, own)
    return inputs ? ownTerms(inputs, index, at, f, g, H) : f
  }
  state.reset(theta0)
  if (inputs) enterInputs(inputs, state, index)
  for (let step = 0; ;) {
    const rows = next?.(step)
    if (inputs) hold(inputs, index, theta0, x)
    state.scalars[Slot.f] = evaluate(x, g, H, rows?.rows)
    state.scalars[Slot.step] = step
    state.run()
    step++
    const point = state.vectors[outputs.point]
    let loss = state.scalars[outputs.loss]
    let gradientNorm = state.scalars[outputs.gradientNorm]
    let tested = true
    if (rows) {
      tested = rows.last || step >= stop.steps
      if (tested) {
        loss = evaluate(point, scratch)
        gradientNorm = scratch.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
      }
    }
    if (request.trace) trace.push(loss, gradientNorm)
    const status = !(Number.isFinite(loss) && Number.isFinite(gradientNorm))
      ? Status.failed
      : tested && gradientNorm <= stop.gradient
        ? Status.converged
        : state.scalars[outputs.stalled] !== 0
          ? Status.stalled
          : step >= stop.steps
            ? Status.budget
            : undefined
    if (status === undefined) {
      yield
      continue
    }
    return {
      theta: Float64Array.from(point),
      loss,
      gradientNorm,
      steps: step,
      status,
      report: Float64Array.from(program.report, r => state.scalars[r.slot]),
      trace: request.trace ? Float64Array.from(trace) : undefined
    }
  }
}

/** A run from its first step to its last. */
export function runOne(...given: Parameters<typeof stepsOf>): FinishedRun {
  const steps = stepsOf(...given)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
