// What a column is taken for: a sentence wherever R, pandas or a reader might take it for something else.
import { describe, expect, it } from 'vitest'
import { loadData } from '../../src/data/load.js'
import type { DataConfig, Dataset } from '../../src/data/types.js'
import type { Loss } from '../../src/models/types.js'
import { InputError } from '../../src/core/errors.js'

const N = 60
const column = <T>(value: (i: number) => T): T[] => Array.from({ length: N }, (_, i) => value(i))
/** A column of numbers and a target of two classes beside what is under test. */
const table = (more: Record<string, (i: number) => string | number | null>): NonNullable<DataConfig['columns']> => ({
  x: column(i => Math.sin(i)),
  ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, column(value)])),
  ...('y' in more ? {} : { y: column(i => ((i * 7) % 3 > 0 ? 1 : 0)) })
})
const load = (columns: NonNullable<DataConfig['columns']>, config: DataConfig = {}, loss?: Loss): Promise<Dataset> =>
  loadData({ columns, target: 'y', ...config }, loss, { bias: true, hidden: [], ridge: 1 })
const notes = async (...args: Parameters<typeof load>): Promise<string> =>
  (await load(...args)).preprocessing.notes.join(' ')

/** The sentence of a refusal. */
async function refusal(...args: Parameters<typeof load>): Promise<string> {
  const error = await load(...args).then(
    () => undefined,
    (caught: unknown) => caught
  )
  expect(error).toBeInstanceOf(InputError)
  return (error as InputError).message
}

describe('features', () => {
  it('of plain numbers and few labels need no word', async () => {
    expect(await notes(table({ g: i => ['a', 'b', 'c'][i % 3], n: i => Math.floor(100 * Math.cos(i)) }))).toBe('')
  })

  it.each([
    ['2024-03-01', (i: number) => `2024-03-${String(1 + (i % 28)).padStart(2, '0')}`],
    ['a German date', (i: number) => `${1 + (i % 28)}.3.2024`],
    ['an American date', (i: number) => `3/${1 + (i % 28)}/24`],
    ['a time stamp', (i: number) => `2024-03-01 12:${String(i).padStart(2, '0')}:00`],
    ['a month by name', (i: number) => `${1 + (i % 28)} March 2024`],
    ['three dates', (i: number) => `2024-03-0${1 + (i % 3)}`]
  ])('that are dates are refused: %s', async (_, value) => {
    expect(await refusal(table({ day: value }))).toMatch(/Column day .* dates, such as ".*--exclude day/)
    expect((await load(table({ day: value }), { exclude: ['day'] })).columns).toEqual(['x'])
    expect((await load(table({ day: value }), { categorical: ['day'] })).inputs).toBeGreaterThan(2)
  })

  it('that are IDs or remarks are refused as text, and noted as numbers', async () => {
    expect(await refusal(table({ who: i => `P${1000 + i}` }))).toMatch(/Column who .* 60 different values in 60 rows/)
    expect(await refusal(table({ who: i => `remark ${Math.min(i, 50)}` }))).toMatch(/51 different values in 60 rows/)
    expect(await notes(table({ id: i => i + 1 }))).toMatch(/^id of .* counts the rows .*--exclude id/)
    expect(await notes(table({ id: i => 500 - i }))).toMatch(/counts the rows/)
    expect(await notes(table({ id: i => i * i }))).toBe('')
  })

  it('that may be codes of groups are numbers, and said to be', async () => {
    expect(await notes(table({ g: i => 1 + (i % 3) }))).toMatch(/g \(1 to 3\) .* taken for numbers.*--categorical/)
    const labels = await load(table({ g: i => 1 + (i % 3) }), { categorical: ['g'] })
    expect(labels.columns).toEqual(['x', 'g2', 'g3'])
    expect(labels.preprocessing.notes).toEqual([])
  })

  it('whose levels differ in capitals alone are said to be different', async () => {
    expect(await notes(table({ g: i => ['Yes', 'no', 'yes'][i % 3] }))).toMatch(/g .* "Yes" and "yes".*different/)
    expect(await notes(table({ g: i => ['new york', 'New_York', 'Paris'][i % 3] }))).toMatch(
      /"New_York" and "new york"/
    )
  })

  it('take the level that is named as the reference', async () => {
    const g = (i: number): string => ['a', 'b', 'c'][i % 3]
    expect((await load(table({ g }), { reference: { g: 'b' } })).columns).toEqual(['x', 'ga', 'gc'])
    expect(await refusal(table({ g }), { reference: { g: 'd' } })).toMatch(/no level "d".*a, b and c/)
    // Naming a reference says that the numbers are labels.
    expect((await load(table({ g: i => i % 3 }), { reference: { g: '2' } })).columns).toEqual(['x', 'g0', 'g1'])
  })

  it('without any value, or left out and not there, are refused', async () => {
    expect(await refusal(table({ e: () => null }))).toMatch(/Column e .* no value/)
    expect(await refusal(table({}), { exclude: ['z'] })).toMatch(/no column "z" for the excluded columns/)
    expect(await refusal(table({ a: i => i * i }), { numeric: ['a'], categorical: ['a'] })).toMatch(/both numeric and/)
  })

  it('may have commas in their names', async () => {
    const columns = table({ 'a,b': i => i * i, 'say "c"': i => Math.cos(i) })
    expect((await load(columns, { features: ['a,b'] })).columns).toEqual(['a,b'])
    expect((await load(columns, { exclude: ['say "c"'] })).columns).toEqual(['x', 'a,b'])
  })

  it('of one column and one level of another that are called the same are refused', async () => {
    expect(await refusal(table({ g: i => ['a', 'b'][i % 2], gb: i => Math.cos(i) }))).toMatch(/Two inputs .* "gb"/)
  })
})

describe('targets', () => {
  it.each([
    [1, 3],
    [0, 3],
    [1, 10]
  ])('of whole numbers from %i, %i of them, ask what they are', async (first, count) => {
    const columns = table({ y: i => first + (i % count) })
    expect(await refusal(columns)).toMatch(/target y .* numbers or classes; say --categorical y .* --numeric y/)
    expect((await load(columns, { categorical: ['y'] })).loss).toBe('softmax')
    expect((await load(columns, { numeric: ['y'] })).loss).toBe('squared')
    expect((await load(columns, {}, 'poisson')).y[1]).toBe(first + 1)
  })

  it('of many whole numbers, of others and of two do not ask', async () => {
    expect((await load(table({ y: i => i % 30 }))).loss).toBe('squared')
    expect((await load(table({ y: i => [1, 2, 4][i % 3] }))).loss).toBe('squared')
    const two = await load(table({ y: i => 1 + (i % 2) }))
    expect([two.loss, two.coding]).toEqual(['logistic', '1 = 0, 2 = 1'])
  })

  it('whose labels differ in capitals alone are refused unless they are said to be classes', async () => {
    const columns = table({ y: i => ['Yes', 'no', 'yes'][i % 3] })
    expect(await refusal(columns)).toMatch(/"Yes" and "yes"; make them one.*--categorical y/)
    expect((await load(columns, { categorical: ['y'] })).classes).toEqual(['Yes', 'no', 'yes'])
  })

  it('written 0, 1 and 1.0 have two classes, and say so', async () => {
    const columns = table({ y: i => ['0', '1', '1.0'][i % 3] })
    const data = await load(columns)
    expect([data.loss, [...data.y.subarray(0, 3)]]).toEqual(['logistic', [0, 1, 1]])
    expect(data.preprocessing.notes.join()).toMatch(/"1" and "1.0" in column y .* same number/)
  })

  it('that are dates or text under a loss for numbers name the cell', async () => {
    expect(await refusal(table({ y: i => `t${i % 4}` }), {}, 'squared')).toMatch(/target y is t0 in row 1.*squared/)
  })

  it('of successes among trials are shares, weighted by the trials', async () => {
    const columns = table({ trials: i => 1 + (i % 4), y: i => i % 2 })
    const data = await load(columns, { trials: 'trials' })
    expect([...data.y.subarray(0, 4)]).toEqual([0, 1 / 2, 0, 1 / 4])
    expect([...data.weight!.subarray(0, 4)]).toEqual([1, 2, 3, 4])
    expect([...data.trials!.subarray(0, 4)]).toEqual([1, 2, 3, 4])
    expect(await refusal(table({ trials: () => 1, y: i => i % 3 }), { trials: 'trials' })).toMatch(
      /is 2 in row 3.*of 1 trials/
    )
    expect(await refusal(table({ trials: () => 1.5, y: () => 1 }), { trials: 'trials' })).toMatch(
      /trials are 1.5 in row 1/
    )
    expect(await refusal(columns, { trials: 'trials' }, 'poisson')).toMatch(/poisson loss has no trials/)
  })
})

describe('columns apart', () => {
  it('of exposures add their logarithm to the offset', async () => {
    const columns = table({ e: i => 1 + i, o: i => i / 7, y: i => i % 25 })
    const data = await load(columns, { exposure: 'e', offset: 'o' }, 'poisson')
    data.offset!.forEach((value, i) => expect(value).toBe(Math.log(1 + i) + i / 7))
    expect(data.columns).toEqual(['x'])
    expect(await refusal(columns, { exposure: 'o' }, 'poisson')).toMatch(/exposure o is 0 in row 1/)
  })

  it.each([1e-320, 1e-200, 1e200, -1])('of weights cannot hold %d', async weight => {
    const columns = table({ w: i => (i === 5 ? weight : 1) })
    expect(await refusal(columns, { weights: 'w' })).toMatch(/weight w is .* in row 6.*1e-100 to 1e\+?100/)
  })

  it('must hold numbers in every row', async () => {
    const columns = table({ w: i => (i === 5 ? 'heavy' : 1) })
    expect(await refusal(columns, { weights: 'w' })).toMatch(/Column w is "heavy" in row 6/)
    expect(await refusal(columns, { weights: 'y' })).toMatch(/both the target and the weights/)
  })
})

describe('held-out rows', () => {
  it('are known by their numbers in the file, rows that were dropped counted', async () => {
    const columns = table({ a: i => (i < 10 ? null : i * i) })
    const { preprocessing, test } = await load(columns, { missing: 'drop', test: { fraction: 0.4, seed: 3 } })
    expect(preprocessing.rows).toEqual({ read: 60, dropped: 10, training: 50 - test!.rows, heldOut: test!.rows })
    expect(preprocessing.heldOut.length).toBe(test!.rows)
    preprocessing.heldOut.forEach((row, n) => expect(test!.x[2 * n + 1]).toBe((row - 1) ** 2))
  })

  it('are none where the user says so', async () => {
    const { test, preprocessing } = await load(table({}), { test: 'none' })
    expect(test).toBeUndefined()
    expect(preprocessing.heldOut).toEqual([])
  })
})
