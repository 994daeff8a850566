import { describe, expect, it } from 'vitest'
import { Aggregate, disagreement, waterfallPoints } from '../../src/analysis/aggregate.js'
import {
  exactDistinct,
  hashIntegers,
  QuantileSketch,
  sampleCapacity,
  ThinnedSample
} from '../../src/analysis/sketch.js'
import { quantilesSorted } from '../../src/core/stats.js'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { CodedRuns } from '../../src/core/coded.js'
import { coded } from '../helpers/coded.js'
import type { AggregatedRows } from '../../src/analysis/aggregate.js'

interface Run {
  start: number
  verdict: number
  loss: number
  lossFound?: number
  theta: readonly number[]
  train: readonly number[]
  point?: number
}

/** Runs of which each has an end of its own. */
const apart = (count: number) => ({
  count,
  end: Uint32Array.from({ length: count }, (_, i) => i),
  runs: { counts: new Uint32Array(count).fill(1), first: Uint32Array.from({ length: count }, (_, i) => i) }
})

const block = (runs: readonly Run[], test?: Float64Array): AggregatedRows => ({
  ...apart(runs.length),
  start: Float64Array.from(runs, r => r.start),
  hash: hashIntegers(Float64Array.from(runs, r => r.start)),
  ends: {
    count: runs.length,
    verdict: Uint8Array.from(runs, r => r.verdict),
    point: Int32Array.from(runs, r => r.point ?? -1),
    loss: Float64Array.from(runs, r => r.loss),
    theta: Float64Array.from(runs.flatMap(r => r.theta))
  },
  coded: new CodedRuns({
    count: runs.length,
    lossFound: Float64Array.from(runs, r => r.lossFound ?? r.loss),
    steps: Uint32Array.from(runs, r => 10 + r.start),
    train: Float64Array.from(runs.flatMap(r => r.train)),
    ...(test ? { test } : {})
  })
})

describe('Aggregate', () => {
  it('of five runs worked by hand', () => {
    const aggregate = new Aggregate({ parameters: 2, metricNames: ['accuracy', 'logLoss'], test: false })
    aggregate.addBlock(
      block([
        { start: 0, verdict: 0, loss: 0.5, theta: [1, 10], train: [0.9, 0.3], point: 0 },
        { start: 1, verdict: 1, loss: 0.75, theta: [1.5, 8], train: [0.98, 0.2], point: 0 },
        { start: 2, verdict: 3, loss: 0.01, theta: [99, 99], train: [1, 0.01] }
      ])
    )
    aggregate.addBlock(
      block([
        { start: 3, verdict: 5, loss: NaN, theta: [NaN, NaN], train: [NaN, NaN] },
        { start: 4, verdict: 2, loss: 0.6, theta: [-5, 0], train: [1, NaN], point: 0 }
      ])
    )
    // Four runs, three rows: counts of class 0 and 1.
    aggregate.addClassCounts(Float64Array.from([3, 0, 2, 1, 0, 3]), 3)
    aggregate.addClassCounts(Float64Array.from([1, 0, 0, 1, 0, 1]), 1)
    const r = aggregate.result()
    expect(r.runs).toBe(5)
    expect(r.verdicts).toEqual({ minimum: 1, degenerate: 1, saddle: 1, diverging: 1, unfinished: 0, failed: 1 })
    // Minima and degenerate only: (1.5 − 1)/1.5, (10 − 8)/10; the larger is 1/3.
    expect(r.spread).toEqual({ parameters: 0.5 / 1.5, loss: 0.25 })
    expect(r.train.accuracy).toEqual(quantilesSorted([0.9, 0.98, 1, 1]))
    expect(r.train.logLoss).toEqual(quantilesSorted([0.01, 0.2, 0.3]))
    expect(r.test).toBeUndefined()
    expect(r.asGoodAsBest).toBe(0.5)
    // Only row 2 differs: 2 against 2 of 4 runs: 1 − 4/12 over three rows.
    expect(Math.abs(r.disagreement - 2 / 3 / 3)).toBeLessThanOrEqual(4 * Number.EPSILON)
    expect(r.steps).toEqual(quantilesSorted([10, 11, 12, 13, 14]))
    expect(r.waterfall).toEqual([
      { loss: 0.01, verdict: 'diverging', point: null },
      { loss: 0.5, verdict: 'minimum', point: 0 },
      { loss: 0.6, verdict: 'saddle', point: 0 },
      { loss: 0.75, verdict: 'degenerate', point: 0 }
    ])
    expect(r.exactQuantiles).toBe(true)
  })

  it('without accuracy counts losses as good as the best within the tolerance, in any order', () => {
    const losses = [2, 1 + 5e-7, 1, 1 + 2e-6, 1 + 1e-9, 3]
    for (const order of [losses, [...losses].reverse(), [...losses].sort()]) {
      const aggregate = new Aggregate({ parameters: 0, metricNames: ['rmse'], test: true })
      aggregate.addBlock(
        block(
          order.map((loss, start) => ({ start, verdict: 4, loss, theta: [], train: [1] })),
          new Float64Array(6).fill(2)
        )
      )
      expect(aggregate.result().asGoodAsBest).toBe(0.5)
      expect(aggregate.result().test?.rmse?.median).toBe(2)
    }
    // Negative losses whose scale changes on the way (log-likelihoods of densities).
    const aggregate = new Aggregate({ parameters: 0, metricNames: ['rmse'], test: false })
    const deep = [-1, -3, -1000, -1000 + 1e-4, -1000 + 1e-2, 5]
    aggregate.addBlock(block(deep.map((loss, start) => ({ start, verdict: 4, loss, theta: [], train: [1] }))))
    expect(aggregate.result().asGoodAsBest).toBe(2 / 6)
  })

  it('of a constant model is constant', () => {
    const aggregate = new Aggregate({ parameters: 1, metricNames: ['accuracy'], test: false })
    for (let b = 0; b < 20; b++)
      aggregate.addBlock(
        block(
          Array.from({ length: 50 }, (_, i) => ({
            start: 50 * b + i,
            verdict: 0,
            loss: 0.1,
            theta: [0.3],
            train: [0.98]
          }))
        )
      )
    const r = aggregate.result()
    expect(r.train.accuracy).toEqual({ min: 0.98, q25: 0.98, median: 0.98, q75: 0.98, max: 0.98 })
    expect([r.asGoodAsBest, r.spread.parameters, r.spread.loss, r.disagreement]).toEqual([1, 0, 0, 0])
  })

  it('without any run has no numbers, and no crash', () => {
    const r = new Aggregate({ parameters: 1, metricNames: ['accuracy'], test: false }).result()
    expect(r.train.accuracy?.median).toBeNaN()
    expect([r.asGoodAsBest, r.spread.parameters, r.waterfall.length]).toEqual([0, 0, 0])
  })

  it('keeps the waterfall bounded, sorted, and its ends', () => {
    const n = 3 * sampleCapacity
    const aggregate = new Aggregate({ parameters: 0, metricNames: [], test: false })
    for (let first = 0; first < n; first += sampleCapacity) {
      const size = Math.min(sampleCapacity, n - first)
      const start = Float64Array.from({ length: size }, (_, i) => first + i)
      const loss = start.map(i => ((i * 7919) % n) / n)
      aggregate.addBlock({
        ...apart(size),
        start,
        hash: hashIntegers(start),
        ends: {
          count: size,
          verdict: new Uint8Array(size),
          point: new Int32Array(size),
          loss,
          theta: new Float64Array(0)
        },
        coded: new CodedRuns({ count: size, lossFound: loss, steps: new Uint32Array(size) })
      })
    }
    const { waterfall } = aggregate.result()
    expect(waterfall.length).toBe(waterfallPoints)
    expect(waterfall[0].loss).toBe(0)
    // A thinned sample of at least half its capacity: ranks good to five standard errors.
    const error = 5 / Math.sqrt(sampleCapacity / 2)
    waterfall.forEach(({ loss: value }, i) => {
      if (!(Math.abs(value - i / (waterfallPoints - 1)) <= error)) expect.fail(`${i}: ${value}`)
      if (i > 0 && !(value >= waterfall[i - 1].loss)) expect.fail('not sorted')
    })
  })
})

it('disagreement counts pairs: three runs, one row, all different; and nothing to compare', () => {
  expect(disagreement(Float64Array.from([1, 1, 1]), 3)).toBe(1)
  expect(disagreement(Float64Array.from([3, 0, 0, 3]), 3)).toBe(0)
  expect(disagreement(Float64Array.from([1, 0]), 1)).toBe(0)
  expect(disagreement(undefined, 5)).toBe(0)
  expect(disagreement(new Float64Array(0), 5)).toBe(0)
})

describe('QuantileSketch', () => {
  const random = Float64Array.from(words(5, Stream.generator, 0, 0, 4 * sampleCapacity), uniform)

  /** Of the values of starts 0, 1, …, which come in blocks, from the first or from the last on. */
  function sketchOf(values: Float64Array, order: 'up' | 'down', block = 1000): QuantileSketch {
    const sample = new ThinnedSample(1)
    const sketch = new QuantileSketch(sample, 0)
    const starts = Uint32Array.from(values.keys())
    if (order === 'down') starts.reverse()
    for (let from = 0; from < starts.length; from += block) {
      const which = starts.subarray(from, from + block)
      const column = Float64Array.from(which, start => values[start])
      sketch.add(coded(column))
      sample.fill(0, column, sample.take(hashIntegers(Float64Array.from(which))))
    }
    return sketch
  }

  it('is exact for few distinct values, however many runs, whatever the order', () => {
    const n = 3 * sampleCapacity
    const values = random.subarray(0, n).map(u => Math.floor(u * 1000) / 1000)
    const up = sketchOf(values, 'up')
    const down = sketchOf(values, 'down', 777)
    expect(up.result()).toEqual(quantilesSorted(values.slice().sort()))
    expect(down.result()).toEqual(up.result())
    expect(up.isExact).toBe(true)
  })

  it('thins many distinct values by the start alone: close, the same in any order, ends exact', () => {
    const n = random.length
    const sorted = random.slice().sort()
    const up = sketchOf(random, 'up')
    const down = sketchOf(random, 'down', 777)
    expect(n).toBeGreaterThan(exactDistinct)
    expect(up.isExact).toBe(false)
    const result = up.result()
    expect(down.result()).toEqual(result)
    expect([result.min, result.max]).toEqual([sorted[0], sorted[n - 1]])
    const error = 5 * Math.sqrt(0.25 / (sampleCapacity / 2))
    expect(Math.abs(result.median - 0.5)).toBeLessThan(error)
    expect(Math.abs(result.q25 - 0.25)).toBeLessThan(error)
  })

  it('leaves NaN out, keeps infinities, and takes −0 for 0', () => {
    const sketch = sketchOf(Float64Array.of(NaN, 0, -0, Infinity), 'up', 3)
    expect(sketch.count).toBe(3)
    expect(sketch.result().median).toBe(0)
    expect(sketch.result().max).toBe(Infinity)
  })
})
