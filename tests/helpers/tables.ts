// Random tables, and the ways in which people's programs write them.
import { gzipSync } from 'node:zlib'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import { Stream, uniform, words } from '../../src/core/rng.js'

export type Value = number | string
export interface RandomTable {
  readonly header: readonly string[]
  readonly rows: readonly (readonly Value[])[]
}

/** Seeded numbers in (0, 1). */
export function randomNumbers(seed: number): () => number {
  let at = 0
  return () => uniform(words(seed, Stream.generator, 7, at++, 1)[0])
}

const labelSets = [
  ['north', 'south', 'west'],
  ['Zürich', 'Genève', 'Köln'],
  ['a, b', 'c; d', 'say "no"'],
  ['two\nlines', 'one line', 'tab\there'],
  ['TRUE', 'FALSE', 'maybe not']
] as const

/** 30 to 60 rows: a column of many digits, one of few, whole numbers, labels and a target of two labels. */
export function randomTable(seed: number): RandomTable {
  const random = randomNumbers(seed)
  const labels = labelSets[seed % labelSets.length]
  const scale = 10 ** Math.floor(random() * 12 - 4)
  const rows = Array.from({ length: 30 + Math.floor(random() * 30) }, (_, i): Value[] => [
    (random() - 0.5) * scale,
    Math.round(random() * 100) / 4 - 3,
    Math.floor(random() * 1000),
    labels[i < 3 ? i : Math.floor(random() * 3)],
    i < 4 ? ['no', 'yes'][i % 2] : random() < 0.5 ? 'no' : 'yes'
  ])
  return { header: ['wide', 'quarter', 'count', 'region of, the "world"', 'y'], rows }
}

export interface Style {
  readonly delimiter?: string
  readonly decimal?: '.' | ','
  readonly newline?: string
  /** Quotation marks around all text, as R writes it. */
  readonly quoteText?: boolean
  readonly rowNames?: 'unnamed' | 'without heading' | 'Unnamed: 0'
  readonly before?: string
  /** Put after the line of each row that is a multiple of 7. */
  readonly between?: string
  readonly trailing?: boolean
}

/** The table as text. */
export function written({ header, rows }: RandomTable, style: Style = {}): string {
  const { delimiter = ',', decimal = '.', newline = '\n', quoteText = false, rowNames, before = '' } = style
  const cell = (value: Value): string => {
    const text = typeof value === 'number' ? String(value).replace('.', decimal) : value
    const must = text.includes(delimiter) || /["\n\r\t]/.test(text) || text === ''
    return must || (quoteText && typeof value === 'string') ? `"${text.replace(/"/g, '""')}"` : text
  }
  const line = (values: readonly Value[]): string =>
    values.map(cell).join(delimiter) + (style.trailing === true ? delimiter : '') + newline
  const heading = rowNames === 'unnamed' ? [''] : rowNames === 'Unnamed: 0' ? [rowNames] : []
  return (
    before +
    line([...heading, ...header]) +
    rows
      .map((row, i) => line(rowNames ? [String(i + 1), ...row] : row) + (i % 7 === 0 ? (style.between ?? '') : ''))
      .join('')
  )
}

export const utf16 = (text: string, big: boolean, mark: boolean): Buffer => {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le')
  return big ? bytes.swap16() : bytes
}

export function parquetOf({ header, rows }: RandomTable): Buffer {
  const writer = new ByteWriter()
  void parquetWrite({
    writer,
    columnData: header.map((name, c) => ({
      name,
      data: rows.map(row => row[c]),
      type: typeof rows[0][c] === 'number' ? ('DOUBLE' as const) : ('STRING' as const)
    })),
    rowGroupSize: 17
  })
  return Buffer.from(writer.getBytes())
}

/** Every way of writing a table that must read the same, as bytes of a file. */
export const dialects: Readonly<Record<string, (table: RandomTable) => string | Buffer>> = {
  commas: t => written(t),
  'commas, lines of Windows': t => written(t, { newline: '\r\n' }),
  semicolons: t => written(t, { delimiter: ';' }),
  'semicolons and decimal commas': t => written(t, { delimiter: ';', decimal: ',' }),
  tabs: t => written(t, { delimiter: '\t' }),
  'tabs and decimal commas': t => written(t, { delimiter: '\t', decimal: ',' }),
  bars: t => written(t, { delimiter: '|' }),
  'spaces, as write.table': t => written(t, { delimiter: ' ', quoteText: true, rowNames: 'without heading' }),
  'write.csv of R': t => written(t, { quoteText: true, rowNames: 'unnamed' }),
  'write.csv2 of R': t => written(t, { delimiter: ';', decimal: ',', quoteText: true, rowNames: 'unnamed' }),
  'to_csv of pandas': t => written(t, { rowNames: 'unnamed' }),
  'to_csv of pandas, twice': t => written(t, { rowNames: 'Unnamed: 0' }),
  'a mark of UTF-8': t => `\ufeff${written(t)}`,
  'UTF-16 with a mark': t => utf16(written(t, { delimiter: '\t' }), false, true),
  'UTF-16, the other way round': t => utf16(written(t), true, true),
  'UTF-16 without a mark': t => utf16(written(t), false, false),
  'Latin-1': t => Buffer.from(written(t), 'latin1'),
  gzip: t => gzipSync(written(t)),
  'gzip of UTF-16': t => gzipSync(utf16(written(t), false, true)),
  'comments and empty lines': t => written(t, { before: '# from a machine, "unclosed\n\n', between: '# a pause\n\n' }),
  'rows of empty cells': t => written(t, { between: ',,,,\n' }),
  'a delimiter at the end of each line': t => written(t, { trailing: true }),
  "Excel's hint": t => `sep=;\r\n${written(t, { delimiter: ';', newline: '\r\n' })}`,
  Parquet: parquetOf
}
