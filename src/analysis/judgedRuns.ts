/** What runs came to, by the ends that several of them may share. */
import { ReasonCode, VerdictCode } from '../core/result.js'
import { Status } from '../core/status.js'
import type { Found, Judged } from './judge.js'

export interface JudgedRuns {
  /** [count] the row of `ends` that is a run's. */
  readonly end: Uint32Array
  readonly ends: Judged
}

/** Runs each of which has an end of its own. */
export const apart = (ends: Judged): JudgedRuns => ({ end: Uint32Array.from(ends.verdict, (_, i) => i), ends })

/** Runs as they were found, none of them judged. */
export function unjudged(theta: Float64Array, { loss, gradientNorm, status }: Found, separated: boolean): JudgedRuns {
  const count = loss.length
  const verdict = Uint8Array.from(status, s =>
    s === Status.failed ? VerdictCode.failed : separated ? VerdictCode.diverging : VerdictCode.unfinished
  )
  return apart({
    count,
    verdict,
    theta: theta.slice(),
    loss: loss.slice(),
    gradientNorm: gradientNorm.slice(),
    reason: verdict.map(v => (v === VerdictCode.unfinished ? ReasonCode.unjudged : 0)),
    limit: new Float64Array(count).fill(NaN),
    limitError: new Float64Array(count).fill(NaN),
    index: new Uint32Array(count),
    nullity: new Uint32Array(count),
    precision: new Float64Array(count).fill(Infinity),
    steps: 0,
    losses: 0,
    ways: new Map()
  })
}

/** The same runs, those at places `which` with the ends that `some` has of them. */
export function together(all: JudgedRuns, some: JudgedRuns, which: readonly number[]): JudgedRuns {
  const [a, b] = [all.ends, some.ends]
  const bytes = (x: Uint8Array, y: Uint8Array): Uint8Array => Uint8Array.from([...x, ...y])
  const counts = (x: Uint32Array, y: Uint32Array): Uint32Array => Uint32Array.from([...x, ...y])
  const numbers = (x: Float64Array, y: Float64Array): Float64Array => {
    const out = new Float64Array(x.length + y.length)
    out.set(x)
    out.set(y, x.length)
    return out
  }
  const end = all.end.slice()
  which.forEach((i, n) => (end[i] = a.count + some.end[n]))
  return {
    end,
    ends: {
      count: a.count + b.count,
      verdict: bytes(a.verdict, b.verdict),
      reason: bytes(a.reason, b.reason),
      theta: numbers(a.theta, b.theta),
      loss: numbers(a.loss, b.loss),
      gradientNorm: numbers(a.gradientNorm, b.gradientNorm),
      limit: numbers(a.limit, b.limit),
      limitError: numbers(a.limitError, b.limitError),
      index: counts(a.index, b.index),
      nullity: counts(a.nullity, b.nullity),
      precision: numbers(a.precision, b.precision),
      steps: a.steps + b.steps,
      losses: a.losses + b.losses,
      ways: new Map([...a.ways, ...[...b.ways].map(([n, way]) => [a.count + n, way] as const)])
    }
  }
}
