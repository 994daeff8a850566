// Predictive multiplicity: capacities of channels known in closed form, small sets by hand, and larger ones from the definitions.
import { describe, expect, it } from 'vitest'
import { Candidates, levelSets } from '../../src/analysis/multiplicity/candidates.js'
import { rashomonCapacity, twoClassCapacity } from '../../src/analysis/multiplicity/capacity.js'
import {
  addChurn,
  cellMeasures,
  MultiplicityTotals,
  type PredictionBlock
} from '../../src/analysis/multiplicity/measures.js'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { hashIntegers } from '../../src/analysis/sketch.js'
import { coded } from '../helpers/coded.js'

/** Uniform numbers from a counter. */
const uniforms = (seed: number, count: number): Float64Array =>
  Float64Array.from(words(seed, Stream.generator, 0, 0, count), uniform)

const flat = (rows: readonly (readonly number[])[]): Float64Array => Float64Array.from(rows.flat())
const entropy = (...p: number[]): number => p.reduce((s, v) => s - (v > 0 ? v * Math.log2(v) : 0), 0)
const oneHot = (c: number, K: number): number[] => Array.from({ length: K }, (_, k) => (k === c ? 1 : 0))
/** What rashomonCapacity promises. */
const within = 1e-6

describe('Rashomon capacity', () => {
  it.each([2, 3, 5])('of models that agree is 1 (%i classes)', K => {
    const p = [...uniforms(K, K)]
    const sum = p.reduce((a, b) => a + b)
    const row = p.map(v => v / sum)
    expect(rashomonCapacity(flat([row]), K)).toBe(1)
    expect(rashomonCapacity(flat([row, row, row]), K)).toBeCloseTo(1, 12)
  })

  it.each([
    [2, 2],
    [3, 5],
    [4, 4],
    [7, 3]
  ])('of %i models that are sure of different of %i classes is the smaller number', (models, K) => {
    const p = flat(Array.from({ length: models }, (_, m) => oneHot(m % K, K)))
    expect(Math.abs(rashomonCapacity(p, K) - Math.min(models, K))).toBeLessThan(within * K)
  })

  it('is that of channels known in closed form', () => {
    const near = (got: number, bits: number): void =>
      expect(Math.abs(got - 2 ** bits)).toBeLessThanOrEqual(within * 2 ** bits)
    for (const e of [0, 0.01, 0.11, 0.3, 0.499]) {
      // Binary symmetric, erasure, Z, and symmetric of three classes.
      near(twoClassCapacity(e, 1 - e), 1 - entropy(e, 1 - e))
      near(
        rashomonCapacity(
          flat([
            [1 - e, e, 0],
            [0, e, 1 - e]
          ]),
          3
        ),
        1 - e
      )
      near(twoClassCapacity(0, 1 - e), Math.log2(1 + (1 - e) * e ** (e / (1 - e))))
      const row = [1 - e, e / 2, e / 2]
      near(
        rashomonCapacity(flat([row, [row[1], row[0], row[2]], [row[1], row[2], row[0]]]), 3),
        Math.log2(3) - entropy(...row)
      )
    }
  })

  it('is no less than the information of any mixture of the models, and is reached by one', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const u = uniforms(seed, 9)
      const p = u.map((v, n) => v / (u[n - (n % 3)] + u[n - (n % 3) + 1] + u[n - (n % 3) + 2]))
      const capacity = Math.log2(rashomonCapacity(p, 3))
      let most = 0
      const steps = 100
      for (let a = 0; a <= steps; a++)
        for (let b = 0; a + b <= steps; b++) {
          const w = [a / steps, b / steps, (steps - a - b) / steps]
          const q = [0, 1, 2].map(c => w[0] * p[c] + w[1] * p[3 + c] + w[2] * p[6 + c])
          const inside = [0, 1, 2].reduce((s, m) => s + w[m] * entropy(p[3 * m], p[3 * m + 1], p[3 * m + 2]), 0)
          most = Math.max(most, entropy(...q) - inside)
        }
      expect(most).toBeLessThanOrEqual(capacity + within)
      // The information is flat at its largest value: a grid of 1/100 misses it by its square.
      expect(most).toBeGreaterThan(capacity - 10 / steps ** 2)
    }
  })

  it('does not ask which model is named first, nor how often', () => {
    const u = uniforms(11, 12 * 4)
    const rows = Array.from({ length: 12 }, (_, m) => {
      const some = [...u.subarray(4 * m, 4 * m + 4)].map(v => v ** 6)
      const sum = some.reduce((a, b) => a + b)
      return some.map(v => v / sum)
    })
    const one = rashomonCapacity(flat(rows), 4)
    const others = [[...rows].reverse(), [...rows, ...rows.slice(3)]]
    for (const other of others) expect(Math.abs(rashomonCapacity(flat(other), 4) - one)).toBeLessThan(2 * within * one)
  })
})

/** Four models on four rows of two classes, by hand; the first is the best. */
const byHand: PredictionBlock = {
  cells: 4,
  classes: 2,
  width: 1,
  values: flat([
    [0.9, 0.8, 0.1, 0.4],
    [0.8, 0.7, 0.2, 0.6],
    [0.9, 0.4, 0.1, 0.4],
    [0.6, 0.3, 0.7, 0.4]
  ]),
  predicted: Uint16Array.from([1, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0]),
  weight: Float64Array.of(1, 1, 1, 1)
}
const handSets = { runs: Float64Array.of(1, 1, 1, 1), sizes: [1, 2, 3, 4] }

const totals = (block: PredictionBlock, sets: typeof handSets) => {
  const all = new MultiplicityTotals(sets)
  all.add(block, cellMeasures(block, sets))
  return all.result()
}

describe('measures of multiplicity', () => {
  it('are those counted by hand', () => {
    const list = totals(byHand, handSets)
    // The best alone; with the second, which differs on row 4; with the third, on row 2; with the fourth, on rows 2 and 3.
    expect(list.map(m => m.ambiguity)).toEqual([0, 1 / 4, 2 / 4, 3 / 4])
    expect(list.map(m => m.discrepancy)).toEqual([0, 1 / 4, 1 / 4, 2 / 4])
    expect(list.map(m => m.obscurity)).toEqual([0, 1 / 8, 1 / 6, 1 / 4])
    // Of the pairs of four runs, 3 of 6 agree on rows 3 and 4, 2 of 6 on row 2, all on row 1.
    expect(list.map(m => m.selfConsistency)).toEqual([
      1,
      3 / 4,
      (1 + 1 / 3 + 1 + 1 / 3) / 4,
      (1 + 1 / 3 + 1 / 2 + 1 / 2) / 4
    ])
    expect(list[3].range).toBeCloseTo((0.3 + 0.5 + 0.6 + 0.2) / 4, 14)
    expect(list[3].widest).toBeCloseTo(0.6, 14)
    expect(list[0]).toMatchObject({ range: 0, widest: 0, capacity: 1 })
  })

  it('count rows with their weights: a row of weight 2 is two rows, one of weight 0 none', () => {
    const weighted = totals({ ...byHand, weight: Float64Array.of(2, 1, 0, 3) }, handSets)
    const places = [0, 0, 1, 3, 3, 3]
    const repeated = totals(
      {
        ...byHand,
        cells: 6,
        values: Float64Array.from([0, 1, 2, 3].flatMap(m => places.map(i => byHand.values[4 * m + i]))),
        predicted: Uint16Array.from([0, 1, 2, 3].flatMap(m => places.map(i => byHand.predicted[4 * m + i]))),
        weight: new Float64Array(6).fill(1)
      },
      handSets
    )
    weighted.forEach((measures, e) => {
      for (const [name, value] of Object.entries(measures))
        expect(value, name).toBeCloseTo(repeated[e][name as 'range'], 14)
    })
  })

  it('take a minimum with n runs for n models', () => {
    const runs = Float64Array.of(3, 1, 2, 4)
    const one = totals(byHand, { runs, sizes: [4] })[0]
    const models = [0, 0, 0, 1, 2, 2, 3, 3, 3, 3]
    const many = totals(
      {
        ...byHand,
        values: Float64Array.from(models.flatMap(m => [...byHand.values.subarray(4 * m, 4 * m + 4)])),
        predicted: Uint16Array.from(models.flatMap(m => [...byHand.predicted.subarray(4 * m, 4 * m + 4)]))
      },
      { runs: new Float64Array(10).fill(1), sizes: [10] }
    )[0]
    for (const [name, value] of Object.entries(many))
      expect(one[name as 'range'], name).toBeCloseTo(value as number, 14)
  })

  it('follow from their definitions, whatever the classes, blocks and level sets', () => {
    const [M, N] = [9, 14]
    for (const classes of [0, 2, 3]) {
      const width = classes > 2 ? classes : 1
      const values = uniforms(classes + 3, M * N * width)
      if (width > 1)
        for (let n = 0; n < M * N; n++) {
          const row = values.subarray(n * width, (n + 1) * width)
          const sum = row.reduce((a, b) => a + b)
          row.forEach((v, w) => (row[w] = v / sum))
        }
      const classOf = (n: number): number => {
        if (width === 1) return values[n] > 0.5 ? 1 : 0
        const row = [...values.subarray(n * width, (n + 1) * width)]
        return row.indexOf(Math.max(...row))
      }
      const predicted = classes > 0 ? Uint16Array.from({ length: M * N }, (_, n) => classOf(n)) : new Uint16Array(0)
      const weight = uniforms(99, N)
      const runs = Float64Array.from(uniforms(7, M), v => 1 + Math.floor(4 * v))
      const sets = { runs, sizes: [1, 4, M] }
      const all = new MultiplicityTotals(sets)
      // In blocks of five rows.
      for (let from = 0; from < N; from += 5) {
        const to = Math.min(N, from + 5)
        const part = <T extends Float64Array | Uint16Array>(of: T, wide: number): number[] =>
          Array.from({ length: M }, (_, m) => [...of.subarray((m * N + from) * wide, (m * N + to) * wide)]).flat()
        const block: PredictionBlock = {
          cells: to - from,
          classes,
          width,
          values: Float64Array.from(part(values, width)),
          predicted: Uint16Array.from(classes > 0 ? part(predicted, 1) : []),
          weight: weight.slice(from, to)
        }
        all.add(block, cellMeasures(block, sets))
      }
      const W = weight.reduce((a, b) => a + b)
      const rows = Array.from({ length: N }, (_, i) => i)
      const mean = (f: (i: number) => number): number => rows.reduce((s, i) => s + (weight[i] / W) * f(i), 0)
      all.result().forEach((got, e) => {
        const models = Array.from({ length: sets.sizes[e] }, (_, m) => m)
        const differs = (m: number, i: number): number => (predicted[m * N + i] === predicted[i] ? 0 : 1)
        const range = (i: number): number =>
          Math.max(
            ...Array.from({ length: width }, (_, w) => {
              const list = models.map(m => values[(m * N + i) * width + w])
              return Math.max(...list) - Math.min(...list)
            })
          )
        expect(got.range).toBeCloseTo(mean(range), 12)
        expect(got.widest).toBe(Math.max(...rows.map(range)))
        if (classes === 0) return expect(got.ambiguity).toBeUndefined()
        const total = models.reduce((s, m) => s + runs[m], 0)
        expect(got.ambiguity).toBeCloseTo(
          mean(i => Math.max(...models.map(m => differs(m, i)))),
          12
        )
        expect(got.discrepancy).toBeCloseTo(Math.max(...models.map(m => mean(i => differs(m, i)))), 12)
        expect(got.obscurity).toBeCloseTo(
          mean(i => models.reduce((s, m) => s + (runs[m] / total) * differs(m, i), 0)),
          12
        )
        // Two different runs, drawn from all pairs.
        const list = models.flatMap(m => Array.from({ length: runs[m] }, () => m))
        const pairs = list.flatMap((a, s) => list.slice(0, s).map(b => [a, b] as const))
        const agree = (i: number): number =>
          pairs.length === 0
            ? 1
            : pairs.filter(([a, b]) => predicted[a * N + i] === predicted[b * N + i]).length / pairs.length
        expect(got.selfConsistency).toBeCloseTo(mean(agree), 12)
        expect(got.capacity).toBeCloseTo(
          mean(i =>
            rashomonCapacity(
              flat(
                models.map(m =>
                  width === 1
                    ? [1 - values[m * N + i], values[m * N + i]]
                    : [...values.subarray((m * N + i) * width, (m * N + i + 1) * width)]
                )
              ),
              classes
            )
          ),
          5
        )
      })
    }
  })

  it('have the churn of two models as the weight of the rows on which they differ', () => {
    const sums = new Float64Array(16)
    addChurn({ ...byHand, weight: Float64Array.of(1, 2, 4, 8) }, [0, 1, 2, 3], sums)
    expect([...sums]).toEqual([0, 8, 2, 6, 8, 0, 10, 14, 2, 10, 0, 4, 6, 14, 4, 0])
  })
})

describe('runs that are compared', () => {
  const P = 2
  const scores = uniforms(5, 1000)
  const thetas = uniforms(6, 1000 * P)
  const gather = (order: readonly number[], capacity: number) => {
    const list = new Candidates(P, capacity)
    for (let from = 0; from < order.length; from += 64) {
      const some = order.slice(from, from + 64)
      const start = Float64Array.from(some)
      list.add({
        start,
        hash: hashIntegers(start),
        score: coded(start.map(r => scores[r])),
        loss: coded(start.map(r => 1 - scores[r])),
        theta: Float64Array.from(some.flatMap(r => [...thetas.subarray(r * P, (r + 1) * P)]))
      })
    }
    return list.result()!
  }
  const all = Array.from({ length: 1000 }, (_, r) => r)
  const shuffled = [...all].sort((a, b) => ((a * 617) % 1000) - ((b * 617) % 1000))

  it.each([4096, 100])('are the same set in whatever order they come (at most %i)', capacity => {
    const one = gather(all, capacity)
    expect(one.offered).toBe(1000)
    expect(one.score.length).toBeLessThanOrEqual(capacity + 1)
    // The best is the first, and each has its own parameters.
    const best = scores.indexOf(Math.min(...scores))
    expect(one.best).toEqual({ start: best, score: scores[best], loss: 1 - scores[best] })
    expect(one.score[0]).toBe(scores[best])
    const starts = [...one.score].map(score => scores.indexOf(score))
    expect(new Set(starts).size).toBe(starts.length)
    starts.forEach((start, m) =>
      expect([...one.theta.subarray(m * P, (m + 1) * P)]).toEqual([...thetas.subarray(start * P, (start + 1) * P)])
    )
    const other = gather(shuffled, capacity)
    expect(other.best).toEqual(one.best)
    expect([...other.score].sort()).toEqual([...one.score].sort())
  })

  it('leave out scores that are no numbers', () => {
    const list = new Candidates(1, 16)
    const start = Float64Array.of(0, 1)
    list.add({
      start,
      hash: hashIntegers(start),
      score: coded([NaN, 0]),
      loss: coded([0, Infinity]),
      theta: start
    })
    expect(list.result()).toBeUndefined()
  })

  it('are cut where their score is more than ε above the best, and stay in order within each ε', () => {
    const { order, sizes } = levelSets(Float64Array.of(0.1, 0.2, 0.12, 0.1, 0.15, 0.12), [0, 0.02, 0.03, 0.05], 1e-12)
    expect(sizes).toEqual([2, 4, 4, 5])
    expect([...order]).toEqual([0, 3, 2, 5, 4])
  })
})
