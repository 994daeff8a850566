/** How far the predictions of good runs differ, against how good they must be. */
import type { LevelSet } from '../../core/multiplicityResult.js'
import type { Summary } from '../../core/result.js'
import { bestOf } from '../multiplicity.js'
import { short } from '../words.js'
import type { Chart } from './chart.js'
import { dashes, lineSign, palette, svg } from './svg.js'

/** Measures against ε, a line for each model; ambiguity where some rows are ambiguous. */
export async function multiplicityCurve(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const all = summaries.filter(s => s.multiplicity)
  if (all.length === 0 || all.every(s => s.multiplicity!.epsilon.length < 2)) return undefined
  const names = all.map(s => s.name)
  const classes = all.some(s => s.multiplicity!.within.some(set => (set.ambiguity ?? 0) > 0))
  const model = { field: 'model', type: 'nominal', sort: names, legend: null }
  const panel = (title: string, format: string, of: (set: LevelSet) => number | undefined): Promise<string> => {
    const values = all.flatMap(s =>
      s.multiplicity!.within.flatMap(set => {
        const value = of(set)
        return Number.isFinite(value) ? [{ epsilon: set.epsilon, value, model: s.name }] : []
      })
    )
    return svg(
      {
        height: 190,
        data: { values },
        mark: { type: 'line', strokeWidth: 2, point: { size: 30 } },
        encoding: {
          x: {
            field: 'epsilon',
            type: 'quantitative',
            title: `within ε of ${bestOf(all[0].multiplicity!)}`,
            axis: { tickCount: 6 }
          },
          y: { field: 'value', type: 'quantitative', title, scale: { domainMin: 0 }, axis: { format, tickCount: 5 } },
          color: { ...model, scale: { domain: names, range: names.map((_, i) => palette[i % palette.length]) } },
          strokeDash: { ...model, scale: { domain: names, range: names.map((_, i) => dashes[i % dashes.length]) } }
        }
      },
      `${title} against ε: ${all.map(s => `${s.name} ${s.multiplicity!.within.map(set => short(of(set), 3)).join(', ')}`).join('; ')}.`
    )
  }
  const svgs = [
    ...(classes ? [await panel('ambiguity of training rows', '.0%', set => set.ambiguity)] : []),
    await panel('mean range of predictions', '~g', set => set.range)
  ]
  return {
    title: 'How much good runs disagree',
    caption:
      (classes
        ? 'Left: training rows to which some run within ε gives another class than the best one. Right: t'
        : 'T') +
      'he largest prediction for a row less the smallest, over the runs within ε; mean over the training rows. A convex model stays at 0.',
    svgs,
    legend: names.length > 1 ? names.map((name, i) => ({ sign: lineSign(i), name })) : []
  }
}
