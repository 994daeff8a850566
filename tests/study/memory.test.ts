// What does not fit is said before the work begins, in a sentence with the sizes, and nothing is written.
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { checkDisk } from '../../src/study/memory.js'
import type { Layout } from '../../src/runs/table.js'
import { study, type StudyOptions } from '../../src/study/study.js'
import type { StudyInput } from '../../src/study/input.js'
import { freshOut } from '../helpers/files.js'

const refusal = (input: StudyInput, options: StudyOptions = {}): Promise<string> =>
  study(input, options).then(
    () => 'it was not refused',
    (error: unknown) => (error instanceof InputError ? error.message : `not a sentence: ${String(error)}`)
  )

describe('is refused with its size', () => {
  it('a model whose Hessians would not fit', async () => {
    const said = await refusal({ data: { builtin: 'iris2' }, model: { hidden: [4096, 256] }, starts: { count: 2 } })
    expect(said).toMatch(/parameters.* takes about \S+\s[A-Z]iB .*fewer hidden units/)
  })

  it('a table that would not fit', async () => {
    const generate = { rows: 1e9, inputs: 100, overlap: 0.1 }
    expect(await refusal({ data: { generate } })).toMatch(/1.000.000.000 rows of 100 inputs.* take about \S+\sTiB/)
  })

  it('a study that its disk has no room for, and no directory is made', async () => {
    const out = freshOut()
    const said = await refusal({ data: { builtin: 'iris2' }, starts: { count: 2 ** 40 } }, { out })
    expect(said).toMatch(/Each start takes \d+ bytes on the disk, .* [A-Z]iB in .* left; give .*fewer starts/)
    expect(existsSync(out)).toBe(false)
  })
})

it('the sizes said grow with what is kept', () => {
  const layout: Layout = { parameters: ['a', 'b', 'c'], metrics: ['accuracy'], test: false, keep: 'end' }
  const bytes = (how: Layout): number => Number(/takes (\d+) bytes/.exec(checkDisk('.', how, 10))?.[1])
  expect(bytes({ ...layout, keep: 'all' })).toBe(bytes(layout) + 3 * 8)
  expect(bytes({ ...layout, metrics: ['accuracy', 'auc'] })).toBe(bytes(layout) + 8)
})
