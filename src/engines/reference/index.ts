/** The `reference` engine: plain TypeScript in f64, one run at a time. The definition, the oracle and the last fallback. */
import { WorkError } from '../../core/errors.js'
import { startPoint, columnScale, parameterCount, hasFirth } from '../../models/model.js'
import { validateProblem } from '../../models/validate.js'
import { noOwnRows } from '../../models/penalty.js'
import { classCells, scoresOf, scoreRun } from '../../models/scores.js'
import type { Problem } from '../../models/types.js'
import { checkInputs } from '../inputs.js'
import type { Engine, EngineEntry, Evaluation, Needs, Objective, RunBlock, RunRequest, Scores } from '../types.js'
import { evaluatorOf, type ModelEvaluator } from './evaluator.js'
import { Interpreter } from './interpreter.js'
import { stepsOf, type FinishedRun } from './run.js'
import { referenceTimer } from './timer.js'

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** The event loop gets a turn after so many milliseconds of work. */
const sliceMilliseconds = 20
/** After this a block is handed over before it is full, so that progress shows. */
const patienceMilliseconds = 1000

class ReferenceObjective implements Objective {
  readonly parameters: number
  private readonly evaluator: ModelEvaluator
  private readonly others = new WeakMap<Problem, ModelEvaluator>()

  constructor(readonly problem: Problem) {
    validateProblem(problem)
    this.evaluator = evaluatorOf(problem)
    this.parameters = parameterCount(problem.model)
  }

  private count(theta: Float64Array): number {
    const R = theta.length / this.parameters
    if (!Number.isInteger(R))
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
    return R
  }

  async evaluate(theta: Float64Array, needs: Needs): Promise<Evaluation> {
    const P = this.parameters
    const R = this.count(theta)
    const f = new Float64Array(R)
    const g = needs.g ? new Float64Array(R * P) : undefined
    const H = needs.H ? new Float64Array(R * P * P) : undefined
    let since = performance.now()
    for (let r = 0; r < R; r++) {
      const at = theta.subarray(r * P, (r + 1) * P)
      f[r] = this.evaluator.evaluate(at, g?.subarray(r * P, (r + 1) * P), H?.subarray(r * P * P, (r + 1) * P * P))
      if (performance.now() - since > sliceMilliseconds) {
        await tick()
        since = performance.now()
      }
    }
    return { f, ...(g ? { g } : {}), ...(H ? { H } : {}) }
  }

  private on(data?: Problem): ModelEvaluator {
    if (!data) return this.evaluator
    let evaluator = this.others.get(data)
    if (!evaluator) {
      evaluator = evaluatorOf(data)
      this.others.set(data, evaluator)
    }
    return evaluator
  }

  /** Calls `each` with the outputs of every point, and gives the event loop its turn in between. */
  private async predictAll(
    theta: Float64Array,
    data: Problem | undefined,
    each: (z: Float64Array, r: number) => void
  ): Promise<void> {
    const P = this.parameters
    const R = this.count(theta)
    const evaluator = this.on(data)
    let since = performance.now()
    for (let r = 0; r < R; r++) {
      each(evaluator.predict(theta.subarray(r * P, (r + 1) * P)), r)
      if (performance.now() - since > sliceMilliseconds) {
        await tick()
        since = performance.now()
      }
    }
  }

  async score(theta: Float64Array, data?: Problem): Promise<Scores> {
    const problem = data ?? this.problem
    const columns = scoresOf(problem.model).length
    const values = new Float64Array(this.count(theta) * columns)
    const classCounts = new Float64Array(classCells(problem.model, problem.rows))
    await this.predictAll(theta, data, (z, r) => {
      if (columns > 0) scoreRun(problem.model, problem, z, values.subarray(r * columns, (r + 1) * columns), classCounts)
    })
    return { values, classCounts }
  }

  async outputs(theta: Float64Array, data?: Problem): Promise<Float64Array> {
    const { rows, model } = data ?? this.problem
    const width = rows * model.outputs
    const all = new Float64Array(this.count(theta) * width)
    await this.predictAll(theta, data, (z, r) => all.set(z, r * width))
    return all
  }

  async *minimise(request: RunRequest): AsyncIterable<RunBlock> {
    const { starts, program } = request
    const P = this.parameters
    const state = new Interpreter(program, P, columnScale(this.problem))
    if (request.inputs) checkInputs(request.inputs, program, P, starts.count)
    if (request.inputs?.rows && hasFirth(this.problem.model)) throw new WorkError(noOwnRows('reference'))
    const size = request.blockRuns ?? 2048
    const first = starts.first ?? 0
    let done: { start: number; run: FinishedRun }[] = []
    let since = performance.now()
    let begun = since
    const isStopped = (): boolean => request.signal?.aborted === true
    for (let i = 0; i < starts.count && !isStopped(); i++) {
      const start = first + i
      const theta0 =
        starts.kind === 'random'
          ? startPoint(
              this.problem.model,
              starts.init,
              starts.seed,
              request.inputs?.draws?.start?.[i] ?? start,
              starts.map
            )
          : starts.theta.subarray(i * P, (i + 1) * P)
      if (done.length === 0) begun = performance.now()
      const steps = stepsOf(this.evaluator, state, request, start, theta0, i)
      let step = steps.next()
      while (!step.done) {
        if (performance.now() - since > sliceMilliseconds) {
          await tick()
          since = performance.now()
          // The run under way is dropped.
          if (isStopped()) break
        }
        step = steps.next()
      }
      if (step.done) done.push({ start, run: step.value })
      if (done.length >= size || (done.length > 0 && performance.now() - begun > patienceMilliseconds)) {
        yield this.block(done, request)
        done = []
      }
      if (performance.now() - since > sliceMilliseconds) {
        await tick()
        since = performance.now()
      }
    }
    if (done.length > 0) yield this.block(done, request)
  }

  private block(done: readonly { start: number; run: FinishedRun }[], request: RunRequest): RunBlock {
    const P = this.parameters
    const K = request.program.report.length
    const count = done.length
    const theta = new Float64Array(count * P)
    const report = new Float64Array(count * K)
    done.forEach(({ run }, i) => {
      theta.set(run.theta, i * P)
      report.set(run.report, i * K)
    })
    return {
      count,
      start: Float64Array.from(done, d => d.start),
      theta,
      loss: Float64Array.from(done, d => d.run.loss),
      gradientNorm: Float64Array.from(done, d => d.run.gradientNorm),
      steps: Uint32Array.from(done, d => d.run.steps),
      status: Uint8Array.from(done, d => d.run.status),
      report,
      ...(request.trace ? { traces: done.map(d => d.run.trace ?? new Float64Array(0)) } : {})
    }
  }

  dispose(): void {
    // Nothing is held outside the garbage collector's reach.
  }
}

export const referenceEntry: EngineEntry = {
  name: 'reference',
  precisions: ['f64'],
  available: () => Promise.resolve({ ok: true, detail: 'plain TypeScript, one run at a time' }),
  supports: ({ model }, { inputs }) =>
    Promise.resolve(
      inputs === 'rows' && hasFirth(model) ? { ok: false, reason: noOwnRows('reference') } : { ok: true }
    ),
  load: options => {
    if (options.precision !== 'f64')
      return Promise.reject(new WorkError('The reference engine computes in f64 only; use --precision f64.'))
    const engine: Engine = {
      name: 'reference',
      precision: 'f64',
      device: `Node.js ${process.version}, plain TypeScript`,
      threads: 1,
      prepare: problem => Promise.resolve(new ReferenceObjective(problem)),
      timer: referenceTimer,
      dispose: () => undefined
    }
    return Promise.resolve(engine)
  }
}
