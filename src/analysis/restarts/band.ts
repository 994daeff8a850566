/** A confidence band for a distribution function, of which every loss with its count is known. */
import { betaQuantile } from '../../core/stats.js'
import type { Outcomes } from './outcomes.js'

/** F from each level to the next lies between these; [L] each. */
export interface Band {
  readonly low: Float64Array
  readonly high: Float64Array
}

/** Ranks 1 … 8 and then four to each doubling, up to n. */
function ranksUpTo(n: number): number[] {
  const ranks: number[] = []
  for (let r = 1; r <= n; r += Math.max(1, 2 ** (Math.floor(Math.log2(r)) - 2))) ranks.push(r)
  return ranks
}

/**
 * Holds F on all of the line with probability `confidence` at least, whatever F is, also where it jumps.
 *
 * Two bands at half the error each, of which the narrower is taken at each place. Dvoretzky, Kiefer and Wolfowitz with the constant of Massart
 * (1990): |F_n − F| ≤ √(log(2/α) / 2n). It is narrow in the middle, and says little of the tail that best-of-k depends on. There, order statistics:
 * F(X_(r)) is at least, and F just below X_(r) at most, a Beta(r, n + 1 − r) variable (Clopper and Pearson 1934), at fixed ranks r, with the error
 * shared out over these (Bonferroni).
 */
export function confidenceBand({ runs: n, counts }: Pick<Outcomes, 'runs' | 'counts'>, confidence: number): Band {
  const error = (1 - confidence) / 2
  const width = Math.sqrt(Math.log(2 / error) / (2 * n))
  const ranks = ranksUpTo(n)
  const tail = error / (2 * ranks.length)
  const least = ranks.map(r => betaQuantile(tail, r, n + 1 - r))
  const most = ranks.map(r => betaQuantile(1 - tail, r, n + 1 - r))
  const L = counts.length
  const low = new Float64Array(L)
  const high = new Float64Array(L)
  let below = 0
  // Ranks up to the runs so far, the last of which bounds F from below, and the first beyond them, which bounds it from above.
  for (let i = 0, at = 0; i < L; i++) {
    below += counts[i]
    while (at < ranks.length && ranks[at] <= below) at++
    low[i] = Math.max(0, below / n - width, at > 0 ? least[at - 1] : 0)
    high[i] = Math.min(1, below / n + width, at < ranks.length ? most[at] : 1)
  }
  return { low, high }
}
