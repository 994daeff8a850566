/** A part of the rows of a problem. */
import { pick } from '../analysis/follow.js'
import type { Problem } from '../models/types.js'

/** Rows from … to−1. */
export function someRows({ model, rows, x, y, weight, offset }: Problem, from: number, to: number): Problem {
  const part = (values: Float64Array): Float64Array => {
    const width = values.length / rows
    return values.slice(from * width, to * width)
  }
  return {
    model,
    rows: to - from,
    x: part(x),
    y: part(y),
    ...(weight ? { weight: part(weight) } : {}),
    ...(offset ? { offset: part(offset) } : {})
  }
}

/** The rows at some places. */
export function pickedRows({ model, rows, x, y, weight, offset }: Problem, which: ArrayLike<number>): Problem {
  const part = (values: Float64Array): Float64Array => pick(values, values.length / rows, which)
  return {
    model,
    rows: which.length,
    x: part(x),
    y: part(y),
    ...(weight ? { weight: part(weight) } : {}),
    ...(offset ? { offset: part(offset) } : {})
  }
}
