// Hand-made summaries: every combination that a report may meet, without a run. Counts are consistent: `starts` is the sum of
// the verdicts unless a test says otherwise.
import {
  summaryFormat,
  summaryVersion,
  type DistinctTotals,
  type Quantiles,
  type LimitPoint,
  type StationaryPoint,
  type Summary,
  type Verdict
} from '../../src/core/result.js'

export const same = (value: number): Quantiles => ({ min: value, q25: value, median: value, q75: value, max: value })
export const spread = (min: number, max: number): Quantiles => ({
  min,
  q25: min + (max - min) / 4,
  median: (min + max) / 2,
  q75: max - (max - min) / 4,
  max
})

export function makePoint(fields: Partial<StationaryPoint> = {}): StationaryPoint {
  return {
    id: 0,
    loss: 0.07058014774,
    gradientNorm: 3e-18,
    count: 10,
    share: 1,
    shareInterval: [0.72, 1],
    copies: 1,
    copiesPossible: 8,
    eigenvalues: [1e-3, 0.02, 0.4],
    parameters: [-1.5, 2.25, 0.125],
    names: ['(Intercept)', 'a', 'b'],
    metrics: { train: { accuracy: 0.98 }, test: { accuracy: 0.9 } },
    firstStart: 0,
    starts: [0],
    ...fields
  }
}

/** n minima with losses 0.1, 0.2 … that share the runs evenly. */
export const makePoints = (n: number, runs: number, fields: Partial<StationaryPoint> = {}): StationaryPoint[] =>
  Array.from({ length: n }, (_, i) =>
    makePoint({
      id: i,
      loss: (i + 1) / 10,
      count: Math.floor(runs / n),
      share: 1 / n,
      shareInterval: [0.5 / n, Math.min(1, 1.5 / n)],
      firstStart: i,
      ...fields
    })
  )

export interface Shape {
  readonly name?: string
  readonly verdicts?: Partial<Record<Verdict, number>>
  readonly convex?: Partial<Summary['convex']>
  readonly separation?: Partial<Summary['separation']>
  readonly problem?: Partial<Summary['problem']>
  readonly minima?: readonly StationaryPoint[]
  readonly degenerate?: readonly StationaryPoint[]
  readonly saddles?: readonly StationaryPoint[]
  readonly metrics?: Summary['metrics']
  readonly fields?: Partial<Summary>
}

/** A limit that `count` of 1000 runs approach. */
export const makeLimit = (loss: number, count: number, uncertainty = 1e-9): LimitPoint => ({
  loss,
  uncertainty,
  count,
  share: count / 1000,
  shareInterval: [count / 2000, Math.min(1, count / 500)],
  growing: ['out:h1.1', 'h1.1:a', 'h1.1:b'],
  metrics: { train: { accuracy: 0.75 } },
  firstStart: 3
})

function totalsOf(points: readonly StationaryPoint[]): DistinctTotals {
  const losses = points.map(p => p.loss)
  return {
    points: points.length,
    copies: points.reduce((sum, p) => sum + p.copies, 0),
    ...(losses.length > 0 ? { losses: [Math.min(...losses), Math.max(...losses)] } : {})
  }
}

/** What a summary says of points all of which it lists. */
function distinctOf(
  minima: readonly StationaryPoint[],
  degenerate: readonly StationaryPoint[],
  saddles: readonly StationaryPoint[]
): Summary['distinct'] {
  const both = [...minima, ...degenerate]
  const least = Math.min(...both.map(p => p.loss))
  const [best] = both.filter(p => p.loss === least)
  const tied = best === undefined ? [] : both.filter(p => p === best || (p.rank !== undefined && p.rank === best.rank))
  return {
    minima: totalsOf(minima),
    degenerate: totalsOf(degenerate),
    saddles: totalsOf(saddles),
    ...(tied.length > 0 ? { lowest: { points: tied.length, runs: tied.reduce((sum, p) => sum + p.count, 0) } } : {})
  }
}

export function makeSummary(shape: Shape = {}): Summary {
  const verdicts = { minimum: 0, degenerate: 0, saddle: 0, diverging: 0, unfinished: 0, failed: 0, ...shape.verdicts }
  const starts = Object.values(verdicts).reduce((a, b) => a + b, 0)
  const [minima, degenerate, saddles] = [shape.minima, shape.degenerate, shape.saddles].map((points = []) =>
    points.map(point => (starts > 0 ? { ...point, share: Math.min(1, point.count / starts) } : point))
  )
  const ends = (
    [
      ['minimum', minima],
      ['degenerate', degenerate],
      ['saddle', saddles]
    ] as const
  ).flatMap(([verdict, points]) => points.map(p => ({ loss: p.loss, verdict, point: p.id })))
  const away = { loss: 1e-9, verdict: 'diverging' as const, point: null }
  const steps = [1, 2, 5, 10]
  const falling = (from: number): number[] => steps.map(step => from * 10 ** -step)
  const bands = { q05: falling(0.1), q25: falling(0.5), median: falling(1), q75: falling(2), q95: falling(10) }
  return {
    format: summaryFormat,
    version: summaryVersion,
    identity: '0'.repeat(64),
    name: shape.name ?? 'model',
    starts,
    startsRequested: starts,
    interrupted: false,
    verdicts,
    convex: { model: false, strongly: false, modulus: null, reason: 'For a reason.', ...shape.convex },
    separation: {
      status: 'not-applicable',
      infinite: {},
      undetermined: [],
      finite: {},
      rows: [],
      direction: [],
      ...shape.separation
    },
    spread: { parameters: 2e-15, loss: 1e-16 },
    distinct: distinctOf(minima, degenerate, saddles),
    minima,
    degenerate,
    saddles,
    limits: [],
    unfinished: { budget: verdicts.unfinished, saturated: 0, kink: 0, stalled: 0, unjudged: 0 },
    metrics: shape.metrics ?? {
      train: { accuracy: same(0.98), recall: same(0.97), logLoss: spread(0.05, 0.07) },
      asGoodAsBest: 1,
      disagreement: 0
    },
    restarts: { bestOf: [] },
    coverage: {
      goodTuring: 0,
      unseenUpperBound: 0.003,
      confidence: 0.95,
      discovery: [
        { starts: 1, minima: 1 },
        { starts: Math.max(2, starts), minima: Math.max(1, minima.length) }
      ],
      moreStartsForOnePercent: 0
    },
    steps: { min: 8, q25: 9, median: 10, q75: 12, max: 30 },
    timing: { wallSeconds: 0.5, runsPerSecond: 2 * starts, evaluations: { f: 10 * starts, g: 10 * starts, H: 0 } },
    engine: { name: 'cpu', precision: 'f64', device: 'a processor', threads: 2, why: 'it was asked for' },
    dataset: {
      rows: { read: 100, dropped: 0, training: 100, heldOut: 0 },
      columns: 4,
      features: [],
      target: { column: 'Species', coding: '' },
      notes: []
    },
    problem: {
      data: 'iris2',
      rows: 100,
      testRows: 0,
      inputs: 4,
      outputs: 1,
      parameters: 3,
      hidden: [2],
      activation: 'tanh',
      loss: 'logistic',
      ridge: 0,
      penalizeBias: false,
      bias: true,
      standardize: true,
      scale: 'standardized',
      target: 'Species',
      coding: 'versicolor = 0, virginica = 1',
      optimizer: 'newton (radius 1)',
      seed: 1,
      init: 'normal(0, 1²)',
      stop: { steps: 500, gradient: 1e-8 },
      ...shape.problem
    },
    thresholds: { newtonStep: { value: 1e-6, meaning: 'A point is stationary when the Newton step is at most this.' } },
    waterfall: ends.length > 0 ? ends : starts > 0 ? [away, away] : [],
    curves: { runs: starts, steps, lossGap: bands, gradientNorm: bands },
    notes: [],
    ...shape.fields
  }
}

/** As it comes back from summary.json: null for NaN and infinities. */
export const throughJson = (s: Summary): Summary => JSON.parse(JSON.stringify(s)) as Summary

/** One summary of every kind, by a few words on it. */
/** With all that may be said of resampled rows. */
const resampling: NonNullable<Summary['resampling']> = {
  bootstrap: {
    resamples: 1000,
    starts: 10,
    confidence: 0.95,
    point: { id: 0, loss: 0.07058014774 },
    parameters: {
      names: ['(Intercept)', 'a', 'b'],
      estimates: [-1.5, 2.25, 0.125],
      standardErrors: [123.4567, 0.25, 0.125],
      biases: [-0.001, 0.02, 1e-5],
      percentile: [
        [-1234.567, 2.345],
        [1.75, 2.75],
        [-0.1251, 0.3752]
      ],
      basic: [
        [-1234.567, 2.345],
        [1.75, 2.75],
        [-0.1251, 0.3752]
      ],
      bca: [
        [null, null],
        [1.75, 2.75],
        [-0.1251, 0.3752]
      ]
    },
    lost: { unbounded: 37, unfinished: 2 },
    lower: 131,
    rows: [1, 2, 3].map(row => ({
      row,
      class: 'versicolor',
      prediction: row / 4,
      standardError: 0.1,
      interval: [row / 4 - 0.2, row / 4 + 0.2] as const
    }))
  },
  crossValidation: {
    folds: 10,
    repeats: 3,
    starts: 10,
    loss: { estimate: 0.115, error: 0.0516, training: 0.068, single: 0.12 },
    metrics: {
      accuracy: { estimate: 0.96, error: 0.021, training: 0.97, single: 0.95 },
      auc: { estimate: 0.99, training: null, single: 0.98 }
    },
    betweenRepeats: 0.007,
    failed: 1
  },
  notes: ['The runs found no minimum.']
}

export function everyKind(): Readonly<Record<string, Summary>> {
  const convex = { model: true, strongly: true, modulus: 0.0123 }
  const glm = { hidden: [], scale: 'data' as const }
  return {
    'convex, all arrived': makeSummary({
      name: 'logistic regression',
      convex,
      problem: { ...glm, testRows: 30 },
      verdicts: { minimum: 1000 },
      minima: [makePoint({ count: 1000, standardErrors: [0.5, 0.25, 0.125] })],
      metrics: {
        train: { accuracy: same(0.98), recall: same(1), precision: same(0.97), auc: same(0.997), logLoss: same(0.05) },
        test: { accuracy: same(0.9), recall: same(0.8), precision: same(1), auc: same(0.95), logLoss: same(0.2) },
        asGoodAsBest: 1,
        disagreement: 0
      }
    }),
    'convex, separated': makeSummary({
      name: 'logistic regression',
      convex: { model: true, modulus: null },
      problem: glm,
      separation: { status: 'quasi-complete', infinite: { NV: 1, PI: -1 }, direction: [0, 1, -1] },
      verdicts: { diverging: 1000 }
    }),
    'convex, flat set': makeSummary({
      name: 'multinomial regression',
      convex: { model: true },
      problem: glm,
      verdicts: { degenerate: 1000 },
      degenerate: [
        makePoint({ count: 1000, nullity: 1, nullityExplained: 1, flatParameters: ['a', 'b'], eigenvalues: [0, 1, 2] })
      ]
    }),
    'several minima, flat ones, saddles': makeSummary({
      name: '4-2-1 tanh, ridge 0.01',
      problem: { ridge: 0.01, testRows: 30 },
      verdicts: { minimum: 800, degenerate: 150, saddle: 30, unfinished: 19, failed: 1 },
      minima: makePoints(12, 800),
      degenerate: makePoints(3, 150, {
        nullity: 2,
        nullityExplained: 1,
        flatParameters: ['h1.1:a'],
        eigenvalues: [0, 0, 0.5]
      }),
      saddles: makePoints(4, 30, { index: 1, eigenvalues: [-0.5, 1e-17, 2] }),
      metrics: {
        train: { accuracy: spread(0.9, 1), logLoss: spread(0.01, 0.3) },
        test: { accuracy: spread(0.5, 1), logLoss: spread(0.01, 3) },
        asGoodAsBest: 0.0991,
        disagreement: 0.0123
      }
    }),
    'over resamples of the rows': makeSummary({
      name: 'formula',
      problem: glm,
      verdicts: { minimum: 1000 },
      minima: [makePoint({ count: 1000 })],
      fields: { resampling }
    }),
    'nothing finite': makeSummary({
      name: '4-5-1 tanh, no ridge',
      verdicts: { failed: 5 },
      metrics: { train: { accuracy: same(NaN) }, asGoodAsBest: NaN, disagreement: NaN },
      fields: {
        waterfall: [{ loss: NaN, verdict: 'failed', point: null }],
        steps: same(NaN),
        spread: { parameters: NaN, loss: NaN },
        timing: { wallSeconds: 0, runsPerSecond: Infinity, evaluations: { f: 5, g: 5, H: 5 } },
        curves: {
          runs: 5,
          steps: [1, 2],
          lossGap: { q05: [NaN, NaN], q25: [NaN, NaN], median: [NaN, NaN], q75: [NaN, NaN], q95: [NaN, NaN] },
          gradientNorm: { q05: [NaN, NaN], q25: [NaN, NaN], median: [NaN, NaN], q75: [NaN, NaN], q95: [NaN, NaN] }
        }
      }
    }),
    'a point with holes': makeSummary({
      name: 'poisson regression',
      problem: { ...glm, loss: 'poisson' },
      convex,
      verdicts: { minimum: 1 },
      minima: [
        makePoint({
          count: 1,
          copiesPossible: Infinity,
          gradientNorm: NaN,
          eigenvalues: [],
          standardErrors: [NaN, 0, Infinity],
          metrics: { train: { devianceExplained: NaN } }
        })
      ],
      metrics: { train: { devianceExplained: same(0.5), rmse: same(NaN) }, asGoodAsBest: 1, disagreement: NaN }
    }),
    'no run at all': makeSummary({ verdicts: {}, fields: { startsRequested: 10, interrupted: true } })
  }
}
