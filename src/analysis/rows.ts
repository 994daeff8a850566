/** A part of the rows of a problem. */
import type { Model, Problem } from '../models/types.js'
import { pick } from './follow.js'

function withRows<M extends Model>(
  { model, rows, x, y, weight, offset }: Problem<M>,
  count: number,
  part: (values: Float64Array, width: number) => Float64Array
): Problem<M> {
  const of = (values: Float64Array): Float64Array => part(values, values.length / rows)
  return {
    model,
    rows: count,
    x: of(x),
    y: of(y),
    ...(weight ? { weight: of(weight) } : {}),
    ...(offset ? { offset: of(offset) } : {})
  }
}

/** Rows from … to−1. */
export const someRows = (problem: Problem, from: number, to: number): Problem =>
  withRows(problem, to - from, (values, width) => values.slice(from * width, to * width))

/** The rows at some places. */
export const pickedRows = <M extends Model>(problem: Problem<M>, which: ArrayLike<number>): Problem<M> =>
  withRows(problem, which.length, (values, width) => pick(values, width, which))
