// Commands beside `study` that are killed at random moments: nothing is half written, nothing stays, and what they read is as it was.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { ConvergenceResults } from '../../src/bench/convergence/convergence.js'
import { summaryText } from '../helpers/directories.js'
import { randomNumbers } from '../helpers/tables.js'
import { file, freshOut, manystart } from '../cli/helpers.js'

vi.setConfig({ testTimeout: 400_000 })

type Words = readonly (string | number)[]

/** What is in a directory, byte for byte. */
const found = (directory: string): Record<string, string> =>
  Object.fromEntries(
    (readdirSync(directory, { recursive: true }) as string[])
      .filter(name => statSync(join(directory, name)).isFile())
      .sort()
      .map(name => [
        name,
        createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex')
      ])
  )

const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'))

/** Studies that commands read, made once: two small ones, and one of which the runs take long to write. */
let made: Promise<Studies> | undefined
const studies = (): Promise<Studies> => (made ??= makeStudies())
type Studies = readonly [string, string, string]
async function makeStudies(): Promise<Studies> {
  const outs = [freshOut(), freshOut(), freshOut()] as const
  for (const [k, starts] of [500, 500, 20_000].entries()) {
    const flags = ['--data', 'iris2', '--standardize', '--hidden', 2, '--ridge', 0.01, '--starts', starts]
    const outcome = await manystart(['study', ...flags, '--seed', k, '--quiet', '--out', outs[k]])
    expect(outcome.code, outcome.stderr).toBe(0)
  }
  return outs
}

interface Command {
  /** Begins, or goes on with what is there. */
  readonly words: (out: string, studies: Studies) => Words
  /** What is the same, however often it was killed. */
  readonly result: (out: string) => unknown
}

const grid = file(
  'grid.yaml',
  `data: {iris2: {builtin: iris2, standardize: true}}
models: {logistic ridge: {loss: logistic, ridge: 0.05}, net: {hidden: [2], loss: logistic, ridge: 0.02}}
optimizers: {gd: {gd: {learningRate: 0.5}}, newton: newton}
engines: [cpu]
seeds: [1, 2]
starts: 100
`
)
const rows = file(
  'rows.csv',
  `Sepal.Length,Sepal.Width,Petal.Length,Petal.Width\n${Array.from({ length: 20_000 }, (_, i) => `${5 + (i % 7) / 10},3,4.5,1.5`).join('\n')}\n`
)
const variance = ['variance', '--data', 'iris2', '--hidden', 2, '--optimizer', 'adam', '--batch-size', 20]

const commands: Readonly<Record<string, Command>> = {
  variance: {
    words: out =>
      existsSync(join(out, 'variance.json'))
        ? ['variance', '--resume', out, '--quiet']
        : [...variance, '--steps', 300, '--starts', 20, '--orders', 10, '--quiet', '--out', out],
    result: out => {
      const { engine: _, ...rest } = json(out, 'summary.json') as Record<string, unknown>
      return JSON.stringify(rest, (key, value: unknown) => (key === 'seconds' ? null : value))
    }
  },
  contrast: {
    words: out => ['contrast', '--data', 'iris2', '--starts', 50, '--quiet', '--force', '--out', out],
    result: out => (json(out, 'contrast.json') as { models: string[] }).models.map(name => summaryText(join(out, name)))
  },
  'bench convergence': {
    words: out => ['bench', 'convergence', grid, '--quiet', '--out', out],
    result: out =>
      (json(out, 'convergence.json') as ConvergenceResults).cells.map(({ seconds: _, ...cell }) => JSON.stringify(cell))
  },
  compare: {
    words: (out, [a, b]) => ['compare', a, b, '--force', '--out', out],
    result: out => json(out, 'summary.json')
  },
  export: {
    words: (out, [, , large]) => ['export', large, '--format', 'csv', '--out', out],
    result: out => readFileSync(out, 'utf8')
  },
  predict: {
    words: (out, [a]) => ['predict', a, '--data', rows, '--quiet', '--out', out],
    result: out => readFileSync(out, 'utf8')
  }
}

it.each(Object.entries(commands))('%s', async (name, { words, result }) => {
  const read = await studies()
  const before = read.map(found)
  const folder = (): string => {
    const path = freshOut()
    mkdirSync(path)
    return path
  }
  const whole = join(folder(), 'out')
  const began = performance.now()
  const outcome = await manystart(words(whole, read))
  expect(outcome.code, outcome.stderr).toBe(0)
  const milliseconds = performance.now() - began

  const random = randomNumbers(2026 + name.length)
  const home = folder()
  const out = join(home, 'out')
  const isFile = statSync(whole).isFile()
  for (let k = 0; k < 3; k++) {
    const signal = (['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGINT'] as const)[Math.floor(4 * random())]
    const after = random() * milliseconds
    const killed = await manystart(words(out, read), {
      signalAll: random() < 0.5,
      onStart: running =>
        void setTimeout(() => {
          try {
            running.kill(signal)
          } catch {
            // Nothing is left to kill.
          }
        }, after)
    })
    expect([0, 130, null], killed.stderr).toContain(killed.code)
    expect(killed.stderr).not.toMatch(/\n\s+at |Unexpected/)
    expect(read.map(found)).toEqual(before)
    if (isFile && existsSync(out)) break
    const files = existsSync(out) ? (readdirSync(out, { recursive: true }) as string[]) : []
    for (const path of files.filter(path => /\.(json|html)$/.test(path))) {
      const text = readFileSync(join(out, path), 'utf8')
      if (path.endsWith('.json')) expect(() => JSON.parse(text) as unknown, path).not.toThrow()
      else expect(text.trimEnd(), path).toMatch(/<\/html>$/)
    }
  }
  if (!(isFile && existsSync(out))) {
    const last = await manystart(words(out, read))
    expect(last.code, last.stderr).toBe(0)
  }
  expect(result(out)).toEqual(result(whole))
  const there = readdirSync(home, { recursive: true }) as string[]
  expect(there.filter(path => /\.(lock|partial|part)$/.test(path))).toEqual([])
  expect(read.map(found)).toEqual(before)
})

it('a file that is killed while it is written is not there, or whole', async () => {
  const [, , study] = await studies()
  const whole = freshOut()
  expect((await manystart(['export', study, '--format', 'csv', '--out', whole])).code).toBe(0)
  for (let k = 0; k < 3; k++) {
    const out = freshOut()
    let watch: NodeJS.Timeout | undefined
    await manystart(['export', study, '--format', 'csv', '--out', out], {
      onStart: running => {
        watch = setInterval(() => existsSync(out) && running.kill('SIGKILL'), 1)
      }
    })
    clearInterval(watch)
    expect(readFileSync(out).equals(readFileSync(whole))).toBe(true)
  }
})
