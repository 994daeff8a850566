// Control characters in the user's own text never reach a page, a picture or a table: they are written out, as on a terminal.
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { svg } from '../../src/report/charts/svg.js'
import { renderReport } from '../../src/report/render.js'
import { csvTable, markdownTable } from '../../src/report/table.js'
import { reportTables } from '../../src/report/tables.js'
import { everyKind, makeLimit, makePoints, makeSummary } from './summaries.js'
import { randomNumbers } from '../helpers/tables.js'

/** What steers a terminal, or turns the direction of writing. */
const steering = /[^\P{Cc}\t\n]|[\p{Bidi_Control}\u2028\u2029]/u
const steers: readonly string[] = [
  ...Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)),
  ...['\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069']
].filter(c => steering.test(c))

/** All of them, in an order of its own. */
function mark(seed: number): string {
  const random = randomNumbers(seed)
  return [...steers]
    .map(c => [random(), c] as const)
    .sort(([a], [b]) => a - b)
    .map(([, c]) => c)
    .join('')
}

/** Fields whose text is the user's, or quotes it. */
const foreign = new Set([
  ...['name', 'names', 'data', 'target', 'coding', 'notes', 'flatParameters', 'growing', 'class', 'reason'],
  ...['infinite', 'device', 'optimizer']
])

/** The same with a mark after every text that may be the user's. */
function marked(value: unknown, with_: string, isForeign = false): unknown {
  if (typeof value === 'string') return isForeign ? `${value}${with_}` : value
  if (Array.isArray(value)) return value.map(part => marked(part, with_, isForeign))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      isForeign ? `${key}${with_}` : key,
      marked(part, with_, foreign.has(key))
    ])
  )
}

const kinds: Readonly<Record<string, Summary>> = {
  ...everyKind(),
  'runs to infinity': makeSummary({
    name: 'away',
    verdicts: { diverging: 900, minimum: 100 },
    minima: makePoints(2, 100),
    fields: { limits: [makeLimit(0.25, 500), makeLimit(0.5, 400)] }
  })
}

describe('text with every control character', () => {
  it.each(Object.keys(kinds).map((kind, seed) => [kind, seed] as const))(
    'on the page and in tables: %s',
    async (kind, seed) => {
      const summary = marked(kinds[kind], mark(seed)) as Summary
      const page = await renderReport([summary, makeSummary({ name: mark(seed + 100) })], { title: summary.name })
      expect(steering.exec(page)).toBeNull()
      expect(page).toContain('\\x1b')
      const tables = reportTables([summary, makeSummary({ name: mark(seed + 100) })])
      for (const table of tables) expect(steering.exec(markdownTable(table))).toBeNull()
      expect(steering.exec(tables.map(csvTable).join('').replaceAll('\r\n', '\n'))).toBeNull()
    }
  )

  it('in a picture, in which names that differ stay apart', async () => {
    const names = ['\u001b[31mred', '\\x1b[31mred', mark(7)]
    const picture = await svg(
      {
        data: { values: names.map((name, i) => ({ name, value: i + 1 })) },
        mark: 'bar',
        encoding: {
          y: { field: 'name', type: 'nominal', title: names[0] },
          x: { field: 'value', type: 'quantitative', title: null }
        }
      },
      names[2]
    )
    expect(steering.exec(picture)).toBeNull()
    expect(picture.match(/>\\x1b\[31mred</g)).toHaveLength(3)
  })
})

it('a name of several lines takes one line of Markdown', () => {
  const random = randomNumbers(11)
  for (let n = 0; n < 50; n++) {
    const text = Array.from(
      { length: 8 },
      () => ['a', '|', '\\', '\n', '\r', '\t', '#'][Math.floor(7 * random())]
    ).join('')
    const lines = markdownTable({ title: text, head: ['', text], rows: [[text, text]] }).split(/[\n\r]/)
    expect(lines).toHaveLength(6)
  }
})
