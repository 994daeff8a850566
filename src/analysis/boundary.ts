/**
 * Where a model of two inputs and two classes changes its mind: the lines z = 0 in the plane of its inputs, by marching squares on a
 * grid, for drawing. Nothing else rests on them.
 */
import type { Network, Problem } from '../models/types.js'
import { outputs } from './predict.js'

/** Cells of the grid in each direction: finer than a picture of some hundred pixels shows. */
const cells = 60
/** Room around the data, as a share of their range. */
const margin = 0.08

export type Line = readonly (readonly [x: number, y: number])[]

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
function corners(network: Network, theta: Float64Array, { low, high }: Box): Float64Array {
  const n = cells + 1
  const x = new Float64Array(2 * n * n)
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) {
      x[2 * (j * n + i)] = low[0] + ((high[0] - low[0]) * i) / cells
      x[2 * (j * n + i) + 1] = low[1] + ((high[1] - low[1]) * j) / cells
    }
  const grid: Problem = { network, rows: n * n, x, y: new Float64Array(n * n) }
  return outputs(grid, theta)
}

/**
 * The lines z = 0 inside the box. Each crosses edges of the grid, which number its points; pieces that share an edge are joined.
 * @param theta of a model with two inputs and one output, in the coordinates of the box
 */
export function boundary(network: Network, theta: Float64Array, box: Box): Line[] {
  const n = cells + 1
  const z = corners(network, theta, box)
  // An edge's number is 2 · (its first corner) + (0 along the first input, 1 along the second).
  const at = (edge: number): [number, number] => {
    const corner = edge >> 1
    const [i, j] = [corner % n, Math.floor(corner / n)]
    const other = corner + (edge & 1 ? n : 1)
    const t = z[corner] / (z[corner] - z[other])
    const [u, v] = edge & 1 ? [i, j + t] : [i + t, j]
    return [
      box.low[0] + ((box.high[0] - box.low[0]) * u) / cells,
      box.low[1] + ((box.high[1] - box.low[1]) * v) / cells
    ]
  }
  const neighbours = new Map<number, number[]>()
  const join = (a: number, b: number): void => {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b])
    neighbours.set(b, [...(neighbours.get(b) ?? []), a])
  }
  for (let j = 0; j < cells; j++)
    for (let i = 0; i < cells; i++) {
      const corner = j * n + i
      const up = (c: number): boolean => z[c] > 0
      const edges = [
        [corner, corner + 1, 2 * corner],
        [corner + 1, corner + 1 + n, 2 * (corner + 1) + 1],
        [corner + n, corner + n + 1, 2 * (corner + n)],
        [corner, corner + n, 2 * corner + 1]
      ]
      const crossed = edges.filter(([a, b]) => up(a) !== up(b)).map(([, , edge]) => edge)
      if (crossed.length === 2) join(crossed[0], crossed[1])
      else if (crossed.length === 4) {
        // A saddle of the grid: the sign in the middle says which corners belong together.
        const middle = z[corner] + z[corner + 1] + z[corner + n] + z[corner + n + 1] > 0
        const [bottom, right, top, left] = crossed
        if (middle === up(corner)) {
          join(bottom, right)
          join(top, left)
        } else {
          join(bottom, left)
          join(top, right)
        }
      }
    }
  return chains(neighbours).map(line => line.map(at))
}

/** Paths through a graph whose nodes have one or two neighbours; closed ones end where they began. */
function chains(neighbours: ReadonlyMap<number, readonly number[]>): number[][] {
  const seen = new Set<number>()
  const lines: number[][] = []
  const ends = [...neighbours.keys()].sort((a, b) => neighbours.get(a)!.length - neighbours.get(b)!.length)
  for (const first of ends) {
    if (seen.has(first)) continue
    const line: number[] = []
    for (let here: number | undefined = first; here !== undefined;) {
      seen.add(here)
      line.push(here)
      here = neighbours.get(here)!.find(next => !seen.has(next))
    }
    if (line.length > 2 && neighbours.get(first)!.includes(line.at(-1)!)) line.push(first)
    lines.push(line)
  }
  return lines
}
