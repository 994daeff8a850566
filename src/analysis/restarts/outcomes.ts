/** The losses of all runs, as found, with the scores that go with them: streaming, in bounded memory. */

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

interface Moments {
  count: number
  mean: number
  squares: number
}

/** Adds runs with their own mean and squares (Chan, Golub and LeVeque 1979). */
function join(into: Moments, count: number, mean: number, squares: number): void {
  if (count === 0) return
  const n = into.count + count
  const step = mean - into.mean
  into.mean += (step * count) / n
  into.squares += squares + (step * step * into.count * count) / n
  into.count = n
}

interface Level {
  /** Of the losses. */
  readonly loss: Moments
  readonly scores: readonly Moments[]
}

const nothing = (): Moments => ({ count: 0, mean: 0, squares: 0 })

/**
 * Each distinct loss is a level, with its count, as long as there are at most `most`. Beyond, the last bits of losses are dropped, one more
 * whenever there are too many levels: how many are dropped follows from the set of losses alone. The lowest and the highest stay exact.
 */
export class OutcomeCounter {
  private runs = 0
  private bits = 0
  private low = Infinity
  private high = -Infinity
  private levels = new Map<number, Level>()
  private readonly ranges: { low: number; high: number }[]
  private last: Level | undefined
  private lastKey = NaN

  /** @param scores how many there are of each run */
  constructor(
    private readonly scores: number,
    private readonly most = mostLevels
  ) {
    this.ranges = Array.from({ length: scores }, () => ({ low: Infinity, high: -Infinity }))
  }

  /** A run: its loss, NaN or infinite where it has none, and scores[at …], NaN where it has none. */
  add(loss: number, scores?: Float64Array, at = 0): void {
    this.runs++
    if (!Number.isFinite(loss)) return
    if (loss < this.low) this.low = loss
    if (loss > this.high) this.high = loss
    const key = truncated(loss, this.bits)
    const level = key === this.lastKey ? this.last! : this.levelOf(key)
    join(level.loss, 1, loss, 0)
    for (let m = 0; m < this.scores; m++) {
      const value = scores![at + m]
      if (!Number.isFinite(value)) continue
      join(level.scores[m], 1, value, 0)
      const range = this.ranges[m]
      if (value < range.low) range.low = value
      if (value > range.high) range.high = value
    }
    if (this.levels.size > this.most) this.coarsen()
  }

  private levelOf(key: number): Level {
    let level = this.levels.get(key)
    if (!level) {
      level = { loss: nothing(), scores: Array.from({ length: this.scores }, nothing) }
      this.levels.set(key, level)
    }
    this.last = level
    this.lastKey = key
    return level
  }

  private coarsen(): void {
    while (this.levels.size > this.most) {
      this.bits++
      const finer = this.levels
      this.levels = new Map()
      for (const [key, { loss, scores }] of finer) {
        const level = this.levelOf(truncated(key, this.bits))
        join(level.loss, loss.count, loss.mean, loss.squares)
        level.scores.forEach((into, m) => join(into, scores[m].count, scores[m].mean, scores[m].squares))
      }
    }
    this.lastKey = NaN
  }

  result(): Outcomes {
    const keys = Float64Array.from(this.levels.keys()).sort()
    const list = Array.from(keys, key => this.levels.get(key)!)
    // A mean of equal numbers may be rounded; the number itself is not.
    const losses = this.bits === 0 ? keys : Float64Array.from(list, level => level.loss.mean)
    if (losses.length > 1) {
      losses[0] = this.low
      losses[losses.length - 1] = this.high
    }
    return {
      runs: this.runs,
      losses,
      counts: Float64Array.from(list, level => level.loss.count),
      scores: this.ranges.map((range, m) => ({
        ...range,
        counts: Float64Array.from(list, level => level.scores[m].count),
        means: Float64Array.from(list, level => level.scores[m].mean),
        squares: Float64Array.from(list, level => level.scores[m].squares)
      })),
      resolution: this.bits === 0 ? 0 : 2 ** (this.bits - 52)
    }
  }
}
