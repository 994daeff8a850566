/** Predictions of every row: by good runs, and over resamples of the rows. */
import type { Summary } from '../../core/result.js'
import { count, short } from '../words.js'
import { smallWidth } from './chart.js'
import { palette, svg } from './svg.js'

/** A row with its prediction and the ends of its bands, the widest band first. */
interface Banded {
  readonly prediction: number
  readonly class?: string | undefined
  readonly bands: readonly (readonly [number, number])[]
}

/** Rows sorted by their prediction, as a line, with bands around it. */
function banded(
  rows: readonly Banded[],
  looks: readonly { readonly color: string; readonly opacity: number }[],
  text: string
): Promise<string> {
  const values = [...rows]
    .sort((a, b) => a.prediction - b.prediction)
    .map(({ prediction, bands }, i) => ({
      row: i + 1,
      prediction,
      ...Object.fromEntries(
        bands.flatMap(([low, high], b) => [
          [`low${b}`, low],
          [`high${b}`, high]
        ])
      )
    }))
    .filter(row => Object.values(row).every(Number.isFinite))
  const name = rows[0].class
  const y = {
    type: 'quantitative',
    title: name === undefined || rows.some(row => row.class !== name) ? 'prediction' : `probability of ${name}`,
    axis: { tickCount: 5 },
    scale: name === undefined ? { zero: false } : { domain: [0, 1] }
  }
  const x = {
    field: 'row',
    type: 'quantitative',
    title: 'rows, sorted',
    scale: { nice: false, domain: [0, values.length + 1] },
    axis: { tickCount: 4, format: 'd' }
  }
  return svg(
    {
      width: smallWidth,
      height: 150,
      data: { values },
      layer: [
        // A band of steps is a small part of what a line for each row would take.
        ...looks.map((look, b): object => ({
          mark: { type: 'area', interpolate: 'step', ...look },
          encoding: { x, y: { ...y, field: `low${b}` }, y2: { field: `high${b}` } }
        })),
        {
          mark: { type: 'line', interpolate: 'step', strokeWidth: 1.5, color: 'currentColor' },
          encoding: { x, y: { ...y, field: 'prediction' } }
        }
      ]
    },
    text
  )
}

/** Rows sorted by the best run's prediction, with the ranges of the runs within the smallest and the largest ε. */
export async function predictionRanges(s: Summary): Promise<string | undefined> {
  const m = s.multiplicity
  if (!m || m.rows.length < 2) return undefined
  const last = m.epsilon.length - 1
  const [first] = m.rows
  return banded(
    m.rows.map(row => ({ ...row, bands: [row.ranges[last], row.ranges[0]] })),
    [
      { color: palette[1], opacity: 0.55 },
      { color: palette[0], opacity: 0.7 }
    ],
    `Ranges of the predictions for ${count(m.rows.length, 'row', 'rows')} by runs of ${s.name}; the widest, of row ${first.row}, from ${first.ranges[last].map(v => short(v, 3)).join(' to ')}.`
  )
}

/** Rows sorted by the prediction of the best minimum, with its intervals over resamples of the rows. */
export async function resampledRanges(s: Summary): Promise<string | undefined> {
  const rows = s.resampling?.bootstrap?.rows ?? []
  if (rows.length < 2) return undefined
  return banded(
    rows.map(row => ({ ...row, bands: [row.interval] })),
    [{ color: palette[0], opacity: 0.5 }],
    `Predictions of ${s.name} for ${count(rows.length, 'row', 'rows')}, with their intervals over resamples of the rows.`
  )
}
