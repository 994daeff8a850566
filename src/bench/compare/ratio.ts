/** How many times as fast one side is as another, with intervals that hold for all rows together. */
import { twoSidedQuantile } from '../../analysis/inference/distributions.js'
import { mean } from '../../core/stats.js'
import { median } from '../statistics.js'

/** Seconds of one measurement in blocks: samples of one block were taken one right after the other. */
export type Blocks = readonly (readonly number[])[]

export interface RatioInterval {
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/** Mean, its squared standard error, and degrees of freedom. */
function moments(values: readonly number[]): { middle: number; error: number; df: number } {
  const n = values.length
  const middle = mean(values)
  const error = n < 2 ? Infinity : values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (n - 1) / n
  return { middle, error, df: n - 1 }
}

/** exp of log a − log b with Student's interval. */
function around(difference: number, error: number, df: number, confidence: number): RatioInterval {
  const half = error === 0 ? 0 : df > 0 ? twoSidedQuantile(confidence, df) * Math.sqrt(error) : Infinity
  return { ratio: Math.exp(difference), low: Math.exp(difference - half), high: Math.exp(difference + half) }
}

/**
 * Seconds of A over seconds of B: exp of the difference of the mean logarithms of the blocks' medians. Blocks, not samples, are taken as
 * independent, since what slows a machine down lasts longer than a sample.
 * @param paired block k of A and block k of B were taken in one turn: Student's interval of their differences; else Welch's (1947)
 */
export function ratioOf(a: Blocks, b: Blocks, paired: boolean, confidence: number): RatioInterval {
  const logs = (blocks: Blocks): number[] => blocks.map(block => Math.log(median(block)))
  const [x, y] = [logs(a), logs(b)]
  if (paired) {
    const { middle, error, df } = moments(x.map((v, k) => v - y[k]))
    return around(middle, error, df, confidence)
  }
  const [p, q] = [moments(x), moments(y)]
  const error = p.error + q.error
  const df = Number.isFinite(error) ? error ** 2 / (p.error ** 2 / p.df + q.error ** 2 / q.df) : 0
  return around(p.middle - q.middle, error, df, confidence)
}
