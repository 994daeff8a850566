/** Sentences that say what was taken for what where another reader of the table might have thought otherwise. */
import { listed, quoted, shown } from '../core/printable.js'
import { flagValue, labelsOf } from './design.js'
import { findColumn, numberOf, type Column, type Table } from './table.js'
import { twins } from './target.js'
import type { Term } from './types.js'

/** Whole numbers that may be codes of groups. */
const mostCodes = 10
/** Rows for each such number from which on one asks. */
const rowsPerCode = 5

/** The numbers of groups, perhaps: few whole ones, from 0 or 1 on. */
function groupNumbers(column: Column, rows: number): readonly string[] | undefined {
  const labels = labelsOf(column, mostCodes)
  if (!labels || labels.length < 3 || rows < rowsPerCode * labels.length) return undefined
  const first = Number(labels[0])
  return (first === 0 || first === 1) && labels.every((label, k) => Number(label) === first + k) ? labels : undefined
}

/** Whether a column numbers the rows, up or down. */
function numbersRows({ values }: Column): boolean {
  const step = values[1] - values[0]
  return values.length > 2 && Math.abs(step) === 1 && values.every((value, i) => value === values[0] + i * step)
}

/** Different spellings of one whole number, such as 1 and 1.0, in a column of few numbers. */
function spellingsOf(column: Column): [string, string] | undefined {
  if (!column.spellings || !labelsOf(column, mostCodes)) return undefined
  const seen = new Map<number, string>()
  for (const cell of column.spellings) {
    const value = numberOf(cell)
    if (!Number.isInteger(value)) continue
    const other = seen.get(value)
    if (other !== undefined) return [other, cell]
    seen.set(value, cell)
  }
  return undefined
}

/** @param target column of the target, where its labels are classes */
export function readingNotes(table: Table, terms: readonly Term[], target: string): string[] {
  const notes: string[] = []
  const source = shown(table.source)
  const ids: string[] = []
  const groups: string[] = []
  for (const term of terms) {
    const column = findColumn(table, term.column, 'features')
    if (term.kind === 'category') {
      const alike = twins(term.levels)
      if (alike)
        notes.push(
          `Column ${shown(term.column)} of ${source} has the levels ${quoted(alike[0])} and ${quoted(alike[1])}, which were taken for different ones.`
        )
      continue
    }
    if (numbersRows(column)) ids.push(term.column)
    const labels = groupNumbers(column, table.rows)
    if (labels) groups.push(`${shown(term.column)} (${labels[0]} to ${labels.at(-1)})`)
  }
  if (ids.length > 0)
    notes.push(
      `${listed(ids)} of ${source} ${ids.length === 1 ? 'counts' : 'count'} the rows and ${ids.length === 1 ? 'was' : 'were'} taken for an input; if it is an ID, leave it out with --exclude ${flagValue(ids[0])}.`
    )
  if (groups.length > 0)
    notes.push(
      `${listed(groups, 20)} of ${source} ${groups.length === 1 ? 'holds' : 'hold'} a few whole numbers and ${groups.length === 1 ? 'was' : 'were'} taken for numbers; if they are the codes of groups, give --categorical.`
    )
  for (const name of [target, ...terms.map(term => term.column)]) {
    const spelled = spellingsOf(findColumn(table, name, 'features'))
    if (spelled)
      notes.push(
        `${quoted(spelled[0])} and ${quoted(spelled[1])} in column ${shown(name)} of ${source} were taken for the same number.`
      )
  }
  return notes
}
