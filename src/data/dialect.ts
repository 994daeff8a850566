/** What stands between the columns of a text table, and how its numbers are written: told by the user, or seen in its first lines. */
import { parse } from 'csv-parse/sync'
import { commaNumberOf, numberOf } from './table.js'

export interface Dialect {
  readonly delimiter: string
  readonly decimal: '.' | ','
  /** Whether neither kind of decimal sign was seen, so that the rest of the file decides. */
  readonly open: boolean
  /** Whether every row has one field more than the header: row names without a heading, as R writes them, or a delimiter at the end. */
  readonly surplus: 'none' | 'first' | 'last'
}

/** What csv-parse is told, whoever calls it. Comments are whole lines. */
export const parserOptions = {
  trim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  comment: '#',
  comment_no_infix: true
} as const

/** Signs between columns, and their names; where several would do, the first is taken. */
export const delimiterNames: Readonly<Record<string, string>> = {
  '\t': 'tabs',
  ';': 'semicolons',
  '|': 'bars',
  ',': 'commas',
  ' ': 'spaces'
}

/** Records of the sample that are looked at. */
const sampleRecords = 200

/** The line by which Excel can be told the delimiter, such as "sep=;". */
export const excelHint = /^\ufeff?sep=(.)\r?\n/i

function records(sample: string, delimiter: string): string[][] {
  try {
    return parse(sample, { ...parserOptions, delimiter, relax_quotes: true, to: sampleRecords })
  } catch {
    return []
  }
}

/** Share of the records that have as many fields as the header, or all of them one more. */
function agreement([header, ...rest]: readonly (readonly string[])[]): number {
  if (header === undefined || header.length < 2) return 0
  if (rest.length === 0) return 1
  const share = (length: number): number => rest.filter(record => record.length === length).length / rest.length
  return share(header.length + 1) === 1 ? 1 : share(header.length)
}

function delimiterOf(sample: string): string {
  let best = { delimiter: ',', agreement: 0 }
  for (const delimiter of Object.keys(delimiterNames)) {
    if (!sample.includes(delimiter)) continue
    const found = agreement(records(sample, delimiter))
    // Spaces stand in many texts, so they separate columns only where nothing else could.
    if (found > best.agreement && (delimiter !== ' ' || (found === 1 && best.agreement === 0)))
      best = { delimiter, agreement: found }
  }
  return best.delimiter
}

function surplusOf([header, ...rest]: readonly (readonly string[])[]): Dialect['surplus'] {
  if (header === undefined || rest.length === 0) return 'none'
  if (!rest.every(record => record.length === header.length + 1)) return 'none'
  return rest.every(record => record.at(-1) === '') ? 'last' : 'first'
}

const hasPoint = (cell: string): boolean => cell.includes('.') && !Number.isNaN(numberOf(cell))
const hasComma = (cell: string): boolean => cell.includes(',') && !Number.isNaN(commaNumberOf(cell))

/**
 * @param sample the first lines of the table
 * @param given what the user has said
 */
export function dialectOf(
  sample: string,
  given: { readonly delimiter?: string; readonly decimal?: '.' | ',' }
): Dialect {
  const hint = excelHint.exec(sample)
  const text = hint ? sample.slice(hint[0].length) : sample
  const delimiter = given.delimiter ?? hint?.[1] ?? delimiterOf(text)
  const table = records(text, delimiter)
  const surplus = surplusOf(table)
  if (given.decimal !== undefined) return { delimiter, decimal: given.decimal, open: false, surplus }
  const cells = table.slice(1).flat()
  const points = cells.some(hasPoint)
  // Between commas a cell such as "26,5" is as likely to be a mistake, or to hold thousands, so the user must say so.
  const commas = delimiter !== ',' && cells.some(hasComma)
  return { delimiter, decimal: commas && !points ? ',' : '.', open: delimiter !== ',' && !points && !commas, surplus }
}
