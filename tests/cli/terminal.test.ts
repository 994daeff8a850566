// What is written on a terminal of a given width: sentences beside the line of progress, and progress itself.
import { describe, expect, it } from 'vitest'
import { createProgress, loadProgress } from '../../src/cli/progress.js'
import { clearLine, lines, namedLines, writeSentence, type Output } from '../../src/cli/terminal.js'

/** A stream that keeps what is written, and the lines that a terminal would show of it. */
function screen(
  isTTY: boolean,
  columns: number
): Output & { readonly text: () => string; readonly lines: () => string[] } {
  let written = ''
  return {
    isTTY,
    columns,
    write: (text: string) => (written += text),
    text: () => written,
    lines: () => written.split('\n').map(line => line.split(clearLine).at(-1)!)
  }
}

const long = 'One sentence that does not fit a line of a narrow terminal, and names a file: table.csv.'

describe('a sentence', () => {
  it.each([40, 60, 80])('is wrapped between words at %i columns, over the progress that stood there', columns => {
    const terminal = screen(true, columns)
    const progress = createProgress(terminal, 'study', false, () => 0)
    progress.stage('reading the data')
    writeSentence(long, terminal)
    expect(terminal.text()).toContain(`study: reading the data${clearLine}One sentence`)
    const lines = terminal.lines()
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
    expect(lines.join(' ').trim()).toBe(long)
  })

  it('is one line elsewhere', () => {
    const file = screen(false, 40)
    writeSentence(long, file)
    expect(file.text()).toBe(`${long}\n`)
  })
})

describe('sentences of a result', () => {
  it.each([40, 60, 80])('are wrapped between words at %i columns of a terminal, beside their names too', columns => {
    const terminal = { isTTY: true, columns }
    for (const text of [lines([long, long], terminal), namedLines([['name', long]], 2, terminal)])
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
    expect(lines([long], terminal).replaceAll('\n', ' ')).toBe(long)
    expect(namedLines([['name', long]], 2, terminal)).toMatch(/^ {2}name {2}One sentence[^\n]*\n {8}\w/)
  })

  it('are one line each elsewhere', () => {
    expect(lines([long, 'Two.'], {})).toBe(`${long}\nTwo.`)
    expect(namedLines([['name', long]], 2, {})).toBe(`  name  ${long}`)
  })
})

describe('progress', () => {
  it('is told of a table from half a second on, within the line, and stays once it is read', () => {
    const terminal = screen(true, 40)
    let now = 0
    const tell = loadProgress(terminal, false, () => now)
    const table = { source: 'a/long/way/to/a/table.csv', size: 100 }
    tell({ ...table, bytes: 0, rows: 0 })
    now = 400
    tell({ ...table, bytes: 10, rows: 10 })
    expect(terminal.text()).toBe('')
    now = 600
    tell({ ...table, bytes: 20, rows: 20 })
    now = 700
    tell({ ...table, bytes: 100, rows: 100 })
    const lines = terminal.lines()
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.length).toBeLessThan(40)
    expect(lines[0]).toMatch(/^Reading a\/long\/way\/to\/a\/table\.csv: .*…$/)
  })

  it('shows the first block at once, and what may be cut last', () => {
    const terminal = screen(true, 60)
    let now = 0
    const progress = createProgress(terminal, 'model 1 of 4 (convex)', false, () => now)
    now = 50
    progress.update({ done: 10, total: 100, minima: 1 })
    expect(terminal.lines()).toEqual(['model 1 of 4 (convex): 10 of 100 runs, 450 ms left, 1 mini…'])
    progress.finish()
    expect(terminal.lines()).toEqual([''])
  })

  it('says nothing when quiet', () => {
    const terminal = screen(true, 60)
    createProgress(terminal, 'study', true).stage('reading the data')
    loadProgress(terminal, true)({ source: 'table', bytes: 1, size: 2, rows: 1 })
    expect(terminal.text()).toBe('')
  })
})
