// Best-of-k against every subset, closed forms and identities; its intervals against exact enumeration.
import { describe, expect, it } from 'vitest'
import {
  bestOf,
  kValues,
  restarts,
  scoreOfBest,
  startsFor,
  survival,
  tied
} from '../../../src/analysis/restarts/bestOf.js'
import { confidenceBand } from '../../../src/analysis/restarts/band.js'
import { OutcomeCounter, type Outcomes } from '../../../src/analysis/restarts/outcomes.js'
import { Stream, uniform, words } from '../../../src/core/rng.js'
import { incompleteBeta } from '../../../src/core/stats.js'
import { coded } from '../../helpers/coded.js'
import { expectAllClose, expectClose, tolerance } from '../../helpers/tolerance.js'

const cost = { f: 10, g: 20, H: 0 }

interface Ended {
  readonly loss: number
  readonly score: number
}

function counted(runs: readonly Ended[], most?: number): Outcomes {
  const counter = new OutcomeCounter(1, most)
  for (const { loss, score } of runs) counter.add(coded([loss]), [coded([score])])
  return counter.result()
}

const curve = (runs: readonly Ended[]) => bestOf(counted(runs), ['accuracy'], cost)

const scoreOf = (runs: readonly Ended[], k: number) => {
  const outcomes = counted(runs)
  return scoreOfBest(tied(outcomes, outcomes.scores[0]), k, outcomes.scores[0])!
}

/** All sets of k of n things. */
function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) {
    yield []
    return
  }
  for (let i = from; i <= n - k; i++) for (const rest of subsets(n, k - 1, i + 1)) yield [i, ...rest]
}

/** Expected loss and score of the best of k, and the chance that no one has a loss, by going through all sets. */
function byHand(runs: readonly Ended[], k: number) {
  let [sets, valued, loss, score, scored] = [0, 0, 0, 0, 0]
  for (const set of subsets(runs.length, k)) {
    sets++
    const there = set.map(i => runs[i]).filter(r => Number.isFinite(r.loss))
    if (there.length === 0) continue
    valued++
    const least = Math.min(...there.map(r => r.loss))
    const best = there.filter(r => r.loss === least)
    loss += least
    for (const r of best) {
      if (Number.isNaN(r.score)) continue
      score += r.score / best.length
      scored += 1 / best.length
    }
  }
  return {
    loss: loss / valued,
    score: score / scored,
    none: (sets - valued) / sets,
    scoreSum: score / sets,
    scored: scored / sets
  }
}

/** Standard error by leaving each run out in turn, of a mean over the sets that have a score: by its linear part. */
function jackknife(runs: readonly Ended[], k: number): number {
  const { score, scored } = byHand(runs, k)
  const without = runs.map((_, i) => {
    const left = byHand(runs.toSpliced(i, 1), k)
    return (left.scoreSum - score * left.scored) / scored
  })
  const mean = without.reduce((a, b) => a + b, 0) / runs.length
  return Math.sqrt(((runs.length - 1) / runs.length) * without.reduce((a, v) => a + (v - mean) ** 2, 0))
}

const drawn = (count: number, number: number): Float64Array =>
  Float64Array.from(words(7, Stream.bootstrap, number, 0, count), uniform)

const tables: Readonly<Record<string, readonly Ended[]>> = {
  'all different': Array.from({ length: 9 }, (_, i) => ({ loss: drawn(9, 1)[i], score: drawn(9, 2)[i] })),
  'with ties': [3, 1, 1, 2, 2, 2, 3, 1.5].map((loss, i) => ({ loss, score: drawn(8, 3)[i] })),
  'of both signs': [-2, 0, -0, 1, -2, 3].map((loss, i) => ({ loss, score: drawn(6, 4)[i] })),
  'with runs that failed': [0.5, NaN, 0.25, Infinity, 0.5, NaN, 0.125].map((loss, i) => ({
    loss,
    score: drawn(7, 5)[i]
  })),
  'all the same': Array.from({ length: 6 }, () => ({ loss: 0.3, score: 0.9 }))
}

describe.each(Object.entries(tables))('the best of k runs, %s', (_, runs) => {
  it('is the mean over every set of k', () => {
    for (let k = 1; k <= runs.length; k++) {
      const { loss, score, none } = byHand(runs, k)
      const found = curve(runs).find(b => b.k === k)
      if (!found) continue
      const tol = tolerance('f64', 8 * runs.length * runs.length, 4)
      expectClose(found.loss, loss, tol, `loss of the best of ${k}`)
      expectClose(found.test!.accuracy!.mean, score, tol, `score of the best of ${k}`)
      expectClose(found.none ?? 0, none, tol, `no loss among ${k}`)
    }
  })

  it('is the mean for k = 1, the least for all, and never rises', () => {
    const list = curve(runs)
    const losses = runs.map(r => r.loss).filter(Number.isFinite)
    const tol = tolerance('f64', 8 * runs.length, 4)
    expectClose(list[0].loss, losses.reduce((a, b) => a + b, 0) / losses.length, tol, 'mean')
    expectClose(list.at(-1)!.loss, Math.min(...losses), tol, 'least')
    for (let i = 1; i < list.length; i++) expect(list[i].loss).toBeLessThanOrEqual(list[i - 1].loss)
    for (const { loss, interval } of list) {
      expect(interval[0]).toBeLessThanOrEqual(loss)
      expect(interval[1]).toBeGreaterThanOrEqual(loss)
    }
  })
})

it('The error of a score is that of leaving each run out in turn', () => {
  for (const name of Object.keys(tables))
    for (const k of [1, 2, 3]) {
      const runs = tables[name]
      const found = scoreOf(runs, k)
      const scores = runs.filter(r => Number.isFinite(r.loss)).map(r => r.score)
      const error = 1.959963984540054 * jackknife(runs, k)
      const tol = tolerance('f64', 64 * runs.length * runs.length, 4)
      const [low, high] = found.interval!
      expectClose(low, Math.max(Math.min(...scores), found.mean - error), tol, `${name}: low end, k = ${k}`)
      expectClose(high, Math.min(Math.max(...scores), found.mean + error), tol, `${name}: high end, k = ${k}`)
    }
})

it('Two losses: the higher one remains with C(R − n, k) / C(R, k)', () => {
  const [R, n] = [1000, 30]
  const runs = Array.from({ length: R }, (_, i) => ({ loss: i < n ? 1 : 2, score: i < n ? 1 : 0 }))
  for (const { k, loss, test } of curve(runs)) {
    let left = 1
    for (let j = 0; j < k; j++) left *= Math.max(0, R - n - j) / (R - j)
    expectClose(loss, 1 + left, tolerance('f64', 4 * R, 2), `best of ${k}`)
    expectClose(test!.accuracy!.mean, 1 - left, tolerance('f64', 4 * R, 2), `score of the best of ${k}`)
  }
})

it('Evenly spaced losses 1 … R: the best of k is (R + 1) / (k + 1) on average', () => {
  const R = 5000
  const runs = Array.from({ length: R }, (_, i) => ({ loss: i + 1, score: 0 }))
  for (const { k, loss } of curve(runs))
    expectClose(loss, (R + 1) / (k + 1), tolerance('f64', 4 * R, R), `best of ${k}`)
})

it('Nothing is known where no run has a loss', () => {
  expect(curve([{ loss: NaN, score: 1 }])).toEqual([])
  expect(curve([])).toEqual([])
  expect(kValues(1)).toEqual([1])
  expect(kValues(20)).toEqual([1, 2, 5, 10, 20])
})

it('The cost of k starts is k times that of one', () => {
  for (const { k, evaluations } of curve(tables['all different']))
    expect(evaluations).toEqual({ f: 10 * k, g: 20 * k, H: 0 })
})

describe('intervals of the expected lowest loss', () => {
  it.each([
    [40, 0.02],
    [40, 0.5],
    [200, 0.01],
    [200, 0.1]
  ])('hold, of %i runs with two losses of which the lower has probability %d, as often as they claim', (R, p) => {
    const held = new Map<number, number>()
    let probability = (1 - p) ** R
    for (let n = 0; n <= R; n++) {
      const counter = new OutcomeCounter(0)
      counter.add(coded(Array.from({ length: R }, (_, i) => (i < n ? 0 : 1))))
      for (const { k, interval } of bestOf(counter.result(), [], cost)) {
        // Where only one was seen, losses count as it.
        const truth = n === 0 ? 1 : n === R ? 0 : (1 - p) ** k
        if (interval[0] <= truth && truth <= interval[1]) held.set(k, (held.get(k) ?? 0) + probability)
      }
      probability *= ((R - n) / (n + 1)) * (p / (1 - p))
    }
    expect(held.size).toBe(kValues(R).length)
    for (const [k, share] of held) if (!(share >= 0.95)) expect.fail(`best of ${k}: ${share}`)
  })

  it('hold of a uniform distribution, for all k at once', () => {
    const [R, studies] = [60, 300]
    let held = 0
    for (let s = 0; s < studies; s++) {
      const losses = drawn(R, 100 + s)
      const [low, high] = [Math.min(...losses), Math.max(...losses)]
      const counter = new OutcomeCounter(0)
      counter.add(coded(losses))
      // Mean of the lowest of k with what lies outside of [low, high] moved to its ends: low + ∫ (1 − x)^k.
      const truth = (k: number): number => low + ((1 - low) ** (k + 1) - (1 - high) ** (k + 1)) / (k + 1)
      const all = bestOf(counter.result(), [], cost).every(
        ({ k, interval }) => interval[0] <= truth(k) && truth(k) <= interval[1]
      )
      if (all) held++
    }
    expect(held / studies).toBeGreaterThanOrEqual(0.95)
  })

  it('narrow as runs are added, where the tail matters too', () => {
    const widths = [100, 1000, 10000].map(R => {
      const counter = new OutcomeCounter(0)
      counter.add(coded(Array.from({ length: R }, (_, i) => (i + 0.5) / R)))
      return bestOf(counter.result(), [], cost)
        .filter(({ k }) => k === 1 || k === 50)
        .map(({ interval: [low, high] }) => high - low)
    })
    for (const at of [0, 1]) for (const i of [1, 2]) expect(widths[i][at]).toBeLessThan(0.6 * widths[i - 1][at])
  })
})

it('The band has the order statistics’ own limits in the tail', () => {
  const R = 500
  const { low, high } = confidenceBand({ runs: R, counts: new Float64Array(R).fill(1) }, 0.95)
  // Below the second lowest at most, and at the lowest at least, a Beta variable: both at one share of the error.
  const above = 1 - incompleteBeta(high[0], 2, R - 1)
  const below = incompleteBeta(low[0], 1, R)
  expectClose(above, below, tolerance('f64', 1e4, below), 'shares of the error')
  for (let i = 0; i < R; i++) {
    expect(low[i]).toBeLessThanOrEqual((i + 1) / R)
    expect(high[i]).toBeGreaterThanOrEqual((i + 1) / R)
    expect(high[i]).toBeGreaterThanOrEqual(high[Math.max(0, i - 1)])
  }
})

describe('restarts', () => {
  it('are the least number with the chance that is asked for', () => {
    for (const p of [1e-6, 1e-3, 0.01, 0.05, 0.3, 0.5, 0.77, 0.95, 0.99]) {
      const k = startsFor(p)
      expect(-Math.expm1(k * Math.log1p(-p))).toBeGreaterThanOrEqual(0.95 * (1 - Number.EPSILON))
      if (k > 1) expect(-Math.expm1((k - 1) * Math.log1p(-p))).toBeLessThan(0.95)
    }
    expect(startsFor(1)).toBe(1)
    expect(startsFor(0.95)).toBe(1)
    expect(startsFor(0.05)).toBe(59)
  })

  it('have the interval of the share carried through', () => {
    const r = restarts([4], 10, 100)!
    // R: binom.test(10, 100)$conf.int
    expectAllClose([...r.shareInterval], [0.049004689221486, 0.176222597740023], 1e-14, 'Clopper and Pearson')
    expect(r.starts).toBe(29)
    expect(r.startsInterval).toEqual([startsFor(r.shareInterval[1]), startsFor(r.shareInterval[0])])
    expect(restarts([], 0, 100)).toBeUndefined()
    expect(restarts([0], 50, 50)!.startsInterval[0]).toBe(1)
  })
})

describe('counting losses', () => {
  it('in any order gives the same levels, also where losses have to share them', () => {
    const losses = drawn(3000, 8).map((u, i) => (i % 3 === 0 ? -1 : 1) * Math.exp(8 * u - 4))
    const [a, b] = [losses, losses.toReversed()].map(list => {
      const counter = new OutcomeCounter(0, 128)
      counter.add(coded(list))
      return counter.result()
    })
    expect(a.losses.length).toBeLessThanOrEqual(128)
    expect(a.resolution).toBeGreaterThan(0)
    expect([...a.counts]).toEqual([...b.counts])
    expectAllClose(a.losses, b.losses, i => tolerance('f64', 100, Math.abs(b.losses[i])), 'levels')
    expect([...a.losses].every((v, i) => i === 0 || v > a.losses[i - 1])).toBe(true)
    expect([a.losses[0], a.losses.at(-1)]).toEqual([Math.min(...losses), Math.max(...losses)])
  })

  it('moves means by less than the resolution where losses share levels', () => {
    const losses = Array.from(drawn(4000, 9), u => 0.1 + u)
    const exact = counted(losses.map(loss => ({ loss, score: 2 * loss })))
    const coarse = counted(
      losses.map(loss => ({ loss, score: 2 * loss })),
      256
    )
    expect(exact.resolution).toBe(0)
    const [a, b] = [exact, coarse].map(o => bestOf(o, ['accuracy'], cost))
    a.forEach(({ k, loss, test }, i) => {
      expectClose(b[i].loss, loss, coarse.resolution * 1.1, `best of ${k}`)
      expectClose(b[i].test!.accuracy!.mean, test!.accuracy!.mean, 4 * coarse.resolution, `score of the best of ${k}`)
    })
  })

  it('draws without replacement', () => {
    expectAllClose(survival([2, 3, 5], 10, 3), [1, 56 / 120, 10 / 120, 0], tolerance('f64', 20, 1), 'of 3')
    expectAllClose(survival([2, 3], 10, 3), [1, 56 / 120, 10 / 120], tolerance('f64', 20, 1), 'with others above')
  })
})
