/** Rows of a run's own: resamples by number, drawn by counter, the same on every engine. */
import { Stream, shuffle, words } from './rng.js'

/**
 * `bootstrap`: as many rows as there are, with replacement (Efron 1979). `poisson`: each row as often as a Poisson variable of mean 1
 * says (Oza and Russell 2001), independent of the number of rows. `folds`: resample n leaves out fold n mod `folds` of the division
 * numbered ⌊n / folds⌋. `split`: each resample leaves out `held` rows.
 */
export type Resampling =
  | { readonly kind: 'bootstrap' | 'poisson'; readonly seed: number }
  | { readonly kind: 'folds'; readonly folds: number; readonly seed: number }
  | { readonly kind: 'split'; readonly held: number; readonly seed: number }

export const resamplingKinds = ['bootstrap', 'poisson', 'folds', 'split'] as const

/** Folds, or rows that a split leaves out. */
export const resamplingSize = (how: Resampling): number =>
  how.kind === 'folds' ? how.folds : how.kind === 'split' ? how.held : 0

/** Terms 1/k! of the distribution function of a Poisson variable of mean 1 that are told apart. */
const poissonTerms = 13
/** ⌊2³² P(X ≤ k)⌋ of a Poisson variable of mean 1. */
export const poissonWords: readonly number[] = (() => {
  // In units of 2⁻⁹⁶: 1/e and its parts by integers, so that no engine's last bit is another's.
  const one = 1n << 96n
  let factorial = 1n
  let e = 0n
  for (let k = 0n; k < 40n; k++) {
    if (k > 0n) factorial *= k
    e += one / factorial
  }
  const list: number[] = []
  let sum = 0n
  factorial = 1n
  for (let k = 0n; k < BigInt(poissonTerms); k++) {
    if (k > 0n) factorial *= k
    sum += one / factorial
    list.push(Number((sum << 32n) / e))
  }
  return list
})()

function poisson(word: number): number {
  let count = 0
  while (count < poissonTerms && word >= poissonWords[count]) count++
  return count
}

/** How often each row is in resample `number`: [rows]. A negative number: all rows once. */
export function rowCounts(how: Resampling, number: number, rows: number): Float64Array {
  if (number < 0) return new Float64Array(rows).fill(1)
  if (how.kind === 'folds' || how.kind === 'split') {
    const folds = how.kind === 'folds' ? how.folds : 0
    const order = shuffle(rows, how.seed, Stream.rows, folds ? Math.floor(number / folds) : number, 0)
    const out = order.filter((_, i) => (how.kind === 'folds' ? i % folds === number % folds : i < how.held))
    const counts = new Float64Array(rows).fill(1)
    for (const i of out) counts[i] = 0
    return counts
  }
  const random = words(how.seed, Stream.rows, number, 0, rows)
  if (how.kind === 'poisson') return Float64Array.from(random, poisson)
  const counts = new Float64Array(rows)
  for (const w of random) counts[Math.floor((w * rows) / 4294967296)] += 1
  return counts
}

/** Weights of the rows of a resample: what there was, times how often. */
export function resampledWeights(
  how: Resampling,
  number: number,
  rows: number,
  weight: Float64Array | undefined
): Float64Array {
  const counts = rowCounts(how, number, rows)
  return weight ? counts.map((n, i) => n * weight[i]) : counts
}
