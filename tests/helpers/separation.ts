// Problems from small tables, and the cones of their directions in exact arithmetic of whole numbers.
import type { Loss, Network, Problem } from '../../src/models/types.js'

export const network = (inputs: number, loss: Loss, changes: Partial<Network> = {}): Network => ({
  kind: 'network',
  inputs,
  hidden: [],
  outputs: 1,
  activation: 'tanh',
  loss,
  bias: true,
  ridge: 0,
  penalizeBias: false,
  ...changes
})

/** A problem from rows of inputs with the target last. */
export function table(
  rows: readonly (readonly number[])[],
  loss: Loss = 'logistic',
  changes: Partial<Network> = {}
): Problem<Network> {
  const inputs = rows[0].length - 1
  return {
    model: network(inputs, loss, changes),
    rows: rows.length,
    x: Float64Array.from(rows.flatMap(row => row.slice(0, inputs))),
    y: Float64Array.from(rows, row => row[inputs])
  }
}

export type Vector = readonly [number, number, number]
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0]
]

/**
 * Extreme rays of {d: s_i x_i·d ≥ 0}, where s is the side of the class. With full rank the cone is pointed, so the rays generate it,
 * and each is orthogonal to two rows.
 */
export function rays(rows: readonly Vector[]): Vector[] {
  const list: Vector[] = []
  rows.forEach((a, i) =>
    rows.slice(i + 1).forEach(b => {
      const d = cross(a, b)
      for (const sign of [1, -1]) {
        const ray: Vector = [sign * d[0], sign * d[1], sign * d[2]]
        if (ray.some(v => v !== 0) && rows.every(row => dot(row, ray) >= 0)) list.push(ray)
      }
    })
  )
  return list
}
