/**
 * Refits with one coefficient held, all of them at once: the lanes of one batch are the coefficients, each held at one value, or moved to
 * where the likelihood has fallen by a given amount. A coefficient of the user is a linear form cᵀθ of the coordinates that are computed
 * in, so that the step is Newton's for f under cᵀθ = v (Nocedal & Wright 2006, §16.1); the value itself moves by Newton's method on
 * the signed root of the fall, whose slope the multiplier gives (Venzon & Moolgavkar 1988).
 */
import { dot } from '../../core/linalg.js'
import type { Objective } from '../../engines/types.js'
import { scaledCholesky, solveScaled, type ScaledCholesky } from '../jacobi.js'

/** f over the coordinates that are free, and its minimum. */
export interface Surface {
  readonly objective: Pick<Objective, 'evaluate' | 'parameters'>
  /** Places of the n free coordinates in θ [P]; the others are 0. */
  readonly free: readonly number[]
  /** [n] */
  readonly minimiser: Float64Array
  /** What f is multiplied by to be minus the log-likelihood over its dispersion. */
  readonly unit: number
}

/** The form c [n], and where it is held, or the root of twice the fall that it is moved to, with its sign. */
export type Refit =
  { readonly form: Float64Array; readonly at: number } | { readonly form: Float64Array; readonly root: number }

export interface Refitted {
  /** cᵀθ */
  readonly value: number
  /** Twice the fall of the log-likelihood over the dispersion. */
  readonly fall: number
}

/** Evaluations at most; some ten are usual. */
const limit = 300
/** How well twice the fall, which a refit is done by, is known, relative to it. */
const accuracy = 1e-10
/** What holding the form may still gain when the fall is compared with that which is wanted. */
const near = 0.05
/** A step is taken when f is above its quadratic model by no more than this share of the second-order part. */
const trusted = 0.25
const shortest = 2 ** -40

interface Point {
  readonly theta: Float64Array
  readonly f: number
  readonly g: Float64Array
  readonly H: Float64Array
}

/** A positive definite factor of H, or of a matrix near it where H has none. */
function factorNear(H: Float64Array, n: number): ScaledCholesky | undefined {
  if (!H.every(Number.isFinite)) return undefined
  for (let tau = 0; tau < 1e8; tau = tau === 0 ? 1e-6 : tau * 100) {
    const A = H.slice()
    for (let i = 0; i < n; i++) A[i * n + i] = A[i * n + i] + tau * Math.abs(A[i * n + i])
    const factor = scaledCholesky(A, n)
    if (factor) return factor
  }
  return undefined
}

class Lane {
  result: Refitted | undefined
  failed = false
  private point: Point
  private step = new Float64Array(0)
  private share = 1
  private slope = 0
  private curve = 0
  private readonly origin: number
  /** Of values of the form. */
  private readonly rounding: number
  /** Values known to be before and behind the one that is looked for. */
  private before: number
  private behind = NaN

  constructor(
    private readonly refit: Refit,
    start: Point,
    private readonly top: number,
    private readonly unit: number
  ) {
    this.point = start
    this.origin = this.before = this.value
    const size = start.theta.reduce((sum, v, i) => sum + Math.abs(v * refit.form[i]), 0)
    this.rounding = 2 * start.theta.length * Number.EPSILON * size
    this.plan()
  }

  get open(): boolean {
    return !this.failed && this.result === undefined
  }
  private get value(): number {
    return dot(this.refit.form, this.point.theta)
  }

  /** The point to look at next. */
  trial(): Float64Array {
    return this.point.theta.map((v, i) => v + this.share * this.step[i])
  }

  /** Takes what was found there, or a shorter step. */
  take(found: Point): void {
    const { share, slope, curve } = this
    const second = 0.5 * share * share * curve
    const excess = found.f - this.point.f - share * slope - second
    const rounding = 16 * Number.EPSILON * Math.abs(this.point.f)
    const good =
      excess <= trusted * Math.abs(second) + rounding &&
      found.g.every(Number.isFinite) &&
      found.H.every(Number.isFinite)
    if (good) {
      this.point = found
      this.plan()
    } else if (share > shortest) this.share = 0.5 * share
    else this.failed = true
  }

  private plan(): void {
    const { form } = this.refit
    const { g, H, theta, f } = this.point
    const n = theta.length
    const factor = factorNear(H, n)
    if (!factor) {
      this.failed = true
      return
    }
    const u = solveScaled(factor, form)
    const w = solveScaled(factor, g)
    const [cu, cw] = [dot(form, u), dot(form, w)]
    // What holding the form would still gain, and the fall when that is had.
    const gain = Math.max(0, this.unit * (dot(g, w) - (cw * cw) / cu))
    const fall = Math.max(0, 2 * this.unit * (f - this.top) - gain)
    const { value } = this
    const goal = 'at' in this.refit ? this.refit.at : this.moved(fall, gain, cw / cu, cu)
    const rest = goal - value
    const exact = Math.max(accuracy * Math.max(fall, 1e-3), 4 * Number.EPSILON * this.unit * Math.abs(f))
    const arrived =
      'at' in this.refit ? Math.abs(rest) <= this.rounding : Math.abs(fall - this.refit.root ** 2) <= exact
    // The fall is right to the square of what is left to gain.
    if (arrived && gain <= Math.max(1e-7 * fall, exact)) {
      this.result = { value, fall }
      return
    }
    const lambda = (rest + cw) / cu
    this.step = w.map((v, i) => lambda * u[i] - v)
    this.share = 1
    this.slope = dot(g, this.step)
    this.curve = 0
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) this.curve += this.step[i] * H[i * n + j] * this.step[j]
  }

  /** Where the form goes next. `multiplier`: slope of the least f over the form's values; `cu`: its inverse curvature. */
  private moved(fall: number, gain: number, multiplier: number, cu: number): number {
    const { value, origin } = this
    const signed = (this.refit as { root: number }).root
    const [root, way] = [Math.abs(signed), Math.sign(signed)]
    // The Wald statistic's way: exact where f is quadratic.
    const whole = way * root * Math.sqrt(cu / this.unit)
    if (value === origin) return value + whole
    if (gain > near * root * root) return value
    const now = Math.sqrt(fall)
    if (now < root) this.before = value
    else this.behind = value
    let next = value + ((root - now) * now) / (this.unit * multiplier)
    const most = value + 2 * (value - origin)
    if (way * (next - most) > 0) next = most
    const isBetween = way * (next - this.before) > 0 && !(way * (next - this.behind) > 0)
    if (isBetween) return next
    return Number.isNaN(this.behind) ? most : 0.5 * (this.before + this.behind)
  }
}

/** Lanes of one evaluation hold so many numbers of Hessians at most. */
const hessianNumbers = 2e7

/**
 * Solves refits side by side.
 * @returns in their order; undefined where one was not solved
 */
export async function refitAll(surface: Surface, refits: readonly Refit[]): Promise<(Refitted | undefined)[]> {
  const { objective, free, minimiser, unit } = surface
  const P = objective.parameters
  const n = free.length
  const evaluate = async (points: readonly Float64Array[]): Promise<Point[]> => {
    const theta = new Float64Array(points.length * P)
    points.forEach((point, r) => free.forEach((p, k) => (theta[r * P + p] = point[k])))
    const { f, g, H } = await objective.evaluate(theta, { g: true, H: true })
    return points.map((point, r) => ({
      theta: point,
      f: f[r],
      g: Float64Array.from(free, p => g![r * P + p]),
      H: Float64Array.from({ length: n * n }, (_, at) => H![(r * P + free[Math.floor(at / n)]) * P + free[at % n]])
    }))
  }
  const [top] = await evaluate([minimiser])
  const lanes = refits.map(refit => new Lane(refit, top, top.f, unit))
  const together = Math.max(1, Math.floor(hessianNumbers / (P * P)))
  for (let from = 0; from < lanes.length; from += together) {
    let open = lanes.slice(from, from + together).filter(lane => lane.open)
    for (let round = 0; round < limit && open.length > 0; round++) {
      const found = await evaluate(open.map(lane => lane.trial()))
      open.forEach((lane, i) => lane.take(found[i]))
      open = open.filter(lane => lane.open)
    }
  }
  return lanes.map(lane => lane.result)
}
