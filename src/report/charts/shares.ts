/** How often each minimum is met. */
import type { Summary } from '../../core/result.js'
import { formatCount } from '../../core/units.js'
import { fixed, percent } from '../words.js'
import { origin, type Chart } from './chart.js'
import { palette, svg } from './svg.js'

/** Shares of the first minima with their intervals. One minimum has nothing to share with. */
export async function shares(s: Summary): Promise<Chart | undefined> {
  if (s.minima.length < 2) return undefined
  const list = s.minima.slice(0, 20)
  const values = list.map((m, i) => ({
    name: `${i + 1}: ${fixed(m.loss, 6)}`,
    share: 100 * m.share,
    low: 100 * m.shareInterval[0],
    high: 100 * m.shareInterval[1]
  }))
  const y = { field: 'name', type: 'nominal', title: null, sort: values.map(v => v.name), axis: { grid: true } }
  const x = {
    type: 'quantitative',
    title: 'share of all runs, %',
    scale: { domainMin: 0 },
    axis: { tickCount: 6 }
  }
  const picture = await svg(
    {
      height: Math.max(40, 24 * list.length),
      data: { values },
      layer: [
        {
          mark: { type: 'rule', color: palette[0], strokeWidth: 3, opacity: 0.5 },
          encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } }
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1, color: palette[0] },
          encoding: { y, x: { ...x, field: 'share' } }
        }
      ]
    },
    `Shares of the minima: ${list.map((m, i) => `${i + 1} with ${percent(m.share)}`).join(', ')}.`
  )
  const others = s.distinct.minima.points - list.length
  const more = others > 0 ? ` ${formatCount(others)} more are not drawn.` : ''
  return {
    title: 'Share of each minimum',
    caption: `Dot: share of all runs; bar: its ${100 * s.coverage.confidence} % Wilson interval. Labels: number and loss. ${origin(s)}.${more}`,
    svgs: [picture]
  }
}
