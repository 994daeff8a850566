// Squared loss through the logistic function on two rows (after Auer, Herbster and Warmuth 1996), and d copies of it on separate
// inputs: exactly 2^d minima and 3^d stationary points. The figures are those of FACTS, to the digits that it gives.
import type { Network, Problem } from '../../src/models/types.js'
import { csv } from './files.js'

const rows = [
  [10, 0.55],
  [0.7, 0.25]
] as const

/** Stationary points of one copy, and E = Σ (logistic(w x) − y)² there. The middle one is the maximum. */
export const auerPoints = [
  { w: -1.5693973349, E: 0.3024998319, maximum: false },
  { w: -0.5307162247, E: 0.3221200085, maximum: true },
  { w: 0.0129252348, E: 0.0639504841, maximum: false }
] as const
export const auerMaximum = auerPoints[1].w

/** Row k of copy j has its x in column j and zero elsewhere. */
const table = (d: number): number[][] =>
  Array.from({ length: d }, (_, j) =>
    rows.map(([x, y]) => [...Array.from({ length: d }, (_, i) => (i === j ? x : 0)), y])
  ).flat()

export function auerProblem(d: number): Problem<Network> {
  const cells = table(d)
  return {
    rows: cells.length,
    x: Float64Array.from(cells.flatMap(row => row.slice(0, d))),
    y: Float64Array.from(cells, row => row[d]),
    model: {
      kind: 'network',
      inputs: d,
      hidden: [],
      outputs: 1,
      activation: 'tanh',
      loss: 'brier',
      bias: false,
      ridge: 0,
      penalizeBias: false
    }
  }
}

/** The same as a study, without starts. */
export const auerStudy = (d: number, loss = 'brier') => ({
  data: { csv: csv(`auer${d}.csv`, [...Array.from({ length: d }, (_, j) => `x${j + 1}`), 'y'], table(d)), target: 'y' },
  model: { loss, bias: false }
})

/** All 3^d points, with their f (half the mean of the squares) and number of negative eigenvalues. */
export function auerProducts(d: number): { theta: number[]; loss: number; index: number }[] {
  let list: { theta: number[]; E: number; index: number }[] = [{ theta: [], E: 0, index: 0 }]
  for (let j = 0; j < d; j++)
    list = list.flatMap(p =>
      auerPoints.map(({ w, E, maximum }) => ({
        theta: [...p.theta, w],
        E: p.E + E,
        index: p.index + (maximum ? 1 : 0)
      }))
    )
  return list.map(({ theta, E, index }) => ({ theta, loss: E / (4 * d), index }))
}
