/** Numbers on axes, and how much room text takes. */
import { formatCount } from '../../../core/units.js'

/** Thousands in groups, as everywhere else; a minus as wide as a plus. */
function grouped(text: string): string {
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(text)!
  return `${sign === '-' && /[1-9]/.test(text) ? '−' : ''}${formatCount(Number(whole))}${rest}`
}

/** 1 234, 12 345. */
export const whole = (value: number): string => grouped(value.toFixed(0))
/** 0.25 → 25 %. */
export const percentage = (value: number): string => `${Number((100 * value).toPrecision(6))}%`
/** 0.00012 → 1.2e-4. */
export const exponent = (value: number): string => value.toExponential(Number(exponentDigits(value))).replace('e+', 'e')
const exponentDigits = (value: number): number =>
  /^-?\d(?:\.(\d*))?e/.exec(Number(value.toPrecision(6)).toExponential())?.[1]?.length ?? 0
/** 1e-8, 0.01, 100 … */
export const decade = (value: number): string =>
  value >= 1e-3 && value < 1e5 ? grouped(String(Number(value.toPrecision(6)))) : exponent(value)

/** Digits after the point beyond which numbers are written with a power of ten. */
const mostDigits = 6
/** A number on a linear axis whose ticks are `step` apart. */
export function tickText(value: number, step: number): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  if (digits > mostDigits || Math.abs(value) >= 1e9) return value === 0 ? '0' : exponent(value)
  return grouped(value.toFixed(digits))
}

/** Widths of letters in parts of the size, those of a wide common face, so that no reader's is much wider. */
const widths: readonly (readonly [RegExp, number])[] = [
  [/[ilj|'.,:;!()[\]\u2009 ]/, 0.36],
  [/[ftr\-/]/, 0.42],
  [/[mwMW@%]/, 0.95],
  [/[A-Z−]/, 0.72]
]
const common = 0.63

/** px that a text takes at least; an estimate, for there is no screen here. */
export function widthOf(text: string, size: number): number {
  let sum = 0
  for (const letter of text) sum += widths.find(([letters]) => letters.test(letter))?.[1] ?? common
  return sum * size
}

/** The text, or as much of it as fits into so many px, with an ellipsis. */
export function cut(text: string, limit: number, size: number): string {
  if (widthOf(text, size) <= limit) return text
  const letters = [...text]
  while (letters.length > 1 && widthOf(`${letters.join('')}…`, size) > limit) letters.pop()
  return `${letters.join('').trimEnd()}…`
}
