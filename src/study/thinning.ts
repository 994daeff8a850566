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
  return ({ thetaFound: _, ends: { theta, ...ends }, ...rows }, facts) => {
    const { count, verdict, nullity, conditioned } = ends
    const grows = new Uint8Array(count)
    if (facts.growing.size > 0) rows.end.forEach((e, i) => facts.growing.has(rows.start[i]) && (grows[e] = 1))
    const out = new Float64Array(conditioned.length).fill(NaN)
    const copy = new Float64Array(count).fill(NaN)
    let range: Ends | undefined
    for (let e = 0; e < count; e++) {
      const at = e * P
      const code = verdict[e]
      if (code === VerdictCode.minimum || (code === VerdictCode.saddle && nullity[e] === 0)) {
        for (let p = 0; p < P; p++) own[p] = conditioned[at + p] / scale[p]
        copy[e] = canonicalizer.canonicalize(own, point)
        for (let p = 0; p < P; p++) out[at + p] = point[p] * scale[p]
      } else if (code === VerdictCode.degenerate || code === VerdictCode.saddle || grows[e] === 1)
        out.set(conditioned.subarray(at, at + P), at)
      if (theta && (code === VerdictCode.minimum || code === VerdictCode.degenerate)) {
        const here = theta.subarray(at, at + P)
        range = joined(range, { low: here, high: here })
      }
    }
    const thin = { ...rows, ends: { ...ends, conditioned: out, copy } }
    return { rows: thin, facts: { ...facts, ...(range ? { ends: range } : {}) } }
  }
}
