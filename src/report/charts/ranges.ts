/** Predictions of every row by good runs. */
import type { Summary } from '../../core/result.js'
import { count, short } from '../words.js'
import { smallWidth } from './chart.js'
import { draw } from './plot/draw.js'
import type { Layer, Mark } from './plot/spec.js'
import { palette } from './plot/looks.js'
import { whole } from './plot/text.js'

/** Rows sorted by the best run's prediction, with the ranges of the runs within the smallest and the largest ε. */
export function predictionRanges(s: Summary): string | undefined {
  const m = s.multiplicity
  if (!m || m.rows.length < 2) return undefined
  const last = m.epsilon.length - 1
  const values = [...m.rows]
    .sort((a, b) => a.prediction - b.prediction)
    .map(({ prediction, ranges }, i) => ({
      row: i + 1,
      prediction,
      low: ranges[last][0],
      high: ranges[last][1],
      near: ranges[0][0],
      far: ranges[0][1]
    }))
    .filter(row => Object.values(row).every(Number.isFinite))
  const name = m.rows[0].class
  const y = {
    type: 'quantitative',
    title: name === undefined || m.rows.some(row => row.class !== name) ? 'prediction' : `probability of ${name}`,
    axis: { tickCount: 5 },
    scale: name === undefined ? { zero: false } : { domain: [0, 1] }
  }
  const x = {
    field: 'row',
    type: 'quantitative',
    title: 'rows, sorted',
    scale: { nice: false, domain: [0, values.length + 1] },
    axis: { tickCount: 4, format: whole }
  }
  // A band of steps is a small part of what a line for each row would take.
  const band = (low: string, high: string, look: Partial<Mark>): Layer => ({
    mark: { type: 'area', interpolate: 'step', ...look },
    encoding: { x, y: { ...y, field: low }, y2: { field: high } }
  })
  const [first] = m.rows
  return draw(
    {
      width: smallWidth,
      height: 150,
      data: { values },
      layer: [
        band('low', 'high', { color: palette[1], opacity: 0.55 }),
        band('near', 'far', { color: palette[0], opacity: 0.7 }),
        {
          mark: { type: 'line', interpolate: 'step', strokeWidth: 1.5, color: 'currentColor' },
          encoding: { x, y: { ...y, field: 'prediction' } }
        }
      ]
    },
    `Ranges of the predictions for ${count(values.length, 'row', 'rows')} by runs of ${s.name}; the widest, of row ${first.row}, from ${first.ranges[last].map(v => short(v, 3)).join(' to ')}.`
  )
}
