// Made-up runs whose every number tells its place, and parts of them.
import { CodedRuns } from '../../src/core/coded.js'
import { distinct, inOrder } from '../../src/runs/ends.js'
import { makeEnds, makeRuns, type Layout, type Rows } from '../../src/runs/table.js'
import type { Part } from '../../src/runs/part.js'

export const layout: Layout = {
  parameters: ['(Intercept)', 'Sepal.Length', 'a"b\n'],
  metrics: ['accuracy', 'auc'],
  test: true,
  keep: 'all'
}

/** The ends that runs have, once each. */
export const shared = (rows: Rows, how: Layout = layout): Rows => inOrder(distinct(rows, how), how)

/** Each with an end of its own. */
export function rowsOf(first: number, count: number, how: Layout = layout): Rows {
  const runs = makeRuns(how, count)
  const ends = makeEnds(how, count)
  const fill = (values: Float64Array | undefined, base: number): void =>
    values?.forEach((_, i) => (values[i] = base + (first * values.length) / count + i + 0.25))
  for (let i = 0; i < count; i++) {
    runs.start[i] = first + i
    runs.end[i] = i
    ends.verdict[i] = (first + i) % 6
    runs.status[i] = (first + i) % 4
    runs.steps[i] = 2 * (first + i)
  }
  const wide = [ends.loss, runs.lossFound, ends.gradientNorm, runs.gradientNormFound, ends.precision, runs.train]
  ;[...wide, runs.test, ends.theta, runs.thetaFound].forEach((values, k) => fill(values, (k + 1) * 1e6))
  return { ...runs, ends }
}

export const partOf = (rows: Rows, first: number, how: Layout = layout, identity = 'study'): Part => ({
  identity,
  first,
  count: rows.count,
  layout: how,
  rows,
  coded: new CodedRuns(rows),
  facts: { classCounts: Float64Array.of(3, 0, 2 ** 32 - 1, 7), growing: new Map([[first + 1, [0, 2]]]) }
})

/** What a part says, without what follows from its rows. */
export const told = ({ coded: _, ...part }: Part): Omit<Part, 'coded'> => part
