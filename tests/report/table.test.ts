// Tables in their plain forms: text that fits, Markdown and CSV that readers take apart again.
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { csvTable, markdownTable, textTable, type Table } from '../../src/report/table.js'
import { reportTables } from '../../src/report/tables.js'
import { everyKind, throughJson } from './summaries.js'

const table: Table = {
  title: 'Fits',
  head: ['model', 'a long heading of words', 'b', 'c'],
  rows: [
    ['one, "quoted"', '1.5', '2', '3'],
    ['two | three', '10.25', '-', '4']
  ],
  spare: [3, 2]
}

describe('as text', () => {
  it.each([24, 30, 40, 80])('fits %i columns and shows the first column and some number', width => {
    const lines = textTable(table, width)
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width)
    expect(lines.join('\n')).toContain('10.25')
  })

  it('wraps headings before it leaves out columns, and leaves out the spare ones in their order', () => {
    expect(textTable(table, 46)[0]).toMatch(/^model +a long heading of words +b +c$/)
    expect(textTable(table, 34).join('\n')).toMatch(/b +c/)
    const narrow = textTable(table, 26).join('\n')
    expect(narrow).toMatch(/\bb\b/)
    expect(narrow).not.toMatch(/\bc\b/)
  })

  it('keeps every cell when it is turned', () => {
    const { spare: _, ...whole } = table
    const text = textTable(whole, 20).join('\n')
    for (const cell of whole.rows.flatMap(row => row.slice(1))) expect(text).toContain(cell)
  })
})

it.each(reportTables(Object.values(everyKind()).map(throughJson)))('CSV and Markdown of "$title"', t => {
  expect(parse(csvTable(t), { relax_column_count: false })).toEqual([[...t.head], ...t.rows.map(row => [...row])])
  const lines = markdownTable(t).split('\n')
  expect(lines[0]).toBe(`### ${t.title}`)
  const rows = lines.filter(line => line.startsWith('|'))
  expect(rows).toHaveLength(t.rows.length + 2)
  for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(t.head.length + 2)
})
