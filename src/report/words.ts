/** Numbers and lists in words, shared by the report and the terminal. A summary read back from JSON has null for NaN and ∞. */
import type { LimitPoint, MetricSet, Quantiles, StationaryPoint, Summary } from '../core/result.js'
import { printable } from '../core/printable.js'
import { formatCount } from '../core/units.js'

/** Text as HTML or SVG content, control characters written out as on a terminal: the one way in which text enters a page. */
export const escape = (text: string): string => printable(text).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

/** Stands where there is no number to show. */
export const none = '–'

/** Up to `digits` significant digits, without a tail of zeros; a dash for NaN and for null. */
export function short(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return none
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e6 || size < 1e-4)
    return value
      .toExponential(Math.max(0, digits - 2))
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  return String(Number(value.toPrecision(digits)))
}

/** Exactly `digits` significant digits, for columns of a table. */
export const fixed = (value: number | null | undefined, digits: number): string =>
  Number.isFinite(value) ? value!.toPrecision(digits) : short(value)

/** 0.4213 → "42.1 %"; never "100 %" or "0 %" for a share that is not. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return none
  const text = short(100 * share, 3)
  if (share < 1 && text === '100') return 'over 99.9 %'
  return `${text} %`
}

/** Median [min, max]; the median alone where all are the same to the digits shown. */
export function spreadOf(q: Quantiles | undefined, digits = 4): string {
  if (!q || !Number.isFinite(q.median)) return none
  const [low, middle, high] = [q.min, q.median, q.max].map(v => short(v, digits))
  return low === high ? middle : `${middle} [${low}, ${high}]`
}

/** 0.929–0.957; one number where all are the same to the digits shown. */
export function rangeOf(q: Quantiles | undefined, digits = 4): string {
  if (!q || !Number.isFinite(q.min) || !Number.isFinite(q.max)) return none
  const [low, high] = [short(q.min, digits), short(q.max, digits)]
  return low === high ? low : `${low}–${high}`
}

export const count = (n: number, one: string, many: string): string => `${formatCount(n)} ${n === 1 ? one : many}`

/** "the only run", "all 99 runs", "3 of 99 runs" */
export const partOfRuns = (n: number, all: number): string =>
  n === all
    ? all === 1
      ? 'the only run'
      : `all ${formatCount(all)} runs`
    : `${formatCount(n)} of ${count(all, 'run', 'runs')}`

/** "a", "a and b", "a, b and c" */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export interface MainMetric {
  readonly name: keyof MetricSet<number>
  readonly label: string
}

/** The first of a few metrics that there are: the one by which people judge such a model. */
export function mainMetricOf(isThere: (name: keyof MetricSet<number>) => boolean): MainMetric | undefined {
  const candidates = [
    ['accuracy', 'accuracy'],
    ['r2', 'R²'],
    ['devianceExplained', 'deviance explained']
  ] as const
  for (const [name, label] of candidates) if (isThere(name)) return { name, label }
  return undefined
}

export const mainMetric = (s: Summary): MainMetric | undefined =>
  mainMetricOf(name => Number.isFinite(s.metrics.train[name]?.median))

/** The point with the lowest loss, strict or flat. */
export function bestPoint(s: Summary): StationaryPoint | undefined {
  const [strict, flat] = [s.minima[0], s.degenerate[0]]
  return flat && (!strict || flat.loss < strict.loss) ? flat : strict
}

/** Distinct minima, strict or flat. */
export const minimaMet = ({ distinct }: Summary): number => distinct.minima.points + distinct.degenerate.points

/** Runs that ended at a minimum of the lowest loss. */
export const bestRuns = ({ distinct }: Summary): number => distinct.lowest?.runs ?? 0

/** "3 minima share the lowest loss"; empty where one has it alone. */
export function tiesText({ distinct }: Summary): string {
  const tied = distinct.lowest?.points ?? 0
  return tied > 1 ? `${formatCount(tied)} minima share the lowest loss` : ''
}

/** The places of points in a list, "2=" of those that share it with others. */
export function placeTexts(points: readonly StationaryPoint[]): string[] {
  const groups = new Map<number, { readonly first: number; size: number }>()
  points.forEach(({ rank }, i) => {
    const group = rank === undefined ? undefined : groups.get(rank)
    if (group) group.size++
    else if (rank !== undefined) groups.set(rank, { first: i, size: 1 })
  })
  return points.map(({ rank }, i) => {
    const group = rank === undefined ? undefined : groups.get(rank)
    return group && group.size > 1 ? `${group.first + 1}=` : String(i + 1)
  })
}

/** "and 12 more in summary.json, 1000 more in runs/distinct.parquet": points that are not shown of those listed, and of all. */
export function moreText(shown: number, listed: number, all = listed): string {
  const places = [
    ...(listed > shown ? [`${formatCount(listed - shown)} more in summary.json`] : []),
    ...(all > listed ? [`${formatCount(all - listed)} more in runs/distinct.parquet`] : [])
  ]
  return places.length === 0 ? '' : `and ${places.join(', ')}`
}

/** Coefficients that go to infinity and are named; a hundred names would bury the sentence. */
const namedInfinite = 4

/** "NV to +∞, PI to −∞", "a to +∞, b to +∞, c to −∞, d to +∞ and 7 more" */
export function infiniteText(s: Summary): string {
  const all = Object.entries(s.separation.infinite).map(([name, sign]) => `${name} to ${sign > 0 ? '+' : '−'}∞`)
  const more = all.length - namedInfinite
  return all.slice(0, namedInfinite).join(', ') + (more > 0 ? ` and ${formatCount(more)} more` : '')
}

/** What makes the minimiser of a separated model finite, as the end of a sentence; only what was tried and did. */
export function remedyText({ separation: { remedy, firth } }: Summary): string {
  if (remedy === undefined) return ''
  const penalty = firth === true ? ' (--firth)' : ''
  if (remedy === null)
    return firth === true
      ? `no ridge that was tried makes the minimiser finite, but Firth’s penalty does${penalty}`
      : 'no ridge that was tried makes the minimiser finite'
  const where = remedy.penalizeBias ? ' on weights and biases (on weights alone is not enough)' : ''
  return `a ridge of ${remedy.ridge}${where} makes the minimiser finite${firth === true ? `, and so does Firth’s penalty${penalty}` : ''}`
}

/** A limit of the loss in the digits that are known; 0 where it may be nothing else. */
export function limitText({ loss, uncertainty }: Pick<LimitPoint, 'loss' | 'uncertainty'>): string {
  if (Math.abs(loss) <= uncertainty) return '0'
  const digits = Math.floor(Math.log10(Math.abs(loss) / uncertainty))
  return short(loss, Math.min(8, Math.max(1, digits)))
}

/** Limits that are named one by one. */
const namedLimits = 3

/**
 * "the loss approaches 0.0625", "63 % of all runs approach a loss of 0 and 37 % one of 0.0625", "7 limits of the loss were approached, from
 * 0 to 0.25, the commonest, 0.0625, by 12 % of all runs"
 */
export function limitsText({ limits, verdicts }: Summary): string {
  if (limits.length === 0) return ''
  if (limits.length === 1 && limits[0].count === verdicts.diverging)
    return `the loss approaches ${limitText(limits[0])}`
  if (limits.length > namedLimits) {
    const most = limits.reduce((a, b) => (b.count > a.count ? b : a))
    const [low, high] = [limits[0], limits[limits.length - 1]].map(limitText)
    const range = low === high ? `all of them ${low}, with other predictions` : `from ${low} to ${high}`
    return (
      `${formatCount(limits.length)} limits of the loss were approached, ${range}, ` +
      `the commonest${low === high ? '' : `, ${limitText(most)},`} by ${percent(most.share)} of all runs`
    )
  }
  return listed(
    limits.map((limit, i) =>
      i === 0
        ? `${percent(limit.share)} of all runs approach a loss of ${limitText(limit)}`
        : `${percent(limit.share)} one of ${limitText(limit)}`
    )
  )
}

export const isSeparated = (s: Summary): boolean =>
  s.separation.status === 'complete' || s.separation.status === 'quasi-complete'

/** What computed, in few words: the device, and the threads of an engine that has them. */
export function computer({ name, device, threads }: Summary['engine']): string {
  return name === 'webgpu' ? device : `${device}, ${count(threads, 'thread', 'threads')}`
}
