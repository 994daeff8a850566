/** Vega-Lite specifications → inline SVG without a browser: one size of text for all charts, colours of the page. */
import type { TopLevelSpec } from 'vega-lite'
import { printable } from '../../core/printable.js'
import { escape } from '../words.js'

/**
 * Width of every chart in px, axes included: text then has the same size in all of them. That of a phone, so that its text is never
 * drawn smaller than it is set; wide screens draw all of it larger.
 */
export const chartWidth = 360

/**
 * Okabe and Ito's palette, legible to most colour-blind readers, on light and dark ground. Shapes or dashes go along with
 * it, so that no meaning hangs on a colour.
 */
export const palette = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#999999', '#B8A100']
/** Dashes of lines, one for each colour. */
export const dashes = [
  [1, 0],
  [7, 3],
  [2, 2],
  [9, 3, 2, 3],
  [4, 2],
  [12, 4],
  [1, 3],
  [6, 2, 1, 2, 1, 2]
]
/** Text and lines take the page's colours, so that charts follow light and dark. */
const ink = 'currentColor'
const faint = '#8884'

const config = {
  background: 'transparent',
  // Names for screen readers are on the picture as a whole; on every mark they would be noise, and most of the file.
  aria: false,
  font: 'system-ui, sans-serif',
  locale: { number: { decimal: '.', thousands: '\u202f', grouping: [3], currency: ['', ''], percent: '\u202f%' } },
  view: { stroke: null },
  axis: {
    labelColor: ink,
    titleColor: ink,
    gridColor: faint,
    domainColor: '#8888',
    tickColor: '#8888',
    titleFontWeight: 'normal',
    labelFontSize: 12,
    titleFontSize: 12,
    labelLimit: 170
  },
  legend: {
    labelColor: ink,
    titleColor: ink,
    titleFontWeight: 'normal',
    labelFontSize: 12,
    labelLimit: 160,
    symbolSize: 80,
    orient: 'bottom',
    direction: 'horizontal',
    columns: 2,
    // Of several, one below the other: side by side they leave the picture.
    layout: { bottom: { direction: 'vertical', anchor: 'start' } }
  },
  range: { category: palette }
} as const

/** Rounded to a hundredth of a pixel: finer is not seen and doubles the file. */
const rounded = (text: string): string =>
  text.replace(/ (?:d|transform|x1|x2|y1|y2|width|height)="[^"]*"/g, attribute =>
    attribute.replace(/-?\d+\.\d{3,}/g, n => String(Number(Number(n).toFixed(2))))
  )

/**
 * A part of a specification in which no name is that of something every object has, as Vega looks names up in objects, and none holds
 * what ends a line in its expressions but not in JSON.
 */
function ownNames(part: unknown): unknown {
  if (typeof part === 'string') {
    const text = part.replace(/[\u2028\u2029]/g, c => `${printable(c)}\u2060`)
    return text in Object.prototype ? `${text}\u2060` : text
  }
  if (Array.isArray(part)) return part.map(ownNames)
  if (part === null || typeof part !== 'object') return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, ownNames(value)]))
}

/** Widths of letters over their size, those of DejaVu Sans and so no less than most fonts have: narrow ones, wide ones, capitals, the rest. */
const letterWidths = [
  [/^[ .,:;'!|()[\]/filjrt-]$/, 0.42],
  [/^[mwMW%@×−…]$/, 1],
  [/^\p{Lu}$/u, 0.75]
] as const
const letterWidth = (letter: string): number => letterWidths.find(([kind]) => kind.test(letter))?.[1] ?? 0.65

/** Without a browser Vega takes every letter for a wide one, which cuts names and leaves room for what is not there. */
function textWidth(item: { readonly fontSize?: number; readonly limit?: number }, text: unknown): number {
  const letters = [...printable(String(text ?? '').trim())].reduce((sum, letter) => sum + letterWidth(letter), 0)
  return Math.min((item.fontSize ?? 11) * letters, item.limit !== undefined && item.limit > 0 ? item.limit : Infinity)
}

/**
 * @param spec a single or layered view, without width
 * @param alt what the picture shows, in words
 */
export async function svg(spec: object, alt: string): Promise<string> {
  const full = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    width: chartWidth,
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: 4,
    ...(ownNames(spec) as object),
    config
  } as unknown as TopLevelSpec
  // Loaded when a picture is drawn: half of what a small study would otherwise spend.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  const quiet = vega.logger(vega.Error)
  // Missing in the types of Vega, which lets it be set for hosts that know better.
  ;(vega as unknown as { textMetrics: { width: typeof textWidth } }).textMetrics.width = textWidth
  const compiled = compile(full, { logger: quiet }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger: quiet })
  const text = await view.toSVG()
  view.finalize()
  // Written out at the end: names that differ stay apart until they are drawn.
  return printable(rounded(text)).replace(
    /<svg [^>]*>/,
    tag =>
      `<svg xmlns="http://www.w3.org/2000/svg" role="img" ${/viewBox="[^"]*"/.exec(tag)?.[0] ?? ''}><title>${escape(alt)}</title>`
  )
}

/** 1e-8, 0.01, 100 … in the words of a Vega expression. */
const logLabel =
  "datum.value >= 1e-3 && datum.value < 1e5 ? format(datum.value, ',~r') : replace(format(datum.value, '.0e'), 'e+', 'e')"

/** A log axis from low to high with at most `most` labels: decades, or 1-2-5 where there are few of them. */
export function logAxis(low: number, high: number, most = 7): object {
  const from = Math.floor(Math.log10(low) + 1e-9)
  const to = Math.ceil(Math.log10(high) - 1e-9)
  const every = Math.max(1, Math.ceil((to - from) / most))
  const digits = to - from <= 2 ? [1, 2, 5] : [1]
  const values: number[] = []
  for (let e = from; e <= to; e += every) for (const d of digits) values.push(Number(`${d}e${e}`))
  const inside = values.filter(v => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9))
  return inside.length >= 2 ? { values: inside, labelExpr: logLabel, labelOverlap: true } : { tickCount: 4 }
}

const sign = (mark: string): string =>
  `<svg class="sign" width="30" height="10" viewBox="0 0 30 10" aria-hidden="true">${mark}</svg>`

/** The i-th line of a chart, for a legend. */
export const lineSign = (i: number): string =>
  sign(
    `<line x1="0" y1="5" x2="30" y2="5" stroke="${palette[i % palette.length]}" stroke-width="2" stroke-dasharray="${dashes[i % dashes.length].join()}"/>`
  )

const shapes = {
  circle: '<circle cx="24" cy="5" r="4"',
  diamond: '<path d="M24,0.5L28,5L24,9.5L20,5Z"',
  square: '<path d="M20,1H28V9H20Z"'
} as const
/** A mark of a chart, for a legend. */
export const markSign = (colour: string, shape: keyof typeof shapes): string =>
  sign(`${shapes[shape]} fill="${colour}"/>`)
