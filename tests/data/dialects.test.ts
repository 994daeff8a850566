// One table through everything that people's programs write: the same numbers, names and levels come out.
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, describe, it } from 'vitest'
import { loadData } from '../../src/data/load.js'
import type { DataConfig, Dataset } from '../../src/data/types.js'
import { InputError } from '../../src/core/errors.js'
import { file } from '../helpers/files.js'
import { dialects, randomNumbers, randomTable, written } from '../helpers/tables.js'

const use = { bias: true, hidden: [], ridge: 1 }
const load = (config: DataConfig): Promise<Dataset> => loadData({ target: 'y', ...config }, undefined, use)

/** The sentence of a refusal. */
async function refusal(config: DataConfig): Promise<string> {
  const error = await load(config).then(
    () => undefined,
    (caught: unknown) => caught
  )
  expect(error).toBeInstanceOf(InputError)
  return (error as InputError).message
}

const seeds = [1, 2, 3, 4, 5]

describe.each(Object.entries(dialects))('%s', (name, write) => {
  it.each(seeds)('reads the same table, %i', async seed => {
    const table = randomTable(seed)
    const path = file(`${seed}-${name.replace(/\W+/g, '-')}`, write(table))
    const data = await load({ csv: path })
    const plain = await load({
      columns: Object.fromEntries(table.header.map((heading, c) => [heading, table.rows.map(row => row[c])]))
    })
    expect(data.columns).toEqual(plain.columns)
    expect(data.x).toEqual(plain.x)
    expect(data.y).toEqual(plain.y)
    expect(data.hash).toBe(plain.hash)
    // Against the table itself.
    const D = data.inputs
    table.rows.forEach((row, i) => {
      expect([...data.x.subarray(i * D, i * D + 3)]).toEqual(row.slice(0, 3))
      const level = data.columns.indexOf(`${table.header[3]}${row[3]}`)
      expect([...data.x.subarray(i * D + 3, (i + 1) * D)]).toEqual(
        Array.from({ length: D - 3 }, (_, k) => (k + 3 === level ? 1 : 0))
      )
      expect(data.y[i]).toBe(row[4] === 'yes' ? 1 : 0)
    })
  })
})

it('reads rows as objects, whatever the order of their names', async () => {
  const table = randomTable(6)
  const rows = table.rows.map((row, i) => {
    const entries = table.header.map((name, c) => [name, row[c]] as const)
    return Object.fromEntries(i > 0 && i % 2 === 0 ? [...entries].reverse() : entries)
  })
  const columns = Object.fromEntries(table.header.map((name, c) => [name, table.rows.map(row => row[c])]))
  expect((await load({ rows })).hash).toBe((await load({ columns })).hash)
})

it('says what it saw', async () => {
  const table = randomTable(1)
  const notes = async (name: keyof typeof dialects): Promise<string> =>
    (
      await load({ csv: file(`said-${String(name).replace(/\W+/g, '-')}`, dialects[name](table)) })
    ).preprocessing.notes.join(' ')
  expect(await notes('commas')).toBe('')
  expect(await notes('semicolons and decimal commas')).toMatch(/semicolons.*decimal commas/)
  expect(await notes('write.csv of R')).toMatch(/first column .* no name.*left out/)
  expect(await notes('comments and empty lines')).toMatch(/\d+ lines of .* beginning with # are comments/)
  expect(await notes('rows of empty cells')).toMatch(/\d+ rows of .* without any value were left out/)
  expect(await notes('UTF-16 without a mark')).toMatch(/UTF-16/)
  const latin = await load({ csv: file('said-latin', Buffer.from(written(randomTable(6)), 'latin1')) })
  expect(latin.preprocessing.notes.join(' ')).toMatch(/Latin-1/)
})

it('takes the decimal comma where only later rows show it', async () => {
  const head = Array.from({ length: 20000 }, (_, i) => `${i % 7};${(i * i) % 11};${i % 2}\n`).join('')
  const data = await load({ csv: file('late.csv', `a;b;y\n${head}1,5;2;0\n`) })
  expect(data.x.at(-2)).toBe(1.5)
  expect(data.preprocessing.notes.join()).toMatch(/decimal commas/)
})

describe('a cell that cannot be read', () => {
  const unreadable = ['N/A', '.', '-', '26,5', 'abc', '1.2.3', '12 kg', '0x1f', 'Infinity', '']

  it.each(seeds)('is named by row and line, or its row left out, %i', async seed => {
    const table = randomTable(seed)
    const random = randomNumbers(100 + seed)
    const bad = unreadable[Math.floor(random() * unreadable.length)]
    const row = Math.floor(random() * table.rows.length)
    const column = Math.floor(random() * 3)
    const rows = table.rows.map((cells, i) => cells.map((cell, c) => (i === row && c === column ? bad : cell)))
    // Labels of two lines move the lines below them.
    const comments = 1 + Math.floor(random() * 4)
    const text = written({ ...table, rows }, { before: '# a comment\n'.repeat(comments) })
    const start = text.slice(0, text.indexOf(written({ header: rows[row].map(String), rows: [] })))
    const line = start.split('\n').length + rows[row].filter(cell => cell === 'two\nlines').length
    const path = file(`bad-${seed}.csv`, text)
    const sentence = await refusal({ csv: path })
    expect(sentence).toContain(`Column ${table.header[column]} is ${bad === '' ? 'empty' : `"${bad}"`}`)
    expect(sentence).toContain(`row ${row + 1} (line ${line})`)
    const dropped = await load({ csv: path, missing: 'drop' })
    const left = table.rows.filter((_, i) => i !== row)
    const columns = Object.fromEntries(table.header.map((name, c) => [name, left.map(cells => cells[c])]))
    expect(dropped.hash).toBe((await load({ columns })).hash)
    expect(dropped.preprocessing.rows).toMatchObject({ read: table.rows.length, dropped: 1, training: left.length })
    expect(dropped.preprocessing.notes.join()).toContain(`1 of the ${table.rows.length} rows`)
  })

  it('in a column half of text is no mistake, and asks what the column is', async () => {
    const path = file(
      'half.csv',
      `a,b,y\n${Array.from({ length: 12 }, (_, i) => `${i % 2 ? i : `t${i % 3}`},${i},${i % 2}\n`).join('')}`
    )
    const sentence = await refusal({ csv: path, missing: 'drop' })
    expect(sentence).toMatch(
      /Column a holds both numbers and text, such as 1 in row 2 .* and "t0" in row 1 .*--categorical/
    )
    expect((await load({ csv: path, categorical: ['a'] })).columns).toContain('a11')
    expect(await load({ csv: path, numeric: ['a'], missing: 'drop', categorical: ['y'] }).catch(String)).toMatch(
      /one class/
    )
  })
})

it('takes what the user names for missing, and nothing else', async () => {
  const path = file('marks.csv', 'a,b,y\n1,-999,0\n2,5,1\n3,7,0\n-999.0,3,1\nNA,4,0\n6,1,1\n')
  const data = await load({ csv: path, missing: 'drop', missingValues: ['-999', 'NA'] })
  expect(data.preprocessing.rows).toMatchObject({ read: 6, dropped: 3, training: 3 })
  expect(await refusal({ csv: path, missingValues: ['-999'] })).toMatch(/"?-999"? in row [14]/)
  // NA may be Namibia.
  const namibia = file('namibia.csv', `c,b,y\n${'NA,1,0\nZA,2,1\nBW,3,0\nNA,5,1\nZA,4,1\nBW,7,0\n'}`)
  expect(await refusal({ csv: namibia })).toMatch(/Column c is "NA" in row 1/)
  expect((await load({ csv: namibia, missingValues: ['-'] })).columns).toContain('cNA')
})

describe('what is no table', () => {
  const header = 'a,b,y\n'
  it.each([
    ['a spreadsheet', Buffer.from('PK\x03\x04rest', 'latin1'), /spreadsheet.*CSV/],
    ['bytes of 0', Buffer.concat([Buffer.from(header), Buffer.alloc(5000), Buffer.from('1,2,0\n')]), /bytes of 0/],
    [
      'bytes of 0 further on',
      Buffer.concat([Buffer.from(header + '1,2,0\n'.repeat(5000)), Buffer.alloc(9)]),
      /bytes of 0/
    ],
    ['a file of nothing', '', /empty/],
    ['no header', '1,2,0\n3,4,1\n', /first line .* holds numbers/],
    ['a quotation that is not closed', `${header}1,"2,0\n3,4,1\n`, /cannot be read as a table.*[Qq]uote/],
    ['a quotation in the middle of a cell', `${header}1,2"3",0\n3,4,1\n`, /cannot be read as a table.*[Qq]uote/],
    ['columns of one name', 'a,a,y\n1,2,0\n', /Two columns .* "a"/],
    ['a column without a name', 'a,,y\n1,2,0\n', /Column 2 .* no name/],
    ['UTF-32', Buffer.from('\xff\xfe\0\0a\0\0\0', 'latin1'), /UTF-32/]
  ] as const)('%s is refused', async (name, bytes, says) => {
    expect(await refusal({ csv: file(`no-${name.replace(/\W+/g, '-')}`, bytes) })).toMatch(says)
  })

  it('a gzip file that is cut is damaged', async () => {
    const packed = gzipSync(written(randomTable(1)))
    expect(await refusal({ csv: file('cut.gz', packed.subarray(0, packed.length / 2)) })).toMatch(/damaged.*gzip/)
  })

  it('a directory, and a file that is not there', async () => {
    expect(await refusal({ csv: '.' })).toMatch(/directory/)
    expect(await refusal({ csv: 'nowhere.csv' })).toMatch(/no file nowhere\.csv.*iris2/)
  })

  it.runIf(existsSync('/dev/zero'))('a device that never ends', async () => {
    expect(await refusal({ csv: '/dev/zero' })).toMatch(/bytes of 0/)
  })
})

describe('foreign text in sentences', () => {
  it('is cut, and cannot steer a terminal', async () => {
    const long = 'x'.repeat(300_000)
    const said = await refusal({ csv: file('long.csv', `a,y\n1,0\n${long},1\n3,0\n`), numeric: ['a'] })
    expect(said.length).toBeLessThan(600)
    expect(said).toContain('(300000 characters)')
    const escapes = await refusal({ csv: file('escapes.csv', 'a\x1b[2J,y\n1,0\n\x1b]0;t\x07x,1\n3,0\n') })
    // eslint-disable-next-line no-control-regex
    expect(escapes).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
    expect(escapes).toContain('\\x1b')
  })
})
