/** Eigenvalues of the Hessian. */
import type { Summary } from '../../core/result.js'
import { fixed } from '../words.js'
import { floorOf, highest, type Chart } from './chart.js'
import { logAxis, palette, svg } from './svg.js'

/** Hessian eigenvalues of the first minima. */
export async function spectrum(s: Summary): Promise<Chart | undefined> {
  const sets = [
    ...s.minima.slice(0, 8).map((m, i) => ({ name: `minimum ${i + 1}`, point: m })),
    ...s.degenerate.slice(0, 3).map((m, i) => ({ name: `flat minimum ${i + 1}`, point: m })),
    ...s.saddles.slice(0, 3).map((m, i) => ({ name: `saddle ${i + 1}`, point: m }))
  ].filter(p => p.point.eigenvalues.some(Number.isFinite))
  const size = sets.flatMap(p => p.point.eigenvalues.filter(Number.isFinite).map(Math.abs))
  const top = highest(size)
  if (!(top > 0)) return undefined
  const floor = Math.max(floorOf(size.filter(v => v > top * 1e-16)), top * 1e-17)
  const values = sets.flatMap(({ name, point }) =>
    point.eigenvalues.filter(Number.isFinite).map(v => ({
      name,
      size: Math.max(floor, Math.abs(v)),
      sign: Math.abs(v) <= floor ? 'zero' : v < 0 ? 'negative' : 'positive'
    }))
  )
  const looks = {
    positive: [palette[0], 'M0,-1.6L0,1.6'],
    negative: [palette[5], 'cross'],
    zero: [palette[6], 'circle']
  }
  const met = (['positive', 'negative', 'zero'] as const).filter(sign => values.some(v => v.sign === sign))
  const sign = { field: 'sign', type: 'nominal', title: null, ...(met.length > 1 ? {} : { legend: null }) }
  const picture = await svg(
    {
      height: Math.max(40, 26 * sets.length),
      data: { values },
      mark: { type: 'point', filled: false, size: 90, strokeWidth: 2, opacity: 0.9 },
      encoding: {
        x: {
          field: 'size',
          type: 'quantitative',
          title: 'size of the eigenvalue',
          scale: { type: 'log', nice: false, domain: [floor / 1.3, Math.max(top * 1.3, floor * 10)] },
          axis: logAxis(floor, Math.max(top, floor * 10))
        },
        y: { field: 'name', type: 'nominal', title: null, sort: sets.map(p => p.name), axis: { grid: true } },
        color: { ...sign, scale: { domain: met, range: met.map(k => looks[k][0]) } },
        shape: { ...sign, scale: { domain: met, range: met.map(k => looks[k][1]) } }
      }
    },
    `Eigenvalues of the Hessian at ${sets.map(p => p.name).join(', ')}, up to ${fixed(top, 3)} in size.`
  )
  const scale = s.problem.scale === 'standardized' ? 'for the standardised columns' : 'for the columns as given'
  return {
    title: 'Hessian spectrum',
    caption:
      `Each mark is an eigenvalue of the Hessian (curvature along one direction), ${scale}. Far left: almost flat. ` +
      `Far apart: badly conditioned.${met.includes('negative') ? ' Negative ones, drawn as crosses, lead down from a saddle.' : ''}` +
      `${met.includes('zero') ? ' Those that are zero to rounding are circles at the left end.' : ''}`,
    svgs: [picture]
  }
}
