/** On how many rows two minima disagree. */
import type { Summary } from '../../core/result.js'
import { percent } from '../words.js'
import { chartWidth, palette, svg } from './svg.js'
import type { Chart } from './chart.js'

/** The churn of the best minima, two by two: training rows below the diagonal, held-out ones above it. */
export async function churnMatrix(s: Summary): Promise<Chart | undefined> {
  const churn = s.multiplicity?.minima?.churn
  if (!churn || churn.ids.length < 2) return undefined
  const { ids, train, test } = churn
  const names = ids.map((_, i) => String(i + 1))
  const values = ids.flatMap((_, a) =>
    ids.flatMap((__, b) => {
      const share = a > b ? train[a][b] : test?.[a][b]
      return a === b || share === undefined
        ? []
        : [{ a: names[a], b: names[b], share, text: share > 0 ? (100 * share).toFixed(0) : '' }]
    })
  )
  const most = values.reduce((top, v) => Math.max(top, v.share), 0)
  const axis = (field: 'a' | 'b', orient: string): object => ({
    field,
    type: 'ordinal',
    title: null,
    sort: names,
    scale: { domain: names },
    axis: { orient, labelAngle: 0, ticks: false, domain: false }
  })
  const [x, y] = [axis('b', 'top'), axis('a', 'left')]
  const picture = await svg(
    {
      height: Math.min(chartWidth - 60, 30 * names.length),
      data: { values },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            x,
            y,
            color: { value: palette[5] },
            opacity: {
              field: 'share',
              type: 'quantitative',
              legend: null,
              scale: { domain: [0, Math.max(most, 1e-9)], range: [0.06, 0.75] }
            }
          }
        },
        {
          mark: { type: 'text', fontSize: 11, color: 'currentColor' },
          encoding: { x, y, text: { field: 'text' } }
        }
      ]
    },
    `Rows on which two of the best ${ids.length} minima of ${s.name} predict different classes: up to ${percent(most)}.`
  )
  return {
    title: 'Where the minima disagree',
    caption:
      `Rows, in percent, to which two minima give different classes (churn); numbers of the minima as in the table, by loss. ` +
      (test ? 'Below the diagonal training rows, above it held-out ones.' : 'Training rows.'),
    svgs: [picture]
  }
}
