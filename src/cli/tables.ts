/** `--tables markdown|csv`: every table of a report as text, for papers and spreadsheets. */
import { InputError } from '../core/errors.js'
import { knownNames } from '../core/names.js'
import { shown } from '../core/printable.js'
import { csvTable, markdownTable, type Table } from '../report/table.js'
import type { Flags, FlagTable } from './command.js'

const formats = ['markdown', 'csv'] as const

export const tablesFlag: FlagTable = {
  tables: {
    type: 'string',
    requiresArg: true,
    value: 'FORMAT',
    describe: `print every table as ${formats.join(' or ')} and nothing else`
  }
}

/** Tables one below the other, each with its title before it. */
const csvTables = (tables: readonly Table[]): string =>
  tables.map(table => `# ${shown(table.title, Infinity)}\r\n${csvTable(table)}`).join('\r\n')

/**
 * The tables in the format that the flag names; undefined without the flag. In CSV a line `# title` stands before each.
 * @throws InputError for another format
 */
export function tablesText(flags: Flags, tables: () => readonly Table[]): string | undefined {
  const format = flags['tables']
  if (format === undefined) return undefined
  if (!formats.some(f => f === format))
    throw new InputError(`--tables is "${String(format)}"; ${knownNames(String(format), formats)}.`)
  return format === 'markdown' ? tables().map(markdownTable).join('\n') : csvTables(tables())
}
