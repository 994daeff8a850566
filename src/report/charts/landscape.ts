/** The loss between end points: along a segment, and as contours over a plane; beside the convex twin where there is one. */
import type { Contours, Summary } from '../../core/result.js'
import { listed } from '../words.js'
import type { Chart } from './chart.js'
import { dashes, palette, svg } from './svg.js'

const height = 260

type Segment = NonNullable<NonNullable<Summary['landscape']>['segment']>
type Plane = NonNullable<NonNullable<Summary['landscape']>['plane']>

async function alongSegment({ from, to, at, losses, twin }: Segment, loss: string): Promise<string> {
  const lists = [{ name: loss, losses }, ...(twin ? [{ name: twin.loss, losses: twin.losses }] : [])]
  // Each from its lowest value to its highest: losses of different kinds have no common scale.
  const values = lists.flatMap(({ name, losses: list }) => {
    const known = list.filter((v): v is number => Number.isFinite(v))
    const [low, high] = [Math.min(...known), Math.max(...known)]
    return at.flatMap((t, k) => {
      const v = list[k]
      return Number.isFinite(v) ? [{ t, loss: twin ? (v! - low) / (high - low || 1) : v, name }] : []
    })
  })
  const domain = lists.map(l => l.name)
  const name = { field: 'name', type: 'nominal', title: null, sort: domain, ...(twin ? {} : { legend: null }) }
  return svg(
    {
      height,
      layer: [
        {
          data: { values: [{ t: 0 }, { t: 1 }] },
          mark: { type: 'rule', color: '#999999', strokeDash: [3, 3] },
          encoding: { x: { field: 't', type: 'quantitative' } }
        },
        {
          data: { values },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: {
            x: {
              field: 't',
              type: 'quantitative',
              title: `from ${from} (0) to ${to} (1)`,
              scale: { nice: false, domain: [at[0], at[at.length - 1]] },
              axis: { values: [0, 0.5, 1] }
            },
            y: {
              field: 'loss',
              type: 'quantitative',
              title: twin ? 'loss, lowest 0 and highest 1' : 'loss',
              scale: { zero: false }
            },
            color: { ...name, scale: { domain, range: domain.map((_, i) => palette[i]) } },
            strokeDash: { ...name, scale: { domain, range: domain.map((_, i) => dashes[i]) } }
          }
        }
      ]
    },
    `The ${loss} loss along the segment from ${from} to ${to}${twin ? `, and the ${twin.loss} loss there` : ''}.`
  )
}

async function overPlane({ points }: Plane, { levels }: Contours, loss: string): Promise<string> {
  const lines = levels.flatMap(({ lines: list }, level) =>
    list.flatMap((line, path) => line.map(([x, y], order) => ({ x, y, order, path: `${level} ${path}`, level })))
  )
  const marks = points.map(({ name, x, y }) => ({ name, x, y }))
  const all = [...lines, ...marks]
  const ends = (of: 'x' | 'y'): [number, number] => [
    all.reduce((m, p) => Math.min(m, p[of]), Infinity),
    all.reduce((m, p) => Math.max(m, p[of]), -Infinity)
  ]
  const axis = (field: 'x' | 'y'): object => ({
    field,
    type: 'quantitative',
    title: null,
    scale: { zero: false, nice: false, domain: ends(field) },
    axis: { tickCount: 4 }
  })
  const [x, y] = [axis('x'), axis('y')]
  return svg(
    {
      height: 320,
      layer: [
        {
          data: { values: lines },
          mark: { type: 'line', strokeWidth: 1.3 },
          encoding: {
            x,
            y,
            order: { field: 'order', type: 'quantitative' },
            detail: { field: 'path' },
            color: { field: 'level', type: 'quantitative', legend: null, scale: { range: ['#0072B2', '#E69F00'] } }
          }
        },
        {
          data: { values: marks },
          mark: { type: 'point', filled: true, size: 60, color: '#D55E00' },
          encoding: { x, y }
        },
        {
          data: { values: marks },
          mark: { type: 'text', dy: -11, fontSize: 12, color: 'currentColor' },
          encoding: { x, y, text: { field: 'name' } }
        }
      ]
    },
    `Lines of equal ${loss} loss over the plane through ${listed(points.map(p => p.name))}.`
  )
}

export async function landscapeChart(s: Summary): Promise<Chart | undefined> {
  const { segment, plane } = s.landscape ?? {}
  if (!segment && !plane) return undefined
  const { loss } = s.problem
  const svgs: string[] = []
  if (segment) svgs.push(await alongSegment(segment, loss))
  if (plane) {
    svgs.push(await overPlane(plane, plane, loss))
    if (plane.twin) svgs.push(await overPlane(plane, plane.twin, plane.twin.loss))
  }
  const twin = plane?.twin ? ` Last: the ${plane.twin.loss} loss over the same plane.` : ''
  return {
    title: 'Between the end points',
    caption:
      (segment ? 'The loss along the straight way between two minima. ' : '') +
      (plane
        ? `Lines of equal loss over the plane through ${listed(plane.points.map(p => p.name))}, from blue (low) to orange (high); distances in units of that of the first two.${twin}`
        : ''),
    svgs
  }
}
