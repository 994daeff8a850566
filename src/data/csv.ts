/** Reads a table from CSV text: header, quoted fields, ragged rows refused with their line. */
import { parse } from 'csv-parse/sync'
import { InputError } from '../core/errors.js'

export interface Table {
  /** File name or data set name, for messages. */
  readonly source: string
  readonly header: readonly string[]
  readonly cells: readonly (readonly string[])[]
  /** Line of each row in the file. */
  readonly lines: readonly number[]
}

const missingValues = new Set(['', 'NA', 'NaN', 'nan', 'null', 'NULL', '?'])
export const isMissing = (cell: string): boolean => missingValues.has(cell)

/** Other signs that programs put between columns. */
const separators = [
  { sign: ';', name: 'semicolons' },
  { sign: '\t', name: 'tabs' },
  { sign: '|', name: 'bars' }
]

/** @throws InputError for text that is no CSV table, ragged rows, empty or repeated column names. */
export function parseTable(text: string, source: string): Table {
  let records: { record: string[]; info: { lines: number } }[]
  try {
    records = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
      relax_column_count: true
    }) as unknown as { record: string[]; info: { lines: number } }[]
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InputError(`${source} cannot be read as CSV: ${why}`)
  }
  const [first, ...rest] = records
  if (!first) throw new InputError(`${source} is empty; a header line and at least one row of data are needed.`)
  const header = first.record
  const separator = header.length === 1 ? separators.find(({ sign }) => header[0].includes(sign)) : undefined
  if (separator)
    throw new InputError(
      `The header of ${source} has ${separator.name} and no commas; save the table with commas between its columns (and decimal points).`
    )
  const unnamed = header.findIndex(name => name === '')
  if (unnamed >= 0) throw new InputError(`Column ${unnamed + 1} of ${source} has no name; give every column one.`)
  const repeated = header.find((name, i) => header.indexOf(name) !== i)
  if (repeated !== undefined)
    throw new InputError(`Two columns of ${source} are called "${repeated}"; give each its own name.`)
  for (const { record, info } of rest)
    if (record.length !== header.length)
      throw new InputError(
        `Line ${info.lines} of ${source} has ${record.length === 1 ? '1 field' : `${record.length} fields`} where the header has ${header.length}; mend that line.`
      )
  if (rest.length === 0) throw new InputError(`${source} has a header but no rows of data; at least one row is needed.`)
  return { source, header, cells: rest.map(r => r.record), lines: rest.map(r => r.info.lines) }
}
