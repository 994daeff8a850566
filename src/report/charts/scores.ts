/** Scores of the runs. */
import type { Summary } from '../../core/result.js'
import { fixed, mainMetric } from '../words.js'
import { highest, lowest, type Chart } from './chart.js'
import { markSign, palette, svg } from './svg.js'

/** Spread of the main metric over runs, training beside held-out rows. */
export async function scores(summaries: readonly Summary[]): Promise<Chart | undefined> {
  const metric = summaries.map(mainMetric).find(m => m !== undefined)
  if (!metric) return undefined
  const values = summaries.flatMap(s =>
    (['train', 'test'] as const).flatMap(part => {
      const q = s.metrics[part]?.[metric.name]
      return q && Object.values(q).every(Number.isFinite)
        ? [{ ...q, model: s.name, rows: part === 'train' ? 'training' : 'held out' }]
        : []
    })
  )
  // One model whose runs all score the same is a line of text, not a picture.
  if (values.length === 0 || (summaries.length === 1 && values.every(v => v.min === v.max))) return undefined
  const [low, high] = [lowest(values.map(v => v.min)), highest(values.map(v => v.max))]
  const pad = Math.max(0.04 * (high - low), 0.002)
  const kinds = ['training', 'held out'].filter(kind => values.some(v => v.rows === kind))
  const y = {
    field: 'model',
    type: 'nominal',
    title: null,
    sort: summaries.map(s => s.name),
    axis: { labelLimit: 300 }
  }
  const yOffset = { field: 'rows', type: 'nominal', sort: kinds, scale: { paddingOuter: 0.2 } }
  const looks: Readonly<Record<string, readonly [string, 'circle' | 'diamond']>> = {
    training: [palette[0], 'circle'],
    'held out': [palette[1], 'diamond']
  }
  const rows = { field: 'rows', type: 'nominal', sort: kinds, legend: null }
  const color = { ...rows, scale: { domain: kinds, range: kinds.map(k => looks[k][0]) } }
  const shape = { ...rows, scale: { domain: kinds, range: kinds.map(k => looks[k][1]) } }
  const x = { type: 'quantitative', title: metric.label, scale: { nice: false, domain: [low - pad, high + pad] } }
  const axis = { tickCount: 6 }
  const picture = await svg(
    {
      height: { step: 18 },
      data: { values },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: {
            y,
            yOffset,
            color,
            x: { ...x, axis, field: 'min' },
            x2: { field: 'max' }
          }
        },
        {
          mark: { type: 'bar', height: 8, opacity: 0.45 },
          encoding: {
            y,
            yOffset,
            color,
            x: { ...x, axis, field: 'q25' },
            x2: { field: 'q75' }
          }
        },
        {
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { y, yOffset, color, shape, x: { ...x, axis, field: 'median' } }
        }
      ]
    },
    `Spread of the ${metric.label} over the runs: ${values.map(v => `${v.model}, ${v.rows}: ${fixed(v.min, 3)} to ${fixed(v.max, 3)}`).join('; ')}.`
  )
  return {
    title: 'What it means for predictions',
    caption: 'Line: all runs; bar: the middle half; mark: the median. At the points where the optimiser left the runs.',
    svgs: [picture],
    legend: kinds.map(name => ({ sign: markSign(...looks[name]), name }))
  }
}
