/**
 * From end points to verdicts (DESIGN §5): polish in f64, look at inertia and at the Newton step that is still predicted, and
 * where that leaves doubt, follow the run on, and look for a way to infinity.
 *
 * Lengths are measured in scaled variables θ / scale, so that verdicts do not depend on the units of the columns.
 */
import { Status } from '../core/status.js'
import { thresholds } from '../core/thresholds.js'
import { isMixed, nullitiesOf } from './balance.js'
import { Bottom } from './bottom.js'
import { escapes, goingOn, type Escape } from './escape.js'
import { exactlyFlat, hidesFall, mixingRank } from './flat.js'
import {
  breathing,
  followSteps,
  inOrder,
  isFarFrom,
  lossNoise,
  pick,
  sizeOf,
  type JudgedObjective,
  type Runs
} from './follow.js'
import { isReceding, type Found, type Judge, type Judged } from './judge.js'
import { descend, type Descended } from './kinks/descend.js'
import { hasKinks, Pieces } from './kinks/pieces.js'
import { judgeKinks } from './kinks/verdict.js'
import { isOwnWay, maySink, refuteDownstream, standsOf, type Downhill } from './ownWay.js'
import { Polished } from './polished.js'
import { recedingWay } from './receding.js'
import { flatInTails } from './tails.js'
import { crawling, valleysOf, type Valleys } from './valleys.js'
import { hasStep, isGoingOut, isSaturated, onKink } from './units.js'
import { centred, shiftCount } from '../models/network/shift.js'
import { ReasonCode, VerdictCode, type UnfinishedReason, type Verdict } from '../core/result.js'
import type { Network, Problem } from '../models/types.js'

const sum = (v: Uint32Array): number => v.reduce((s, n) => s + n, 0)

/** Largest P for which ways to infinity are looked for. */
const climbParameters = 128

/** Where runs are looked at from. */
type Points = Pick<Runs, 'theta' | 'loss'>

/** The judgement of one block of runs, while it is made. */
class Judging {
  private readonly P: number
  /** Report scalars of polishing. */
  private readonly K: number
  private readonly polished: Polished
  /** Of the report scalars of polishing. */
  private readonly places: Readonly<Record<string, number>>
  private readonly eps: number
  private readonly verdict: Verdict[]
  private readonly loss: Float64Array
  private readonly gradientNorm: Float64Array
  private readonly theta: Float64Array
  private readonly index: Uint32Array
  private readonly nullity: Uint32Array
  private readonly precision: Float64Array
  private readonly ways = new Map<number, Escape>()
  /** Where following unfinished runs has led to. */
  private readonly downhill = new Map<number, Downhill>()
  /** Runs that polishing led to a kink. */
  private readonly kinked = new Set<number>()
  /** Degenerate runs that may be on a way to infinity, and those of them that are flat for the sake of tails alone. */
  private suspects: number[] = []
  private readonly tailed = new Set<number>()
  private readonly bottom: Bottom
  private steps = 0
  private losses = 0
  private readonly valleys: Valleys | null
  /** The objective, counting. */
  private readonly counted: JudgedObjective

  constructor(
    private readonly judge: Judge,
    private readonly found: {
      readonly theta: Float64Array
      readonly loss: Float64Array
      readonly gradientNorm: Float64Array
      readonly status: Uint8Array
    },
    private readonly count: number
  ) {
    this.P = judge.objective.parameters
    this.K = judge.polish.report.length
    this.polished = new Polished(judge)
    this.places = this.polished.places
    this.eps = judge.eps
    this.counted = {
      parameters: this.P,
      evaluate: (theta, needs) => {
        this.losses += theta.length / this.P
        return judge.objective.evaluate(theta, needs)
      },
      minimise: request => judge.objective.minimise(request)
    }
    this.bottom = new Bottom(judge, judge.eps)
    this.valleys = valleysOf(judge.network, judge.scale, this.bottom.nothing)
    this.verdict = new Array<Verdict>(count).fill('unfinished')
    this.theta = found.theta.slice(0, count * this.P)
    this.loss = found.loss.slice(0, count)
    this.gradientNorm = found.gradientNorm.slice(0, count)
    this.index = new Uint32Array(count)
    this.nullity = new Uint32Array(count)
    this.precision = new Float64Array(count).fill(Infinity)
  }

  async run(): Promise<Judged> {
    const { judge, verdict } = this
    const { status } = this.found
    const alive: number[] = []
    for (let i = 0; i < this.count; i++) {
      if (status[i] === Status.failed) verdict[i] = 'failed'
      else if (judge.separated) verdict[i] = 'diverging'
      else if (isReceding(judge, this.found.loss[i])) {
        verdict[i] = 'diverging'
        this.ways.set(i, recedingWay(judge.receding, this.found.theta.subarray(i * this.P, (i + 1) * this.P)))
      } else alive.push(i)
    }
    const open = await this.settle(alive, pick(this.theta, this.P, alive), true)
    // Runs found in f32, and runs whose polishing stopped early: the point reached downhill may be stationary after all.
    await this.settle(open.which, open.from, false)
    await this.turnAtKinks(alive.filter(i => verdict[i] === 'unfinished'))
    const isOpen = (i: number): boolean => verdict[i] === 'unfinished'
    await this.climb(alive.filter(isOpen).concat(this.suspects), this.found)
    await this.goOn(alive.filter(i => isOpen(i) && this.found.gradientNorm[i] <= crawling))
    await this.recount(alive.filter(i => verdict[i] === 'degenerate'))
    const { count, theta, loss, gradientNorm, index, nullity, precision, steps, losses, ways } = this
    return {
      count,
      verdict: Uint8Array.from(verdict, v => VerdictCode[v]),
      reason: Uint8Array.from(verdict, (v, i) => (v === 'unfinished' ? ReasonCode[this.reasonFor(i)] : 0)),
      limit: Float64Array.from(verdict, (_, i) => ways.get(i)?.limit ?? NaN),
      limitError: Float64Array.from(verdict, (_, i) => ways.get(i)?.uncertainty ?? NaN),
      theta,
      loss,
      gradientNorm,
      index,
      nullity,
      precision,
      steps,
      losses,
      ways
    }
  }

  /** Counts flat directions where rounding may hide them from some copies. */
  private async recount(which: readonly number[]): Promise<void> {
    const { judge, theta, P } = this
    if (!judge.network || !isMixed(judge.network.model) || which.length === 0) return
    const { nullity, steps } = await nullitiesOf(this.counted, judge.network.model, judge, pick(theta, P, which))
    this.steps += steps
    which.forEach((i, k) => (this.nullity[i] = nullity[k]!))
  }

  /** Looks for ways to infinity from where runs were found, or have gone on to. */
  private async climb(which: readonly number[], from: Points): Promise<void> {
    const { judge, P, verdict } = this
    if (judge.bounded || which.length === 0) return
    const { network, scale } = judge
    for (const i of await flatInTails(this.counted, network, this.theta, this.suspects, scale, this.eps)) {
      this.tailed.add(i)
      this.giveBack(i)
    }
    if (P > climbParameters) return
    const points = pick(from.theta, P, which)
    // A network's outputs can be what the targets are; of other functions that is not known.
    const floor =
      network !== null && judge.blankLoss !== null
        ? { nothing: this.bottom.nothing, isFar: (n: number) => this.mayFade(which[n], network, from) }
        : null
    const { ways, reached, taken } = await escapes(this.counted, judge.climbs, scale, points, this.eps, floor)
    this.steps += taken
    const { nothing } = this.bottom
    const stands = await standsOf(this.counted, points, pick(from.loss, 1, which), scale, nothing)
    const own = ways.map((way, n) => {
      const isHis = way && isOwnWay(way, stands[n], this.downhill.get(which[n]), judge.penalty)
      return isHis && this.isBorneOut(way, reached[n], from, which[n]) ? way : null
    })
    const origins = pick(this.found.theta, P, which)
    const followed = await refuteDownstream(this.counted, judge, origins, own, nothing, this.polished)
    this.steps += followed.steps
    which.forEach((i, n) => {
      const way = followed.ways[n]
      if (way || this.bottom.isOnTheMove(this.loss[i], this.theta, i * this.P) || this.isSaturated(i)) this.giveBack(i)
      if (!way) return
      verdict[i] = 'diverging'
      // Once below that loss, there is one limit.
      const exact = isReceding(judge, way.limit + way.uncertainty) && { limit: judge.receding.limit, uncertainty: 0 }
      this.ways.set(i, { ...way, ...exact })
    })
  }

  /** Whether following on from the outermost point of a climb shows no lower limit; where units are saturated, rounding hides what they would do. */
  private isBorneOut(way: Escape, reached: Float64Array, from: Points, i: number): boolean {
    const { valleys, found, judge, P } = this
    if (!valleys) return true
    if (!valleys.isLowest(way, reached, from.theta.subarray(i * P, (i + 1) * P))) return false
    return from === found || (!isSaturated(judge.network!, reached) && valleys.bearsOut(way, reached))
  }

  /** Goes on downhill along valleys from where runs were found: some have nearly arrived, and others are on a way to infinity. */
  private async goOn(which: readonly number[]): Promise<void> {
    const { judge, P, found, verdict, valleys } = this
    if (which.length === 0 || judge.bounded || P > climbParameters || !valleys) return
    const ends = { theta: found.theta.slice(), loss: found.loss.slice() }
    const [fitted, growing] = [new Set<number>(), new Set<number>()]
    const ongoing: number[] = []
    const breathe = breathing()
    const origins = pick(found.theta, P, which)
    const { nothing } = this.bottom
    const stands = await standsOf(this.counted, origins, pick(found.loss, 1, which), judge.scale, nothing)
    const ways: (Escape | null)[] = which.map(() => null)
    for (const [n, i] of which.entries()) {
      const from = found.theta.subarray(i * P, (i + 1) * P)
      const end = valleys.goOn(from, this.bottom.isNear(found.loss[i]) || maySink(stands[n], this.downhill.get(i)))
      this.steps += end.steps
      if (end.leadsTo === 'infinity')
        ways[n] = { limit: 0, uncertainty: end.loss, ...goingOn(from, end.theta, judge.scale) }
      else {
        ends.theta.set(end.theta, i * P)
        ends.loss[i] = end.loss
        if (end.leadsTo === 'fit') fitted.add(i)
        if (end.grows) growing.add(i)
        ongoing.push(i)
      }
      await breathe()
    }
    const own = await refuteDownstream(this.counted, judge, origins, ways, nothing, this.polished)
    this.steps += own.steps
    own.ways.forEach((way, n) => {
      if (!way) return
      verdict[which[n]] = 'diverging'
      this.ways.set(which[n], way)
    })
    this.suspects = []
    await this.settle(ongoing, pick(ends.theta, P, ongoing), false)
    // Where something is left of the loss, a valley may be a narrow one that only rounding makes flat.
    for (const i of ongoing)
      if (verdict[i] === 'degenerate' && !fitted.has(i) && !(this.loss[i] <= this.bottom.rounding)) this.giveBack(i)
    // Where |θ| has grown, ways to infinity are looked for once more.
    const open = ongoing.filter(i => verdict[i] === 'unfinished' && growing.has(i))
    // Nothing is lower than a fit of all rows, however flat it may be.
    this.suspects = this.suspects.filter(i => verdict[i] === 'degenerate' && !fitted.has(i))
    await this.climb(open.concat(this.suspects), ends)
  }

  /**
   * Whether a loss that can be 0 may go on falling to that for ever. What has come to a valley without loss, or to next to nothing, has not
   * far to go, unless a unit has become a step, which no finite point makes exact.
   */
  private mayFade(i: number, network: Problem<Network>, from: Points): boolean {
    const isOpen = this.verdict[i] === 'unfinished' || this.bottom.isOnTheMove(this.loss[i], this.theta, i * this.P)
    return (isOpen && from.loss[i] > this.bottom.nothing) || hasStep(network, from.theta, i * this.P)
  }

  /** Where units have kinks, goes on downhill from where runs were found, to points that lie on kinks. */
  private async turnAtKinks(which: readonly number[]): Promise<void> {
    const { scale, eps, network } = this.judge
    if (which.length === 0 || !network || !hasKinks(network.model) || this.P > climbParameters) return
    const pieces = new Pieces(network)
    const breathe = breathing()
    for (const i of which) {
      const point = descend(pieces, scale, this.found.theta.subarray(i * this.P, (i + 1) * this.P), eps)
      this.steps += point.steps
      this.takeKink(i, pieces, point)
      await breathe()
    }
  }

  /** Takes over a point that may lie on kinks, where it is stationary. */
  private takeKink(i: number, pieces: Pieces, point: Descended): void {
    const { P, judge, found } = this
    const { theta, reduced } = point
    const band = thresholds.zeroBandFactor * this.eps * P * reduced.normH
    const isStationary =
      point.newtonStep <= thresholds.newtonStep &&
      point.nullGradient <= thresholds.nullGradient * band * sizeOf(this.judge.scale, theta)
    if (!isStationary || this.hidesFall(reduced.f, point.nullGradient, theta)) return
    const verdict = judgeKinks(pieces, judge.scale, point, this.eps, this.bottom.isAt(reduced.f))
    this.kinked.add(i)
    if (verdict.verdict === 'unfinished' || (verdict.verdict === 'saddle' && this.bottom.isNear(reduced.f))) return
    // An optimiser that stalled could not see beyond the kink; one that ran out of steps had its own way before it.
    const stalled = found.status[i] === Status.stalled
    const origin = found.theta.subarray(i * P, (i + 1) * P)
    const limit = judge.moveLimit ?? (stalled ? Infinity : thresholds.moved)
    if (isFarFrom(this.judge.scale, origin, theta, limit)) return
    const nearby = found.status[i] === Status.budget ? thresholds.newtonStep : thresholds.arrived
    if (verdict.verdict === 'saddle' && !stalled && isFarFrom(this.judge.scale, origin, theta, Math.min(limit, nearby)))
      return
    this.kinked.delete(i)
    this.theta.set(centred(pieces.problem.model, theta), i * P)
    this.loss[i] = reduced.f
    this.gradientNorm[i] = reduced.g.reduce((m, v, p) => Math.max(m, Math.abs(v / judge.scale[p])), 0)
    this.index[i] = verdict.verdict === 'saddle' ? verdict.index : 0
    this.nullity[i] = verdict.verdict === 'minimum' ? 0 : verdict.nullity
    this.precision[i] = point.newtonStep
    this.verdict[i] = verdict.verdict
  }

  private isSaturated(i: number): boolean {
    return this.judge.network !== null && isSaturated(this.judge.network, this.found.theta, i * this.P)
  }

  /** At a kink curvature and gradient hold to one side only, and say nothing about the others. */
  private isKinked(theta: Float64Array, uncertainty: number): boolean {
    const { network, scale } = this.judge
    return network !== null && (onKink(network, theta, uncertainty) || isGoingOut(network, theta, scale))
  }

  private reasonFor(i: number): UnfinishedReason {
    if (this.kinked.has(i)) return 'kink'
    if (this.tailed.has(i) || this.isSaturated(i)) return 'saturated'
    return this.found.status[i] === Status.budget ? 'budget' : 'stalled'
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
    const steep = await this.steep(polished, which.length)
    const doubtful: number[] = []
    which.forEach((i, n) => {
      if (!steep.has(n) && this.take(i, n, polished) ? this.isDoubtful(i, report(n)) : first) doubtful.push(n)
    })
    if (doubtful.length === 0) return none

    // Follow doubtful runs downhill.
    const begin = doubtful.map((n): Float64Array => {
      const i = which[n]
      const at =
        verdict[i] === 'unfinished' ? from.subarray(n * P, (n + 1) * P) : this.theta.subarray(i * P, (i + 1) * P)
      return at.slice()
    })
    const starts = new Float64Array(doubtful.length * P)
    begin.forEach((point, k) => starts.set(point, k * P))
    const followed = await inOrder(
      objective,
      judge.newton,
      starts,
      doubtful.length,
      followSteps(P, judge.flatDirections !== null)
    )
    this.steps += sum(followed.steps)
    const ends = doubtful.map((_, k) => followed.theta.subarray(k * P, (k + 1) * P))
    const noise = await lossNoise(this.counted, followed.theta, followed.loss, this.eps)

    const open: number[] = []
    doubtful.forEach((n, k) => {
      const i = which[n]
      const drop = this.loss[i] - followed.loss[k]
      if (verdict[i] === 'unfinished') {
        open.push(k)
        this.downhill.set(i, { loss: followed.loss[k], isFinite: false })
      } else if (verdict[i] === 'degenerate') {
        // On a plateau, gradient and curvature are both at rounding level; that it is no stationary point shows downhill.
        const leaves =
          drop > Math.max(noise[k], this.bottom.nothing) + 2 * Math.abs(report(n)[this.places.decrease]) &&
          isFarFrom(this.judge.scale, begin[k], ends[k], thresholds.newtonStep)
        const { nullGradient } = this.places
        // A convex model's minimiser has no more flat directions than its data leave open.
        const isTooFlat = judge.flatDirections !== null && this.nullity[i] > judge.flatDirections
        if (!leaves && !isTooFlat && !this.hidesFall(this.loss[i], report(n)[nullGradient], begin[k])) {
          // What is as small as it can be cannot go on falling.
          if (judge.blankLoss === null || !(this.loss[i] <= noise[k])) this.suspects.push(i)
          return
        }
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

  /** Polished points whose slope is no rounding, though the zero band of a huge curvature hides it; near 0 residuals bend a network's loss more. */
  private async steep({ report, theta, loss }: Runs, count: number): Promise<ReadonlySet<number>> {
    const { K, P, places } = this
    const all = Array.from({ length: count }, (_, n) => n)
    const flat = all.filter(
      n => report[n * K + places['zero']] > 0 && !(this.judge.network && this.bottom.isLittle(loss[n]))
    )
    const points = pick(theta, P, flat)
    const noise = await lossNoise(this.counted, points, pick(loss, 1, flat), this.eps)
    const reach = (k: number): number =>
      thresholds.newtonStep * sizeOf(this.judge.scale, points.subarray(k * P, (k + 1) * P))
    return new Set(flat.filter((n, k) => reach(k) * report[n * K + places['nullGradient']] > noise[k]))
  }

  /** Whether the optimiser had come to the stationary point itself: its own way may lead past a saddle beside it. */
  private hadArrived(i: number, report: Float64Array): boolean {
    const limit = this.found.status[i] === Status.budget ? thresholds.newtonStep : thresholds.arrived
    return report[this.places.moved] <= limit
  }

  /** Takes over a stationary point; false where it is none. */
  private take(i: number, n: number, run: Runs): boolean {
    const { P, K } = this
    const report = run.report.subarray(n * K, (n + 1) * K)
    const at = run.theta.subarray(n * P, (n + 1) * P)
    if (run.status[n] === Status.failed || !this.polished.isStationary(report, at)) return false
    const origin = this.found.theta.subarray(i * P, (i + 1) * P)
    // In a valley without loss a run has arrived wherever along it the last digits lead.
    const settled =
      this.bottom.isLittle(this.found.loss[i]) &&
      run.loss[n] <= this.bottom.nothing &&
      !(report[this.places.negative] > 0)
    if (!settled && isFarFrom(this.judge.scale, origin, at, this.judge.moveLimit ?? thresholds.moved)) {
      const isFinite = this.polished.isWhollyCurved(report, at) || this.bottom.isFit(run.loss[n], at)
      if (isFinite && !(report[this.places.negative] > 0)) this.downhill.set(i, { loss: run.loss[n], isFinite })
      return false
    }
    // Beside a kink polishing stops, for the gradient beyond it is another.
    if (this.isKinked(at, report[this.places.newtonStep])) {
      this.kinked.add(i)
      return false
    }
    if (report[this.places.negative] > 0 && (this.bottom.isNear(run.loss[n]) || !this.hadArrived(i, report)))
      return false
    const network = this.judge.network?.model
    this.theta.set(network ? centred(network, at) : at, i * P)
    this.loss[i] = run.loss[n]!
    this.gradientNorm[i] = run.gradientNorm[n]!
    this.index[i] = report[this.places.negative]
    this.nullity[i] = Math.max(0, report[this.places.zero] - (network ? shiftCount(network) : 0))
    this.precision[i] = report[this.places.newtonStep]
    // Near its orbit a point has a little curvature yet along it: what a symmetry leaves flat is known beforehand.
    const orbit = network ? mixingRank(network, at) : 0
    this.nullity[i] = Math.max(this.nullity[i], orbit)
    if (this.bottom.isAt(this.loss[i])) {
      // Nothing leads down from there, whatever rounding makes of the curvature.
      this.nullity[i] += this.index[i]
      this.index[i] = 0
    }
    this.verdict[i] = this.index[i] > 0 ? 'saddle' : this.nullity[i] > 0 ? 'degenerate' : 'minimum'
    return true
  }

  private hidesFall(loss: number, nullGradient: number, theta: Float64Array): boolean {
    const { judge, bottom } = this
    if (!judge.network || bottom.isLittle(loss)) return false
    return hidesFall(nullGradient * sizeOf(judge.scale, theta), Math.max(Math.abs(loss), judge.blankLoss || 1))
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

  /** Whether a stationary point needs a second look. */
  private isDoubtful(i: number, report: Float64Array): boolean {
    if (this.verdict[i] === 'saddle') return this.polished.isWeakSaddle(report)
    if (this.verdict[i] !== 'degenerate') return false
    if (this.bottom.isOnTheMove(this.loss[i], this.theta, i * this.P)) return true
    const { flatDirections } = this.judge
    if (flatDirections !== null) return this.nullity[i] > flatDirections
    const network = this.judge.network?.model
    return this.nullity[i] > (network ? exactlyFlat(network, this.theta, i * this.P) : 0)
  }
}

/**
 * Verdicts of a block of finished runs.
 * @param theta [count, P] where the runs ended
 * @param found loss and gradient norm there, and how the run loop stopped them
 */
export async function judgeRuns(judge: Judge, theta: Float64Array, found: Found, count: number): Promise<Judged> {
  // Far out along a number that is added to all outputs, differences of outputs have lost their digits.
  const own = judge.network ? centred(judge.network.model, theta) : theta
  return new Judging(judge, { ...found, theta: own }, count).run()
}
