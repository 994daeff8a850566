/**
 * Where a model of two inputs and two classes changes its mind: the lines z = 0 in the plane of its inputs, by marching squares on a
 * grid, for drawing. Nothing else rests on them.
 */
import { isolines, type Line } from '../core/contours.js'
import type { Model, Problem } from '../models/types.js'
import { outputs } from '../models/outputs.js'

/** Cells of the grid in each direction: finer than a picture of some hundred pixels shows. */
const cells = 60
/** Room around the data, as a share of their range. */
const margin = 0.08

export interface Box {
  readonly low: readonly [number, number]
  readonly high: readonly [number, number]
}

/** The rectangle around rows [N, 2], with some room. */
export function boxAround(x: Float64Array): Box {
  const side = (d: 0 | 1): [number, number] => {
    let [low, high] = [Infinity, -Infinity]
    for (let i = d; i < x.length; i += 2) [low, high] = [Math.min(low, x[i]), Math.max(high, x[i])]
    const room = margin * (high - low || 1)
    return [low - room, high + room]
  }
  const [a, b] = [side(0), side(1)]
  return { low: [a[0], b[0]], high: [a[1], b[1]] }
}

/** z at the corners of the grid, [(cells + 1)²], rows of constant second input. */
function corners(model: Model, theta: Float64Array, { low, high }: Box): Float64Array {
  const n = cells + 1
  const x = new Float64Array(2 * n * n)
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) {
      x[2 * (j * n + i)] = low[0] + ((high[0] - low[0]) * i) / cells
      x[2 * (j * n + i) + 1] = low[1] + ((high[1] - low[1]) * j) / cells
    }
  const grid: Problem = { model, rows: n * n, x, y: new Float64Array(n * n) }
  return outputs(grid, theta)
}

/**
 * The lines z = 0 inside the box.
 * @param theta of a model with two inputs and one output, in the coordinates of the box
 */
export function boundary(model: Model, theta: Float64Array, box: Box): Line[] {
  const { low, high } = box
  return isolines(corners(model, theta, box), cells + 1).map(line =>
    line.map(
      ([u, v]) => [low[0] + ((high[0] - low[0]) * u) / cells, low[1] + ((high[1] - low[1]) * v) / cells] as const
    )
  )
}
