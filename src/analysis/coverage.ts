/** How much of the landscape a study has seen: shares, what is still unseen, and how many more starts would help. */
import { clopperPearsonUpper } from '../core/stats.js'

/** What coverage needs to know of the distinct minima. */
export interface SeenMinima {
  /** [n] runs that ended there. */
  readonly count: Float64Array
  /** [n] */
  readonly firstStart: Float64Array
}

/** Starts below `end`, and how many of their runs ended in a minimum. */
export interface FirstHalf {
  readonly end: number
  readonly runs: number
}

export interface Coverage {
  readonly goodTuring: number
  readonly unseenUpperBound: number
  readonly confidence: number
  readonly discovery: readonly { readonly starts: number; readonly minima: number }[]
  readonly moreStartsForOnePercent: number
}

export const defaultConfidence = 0.95

/** First start of the second half, when `starts` are asked for. Fixed before anything is run. */
export const halfOf = (starts: number): number => Math.floor(starts / 2)

/**
 * Coverage of the strict minima, among runs that end in one; `starts` is the number of all runs, whatever their verdict, and `half` the
 * first half of them.
 *
 * Good-Turing: the probability that the next such run ends in an unseen minimum is estimated by singletons / n (Good 1953);
 * 1 when no run ended in one.
 *
 * The bound is rigorous: the minima that starts before the half have met form a fixed set, given the first half. The k of the
 * n₂ later runs that miss this set are binomial with the set's unseen probability, because starts are independent, so the
 * Clopper-Pearson upper limit of (k, n₂) bounds that probability. What is unseen after *all* starts is no larger, since more
 * minima are known by then. Its confidence holds whatever the number and the shares of the minima.
 *
 * When a study was interrupted, which starts of the second half have ended may depend on how long they took; the bound then
 * holds for the runs as they ended.
 */
export function coverageOf(
  minima: SeenMinima,
  starts: number,
  half: FirstHalf,
  confidence = defaultConfidence
): Coverage {
  const { count, firstStart } = minima
  const n = count.reduce((sum, c) => sum + c, 0)
  const singletons = count.reduce((sum, c) => sum + (c === 1 ? 1 : 0), 0)
  const { k, runs: second } = missesOf(minima, half)
  const further = moreForBound(k, second, 0.01, confidence)
  return {
    goodTuring: n > 0 ? singletons / n : 1,
    unseenUpperBound: clopperPearsonUpper(k, second, confidence),
    confidence,
    discovery: discoveryCurve(
      firstStart,
      firstStart.reduce((end, start) => Math.max(end, start + 1), starts)
    ),
    // Only a part of the starts ends in a minimum; the others tell nothing.
    moreStartsForOnePercent: further === 0 ? 0 : Math.ceil(n > 0 ? (further * starts) / n : further)
  }
}

/** Of the later runs that end in a minimum, how many there are and how many ended in one that the first half has not met. */
function missesOf({ count, firstStart }: SeenMinima, { end, runs }: FirstHalf): { k: number; runs: number } {
  let n = 0
  let k = 0
  for (let m = 0; m < count.length; m++) {
    n += count[m]
    if (firstStart[m] >= end) k += count[m]
  }
  return { k, runs: n - runs }
}

/** Upper limit of the unseen probability after the runs so far, at a confidence. */
export function unseenBound(minima: SeenMinima, half: FirstHalf, confidence: number): number {
  const { k, runs } = missesOf(minima, half)
  return clopperPearsonUpper(k, runs, confidence)
}

/**
 * Confidence of the j-th look (j = 1, 2, …) at a study that is to stop when its bound is small enough: the errors 0.05 / (j (j + 1)) of
 * all looks sum to 0.05, so that with probability 0.95 none of the bounds is wrong, however often one looks.
 */
export const confidenceOfLook = (j: number): number => 1 - (1 - defaultConfidence) / (j * (j + 1))

/** Smallest m such that the upper limit of (k, n + m) is at most `bound`: further runs of which none meets a new minimum. */
export function moreForBound(k: number, n: number, bound: number, confidence: number): number {
  const holds = (m: number): boolean => clopperPearsonUpper(k, n + m, confidence) <= bound
  if (holds(0)) return 0
  let high = 1
  while (!holds(high)) high *= 2
  let low = high / 2
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

/** Distinct minima met by the starts 0 … s−1, at about twelve values of s per decade, the last being `starts`. */
export function discoveryCurve(
  firstStarts: Float64Array,
  starts: number
): { readonly starts: number; readonly minima: number }[] {
  const sorted = firstStarts.slice().sort()
  const curve: { starts: number; minima: number }[] = []
  let met = 0
  for (let step = 0, s = 1; starts > 0; step++) {
    s = Math.max(s, Math.min(starts, Math.round(10 ** (step / 12))))
    if (curve[curve.length - 1]?.starts !== s) {
      while (met < sorted.length && sorted[met] < s) met++
      curve.push({ starts: s, minima: met })
    }
    if (s >= starts) break
  }
  return curve
}
