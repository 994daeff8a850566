// Shards of a study, wherever they were run, merge into what one run gives; what does not fit is named.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { shardFrom } from '../../src/cli/shard.js'
import { shardRange } from '../../src/study/record.js'
import { partsIn, summaryText } from '../helpers/directories.js'
import { randomNumbers } from '../helpers/tables.js'
import { expectRefusal, freshOut, manystartHere as manystart } from './helpers.js'

const flags = [
  '--data',
  'iris2',
  '--standardize',
  '--hidden',
  2,
  '--ridge',
  0.001,
  '--penalize-bias',
  '--starts',
  1100,
  '--quiet'
]

async function run(args: readonly (string | number)[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const outcome = await manystart(args, { env })
  expect(outcome.code, outcome.stderr).toBe(0)
}

async function shards(of: number, order: readonly number[]): Promise<string[]> {
  const outs = order.map(() => freshOut())
  for (const [k, index] of order.entries())
    await run(['study', ...flags, '--out', outs[k], '--shard', `${index}/${of}`])
  return outs
}

describe('shards', () => {
  it('in any order merge into the summary of one run, byte for byte', async () => {
    const whole = freshOut()
    await run(['study', ...flags, '--out', whole])
    const outs = await shards(3, [3, 1, 2])
    const merged = freshOut()
    await run(['merge', merged, ...outs])
    expect(summaryText(merged)).toBe(summaryText(whole))
    // The whole is a study like any other.
    await run(['study', '--resume', merged, '--starts', 1200, '--quiet'])
    const more = freshOut()
    await run(['study', ...flags.map(v => (v === 1100 ? 1200 : v)), '--out', more])
    expect(summaryText(merged)).toBe(summaryText(more))
  })

  it('that are started again with the same words go on, as tasks that a cluster requeues', async () => {
    const out = freshOut()
    const words = ['study', ...flags, '--resume', out, '--shard', '1/2']
    await run(words)
    const first = summaryText(out)
    await run(words)
    expect(summaryText(out)).toBe(first)
    const more = words.map(v => (v === 1100 ? 1200 : v))
    expectRefusal(await manystart(more), 2, /is shard 1 of 2; merge the shards, then add starts/)
  })

  it('that are missing, doubled, incomplete, damaged or of another study are named', async () => {
    const [first, second] = await shards(2, [1, 2])
    const out = freshOut()
    expectRefusal(await manystart(['merge', out, first]), 2, /Shard 2 of 2 is missing/)
    expectRefusal(await manystart(['merge', out, first, second, first]), 2, /are both shard 1\/2/)
    expectRefusal(await manystart(['merge', first, first, second]), 2, /is one of the shards/)
    const link = freshOut()
    symlinkSync(first, link)
    const before = partsIn(first)
    expectRefusal(await manystart(['merge', link, first, second, '--force']), 2, /is one of the shards/)
    expectRefusal(await manystart(['merge', first, link, second, '--force']), 2, /is one of the shards/)
    expectRefusal(await manystart(['merge', out, first, link, second]), 2, /are both shard 1\/2/)
    expect(partsIn(first)).toEqual(before)
    const foreign = freshOut()
    await run(['study', ...flags, '--seed', 9, '--out', foreign, '--shard', '2/2'])
    expectRefusal(await manystart(['merge', out, first, foreign]), 2, /of another study/)
    const plain = freshOut()
    await run(['study', ...flags, '--out', plain])
    expectRefusal(await manystart(['merge', out, first, plain]), 2, /is a whole study and no shard/)
    const [cut, bent] = [freshOut(), freshOut()]
    for (const copy of [cut, bent]) cpSync(second, copy, { recursive: true })
    const part = join('runs', 'part-0000000000550-474.parquet')
    appendFileSync(join(bent, part), 'x')
    expectRefusal(await manystart(['merge', out, first, bent]), 2, /part-0000000000550-474.parquet has/)
    rmSync(join(cut, part))
    await run(['merge', '--force', out, first, second])
  })
})

describe('a merge that fails leaves', () => {
  const few = ['study', '--data', 'iris2', '--starts', 600, '--quiet', '--out'] as const
  /** What is in a directory, byte for byte; undefined where it is not there. */
  const found = (path: string): Record<string, string> | undefined =>
    existsSync(path)
      ? Object.fromEntries(
          (readdirSync(path, { recursive: true }) as string[])
            .sort()
            .map(name => [name, statSync(join(path, name)).isFile() ? readFileSync(join(path, name), 'base64') : ''])
        )
      : undefined

  it('what it was to write as it was found, whichever shard is damaged and however', async () => {
    const outs = [1, 2].map(() => freshOut())
    for (const [k, out] of outs.entries()) await run([...few, out, '--shard', `${k + 1}/2`])
    const earlier = freshOut()
    await run([...few.map(v => (v === 600 ? 20 : v)), earlier])
    const random = randomNumbers(5)
    const below = (n: number): number => Math.floor(random() * n)
    for (let n = 0; n < 16; n++) {
      const bad = freshOut()
      const which = below(2)
      cpSync(outs[which], bad, { recursive: true })
      const parts = readdirSync(join(bad, 'runs')).filter(name => name.startsWith('part-'))
      const path = join(bad, 'runs', parts[below(parts.length)])
      const bytes = readFileSync(path)
      const at = below(bytes.length)
      if (n % 4 === 0) rmSync(path)
      else if (n % 4 === 1) writeFileSync(path, bytes.subarray(0, at))
      else {
        bytes[at] ^= 1 << below(8)
        writeFileSync(path, bytes)
      }
      const shards = which === 0 ? [bad, outs[1]] : [outs[0], bad]
      const kinds = [freshOut(), join(freshOut(), 'below'), freshOut()]
      mkdirSync(kinds[2])
      for (const out of kinds) {
        const before = found(out)
        expectRefusal(await manystart(['merge', out, ...shards]), 2, /part-.*study --resume/)
        expect(found(out), `damage ${n}`).toEqual(before)
      }
      const before = found(earlier)
      expectRefusal(await manystart(['merge', earlier, ...shards, '--force']), 2, /part-.*study --resume/)
      expect(found(earlier)).toEqual(before)
      if (n === 15) await run(['merge', kinds[0], ...outs])
    }
  })
})

describe('the number of a shard', () => {
  it('is at most that of the starts', async () => {
    const few = ['study', '--data', 'iris2', '--starts', 3, '--quiet', '--out']
    const out = freshOut()
    for (const index of [1, 2, 4])
      expectRefusal(await manystart([...few, out, '--shard', `${index}/4`]), 2, /3 starts cannot be shared among 4/)
    const outs = [1, 2, 3].map(() => freshOut())
    for (const [k, at] of outs.entries()) await run([...few, at, '--shard', `${k + 1}/3`])
    await run(['merge', out, ...outs])
  })

  const cases: readonly [string, Readonly<Record<string, string>>, number, number][] = [
    ['3/64', {}, 3, 64],
    [
      '',
      { SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '2' },
      4,
      4
    ],
    ['', { SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '10', SLURM_ARRAY_TASK_MIN: '0' }, 1, 10],
    ['/5', { PBS_ARRAY_INDEX: '5' }, 5, 5],
    ['', { SGE_TASK_ID: '20', SGE_TASK_FIRST: '10', SGE_TASK_LAST: '30', SGE_TASK_STEPSIZE: '10' }, 2, 3],
    ['/3', { JOB_COMPLETION_INDEX: '0' }, 1, 3],
    ['/8', { PARALLEL_SEQ: '8' }, 8, 8],
    // A number that is given counts more than one that is found; a task of SGE outside an array has the number "undefined".
    ['2/8', { SLURM_ARRAY_TASK_ID: '5' }, 2, 8],
    ['/8', { SGE_TASK_ID: 'undefined', PARALLEL_SEQ: '3' }, 3, 8]
  ]
  it.each(cases)('%j with %j is %i of %i', (value, env, index, of) =>
    expect(shardFrom(value, env)).toEqual({ index, of })
  )

  it.each([
    ['0/3', {}, /is shard 0 of 3; shards are numbered from 1 to 3/],
    ['4/3', {}, /is shard 4 of 3/],
    ['3', {}, /such as 3\/64/],
    ['a/b', {}, /such as 3\/64/],
    ['', {}, /no scheduler gives one/],
    ['', { PBS_ARRAY_INDEX: '3' }, /PBS_ARRAY_INDEX=3 does not say how many/],
    ['/3', { PBS_ARRAY_INDEX: '0' }, /is shard 0 of 3/],
    ['/9', { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '8' }, /disagree: the scheduler has 8/],
    ['99999999999999999999/99999999999999999999', {}, /is shard/]
  ] as const)('%j with %j is refused', (value, env, sentence) => {
    expect(() => shardFrom(value, env)).toThrow(InputError)
    expect(() => shardFrom(value, env)).toThrow(sentence)
  })

  it('shares the starts out without loss, nearly evenly, for any number of them', () => {
    for (const count of [1, 7, 1000, 2 ** 40 - 1])
      for (const of of [1, 2, 3, 64].filter(n => n <= count)) {
        let next = 0
        for (let index = 1; index <= of; index++) {
          const range = shardRange(count, { index, of })
          expect(range.first).toBe(next)
          expect(Math.abs(range.count - count / of)).toBeLessThan(1)
          next += range.count
        }
        expect(next).toBe(count)
      }
  })

  it('comes from the array variable of the scheduler in the program, too', async () => {
    const out = freshOut()
    await run(['study', ...flags, '--out', out, '--shard'], {
      SLURM_ARRAY_TASK_ID: '2',
      SLURM_ARRAY_TASK_COUNT: '2',
      SLURM_ARRAY_TASK_MIN: '1'
    })
    expectRefusal(
      await manystart(['study', '--resume', out, ...flags, '--shard', '1/2']),
      2,
      /holds shard 2\/2 and not shard 1\/2/
    )
    expectRefusal(await manystart(['study', ...flags, '--shard', '1/2']), 2, /give --out DIR/)
  })
})

it.each([
  [['--unseen', 0.01], /stop.unseen ends a study by all of its runs, which a shard does not see/],
  [['--judge', 'best:0.2'], /judge: best takes the best runs of each part, and shards end within parts/]
] as const)('what depends on all runs is refused: %j', async (more, says) => {
  const out = freshOut()
  expectRefusal(await manystart(['study', ...flags, ...more, '--shard', '1/2', '--out', out]), 2, says)
  expectRefusal(await manystart(['slurm', ...flags.slice(0, -1), ...more, '--tasks', 2, '--out', out]), 2, says)
  expect(existsSync(out)).toBe(false)
})
