/**
 * Predictive multiplicity of a set of models on some rows. The models within ε of the best one, h₀, are a level set S_ε; rows i have
 * weights v_i with Σ v_i = 1, models m are n_m runs each with n = Σ n_m:
 *
 *     ambiguity         Σ_i v_i max_m [h_m(x_i) ≠ h₀(x_i)]            Marx, Calmon and Ustun 2020
 *     discrepancy       max_m Σ_i v_i [h_m(x_i) ≠ h₀(x_i)]            Marx, Calmon and Ustun 2020
 *     obscurity         Σ_i v_i Σ_m (n_m/n) [h_m(x_i) ≠ h₀(x_i)]      Cavus and Biecek 2024
 *     self-consistency  Σ_i v_i Σ_c k_c (k_c − 1) / (n (n − 1))       Cooper et al. 2024, k_c runs that predict class c
 *     range of a row    max_m p_m(x_i) − min_m p_m(x_i)               Watson-Daniels, Parkes and Ustun 2023
 *     capacity of a row 2^C, see capacity.ts                          Hsu and Calmon 2022
 *     churn of two      Σ_i v_i [h_a(x_i) ≠ h_b(x_i)]                 Milani Fard, Cormier, Canini and Gupta 2016
 *
 * The papers state the first two and the ranges for two classes; with more, the range of a row is the widest of its classes.
 */
import type { MultiplicityMeasures } from '../../core/multiplicityResult.js'
import { rashomonCapacity, twoClassCapacity } from './capacity.js'

/** Models in the order of their level sets: h₀ first, and those of each S_ε before all others. */
export interface LevelSets {
  /** [M] runs that each model stands for. */
  readonly runs: Float64Array
  /** How many models, from the first on, are in the set of each ε, ascending. */
  readonly sizes: readonly number[]
}

/** What models predict for some cells: rows, or each output of each row where outputs are predicted one by one. */
export interface PredictionBlock {
  readonly cells: number
  /** Classes of a cell; 0 where the response is a number. */
  readonly classes: number
  /** Numbers per cell: one, of which `mean` makes the response or the probability of class 1, or the probability of each of several classes. */
  readonly width: number
  /** [M, cells, width] */
  readonly values: Float64Array
  /** Increasing in the number, so that extremes are known without it; `cell`: its cell. Absent: the numbers are the predictions. */
  readonly mean?: (value: number, cell: number) => number
  /** [M, cells]: classes that are predicted; empty where the response is a number. */
  readonly predicted: Uint16Array
  /** [cells] */
  readonly weight: Float64Array
}

/** What is known of each cell: [E, cells] by ε. */
export interface CellMeasures {
  /** [E, cells, width] */
  readonly low: Float64Array
  readonly high: Float64Array
  /** The widest range of the cell's numbers. */
  readonly range: Float64Array
  readonly ambiguous: Uint8Array
  /** Share of the runs that predict another class than h₀. */
  readonly obscurity: Float64Array
  readonly selfConsistency: Float64Array
  readonly capacity: Float64Array
}

/** What the best model predicts for a cell: number w of it. */
export function predictionOf({ width, values, mean }: PredictionBlock, cell: number, w: number): number {
  const value = values[cell * width + w]
  return mean ? mean(value, cell) : value
}

/** Widens ranges [cells, width] by the numbers of the models from … to−1, and adds their runs to counts [cells, classes]. */
function addModels(
  { cells, classes, width, values, predicted }: PredictionBlock,
  runs: Float64Array,
  from: number,
  to: number,
  { low, high, counts }: { readonly low: Float64Array; readonly high: Float64Array; readonly counts: Float64Array }
): void {
  const size = cells * width
  for (let m = from; m < to; m++) {
    for (let n = 0, at = m * size; n < size; n++, at++) {
      const v = values[at]
      // No number once there is one that is none.
      if (v < low[n] || v !== v) low[n] = v
      if (v > high[n] || v !== v) high[n] = v
    }
    if (classes > 0)
      for (let i = 0, at = m * cells; i < cells; i++, at++) counts[i * classes + predicted[at]] += runs[m]
  }
}

/** The probabilities [models, width] that the first models give the classes of a cell. */
function probabilities({ cells, width, values }: PredictionBlock, cell: number, models: number): Float64Array {
  const out = new Float64Array(models * width)
  for (let m = 0; m < models; m++)
    for (let w = 0; w < width; w++) out[m * width + w] = values[(m * cells + cell) * width + w]
  return out
}

/** The measures of every cell of a block. */
export function cellMeasures(block: PredictionBlock, { runs, sizes }: LevelSets): CellMeasures {
  const { cells, classes, width, predicted, mean } = block
  const E = sizes.length
  const size = cells * width
  const out: CellMeasures = {
    low: new Float64Array(E * size),
    high: new Float64Array(E * size),
    range: new Float64Array(E * cells),
    ambiguous: new Uint8Array(E * cells),
    obscurity: new Float64Array(E * cells),
    selfConsistency: new Float64Array(E * cells).fill(1),
    capacity: new Float64Array(E * cells).fill(1)
  }
  const low = new Float64Array(size).fill(Infinity)
  const high = new Float64Array(size).fill(-Infinity)
  const counts = new Float64Array(cells * classes)
  let total = 0
  sizes.forEach((end, e) => {
    const from = e > 0 ? sizes[e - 1] : 0
    addModels(block, runs, from, end, { low, high, counts })
    for (let m = from; m < end; m++) total += runs[m]
    for (let i = 0; i < cells; i++) {
      const place = e * cells + i
      for (let w = 0; w < width; w++) {
        const [n, at] = [i * width + w, place * width + w]
        out.low[at] = mean ? mean(low[n], i) : low[n]
        out.high[at] = mean ? mean(high[n], i) : high[n]
        out.range[place] = Math.max(out.range[place], out.high[at] - out.low[at])
      }
      if (classes === 0) continue
      const own = counts.subarray(i * classes, (i + 1) * classes)
      const same = own[predicted[i]]
      out.ambiguous[place] = same < total ? 1 : 0
      out.obscurity[place] = (total - same) / total
      if (total > 1) out.selfConsistency[place] = own.reduce((s, k) => s + k * (k - 1), 0) / (total * (total - 1))
      const before = place - cells
      // Models that widen nothing leave the capacity of two classes as it was.
      const asBefore =
        width === 1 && e > 0 && out.low[before] === out.low[place] && out.high[before] === out.high[place]
      out.capacity[place] = asBefore
        ? out.capacity[before]
        : width === 1
          ? twoClassCapacity(out.low[place], out.high[place])
          : rashomonCapacity(probabilities(block, i, end), classes)
    }
  })
  return out
}

/** Gathers the measures of blocks of cells into those of all. */
export class MultiplicityTotals {
  private weight = 0
  private readonly ambiguity: Float64Array
  private readonly obscurity: Float64Array
  private readonly selfConsistency: Float64Array
  private readonly capacity: Float64Array
  private readonly range: Float64Array
  private readonly widest: Float64Array
  /** [M] weight of the cells to which a model gives another class than h₀. */
  private readonly differing: Float64Array
  private classes = 0

  constructor(private readonly sets: LevelSets) {
    const list = (): Float64Array => new Float64Array(sets.sizes.length)
    this.ambiguity = list()
    this.obscurity = list()
    this.selfConsistency = list()
    this.capacity = list()
    this.range = list()
    this.widest = list()
    this.differing = new Float64Array(sets.runs.length)
  }

  add({ cells, classes, predicted, weight }: PredictionBlock, measured: CellMeasures): void {
    this.classes = classes
    for (let i = 0; i < cells; i++) this.weight += weight[i]
    const mean = (sum: Float64Array, values: ArrayLike<number>): void => {
      for (let e = 0; e < sum.length; e++) for (let i = 0; i < cells; i++) sum[e] += weight[i] * values[e * cells + i]
    }
    mean(this.range, measured.range)
    for (let e = 0; e < this.widest.length; e++)
      for (let i = 0; i < cells; i++)
        // A row without weight is none.
        if (weight[i] > 0) this.widest[e] = Math.max(this.widest[e], measured.range[e * cells + i])
    if (classes === 0) return
    mean(this.ambiguity, measured.ambiguous)
    mean(this.obscurity, measured.obscurity)
    mean(this.selfConsistency, measured.selfConsistency)
    mean(this.capacity, measured.capacity)
    for (let m = 0; m < this.differing.length; m++)
      for (let i = 0; i < cells; i++) if (predicted[m * cells + i] !== predicted[i]) this.differing[m] += weight[i]
  }

  /** One for each ε. */
  result(): MultiplicityMeasures[] {
    const { sizes } = this.sets
    return sizes.map((size, e) => ({
      ...(this.classes > 0
        ? {
            ambiguity: this.ambiguity[e] / this.weight,
            discrepancy: this.differing.subarray(0, size).reduce((a, b) => Math.max(a, b), 0) / this.weight,
            obscurity: this.obscurity[e] / this.weight,
            selfConsistency: this.selfConsistency[e] / this.weight,
            capacity: this.capacity[e] / this.weight
          }
        : {}),
      range: this.range[e] / this.weight,
      widest: this.widest[e]
    }))
  }
}

/** Adds the weight of the cells on which each two of `models` predict different classes to sums [n, n]. */
export function addChurn(
  { cells, predicted, weight }: PredictionBlock,
  models: readonly number[],
  sums: Float64Array
): void {
  const n = models.length
  models.forEach((first, a) =>
    models.slice(0, a).forEach((second, b) => {
      for (let i = 0; i < cells; i++)
        if (predicted[first * cells + i] !== predicted[second * cells + i]) {
          sums[a * n + b] += weight[i]
          sums[b * n + a] += weight[i]
        }
    })
  )
}
