/**
 * From end points to verdicts (DESIGN §5): polish in f64, look at inertia and at the Newton step that is still predicted, and
 * where that leaves doubt, follow the run on and test for a direction in which the loss falls for ever.
 */
import { Status } from '../core/status.js'
import { thresholds } from '../core/thresholds.js'
import type { Verdict } from '../core/result.js'
import type { Objective, Program, RunBlock } from '../engines/types.js'

/** Places of the report scalars of optimizers/polish.ts. */
const Polished = { negative: 0, zero: 1, smallest: 2, normH: 3, newtonStep: 4, nullGradient: 5, moved: 7 } as const

/** What judging asks of an objective. */
export type JudgedObjective = Pick<Objective, 'parameters' | 'evaluate' | 'minimise'>

/** Programs and limits that judging needs; built by the study for the certifying engine. */
export interface Judge {
  /** f64 objective on the same problem. */
  readonly objective: JudgedObjective
  readonly polish: Program
  readonly polishSteps: number
  readonly newton: Program
  /** Linear programming has shown that no finite minimiser exists: every run diverges. */
  readonly separated: boolean
  /** Direction of separation [P], or null. */
  readonly separationDirection: Float64Array | null
  /** How far polishing may move a run, when not `thresholds.moved`: Infinity for convex models and for runs found in f32. */
  readonly moveLimit: number | undefined
  /** First parameter of the output layer, for the recession test. */
  readonly outputLayer: number
  readonly eps: number
}

/** Judged runs, in the order of the block they came from. */
export interface Judged {
  readonly verdict: readonly Verdict[]
  /** [count, P] as certified (as found, where polishing found no stationary point). */
  readonly theta: Float64Array
  readonly loss: Float64Array
  readonly gradientNorm: Float64Array
  /** Negative and zero eigenvalues. */
  readonly index: Uint32Array
  readonly nullity: Uint32Array
  /** Remaining predicted Newton step. */
  readonly precision: Float64Array
  /** Steps spent on certifying, for the count of evaluations. */
  readonly steps: number
  /** A recession direction of a diverging run. */
  readonly directions: ReadonlyMap<number, Float64Array>
}

/** Runs a program from given points and returns the results in the order of the points. */
async function inOrder(
  objective: JudgedObjective,
  program: Program,
  theta: Float64Array,
  count: number,
  steps: number
): Promise<Omit<RunBlock, 'start' | 'traces'>> {
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

const maxAbs = (v: Float64Array): number => v.reduce((m, a) => Math.max(m, Math.abs(a)), 0)
const pick = (theta: Float64Array, P: number, which: readonly number[]): Float64Array => {
  const out = new Float64Array(which.length * P)
  which.forEach((i, n) => out.set(theta.subarray(i * P, (i + 1) * P), n * P))
  return out
}

const moveLimit = (judge: Judge): number => judge.moveLimit ?? thresholds.moved

/** Half width of the band in which an eigenvalue counts as zero. */
const zeroBand = (report: Float64Array, P: number, judge: Judge): number =>
  thresholds.zeroBandFactor * judge.eps * P * report[Polished.normH]

/**
 * In a flat valley the position is known to (rounding of g) ÷ (eigenvalue) only, and the eigenvalues with it: one that is a
 * little below the zero band may be the valley's. What tells is whether the loss falls.
 */
const isWeakSaddle = (report: Float64Array, P: number, judge: Judge): boolean =>
  report[Polished.negative] > 0 && report[Polished.smallest] >= -thresholds.weakSaddle * zeroBand(report, P, judge)

/** Is the polished point a stationary one, near where the run ended? */
function isStationary(report: Float64Array, theta: Float64Array, P: number, judge: Judge): boolean {
  const band = zeroBand(report, P, judge)
  return (
    report[Polished.newtonStep] <= thresholds.newtonStep &&
    report[Polished.moved] <= moveLimit(judge) &&
    report[Polished.nullGradient] <= thresholds.nullGradient * band * Math.max(1, maxAbs(theta))
  )
}

/** Differences of the loss that rounding explains. */
const lossSlack = (judge: Judge, loss: number): number => 64 * judge.eps * Math.abs(loss)

/** Multiples of max(1, |θ|) at which a candidate direction is tried, forwards and backwards. */
const reaches = [1 / 16, 1 / 4, 1, 4, 16, 64, 256, thresholds.recessionReach]

/**
 * Which points have a direction of recession among their candidates: forwards the loss never rises, backwards it does. A flat
 * direction (a dead unit's bias) does neither, a bounded valley rises both ways.
 */
async function recession(
  judge: Judge,
  points: Float64Array,
  losses: Float64Array,
  candidates: readonly (readonly Float64Array[])[]
): Promise<(Float64Array | null)[]> {
  const { objective } = judge
  const P = objective.parameters
  const jobs: { point: number; d: Float64Array }[] = []
  candidates.forEach((list, point) => {
    for (const d of list) {
      const length = maxAbs(d)
      if (length > 0 && Number.isFinite(length)) jobs.push({ point, d: d.map(v => v / length) })
    }
  })
  const T = reaches.length
  const result: (Float64Array | null)[] = candidates.map(() => null)
  const chunk = Math.max(1, Math.floor(4e6 / (2 * T * P)))
  for (let from = 0; from < jobs.length; from += chunk) {
    const part = jobs.slice(from, from + chunk)
    const theta = new Float64Array(part.length * 2 * T * P)
    part.forEach(({ point, d }, n) => {
      const at = points.subarray(point * P, (point + 1) * P)
      const unit = Math.max(1, maxAbs(at))
      for (let k = 0; k < 2 * T; k++) {
        const t = (k < T ? reaches[k] : -reaches[k - T]) * unit
        const row = (n * 2 * T + k) * P
        for (let p = 0; p < P; p++) theta[row + p] = at[p] + t * d[p]
      }
    })
    const { f } = await objective.evaluate(theta, {})
    part.forEach(({ point, d }, n) => {
      if (result[point]) return
      const f0 = losses[point]
      const slack = lossSlack(judge, f0)
      const forward = f.subarray(n * 2 * T, n * 2 * T + T)
      const backward = f.subarray(n * 2 * T + T, (n + 1) * 2 * T)
      const falls = forward.every((v, k) => v <= (k > 0 ? forward[k - 1] : f0) + slack)
      const rises = backward.some((v, k) => reaches[k] <= 1 && v - f0 > thresholds.recessionRise * Math.abs(f0))
      if (falls && rises) result[point] = d
    })
  }
  return result
}

/** Steps for which a doubtful run is followed on. */
const followSteps = 100

/**
 * Verdicts of a block of finished runs.
 * @param theta [count, P] where the runs ended
 * @param status how the run loop stopped them
 */
export async function judgeRuns(
  judge: Judge,
  theta: Float64Array,
  found: { readonly loss: Float64Array; readonly gradientNorm: Float64Array; readonly status: Uint8Array },
  count: number
): Promise<Judged> {
  const { objective } = judge
  const P = objective.parameters
  const K = judge.polish.report.length
  const verdict = new Array<Verdict>(count).fill('unfinished')
  const out = {
    theta: theta.slice(),
    loss: found.loss.slice(),
    gradientNorm: found.gradientNorm.slice(),
    index: new Uint32Array(count),
    nullity: new Uint32Array(count),
    precision: new Float64Array(count).fill(Infinity)
  }
  const directions = new Map<number, Float64Array>()
  let steps = 0
  const alive: number[] = []
  for (let i = 0; i < count; i++) {
    if (found.status[i] === Status.failed) verdict[i] = 'failed'
    else if (judge.separated) {
      verdict[i] = 'diverging'
      if (judge.separationDirection) directions.set(i, judge.separationDirection)
    } else alive.push(i)
  }

  /** Takes over a stationary point; false where it is none. */
  const take = (i: number, n: number, run: Omit<RunBlock, 'start' | 'traces'>): boolean => {
    const report = run.report.subarray(n * K, (n + 1) * K)
    const at = run.theta.subarray(n * P, (n + 1) * P)
    if (run.status[n] === Status.failed || !isStationary(report, at, P, judge)) return false
    out.theta.set(at, i * P)
    out.loss[i] = run.loss[n]!
    out.gradientNorm[i] = run.gradientNorm[n]!
    out.index[i] = report[Polished.negative]!
    out.nullity[i] = report[Polished.zero]!
    out.precision[i] = report[Polished.newtonStep]!
    verdict[i] = out.index[i] > 0 ? 'saddle' : out.nullity[i] > 0 ? 'degenerate' : 'minimum'
    return true
  }
  /** Undoes `take`: the run stays where the optimiser left it. */
  const giveBack = (i: number): void => {
    verdict[i] = 'unfinished'
    out.theta.set(theta.subarray(i * P, (i + 1) * P), i * P)
    out.loss[i] = found.loss[i]!
    out.gradientNorm[i] = found.gradientNorm[i]!
    out.precision[i] = Infinity
    out.nullity[i] = 0
  }
  const sum = (v: Uint32Array): number => v.reduce((s, n) => s + n, 0)

  const polished = await inOrder(objective, judge.polish, pick(theta, P, alive), alive.length, judge.polishSteps)
  steps += sum(polished.steps)
  const doubtful: number[] = []
  alive.forEach((i, n) => {
    const stationary = take(i, n, polished)
    const weak = isWeakSaddle(polished.report.subarray(n * K, (n + 1) * K), P, judge)
    if (!stationary || verdict[i] === 'degenerate' || weak) doubtful.push(i)
  })
  if (doubtful.length === 0) return { verdict, ...out, steps, directions }

  // Follow doubtful runs downhill: where they go is the first candidate for a direction of recession.
  const from = pick(out.theta, P, doubtful)
  const followed = await inOrder(objective, judge.newton, from, doubtful.length, followSteps)
  steps += sum(followed.steps)
  const candidates = doubtful.map((_, n) => {
    const start = from.subarray(n * P, (n + 1) * P)
    const end = followed.theta.subarray(n * P, (n + 1) * P)
    const outer = end.map((v, p) => (p >= judge.outputLayer ? v : 0))
    return [end.map((v, p) => v - start[p]), Float64Array.from(end), outer]
  })
  /** On a plateau, gradient and curvature are both at rounding level; that it is no stationary point shows downhill. */
  const leaves = (n: number): boolean => {
    const start = from.subarray(n * P, (n + 1) * P)
    const end = followed.theta.subarray(n * P, (n + 1) * P)
    const far = start.some((v, p) => Math.abs(end[p] - v) > thresholds.newtonStep * Math.max(1, Math.abs(v)))
    const before = out.loss[doubtful[n]]
    return far && before - followed.loss[n] > thresholds.recessionRise * Math.abs(before)
  }
  const recessive = await recession(judge, followed.theta, followed.loss, candidates)
  const open: number[] = []
  doubtful.forEach((i, n) => {
    const d = recessive[n]
    if (d) {
      verdict[i] = 'diverging'
      out.index[i] = 0
      out.nullity[i] = 0
      directions.set(i, d)
    } else if (verdict[i] === 'unfinished') open.push(n)
    else if (verdict[i] === 'degenerate' && leaves(n)) {
      giveBack(i)
      if (followed.status[n] !== Status.budget) open.push(n)
    } else if (verdict[i] === 'saddle' && !(followed.loss[n] < out.loss[i] - lossSlack(judge, out.loss[i]))) {
      verdict[i] = 'degenerate'
      out.nullity[i] += out.index[i]
      out.index[i] = 0
    }
  })
  // Runs found in f32, and runs whose polishing stopped early: the point reached downhill may be stationary after all.
  if (open.length > 0) {
    const again = await inOrder(objective, judge.polish, pick(followed.theta, P, open), open.length, judge.polishSteps)
    steps += sum(again.steps)
    open.forEach((n, k) => {
      const i = doubtful[n]
      const start = theta.subarray(i * P, (i + 1) * P)
      const end = again.theta.subarray(k * P, (k + 1) * P)
      const far = end.some((v, p) => Math.abs(v - start[p]) > moveLimit(judge) * Math.max(1, Math.abs(start[p])))
      if (!far) take(i, k, again)
    })
  }
  return { verdict, ...out, steps, directions }
}
