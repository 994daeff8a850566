// What is said before a study runs of starts that are far from the scale of its columns or its target.
import { expect, it } from 'vitest'
import { study } from '../../src/study/study.js'
import type { StudyInput } from '../../src/study/input.js'
import { normals } from '../helpers/problems.js'

const N = 30
const [a, e] = [[...normals(N, 1)], [...normals(N, 2)]]
const y = a.map((v, i) => Math.sin(2 * v) + 0.1 * e[i])

async function said(config: StudyInput): Promise<string[]> {
  const notes: string[] = []
  let running = false
  const summary = await study(
    { ...config, starts: { count: 20 }, stop: { steps: 20 }, engine: 'cpu' },
    {
      onNote: text => {
        expect(running).toBe(false)
        notes.push(text)
      },
      onProgress: () => (running = true)
    }
  )
  for (const note of notes) expect(summary.notes).toContain(note)
  return notes
}
const net = { hidden: [2], activation: 'logistic' as const, loss: 'squared' as const }
const years = a.map(v => 2000 + 10 * v)

it('names the column that saturates units at the starts, and --standardize', async () => {
  const data = { columns: { years, y }, target: 'y' }
  const notes = await said({ data, model: net })
  expect(notes).toHaveLength(1)
  expect(notes[0]).toMatch(/saturated .*column "years" reaches 20\d\d\.?\d*.*--standardize puts/)
  expect(await said({ data: { ...data, standardize: true }, model: net })).toEqual([])
})

it('names the column from which first steps jump', async () => {
  const data = { columns: { x: years.map(v => 1e6 * v), y: y.map(v => Number(v > 0)) }, target: 'y' }
  const [note] = await said({ data, model: { hidden: [], loss: 'logistic' } })
  expect(note).toMatch(/first steps jump.*column "x" reaches|column "x" reaches.*first steps jump/)
  expect(await said({ data: { ...data, standardize: true }, model: { hidden: [], loss: 'logistic' } })).toEqual([])
})

it.each([1e6, 1e-6])('speaks of a target in units of %d', async unit => {
  const data = { columns: { a, y: y.map(v => unit * v) }, target: 'y' }
  const notes = await said({ data, model: net })
  expect(notes.join()).toMatch(/standard deviation of .*--standardize-target/)
  expect(await said({ data: { ...data, standardizeTarget: true }, model: net })).toEqual([])
})

it('has nothing to say of columns and targets on the scale of the starts', async () => {
  expect(await said({ data: { columns: { a, y }, target: 'y' }, model: net })).toEqual([])
  expect(await said({ data: { builtin: 'iris2' } })).toEqual([])
})
