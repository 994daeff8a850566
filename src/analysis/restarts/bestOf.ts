/**
 * What the best of k runs is expected to be, by the order statistics of the runs that there are: exact means over all sets of k of them, drawn
 * without replacement, the unbiased estimate (a U-statistic: Hoeffding 1948; for best-of-k, Tang and others 2020). For k = 1 it is the mean, for k = R the
 * lowest loss.
 */
import type { BestOf, Expected, Restarts } from '../../core/restartsResult.js'
import { areEqual } from '../../core/ties.js'
import { normalQuantile } from '../../core/rng.js'
import { clopperPearson } from '../../core/stats.js'
import { confidenceBand, type Band } from './band.js'
import type { LevelScores, Outcomes } from './outcomes.js'

export const confidence = 0.95

/** 1, 2, 5, 10, … below R, and R. */
export function kValues(R: number): number[] {
  const list: number[] = []
  for (let decade = 1; decade < R; decade *= 10) for (const d of [1, 2, 5]) if (d * decade < R) list.push(d * decade)
  return R > 0 ? [...list, R] : []
}

/**
 * Probability that k of n runs, drawn without replacement, all lie above the first i levels: C(n − c₁ − … − c_i, k) / C(n, k); [L + 1], from i = 0 on.
 */
export function survival(counts: ArrayLike<number>, n: number, k: number): Float64Array {
  const out = new Float64Array(counts.length + 1)
  out[0] = 1
  let left = n
  for (let i = 0; i < counts.length && out[i] > 0; i++) {
    const c = counts[i]
    let share = out[i]
    // The same quotient of factorials, by the shorter of two products.
    if (left - c < k) share = k === 0 ? share : 0
    else if (c < k) for (let j = 0; j < c && share > 0; j++) share *= (left - k - j) / (left - j)
    else for (let j = 0; j < k && share > 0; j++) share *= (left - c - j) / (left - j)
    out[i + 1] = share
    left -= c
  }
  return out
}

/** Sum of the steps between losses, each as often as the best lies above it. */
function meanLoss(losses: Float64Array, above: (i: number) => number): number {
  let sum = 0
  for (let i = 0; i + 1 < losses.length; i++) {
    const share = above(i)
    if (share === 0) break
    sum += share * (losses[i + 1] - losses[i])
  }
  return losses[0] + sum
}

/** Mean given that some run of k has a loss: `none` is the probability that no one has. */
const given = (above: number, none: number): number => (none < 1 ? Math.max(0, above - none) / (1 - none) : 0)

/** The mean of the lowest loss of k draws from a distribution at the ends of its band, which is monotone in the distribution function. */
function meanWithin(losses: Float64Array, band: Band, k: number, fail: boolean): readonly [number, number] {
  const all = (F: Float64Array, i: number): number => (1 - F[i]) ** k
  const end = (F: Float64Array, other: Float64Array): number => {
    const none = fail ? all(other, losses.length - 1) : 0
    return meanLoss(losses, i => given(all(F, i), none))
  }
  return [end(band.high, band.low), end(band.low, band.high)]
}

/** Levels whose losses are equal but for rounding as one, at the lowest of them: a mean is the same but for rounding. */
function settled({ runs, losses, counts }: Outcomes): Pick<Outcomes, 'runs' | 'losses' | 'counts'> {
  const lowest: number[] = []
  const sums: number[] = []
  losses.forEach((loss, i) => {
    const at = lowest.length - 1
    if (at >= 0 && areEqual(lowest[at], loss)) sums[at] += counts[i]
    else {
      lowest.push(loss)
      sums.push(counts[i])
    }
  })
  return { runs, losses: Float64Array.from(lowest), counts: Float64Array.from(sums) }
}

/** Levels whose losses are equal but for rounding are one: among their runs no one is the best. */
export function tied({ losses, counts, runs }: Outcomes, scores: LevelScores) {
  const groups: { count: number; valued: number; mean: number; squares: number }[] = []
  let first = NaN
  losses.forEach((loss, i) => {
    if (!areEqual(first, loss)) {
      first = loss
      groups.push({ count: 0, valued: 0, mean: 0, squares: 0 })
    }
    const group = groups[groups.length - 1]
    group.count += counts[i]
    const n = group.valued + scores.counts[i]
    if (scores.counts[i] === 0) return
    const step = scores.means[i] - group.mean
    group.squares += scores.squares[i] + (step * step * group.valued * scores.counts[i]) / n
    group.mean += (step * scores.counts[i]) / n
    group.valued = n
  })
  return { runs, groups }
}

/**
 * Mean of a score of the best run, equally good ones taken in turn, and its interval: normal, with the standard error of the delete-one jackknife
 * of a U-statistic (Arvesen 1969), n − 1 over n times k²/(n − k)² Σ (ψ_i − U)², where ψ_i is the mean over the sets that hold run i; null beyond
 * half of the runs, where deleting one says too little.
 */
export function scoreOfBest(
  { runs: n, groups }: ReturnType<typeof tied>,
  k: number,
  { low, high }: Pick<LevelScores, 'low' | 'high'>
): Expected | undefined {
  const counts = groups.map(g => g.count)
  const above = survival(counts, n, k)
  // A run without the score counts neither above nor below.
  let [sum, weight] = [0, 0]
  groups.forEach((g, i) => {
    const share = ((above[i] - above[i + 1]) * g.valued) / g.count
    sum += share * g.mean
    weight += share
  })
  if (!(weight > 0)) return undefined
  const mean = Math.min(high, Math.max(low, sum / weight))
  if (2 * k > n || n < 3) return { mean, interval: null }
  const others = survival(counts, n - 1, k - 1)
  let before = 0
  let squares = 0
  groups.forEach((g, i) => {
    const c = g.count
    // Deviations from the mean, 0 of runs without the score.
    const own = (g.valued * (g.mean - mean)) / c
    const spread = g.squares + g.valued * (g.mean - mean) ** 2 - c * own * own
    const best = others[i]
    const taken = ((above[i] - above[i + 1]) * n) / (k * c)
    const weightOfOwn = c > 1 ? taken - (best - taken) / (c - 1) : taken
    squares += c * (best * own + before) ** 2 + weightOfOwn * weightOfOwn * Math.max(0, spread)
    before += (others[i] - others[i + 1]) * own
  })
  // What is left are runs without a loss, to which `before` is what the others make of their sets.
  const failed = n - counts.reduce((a, b) => a + b, 0)
  squares += failed * before ** 2
  const error = (Math.sqrt(((n - 1) / n) * squares) * k) / (n - k) / weight
  const z = -normalQuantile((1 - confidence) / 2)
  return { mean, interval: [Math.max(low, mean - z * error), Math.min(high, mean + z * error)] }
}

/**
 * The curve of best-of-k.
 * @param names of the scores
 * @param cost evaluations of a start, on average
 */
export function bestOf<Name extends string>(
  outcomes: Outcomes,
  names: readonly Name[],
  cost: BestOf['evaluations']
): BestOf[] {
  const levels = settled(outcomes)
  const { runs, losses, counts } = levels
  if (losses.length === 0) return []
  const band = confidenceBand(levels, confidence)
  const fail = runs > counts.reduce((a, b) => a + b, 0)
  const groups = outcomes.scores.map(scores => tied(outcomes, scores))
  return kValues(runs).map(k => {
    const above = survival(counts, runs, k)
    const none = above[losses.length]
    const loss = meanLoss(losses, i => given(above[i + 1], none))
    const [low, high] = meanWithin(losses, band, k, fail)
    const scores = names.flatMap((name, m) => {
      const expected = scoreOfBest(groups[m], k, outcomes.scores[m])
      return expected ? [[name, expected] as const] : []
    })
    return {
      k,
      loss,
      interval: [Math.min(low, loss), Math.max(high, loss)],
      ...(fail ? { none } : {}),
      ...(scores.length > 0 ? { test: Object.fromEntries(scores) } : {}),
      evaluations: { f: k * cost.f, g: k * cost.g, H: k * cost.H }
    }
  })
}

/** Chance of meeting the best that is asked for. */
const chance = 0.95

/** Least k with 1 − (1 − p)^k ≥ chance. */
export function startsFor(p: number): number {
  if (p >= 1) return 1
  const k = Math.max(1, Math.ceil(Math.log1p(-chance) / Math.log1p(-p)))
  // The quotient of logarithms may be rounded across a whole number.
  const enough = (n: number): boolean => -Math.expm1(n * Math.log1p(-p)) >= chance * (1 - Number.EPSILON)
  return k > 1 && enough(k - 1) ? k - 1 : k
}

/** How many starts meet one of the points `points`, at which `count` of `runs` runs ended. */
export function restarts(points: readonly number[], count: number, runs: number): Restarts | undefined {
  if (count === 0) return undefined
  const shareInterval = clopperPearson(count, runs, confidence)
  return {
    points,
    count,
    share: count / runs,
    shareInterval,
    chance,
    starts: startsFor(count / runs),
    startsInterval: [startsFor(shareInterval[1]), startsFor(shareInterval[0])]
  }
}
