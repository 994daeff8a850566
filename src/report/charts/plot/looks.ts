/** Colours, dashes and shapes that charts choose from. */

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

/** Shapes of marks by their half width; of triangles, h is half the height. */
const outlines: Readonly<Record<string, (r: number) => string>> = {
  circle: r => `M${r},0A${r},${r},0,1,1,${-r},0A${r},${r},0,1,1,${r},0Z`,
  square: r => `M${-r},${-r}H${r}V${r}H${-r}Z`,
  cross: r => {
    const s = r / 2.5
    return `M${-r},${-s}H${-s}V${-r}H${s}V${-s}H${r}V${s}H${s}V${r}H${-s}V${s}H${-r}Z`
  },
  diamond: r => `M${-r},0L0,${-r}L${r},0L0,${r}Z`,
  'triangle-up': r => triangle(r, (along, across) => [across, -along]),
  'triangle-down': r => triangle(r, (along, across) => [across, along]),
  'triangle-right': r => triangle(r, (along, across) => [along, across]),
  'triangle-left': r => triangle(r, (along, across) => [-along, across]),
  wedge: r => `M0,${-1.2 * r}L${-r / 2.5},${0.7 * r}L${r / 2.5},${0.7 * r}Z`
}
const halfRoot3 = Math.sqrt(3) / 2
const triangle = (r: number, turned: (along: number, across: number) => readonly [number, number]): string => {
  const h = r * halfRoot3
  const [tip, left, right] = [turned(h, 0), turned(-h, -r), turned(-h, r)]
  return `M${tip.join()}L${left.join()}L${right.join()}Z`
}

/** Names of shapes, in the order in which groups get them. */
export const shapes = Object.keys(outlines)

/**
 * A mark around the origin as a path.
 * @param shape a name, or a path whose unit is the half width
 * @param size px² of the square around it
 */
export function outline(shape: string, size: number): string {
  const r = Math.sqrt(size) / 2
  const path = Object.hasOwn(outlines, shape)
    ? outlines[shape](r)
    : shape.replace(/-?\d+(\.\d+)?/g, n => String(Number(n) * r))
  return path.replace(/-?\d+\.\d{3,}/g, n => String(Number(Number(n).toFixed(2))))
}
