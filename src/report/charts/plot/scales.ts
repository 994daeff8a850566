/** From values to px: numbers, linear or by their logarithm, and names. */
import type { Axis, Channel, Row, Scale } from './spec.js'
import { decade, tickText } from './text.js'

/** A value by the name of its column. */
export const valueOf = (row: Row, field: string): unknown => (row as Readonly<Record<string, unknown>>)[field]

export interface Tick {
  /** px along the axis. */
  readonly at: number
  readonly label: string
}

/** Where values lie along an axis of `size` px. */
export interface Placed {
  /** px from the first end to the other; NaN for what has no place. */
  at(value: unknown): number
  /** px that a name has for itself; 0 for numbers. */
  readonly band: number
  ticks(axis: Axis): readonly Tick[]
}

/** 1, 2 or 5 times a power of ten, so that about `count` of them fill `range`. */
function stepOf(range: number, count: number): number {
  const rough = range / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const error = rough / power
  return power * (error >= Math.sqrt(50) ? 10 : error >= Math.sqrt(10) ? 5 : error >= Math.sqrt(2) ? 2 : 1)
}

/** Whole multiples of a step from low to high. */
function multiples(low: number, high: number, step: number): number[] {
  const [from, to] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)]
  // By division where the step is a fraction: 3 · 0.1 is not 0.3.
  const inverse = Math.round(1 / step)
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) =>
    step < 1 && inverse > 0 && Math.abs(inverse * step - 1) < 1e-9 ? (from + i) / inverse : (from + i) * step
  )
}

/** Decades from low to high, at most so many, or 1-2-5 where there are few; undefined where fewer than two of them lie inside. */
function decades(low: number, high: number, most: number): number[] | undefined {
  const from = Math.floor(Math.log10(low) + 1e-9)
  const to = Math.ceil(Math.log10(high) - 1e-9)
  const every = Math.max(1, Math.ceil((to - from) / most))
  const digits = to - from <= 2 ? [1, 2, 5] : [1]
  const values: number[] = []
  for (let e = from; e <= to; e += every) for (const d of digits) values.push(Number(`${d}e${e}`))
  const inside = values.filter(v => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9))
  return inside.length >= 2 ? inside : undefined
}

const defaultTicks = { linear: 6, log: 7, narrow: 4 }

/** The ends of numbers: as given, else those of the data, with 0 and round ends where they are asked for. */
function ends(scale: Scale, values: readonly number[], log: boolean): readonly [number, number] {
  const { domain, domainMin, zero = !log && !domain && domainMin === undefined } = scale
  if (domain) return [Number(domain[0]), Number(domain[domain.length - 1])]
  const known = values.filter(v => Number.isFinite(v) && (!log || v > 0))
  let low = domainMin ?? known.reduce((a, v) => Math.min(a, v), zero ? 0 : Infinity)
  let high = known.reduce((a, v) => Math.max(a, v), zero ? 0 : (domainMin ?? -Infinity))
  if (!(low <= high)) [low, high] = log ? [1, 10] : [0, 1]
  if (low === high) {
    const half = log ? 0 : Math.abs(low) / 2 || 0.5
    ;[low, high] = log
      ? [low / 2, high * 2]
      : domainMin === undefined
        ? [low - half, high + half]
        : [low, low + 2 * half]
  }
  if (scale.nice === false || domainMin !== undefined) return [low, high]
  if (log) return [10 ** Math.floor(Math.log10(low) + 1e-9), 10 ** Math.ceil(Math.log10(high) - 1e-9)]
  const step = stepOf(high - low, 10)
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step]
}

/** @param flip whether high values lie at the first end, as on an axis that is read upwards */
export function numbers(scale: Scale, values: readonly number[], size: number, flip: boolean): Placed {
  const log = scale.type === 'log'
  let [low, high] = ends(scale, values, log)
  const pad = scale.padding ?? 0
  if (pad > 0) {
    const more = ((high - low) * pad) / (size - 2 * pad)
    ;[low, high] = [low - more, high + more]
  }
  const level = log ? Math.log : (v: number): number => v
  const [first, last] = [level(low), level(high)]
  const at = (value: unknown): number => {
    const share = last === first ? 0.5 : (level(Number(value)) - first) / (last - first)
    return size * (flip ? 1 - share : share)
  }
  return {
    at,
    band: 0,
    ticks(axis) {
      const narrow = log && !axis.values ? decades(low, high, axis.tickCount ?? defaultTicks.log) : undefined
      const linear = stepOf(high - low, log ? defaultTicks.narrow : (axis.tickCount ?? defaultTicks.linear))
      const found = axis.values ?? narrow ?? multiples(low, high, linear)
      const format = axis.format ?? (narrow ? decade : (v: number): string => tickText(v, stepBetween(found, linear)))
      const slack = 1e-9 * Math.abs(last - first)
      return found
        .filter(v => level(v) >= Math.min(first, last) - slack && level(v) <= Math.max(first, last) + slack)
        .map(v => ({ at: at(v), label: format(v) }))
    }
  }
}

/** What the digits of labels follow from: the distance of ticks that were given, else the step itself. */
const stepBetween = (values: readonly number[], step: number): number =>
  values.slice(1).reduce((least, v, i) => Math.min(least, Math.abs(v - values[i]) || least), step)

/** @param share of its room that a name leaves free, where it has a band */
export function names(order: readonly string[], size: number, padding: number): Placed {
  const step = size / Math.max(1, order.length - 1 + 2 * padding)
  const places = new Map(order.map((name, i) => [name, (i + padding) * step]))
  return {
    at: value => places.get(String(value)) ?? NaN,
    band: step,
    ticks: () => order.map(label => ({ at: places.get(label)!, label }))
  }
}

/** Names in the order that a channel asks for, else in that of the data. */
export function orderOf(channel: Channel, rows: readonly Row[]): string[] {
  const { scale, sort, field } = channel
  const met = field === undefined ? [] : rows.map(row => String(valueOf(row, field)))
  if (scale?.domain) return scale.domain.map(String)
  // What the order does not name comes after it.
  return [...new Set([...(sort ?? []).filter(name => met.includes(name)), ...met])]
}
