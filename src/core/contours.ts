/** Lines on which a function on a grid has a value, by marching squares, for drawing. */

export type Line = readonly (readonly [x: number, y: number])[]

/**
 * @param z [rows · columns] row-major values at the corners; a corner whose value is not a number is above
 * @param level the value
 * @returns paths in units of the grid: x along columns, y along rows; pieces that share an edge are joined
 */
export function isolines(z: Float64Array, columns: number, level = 0): Line[] {
  const n = columns
  const rows = z.length / n
  // An edge's number is 2 · (its first corner) + (0 along a row, 1 along a column).
  const at = (edge: number): [number, number] => {
    const corner = edge >> 1
    const [i, j] = [corner % n, Math.floor(corner / n)]
    const other = corner + (edge & 1 ? n : 1)
    const share = (z[corner] - level) / (z[corner] - z[other])
    const t = Number.isFinite(share) ? share : 0.5
    return edge & 1 ? [i, j + t] : [i + t, j]
  }
  const neighbours = new Map<number, number[]>()
  const join = (a: number, b: number): void => {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b])
    neighbours.set(b, [...(neighbours.get(b) ?? []), a])
  }
  const above = new Uint8Array(z.length)
  for (let c = 0; c < z.length; c++) above[c] = z[c] <= level ? 0 : 1
  for (let j = 0; j < rows - 1; j++)
    for (let i = 0; i < n - 1; i++) {
      const corner = j * n + i
      const low = above[corner]
      // Most cells are crossed nowhere.
      if (low === above[corner + 1] && low === above[corner + n] && low === above[corner + n + 1]) continue
      const edges = [
        [corner, corner + 1, 2 * corner],
        [corner + 1, corner + 1 + n, 2 * (corner + 1) + 1],
        [corner + n, corner + n + 1, 2 * (corner + n)],
        [corner, corner + n, 2 * corner + 1]
      ]
      const crossed = edges.filter(([a, b]) => above[a] !== above[b]).map(([, , edge]) => edge)
      if (crossed.length === 2) join(crossed[0], crossed[1])
      else if (crossed.length === 4) {
        // A saddle of the grid: the sign in the middle says which corners belong together.
        const middle = z[corner] + z[corner + 1] + z[corner + n] + z[corner + n + 1] > 4 * level ? 1 : 0
        const [bottom, right, top, left] = crossed
        if (middle === low) {
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
