// `manystart predict` and `export` as a user calls them, and tables that come on standard input.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { randomNumbers } from '../helpers/tables.js'
import { file, scratch } from '../helpers/files.js'
import { manystart } from './helpers.js'

const random = randomNumbers(5)
const regions = ['north', 'south', 'west']
const rows = Array.from({ length: 50 }, (_, i) => {
  const age = Math.round(200 + 400 * random()) / 10
  return { age, region: regions[i % 3], sick: age + 20 * random() + 5 * (i % 3) > 55 ? 'yes' : 'no' }
})
const table = `age,region,sick\n${rows.map(r => `${r.age},${r.region},${r.sick}\n`).join('')}`
const out = join(scratch, 'fitted')

beforeAll(async () => {
  const args = ['study', '--data', '-', '--target', 'sick', '--hidden', 'none', '--ridge', 0.01, '--starts', 10]
  const run = await manystart([...args, '--out', out, '--quiet'], { input: table })
  expect(run.stderr).toBe('')
  expect(run.code).toBe(0)
})

it('predict writes a line for each row, from a file and from standard input alike', async () => {
  const csv = file('new.csv', table)
  const fromFile = await manystart(['predict', out, '--data', csv])
  expect(fromFile.code).toBe(0)
  const lines = fromFile.stdout.trim().split('\n')
  expect(lines[0].trim()).toBe('row,probability,class')
  expect(lines).toHaveLength(51)
  const piped = await manystart(['predict', out, '--data', '-'], { input: table })
  expect(piped.stdout).toBe(fromFile.stdout)
  const target = join(scratch, 'predictions.csv')
  const written = await manystart(['predict', out, '--data', csv, '--out', target, '--quiet'])
  expect([written.code, written.stdout]).toEqual([0, ''])
  expect(readFileSync(target, 'utf8')).toBe(fromFile.stdout)
  const again = await manystart(['predict', out, '--data', csv, '--out', target])
  expect(again.code).toBe(2)
  expect(again.stderr).toMatch(/exists; give another with --out/)
})

it.each([
  ['a level', 'age,region\n30,east\n', /region has the level "east" in row 1/],
  ['a column', 'years,region\n30,north\n', /no column "age"/],
  ['a cell', 'age,region\nold,north\n', /age is "old"/],
  ['a table', '', /empty|no rows|nothing/i]
])('predict refuses %s that it cannot use, in a sentence', async (_, input, says) => {
  const run = await manystart(['predict', out, '--data', '-'], { input })
  expect([run.code, run.stdout]).toEqual([2, ''])
  expect(run.stderr).toMatch(says)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
})

it('export writes the model, which says the same', async () => {
  const json = await manystart(['export', out, '--format', 'json'])
  expect(json.code).toBe(0)
  expect(JSON.parse(json.stdout)).toMatchObject({ format: 'manystart/model', target: 'sick', classes: ['no', 'yes'] })
  const r = await manystart(['export', out, '--format', 'r'])
  expect(r.stdout).toMatch(/^# Predicts the probability that sick is yes/)
  const python = await manystart(['export', out, '--format', 'python'])
  expect(python.stdout).toMatch(/^def predict\(data\):/m)
  const predicted = await manystart(['predict', out, '--data', '-', '--json'], { input: table })
  const { columns } = JSON.parse(predicted.stdout) as { columns: { probability: number[] } }
  if (spawnSync('python3', ['--version']).status === 0) {
    const data = JSON.stringify({ age: rows.map(row => row.age), region: rows.map(row => row.region) })
    const code = `${python.stdout}\nimport json\nprint(json.dumps(predict(json.loads('${data}'))))`
    const said = JSON.parse(spawnSync('python3', ['-c', code], { encoding: 'utf8' }).stdout) as number[]
    said.forEach((p, i) => expect(Math.abs(p - columns.probability[i])).toBeLessThan(1e-12))
  }
})

it('export refuses a format that there is not, and choices beside csv', async () => {
  const unknown = await manystart(['export', out, '--format', 'pyton'])
  expect([unknown.code, unknown.stdout]).toEqual([2, ''])
  expect(unknown.stderr).toMatch(/did you mean python/)
  expect((await manystart(['export', out, '--format', 'csv', '--start', 1])).code).toBe(2)
})
