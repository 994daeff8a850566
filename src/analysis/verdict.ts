/**
 * From end points to verdicts (DESIGN §5): polish in f64, look at inertia and at the Newton step that is still predicted, and
 * where that leaves doubt, follow the run on and test for a direction in which the loss falls for ever.
 *
 * Lengths are measured in scaled variables θ / scale, so that verdicts do not depend on the units of the columns.
 */
import { Status } from '../core/status.js'
import { thresholds } from '../core/thresholds.js'
import { exactlyFlat } from './flat.js'
import { lossNoise, outwards, recession, slopeDecides, unitDirections, type Suspect } from './recession.js'
import { VerdictCode, type Verdict } from '../core/result.js'
import type { Objective, Program } from '../engines/types.js'
import type { Network } from '../models/types.js'
import type { Filled, RunBlock } from '../runs/table.js'

/** Places of the report scalars of optimizers/polish.ts. */
const Polished = { negative: 0, zero: 1, smallest: 2, normH: 3, newtonStep: 4, nullGradient: 5, decrease: 7 } as const

/** What judging asks of an objective. */
export type JudgedObjective = Pick<Objective, 'parameters' | 'evaluate' | 'minimise' | 'certifier'>

/** Programs and limits that judging needs; built by the study for the certifying engine. */
export interface Judge {
  /** f64 objective on the same problem. */
  readonly objective: JudgedObjective
  /** What the objective computes; null: a function that is no network. */
  readonly network: Network | null
  /** [P]: 1 / rms of the input column for first-layer weights, 1 elsewhere. */
  readonly scale: Float64Array
  readonly polish: Program
  readonly polishSteps: number
  readonly newton: Program
  /** Linear programming has shown that no finite minimiser exists: every run diverges. */
  readonly separated: boolean
  /** Direction of separation [P], or null. */
  readonly separationDirection: Float64Array | null
  /** No direction of recession exists: a ridge falls on every parameter, or the model is convex and linear programming found none. */
  readonly bounded: boolean
  /** Flat directions that every minimiser of a convex model has; null where the model is not convex. */
  readonly flatDirections: number | null
  /** How far polishing may move a run, when not `thresholds.moved`: Infinity for convex models and for runs found in f32. */
  readonly moveLimit: number | undefined
  readonly eps: number
}

/** Where runs ended, and how. */
export type Found = Pick<RunBlock, 'loss' | 'gradientNorm' | 'status'>

/** Judged runs, in the order of the block they came from; the places of `verdict` are those of `verdicts`. */
export interface Judged extends Filled<'judge'> {
  /** Steps spent on certifying, and losses evaluated beside them, for the count of evaluations. */
  readonly steps: number
  readonly losses: number
  /** A recession direction of a diverging run. */
  readonly directions: ReadonlyMap<number, Float64Array>
}

type Runs = Omit<RunBlock, 'start' | 'traces'>

/** Runs a program from given points and returns the results in the order of the points. */
async function inOrder(
  objective: JudgedObjective,
  program: Program,
  theta: Float64Array,
  count: number,
  steps: number
): Promise<Runs> {
  const P = objective.parameters
  const K = program.report.length
  const out = {
    count,
    theta: new Float64Array(count * P),
    loss: new Float64Array(count),
    gradientNorm: new Float64Array(count),
    steps: new Uint32Array(count),
    status: new Uint8Array(count),
    report: new Float64Array(count * K)
  }
  const request = { program, starts: { kind: 'given' as const, theta, count }, stop: { steps, gradient: 0 } }
  for await (const block of objective.minimise(request))
    for (let i = 0; i < block.count; i++) {
      const to = block.start[i]
      out.theta.set(block.theta.subarray(i * P, (i + 1) * P), to * P)
      out.report.set(block.report.subarray(i * K, (i + 1) * K), to * K)
      out.loss[to] = block.loss[i]!
      out.gradientNorm[to] = block.gradientNorm[i]!
      out.steps[to] = block.steps[i]!
      out.status[to] = block.status[i]!
    }
  return out
}

const pick = (theta: Float64Array, P: number, which: readonly number[]): Float64Array => {
  const out = new Float64Array(which.length * P)
  which.forEach((i, n) => out.set(theta.subarray(i * P, (i + 1) * P), n * P))
  return out
}
const sum = (v: Uint32Array): number => v.reduce((s, n) => s + n, 0)

/** Steps for which a doubtful run is followed on. */
const followSteps = 100

/** The judgement of one block of runs, while it is made. */
class Judging {
  private readonly P: number
  /** Report scalars of polishing. */
  private readonly K: number
  private readonly eps: number
  private readonly verdict: Verdict[]
  private readonly loss: Float64Array
  private readonly gradientNorm: Float64Array
  private readonly theta: Float64Array
  private readonly index: Uint32Array
  private readonly nullity: Uint32Array
  private readonly precision: Float64Array
  private readonly directions = new Map<number, Float64Array>()
  private steps = 0
  private losses = 0
  /** The objective, counting. */
  private readonly counted: Pick<Objective, 'parameters' | 'evaluate'>

  constructor(
    private readonly judge: Judge,
    private readonly found: {
      readonly theta: Float64Array
      readonly loss: Float64Array
      readonly gradientNorm: Float64Array
    },
    private readonly count: number
  ) {
    this.P = judge.objective.parameters
    this.K = judge.polish.report.length
    this.eps = judge.eps
    this.counted = {
      parameters: this.P,
      evaluate: (theta, needs) => {
        this.losses += theta.length / this.P
        return judge.objective.evaluate(theta, needs)
      }
    }
    this.verdict = new Array<Verdict>(count).fill('unfinished')
    this.theta = found.theta.slice(0, count * this.P)
    this.loss = found.loss.slice(0, count)
    this.gradientNorm = found.gradientNorm.slice(0, count)
    this.index = new Uint32Array(count)
    this.nullity = new Uint32Array(count)
    this.precision = new Float64Array(count).fill(Infinity)
  }

  async run(status: Uint8Array): Promise<Judged> {
    const { judge, verdict } = this
    const alive: number[] = []
    for (let i = 0; i < this.count; i++) {
      if (status[i] === Status.failed) verdict[i] = 'failed'
      else if (judge.separated) {
        verdict[i] = 'diverging'
        if (judge.separationDirection) this.directions.set(i, judge.separationDirection)
      } else alive.push(i)
    }
    const open = await this.settle(alive, pick(this.theta, this.P, alive), true)
    // Runs found in f32, and runs whose polishing stopped early: the point reached downhill may be stationary after all.
    await this.settle(open.which, open.from, false)
    const { count, theta, loss, gradientNorm, index, nullity, precision, steps, losses, directions } = this
    const codes = Uint8Array.from(verdict, v => VerdictCode[v])
    return { count, verdict: codes, theta, loss, gradientNorm, index, nullity, precision, steps, losses, directions }
  }

  /**
   * Polishes and judges runs `which` from the points `from` [which, P]. Returns those of which nothing is known yet, with the points
   * that following has led to. Runs that polishing brings to no stationary point are followed the first time only.
   */
  private async settle(
    which: readonly number[],
    from: Float64Array,
    first: boolean
  ): Promise<{ which: readonly number[]; from: Float64Array }> {
    const { judge, P, K, verdict } = this
    const { objective } = judge
    const none = { which: [], from: new Float64Array(0) }
    if (which.length === 0) return none
    const polished = await inOrder(objective, judge.polish, from, which.length, judge.polishSteps)
    this.steps += sum(polished.steps)
    const report = (n: number): Float64Array => polished.report.subarray(n * K, (n + 1) * K)
    const doubtful: number[] = []
    which.forEach((i, n) => {
      if (this.take(i, n, polished) ? this.isDoubtful(i, report(n)) : first) doubtful.push(n)
    })
    if (doubtful.length === 0) return none

    // Follow doubtful runs downhill: where they go is the first candidate for a direction of recession.
    const begin = doubtful.map((n): Float64Array => {
      const i = which[n]
      const at =
        verdict[i] === 'unfinished' ? from.subarray(n * P, (n + 1) * P) : this.theta.subarray(i * P, (i + 1) * P)
      return at.slice()
    })
    const starts = new Float64Array(doubtful.length * P)
    begin.forEach((point, k) => starts.set(point, k * P))
    const followed = await inOrder(objective, judge.newton, starts, doubtful.length, followSteps)
    this.steps += sum(followed.steps)
    const ends = doubtful.map((_, k) => followed.theta.subarray(k * P, (k + 1) * P))
    const noise = await lossNoise(this.counted, ends, [...followed.loss], this.eps)
    const recessive = judge.bounded ? [] : await this.recessions(begin, ends, followed.loss, noise)

    const open: number[] = []
    doubtful.forEach((n, k) => {
      const i = which[n]
      const d = recessive[k]
      const drop = this.loss[i] - followed.loss[k]
      if (d) {
        this.giveBack(i)
        verdict[i] = 'diverging'
        this.directions.set(i, d)
      } else if (verdict[i] === 'unfinished') open.push(k)
      else if (verdict[i] === 'degenerate') {
        // On a plateau, gradient and curvature are both at rounding level; that it is no stationary point shows downhill.
        const leaves =
          drop > noise[k] + 2 * Math.abs(report(n)[Polished.decrease]) &&
          this.isFar(begin[k], ends[k], thresholds.newtonStep)
        if (!leaves && !this.isTooFlat(i)) return
        this.giveBack(i)
        if (followed.status[k] !== Status.budget) open.push(k)
      } else if (!(drop > noise[k])) {
        // A weak saddle from which nothing leads down.
        verdict[i] = 'degenerate'
        this.nullity[i] += this.index[i]
        this.index[i] = 0
      }
    })
    return { which: open.map(k => which[doubtful[k]]), from: pick(followed.theta, P, open) }
  }

  private async recessions(
    begin: readonly Float64Array[],
    ends: readonly Float64Array[],
    losses: Float64Array,
    noise: readonly number[]
  ): Promise<(Float64Array | null)[]> {
    const { network, scale } = this.judge
    const P = this.P
    const points = new Float64Array(ends.length * P)
    ends.forEach((end, k) => points.set(end, k * P))
    const g = slopeDecides(network) ? (await this.counted.evaluate(points, { g: true })).g : undefined
    const suspect = (k: number, candidates: readonly Float64Array[]): Suspect => {
      const gradient = g?.subarray(k * P, (k + 1) * P)
      return { theta: ends[k], loss: losses[k], noise: noise[k], gradient, candidates }
    }
    const moved = ends.map((end, k) => end.map((v, p) => v - begin[k][p]))
    const near = ends.map((end, k) => suspect(k, [moved[k], end, ...(network ? [outwards(network, end)] : [])]))
    const result = await recession(this.counted, scale, near)
    if (!network || network.hidden.length === 0) return result
    const left = result.flatMap((d, k) => (d ? [] : [k]))
    const units = left.map(k => suspect(k, unitDirections(network, ends[k], moved[k])))
    const further = await recession(this.counted, scale, units)
    left.forEach((k, n) => (result[k] = further[n]))
    return result
  }

  /** Takes over a stationary point; false where it is none. */
  private take(i: number, n: number, run: Runs): boolean {
    const { P, K } = this
    const report = run.report.subarray(n * K, (n + 1) * K)
    const at = run.theta.subarray(n * P, (n + 1) * P)
    if (run.status[n] === Status.failed || !this.isStationary(report, at)) return false
    const origin = this.found.theta.subarray(i * P, (i + 1) * P)
    if (this.isFar(origin, at, this.judge.moveLimit ?? thresholds.moved)) return false
    this.theta.set(at, i * P)
    this.loss[i] = run.loss[n]!
    this.gradientNorm[i] = run.gradientNorm[n]!
    this.index[i] = report[Polished.negative]!
    this.nullity[i] = report[Polished.zero]!
    this.precision[i] = report[Polished.newtonStep]!
    this.verdict[i] = this.index[i] > 0 ? 'saddle' : this.nullity[i] > 0 ? 'degenerate' : 'minimum'
    return true
  }

  /** Undoes `take`: the run stays where the optimiser left it. */
  private giveBack(i: number): void {
    const { P, found } = this
    this.verdict[i] = 'unfinished'
    this.theta.set(found.theta.subarray(i * P, (i + 1) * P), i * P)
    this.loss[i] = found.loss[i]!
    this.gradientNorm[i] = found.gradientNorm[i]!
    this.precision[i] = Infinity
    this.nullity[i] = 0
    this.index[i] = 0
  }

  /** Half width of the band in which an eigenvalue counts as zero. */
  private zeroBand(report: Float64Array): number {
    return thresholds.zeroBandFactor * this.eps * this.P * report[Polished.normH]
  }

  private isStationary(report: Float64Array, theta: Float64Array): boolean {
    return (
      report[Polished.newtonStep] <= thresholds.newtonStep &&
      report[Polished.nullGradient] <= thresholds.nullGradient * this.zeroBand(report) * this.size(theta)
    )
  }

  /** Whether a stationary point needs a second look. */
  private isDoubtful(i: number, report: Float64Array): boolean {
    // In a flat valley the position is known to (rounding of g) ÷ (eigenvalue) only, and the eigenvalues with it: one that is a
    // little below the zero band may be the valley's. What tells is whether the loss falls.
    if (this.verdict[i] === 'saddle') return report[Polished.smallest] >= -thresholds.weakSaddle * this.zeroBand(report)
    if (this.verdict[i] !== 'degenerate') return false
    const { network, flatDirections } = this.judge
    if (flatDirections !== null) return this.nullity[i] > flatDirections
    return !network || this.nullity[i] > exactlyFlat(network, this.theta, i * this.P)
  }

  /** A convex model's minimiser has no more flat directions than its data leave open. */
  private isTooFlat(i: number): boolean {
    const { flatDirections } = this.judge
    return flatDirections !== null && this.nullity[i] > flatDirections
  }

  /** max(1, max |θ_p / scale_p|) */
  private size(theta: Float64Array): number {
    return theta.reduce((m, v, p) => Math.max(m, Math.abs(v / this.judge.scale[p])), 1)
  }

  private isFar(from: Float64Array, to: Float64Array, limit: number): boolean {
    const { scale } = this.judge
    return from.some((v, p) => Math.abs(to[p] - v) > limit * Math.max(scale[p], Math.abs(v)))
  }
}

/**
 * Verdicts of a block of finished runs.
 * @param theta [count, P] where the runs ended
 * @param found loss and gradient norm there, and how the run loop stopped them
 */
export async function judgeRuns(judge: Judge, theta: Float64Array, found: Found, count: number): Promise<Judged> {
  const { loss, gradientNorm } = found
  return new Judging(judge, { theta, loss, gradientNorm }, count).run(found.status)
}
