/** The losses of all runs, as found, with the scores that go with them: streaming, in bounded memory. */

import type { Coded } from '../../core/coded.js'
import { doubled, ValueTable } from '../valueTable.js'

/** Distinct losses that are told apart. */
export const mostLevels = 1 << 16

/** A score of the runs of each level: how many have one, its mean, and the sum of the squares about that mean. [L] each. */
export interface LevelScores {
  readonly counts: Float64Array
  readonly means: Float64Array
  readonly squares: Float64Array
  /** Over all runs. */
  readonly low: number
  readonly high: number
}

/** Runs by their losses, in ascending order: L levels. */
export interface Outcomes {
  /** All, with those that gave no loss. */
  readonly runs: number
  /** [L] ascending, and how many runs have each. */
  readonly losses: Float64Array
  readonly counts: Float64Array
  /** By score. */
  readonly scores: readonly LevelScores[]
  /** Losses that differ by less, relative to their size, may share a level, at their mean; 0: none do. */
  readonly resolution: number
}

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)
const [lowHalf, highHalf] = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0]

/** The number without the last `bits` bits of its mantissa: monotone in the number. */
function truncated(value: number, bits: number): number {
  if (bits === 0) return value + 0 // −0 and 0 are one value
  number[0] = value
  if (bits < 32) halves[lowHalf] = (halves[lowHalf] >>> bits) << bits
  else {
    halves[lowHalf] = 0
    halves[highHalf] = (halves[highHalf] >>> (bits - 32)) << (bits - 32)
  }
  return number[0] + 0
}

/** Of each level: how many values it has, their mean, and the sum of the squares about it. */
class Moments {
  counts = new Float64Array(1)
  means = new Float64Array(1)
  squares = new Float64Array(1)

  /** Makes room for so many levels. */
  reserve(levels: number): void {
    while (this.counts.length < levels) {
      this.counts = doubled(this.counts)
      this.means = doubled(this.means)
      this.squares = doubled(this.squares)
    }
  }

  /** Adds values with their own mean and squares to a level (Chan, Golub and LeVeque 1979). */
  join(level: number, count: number, mean: number, squares: number): void {
    if (count === 0) return
    const { counts, means } = this
    const before = counts[level]
    const n = before + count
    const step = mean - means[level]
    means[level] += (step * count) / n
    this.squares[level] += squares + (step * step * before * count) / n
    counts[level] = n
  }
}

/**
 * Each distinct loss is a level, with its count, as long as there are at most `most`. Beyond, the last bits of losses are dropped, one more
 * whenever there are too many levels: how many are dropped follows from the set of losses alone. The lowest and the highest stay exact.
 */
export class OutcomeCounter {
  private runs = 0
  private bits = 0
  private low = Infinity
  private high = -Infinity
  /** The truncated losses; columns of levels are in the order of their places. */
  private table = new ValueTable()
  private losses = new Moments()
  private byScore: Moments[]
  private readonly ranges: { low: number; high: number }[]

  /** @param scores how many there are of each run */
  constructor(
    scores: number,
    private readonly most = mostLevels
  ) {
    this.ranges = Array.from({ length: scores }, () => ({ low: Infinity, high: -Infinity }))
    this.byScore = this.ranges.map(() => new Moments())
  }

  /** So many runs that have no loss. */
  addWithout(runs: number): void {
    this.runs += runs
  }

  /**
   * Runs of a block by their losses, NaN or infinite for those that have none, and by their scores, NaN where there are none.
   * @param there [runs] 1 for those that count, of which the tallies of the losses tell; absent: all
   */
  add(losses: Coded, scores: readonly Coded[] = [], there?: Uint8Array): void {
    const { values, counts } = losses
    for (let j = 0; j < values.length; j++) {
      const loss = values[j]
      this.runs += counts[j]
      if (counts[j] === 0 || !Number.isFinite(loss)) continue
      if (loss < this.low) this.low = loss
      if (loss > this.high) this.high = loss
      const level = this.levelOf(truncated(loss, this.bits))
      // A level of one loss has no mean to move.
      if (this.bits === 0) this.losses.counts[level] += counts[j]
      else this.losses.join(level, counts[j], loss, 0)
      if (this.table.size > this.most) this.coarsen()
    }
    if (scores.length === 0) return
    const levels = Int32Array.from(values, loss =>
      Number.isFinite(loss) ? this.levelOf(truncated(loss, this.bits)) : -1
    )
    scores.forEach((score, m) => this.score(m, losses.codes, levels, score, there))
  }

  /** Score m of the runs of a block, whose levels are levels[codes]. */
  private score(m: number, codes: Uint16Array, levels: Int32Array, score: Coded, there?: Uint8Array): void {
    const range = this.ranges[m]
    score.values.forEach((value, j) => {
      if (score.counts[j] === 0 || !Number.isFinite(value)) return
      if (value < range.low) range.low = value
      if (value > range.high) range.high = value
    })
    const moments = this.byScore[m]
    for (let r = 0; r < codes.length; r++) {
      const level = levels[codes[r]]
      const value = score.values[score.codes[r]]
      if (level >= 0 && (!there || there[r] === 1) && Number.isFinite(value)) moments.join(level, 1, value, 0)
    }
  }

  private levelOf(key: number): number {
    const { table } = this
    const before = table.size
    const level = table.place(key)
    if (table.size > before) for (const moments of [this.losses, ...this.byScore]) moments.reserve(table.size)
    return level
  }

  private coarsen(): void {
    while (this.table.size > this.most) {
      const { table, losses, byScore, bits } = this
      this.bits++
      this.table = new ValueTable()
      this.losses = new Moments()
      this.byScore = byScore.map(() => new Moments())
      for (let i = 0; i < table.size; i++) {
        const key = table.valueAt(i)
        const level = this.levelOf(truncated(key, this.bits))
        this.losses.join(level, losses.counts[i], bits === 0 ? key : losses.means[i], losses.squares[i])
        byScore.forEach(({ counts, means, squares }, m) => this.byScore[m].join(level, counts[i], means[i], squares[i]))
      }
    }
  }

  result(): Outcomes {
    const { table, bits } = this
    const order = table.sorted()
    const inOrder = (column: Float64Array): Float64Array => {
      const out = new Float64Array(order.length)
      for (let i = 0; i < out.length; i++) out[i] = column[order[i]]
      return out
    }
    const losses = bits === 0 ? table.valuesAt(order) : inOrder(this.losses.means)
    if (losses.length > 1) {
      losses[0] = this.low
      losses[losses.length - 1] = this.high
    }
    return {
      runs: this.runs,
      losses,
      counts: inOrder(this.losses.counts),
      scores: this.ranges.map((range, m) => ({
        ...range,
        counts: inOrder(this.byScore[m].counts),
        means: inOrder(this.byScore[m].means),
        squares: inOrder(this.byScore[m].squares)
      })),
      resolution: bits === 0 ? 0 : 2 ** (bits - 52)
    }
  }
}
