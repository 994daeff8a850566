/**
 * Searching in f32 and finishing in f64: single precision has twice the lanes of a register, and far from a minimum its rounding does no
 * harm. Each run is searched until its gradient is at a few roundings of f32. Where Newton's method leads from there to a strict
 * minimum close by, nothing is left to search; all others go on in f64, and a run that fails in f32 begins again there.
 */
import { Spare } from '../core/spare.js'
import { Status } from '../core/status.js'
import { startPoint } from '../models/model.js'
import type { Problem } from '../models/types.js'
import type { Certifier, Evaluation, Needs, Objective, Program, RunBlock, RunRequest, Scores } from './types.js'

/** Gradient norm at which f64 takes over, in conditioned coordinates: a few roundings of f32. */
const coarse = 4 * 2 ** -23

/** Steps in f32, of those that a run may take: one that its rounding holds up has most of them left. */
const lowShare = 1 / 4

/**
 * Moves runs of a block that Newton's method leads in f64 to strict minima beside them onto these; the places of the others, ascending,
 * which are the same whichever runs are beside them.
 */
export type Settling = (runs: RunBlock, count: number, spare: Spare) => Promise<number[]>

/** What the second stage made of some runs of a block, by their place in it. */
type Finished = Pick<RunBlock, 'theta' | 'loss' | 'gradientNorm' | 'steps' | 'status' | 'report'> & {
  readonly traces: readonly Float64Array[]
}

export class MixedObjective implements Objective {
  readonly problem: Problem
  readonly parameters: number
  readonly certifier?: Certifier

  /**
   * @param low in f32, with its own program
   * @param high in f64; the program of a request is for it
   * @param settle which runs of a block need not be finished
   */
  constructor(
    private readonly low: Objective,
    private readonly lowProgram: Program,
    private readonly high: Objective,
    private readonly settle?: Settling
  ) {
    this.problem = high.problem
    this.parameters = high.parameters
    if (high.certifier) this.certifier = high.certifier
  }

  evaluate(theta: Float64Array, needs: Needs, out?: Evaluation): Promise<Evaluation> {
    return this.high.evaluate(theta, needs, out)
  }

  score(theta: Float64Array, data?: Problem, spare?: Spare): Promise<Scores> {
    return this.high.score(theta, data, spare)
  }

  async *minimise(request: RunRequest, spare = new Spare()): AsyncIterable<RunBlock> {
    if (request.batch || request.inputs)
      throw new Error('mixed precision is for runs that take the same rows at every step')
    const gradient = Math.max(request.stop.gradient, coarse)
    const steps = Math.ceil(lowShare * request.stop.steps)
    const first = { ...request, program: this.lowProgram, stop: { steps, gradient } }
    for await (const block of this.low.minimise(first, spare)) yield await this.finish(request, block, spare)
  }

  dispose(): void {
    this.low.dispose()
  }

  private async finish(request: RunRequest, block: RunBlock, spare: Spare): Promise<RunBlock> {
    const which = this.settle
      ? await this.settle(block, block.count, spare)
      : Array.from({ length: block.count }, (_, i) => i)
    return which.length === 0 ? block : this.goOn(request, block, which)
  }

  /** The block with its runs `which` taken to their ends in f64. */
  private async goOn(request: RunRequest, block: RunBlock, which: readonly number[]): Promise<RunBlock> {
    const { parameters: P } = this
    const K = request.program.report.length
    const { steps: budget } = request.stop
    const points = new Float64Array(which.length * P)
    const before = new Uint32Array(which.length)
    const failed = which.map(i => block.status[i] === Status.failed)
    which.forEach((i, n) => {
      const point = failed[n] ? this.startOf(request, block.start[i]) : block.theta.subarray(i * P, (i + 1) * P)
      points.set(point, n * P)
      before[n] = failed[n] ? 0 : block.steps[i]
    })
    const traces = block.traces?.slice()
    const place = (of: Finished, n: number, m = n): void => {
      const i = which[n]
      block.theta.set(of.theta.subarray(m * P, (m + 1) * P), i * P)
      block.report.set(of.report.subarray(m * K, (m + 1) * K), i * K)
      block.steps[i] = before[n] + of.steps[m]
      for (const name of ['loss', 'gradientNorm', 'status'] as const) block[name][i] = of[name][m]
      if (traces) traces[i] = failed[n] ? of.traces[m] : joined(block.traces![i], of.traces[m])
    }
    const all = which.map((_, n) => n)
    const out = await this.run(request, points, all, budget)
    // A run that has used up its steps ends where they end, whichever runs are beside it.
    const over = new Map<number, number[]>()
    for (const n of all) {
      const left = budget - before[n]
      if (out.steps[n] <= left) place(out, n)
      else over.set(left, [...(over.get(left) ?? []), n])
    }
    for (const [left, some] of over) {
      const part = left > 0 ? await this.run(request, points, some, left) : await this.asIs(points, some, K)
      some.forEach((n, m) => place(part, n, m))
    }
    return traces ? { ...block, traces } : block
  }

  /** Runs `which` of [·, P] points in f64, results in their order. */
  private async run(
    request: RunRequest,
    points: Float64Array,
    which: readonly number[],
    steps: number
  ): Promise<Finished> {
    const { parameters: P } = this
    const K = request.program.report.length
    const count = which.length
    const theta = new Float64Array(count * P)
    which.forEach((i, n) => theta.set(points.subarray(i * P, (i + 1) * P), n * P))
    const traces: Float64Array[] = which.map(() => new Float64Array(0))
    const out = {
      theta: theta.slice(),
      loss: new Float64Array(count),
      gradientNorm: new Float64Array(count),
      steps: new Uint32Array(count),
      status: new Uint8Array(count),
      report: new Float64Array(count * K),
      traces
    }
    const { signal: _, onOccupancy: __, blockRuns: ___, ...kept } = request
    const starts = { kind: 'given' as const, theta, count }
    for await (const block of this.high.minimise({ ...kept, starts, stop: { ...request.stop, steps } }))
      for (let i = 0; i < block.count; i++) {
        const to = block.start[i]
        out.theta.set(block.theta.subarray(i * P, (i + 1) * P), to * P)
        out.report.set(block.report.subarray(i * K, (i + 1) * K), to * K)
        for (const name of ['loss', 'gradientNorm', 'steps', 'status'] as const) out[name][to] = block[name][i]
        if (block.traces) traces[to] = block.traces[i]
      }
    return out
  }

  /** Runs `which` where they are, their budget used up. */
  private async asIs(points: Float64Array, which: readonly number[], K: number): Promise<Finished> {
    const { parameters: P } = this
    const theta = new Float64Array(which.length * P)
    which.forEach((i, n) => theta.set(points.subarray(i * P, (i + 1) * P), n * P))
    const { f, g } = await this.high.evaluate(theta, { g: true })
    const norm = (n: number): number => g!.subarray(n * P, (n + 1) * P).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    return {
      theta,
      loss: f.slice(),
      gradientNorm: Float64Array.from(which, (_, n) => norm(n)),
      steps: new Uint32Array(which.length),
      status: new Uint8Array(which.length).fill(Status.budget),
      report: new Float64Array(which.length * K).fill(NaN),
      traces: which.map(() => new Float64Array(0))
    }
  }

  private startOf({ starts }: RunRequest, start: number): Float64Array {
    const { parameters: P } = this
    if (starts.kind === 'random') return startPoint(this.problem.model, starts.init, starts.seed, start, starts.map)
    const at = start - (starts.first ?? 0)
    return starts.theta.subarray(at * P, (at + 1) * P)
  }
}

function joined(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
