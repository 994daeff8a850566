/** A table as plain data, and its three plain forms: aligned text of a given width, Markdown, CSV. */
import { printable, shown } from '../core/printable.js'
import { wrap } from '../core/text.js'

export interface Table {
  readonly title: string
  /** The first column names the row. */
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns that hold words and are aligned left; the others hold numbers. Default: the first. */
  readonly words?: readonly number[]
  /** Columns in the order in which they may be left out where the text has to be narrow; without any, the table is turned into a list. */
  readonly spare?: readonly number[]
}

const gap = 2
/** A heading is not wrapped into lines shorter than this. */
const narrowestHead = 8

interface Layout {
  readonly widths: readonly number[]
  readonly heads: readonly (readonly string[])[]
}

/** Widths of columns whose headings may be wrapped to what their cells take, widened again where there is room. */
function layout(head: readonly string[], rows: readonly (readonly string[])[], width: number): Layout | undefined {
  const cells = head.map((_, c) => Math.max(0, ...rows.map(row => row[c].length)))
  const wordy = head.map((h, c) =>
    Math.max(cells[c], Math.min(narrowestHead, h.length), ...h.split(' ').map(word => word.length))
  )
  const widest = head.map((h, c) => Math.max(cells[c], h.length))
  const total = (widths: readonly number[]): number => widths.reduce((a, b) => a + b, gap * (widths.length - 1))
  if (total(wordy) > width) return undefined
  const widths = [...wordy]
  // The longest headings first are given more room, a column at a time.
  for (let left = width - total(widths); left > 0;) {
    const lines = head.map((h, c) => wrap(h, Math.max(1, widths[c])).length)
    const c = lines.indexOf(Math.max(...lines.filter((_, i) => widths[i] < widest[i])))
    if (c < 0 || lines[c] === 1) break
    widths[c]++
    left--
  }
  return { widths, heads: head.map((h, c) => (h === '' ? [''] : wrap(h, widths[c]))) }
}

function aligned(
  { head, words = [0] }: Table,
  rows: readonly (readonly string[])[],
  { widths, heads }: Layout
): string[] {
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (words.includes(c) ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join(' '.repeat(gap))
      .trimEnd()
  const tall = Math.max(...heads.map(h => h.length))
  const headings = Array.from({ length: tall }, (_, i) => line(heads.map(h => h[i - (tall - h.length)] ?? '')))
  const rule = head.map((_, c) => '-'.repeat(widths[c])).join(' '.repeat(gap))
  return [...headings, rule, ...rows.map(line)]
}

/** Each column as a list of its own under its heading: the table turned, for a screen on which its columns do not fit beside each other. */
function turned({ head, rows }: Table, width: number): string[] {
  const names = rows.map(row => row[0])
  const column = Math.min(Math.max(...names.map(name => name.length)), Math.floor(width * 0.6))
  return head.slice(1).flatMap((title, c) => [
    ...(c > 0 ? [''] : []),
    ...wrap(title, width),
    ...rows.flatMap(row => {
      const lines = wrap(row[0], column)
      return lines.map((text, i) =>
        i < lines.length - 1 ? `  ${text}` : `  ${text.padEnd(column)}  ${row[c + 1]}`.trimEnd()
      )
    })
  ])
}

/** Aligned text of at most `width` columns, as far as single words allow it. */
export function textTable(table: Table, width: number): string[] {
  const { head, rows, spare } = table
  const fits = layout(head, rows, width)
  if (fits) return aligned(table, rows, fits)
  if (!spare) return turned(table, width)
  let kept = head.map((_, c) => c)
  for (const gone of spare) {
    kept = kept.filter(c => c !== gone)
    const part = { ...table, head: kept.map(c => head[c]), words: (table.words ?? [0]).map(c => kept.indexOf(c)) }
    const cut = rows.map(row => kept.map(c => row[c]))
    const found = layout(part.head, cut, width)
    if (found) return aligned(part, cut, found)
  }
  return turned(table, width)
}

/** On one line, without control characters. */
const inLine = (text: string): string => shown(text, Infinity)

const markdownCell = (text: string): string => inLine(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|')

/** GitHub's Markdown, under a heading. */
export function markdownTable({ title, head, rows, words = [0] }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |`
  const rule = `|${head.map((_, c) => (words.includes(c) ? '---' : '---:')).join('|')}|`
  return [`### ${inLine(title)}`, '', line(head), rule, ...rows.map(line), ''].join('\n')
}

/** RFC 4180, without control characters. Numbers are as in the report; summary.json has all their digits. */
export function csvTable({ head, rows }: Table): string {
  const cell = (given: string): string => {
    const text = printable(given)
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [head, ...rows].map(cells => `${cells.map(cell).join(',')}\r\n`).join('')
}
