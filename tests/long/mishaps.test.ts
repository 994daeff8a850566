// What befalls a study from outside: full disks, directories that go away, two programs at once, signals. Nothing of the user's is lost.
import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { program } from '../../scripts/bootstrap.mjs'
import { Stream, uniform, words } from '../../src/core/rng.js'
import type { Summary } from '../../src/core/result.js'
import { readList } from '../../src/runs/list.js'
import { study } from '../../src/study/study.js'
import { partsIn, summaryText } from '../helpers/directories.js'
import { expectRefusal, file, freshOut, manystart, scratch, type Outcome, type RunningProcess } from '../cli/helpers.js'

vi.setConfig({ testTimeout: 240_000 })

/** The program in a shell: `line` with $M in place of its name. */
function shell(line: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', line.replace(/\$M/g, `'${process.execPath}' '${program}'`)], {
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** Temporary files and locks, anywhere in a directory. */
const leftovers = (directory: string): string[] =>
  (readdirSync(directory, { recursive: true }) as string[]).filter(name => /\.partial$|\.lock/.test(name))

const small = ['--data', 'iris2', '--starts', 20, '--quiet'] as const
const endless = [
  '--data',
  'iris2',
  '--standardize',
  '--hidden',
  3,
  '--ridge',
  0.01,
  '--starts',
  1e7,
  '--quiet'
] as const

/** Does something to a study that is under way, once its first part is listed. */
const whenRunning =
  (out: string, act: (running: RunningProcess) => void) =>
  (running: RunningProcess): void => {
    const list = join(out, 'runs', 'parts.jsonl')
    const watch = setInterval(() => {
      if (!existsSync(list) || !readFileSync(list, 'utf8').includes('"part-')) return
      clearInterval(watch)
      act(running)
    }, 5)
  }

describe('a disk that is full', () => {
  it('when summary or report is written loses no run, and `report` makes them again', async () => {
    const whole = freshOut()
    expect((await manystart(['study', ...small, '--out', whole])).code).toBe(0)
    // Clearly below, since the digits of times differ.
    const below = (name: string): number => Math.floor((0.95 * statSync(join(whole, name)).size) / 1024)
    const out = freshOut()
    const study = await shell(`ulimit -f ${below('summary.json')}; exec $M study ${small.join(' ')} --out ${out}`)
    expectRefusal(study, 1, /The 20 runs are saved in .* \(\S+summary.json cannot be written: .*\); `manystart report/)
    expect(leftovers(out)).toEqual([])
    expect((await manystart(['report', out])).code).toBe(0)
    expect(partsIn(out)).toEqual(partsIn(whole))
    expect(summaryText(out)).toBe(summaryText(whole))

    const page = readFileSync(join(out, 'report.html'), 'utf8')
    const report = await shell(`ulimit -f ${below('report.html')}; exec $M report ${out}`)
    expectRefusal(report, 1, /report.html cannot be written: a file may not be so large here; free some space/)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toBe(page)
    expect(leftovers(out)).toEqual([])
  })

  it('when a part is written says so, and what was listed before is there', async () => {
    const whole = freshOut()
    const flags = ['--data', 'iris2', '--starts', 700, '--quiet']
    expect((await manystart(['study', ...flags, '--out', whole])).code).toBe(0)
    const { parts } = await readList(whole)
    const [first, , last] = parts
    const out = freshOut()
    const kilobytes = Math.ceil(first.bytes / 1024)
    expect(last.bytes).toBeLessThan(parts[1].bytes + first.bytes)
    const outcome = await shell(`ulimit -f ${kilobytes - 2}; exec $M study ${flags.join(' ')} --out ${out}`)
    expectRefusal(outcome, 1, /part-.* cannot be written: a file may not be so large here; free some space/)
    expect((await manystart(['study', '--resume', out, '--quiet'])).code).toBe(0)
    expect(partsIn(out)).toEqual(partsIn(whole))
  })

  it('when shards are merged leaves the study that they would replace', async () => {
    const out = freshOut()
    const shards = [freshOut(), freshOut()]
    const flags = ['--data', 'iris2', '--starts', 3000, '--quiet']
    for (const [n, shard] of shards.entries())
      expect((await manystart(['study', ...flags, '--shard', `${n + 1}/2`, '--out', shard])).code).toBe(0)
    expect((await manystart(['study', ...small, '--out', out])).code).toBe(0)
    const before = [partsIn(out), summaryText(out)]
    const merging = `exec $M merge ${out} ${shards.join(' ')} --force`
    // The last part of a shard is larger than the first.
    const { parts } = await readList(shards[1])
    const kilobytes = Math.floor((0.95 * parts.at(-1)!.bytes) / 1024)
    const outcome = await shell(`ulimit -f ${kilobytes}; ${merging}`)
    expectRefusal(outcome, 1, /part-.* cannot be written: a file may not be so large here; free some space/)
    expect([partsIn(out), summaryText(out)]).toEqual(before)
    expect(leftovers(out)).toEqual([])
    expect((await shell(merging)).code).toBe(0)
    const whole = freshOut()
    expect((await manystart(['study', ...flags, '--out', whole])).code).toBe(0)
    expect(summaryText(out)).toBe(summaryText(whole))
  })

  it('when the result is printed is said, and the study is there', async () => {
    const out = freshOut()
    const outcome = await shell(`exec $M study ${small.join(' ')} --out ${out} >/dev/full`)
    expectRefusal(outcome, 1, /^The output cannot be written \(ENOSPC\); free some space\.$/m)
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'study.json', 'summary.json'])
    for (const line of [`export ${out} --format csv`, 'engines', 'study --help'])
      expectRefusal(await shell(`exec $M ${line} >/dev/full`), 1, /^The output cannot be written \(ENOSPC\)/)
  })
})

it.runIf(process.platform === 'linux')(
  'memory that runs out while a study runs is said, and loses no run',
  async () => {
    const flags = [...endless.slice(0, -2), 8000, '--quiet', '--threads', 4]
    const whole = freshOut()
    expect((await manystart(['study', ...flags, '--out', whole])).code).toBe(0)
    for (const word of words(4, Stream.split, 0, 0, 9)) {
      const out = freshOut()
      const megabytes = Math.floor(uniform(word) * 40)
      const outcome = await manystart(['study', ...flags, '--out', out], {
        onStart: whenRunning(out, ({ pid }) => {
          const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0])
          execFileSync('prlimit', ['--pid', String(pid), `--as=${4096 * pages + megabytes * 2 ** 20}`])
        })
      })
      // Where Node itself finds none it ends at once.
      if (outcome.code !== 0 && outcome.signal === null)
        expect(outcome.stderr).toMatch(/There is not enough memory.* saved in .*(--resume|report)|cannot be written/)
      expect(outcome.stderr).not.toMatch(/terminate called|bad_alloc|Unexpected/)
      const again = await manystart(['study', '--resume', out, '--quiet'])
      expect(again.code, again.stderr).toBe(0)
      expect(partsIn(out)).toEqual(partsIn(whole))
      expect(summaryText(out)).toBe(summaryText(whole))
    }
  }
)

it('a log that cannot be written loses no run', async () => {
  const [whole, out] = [freshOut(), freshOut()]
  const loud = small.filter(word => word !== '--quiet')
  for (const line of [`study ${small.join(' ')} --out ${whole}`, `study ${loud.join(' ')} --out ${out} 2>/dev/full`])
    expect((await shell(`exec $M ${line}`)).code).toBe(0)
  expect(partsIn(out)).toEqual(partsIn(whole))
  expect(summaryText(out)).toBe(summaryText(whole))
})

describe('a contrast', () => {
  const few = ['contrast', '--data', 'iris2', '--starts', 20, '--quiet'] as const

  it('killed before a study of it has runs is shown without that study', async () => {
    const out = freshOut()
    expect((await manystart([...few, '--out', out])).code).toBe(0)
    for (const name of ['report.html', 'summary.json']) rmSync(join(out, name))
    const runs = join(out, 'brier', 'runs')
    const list = readFileSync(join(runs, 'parts.jsonl'), 'utf8')
    for (const name of readdirSync(runs)) rmSync(join(runs, name))
    writeFileSync(join(runs, 'parts.jsonl'), `${list.split('\n')[0]}\n`)
    const report = await manystart(['report', out])
    expect(report.code, report.stderr).toBe(0)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).not.toContain('brier')
  })

  it('that two processes want with --force is that of the first', async () => {
    const out = freshOut()
    expect((await manystart([...few, '--out', out])).code).toBe(0)
    let second: Promise<Outcome> | undefined
    const first = await manystart(['contrast', '--data', 'iris2', '--starts', 1e6, '--force', '--out', out], {
      onStart: running => {
        running.onStderr(text => {
          if (second !== undefined || !/^[^\n]*: \d/m.test(text)) return
          second = manystart([...few, '--force', '--out', out])
          void second.finally(() => running.kill('SIGINT'))
        })
      }
    })
    expectRefusal(await second!, 2, /is being written by process \d+ on .*; wait until it has ended/)
    expect(first.code, first.stderr).toBe(130)
    expect(leftovers(out)).toEqual([])
    const { starts } = JSON.parse(readFileSync(join(out, 'convex', 'summary.json'), 'utf8')) as Summary
    expect(starts).not.toBe(20)
  })
})

describe('a directory', () => {
  it.each(['removed', 'replaced by another', 'replaced by a file', 'without its runs'])(
    'that is %s while a study runs stops it in a sentence, and nothing is written elsewhere',
    async how => {
      const out = freshOut()
      const moved = freshOut()
      const outcome = await manystart(['study', ...endless, '--out', out], {
        onStart: whenRunning(out, () => {
          if (how === 'removed') rmSync(out, { recursive: true })
          else renameSync(how === 'without its runs' ? join(out, 'runs') : out, moved)
          if (how === 'replaced by another') mkdirSync(out)
          if (how === 'replaced by a file') writeFileSync(out, 'mine')
        })
      })
      expectRefusal(outcome, 1, /was removed, or taken over by another process|cannot be written/)
      if (how === 'replaced by another') expect(readdirSync(out)).toEqual([])
      else if (how === 'replaced by a file') expect(readFileSync(out, 'utf8')).toBe('mine')
      else if (how !== 'without its runs') expect(existsSync(out)).toBe(false)
      if (!how.startsWith('re') || how === 'removed') return
      const report = await manystart(['report', moved])
      expect(report.code, report.stderr).toBe(0)
    }
  )

  it('that two processes want with --force is that of the first', async () => {
    const out = freshOut()
    expect((await manystart(['study', ...small, '--out', out])).code).toBe(0)
    let second: Promise<Outcome> | undefined
    const first = await manystart(['study', ...endless, '--force', '--out', out], {
      onStart: whenRunning(out, running => {
        // The part that is seen may be that of the study before.
        setTimeout(() => {
          second = manystart(['study', ...small, '--seed', 2, '--force', '--out', out])
          void second.finally(() => running.kill('SIGINT'))
        }, 3000)
      })
    })
    expectRefusal(await second!, 2, /is being written by process \d+ on .*; wait until it has ended/)
    expect(first.code, first.stderr).toBe(130)
    const { identity } = await readList(out)
    const read = (name: string): { identity: string } => JSON.parse(readFileSync(join(out, name), 'utf8')) as Summary
    expect([read('study.json').identity, read('summary.json').identity]).toEqual([identity, identity])
  })

  it('with links under the names of temporary files leads nowhere else', async () => {
    const out = freshOut()
    const victim = file('victim.txt', 'mine')
    mkdirSync(join(out, 'runs'), { recursive: true })
    const names = [
      'summary.json',
      'report.html',
      'study.json',
      'runs/parts.jsonl',
      'runs/part-0000000000000-20.parquet'
    ]
    for (const name of names) symlinkSync(victim, join(out, name.replace(/([^/]+)$/, '.$1.partial')))
    const outcome = await manystart(['study', ...small, '--out', out])
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect((await manystart(['report', out, '--loss-tolerance', 1e-9])).code).toBe(0)
    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect(leftovers(out)).toEqual([])
  })

  it('named in bytes that are not UTF-8 is refused, and none is made', async () => {
    const parent = freshOut()
    mkdirSync(parent)
    const outcome = await shell(`exec $M study ${small.join(' ')} --out ${parent}/$'caf\\xe9'`)
    expectRefusal(outcome, 2, /holds bytes that are not UTF-8/)
    expect(readdirSync(parent)).toEqual([])
  })

  it('to work in, named in bytes that are not UTF-8, is refused, and none is made beside it', async () => {
    const parent = freshOut()
    mkdirSync(parent)
    const line = `cd ${parent} && mkdir $'caf\\xe9' && cd $'caf\\xe9' && exec $M study ${small.join(' ')} --out out`
    expectRefusal(await shell(line), 2, /working directory ".*" holds bytes that are not UTF-8/)
    expect(readdirSync(parent, { encoding: 'latin1' })).toEqual(['caf\xe9'])
    // A name that is UTF-8 may hold the sign that stands for what is not.
    const folder = join(parent, 'caf\ufffd')
    mkdirSync(folder)
    const outcome = await manystart(['study', ...small, '--out', 'out'], { cwd: folder })
    expect(outcome.code, outcome.stderr).toBe(0)
  })
})

it('a signal to `report` leaves a whole page and no temporary files', async () => {
  const out = freshOut()
  expect((await manystart(['study', ...small, '--out', out])).code).toBe(0)
  const random = words(12, Stream.split, 0, 0, 3)
  const began = performance.now()
  expect((await manystart(['report', out, '--loss-tolerance', 1e-9])).code).toBe(0)
  const milliseconds = performance.now() - began
  for (const [k, word] of random.entries()) {
    const signal = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)[k % 3]
    const outcome = await manystart(['report', out, '--loss-tolerance', 1e-9], {
      onStart: running => setTimeout(() => running.kill(signal), uniform(word) * milliseconds)
    })
    // Before it listens, a signal ends it as any program.
    expect([0, 130, null]).toContain(outcome.code)
    expect(outcome.stderr).not.toMatch(/\n\s+at |Unexpected/)
    if (outcome.code !== null) expect(leftovers(out)).toEqual([])
    expect(readFileSync(join(out, 'report.html'), 'utf8').trimEnd()).toMatch(/<\/html>$/)
  }
  expect((await manystart(['study', '--resume', out, '--quiet'])).code).toBe(0)
  expect(leftovers(out)).toEqual([])
})

describe('after the last run', () => {
  const config = {
    model: {
      objective: '20 + a^2 + b^2 - 10 * (cos(6.283185307179586 * a) + cos(6.283185307179586 * b))',
      parameters: { a: { init: { uniform: [-9, 9] } }, b: { init: { uniform: [-9, 9] } } }
    },
    starts: { count: 600 }
  } as const

  it('says what it does, and a stop is heard: the summary has all points, without the details of those to come', async () => {
    const told: string[] = []
    const whole = await study(config, { onStage: doing => told.push(doing) })
    expect(whole.minima.length).toBeGreaterThan(100)
    expect(told.filter(doing => /^describing minimum \d+ of \d+$/.test(doing)).length).toBeGreaterThan(3)

    const out = freshOut()
    const abort = new AbortController()
    const after: string[] = []
    const summary = await study(config, {
      out,
      signal: abort.signal,
      onStage: doing => {
        if (abort.signal.aborted) after.push(doing)
        if (doing.startsWith('describing')) abort.abort()
      }
    })
    expect(after.filter(doing => doing.startsWith('describing'))).toEqual([])
    expect(summary.interrupted).toBe(false)
    expect(summary.minima.map(m => [m.loss, m.count])).toEqual(whole.minima.map(m => [m.loss, m.count]))
    expect(summary.minima.filter(m => m.eigenvalues.length > 0).length).toBeLessThan(whole.minima.length)
    const again = await manystart(['report', out])
    expect(again.code, again.stderr).toBe(0)
  })

  it('a stop before gives details of the 32 best points alone, at once, and the next report those of all', async () => {
    const out = freshOut()
    const abort = new AbortController()
    const summary = await study(config, {
      out,
      signal: abort.signal,
      onStage: doing => {
        if (doing.startsWith('the runs have ended')) abort.abort()
      }
    })
    expect(summary.interrupted).toBe(false)
    const described = summary.minima.map(m => m.eigenvalues.length > 0)
    expect(described).toEqual(described.map((_, i) => i < 32))
    const again = await manystart(['report', out])
    expect(again.code, again.stderr).toBe(0)
    const { minima } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    expect(minima.length).toBe(summary.minima.length)
    expect(minima.every(m => m.eigenvalues.length > 0)).toBe(true)
  })

  it('what fails then, such as a text longer than a program can hold, loses no run', async () => {
    const out = freshOut()
    const finish = (): never => {
      throw new RangeError('Invalid string length')
    }
    await expect(study({ ...config, starts: { count: 50 } }, { out, finish })).rejects.toThrow(
      /The 50 runs are saved in .* could not be made \(it is longer than a text may be here/
    )
    const again = await manystart(['report', out])
    expect(again.code, again.stderr).toBe(0)
  })
})
