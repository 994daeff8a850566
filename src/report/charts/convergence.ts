/** Loss and gradient norm against steps. */
import type { Bands, Summary } from '../../core/result.js'
import { count } from '../words.js'
import { chartHeight, floorOf, highest, type Chart } from './chart.js'
import { dashes, lineSign, logAxis, palette, svg } from './svg.js'

/** Loss gap and gradient norm against steps for every model that has curves. */
export async function convergence(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const traced = summaries.filter(s => s.curves?.lossGap.median.some(Number.isFinite))
  if (traced.length === 0) return undefined
  const mixed = traced.some(s => s.convex.model) && traced.some(s => !s.convex.model)
  const nameOf = (s: Summary): string => (mixed ? `${s.name} (${s.convex.model ? 'convex' : 'not convex'})` : s.name)
  const names = traced.map(nameOf)
  const lastStep = highest(traced.flatMap(s => s.curves!.steps))
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'step',
    scale: { type: 'log', nice: false, domain: [1, Math.max(2, lastStep)] },
    axis: logAxis(1, Math.max(2, lastStep))
  }
  const model = { field: 'model', type: 'nominal', sort: names, legend: null }
  const scale = { domain: names, range: names.map((_, i) => palette[i % palette.length]) }
  const dash = { domain: names, range: names.map((_, i) => dashes[i % dashes.length]) }
  const panel = async (kind: 'lossGap' | 'gradientNorm', label: string): Promise<string> => {
    const bandsOf = (s: Summary): Bands => s.curves![kind]
    const all = traced.flatMap(s => bandsOf(s).q05.concat(bandsOf(s).median))
    const floor = Math.max(1e-17, floorOf(all))
    const top = Math.max(floor * 10, highest(traced.flatMap(s => bandsOf(s).q95)))
    const values = traced.flatMap(s => {
      const { q05, q25, median, q75, q95 } = bandsOf(s)
      const lists = { low: q05, q25, median, q75, high: q95 }
      return s.curves!.steps.flatMap((step, i) => {
        const at = Object.entries(lists).map(([name, list]) => [name, list[i]] as const)
        if (!at.every(([, v]) => Number.isFinite(v))) return []
        return [{ step, model: nameOf(s), ...Object.fromEntries(at.map(([name, v]) => [name, Math.max(floor, v)])) }]
      })
    })
    const y = {
      type: 'quantitative',
      title: label,
      scale: { type: 'log', nice: false, domain: [floor, top] },
      axis: logAxis(floor, top)
    }
    return svg(
      {
        height: chartHeight,
        data: { values },
        layer: [
          {
            mark: { type: 'area', opacity: 0.12 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: { ...model, scale } }
          },
          {
            mark: { type: 'area', opacity: 0.22 },
            encoding: { x, y: { ...y, field: 'q25' }, y2: { field: 'q75' }, color: { ...model, scale } }
          },
          {
            mark: { type: 'line', strokeWidth: 2, clip: false },
            encoding: {
              x,
              y: { ...y, field: 'median' },
              color: { ...model, scale },
              strokeDash: { ...model, scale: dash }
            }
          }
        ]
      },
      `${label} against steps, median and quantile bands, for ${names.join('; ')}.`
    )
  }
  const runs = highest(traced.map(s => s.curves!.runs))
  return {
    title: 'Convergence',
    caption:
      `Line: median of the first ${count(runs, 'run', 'runs')} of each model; dark band: the middle half; light band: 5 to 95 %. ` +
      'A run that has ended stays where it ended. The gap is measured from the lowest certified loss of the same model; ' +
      'what is at or below rounding is drawn at the bottom.',
    svgs: [await panel('lossGap', 'loss above the lowest'), await panel('gradientNorm', 'gradient norm')],
    legend: names.length > 1 ? names.map((name, i) => ({ sign: lineSign(i), name })) : []
  }
}
