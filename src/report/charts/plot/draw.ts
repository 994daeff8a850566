/** A chart as SVG: axes, marks, legends, and the room that each takes. */
import { escape } from '../../words.js'
import { legends } from './legend.js'
import { chartWidth, dashes, palette, shapes } from './looks.js'
import { marks, px, type Looks } from './marks.js'
import { names, numbers, orderOf, valueOf, type Placed, type Tick } from './scales.js'
import type { Axis, Channel, ChannelName, Layer, Row, Spec } from './spec.js'
import { cut, widthOf } from './text.js'

/** px: text, ticks, the room between text and what it belongs to, and around the whole. */
const size = 12
const tickLength = 5
const gap = 4
const padding = 4
const titleHeight = 18
const labelLimit = 170

const ink = 'currentColor'
const faint = '#8884'
const line = '#8888'

type Side = 'x' | 'y'
interface DrawnLayer extends Layer {
  readonly rows: readonly Row[]
}

/** One channel of all layers: what they say of it, taken together. */
function merged(layers: readonly DrawnLayer[], name: ChannelName): Channel | undefined {
  const all = layers.flatMap(({ encoding }) => encoding[name] ?? [])
  if (all.length === 0) return undefined
  const scale = Object.assign({}, ...all.map(c => c.scale ?? {})) as NonNullable<Channel['scale']>
  const axis = Object.assign({}, ...all.map(c => c.axis ?? {})) as Axis
  return Object.assign({}, ...all, { scale, axis }) as Channel
}

const rowsWith = (layers: readonly DrawnLayer[], name: ChannelName): Row[] =>
  layers.flatMap(({ rows, encoding }) => (encoding[name]?.field === undefined ? [] : rows))

/** All numbers of a side, those of the other ends too. */
function quantities(layers: readonly DrawnLayer[], side: Side): number[] {
  return layers.flatMap(({ rows, encoding, mark }) => {
    const values = ([side, `${side}2`] as const).flatMap(name => {
      const channel = encoding[name]
      if (!channel) return []
      return channel.field === undefined
        ? [Number(channel.datum)]
        : rows.map(row => Number(valueOf(row, channel.field!)))
    })
    return mark.type === 'bar' ? [0, ...values] : values
  })
}

/** Scales with the looks that names get, in the order of a channel. */
function rangeOf(name: ChannelName, channel: Channel, rows: readonly Row[]): ReadonlyMap<string, unknown> {
  const looks: readonly unknown[] =
    channel.scale?.range ?? (name === 'shape' ? shapes : name === 'strokeDash' ? dashes : palette)
  return new Map(orderOf(channel, rows).map((text, i) => [text, looks[i % looks.length]]))
}

const lowest = (values: readonly number[]): number => values.reduce((a, v) => Math.min(a, v), Infinity)
const highest = (values: readonly number[]): number => values.reduce((a, v) => Math.max(a, v), -Infinity)

/** A number between two others, or a colour between two others, #rrggbb. */
function between(range: readonly unknown[], share: number): unknown {
  const [low, high] = [range[0], range[range.length - 1]]
  if (typeof low === 'number') return low + (Number(high) - low) * share
  const part = (colour: unknown, i: number): number => parseInt(String(colour).slice(1 + 2 * i, 3 + 2 * i), 16)
  return `#${[0, 1, 2]
    .map(i =>
      Math.round(part(low, i) + (part(high, i) - part(low, i)) * share)
        .toString(16)
        .padStart(2, '0')
    )
    .join('')}`
}

/** How a layer looks up what its channels give a row; names mean the same in all layers. */
function lookUp(layer: DrawnLayer, layers: readonly DrawnLayer[]): Looks['of'] {
  const make = (name: ChannelName, channel: Channel): ((row: Row) => unknown) => {
    if (channel.field === undefined) return () => channel.value
    const { field } = channel
    const rows = rowsWith(layers, name).filter(row => valueOf(row, field) !== undefined)
    if (channel.type !== 'quantitative') {
      const range = rangeOf(name, channel, rows)
      return row => range.get(String(valueOf(row, field)))
    }
    const values = rows.map(row => Number(valueOf(row, field)))
    const domain = channel.scale?.domain ?? [lowest(values), highest(values)]
    const scale = numbers({ domain }, [], 1, false)
    return row => between(channel.scale?.range ?? [0, 1], scale.at(valueOf(row, field)))
  }
  const made = new Map<ChannelName, (row: Row) => unknown>()
  return (name, row) => {
    const channel = layer.encoding[name]
    if (!channel) return undefined
    const of = made.get(name) ?? make(name, channel)
    made.set(name, of)
    return of(row)
  }
}

/** Where text stands by the place of its tick: labels at the ends of an axis stay within the picture. */
type Anchor = 'start' | 'middle' | 'end'
const anchorAt = (at: number, length: number): Anchor => (at < 1 ? 'start' : at > length - 1 ? 'end' : 'middle')

/** Every tick, or every second, third …, so that no label lies on another. @param extent px from the tick to both ends of its label */
function apart(ticks: readonly Tick[], extent: (tick: Tick) => readonly [number, number]): Tick[] {
  const sorted = [...ticks].sort((a, b) => a.at - b.at)
  for (let every = 1; ; every++) {
    const some = sorted.filter((_, i) => i % every === 0)
    const clear = some.every(
      (tick, i) => i === 0 || some[i - 1].at + extent(some[i - 1])[1] <= tick.at + extent(tick)[0]
    )
    if (clear) return some
  }
}

const text = (x: number, y: number, content: string, more: string): string =>
  `<text x="${px(x)}" y="${px(y)}" font-size="${size}px" fill="${ink}"${more}>${escape(content)}</text>`
const stroke = (x1: number, y1: number, x2: number, y2: number, colour: string): string =>
  `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${colour}"/>`

/** @param alt what the picture shows, in words */
export function draw(spec: Spec, alt: string): string {
  const layers: DrawnLayer[] = (spec.layer ?? [{ mark: spec.mark!, encoding: spec.encoding! }]).map(layer => ({
    ...layer,
    rows: layer.data?.values ?? spec.data?.values ?? []
  }))
  const [x, y, offset] = (['x', 'y', 'yOffset'] as const).map(name => merged(layers, name))
  const total = spec.width ?? chartWidth
  const discrete = (channel: Channel | undefined): boolean => channel !== undefined && channel.type !== 'quantitative'
  const offsets = offset ? orderOf(offset, rowsWith(layers, 'yOffset')) : []
  const yNames = discrete(y) ? orderOf(y!, rowsWith(layers, 'y')) : []
  const step = typeof spec.height === 'number' ? 0 : spec.height.step
  const height =
    typeof spec.height === 'number'
      ? spec.height
      : step * Math.max(1, yNames.length) * (offsets.length || 1) + (offsets.length > 1 ? 6 * yNames.length : 0)

  const scaleOf = (channel: Channel | undefined, side: Side, length: number): Placed | undefined =>
    channel === undefined
      ? undefined
      : discrete(channel)
        ? names(orderOf(channel, rowsWith(layers, side)), length, channel.scale?.padding ?? 0.5)
        : numbers(channel.scale ?? {}, quantities(layers, side), length, side === 'y')
  const yScale = scaleOf(y, 'y', height)
  const yTicks = yScale
    ? apart(yScale.ticks(y!.axis ?? {}), () => (discrete(y) ? [0, 0] : [-size / 2 - 1, size / 2 + 1]))
    : []
  const limit = y?.axis?.labelLimit ?? labelLimit
  const yLabels = yTicks.map(tick => ({ ...tick, label: cut(tick.label, limit, size) }))
  const yTick = y?.axis?.ticks === false ? 0 : tickLength
  const onTop = x?.axis?.orient === 'top'
  const left =
    padding +
    (y?.title ? titleHeight : 0) +
    (yLabels.length > 0 ? Math.max(...yLabels.map(({ label }) => widthOf(label, size))) + yTick + gap : 0)
  const width = total - left - padding - (discrete(x) ? 0 : gap)
  const xScale = scaleOf(x, 'x', width)
  const anchorOf = ({ at }: Tick): Anchor => (discrete(x) ? 'middle' : anchorAt(at, width))
  const xTicks = xScale
    ? apart(xScale.ticks(x!.axis ?? {}), tick => {
        const room = widthOf(tick.label, size)
        const start = { start: 0, middle: -room / 2, end: -room }[anchorOf(tick)]
        return [start - gap, start + room + gap]
      })
    : []
  const labelsHeight = x ? (x.axis?.ticks === false ? 0 : tickLength) + gap + size : 0
  const top = padding + (spec.title === undefined ? 0 : titleHeight + gap) + (onTop ? labelsHeight : size / 2)
  const below = (onTop ? 0 : labelsHeight) + (x?.title ? titleHeight : 0)

  const places: Omit<Looks, 'of'> = {
    x: xScale,
    y: yScale,
    yOffset: row => {
      if (!offset || offsets.length === 0) return 0
      return (offsets.indexOf(String(valueOf(row, offset.field!))) - (offsets.length - 1) / 2) * step
    },
    width,
    height
  }
  const grid = (channel: Channel | undefined): boolean => channel?.axis?.grid ?? !discrete(channel)
  const parts = [
    ...(grid(x) ? xTicks.map(t => stroke(t.at, 0, t.at, height, faint)) : []),
    ...(grid(y) ? yTicks.map(t => stroke(0, t.at, width, t.at, faint)) : []),
    ...layers.map(layer => marks(layer, layer.rows, { ...places, of: lookUp(layer, layers) })),
    ...(x ? xAxis(x, xTicks, width, height, anchorOf) : []),
    ...(y ? yAxis(y, yLabels, height, left) : [])
  ]
  const legend = legends(
    layers,
    (name, channel) =>
      [
        ...rangeOf(
          name,
          channel,
          rowsWith(layers, name).filter(row => valueOf(row, channel.field!) !== undefined)
        )
      ].map(([text, look]) => ({ name: text, look })),
    total - 2 * padding
  )
  const legendTop = top + height + below + (legend.height > 0 ? gap : 0)
  const whole = legendTop + legend.height + padding
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${px(total)} ${px(whole)}" font-family="system-ui, sans-serif"><title>${escape(alt)}</title>` +
    (spec.title === undefined ? '' : text(left, padding + size, cut(spec.title, total - left - padding, size), '')) +
    `<g transform="translate(${px(left)},${px(top)})">${parts.join('')}</g>` +
    (legend.height > 0 ? `<g transform="translate(${px(padding)},${px(legendTop)})">${legend.svg}</g>` : '') +
    '</svg>'
  )
}

function xAxis(
  { axis, title }: Channel,
  ticks: readonly Tick[],
  width: number,
  height: number,
  anchorOf: (tick: Tick) => Anchor
): string[] {
  const onTop = axis?.orient === 'top'
  const [edge, away] = onTop ? [0, -1] : [height, 1]
  const length = axis?.ticks === false ? 0 : tickLength
  const base = onTop ? -length - gap : height + length + gap + 0.76 * size
  return [
    ...(axis?.domain === false ? [] : [stroke(0, edge, width, edge, line)]),
    ...ticks.flatMap(t => [
      ...(length > 0 ? [stroke(t.at, edge, t.at, edge + away * length, line)] : []),
      text(t.at, base, t.label, ` text-anchor="${anchorOf(t)}"`)
    ]),
    ...(title
      ? [
          text(
            width / 2,
            height + (onTop ? 0 : length + gap + size) + titleHeight - gap,
            cut(title, width, size),
            ' text-anchor="middle"'
          )
        ]
      : [])
  ]
}

/** @param left px from the edge of the picture to the axis */
function yAxis({ axis, title }: Channel, ticks: readonly Tick[], height: number, left: number): string[] {
  const length = axis?.ticks === false ? 0 : tickLength
  return [
    ...(axis?.domain === false ? [] : [stroke(0, 0, 0, height, line)]),
    ...ticks.flatMap(t => [
      ...(length > 0 ? [stroke(-length, t.at, 0, t.at, line)] : []),
      text(-length - gap, t.at + 0.34 * size, t.label, ' text-anchor="end"')
    ]),
    ...(title
      ? [
          text(
            0,
            0,
            cut(title, height + size, size),
            ` text-anchor="middle" transform="translate(${px(padding + 0.8 * size - left)},${px(height / 2)}) rotate(-90)"`
          )
        ]
      : [])
  ]
}
