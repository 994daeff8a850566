/** Rows of a problem as the kernels read them. */
import { compileExpression } from '../../../models/expression/expression.js'
import { rowColumns } from '../../../language/formula/registers.js'
import { isScalar } from '../../../models/losses/index.js'
import type { Model, Problem } from '../../../models/types.js'

export interface RowData {
  readonly x: Float32Array<ArrayBuffer>
  readonly data: Float32Array<ArrayBuffer>
}

/** Columns of x that kernels read: the inputs of a network, or what a formula computes of a row alone. */
export const columnsOf = (model: Model): number =>
  model.kind === 'expression' ? compileExpression(model.expression).registers.rowNodes.length : model.inputs

/** Numbers of y for each row: one for each output, or the class. */
export const targetsOf = ({ loss, outputs }: Model): number => (isScalar(loss) ? outputs : 1)

/** Those columns, [N, columns] row-major. */
export function tableOf({ model, rows, x }: Problem): Float64Array {
  if (model.kind === 'network') return x
  const { graph, registers } = compileExpression(model.expression)
  const S = registers.rowNodes.length
  const columns = rowColumns(graph, registers, x, rows)
  return Float64Array.from({ length: rows * S }, (_, i) => columns[(i % S) * rows + Math.floor(i / S)])
}

/**
 * x [packs, columns] and y [packs, targets], weight / total, offset, one behind the other in [packs, targets + 2], each of `width` rows side by side, for a multiple of `multiple` rows: those
 * beyond the end are copies of the last row without weight. `overread` zeros follow x.
 */
export function packRows(problem: Problem, width: number, multiple: number, overread: number): RowData {
  const { rows, model, y, weight, offset } = problem
  const D = columnsOf(model)
  const x = tableOf(problem)
  const packs = (Math.ceil(rows / multiple) * multiple) / width
  const packed = new Float32Array((packs * D + overread) * width)
  const T = targetsOf(model)
  const fields = T + 2
  const data = new Float32Array(packs * fields * width)
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  for (let n = 0; n < packs; n++)
    for (let i = 0; i < width; i++) {
      const at = n * width + i
      const row = Math.min(at, rows - 1)
      for (let d = 0; d < D; d++) packed[(n * D + d) * width + i] = x[row * D + d]!
      for (let c = 0; c < T; c++) data[(n * fields + c) * width + i] = y[row * T + c]!
      data[(n * fields + T) * width + i] = at < rows ? (weight ? weight[row] : 1) / total : 0
      data[(n * fields + T + 1) * width + i] = offset ? offset[row] : 0
    }
  return { x: packed, data }
}

/** x [N, columns] and y, weight, offset [N, targets + 2], as mini-batches gather them; `overread` zeros follow x. */
export function plainRows(problem: Problem, overread: number): RowData {
  const { rows, model, y, weight, offset } = problem
  const plain = new Float32Array(rows * columnsOf(model) + overread)
  plain.set(tableOf(problem))
  const T = targetsOf(model)
  const data = new Float32Array(rows * (T + 2))
  for (let i = 0; i < rows; i++)
    data.set([...y.subarray(i * T, (i + 1) * T), weight ? weight[i] : 1, offset ? offset[i] : 0], i * (T + 2))
  return { x: plain, data }
}
