/**
 * Downhill along narrow curved valleys, by the method of Levenberg and Marquardt on residuals. Its steps come of a QR decomposition of the
 * outputs' derivatives, whose condition number is the root of the Hessian's, so that it goes on where rounding hides the floor of a valley from
 * Newton's method. Where the valley is bent, geodesic acceleration bends each step with it (Transtrum and Sethna 2012). Or else parameters in
 * which the residuals are linear are not damped, and wherever a step leads they are the best ones there: variable projection (Golub and
 * Pereyra 1973, in the form of Kaufman 1975), which comes to fits in a few steps that are hundreds away otherwise, but leaves the run's own
 * valley sooner.
 */
import { norm } from '../core/linalg.js'
import type { Gap } from './fading.js'
import { scaledLength } from './follow.js'
import type { Residual, Residuals } from './residuals.js'

/** What damping begins with, relative to the columns' lengths, and its bounds. */
const firstDamping = 1e-3
const leastDamping = 2 ** -52
const mostDamping = 1e12
/** It is divided by this where f falls by more than `trusted` of what was predicted, doubled below `distrusted`, and multiplied so on a failure. */
const relax = 3
const trusted = 0.75
const distrusted = 0.25
const stiffen = 4
/** Acceleration is within this share of the step, in damped lengths: beyond, the step is too long for it. */
const accelerated = 0.75
/** Longest step, relative to max(1, |θ|). */
const longest = 0.5
/** A column counts as at least this share of the longest; all of them as that one where parameters are projected. */
const leastColumn = 1e-8

/** Parameters in which the residuals are linear are damped by no more than rounding asks for, relative to the longest column. */
const undamped = 2 ** -50
/** Losses are noted where |θ| has grown by this factor. */
const noted = 1.2

export interface Descent {
  /** [P] */
  readonly theta: Float64Array
  readonly loss: number
  readonly steps: number
  /** Lengths |θ| to which it had grown on the way, at least by `noted` each time, and the losses there; the first is that of the start. */
  readonly path: readonly Gap[]
}

/** The best parameters to which residuals are linear, the others given. */
class Projection {
  private readonly columns: Float64Array[]
  private readonly factor: Factor
  private readonly damping: Float64Array
  private spare: Residual

  constructor(private readonly residuals: Residuals) {
    const { count, linear } = residuals
    this.columns = linear.map(() => new Float64Array(count))
    this.factor = new Factor(count, linear.length)
    this.damping = new Float64Array(linear.length)
    this.spare = residuals.blank()
  }

  /** Moves a point to where they are best, if that is lower. @returns the point, in one of the two spaces */
  project(point: Residual): Residual {
    const { residuals, columns, factor, damping } = this
    const { linear, scale } = residuals
    if (!Number.isFinite(point.loss)) return point
    residuals.differentiateOutputs(point, columns)
    const top = Math.max(...columns.map(norm))
    if (!(top > 0 && Number.isFinite(top))) return point
    factor.decompose(columns)
    factor.damp(damping.fill(top), undamped)
    const theta = point.theta.slice()
    const change = factor.solve(point.r.map(v => -v))
    linear.forEach((p, k) => (theta[p] += scale[p] * change[k]))
    residuals.evaluate(theta, this.spare)
    if (!(this.spare.loss < point.loss)) return point
    const better = this.spare
    this.spare = point
    return better
  }
}

/**
 * Goes down from θ [P] for at most so many steps.
 * @param projects whether parameters in which the residuals are linear are always the best ones; there must be some
 */
export function goDown(residuals: Residuals, start: Float64Array, most: number, projects = false): Descent {
  const { parameters: P, count: N, scale } = residuals
  const linear = projects ? residuals.linear : []
  const projection = projects ? new Projection(residuals) : null
  const isLinear = Uint8Array.from({ length: P }, (_, p) => (linear.includes(p) ? 1 : 0))
  let [here, there] = [residuals.blank(), residuals.blank()]
  residuals.evaluate(start.slice(), here)
  const path: Gap[] = [{ radius: scaledLength(start, scale), gap: here.loss }]
  if (projection) here = projection.project(here)
  const columns = Array.from({ length: P }, () => new Float64Array(N))
  const factor = new Factor(N, P)
  const damping = new Float64Array(P)
  const [away, bend] = [new Float64Array(N), new Float64Array(N)]
  let top = 0
  const dampedLength = (v: Float64Array): number => norm(v.map((a, p) => (isLinear[p] ? 0 : a * damping[p])))
  const moved = (v: Float64Array): number => norm(v.map((a, p) => (isLinear[p] ? 0 : a)))
  const damp = (): void => {
    for (let p = 0; p < P; p++) if (isLinear[p]) damping[p] = (undamped * top) / Math.sqrt(lambda)
    factor.damp(damping, Math.sqrt(lambda))
  }
  let lambda = firstDamping
  let isFresh = true
  /** Whether a step from here has failed. */
  let isStiff = false
  let steps = 0
  const goes = (): boolean => steps < most && lambda <= mostDamping && Number.isFinite(here.loss)
  for (; goes(); steps++) {
    if (isFresh) {
      residuals.differentiate(here, columns)
      top = 0
      for (let p = 0; p < P; p++) top = Math.max(top, (damping[p] = norm(columns[p])))
      if (!(top > 0 && Number.isFinite(top))) break
      // Beside parameters that are always the best ones, the lengths of columns say little of how far a step may go.
      const least = projection ? top : leastColumn * top
      for (let p = 0; p < P; p++) damping[p] = Math.max(damping[p], least)
      factor.decompose(columns)
      for (let n = 0; n < N; n++) away[n] = -here.r[n]
      isFresh = false
    }
    damp()
    const step = factor.solve(away)
    const damped = dampedLength(step)
    const predicted = 0.5 * factor.square(step) + lambda * damped * damped
    if (predicted <= here.noise) {
      // Across the valley all is settled but for rounding; along it, less damped steps may still lead down.
      if (isStiff || lambda <= leastDamping) break
      lambda = Math.max(leastDamping, lambda / stiffen)
      continue
    }
    there.loss = NaN
    if (moved(step) <= longest * Math.max(1, scaledLength(here.theta, scale))) {
      let turn: Float64Array | undefined
      if (!projection) {
        residuals.bendAlong(here, step, bend)
        turn = factor.solve(bend)
      }
      if (!turn || dampedLength(turn) <= 2 * accelerated * damped) {
        residuals.evaluate(
          here.theta.map((v, p) => v + scale[p] * (step[p] - (turn ? turn[p] / 2 : 0))),
          there
        )
        if (projection) there = projection.project(there)
      }
    }
    if (there.loss < here.loss) {
      const ratio = (here.loss - there.loss) / predicted
      lambda = Math.max(leastDamping, ratio > trusted ? lambda / relax : ratio < distrusted ? 2 * lambda : lambda)
      ;[here, there] = [there, here]
      isFresh = true
      isStiff = false
      const radius = scaledLength(here.theta, scale)
      if (radius >= noted * path[path.length - 1].radius) path.push({ radius, gap: here.loss })
    } else {
      lambda *= stiffen
      isStiff = true
    }
  }
  return { theta: here.theta, loss: here.loss, steps, path }
}

/** A zero of the residuals is near where a step that removes all but this share of them is this short, and hardly bent. */
const leavesShare = 1e-3
const nearBy = 1e-6
const bentShare = 0.1

/**
 * Whether a point without residuals lies beside θ [P], by a step of Newton's method that is short and straight. Where a row is in the tail of a
 * unit, no short step removes what is left of it.
 */
export function isBesideFit(residuals: Residuals, theta: Float64Array): boolean {
  const { parameters: P, count: N, scale } = residuals
  const here = residuals.blank()
  residuals.evaluate(theta, here)
  const columns = Array.from({ length: P }, () => new Float64Array(N))
  residuals.differentiate(here, columns)
  const factor = new Factor(N, P)
  factor.decompose(columns)
  factor.damp(Float64Array.from(columns, norm).fill(Math.max(...columns.map(norm))), Math.sqrt(leastDamping))
  // What rounding may hide is to be removed with what is seen, in signs that no row shares with the next.
  const hidden = Number.EPSILON * norm(here.units[here.units.length - 1])
  const r = here.r.map((v, n) => v + (((n * 0x9e3779b1) >>> 7) & 1 ? hidden : -hidden))
  const step = factor.solve(r.map(v => -v))
  const left = r.map((v, n) => columns.reduce((sum, column, p) => sum + column[n] * step[p], v))
  const bend = new Float64Array(N)
  residuals.bendAlong(here, step, bend)
  return (
    norm(left) <= leavesShare * norm(r) &&
    norm(step) <= nearBy * Math.max(1, scaledLength(theta, scale)) &&
    norm(bend) <= bentShare * norm(r)
  )
}

/** Least squares with a damping that changes: J = QR once, then [R; √λ D] for each λ (Golub and Van Loan, §5.2). */
class Factor {
  /** Upper triangles are those of R, reflectors below, whose heads are 1. */
  private readonly work: Float64Array[]
  private readonly beta: Float64Array
  /** [P][2P]: R, and what damping adds. */
  private readonly damped: Float64Array[]
  private readonly dampedBeta: Float64Array
  private readonly rank: number

  constructor(
    private readonly N: number,
    private readonly P: number
  ) {
    this.rank = Math.min(N, P)
    this.work = Array.from({ length: P }, () => new Float64Array(N))
    this.beta = new Float64Array(P)
    this.damped = Array.from({ length: P }, () => new Float64Array(2 * P))
    this.dampedBeta = new Float64Array(P)
  }

  decompose(columns: readonly Float64Array[]): void {
    const { N, P, work, beta } = this
    for (let p = 0; p < P; p++) work[p].set(columns[p])
    for (let k = 0; k < this.rank; k++) {
      beta[k] = reflector(work[k], k, k + 1, N)
      for (let j = k + 1; j < P; j++) reflect(work[k], beta[k], k, k + 1, N, work[j])
    }
  }

  damp(damping: Float64Array, root: number): void {
    const { P, damped, dampedBeta } = this
    for (let p = 0; p < P; p++) {
      const column = damped[p].fill(0)
      for (let k = 0; k < Math.min(p + 1, this.rank); k++) column[k] = this.work[p][k]
      column[P + p] = root * damping[p]
    }
    // Of what damping adds, the first k + 1 rows have come to column k.
    for (let k = 0; k < P; k++) {
      dampedBeta[k] = reflector(damped[k], k, P, P + k + 1)
      for (let j = k + 1; j < P; j++) reflect(damped[k], dampedBeta[k], k, P, P + k + 1, damped[j])
    }
  }

  /** ‖J p‖² */
  square(p: Float64Array): number {
    let sum = 0
    for (let k = 0; k < this.rank; k++) {
      let entry = 0
      for (let j = k; j < this.P; j++) entry += this.work[j][k] * p[j]
      sum += entry * entry
    }
    return sum
  }

  /** argmin ‖J p − b‖² + λ ‖D p‖² */
  solve(b: Float64Array): Float64Array {
    const { N, P, rank, damped } = this
    const c = b.slice()
    for (let k = 0; k < rank; k++) reflect(this.work[k], this.beta[k], k, k + 1, N, c)
    const e = new Float64Array(2 * P)
    for (let k = 0; k < rank; k++) e[k] = c[k]
    for (let k = 0; k < P; k++) reflect(damped[k], this.dampedBeta[k], k, P, P + k + 1, e)
    const x = new Float64Array(P)
    for (let k = P - 1; k >= 0; k--) {
      let sum = e[k]
      for (let j = k + 1; j < P; j++) sum -= damped[j][k] * x[j]
      x[k] = sum / damped[k][k]
    }
    return x
  }
}

/** Makes of entry `head` and those from `from` to `to` a reflector onto the head, which becomes what is left there. */
function reflector(v: Float64Array, head: number, from: number, to: number): number {
  let square = v[head] * v[head]
  for (let i = from; i < to; i++) square += v[i] * v[i]
  const length = Math.sqrt(square)
  if (!(length > 0)) return 0
  const alpha = v[head] > 0 ? -length : length
  const first = v[head] - alpha
  for (let i = from; i < to; i++) v[i] /= first
  v[head] = alpha
  return -first / alpha
}

function reflect(v: Float64Array, beta: number, head: number, from: number, to: number, b: Float64Array): void {
  let sum = b[head]
  for (let i = from; i < to; i++) sum += v[i] * b[i]
  sum *= beta
  b[head] -= sum
  for (let i = from; i < to; i++) b[i] -= sum * v[i]
}
