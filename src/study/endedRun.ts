/** A run of a study as a program sees it. */
import {
  reasonWords,
  VerdictCode,
  verdicts,
  type MetricSet,
  type UnfinishedReason,
  type Verdict
} from '../core/result.js'
import { statusNames } from '../core/status.js'
import { widthOf, type Layout, type Rows } from '../runs/table.js'

/** A run that has ended and was judged. Losses and parameters are those of the data as given. */
export interface Run {
  /** Its number, 0 … N−1: it decides where the run starts, whatever the engine. */
  readonly start: number
  /** What lies at its end. */
  readonly verdict: Verdict
  /** Why it is unfinished; absent for the others. */
  readonly reason?: UnfinishedReason
  /** How the optimiser ended: `converged`, `budget` and the like. */
  readonly status: string
  /** Steps of the optimiser. */
  readonly steps: number
  /** f at the point that polishing in double precision came to. */
  readonly loss: number
  /** max |g_p| there, in the conditioned coordinates of the computation: free of units and offsets. */
  readonly gradientNorm: number
  /** [P] that point, in the order of `Summary.minima[].names`; empty with `keep: 'none'`. */
  readonly parameters: Float64Array
  /** The point where the optimiser stopped; `parameters` [P] are there with `keep: 'all'`. */
  readonly found: {
    /** f there. */
    readonly loss: number
    /** max |g_p| there, in conditioned coordinates. */
    readonly gradientNorm: number
    /** [P], of the columns as given. */
    readonly parameters?: Float64Array
  }
  /** What the loss of a diverging run tends to, and how far that may be wrong. */
  readonly limit?: {
    /** Extrapolated along the run. */
    readonly loss: number
    /** How far it may be wrong. */
    readonly error: number
  }
  /** How well the point as found predicts: the training rows, and those held out. Of a failed run they are NaN. */
  readonly metrics: {
    /** On the training rows. */
    readonly train: MetricSet<number>
    /** On the rows held out, where there are any. */
    readonly test?: MetricSet<number>
  }
}

/** Run i of rows in the user's coordinates. */
function runAt(rows: Rows, layout: Layout, i: number): Run {
  const P = widthOf('theta', layout)
  const M = layout.metrics.length
  const { ends } = rows
  const e = rows.end[i]
  const point = (theta: Float64Array, at: number): Float64Array => theta.slice(at * P, (at + 1) * P)
  const scores = (values: Float64Array): MetricSet<number> =>
    Object.fromEntries(layout.metrics.map((name, m) => [name, values[i * M + m]]))
  const code = ends.verdict[e]
  return {
    start: rows.start[i],
    verdict: verdicts[code],
    ...(code === VerdictCode.unfinished ? { reason: reasonWords[ends.reason[e]] as UnfinishedReason } : {}),
    status: statusNames[rows.status[i]],
    steps: rows.steps[i],
    loss: ends.loss[e],
    gradientNorm: ends.gradientNorm[e],
    parameters: ends.theta ? point(ends.theta, e) : new Float64Array(0),
    found: {
      loss: rows.lossFound[i],
      gradientNorm: rows.gradientNormFound[i],
      ...(rows.thetaFound ? { parameters: point(rows.thetaFound, i) } : {})
    },
    ...(Number.isNaN(ends.limit[e]) ? {} : { limit: { loss: ends.limit[e], error: ends.limitError[e] } }),
    metrics: { train: scores(rows.train), ...(rows.test ? { test: scores(rows.test) } : {}) }
  }
}

/** Rows of runs in the user's coordinates, one by one. */
export const endedRuns = (rows: Rows, layout: Layout): Run[] =>
  Array.from({ length: rows.count }, (_, i) => runAt(rows, layout, i))
