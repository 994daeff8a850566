/** How a coefficient of separated data runs away. */
import type { Summary } from '../../core/result.js'
import { short } from '../words.js'
import type { Chart } from './chart.js'
import { logAxis, palette, svg } from './svg.js'

export async function growthChart(s: Summary): Promise<Chart | undefined> {
  const { growth } = s.separation
  if (!growth) return undefined
  const { name, steps, values, learningRate } = growth
  const last = steps[steps.length - 1]
  const picture = await svg(
    {
      height: 230,
      data: { values: steps.map((step, k) => ({ step, value: values[k] })) },
      mark: { type: 'line', strokeWidth: 2, color: palette[0], point: { color: palette[0], size: 30 } },
      encoding: {
        x: {
          field: 'step',
          type: 'quantitative',
          title: 'step of gradient descent',
          scale: { type: 'log', nice: false, domain: [1, last] },
          axis: logAxis(1, last)
        },
        y: { field: 'value', type: 'quantitative', title: name, scale: { zero: false } }
      }
    },
    `${name} against steps of gradient descent, from ${short(values[0])} to ${short(values.at(-1))}.`
  )
  return {
    title: 'How a coefficient runs away',
    caption: `Gradient descent from the origin, step length ${short(learningRate)}: a straight line on this axis would be growth like the logarithm of the time.`,
    svgs: [picture]
  }
}
