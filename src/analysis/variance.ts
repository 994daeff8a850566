/**
 * How much of the variance between runs is due to their starts, to their orders of mini-batches, to their rows, and to how these work
 * together: a balanced random-effects analysis of variance of up to three crossed factors, one run in each cell (Searle, Casella and
 * McCulloch, Variance Components, 1992, chapter 4).
 *
 * Estimator: mean squares set equal to what they are on average. In the balanced design E MS_T = Σ_{U ⊇ T} m_U σ²_U, m_U the runs that share a
 * level of U, so σ²_T = Σ_{U ⊇ T} (−1)^{|U| − |T|} MS_U / m_T. It is unbiased; estimates below 0 are given as 0.
 * Intervals: generalised pivotal quantities (Weerahandi 1993; Hannig, Iyer and Patterson 2006): MS_U is replaced by SS_U / χ² with a χ² variable of its
 * degrees of freedom, and quantiles are taken of what the shares become. They suppose normal effects.
 */
import { Stream, normalQuantile, uniform, words } from '../core/rng.js'
import { quantileSorted } from '../core/stats.js'
import { factors, sources, type Component, type Source, type VarianceSplit } from '../core/varianceResult.js'

/** Levels of start, order and resample. */
export type Levels = readonly [number, number, number]

const confidence = 0.95
/** Draws of the pivotal quantities. */
const draws = 4000

/** Masks of factors: bit k for factor k. */
const bits = (mask: number): number[] => [0, 1, 2].filter(k => (mask >> k) & 1)
const sourceOf = (mask: number, all: number): Source =>
  mask === all && bits(mask).length > 1
    ? 'residual'
    : (bits(mask)
        .map(k => factors[k])
        .join(':') as Source)

/** Sums of squares of the effects of every set of factors that vary, by mask. */
export class Squares {
  /** [8] */
  readonly sums = new Float64Array(8)
  private total = 0
  private largest = 0
  private columns = 0
  /** All factors that vary. */
  readonly all: number
  private readonly cells: readonly Float64Array[]

  constructor(readonly levels: Levels) {
    this.all = levels.reduce((mask, n, k) => (n > 1 ? mask | (1 << k) : mask), 0)
    this.cells = Array.from({ length: 8 }, (_, mask) => new Float64Array(this.size(mask)))
  }

  /** Cells of a set of factors. */
  size(mask: number): number {
    return bits(mask).reduce((n, k) => n * this.levels[k], 1)
  }

  freedom(mask: number): number {
    return bits(mask).reduce((n, k) => n * (this.levels[k] - 1), 1)
  }

  private place(mask: number, at: readonly number[]): number {
    return bits(mask).reduce((n, k) => n * this.levels[k] + at[k], 0)
  }

  /** Adds a quantity: its value for each run, [start, order, resample] row-major. */
  add(values: ArrayLike<number>): void {
    const { levels, cells, all, sums } = this
    const runs = values.length
    const subsets = [...cells.keys()].filter(mask => (mask & all) === mask)
    let mean = 0
    for (let r = 0; r < runs; r++) mean += values[r] / runs
    this.total += mean
    this.columns++
    for (const mask of subsets) cells[mask].fill(0)
    // Deviations from the mean, so that an offset costs no digits.
    for (let r = 0; r < runs; r++) {
      const s = r % levels[2]
      const o = Math.floor(r / levels[2]) % levels[1]
      const at = [Math.floor(r / (levels[1] * levels[2])), o, s]
      this.largest = Math.max(this.largest, Math.abs(values[r]))
      for (const mask of subsets) cells[mask][this.place(mask, at)] += (values[r] - mean) / (runs / this.size(mask))
    }
    // From means to effects: what the smaller sets explain is taken away.
    for (const mask of subsets) {
      if (mask === 0) continue
      const shared = runs / this.size(mask)
      for (let c = 0; c < cells[mask].length; c++) {
        const at = this.levelsAt(mask, c)
        let effect = cells[mask][c]
        for (const sub of subsets) if (sub !== mask && (sub & mask) === sub) effect -= cells[sub][this.place(sub, at)]
        cells[mask][c] = effect
        sums[mask] += shared * effect * effect
      }
    }
  }

  private levelsAt(mask: number, cell: number): number[] {
    const at = [0, 0, 0]
    let rest = cell
    for (const k of bits(mask).reverse()) {
      at[k] = rest % this.levels[k]
      rest = Math.floor(rest / this.levels[k])
    }
    return at
  }

  /**
   * Of all quantities that were added, their variances added up; without intervals these are 0.
   * @param eps of the numbers: 2⁻⁵² or 2⁻²³
   * @param left deviations that the stopping rule of the runs leaves
   */
  components(eps: number, left = 0, withIntervals = true): VarianceSplit {
    const { all, columns } = this
    const masks = [...this.sums.keys()].filter(mask => mask > 0 && (mask & all) === mask)
    const squares = masks.map(mask => this.sums[mask])
    const found = this.solve(masks, squares)
    const total = found.reduce((sum, v) => sum + v, 0)
    const floor = Math.max(left, 64 * eps * this.largest * Math.sqrt(columns))
    const none = !(Math.sqrt(total) > floor)
    const intervals = none || !withIntervals ? masks.map(() => [0, 0] as const) : this.intervals(masks, squares)
    const list = Object.fromEntries(
      sources.map(source => [source, { share: 0, interval: [0, 0], deviation: 0 }])
    ) as unknown as Record<Source, Component>
    masks.forEach((mask, i) => {
      list[sourceOf(mask, all)] = {
        share: none ? 0 : found[i] / total,
        interval: intervals[i],
        deviation: Math.sqrt(found[i])
      }
    })
    return { mean: this.total / columns, deviation: Math.sqrt(total), floor, ...list }
  }

  /** Components, none below 0, from sums of squares. */
  private solve(masks: readonly number[], squares: ArrayLike<number>): number[] {
    const runs = this.levels[0] * this.levels[1] * this.levels[2]
    return masks.map(mask => {
      let sum = 0
      masks.forEach((other, i) => {
        if ((other & mask) !== mask) return
        const sign = (bits(other).length - bits(mask).length) % 2 === 0 ? 1 : -1
        sum += (sign * squares[i]) / this.freedom(other)
      })
      return Math.max(0, (sum * this.size(mask)) / runs)
    })
  }

  private intervals(masks: readonly number[], squares: readonly number[]): (readonly [number, number])[] {
    const shares = masks.map(() => new Float64Array(draws))
    const pivots = pivotsOf(masks.map(mask => this.freedom(mask)))
    const drawn = new Float64Array(masks.length)
    for (let d = 0; d < draws; d++) {
      masks.forEach((_, i) => (drawn[i] = squares[i] * pivots[d * masks.length + i]))
      const found = this.solve(masks, drawn)
      const total = found.reduce((sum, v) => sum + v, 0)
      found.forEach((v, i) => (shares[i][d] = total > 0 ? v / total : 0))
    }
    return shares.map(list => {
      list.sort()
      const tail = (1 - confidence) / 2
      return [quantileSorted(list, tail), quantileSorted(list, 1 - tail)] as const
    })
  }
}

const known = new Map<string, Float64Array>()
/** ν / χ²_ν for each of the degrees of freedom ν, [draws, ν]: the same for all tables of a design. */
function pivotsOf(freedoms: readonly number[]): Float64Array {
  const key = freedoms.join()
  let pivots = known.get(key)
  if (!pivots) {
    const random = new Chi(1)
    pivots = Float64Array.from({ length: draws * freedoms.length }, (_, n) => {
      const freedom = freedoms[n % freedoms.length]
      return freedom / random.next(freedom)
    })
    known.set(key, pivots)
  }
  return pivots
}

/** χ² variables from a counter: gamma variables by Marsaglia and Tsang (2000). */
class Chi {
  private at = 0
  private block: Uint32Array = new Uint32Array(0)
  constructor(private readonly seed: number) {}

  private uniform(): number {
    const size = 4096
    if (this.at % size === 0) this.block = words(this.seed, Stream.generator, 0, this.at, size)
    return uniform(this.block[this.at++ % size])
  }

  next(freedom: number): number {
    const shape = freedom / 2
    // Below 1 by the gamma variable of shape + 1.
    const boost = shape < 1 ? this.uniform() ** (1 / shape) : 1
    const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = normalQuantile(this.uniform())
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return 2 * boost * d * v
    }
  }
}
