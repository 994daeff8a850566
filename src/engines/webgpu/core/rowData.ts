/** Rows of a problem as the kernels read them. */
import type { Problem } from '../../../models/types.js'

export interface RowData {
  readonly x: Float32Array<ArrayBuffer>
  readonly data: Float32Array<ArrayBuffer>
}

/**
 * x [packs, D] and y, weight / total, offset [packs, 3], each of `width` rows side by side, for a multiple of `multiple` rows: those
 * beyond the end are copies of the last row without weight. `overread` zeros follow x.
 */
export function packRows(problem: Problem, width: number, multiple: number, overread: number): RowData {
  const { rows, network, x, y, weight, offset } = problem
  const D = network.inputs
  const packs = (Math.ceil(rows / multiple) * multiple) / width
  const packed = new Float32Array((packs * D + overread) * width)
  const data = new Float32Array(packs * 3 * width)
  let total = 0
  for (let i = 0; i < rows; i++) total += weight ? weight[i] : 1
  for (let n = 0; n < packs; n++)
    for (let i = 0; i < width; i++) {
      const at = n * width + i
      const row = Math.min(at, rows - 1)
      for (let d = 0; d < D; d++) packed[(n * D + d) * width + i] = x[row * D + d]!
      data[n * 3 * width + i] = y[row]!
      data[(n * 3 + 1) * width + i] = at < rows ? (weight ? weight[row] : 1) / total : 0
      data[(n * 3 + 2) * width + i] = offset ? offset[row] : 0
    }
  return { x: packed, data }
}

/** x [N, D] and y, weight, offset [N, 3], as mini-batches gather them; `overread` zeros follow x. */
export function plainRows(problem: Problem, overread: number): RowData {
  const { rows, network, x, y, weight, offset } = problem
  const plain = new Float32Array(rows * network.inputs + overread)
  plain.set(x)
  const data = new Float32Array(rows * 3)
  for (let i = 0; i < rows; i++) data.set([y[i], weight ? weight[i] : 1, offset ? offset[i] : 0], i * 3)
  return { x: plain, data }
}
