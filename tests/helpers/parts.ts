// Made-up runs whose every number tells its place, and parts of them.
import { makeRows, type Layout, type Rows } from '../../src/runs/table.js'
import type { Part } from '../../src/runs/part.js'

export const layout: Layout = {
  parameters: ['(Intercept)', 'Sepal.Length', 'a"b\n'],
  metrics: ['accuracy', 'auc'],
  test: true,
  keep: 'all'
}

export function rowsOf(first: number, count: number, how: Layout = layout): Rows {
  const rows = makeRows(how, count)
  const fill = (values: Float64Array | undefined, base: number): void =>
    values?.forEach((_, i) => (values[i] = base + (first * values.length) / count + i + 0.25))
  for (let i = 0; i < count; i++) {
    rows.start[i] = first + i
    rows.verdict[i] = (first + i) % 6
    rows.status[i] = (first + i) % 4
    rows.steps[i] = 2 * (first + i)
  }
  const wide = [rows.loss, rows.lossFound, rows.gradientNorm, rows.gradientNormFound, rows.precision, rows.train]
  ;[...wide, rows.test, rows.theta, rows.thetaFound].forEach((values, k) => fill(values, (k + 1) * 1e6))
  return rows
}

export const partOf = (rows: Rows, first: number, how: Layout = layout, identity = 'study'): Part => ({
  identity,
  first,
  count: rows.count,
  layout: how,
  rows,
  facts: { classCounts: Float64Array.of(3, 0, 2 ** 32 - 1, 7), growing: new Map([[first + 1, [0, 2]]]) }
})
