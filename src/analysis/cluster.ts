/**
 * Which end points are the same stationary point, up to the symmetries of the network. Streaming: memory grows with the number
 * of distinct points, never with the number of runs. One `Clusterer` serves one kind of point (minima or saddles); degenerate
 * points, which have no definite θ, go to a `FunctionClusterer` that compares what the network computes on the rows.
 */
import { lossTolerance } from '../core/ties.js'
import { columnScale, canonicalizerOf, type AnyCanonicalizer } from '../models/model.js'
import { isScalar } from '../models/losses/index.js'
import { genericCoefficients } from '../models/network/symmetry.js'
import { ClusterTable, type Cluster, type Others } from './clusterTable.js'
import { DistinctPoints, type PointSource } from './distinctPoints.js'
import { RankedIds } from './ranked.js'
import { pickedRows } from './rows.js'
import type { Model, Problem } from '../models/types.js'

export type { Cluster } from './clusterTable.js'

/**
 * Limits that decide whether two end points are one. `max(1, |·|)` makes them relative for large values; parameters are compared
 * for columns in units of their rms.
 */
export interface Tolerances {
  /** Largest difference of losses, relative to max(1, |loss|). */
  readonly loss: number

  /** Largest difference of a parameter between canonical copies, relative to max(1, |parameter|), columns in units of their rms. */
  readonly parameters: number

  /** `parameters` is widened by this times the relative Newton steps that polishing left. */
  readonly precisionFactor: number

  /** `loss` for degenerate points. */
  readonly degenerateLoss: number

  /** Largest difference of an output on a row between degenerate points, relative to max(1, |output|). */
  readonly degenerateOutputs: number
}

export const defaultTolerances: Tolerances = {
  loss: lossTolerance,
  parameters: 1e-6,
  precisionFactor: 16,
  degenerateLoss: 2 ** 22 * Number.EPSILON,
  degenerateOutputs: 1e-5
}

/** One sentence for each tolerance, for `summary.thresholds`. */
export const toleranceMeanings: Readonly<Record<keyof Tolerances, string>> = {
  loss: 'Two end points are one only if their losses differ by at most this times max(1, |loss|).',
  parameters:
    'Two end points are one only if, as canonical copies, no parameter differs by more than this times max(1, |parameter|) (columns in units of their rms).',
  precisionFactor:
    'The parameter tolerance is widened by this times the relative Newton steps that polishing left at the two points.',
  degenerateLoss: 'Two degenerate end points are one only if their losses differ by at most this times max(1, |loss|).',
  degenerateOutputs:
    'Two degenerate end points are one only if no output on a row differs by more than this times max(1, |output|).'
}

/** θ tolerances are not widened beyond this, however poorly a point was polished. */
const widestTolerance = 1e-2
/** |a − b| ≤ tol max(1, |a|, |b|) implies |a − b| ≤ tol max(1, |a|) / (1 − tol): searches reach this much further. */
const reachFactor = 1 / (1 - widestTolerance)

/** Powers of two near the scale of columns [P], so that nothing is lost where points are measured in them. */
export const canonicalScale = (scale: Float64Array): Float64Array => scale.map(s => 2 ** Math.round(Math.log2(s)))

const close = (a: number, b: number, tolerance: number): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))

/**
 * Strict minima, or saddles. Representatives are ranked by a generic linear functional of canonical θ rather than by the loss:
 * different minima may share a loss exactly (products of one-dimensional problems do), but not the functional. Points that agree
 * within the tolerances agree in the functional within a bound, so a binary search finds all candidates.
 */
export class Clusterer {
  private readonly canonicalizer: AnyCanonicalizer
  private readonly P: number
  private readonly table: ClusterTable
  private readonly ranked = new RankedIds()
  private readonly c: Float64Array
  private readonly point: Float64Array
  private readonly own: Float64Array
  private readonly scale: Float64Array
  private last = -1
  private worstPrecision = 0

  /**
   * @param scale [P] of `columnScale`
   */
  constructor(
    model: Model,
    private readonly tolerances: Tolerances = defaultTolerances,
    scale?: Float64Array
  ) {
    this.canonicalizer = canonicalizerOf(model)
    this.P = this.canonicalizer.parameters
    this.table = new ClusterTable(this.P, 0)
    this.c = genericCoefficients(this.P)
    this.point = new Float64Array(this.P)
    this.own = new Float64Array(this.P)
    this.scale = scale ? canonicalScale(scale) : new Float64Array(this.P).fill(1)
  }

  /** Distinct points so far. */
  get size(): number {
    return this.table.size
  }

  /**
   * Files the end point theta[at .. at+P), any copy of it, all values finite, and returns the id of its cluster. `precision` is
   * the relative size of the Newton step that polishing left.
   * @param copy of a point that is in canonical form (in units of `canonicalScale`) already: the element that led there; NaN of others
   * @param others runs of higher starts that ended at the same point, to the bit
   */
  add(
    start: number,
    loss: number,
    gradientNorm: number,
    precision: number,
    theta: Float64Array,
    at = 0,
    copy = NaN,
    others?: Others
  ): number {
    const { point, own, scale, table } = this
    for (let p = 0; p < this.P; p++) own[p] = theta[at + p] / scale[p]
    let image = copy
    if (Number.isNaN(copy)) image = this.canonicalizer.canonicalize(own, point)
    else point.set(own)
    const again = this.last >= 0 && this.same(this.last, loss, precision, point)
    let id = again ? this.last : this.find(loss, precision, point)
    // A near-tie of the canonical form may have filed the same point under a neighbouring image.
    if (id < 0 && table.size > 0)
      this.canonicalizer.images(point, other => {
        id = this.find(loss, precision, other)
        if (id >= 0) point.set(other)
        return id >= 0
      })
    const isNew = id < 0
    if (isNew) id = table.push(start, image)
    if (isNew || table.better(id, start, gradientNorm)) {
      if (!isNew) this.ranked.remove(id)
      table.represent(id, start, loss, gradientNorm, precision)
      table.point.set(point, id * this.P)
      this.ranked.insert(id, this.functional(point))
      if (precision > this.worstPrecision) this.worstPrecision = Math.min(precision, widestTolerance)
    }
    table.hit(id, start, image, others)
    this.last = id
    return id
  }

  get source(): PointSource {
    return { table: this.table, scale: this.scale }
  }

  /** Sorted by loss. */
  clusters(): Cluster[] {
    return DistinctPoints.of([this.source]).slice()
  }

  private functional(point: Float64Array): number {
    let sum = 0
    for (let p = 0; p < this.P; p++) sum += this.c[p] * point[p]
    return sum
  }

  private parameterTolerance(precision: number): number {
    const { parameters, precisionFactor } = this.tolerances
    return Math.max(parameters, Math.min(widestTolerance, parameters + precisionFactor * precision))
  }

  private same(id: number, loss: number, precision: number, point: Float64Array): boolean {
    const { table, P, tolerances } = this
    if (!close(loss, table.loss[id], tolerances.loss)) return false
    const tolerance = this.parameterTolerance(precision + table.precision[id])
    for (let p = 0, q = id * P; p < P; p++, q++) if (!close(point[p], table.point[q], tolerance)) return false
    return true
  }

  private find(loss: number, precision: number, point: Float64Array): number {
    let reach = 0
    for (let p = 0; p < this.P; p++) reach += this.c[p] * Math.max(1, Math.abs(point[p]))
    reach *= this.parameterTolerance(precision + this.worstPrecision) * reachFactor
    const t = this.functional(point)
    return this.ranked.within(t - reach, t + reach, id => this.same(id, loss, precision, point))
  }
}

/** Rows of outputs kept for each degenerate point, evenly spaced over the data. */
export const signatureRows = 512
/** Outputs of a signature that points are ranked by: few, so that rounding leaves a narrow range in which the same point can lie. */
const rankedOutputs = 8

/**
 * End points with flat directions: one where the loss agrees and the network computes the same on the rows. Ranked by a generic linear
 * functional of some of these outputs, since all points of a flat landscape may share one loss.
 */
export class FunctionClusterer {
  private readonly table: ClusterTable
  private readonly ranked = new RankedIds()
  /** The rows on which points are compared. */
  readonly data: Problem
  private readonly C: number
  private readonly centred: boolean
  private readonly signature: Float64Array
  /** Places in the signature that points are ranked by, and with what coefficients. */
  private readonly places: readonly number[]
  private readonly c: Float64Array
  private readonly canonicalizer: AnyCanonicalizer
  private readonly scratch: Float64Array

  constructor(
    problem: Problem,
    private readonly tolerances: Tolerances = defaultTolerances
  ) {
    this.canonicalizer = canonicalizerOf(problem.model)
    this.scratch = new Float64Array(this.canonicalizer.parameters)
    this.C = problem.model.outputs
    // Softmax sees only differences of its outputs.
    this.centred = !isScalar(problem.model.loss)
    const { rows, weight } = problem
    // What is computed on rows that do not count is not determined.
    const used = Array.from({ length: rows }, (_, i) => i).filter(i => !weight || weight[i] > 0)
    const kept = Math.min(used.length, signatureRows)
    this.data = pickedRows(
      problem,
      Array.from({ length: kept }, (_, i) => used[Math.floor((i * used.length) / kept)])
    )
    this.signature = new Float64Array(kept * this.C)
    this.table = new ClusterTable(this.canonicalizer.parameters, this.signature.length)
    const count = Math.min(rankedOutputs, this.signature.length)
    this.places = Array.from({ length: count }, (_, k) => Math.floor((k * this.signature.length) / count))
    this.c = genericCoefficients(count)
  }

  /** Where a signature ranks, and how far from there one that agrees with it may. */
  private rank(signature: Float64Array): { readonly key: number; readonly reach: number } {
    let [key, reach] = [0, 0]
    this.places.forEach((at, k) => {
      key += this.c[k] * signature[at]
      reach += this.c[k] * Math.max(1, Math.abs(signature[at]))
    })
    // Outputs that are not finite agree with none.
    if (!Number.isFinite(key)) return { key: 0, reach: 0 }
    return { key, reach: reach * this.tolerances.degenerateOutputs * reachFactor }
  }

  get size(): number {
    return this.table.size
  }

  /** As `Clusterer.add`; `z` are the outputs on the rows of `data`, [N, C]. θ is kept as it is. */
  add(
    start: number,
    loss: number,
    gradientNorm: number,
    precision: number,
    z: Float64Array,
    theta: Float64Array,
    at = 0,
    others?: Others
  ): number {
    const { table, C, signature } = this
    const width = signature.length
    for (let i = 0; i < width; i += C) {
      let mean = 0
      if (this.centred) for (let c = 0; c < C; c++) mean += z[i + c] / C
      for (let c = 0; c < C; c++) signature[i + c] = z[i + c] - mean
    }
    const image = this.canonicalizer.canonicalize(theta, this.scratch, at)
    const { degenerateLoss, degenerateOutputs } = this.tolerances
    const { key, reach } = this.rank(signature)
    let id = this.ranked.within(key - reach, key + reach, other => {
      if (!close(loss, table.loss[other], degenerateLoss)) return false
      for (let i = 0, j = other * width; i < width; i++, j++)
        if (!close(signature[i], table.signature[j], degenerateOutputs)) return false
      return true
    })
    const isNew = id < 0
    if (isNew) id = table.push(start, image)
    if (isNew || table.better(id, start, gradientNorm)) {
      if (!isNew) this.ranked.remove(id)
      table.represent(id, start, loss, gradientNorm, precision)
      for (let p = 0; p < table.width; p++) table.point[id * table.width + p] = theta[at + p]
      table.signature.set(signature, id * width)
      this.ranked.insert(id, key)
    }
    table.hit(id, start, image, others)
    return id
  }

  get source(): PointSource {
    return { table: this.table }
  }

  /** Sorted by loss. `copies` counts symmetric images of points that need not be isolated. */
  clusters(): Cluster[] {
    return DistinctPoints.of([this.source]).slice()
  }
}

/** Where the end points of a study are filed. */
export interface Clusters {
  readonly minima: Clusterer
  readonly saddles: Clusterer
  readonly degenerate: FunctionClusterer
  /** Saddles with flat directions. */
  readonly flatSaddles: FunctionClusterer
}

export const openClusters = (problem: Problem, tolerances: Tolerances = defaultTolerances): Clusters => {
  const scale = columnScale(problem)
  return {
    minima: new Clusterer(problem.model, tolerances, scale),
    saddles: new Clusterer(problem.model, tolerances, scale),
    degenerate: new FunctionClusterer(problem, tolerances),
    flatSaddles: new FunctionClusterer(problem, tolerances)
  }
}
