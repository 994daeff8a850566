/** How many minima are met, start by start. */
import type { Summary } from '../../core/result.js'
import { origin, type Chart } from './chart.js'
import { logAxis, palette, svg } from './svg.js'

/** 0, 1, 2 … n or whole multiples. */
function wholeTicks(n: number): number[] {
  const step = Math.max(1, Math.ceil(n / 6))
  return Array.from({ length: Math.floor(n / step) + 1 }, (_, i) => i * step)
}

/** Distinct minima against starts. */
export async function discovery(s: Summary): Promise<Chart | undefined> {
  const values = s.coverage.discovery
  if (s.minima.length < 2 || values.length < 2) return undefined
  const most = Math.max(2, s.starts)
  const picture = await svg(
    {
      height: 170,
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, color: palette[0] },
      encoding: {
        x: {
          field: 'starts',
          type: 'quantitative',
          title: 'starts',
          scale: { type: 'log', nice: false, domain: [1, most] },
          axis: logAxis(1, most)
        },
        y: {
          field: 'minima',
          type: 'quantitative',
          title: 'distinct minima met',
          scale: { domainMin: 0 },
          axis: { values: wholeTicks(s.distinct.minima.points), format: ',d' }
        }
      }
    },
    `Distinct minima met against starts: ${s.distinct.minima.points} after ${s.starts}.`
  )
  return {
    title: 'Discovery',
    caption: `A curve that is still rising says that more minima are to be found. ${origin(s)}, in the order of the starts.`,
    svgs: [picture]
  }
}
