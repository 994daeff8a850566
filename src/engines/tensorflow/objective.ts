/** A problem on a device, in the process that holds the device: evaluation and scores in chunks of runs that fit the memory budget. */
import { classCells, scoresOf, scoreRun } from '../../models/scores.js'
import { parameterCount } from '../../models/model.js'
import { validateProblem } from '../../models/validate.js'
import type { Problem } from '../../models/types.js'
import type { Evaluation, Needs, RunBlock, Scores } from '../types.js'
import { wholeLanes, type Device, type Tensor } from './device.js'
import type { Evaluator } from './evaluate.js'
import { evaluatorOf } from './expression.js'
import { memoryBudget, runsThatFit } from './memory.js'
import type { PlainRequest } from '../process/protocol.js'
import { minimise, type RunLimits } from './run.js'

export class LocalObjective {
  readonly parameters: number
  readonly evaluator: Evaluator

  constructor(
    readonly device: Device,
    readonly problem: Problem,
    readonly budget = memoryBudget
  ) {
    validateProblem(problem)
    this.parameters = parameterCount(problem.model)
    this.evaluator = evaluatorOf(device, problem)
  }

  private readonly fitting = new Map<string, Promise<number>>()
  /** Runs that are evaluated at a time. */
  capacity(needs: Needs): Promise<number> {
    const key = needs.H ? 'H' : needs.g ? 'g' : 'f'
    return (
      this.fitting.get(key) ??
      this.fitting
        .set(
          key,
          this.runsFor(t => this.evaluator.evaluate(t, needs))
        )
        .get(key)!
    )
  }

  /** Runs for which `work`, given points, fits the budget. */
  private runsFor(work: (theta: Tensor) => unknown): Promise<number> {
    const { tf } = this.device
    const P = this.parameters
    return runsThatFit(this.device, this.budget, runs =>
      tf.tidy(() => {
        work(tf.zeros([runs, P]))
      })
    )
  }

  private count(theta: Float64Array): number {
    const R = theta.length / this.parameters
    if (!Number.isInteger(R))
      throw new Error(`theta holds ${theta.length} numbers, not a multiple of ${this.parameters}`)
    return R
  }

  /** Calls `use` with chunks of θ as tensors [r, P], first run and number of runs. */
  private chunks(theta: Float64Array, size: number, use: (chunk: Tensor, first: number, runs: number) => void): void {
    const { tf } = this.device
    const P = this.parameters
    const R = this.count(theta)
    for (let first = 0; first < R; first += size) {
      const runs = Math.min(size, R - first)
      const lanes = wholeLanes(this.device, runs)
      const part = new Float32Array(lanes * P)
      part.set(theta.subarray(first * P, (first + runs) * P))
      tf.tidy(() => use(tf.tensor2d(part, [lanes, P]), first, runs))
    }
  }

  async evaluate(theta: Float64Array, needs: Needs): Promise<Evaluation> {
    const P = this.parameters
    const R = this.count(theta)
    const f = new Float64Array(R)
    const g = needs.g ? new Float64Array(R * P) : undefined
    const H = needs.H ? new Float64Array(R * P * P) : undefined
    this.chunks(theta, await this.capacity(needs), (chunk, first, runs) => {
      const values = this.evaluator.evaluate(chunk, needs)
      f.set(values.f.dataSync().subarray(0, runs), first)
      if (values.g) g?.set(values.g.dataSync().subarray(0, runs * P), first * P)
      if (values.H) H?.set(values.H.dataSync().subarray(0, runs * P * P), first * P * P)
    })
    return { f, ...(g ? { g } : {}), ...(H ? { H } : {}) }
  }

  /** z on the device, the rest on the host: ranks and counts are no tensor work. */
  async score(theta: Float64Array, data?: Problem): Promise<Scores> {
    const problem = data ?? this.problem
    const { model, rows } = problem
    const { weight: _, ...unweighted } = problem
    const evaluator = evaluatorOf(this.device, unweighted)
    const columns = scoresOf(model).length
    const R = this.count(theta)
    const values = new Float64Array(R * columns)
    const classCounts = new Float64Array(classCells(model, rows))
    const C = model.outputs
    const z = new Float64Array(rows * C)
    const capacity = await this.runsFor(t => evaluator.predict(t))
    this.chunks(theta, capacity, (chunk, first, runs) => {
      const all = evaluator.predict(chunk).dataSync()
      for (let r = 0; r < runs; r++) {
        for (let i = 0; i < rows; i++) for (let c = 0; c < C; c++) z[i * C + c] = all[(r * C + c) * rows + i]!
        scoreRun(model, problem, z, values.subarray((first + r) * columns, (first + r + 1) * columns), classCounts)
      }
    })
    evaluator.dispose()
    return { values, classCounts }
  }

  minimise({ signal, onOccupancy, ...request }: PlainRequest & RunLimits): AsyncGenerator<RunBlock> {
    const limits = { ...(signal ? { signal } : {}), ...(onOccupancy ? { onOccupancy } : {}) }
    return minimise(this.device, this.evaluator, request, this.budget, limits)
  }

  dispose(): void {
    this.evaluator.dispose()
  }
}
