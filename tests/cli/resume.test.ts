// Killed anywhere and gone on with, a study ends with the parts and the summary of one that was not; a kill loses next to nothing.
import { appendFileSync, cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Stream, uniform, words } from '../../src/core/rng.js'
import type { Summary } from '../../src/core/result.js'
import { readList } from '../../src/runs/list.js'
import { partsIn, summaryText } from '../helpers/directories.js'
import { csv, expectRefusal, freshOut, manystart, manystartHere } from './helpers.js'

const net = ['--data', 'iris2', '--standardize', '--hidden', 3, '--ridge', 0.001, '--penalize-bias', '--quiet']
/** Enough for several parts, of which the first ones are small. */
const starts = 6000
const flags = [...net, '--seed', 5, '--starts', starts, '--threads', 1]

/** The study in one go, which the tests compare with and do not touch. */
let done: Promise<string> | undefined
const whole = (): Promise<string> => (done ??= runWhole())
async function runWhole(): Promise<string> {
  const out = freshOut()
  const outcome = await manystart(['study', ...flags, '--out', out])
  expect(outcome.code, outcome.stderr).toBe(0)
  return out
}

/** Runs a study and kills it after so many milliseconds of work. */
async function killed(
  args: readonly (string | number)[],
  out: string,
  milliseconds: number,
  signal: NodeJS.Signals,
  when = (): boolean => existsSync(join(out, 'study.json'))
): Promise<boolean> {
  let watch: NodeJS.Timeout | undefined
  const outcome = await manystart(args, {
    onStart: running => {
      watch = setInterval(() => {
        if (!when()) return
        clearInterval(watch)
        setTimeout(() => running.kill(signal), milliseconds)
      }, 2)
    }
  })
  clearInterval(watch)
  return outcome.code !== 0
}

// Several studies one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 400_000 })

describe('a study that is killed', () => {
  it('goes on to the same parts and the same summary, however often', async () => {
    const expected = await whole()
    const random = words(2026, Stream.split, 0, 0, 12)
    const out = freshOut()
    let kills = 0
    for (let k = 0; k < 6; k++) {
      const begin = ['study', ...flags, '--out', out]
      const args = existsSync(join(out, 'study.json')) ? ['study', '--resume', out, '--quiet', '--threads', 2] : begin
      const signal = (['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)[Math.floor(uniform(random[k]) * 3)]
      if (await killed(args, out, uniform(random[6 + k]) * 600, signal)) kills++
      // What is listed can be read at once.
      if (!existsSync(join(out, 'runs', 'parts.jsonl'))) continue
      const before = await readList(out)
      expect(before.parts.every(p => existsSync(join(out, 'runs', p.file)))).toBe(true)
    }
    expect(kills).toBeGreaterThan(1)
    // Those may all have come before the first part was there, where the machine is busy.
    const list = join(out, 'runs', 'parts.jsonl')
    const hasPart = (): boolean => existsSync(list) && readFileSync(list, 'utf8').includes('"part-')
    await killed(['study', '--resume', out, '--quiet', '--threads', 2], out, 0, 'SIGKILL', hasPart)
    const report = await manystart(['report', out])
    expect(report.code, report.stderr).toBe(0)
    const last = await manystart(['study', '--resume', out, '--quiet'])
    expect(last.code, last.stderr).toBe(0)
    expect(partsIn(out)).toEqual(partsIn(expected))
    expect(summaryText(out)).toBe(summaryText(expected))
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'study.json', 'summary.json'])
  })

  it('has runs of a part under way on the disk after a while, and computes only the missing ones', async () => {
    // So slow that the first part takes ten times as long as nothing is kept.
    const slow = ['--data', 'xor', '--engine', 'reference', '--hidden', 2, '--optimizer', 'gd', '--gradient', 1e-300]
    const args = ['study', ...slow, '--steps', 20_000, '--starts', 2000, '--quiet']
    const out = freshOut()
    const list = join(out, 'runs', 'parts.jsonl')
    const isKept = (): boolean => existsSync(list) && readFileSync(list, 'utf8').includes('open-0000000000000')
    await killed([...args, '--out', out], out, 100, 'SIGKILL', isKept)
    const { parts, open } = await readList(out)
    expect(parts).toEqual([])
    expect(open.length).toBe(1)
    expect(open[0].rows).toBeGreaterThan(0)
    const report = await manystart(['report', out])
    expect(report.code, report.stderr).toBe(0)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(summary.starts).toBe(open[0].rows)
    expect(summary.interrupted).toBe(true)
  })

  it('names damaged parts, sets them aside and computes them again', async () => {
    const expected = await whole()
    const out = freshOut()
    cpSync(expected, out, { recursive: true })
    const runs = join(out, 'runs')
    const [first, second] = readdirSync(runs).filter(name => name.startsWith('part-0'))
    appendFileSync(join(runs, first), 'x')
    rmSync(join(runs, second))
    const refused = await manystartHere(['report', out, '--loss-tolerance', 1e-7])
    expectRefusal(refused, 2, new RegExp(`${first} has \\d+ bytes .*--resume .* sets it aside`))
    const outcome = await manystartHere(['study', '--resume', out, '--quiet'])
    expect(outcome.code, outcome.stderr).toBe(0)
    for (const name of [first, second]) expect(outcome.stderr).toContain(name)
    expect(readdirSync(join(runs, 'aside')).length).toBe(1)
    expect(partsIn(out)).toEqual(partsIn(expected))
    expect(summaryText(out)).toBe(summaryText(expected))
  })
})

describe('more starts', () => {
  it('are added to those that are there, with the summary of a study that had them from the beginning', async () => {
    const expected = await whole()
    const out = freshOut()
    const few = ['study', ...net, '--seed', 5, '--starts', 700, '--out', out]
    expect((await manystartHere(few)).code).toBe(0)
    const outcome = await manystartHere(['study', '--resume', out, '--starts', starts, '--quiet'])
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(summaryText(out)).toBe(summaryText(expected))
    expectRefusal(
      await manystartHere(['study', '--resume', out, '--starts', 700]),
      2,
      /has 6000 starts and cannot go on with 700/
    )
  })
})

describe('going on is refused', () => {
  it('with other data, with another configuration by its first field, and where there is no study', async () => {
    const data = csv(
      'resumed.csv',
      ['x', 'y'],
      Array.from({ length: 12 }, (_, i) => [i, ((i * 7) % 5) + 0.5])
    )
    const out = freshOut()
    const args = ['--data', data, '--target', 'y', '--starts', 50, '--quiet']
    expect((await manystartHere(['study', ...args, '--out', out])).code).toBe(0)
    const other = await manystartHere(['study', ...args, '--ridge', 0.5, '--resume', out])
    expectRefusal(other, 2, /model\.ridge is 0 in .* and 0\.5 now/)
    expect((await manystartHere(['study', ...args, '--resume', out])).code).toBe(0)
    writeFileSync(data, readFileSync(data, 'utf8').replace('\n3,', '\n3.5,'))
    expectRefusal(await manystartHere(['study', '--resume', out]), 2, /The data .* have changed since/)
    expectRefusal(await manystartHere(['study', '--resume', freshOut()]), 2, /holds no study.json/)
    expectRefusal(
      await manystartHere(['study', '--resume', out, '--seed', 5]),
      2,
      /--seed has no place; leave it out, or describe the whole study/
    )
    const both = await manystartHere(['study', ...args, '--resume', out, '--out', freshOut()])
    expectRefusal(both, 2, /--resume names the directory/)
  })
})

describe('a study that ends by itself', () => {
  it('stops where enough has been seen, and so does one that was killed, at the same start', async () => {
    const open = [...net, '--seed', 5, '--starts', 1_000_000, '--unseen', 0.01, '--threads', 1]
    const out = freshOut()
    expect((await manystartHere(['study', ...open, '--out', out])).code).toBe(0)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(summary.interrupted).toBe(false)
    expect(Math.log2(summary.starts) % 1).toBe(0)
    expect(summary.starts).toBeLessThan(100_000)
    expect(summary.coverage.unseenUpperBound).toBeLessThanOrEqual(0.01)
    const other = freshOut()
    await killed(['study', ...open, '--out', other], other, 150, 'SIGKILL')
    expect((await manystartHere(['study', '--resume', other, '--quiet'])).code).toBe(0)
    expect(summaryText(other)).toBe(summaryText(out))
    expect(partsIn(other)).toEqual(partsIn(out))
    // Whoever wants more gets more.
    const more = 2 * summary.starts
    expect((await manystartHere(['study', '--resume', out, '--starts', more, '--quiet'])).code).toBe(0)
    expect((JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary).starts).toBe(more)
  })
})
