/** Tables as CSV. */
import { readRuns } from '../../runs/points.js'
import {
  columns,
  fieldNames,
  isOfEnd,
  storedColumns,
  widthOf,
  type Layout,
  type Rows,
  type StoredName
} from '../../runs/table.js'

/** A cell, in quotation marks where it needs them. */
export const csvCell = (value: string | number): string => {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

export const csvLine = (values: readonly (string | number)[]): string => `${values.map(csvCell).join(',')}\n`

/** All runs of a study directory, a part at a time, with the columns of the stored runs and the point that each belongs to, −1 for none. */
export async function* runsCsv(directory: string): AsyncGenerator<string> {
  let named = false
  for await (const { rows, point, layout } of readRuns(directory)) {
    const names = storedColumns(layout)
    if (!named) yield csvLine([...names.flatMap(name => fieldNames(name, layout)), 'point'])
    named = true
    let lines = ''
    for (let i = 0; i < rows.count; i++)
      lines += csvLine([...names.flatMap(name => cellsOf(rows, name, layout, i)), point[i]])
    yield lines
  }
}

function cellsOf(rows: Rows, name: StoredName, layout: Layout, i: number): (string | number)[] {
  const width = widthOf(name, layout)
  const { stored } = columns[name]
  const [column, at] = isOfEnd(name) ? [rows.ends[name]!, rows.end[i]] : [rows[name]!, i]
  const values = Array.from(column.subarray(at * width, (at + 1) * width))
  // What there is no number for, such as the limit of a run that has none, is an empty cell.
  return 'text' in stored ? values.map(code => stored.text[code]) : values.map(v => (Number.isFinite(v) ? v : ''))
}
