/** Marks of one layer as SVG. */
import { outline, palette } from './looks.js'
import { valueOf, type Placed } from './scales.js'
import type { Channel, ChannelName, Encoding, Layer, Row } from './spec.js'
import { escape } from '../../words.js'

/** What a layer's rows become: places in px and looks. */
export interface Looks {
  readonly x: Placed | undefined
  readonly y: Placed | undefined
  /** px from the middle of a name's room. */
  readonly yOffset: (row: Row) => number
  /** The value of a channel with a range, such as a colour; undefined where there is none. */
  readonly of: (name: ChannelName, row: Row) => unknown
  /** px of the area between the axes. */
  readonly width: number
  readonly height: number
}

/** Rounded to a hundredth of a pixel: finer is not seen and doubles the file. */
export const px = (value: number): string => String(Number(value.toFixed(2)))

const attributes = (list: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(list)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${typeof value === 'number' ? px(value) : value}"`))
    .join('')

const placeOf = (channel: Channel | undefined, row: Row): unknown =>
  channel === undefined ? undefined : 'datum' in channel ? channel.datum : valueOf(row, channel.field!)

interface Point {
  readonly x: number
  readonly y: number
  /** The other end, where there is one. */
  readonly x2: number
  readonly y2: number
  readonly row: Row
}

/** Rows with their places; those that have none, such as a logarithm of 0, are left out. */
function points(rows: readonly Row[], encoding: Encoding, looks: Looks): Point[] {
  const { x, y } = looks
  return rows
    .map(row => {
      const at = (scale: Placed | undefined, name: 'x' | 'y' | 'x2' | 'y2'): number =>
        scale && encoding[name] ? scale.at(placeOf(encoding[name], row)) : NaN
      const offset = looks.yOffset(row)
      return { x: at(x, 'x'), y: at(y, 'y') + offset, x2: at(x, 'x2'), y2: at(y, 'y2') + offset, row }
    })
    .filter(p => (!encoding.x || Number.isFinite(p.x)) && (!encoding.y || Number.isFinite(p.y)))
}

/** Rows that belong to one line. */
function series(all: readonly Point[], encoding: Encoding): Point[][] {
  const fields = (['detail', 'color', 'strokeDash'] as const).flatMap(name => encoding[name]?.field ?? [])
  const groups = new Map<string, Point[]>()
  for (const p of all) {
    const key = JSON.stringify(fields.map(field => valueOf(p.row, field)))
    const group = groups.get(key)
    if (group) group.push(p)
    else groups.set(key, [p])
  }
  const { field } = encoding.order ?? {}
  for (const group of groups.values())
    group.sort((a, b) =>
      field === undefined ? a.x - b.x : Number(valueOf(a.row, field)) - Number(valueOf(b.row, field))
    )
  return [...groups.values()]
}

type Corner = readonly [number, number]
/** A path through the corners; `step` changes half way, `step-after` at the next. */
function path(corners: readonly Corner[], interpolate: string | undefined, move: 'M' | 'L' = 'M'): string {
  let d = ''
  corners.forEach(([x, y], i) => {
    if (i === 0) d += `${move}${px(x)},${px(y)}`
    else if (interpolate === 'step-after') d += `H${px(x)}V${px(y)}`
    else if (interpolate === 'step') d += `H${px((corners[i - 1][0] + x) / 2)}V${px(y)}H${px(x)}`
    else d += `L${px(x)},${px(y)}`
  })
  return d
}

/** Parts of bars that lie end to end, by the name that they belong to. */
function stacked(rows: readonly Row[], encoding: Encoding, looks: Looks): Point[] {
  const sums = new Map<unknown, number>()
  const { field } = encoding.order ?? {}
  const sorted =
    field === undefined ? rows : [...rows].sort((a, b) => Number(valueOf(a, field)) - Number(valueOf(b, field)))
  return sorted.map(row => {
    const name = placeOf(encoding.y, row)
    const from = sums.get(name) ?? 0
    const to = from + Number(placeOf(encoding.x, row))
    sums.set(name, to)
    return { x: looks.x!.at(from), x2: looks.x!.at(to), y: looks.y!.at(name), y2: NaN, row }
  })
}

/** The marks of a layer as a group. */
export function marks({ mark, encoding }: Layer, rows: readonly Row[], looks: Looks): string {
  const colour = (row: Row): string => String(looks.of('color', row) ?? mark.color ?? palette[0])
  const common = (row: Row): Record<string, string | number | undefined> => {
    const opacity = Number(looks.of('opacity', row) ?? mark.opacity ?? 1)
    return opacity === 1 ? {} : { opacity }
  }
  const dash = (row: Row): string | undefined => {
    const list = (looks.of('strokeDash', row) ?? mark.strokeDash) as readonly number[] | undefined
    return list?.join()
  }
  const stroke = (row: Row): Record<string, string | number | undefined> => ({
    stroke: colour(row),
    'stroke-width': mark.strokeWidth ?? 1.5,
    'stroke-dasharray': dash(row),
    ...common(row)
  })
  const symbol = ({ x, y, row }: Point, shape: string, size: number, filled: boolean): string =>
    `<path${attributes({
      transform: `translate(${px(x)},${px(y)})`,
      d: outline(shape, size),
      ...(filled
        ? { fill: colour(row), ...common(row) }
        : { fill: String(looks.of('fill', row) ?? 'none'), ...stroke(row) })
    })}/>`
  const group = (kind: string, parts: readonly string[]): string =>
    parts.length === 0 ? '' : `<g class="mark-${kind} role-mark">${parts.join('')}</g>`
  const all = points(rows, encoding, looks)

  switch (mark.type) {
    case 'point':
      return group(
        'symbol',
        all.map(p =>
          symbol(p, String(looks.of('shape', p.row) ?? mark.shape ?? 'circle'), mark.size ?? 30, mark.filled === true)
        )
      )
    case 'line': {
      const lines = series(all, encoding)
      const { point } = mark
      return (
        group(
          'line',
          lines.map(line => {
            const d = path(
              line.map(p => [p.x, p.y]),
              mark.interpolate
            )
            return `<path${attributes({ d, fill: 'none', ...stroke(line[0].row) })}/>`
          })
        ) +
        (point
          ? group(
              'symbol',
              lines.flat().map(p => symbol(p, 'circle', point.size, true))
            )
          : '')
      )
    }
    case 'area':
      return group(
        'area',
        series(
          all.filter(p => Number.isFinite(p.y2)),
          encoding
        ).map(line => {
          const upper = path(
            line.map(p => [p.x, p.y2]),
            mark.interpolate
          )
          const lower = path(
            [...line].reverse().map(p => [p.x, p.y] as const),
            mark.interpolate,
            'L'
          )
          return `<path${attributes({ d: `${upper}${lower}Z`, fill: colour(line[0].row), ...common(line[0].row) })}/>`
        })
      )
    case 'rule':
      return group(
        'rule',
        all.map(p => {
          const [x1, x2] = encoding.x ? [p.x, encoding.x2 ? p.x2 : p.x] : [0, looks.width]
          const [y1, y2] = encoding.y ? [p.y, encoding.y2 ? p.y2 : p.y] : [0, looks.height]
          return `<line${attributes({ x1, y1, x2, y2, ...stroke(p.row) })}/>`
        })
      )
    case 'bar':
    case 'rect': {
      const bars = mark.type === 'bar' && !encoding.x2 ? stacked(rows, encoding, looks) : all
      const room = mark.type === 'bar' ? 0.9 : 1
      return group(
        'rect',
        bars.flatMap(p => {
          const extent = (a: number, b: number, band: number): Corner =>
            Number.isFinite(b)
              ? [Math.min(a, b), Math.abs(b - a)]
              : [a - (mark.height ?? room * band) / 2, mark.height ?? room * band]
          const [x, width] = extent(p.x, p.x2, looks.x!.band)
          const [y, height] = extent(p.y, p.y2, looks.y!.band)
          if (![x, y, width, height].every(Number.isFinite)) return []
          return [`<rect${attributes({ x, y, width, height, fill: colour(p.row), ...common(p.row) })}/>`]
        })
      )
    }
    case 'text':
      return group(
        'text',
        all.map(p => {
          const look = { 'text-anchor': 'middle', 'font-size': `${mark.fontSize ?? 12}px`, fill: colour(p.row) }
          // Letters stand on their line, a third of their size below the middle.
          const place = { x: p.x + (mark.dx ?? 0), y: p.y + (mark.dy ?? 0) + 0.34 * (mark.fontSize ?? 12) }
          return `<text${attributes({ ...place, ...look, ...common(p.row) })}>${escape(String(valueOf(p.row, encoding.text!.field!)))}</text>`
        })
      )
    default:
      throw new Error(`No chart has marks of the kind ${mark.type}.`)
  }
}
