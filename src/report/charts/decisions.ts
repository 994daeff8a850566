/** What the best minima decide, over two inputs. */
import type { Summary } from '../../core/result.js'
import { minimumLooks, smallWidth } from './chart.js'
import { svg } from './svg.js'

/** Colours and dashes of the boundaries of the best three minima, in the colours that the waterfall gives them. */
const boundaryDashes = [
  [1, 0],
  [6, 3],
  [2, 3]
]

/** Training rows of two inputs and the lines on which the best minima change their mind. */
export async function decisions(s: Summary): Promise<string | undefined> {
  if (!s.decisions) return undefined
  const { columns, rows, boundaries } = s.decisions
  const names = boundaries.map((_, i) => `minimum ${i + 1}`)
  const lines = boundaries.flatMap((list, i) =>
    list.flatMap((line, path) =>
      line.map(([x, y], order) => ({ x, y, order, path: `${i} ${path}`, minimum: names[i] }))
    )
  )
  const points = rows.map(([x, y, kind]) => ({ x, y, kind: kind === 1 ? 'one' : 'zero' }))
  const axis = (field: 'x' | 'y', title: string): object => ({
    field,
    type: 'quantitative',
    title,
    scale: { zero: false, nice: false },
    axis: { tickCount: 4 }
  })
  const [x, y] = [axis('x', columns[0]), axis('y', columns[1])]
  const minimum = { field: 'minimum', type: 'nominal', legend: null }
  const looks = names.map((_, i) => minimumLooks[i][0])
  return svg(
    {
      width: smallWidth,
      height: 190,
      layer: [
        {
          data: { values: points },
          mark: { type: 'point', size: 26, filled: false, opacity: 0.85 },
          encoding: {
            x,
            y,
            color: { value: '#888888' },
            shape: {
              field: 'kind',
              type: 'nominal',
              legend: null,
              scale: { domain: ['zero', 'one'], range: ['circle', 'triangle-up'] }
            },
            fill: {
              field: 'kind',
              type: 'nominal',
              legend: null,
              scale: { domain: ['zero', 'one'], range: ['transparent', '#888888'] }
            }
          }
        },
        ...(lines.length > 0
          ? [
              {
                data: { values: lines },
                mark: { type: 'line', strokeWidth: 2 },
                encoding: {
                  x,
                  y,
                  order: { field: 'order', type: 'quantitative' },
                  detail: { field: 'path' },
                  color: { ...minimum, scale: { domain: names, range: looks } },
                  strokeDash: { ...minimum, scale: { domain: names, range: boundaryDashes.slice(0, names.length) } }
                }
              }
            ]
          : [])
      ]
    },
    `Training rows by ${columns.join(' and ')}, and where ${names.join(', ')} of ${s.name} change from one class to the other.`
  )
}
