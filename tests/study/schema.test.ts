// What is made of the schema of a study: files that are current, and a flag for every field.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { filesOfSchema } from '../../scripts/schema.js'
import { mergeFlags, studyFlags } from '../../src/cli/flags.js'
import { resolveConfig } from '../../src/study/config.js'
import type { DataInput, ModelInput, StartsInput, StopInput, StudyInput } from '../../src/study/input.js'
import { fields, type schema } from '../../src/study/schema.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const files = await filesOfSchema()

it.each(Object.keys(files))('%s is what `npm run schema` writes', file => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(files[file])
})

describe('every field', () => {
  const flags = Object.assign({}, ...Object.values(studyFlags)) as Record<string, unknown>
  it.each(fields.filter(f => f.flag !== undefined).map(f => [f.path, f.flag!] as const))('%s has --%s', (_, flag) => {
    expect(Object.keys(flags)).toContain(flag)
  })

  /** Values that flags which do not take any word are given. */
  const values: Readonly<Record<string, string>> = {
    data: 'x.csv',
    generate: 'rows:10,inputs:2',
    init: 'glorot',
    judge: 'best',
    parameters: '{a: {init: {uniform: [0, 1]}}}',
    symmetry: '[[[a], [b]]]',
    reference: 'column=level'
  }
  // One flag for all of them, told apart by its value.
  const sources = ['data.parquet', 'data.builtin']
  it.each(
    fields
      .filter(f => f.flag !== undefined && !sources.includes(f.path))
      .map(f => [f.path, f.flag!, f.isBoolean] as const)
  )('%s is set by --%s', (path, flag, isBoolean) => {
    const merged = mergeFlags({}, { [flag]: isBoolean ? true : (values[flag] ?? '2') })
    let at: unknown = merged
    for (const key of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[key]
    expect(at, `--${flag} in ${JSON.stringify(merged)}`).toBeDefined()
  })

  it('has a flag, or comes from a program', () => {
    const without = fields.filter(f => f.flag === undefined).map(f => f.path)
    expect(without).toEqual(['data.columns', 'data.rows', 'data.hash', 'starts.hash'])
  })
})

// The compiler checks these: what the type takes, the schema takes, and every field of the one is a field of the other.
type Given = z.input<typeof schema>
type Keys<T> = keyof NonNullable<T>
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const sameFields: readonly [
  Same<Keys<StudyInput>, Keys<Given>>,
  Same<Keys<DataInput>, Keys<Given['data']>>,
  Same<Keys<ModelInput>, Keys<Given['model']>>,
  Same<Keys<StartsInput>, Keys<Given['starts']>>,
  Same<Keys<StopInput>, Keys<Given['stop']>>
] = [true, true, true, true, true]

it('has the fields of the type StudyInput', () => {
  const input: StudyInput = {
    data: { columns: { x: Float64Array.of(1, 2, 3, 4), y: ['a', 'b', 'a', 'b'] }, target: 'y' },
    model: { hidden: [2], loss: { student: { df: 3, scale: 1 } } },
    optimizer: { adam: { learningRate: 0.1, batchSize: 2 } }
  }
  expect(sameFields).not.toContain(false)
  expect(resolveConfig(input, 'the study').optimizer?.options).toMatchObject({ learningRate: 0.1 })
})
