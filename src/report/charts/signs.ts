/** Charts as inline SVG, and the signs of their legends where those stand on the page. */
import { dashes, palette } from './plot/looks.js'

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
