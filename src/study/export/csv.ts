/** Tables as CSV. */
import { verdicts } from '../../core/result.js'
import { statusNames } from '../../core/status.js'
import { columnNames, readLayout, readRuns } from '../results.js'

/** A cell, in quotation marks where it needs them. */
export const csvCell = (value: string | number): string => {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

export const csvLine = (values: readonly (string | number)[]): string => `${values.map(csvCell).join(',')}\n`

/** All runs of a study directory, a part at a time, with the columns of the stored runs. */
export async function* runsCsv(directory: string): AsyncGenerator<string> {
  const layout = await readLayout(directory)
  yield csvLine(columnNames(layout))
  const P = layout.parameters.length
  const M = layout.metrics.length
  for await (const block of readRuns(directory)) {
    let lines = ''
    for (let i = 0; i < block.count; i++)
      lines += csvLine([
        block.start[i],
        verdicts[block.verdict[i]],
        statusNames[block.status[i]],
        block.point[i],
        block.loss[i],
        block.lossFound[i],
        block.gradientNorm[i],
        block.gradientNormFound[i],
        block.precision[i],
        block.steps[i],
        ...block.metrics.subarray(i * M, (i + 1) * M),
        ...block.theta.subarray(i * P, (i + 1) * P),
        ...(layout.found ? block.thetaFound.subarray(i * P, (i + 1) * P) : [])
      ])
    yield lines
  }
}
