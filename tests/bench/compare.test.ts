// `bench compare`: changes beyond noise, exit codes, and refusals.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blocksOfRecords, compareBlocks, shareFlag, type Comparison } from '../../src/bench/compare/compare.js'
import type { KernelRecord } from '../../src/bench/kernels/records.js'
import { expectRefusal, json, manystart, scratch } from '../cli/helpers.js'

/** Five blocks of four samples with a ripple of 1 %. */
const record = (seconds: number, given: Partial<KernelRecord> = {}): KernelRecord => ({
  engine: 'cpu',
  precision: 'f64',
  kernel: 'gradient',
  sizes: { N: 96, D: 4, hidden: [5], P: 31, R: 16 },
  perSecond: 16 / seconds,
  gflops: 1,
  peakGflops: 10,
  share: 0.1,
  name: '',
  threads: 1,
  seconds: Array.from({ length: 20 }, (_, i) => seconds * (1 + 0.01 * Math.sin(7 * i))),
  repeats: 1,
  rounds: 5,
  spread: { q25: 1, q75: 1, best: 1 },
  ...given
})
const compare = (a: KernelRecord[], b: KernelRecord[], failAbove: number | null): Comparison =>
  compareBlocks(blocksOfRecords(a), blocksOfRecords(b), { a: 'a', b: 'b' }, failAbove)

const resultFile = (name: string, records: readonly KernelRecord[]): string => {
  const path = join(scratch, name)
  writeFileSync(path, JSON.stringify({ format: 'manystart/bench', version: 1, records }))
  return path
}

describe('compareBlocks', () => {
  it('sees a change of 20 % and its direction', () => {
    const [change] = compare([record(1)], [record(1.2)], 0.05).changes
    expect(change?.verdict).toBe('slower')
    expect(change?.ratio).toBeCloseTo(1 / 1.2, 6)
    expect(change?.high).toBeLessThan(0.87)
    expect(compare([record(1.2)], [record(1)], 0.05).changes[0]?.verdict).toBe('faster')
  })

  it('sees no change between equal samples, nor within the allowance', () => {
    expect(compare([record(1)], [record(1)], 0).changes[0]?.verdict).toBe('no change seen')
    expect(compare([record(1)], [record(1)], 0).failed).toEqual([])
    expect(compare([record(1)], [record(1.2)], 0.25).failed).toEqual([])
    expect(compare([record(1)], [record(1.2)], 0.05).failed).toHaveLength(1)
    expect(compare([record(1)], [record(1.2)], null).failed).toEqual([])
  })

  it('blocks that differ from each other are noise, however many samples each has', () => {
    const drifting = (slow: number): KernelRecord =>
      record(1, { seconds: Array.from({ length: 20 }, (_, i) => (i < 4 * slow ? 1.5 : 1)) })
    expect(compare([drifting(2)], [drifting(3)], 0.05).failed).toEqual([])
  })

  it('a result that became wrong fails; one that was wrong before does not', () => {
    const bad = record(1, { error: 'The gradient differs.', seconds: [], repeats: 0, perSecond: 0 })
    expect(compare([record(1)], [bad], 0.05).failed).toHaveLength(1)
    expect(compare([bad], [record(1)], 0.05).failed).toEqual([])
    expect(compare([bad], [bad], 0.05).failed).toEqual([])
  })

  it('names what only one side has', () => {
    const c = compare([record(1)], [record(1, { kernel: 'hessian' })], 0.05)
    expect(c.changes).toEqual([])
    expect(c.onlyA).toHaveLength(1)
    expect(c.onlyB[0]).toMatch(/hessian/)
  })
})

it('--fail-above takes 5%, 5 % and 0.05 and nothing else', () => {
  expect(['5%', '5 %', '0.05'].map(shareFlag)).toEqual([0.05, 0.05, 0.05])
  for (const bad of ['5', '-1%', 'x', '100%']) expect(() => shareFlag(bad), bad).toThrow(/--fail-above/)
})

describe('exit codes', () => {
  it('3 when B is slower by more than --fail-above, else 0', async () => {
    const fast = resultFile('fast.json', [record(1)])
    const slow = resultFile('slow.json', [record(1.2)])
    const failing = await manystart(['bench', 'compare', fast, slow, '--fail-above', '5%'])
    expect(failing.code, failing.stderr).toBe(3)
    expect(failing.stdout).toMatch(/slower by more than 5.0 %/)
    expect((await manystart(['bench', 'compare', slow, fast, '--fail-above', '5%'])).code).toBe(0)
    expect((await manystart(['bench', 'compare', fast, slow, '--fail-above', '25%'])).code).toBe(0)
    expect((await manystart(['bench', 'compare', fast, slow])).code).toBe(0)
  })

  it('two commands are run in turn', async () => {
    const command = `"${process.execPath}" -e 0`
    const c = await json<Comparison>(['bench', 'compare', command, command, '--runs', 2, '--json'])
    expect(c.changes).toHaveLength(1)
    expect(c.changes[0]?.secondsA).toBeGreaterThan(0)
  })

  it('1 when a command fails, 2 for what cannot be compared', async () => {
    const fast = resultFile('fast2.json', [record(1)])
    expectRefusal(await manystart(['bench', 'compare', 'exit 7', 'exit 7']), 1, /`exit 7` ended with exit code 7/)
    expectRefusal(await manystart(['bench', 'compare', fast, 'exit 0']), 2, /is a result file and exit 0 a command/)
    expectRefusal(await manystart(['bench', 'compare', fast, 'none.json']), 2, /no result file none\.json/)
    expectRefusal(await manystart(['bench', 'compare', scratch, scratch]), 2, /holds no built program/)
    expectRefusal(await manystart(['bench', 'compare', fast]), 2, /needs .*what to set beside it/)
  })
})
