// P(A beats B) over starts and resamples against going through all runs, and its intervals against made-up methods whose P is known.
import { describe, expect, it } from 'vitest'
import { outperforms } from '../../../src/analysis/restarts/crossed.js'
import type { Levels } from '../../../src/analysis/variance.js'
import { Stream, uniform, words } from '../../../src/core/rng.js'
import { coverage, deviations, madeUp, ofRuns, side } from '../../helpers/crossed.js'
import { expectClose, tolerance } from '../../helpers/tolerance.js'

const drawn = (count: number, number: number): Float64Array =>
  Float64Array.from(words(17, Stream.bootstrap, number, 0, count), uniform)
const paired = { starts: false, rows: true }

describe('P(A beats B) over starts and resamples', () => {
  const [levelsA, levelsB]: Levels[] = [
    [4, 2, 3],
    [5, 1, 3]
  ]
  const [noiseA, noiseB] = [drawn(24, 1), drawn(15, 2)]
  const a = side(levelsA, (i, o, s) => Math.round(3 * (noiseA[(i * 2 + o) * 3 + s] + s)))
  const b = side(levelsB, (i, _, s) => Math.round(3 * (noiseB[i * 3 + s] + s)))

  it('is that of all pairs of runs on one resample', () => {
    let [sum, pairs] = [0, 0]
    a.losses.forEach((x, r) =>
      b.losses.forEach((y, q) => {
        if (r % 3 !== q % 3) return
        sum += x < y ? 1 : x === y ? 0.5 : 0
        pairs++
      })
    )
    const [[{ probability }]] = outperforms(a, b, paired, [1])
    expectClose(probability, sum / pairs, tolerance('f64', 200, 1), 'all pairs')
  })

  it('is that of all pairs of runs where the resamples are not the same', () => {
    const [[{ probability }]] = outperforms(a, b, { starts: false, rows: false }, [1])
    const [[all]] = ofRuns(a, b, false, [1])
    expectClose(probability, all.probability, tolerance('f64', 400, 1), 'all pairs')
  })

  it('of pairs of starts compares each with its own', () => {
    const c = side(levelsA, (i, o, s) => a.losses[(i * 2 + o) * 3 + s] + (i === 0 ? 1 : -1))
    const [[{ probability }]] = outperforms(a, c, { starts: true, rows: true }, [1])
    expectClose(probability, 1 / 4, tolerance('f64', 100, 1), 'one start of four')
  })

  it('of a method with itself is even, without doubt', () => {
    const [[{ probability, interval }]] = outperforms(a, a, { starts: true, rows: true }, [1])
    expect([probability, ...interval].every(p => Math.abs(p - 0.5) <= tolerance('f64', 100, 1))).toBe(true)
  })

  it('of the best of several takes the best of each resample', () => {
    // On every resample A has one run that beats all of B, so the best of all eight always wins; alone it is one of eight.
    const c = side(levelsA, (i, o, s) => s + (i === 0 && o === 0 ? -1 : 1))
    const d = side([8, 1, 3], (_, __, s) => s)
    const [[one, all]] = outperforms(c, d, paired, [1, 8])
    expectClose(one.probability, 1 / 8, tolerance('f64', 100, 1), 'one run')
    expectClose(all.probability, 1, tolerance('f64', 100, 1), 'the best of eight')
  })
})

describe('intervals', () => {
  it('hold the true probability about as often as they claim where the rows matter most', () => {
    // 95 % of 30 is 28.5; below 25 has a probability of one percent.
    expect(coverage([8, 1, 10], deviations['rows matter most'], 30)).toBeGreaterThanOrEqual(25)
  })

  it('are wider than those that take the runs of few resamples for so many', () => {
    const [a, b] = madeUp([12, 1, 16], 3, { start: 0.2, rows: 1, noise: 0.3 }, 0.5)
    const [[crossed]] = outperforms(a, b, paired, [1])
    const [[runs]] = ofRuns(a, b, false, [1])
    const width = ({ interval }: { interval: readonly [number, number] }): number => interval[1] - interval[0]
    expect(width(crossed)).toBeGreaterThan(1.5 * width(runs))
  })

  it('allow for what was not seen where one side always wins', () => {
    const a = side([20, 1, 8], () => 0)
    const b = side([20, 1, 8], () => 1)
    const [[{ probability, interval }]] = outperforms(a, b, paired, [1])
    expect([probability, interval[1]]).toEqual([1, 1])
    // Eight contests share neither a start nor a resample.
    expectClose(interval[0], 0.025 ** (1 / 8), tolerance('f64', 100, 1), 'low end')
  })
})
