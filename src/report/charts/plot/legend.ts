/** What colours, shapes and dashes mean, below a chart. */
import { escape } from '../../words.js'
import { outline } from './looks.js'
import { px } from './marks.js'
import type { Channel, ChannelName, Layer } from './spec.js'
import { cut, widthOf } from './text.js'

/** px: size of the text, of a line of it, of the sign before it, and of what is between them and between entries. */
const size = 12
const lineHeight = 18
const signWidth = 18
const between = 8
const apart = 16

const defaultColumns = 2
const defaultLimit = 160

/** Names and looks that a channel gives: those of its scale. */
export type Found = (
  name: ChannelName,
  channel: Channel
) => readonly { readonly name: string; readonly look: unknown }[]

interface Entry {
  readonly name: string
  color?: string
  shape?: string
  dash?: string
}

/** @returns the legends of all layers from the top left corner, and the px that they are high */
export function legends(
  layers: readonly Layer[],
  found: Found,
  room: number
): { readonly svg: string; readonly height: number } {
  // Channels of one column say the same, so they share a legend.
  const byField = new Map<
    string,
    { entries: Map<string, Entry>; columns: number; limit: number; mark: Layer['mark'] }
  >()
  for (const { mark, encoding } of layers)
    for (const name of ['color', 'shape', 'strokeDash'] as const) {
      const channel = encoding[name]
      if (channel?.field === undefined || channel.legend === null || channel.type === 'quantitative') continue
      const { columns = defaultColumns, labelLimit = defaultLimit } = channel.legend ?? {}
      const legend = byField.get(channel.field) ?? {
        entries: new Map<string, Entry>(),
        columns,
        limit: labelLimit,
        mark
      }
      // Lines say more than the bands behind them.
      if (mark.type === 'line') legend.mark = mark
      byField.set(channel.field, legend)
      for (const { name: text, look } of found(name, channel)) {
        const entry = legend.entries.get(text) ?? { name: text }
        if (name === 'color') entry.color = String(look)
        else if (name === 'shape') entry.shape = String(look)
        else entry.dash = (look as readonly number[]).join()
        legend.entries.set(text, entry)
      }
    }
  let top = 0
  const parts: string[] = []
  for (const { entries, columns: wanted, limit, mark } of byField.values()) {
    const list = [...entries.values()].map(entry => ({
      ...entry,
      text: cut(entry.name, Math.min(limit, room - signWidth - between), size)
    }))
    const widest = Math.max(0, ...list.map(entry => widthOf(entry.text, size))) + signWidth + between
    const columns = Math.max(1, Math.min(wanted, Math.floor((room + apart) / (widest + apart))))
    list.forEach((entry, i) => {
      const [x, y] = [(i % columns) * (widest + apart), top + (Math.floor(i / columns) + 0.5) * lineHeight]
      parts.push(
        sign(entry, mark, x + signWidth / 2, y),
        `<text x="${px(x + signWidth + between)}" y="${px(y + 0.34 * size)}" font-size="${size}px" fill="currentColor">${escape(entry.text)}</text>`
      )
    })
    top += Math.ceil(list.length / columns) * lineHeight
  }
  return { svg: parts.join(''), height: top }
}

/** The mark of an entry around a place. */
function sign({ color = 'currentColor', shape, dash }: Entry, mark: Layer['mark'], x: number, y: number): string {
  if (mark.type === 'line' || mark.type === 'rule')
    return `<line x1="${px(x - signWidth / 2)}" y1="${px(y)}" x2="${px(x + signWidth / 2)}" y2="${px(y)}" stroke="${mark.color ?? color}" stroke-width="${mark.strokeWidth ?? 2}"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`
  const look =
    mark.type === 'point' && mark.filled !== true
      ? `fill="none" stroke="${color}" stroke-width="${mark.strokeWidth ?? 1.5}"`
      : `fill="${color}"`
  return `<path transform="translate(${px(x)},${px(y)})" d="${outline(shape ?? (mark.type === 'point' ? 'circle' : 'square'), 80)}" ${look}/>`
}
