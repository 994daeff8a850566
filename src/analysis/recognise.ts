/**
 * Certify once, recognise ever after (DESIGN §4.1). A run is brought to canonical form and by Newton's method to the strict minimum beside
 * it, whose coordinates are refined until they are the correctly rounded ones. A minimum that is met again is proved, with a box in which
 * Newton's method converges to it; a later run that ends in the box is that minimum by one comparison. Newton's method would
 * have led it to the same numbers, so that what is known when makes no difference.
 */
import { VerdictCode } from '../core/result.js'
import { Spare } from '../core/spare.js'
import { Status } from '../core/status.js'
import { thresholds } from '../core/thresholds.js'
import { genericCoefficients } from '../models/network/symmetry.js'
import { canonicalizerOf, hiddenActivation, isOwnCopy, type AnyCanonicalizer } from '../models/model.js'
import { centre, centred } from '../models/network/shift.js'
import { RankedIds } from './ranked.js'
import type { Model } from '../models/types.js'
import { inOrder } from './follow.js'
import { isReceding, type Found, type Judge, type Judged } from './judge.js'
import { judgeRuns } from './verdict.js'
import { apart, together, type JudgedRuns } from './judgedRuns.js'
import type { RunBlock } from '../runs/table.js'
import type { Certifier, Proofs } from '../engines/types.js'

/** Runs that are taken to their minima before others are compared with these: so many at first, then twice as many each time. */
const firstChunk = 2
/** A minimum counts as strict here only where its condition is this many zero bands; others are judged by their eigenvalues. */
const clearlyStrict = 16
/** Steps of Newton's method that bring a run from where f32 rounds into a box. */
const approachSteps = 4
/** Of gradients in conditioned coordinates: points are then well within boxes. */
const approached = 2 ** -30
/** Boxes in which Newton's method surely converges. */
const contracting = 0.25

/** Minima that are remembered at most; to others each run is taken by itself. */
const mostKnown = 2 ** 16

/** In place of the number of a minimum that is not remembered. */
const unknown = -1

/** Runs as a search left them. */
export type SearchedRuns = Pick<RunBlock, 'theta' | 'loss' | 'gradientNorm' | 'status'>

/** A minimum that Newton's method led to from canonical form. */
interface Known {
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  /** [P] half widths of its box; null as long as it is not proved. */
  radii: Float64Array | null
  /** Whether a proof has been tried. */
  tried: boolean
}

/** The minima that a study has proved so far. Not re-entrant between awaits of one block: blocks share what they find. */
export class Recogniser {
  private readonly P: number
  private readonly canonicalizer: AnyCanonicalizer
  private readonly known: Known[] = []
  /** By the functional: all of them, and those with a box. */
  private readonly met = new RankedIds()
  private readonly ranked = new RankedIds()
  private readonly c: Float64Array
  private readonly point: Float64Array
  private readonly own: Float64Array
  private reach = 0
  private last = -1
  private readonly plain: boolean
  /** What became of blocks all of whose runs were settled, until they are judged. */
  private readonly settledBlocks = new WeakMap<object, JudgedRuns>()

  constructor(
    private readonly judge: Judge,
    private readonly certifier: Certifier,
    private readonly model: Model,
    private readonly most = mostKnown
  ) {
    this.P = judge.objective.parameters
    this.canonicalizer = canonicalizerOf(model)
    this.plain = isOwnCopy(model)
    this.c = genericCoefficients(this.P)
    this.point = new Float64Array(this.P)
    this.own = new Float64Array(this.P)
  }

  /** As `judgeRuns`, with runs that end at one copy of a minimum in one row; the arrays may be of `spare`. */
  async judgeRuns(ends: Float64Array, found: Found, count: number, spare = new Spare()): Promise<JudgedRuns> {
    const { judge, P } = this
    const before = this.settledBlocks.get(found)
    if (before && this.settledBlocks.delete(found)) return before
    if (judge.separated) return apart(await judgeRuns(judge, ends, found, count))
    const theta = centred(this.model, ends)
    const out = new Recognised(P, count, this.plain, spare)
    const others = await this.sort(theta, found, count, out)
    const recognised = out.judged(this.judge.eps)
    if (others.length === 0) return recognised
    const rest = await judgeRuns(
      judge,
      take(theta, P, others),
      {
        loss: Float64Array.from(others, i => found.loss[i]),
        gradientNorm: Float64Array.from(others, i => found.gradientNorm[i]),
        status: Uint8Array.from(others, i => found.status[i])
      },
      others.length
    )
    return together(recognised, apart(rest), others)
  }

  /**
   * Moves converged runs that Newton's method leads to clearly strict minima beside them onto these, with the numbers found there. Where
   * that is all of them, judging the same block is done with.
   * @returns the other runs, ascending
   */
  async settleRuns(runs: SearchedRuns, count: number, spare: Spare): Promise<number[]> {
    const { judge, P } = this
    if (judge.separated) return Array.from({ length: count }, (_, i) => i)
    const out = new Recognised(P, count, this.plain, spare)
    const status = runs.status.map(s => (s === Status.converged ? s : Status.failed))
    const others = await this.sort(centred(this.model, runs.theta), { ...runs, status }, count, out, true)
    out.moveTo(runs, others)
    if (others.length === 0) this.settledBlocks.set(runs, out.judged(judge.eps))
    else out.giveBack()
    return others
  }

  /**
   * Files runs that are at known minima, or are led to one, and returns the others, ascending: whatever was known before.
   * @param rough most of them are yet outside of boxes
   */
  private async sort(
    theta: Float64Array,
    found: Found,
    count: number,
    out: Recognised,
    rough = false
  ): Promise<number[]> {
    const { judge } = this
    const others: number[] = []
    let size = firstChunk
    for (let i = 0; i < count; size *= 2) {
      const chunk: number[] = []
      while (chunk.length < size && (i = this.leading(theta, found, i, count, out)) < count) {
        if (found.status[i] === Status.failed || isReceding(judge, found.loss[i])) others.push(i)
        else if (!this.recognise(theta, i, out)) chunk.push(i)
        i++
      }
      if (chunk.length > 0) others.push(...(await this.settle(theta, chunk, out, rough)))
    }
    return others.sort((a, b) => a - b)
  }

  /**
   * Without symmetries most runs end where the last one did: files those from `from` on that do, all at once, and returns the first that
   * does not.
   */
  private leading(theta: Float64Array, found: Found, from: number, count: number, out: Recognised): number {
    if (!this.plain || this.last < 0) return from
    const known = this.known[this.last]
    if (!known.radii) return from
    const failed = found.status.indexOf(Status.failed, from)
    const to = this.certifier.firstOutside(theta, from, failed < 0 ? count : failed, known.theta, known.radii)
    if (to > from) out.file(from, to, this.last, known, known.theta)
    return to
  }

  /** Whether run i ends in the box of a known minimum; then it is filed as that. */
  private recognise(theta: Float64Array, i: number, out: Recognised): boolean {
    const { point } = this
    if (this.reach === 0) return false
    this.bring(theta, i)
    const id = this.last >= 0 && this.holds(this.last, point) ? this.last : this.find(point)
    if (id < 0) return false
    this.last = id
    out.file(i, i + 1, id, this.known[id], this.restored(this.known[id]))
    return true
  }

  /** Run i in canonical form, in `point`; flips that biases take up move their sum over the classes. */
  private bring(theta: Float64Array, i: number): void {
    this.canonicalizer.canonicalize(theta, this.point, i * this.P)
    centre(this.model, this.point)
  }

  /** The copy of a minimum by the element that the canonicalizer took last. */
  private restored({ theta }: Known): Float64Array {
    this.canonicalizer.restore(theta, this.own)
    return this.own
  }

  private holds(id: number, point: Float64Array): boolean {
    const { theta, radii } = this.known[id]
    if (!radii) return false
    for (let p = 0; p < this.P; p++) if (!(Math.abs(point[p] - theta[p]) <= radii[p])) return false
    return true
  }

  private functional(point: Float64Array): number {
    let sum = 0
    for (let p = 0; p < this.P; p++) sum += this.c[p] * point[p]
    return sum
  }

  private find(point: Float64Array): number {
    const t = this.functional(point)
    return this.ranked.within(t - this.reach, t + this.reach, id => this.holds(id, point))
  }

  /**
   * Takes runs to strict minima beside them and files them; returns those that come to none, or to one that is not clearly strict.
   * @param rough a few steps of Newton's method on all of them at once may bring them into known boxes
   */
  private async settle(
    theta: Float64Array,
    which: readonly number[],
    out: Recognised,
    rough: boolean
  ): Promise<number[]> {
    const { P, point, known } = this
    const from = new Float64Array(which.length * P)
    which.forEach((i, n) => {
      this.bring(theta, i)
      from.set(point, n * P)
    })
    const others: number[] = []
    const file = (n: number, id: number, minimum: Known): void => {
      this.bring(theta, which[n])
      out.file(which[n], which[n] + 1, id, minimum, this.restored(minimum))
    }
    const near = rough ? await this.approach(from, which.length) : from
    const open: number[] = []
    for (let n = 0; n < which.length; n++) {
      const id = rough ? this.find(near.subarray(n * P, (n + 1) * P)) : unknown
      if (id < 0) open.push(n)
      else if (this.isFar(from, n * P, known[id].theta)) others.push(which[n])
      else file(n, id, known[id])
    }
    const settled = await this.certifier.settle(take(near, P, open))
    const again = new Set<number>()
    open.forEach((n, k) => {
      if (!this.isClear(settled, k) || this.isFar(from, n * P, settled.theta.subarray(k * P, (k + 1) * P))) {
        others.push(which[n])
        return
      }
      const { id, minimum, isNew } = this.meet(settled, k)
      if (!isNew && !minimum.tried) again.add(id)
      file(n, id, minimum)
    })
    await this.prove([...again])
    return others
  }

  /** A few steps of Newton's method in f64 from points [count, P]; where they come to nothing, the points. */
  private async approach(from: Float64Array, count: number): Promise<Float64Array> {
    const { P, judge } = this
    const { theta, status } = await inOrder(judge.objective, judge.newton, from, count, approachSteps, approached)
    for (let n = 0; n < count; n++) if (status[n] === Status.failed) theta.set(from.subarray(n * P, (n + 1) * P), n * P)
    return theta
  }

  /** Minimum n and its number among the known ones, which it joins; `unknown` where there is no more room among them. */
  private meet(settled: Proofs, n: number): { id: number; minimum: Known; isNew: boolean } {
    const { P, known } = this
    const theta = settled.theta.slice(n * P, (n + 1) * P)
    const t = this.functional(theta)
    const found = this.met.within(t, t, id => known[id].theta.every((v, p) => v === theta[p]))
    if (found >= 0) return { id: found, minimum: known[found], isNew: false }
    const minimum = { theta, loss: settled.loss[n], gradientNorm: settled.gradientNorm[n], radii: null, tried: false }
    if (known.length >= this.most) return { id: unknown, minimum, isNew: true }
    this.met.insert(known.length, t)
    known.push(minimum)
    return { id: known.length - 1, minimum, isNew: true }
  }

  /** Gives boxes to the known minima `ids`, where they can be proved. */
  private async prove(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    const { P, c, known } = this
    const all = new Float64Array(ids.length * P)
    ids.forEach((id, k) => {
      known[id].tried = true
      all.set(known[id].theta, k * P)
    })
    const proofs = await this.certifier.prove(all)
    ids.forEach((id, k) => {
      const entry = known[id]
      const isProved = proofs.status[k] === 'proved' && proofs.index[k] === 0 && proofs.contraction[k] <= contracting
      const isSame = proofs.isRounded[k] === 1 && entry.theta.every((v, p) => v === proofs.theta[k * P + p])
      if (!isProved || !isSame) return
      entry.radii = proofs.radii.slice(k * P, (k + 1) * P)
      let reach = 0
      for (let p = 0; p < P; p++) reach += c[p] * (entry.radii[p] + P * this.judge.eps * Math.abs(entry.theta[p]))
      this.reach = Math.max(this.reach, reach)
      this.ranked.insert(id, this.functional(entry.theta))
      this.last = id
    })
  }

  /** Whether Newton's method came to a minimum whose eigenvalues are far from the zero band, with coordinates rounded beyond doubt. */
  private isClear(settled: Proofs, n: number): boolean {
    const band = thresholds.zeroBandFactor * this.judge.eps * this.P
    return settled.status[n] === 'proved' && settled.isRounded[n] === 1 && settled.condition[n] > clearlyStrict * band
  }

  /** As the judge has it: a run that is moved further, from place `at` of `from`, had not arrived. */
  private isFar(from: Float64Array, at: number, to: Float64Array): boolean {
    const limit = this.judge.moveLimit ?? thresholds.moved
    const { scale } = this.judge
    for (let p = 0; p < this.P; p++)
      if (!(Math.abs(to[p] - from[at + p]) <= limit * Math.max(scale[p], Math.abs(from[at + p])))) return true
    return false
  }
}

/** The runs of a block that ended at known minima: a row for each, or for each of their copies that was met. */
class Recognised {
  private readonly end: Uint32Array
  private size = 0
  private theta: Float64Array
  private loss: Float64Array
  private gradientNorm: Float64Array
  private readonly rowOf = new Map<number, number>()

  constructor(
    private readonly P: number,
    count: number,
    /** Whether a minimum is the only copy of itself. */
    private readonly plain: boolean,
    private readonly spare: Spare
  ) {
    const room = plain ? 16 : count
    this.end = spare.u32(count)
    this.theta = spare.f64(room * P)
    this.loss = spare.f64(room)
    this.gradientNorm = spare.f64(room)
  }

  /** Runs from … to−1 ended at the copy `at` of minimum `id`, or of one that is `unknown` and may be another each time. */
  file(from: number, to: number, id: number, { loss, gradientNorm }: Known, at: Float64Array): void {
    const isShared = this.plain && id !== unknown
    let row = isShared ? this.rowOf.get(id) : undefined
    if (row === undefined) {
      if (this.size === this.loss.length) this.grow()
      row = this.size++
      if (isShared) this.rowOf.set(id, row)
      for (let p = 0, q = row * this.P; p < this.P; p++, q++) this.theta[q] = at[p]!
      this.loss[row] = loss
      this.gradientNorm[row] = gradientNorm
    }
    this.end.fill(row, from, to)
  }

  /** Runs that were not filed have row 0. */
  judged(eps: number): JudgedRuns {
    const { end, size, spare } = this
    const ends: Judged = {
      count: size,
      verdict: spare.u8(size).fill(VerdictCode.minimum),
      theta: this.theta.subarray(0, size * this.P),
      loss: this.loss.subarray(0, size),
      gradientNorm: this.gradientNorm.subarray(0, size),
      reason: spare.u8(size).fill(0),
      limit: spare.f64(size).fill(NaN),
      limitError: spare.f64(size).fill(NaN),
      index: spare.u32(size).fill(0),
      nullity: spare.u32(size).fill(0),
      // A rounded coordinate is half a unit of its last place off.
      precision: spare.f64(size).fill(eps / 2),
      steps: 0,
      losses: 0,
      ways: new Map()
    }
    return { end, ends }
  }

  /** Puts runs, but for `others` (ascending), where they were filed. */
  moveTo({ theta, loss, gradientNorm }: SearchedRuns, others: readonly number[]): void {
    const { P, end } = this
    for (let i = 0, n = 0; i < end.length; i++) {
      if (others[n] === i) {
        n++
        continue
      }
      const row = end[i]
      for (let p = 0, q = row * P, to = i * P; p < P; p++) theta[to++] = this.theta[q++]!
      loss[i] = this.loss[row]!
      gradientNorm[i] = this.gradientNorm[row]!
    }
  }

  giveBack(): void {
    const { end, theta, loss, gradientNorm } = this
    this.spare.give({ end, theta, loss, gradientNorm })
  }

  private grow(): void {
    for (const name of ['theta', 'loss', 'gradientNorm'] as const) {
      const larger = this.spare.f64(2 * this[name].length)
      larger.set(this[name])
      this.spare.give({ old: this[name] })
      this[name] = larger
    }
  }
}

/** What becomes of blocks of runs. */
export interface Judging {
  judgeRuns(theta: Float64Array, found: Found, count: number, spare?: Spare): Promise<JudgedRuns>
  /** As the recogniser has it; absent where nothing is recognised. */
  settleRuns?(runs: SearchedRuns, count: number, spare: Spare): Promise<number[]>
}

/**
 * Judges blocks, by recognition where the certifying engine has proofs and the model is known.
 *
 * @param most minima that are remembered; what runs are judged to be does not depend on it
 */
export function judging(judge: Judge, model: Model, most = mostKnown): Judging {
  const { certifier } = judge.objective
  // Orbits of linear units and kinks are the judge's own to see.
  const phi = hiddenActivation(model)
  if (!certifier || phi?.linear || phi?.smooth === false)
    return {
      judgeRuns: async (theta, found, count) => apart(await judgeRuns(judge, theta, found, count))
    }
  return new Recogniser(judge, certifier, model, most)
}

const take = (theta: Float64Array, P: number, which: readonly number[]): Float64Array => {
  const out = new Float64Array(which.length * P)
  which.forEach((i, n) => out.set(theta.subarray(i * P, (i + 1) * P), n * P))
  return out
}
