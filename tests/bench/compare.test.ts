// `bench compare`: changes beyond noise, exit codes, and refusals.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareMeasurements, shareFlag, type Comparison } from '../../src/bench/compare/compare.js'
import { ratioOf, type Blocks } from '../../src/bench/compare/ratio.js'
import { blocksOfResults, machineDifferences, type Results } from '../../src/bench/compare/sides.js'
import { comparisonText } from '../../src/bench/compare/text.js'
import { Stream, normalQuantile, uniform, words } from '../../src/core/rng.js'
import type { KernelRecord } from '../../src/bench/kernels/records.js'
import { expectRefusal, json, manystartHere as manystart, scratch } from '../cli/helpers.js'

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
const machine = {
  cpu: { name: 'P', cores: 2, clocksMegahertz: null },
  gpus: null,
  memoryBytes: 2 ** 30,
  system: 'linux',
  node: 'v20',
  versions: { manystart: '1' },
  commit: null,
  energy: { cpu: null, gpu: null },
  date: '2026-01-01T00:00:00.000Z'
}
const results = (records: readonly KernelRecord[], given: Partial<Results> = {}): Results => ({
  format: 'manystart/bench',
  version: 1,
  machine,
  records,
  missing: [],
  wallSeconds: 1,
  ...given
})
const compareAll = (sides: readonly (readonly KernelRecord[])[], failAbove: number | null): Comparison =>
  compareMeasurements(
    sides.map(records => blocksOfResults(results(records))),
    { names: sides.map((_, i) => String(i)), paired: false, failAbove }
  )
const compare = (a: KernelRecord[], b: KernelRecord[], failAbove: number | null): Comparison =>
  compareAll([a, b], failAbove)

const resultFile = (name: string, records: readonly KernelRecord[]): string => {
  const path = join(scratch, name)
  writeFileSync(path, JSON.stringify(results(records)))
  return path
}

/** log-normal times of blocks of one sample. */
const noisy = (count: number, seed: number, sd: number, middle = 1): Blocks =>
  Array.from(words(seed, Stream.generator, 0, 0, count), w => [middle * Math.exp(sd * normalQuantile(uniform(w)))])

describe('ratios', () => {
  it('of two samples by hand: Welch, and Student for pairs', () => {
    const log = (values: readonly number[]): Blocks => values.map(v => [Math.exp(v)])
    // Means 2 and 1, variances 1 and 4, three each: standard error √(1/3 + 4/3), df = (5/3)² / ((1/3)²/2 + (4/3)²/2) = 50/17.
    const welch = ratioOf(log([1, 2, 3]), log([-1, 1, 3]), false, 0.95)
    expect(welch.ratio).toBeCloseTo(Math.E, 12)
    // R: qt(0.975, 50/17) = 3.2187586
    expect(Math.log(welch.high) - 1).toBeCloseTo(3.2187586 * Math.sqrt(5 / 3), 5)
    expect(Math.log(welch.low) + Math.log(welch.high)).toBeCloseTo(2, 12)
    // Differences 2, 1, 0: mean 1, standard error √(1/3); qt(0.975, 2) = 4.3026527
    const paired = ratioOf(log([1, 2, 3]), log([-1, 1, 3]), true, 0.95)
    expect(Math.log(paired.high) - 1).toBeCloseTo(4.3026527 / Math.sqrt(3), 5)
  })

  it('hold the true ratio as often as they say, and of many equal rows together hardly any is called changed', () => {
    let missed = 0
    const trials = 400
    for (let k = 0; k < trials; k++) {
      const { low, high } = ratioOf(noisy(5, 2 * k + 1, 0.05, 1.1), noisy(5, 2 * k + 2, 0.05), false, 0.95)
      if (low > 1.1 || high < 1.1) missed++
    }
    // Binomial(400, 0.05) lies in 4 … 38 but for 1 in 10 000; Welch's interval is a little wider than it must be.
    expect(missed).toBeGreaterThanOrEqual(4)
    expect(missed).toBeLessThanOrEqual(38)
    const rows = (seed: number) =>
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`, noisy(5, seed + i, 0.05)]))
    let families = 0
    for (let k = 0; k < 20; k++) {
      const { changes } = compareMeasurements([rows(1000 + 200 * k), rows(1100 + 200 * k)], {
        names: ['a', 'b'],
        paired: false,
        failAbove: null
      })
      if (changes.some(c => c.verdict === 'faster' || c.verdict === 'slower')) families++
    }
    // Binomial(20, 0.05) exceeds 6 in fewer than 1 in 10 000.
    expect(families).toBeLessThanOrEqual(6)
  })

  it('one repeat tells nothing', () => {
    expect(ratioOf([[1]], [[2], [2]], false, 0.95)).toEqual({ ratio: 0.5, low: 0, high: Infinity })
  })
})

describe('compareMeasurements', () => {
  it('sees a change of 20 % and its direction', () => {
    const [change] = compare([record(1)], [record(1.2)], 0.05).changes
    expect(change?.verdict).toBe('slower')
    expect(change?.ratio).toBeCloseTo(1 / 1.2, 6)
    expect(change?.high).toBeLessThan(0.87)
    expect(compare([record(1.2)], [record(1)], 0.05).changes[0]?.verdict).toBe('faster')
  })

  it('sees no change between equal samples, nor within the allowance', () => {
    expect(compare([record(1)], [record(1)], 0).changes[0]?.verdict).toBe('same')
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
    expect(c.missing.map(m => [m.in, /hessian|gradient/.exec(m.name)?.[0]])).toEqual([
      [1, 'gradient'],
      [0, 'hessian']
    ])
  })

  it('sets several sides beside the first, with wider intervals the more rows there are', () => {
    const c = compareAll([[record(1)], [record(1.2)], [record(0.8)], [record(1)]], 0.05)
    expect(c.changes.map(x => [x.side, x.verdict])).toEqual([
      [1, 'slower'],
      [2, 'faster'],
      [3, 'same']
    ])
    expect(c.rows).toBe(3)
    const alone = compare([record(1)], [record(1.2)], 0.05).changes[0]
    expect(c.changes[0].high).toBeGreaterThan(alone.high)
    expect(c.failed).toEqual([expect.stringMatching(/^1: /)])
    const text = comparisonText(c, 80)
    expect(text).toMatch(/^B beside A: 1 slower\.$/m)
    expect(text).toMatch(/all 3 rows together\nwith 95 % confidence/)
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  })

  it('writes no ratio beyond a thousandfold, where repeats are too few for an interval', () => {
    const wild = record(1, { seconds: [1, 1e4, 1e-4, 1] })
    const c = compareAll([[record(1)], [wild], [record(1e-5)], [record(1e5)]], 0.05)
    const text = comparisonText(c, 80)
    expect(text).toMatch(/not clear .*\(below 0\.001× to over 1000×\)/)
    for (const [, number] of text.matchAll(/([\d.e+-]+)×/g)) {
      expect(Number(number)).toBeLessThanOrEqual(1000)
      expect(Number(number)).toBeGreaterThanOrEqual(0.001)
    }
  })

  it('of two machines, cards are compared whatever their threads and numbers of starts, and it is said what differs', () => {
    const card = (cores: number, rate: number): Results => {
      const study = record(1 / rate, {
        kernel: 'study',
        name: 's',
        threads: cores,
        sizes: { N: 96, D: 4, hidden: [5], P: 31, R: 1000 * cores }
      })
      const repeats = [rate, rate * 1.01, rate * 0.99]
      const score = {
        engine: 'cpu' as const,
        precision: 'f64' as const,
        threads: cores,
        value: rate,
        low: 0,
        high: 0,
        repeats
      }
      return results([study], {
        machine: { ...machine, cpu: { ...machine.cpu, cores } },
        card: { version: 1, definition: '', unit: '', scores: [score], quick: false }
      })
    }
    const both = [card(2, 10), card(16, 80)]
    const c = compareMeasurements(both.map(blocksOfResults), { names: ['a', 'b'], paired: false, failAbove: null })
    expect(c.changes.map(x => x.name)).toEqual(['score, version 1', 'cpu f64 runs, s'])
    expect(c.changes[0].ratio).toBeCloseTo(8, 10)
    expect(machineDifferences(['a', 'b'], both)).toEqual(['processor: a has P, 2 cores; b has P, 16 cores.'])
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
    expect(failing.stdout).toMatch(/Slower by more than 5.0 %/)
    expect((await manystart(['bench', 'compare', slow, fast, '--fail-above', '5%'])).code).toBe(0)
    expect((await manystart(['bench', 'compare', fast, slow, '--fail-above', '25%'])).code).toBe(0)
    expect((await manystart(['bench', 'compare', fast, slow])).code).toBe(0)
  })

  it('--tables csv gives a line for each measurement, with ratio and interval', async () => {
    const sides = [resultFile('a.json', [record(1)]), resultFile('b.json', [record(1.2)])]
    const { changes } = await json<Comparison>(['bench', 'compare', ...sides, '--json'])
    const { stdout } = await manystart(['bench', 'compare', ...sides, '--tables', 'csv'])
    const [title, head, ...lines] = stdout.trim().split('\r\n')
    expect(title).toMatch(/^# A: .*a\.json; B: .*b\.json$/)
    const row = lines.map(line => Object.fromEntries(head.split(',').map((name, k) => [name, line.split(',').at(k)])))
    expect(row.map(r => r['verdict'])).toEqual(changes.map(c => c.verdict))
    expect(row.map(r => Number(r['times as fast as A']))).toEqual(changes.map(c => Number(c.ratio.toPrecision(4))))
    expectRefusal(await manystart(['bench', 'compare', ...sides, '--tables', 'tex']), 2, /--tables is "tex"/)
  })

  it('two commands are run in turn', async () => {
    const command = `"${process.execPath}" -e 0`
    const c = await json<Comparison>(['bench', 'compare', command, command, '--runs', 2, '--json'])
    expect(c.changes).toHaveLength(1)
    expect(c.changes[0]?.seconds).toBeGreaterThan(0)
    expect(c.conditions.map(readings => readings.length)).toEqual([2, 2])
  })

  it('1 when a command fails, 2 for what cannot be compared', async () => {
    const fast = resultFile('fast2.json', [record(1)])
    expectRefusal(await manystart(['bench', 'compare', 'exit 7', 'exit 7']), 1, /`exit 7` ended with exit code 7/)
    expectRefusal(await manystart(['bench', 'compare', fast, 'exit 0']), 2, /is a result file and exit 0 a command/)
    expectRefusal(await manystart(['bench', 'compare', fast, 'none.json']), 2, /no result file none\.json/)
    expectRefusal(await manystart(['bench', 'compare', scratch, scratch]), 2, /holds no built program/)
    expectRefusal(await manystart(['bench', 'compare', fast]), 2, /needs two results at least/)
  })
})
