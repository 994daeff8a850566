/** The minimiser against the ridge. */
import type { Summary } from '../../core/result.js'
import { count, listed, short } from '../words.js'
import type { Chart } from './chart.js'
import { dashes, logAxis, palette, svg } from './svg.js'

/** Coefficients with a colour and a name of their own: those that become largest. */
const named = 8
const height = 260

type Path = NonNullable<Summary['ridgePath']>

const xAxis = ({ ridges }: Path): object => {
  const [high, low] = [ridges[0], ridges[ridges.length - 1]]
  return {
    field: 'ridge',
    type: 'quantitative',
    title: 'ridge',
    scale: { type: 'log', nice: false, domain: [low, high] },
    axis: logAxis(low, high)
  }
}

/** Names by the size of their coefficients where the ridge is weakest; the intercept counts like others. */
function largest({ parameters, names }: Path): number[] {
  const last = parameters[parameters.length - 1]
  return names
    .map((_, p) => p)
    .sort((a, b) => Math.abs(last[b]) - Math.abs(last[a]))
    .slice(0, named)
}

const ruleAt = (path: Path): object[] => {
  const { crossValidated: cv, ridges } = path
  if (!cv) return []
  return [
    {
      data: { values: [{ ridge: ridges[cv.best] }] },
      mark: { type: 'rule', strokeDash: [4, 3], color: '#777777' },
      encoding: { x: xAxis(path) }
    }
  ]
}

async function coefficients(path: Path, columns: string): Promise<string | undefined> {
  if (path.parameters[0].length === 0) return undefined
  const shown = largest(path)
  const values = path.ridges.flatMap((ridge, k) =>
    path.names.map((name, p) => ({ ridge, name, value: path.parameters[k][p], shown: shown.includes(p) }))
  )
  const order = shown.map(p => path.names[p])
  const y = { field: 'value', type: 'quantitative', title: `coefficient${columns}` }
  const name = { field: 'name', type: 'nominal', title: null, sort: order }
  return svg(
    {
      height,
      layer: [
        ...(values.some(v => !v.shown)
          ? [
              {
                data: { values: values.filter(v => !v.shown) },
                mark: { type: 'line', strokeWidth: 1, color: '#bbbbbb' },
                encoding: { x: xAxis(path), y, detail: { field: 'name' } }
              }
            ]
          : []),
        {
          data: { values: values.filter(v => v.shown) },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: {
            x: xAxis(path),
            y,
            color: { ...name, scale: { domain: order, range: order.map((_, i) => palette[i % palette.length]) } },
            strokeDash: { ...name, scale: { domain: order, range: order.map((_, i) => dashes[i % dashes.length]) } }
          }
        },
        ...ruleAt(path)
      ]
    },
    `Coefficients against the ridge, from ${short(path.ridges[0])} down to ${short(path.ridges.at(-1))}: ${listed(order)}.`
  )
}

async function losses(path: Path): Promise<string> {
  const { ridges, crossValidated: cv } = path
  const known = (v: number | null | undefined): v is number => Number.isFinite(v)
  const values = ridges.flatMap((ridge, k) => [
    { ridge, loss: path.losses[k], rows: 'training rows' },
    ...(cv && known(cv.losses[k]) && known(cv.errors[k])
      ? [
          {
            ridge,
            loss: cv.losses[k],
            low: cv.losses[k] - cv.errors[k],
            high: cv.losses[k] + cv.errors[k],
            rows: 'rows held out'
          }
        ]
      : [])
  ])
  const domain = ['training rows', 'rows held out']
  const rows = { field: 'rows', type: 'nominal', title: null, sort: domain }
  const y = { field: 'loss', type: 'quantitative', title: 'mean loss', scale: { zero: false } }
  return svg(
    {
      height,
      layer: [
        {
          data: { values: values.filter(v => 'low' in v) },
          mark: { type: 'area', opacity: 0.18, color: palette[1] },
          encoding: { x: xAxis(path), y: { ...y, field: 'low' }, y2: { field: 'high' } }
        },
        {
          data: { values },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: {
            x: xAxis(path),
            y,
            color: { ...rows, scale: { domain, range: [palette[0], palette[1]] } },
            strokeDash: { ...rows, scale: { domain, range: dashes.slice(0, 2) } }
          }
        },
        ...ruleAt(path)
      ]
    },
    `Mean loss of the training rows${cv ? ' and of rows held out' : ''} against the ridge.`
  )
}

export async function ridgePathChart(s: Summary): Promise<Chart | undefined> {
  const path = s.ridgePath
  if (!path) return undefined
  const columns = path.standardized ? ', standardised columns' : ''
  const picture = await coefficients(path, columns)
  const cv = path.crossValidated
  return {
    title: 'The minimiser against the ridge',
    caption:
      `The best of ${count(path.starts, 'run', 'runs')} for each of ${path.ridges.length} ridges; strong ones on the right, where the weights are ` +
      `held near 0.${cv ? ` Dashed: the ridge with the least loss of rows held out in ${cv.folds} folds; its band is one standard error.` : ''}`,
    svgs: [...(picture === undefined ? [] : [picture]), await losses(path)]
  }
}
