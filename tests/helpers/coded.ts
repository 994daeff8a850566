// Columns by their distinct values.
import { CodedRuns, type Coded } from '../../src/core/coded.js'

export const coded = (values: ArrayLike<number>): Coded =>
  new CodedRuns({ count: values.length, lossFound: Float64Array.from(values) }).of('lossFound')
