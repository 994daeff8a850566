/** How much of the landscape a study has seen: shares, what is still unseen, and how many more starts would help. */
import { clopperPearsonUpper } from '../core/stats.js'

/** What coverage needs to know of a distinct minimum. */
export interface SeenMinimum {
  readonly count: number
  /** Of `count`, runs with start < half. */
  readonly countFirstHalf: number
  readonly firstStart: number
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
 * Coverage of the strict minima, among runs that end in one; `starts` is the number of all runs, whatever their verdict.
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
export function coverageOf(minima: readonly SeenMinimum[], starts: number, confidence = defaultConfidence): Coverage {
  let n = 0
  let singletons = 0
  let first = 0
  let k = 0
  for (const { count, countFirstHalf } of minima) {
    n += count
    first += countFirstHalf
    if (count === 1) singletons++
    if (countFirstHalf === 0) k += count
  }
  const second = n - first
  const further = moreForBound(k, second, 0.01, confidence)
  return {
    goodTuring: n > 0 ? singletons / n : 1,
    unseenUpperBound: clopperPearsonUpper(k, second, confidence),
    confidence,
    discovery: discoveryCurve(
      minima.map(m => m.firstStart),
      minima.reduce((end, m) => Math.max(end, m.firstStart + 1), starts)
    ),
    // Only a part of the starts ends in a minimum; the others tell nothing.
    moreStartsForOnePercent: further === 0 ? 0 : Math.ceil(n > 0 ? (further * starts) / n : further)
  }
}

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
  firstStarts: readonly number[],
  starts: number
): { readonly starts: number; readonly minima: number }[] {
  const sorted = Float64Array.from(firstStarts).sort()
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
