/** `keep: none`: of each run only what the fold needs of its end, in a form in which runs that end at one point have the same numbers. */
import { canonicalScale } from '../analysis/cluster.js'
import { VerdictCode } from '../core/result.js'
import { columnScale, canonicalizerOf } from '../models/model.js'
import type { Ends, Facts } from '../runs/part.js'
import type { Layout, Rows } from '../runs/table.js'
import type { Setup } from './setup.js'

/** Brings runs with their parameters to rows without, and says how far their ends lie apart. */
export type Thin = (rows: Rows, facts: Facts) => { readonly rows: Rows; readonly facts: Facts }

/** What rows are before they are thinned out. */
export const fullLayout = (layout: Layout): Layout => (layout.keep === 'none' ? { ...layout, keep: 'end' } : layout)

/** Where the parameters of two sets of runs end. */
export function joined(a: Ends | undefined, b: Ends | undefined): Ends | undefined {
  const one = a ?? b
  // A copy: rows of a block are written anew.
  if (!a || !b) return one && { low: one.low.slice(), high: one.high.slice() }
  return { low: a.low.map((v, p) => Math.min(v, b.low[p])), high: a.high.map((v, p) => Math.max(v, b.high[p])) }
}

/**
 * Strict points go to canonical form, as clusters compare them; flat ones stay as they are, and so do runs to infinity whose limit is
 * known. Of all others no parameters are kept.
 */
export function thinning({ model, problem }: Pick<Setup, 'model' | 'problem'>): Thin {
  const canonicalizer = canonicalizerOf(model)
  const P = canonicalizer.parameters
  const scale = canonicalScale(columnScale(problem))
  const own = new Float64Array(P)
  const point = new Float64Array(P)
  return ({ theta, thetaFound: _, ...rows }, facts) => {
    const { count, start, verdict, nullity, conditioned } = rows
    const out = new Float64Array(conditioned.length).fill(NaN)
    const copy = new Float64Array(count).fill(NaN)
    let ends: Ends | undefined
    for (let i = 0; i < count; i++) {
      const at = i * P
      const code = verdict[i]
      if (code === VerdictCode.minimum || (code === VerdictCode.saddle && nullity[i] === 0)) {
        for (let p = 0; p < P; p++) own[p] = conditioned[at + p] / scale[p]
        copy[i] = canonicalizer.canonicalize(own, point)
        for (let p = 0; p < P; p++) out[at + p] = point[p] * scale[p]
      } else if (code === VerdictCode.degenerate || code === VerdictCode.saddle || facts.growing.has(start[i]))
        out.set(conditioned.subarray(at, at + P), at)
      if (theta && (code === VerdictCode.minimum || code === VerdictCode.degenerate)) {
        const here = theta.subarray(at, at + P)
        ends = joined(ends, { low: here, high: here })
      }
    }
    return { rows: { ...rows, conditioned: out, copy }, facts: { ...facts, ...(ends ? { ends } : {}) } }
  }
}
