/** How the scores of the runs are spread, with the one score of a convex model. */
import type { Histogram, Summary } from '../../core/result.js'
import { fixed, mainMetric, percent } from '../words.js'
import { smallWidth } from './chart.js'
import { dashes, palette, svg } from './svg.js'

const parts = ['train', 'test'] as const
type Part = (typeof parts)[number]
const words: Readonly<Record<Part, string>> = { train: 'training', test: 'held out' }
export const histogramLooks: Readonly<Record<Part, string>> = { train: palette[0], test: palette[1] }

/** Bars of a histogram: a value that all runs share is a thin one. */
function bars({ low, high, counts }: Histogram, thin: number): { from: number; to: number; runs: number }[] {
  const width = (high - low) / counts.length
  return counts.flatMap((runs, i) => {
    if (runs === 0) return []
    return counts.length === 1
      ? [{ from: low - thin / 2, to: low + thin / 2, runs }]
      : [{ from: low + i * width, to: low + (i + 1) * width, runs }]
  })
}

/** Shares of the runs by their score, with dashed lines where the convex model stands; undefined without scores. */
export async function histogram(s: Summary, convex: Summary | undefined): Promise<string | undefined> {
  const found = s.metrics.histogram
  const metric = mainMetric(s)
  if (!found || !metric) return undefined
  const lines = parts.flatMap(part => {
    const value = convex?.metrics[part]?.[metric.name]?.median
    return value !== undefined && Number.isFinite(value) ? [{ value, rows: words[part] }] : []
  })
  const ends = [
    ...parts.flatMap(part => (found[part] ? [found[part].low, found[part].high] : [])),
    ...lines.map(l => l.value)
  ]
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const pad = Math.max(0.03 * (high - low), 1e-3 * Math.max(Math.abs(low), Math.abs(high)))
  const thin = (high - low + 2 * pad) / 60
  const values = parts.flatMap(part => {
    const one = found[part]
    if (!one) return []
    const total = one.counts.reduce((a, b) => a + b, 0)
    return bars(one, thin).map(bar => ({ ...bar, share: bar.runs / total, rows: words[part] }))
  })
  const domain = parts.filter(part => found[part]).map(part => words[part])
  const rows = {
    field: 'rows',
    type: 'nominal',
    legend: null,
    scale: { domain, range: domain.map((_, i) => histogramLooks[parts[i]]) }
  }
  const x = {
    type: 'quantitative',
    title: metric.label,
    scale: { nice: false, zero: false, domain: [low - pad, high + pad] },
    axis: { tickCount: 4 }
  }
  return svg(
    {
      width: smallWidth,
      height: 150,
      layer: [
        {
          data: { values },
          mark: { type: 'rect', opacity: 0.6 },
          encoding: {
            x: { ...x, field: 'from' },
            x2: { field: 'to' },
            y: {
              field: 'share',
              type: 'quantitative',
              title: 'share of the runs',
              axis: { format: '.0%', tickCount: 4 }
            },
            y2: { datum: 0 },
            color: rows
          }
        },
        {
          data: { values: lines },
          mark: { type: 'rule', strokeWidth: 2, strokeDash: dashes[1] },
          encoding: { x: { ...x, field: 'value' }, color: rows }
        }
      ]
    },
    `${metric.label} of the runs of ${s.name}: ${values.map(v => `${v.rows} ${fixed((v.from + v.to) / 2, 3)}, ${percent(v.share)}`).join('; ')}.`
  )
}
