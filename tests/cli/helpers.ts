// Runs the command-line program and keeps its exit code, stdout and stderr apart: in this process, which saves a start, or, where a test is
// about the process itself, the built program as a user starts it.
import { spawn } from 'node:child_process'
import { expect, vi } from 'vitest'
import { program, root } from '../../scripts/bootstrap.mjs'
import { exitCodeOf } from '../../src/cli/program.js'
import { scratch } from '../helpers/files.js'

// The program's own start, compilation caches apart, takes a good second on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

export interface Outcome {
  /** Exit code; null when a signal ended the program. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What is asked of a process of its own. */
export interface RunOptions {
  /** Working directory; the folder of `scratch` by default, so that default outputs stay out of the repository. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Signals go to all processes of the program, as from a terminal. */
  readonly signalAll?: boolean
  /** What comes on stdin; nothing when not given. */
  readonly input?: string | Uint8Array
  /** Nobody reads stdout: it is closed at once. */
  readonly deaf?: boolean
  /** Called with the running process, to send it signals. */
  readonly onStart?: (process: RunningProcess) => void
}

/** The part of a child process that tests use. */
export interface RunningProcess {
  readonly pid: number
  kill(signal: NodeJS.Signals): boolean
  onStderr(listener: (text: string) => void): void
}

/** Start `manystart args…`; never throws for a failing program. */
export function manystart(args: readonly (string | number)[], options: RunOptions = {}): Promise<Outcome> {
  return node([program, ...args.map(String)], options)
}

/** One run at a time: what they print goes through the same streams. */
let before: Promise<unknown> = Promise.resolve()

/**
 * Run `manystart args…` in this process, in the folder of `scratch`; never throws for a failing program. Nothing comes on stdin.
 * @param options `env`: set while it runs
 */
export function manystartHere(
  args: readonly (string | number)[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {}
): Promise<Outcome> {
  const outcome = before.then(() => runHere(args.map(String), { NO_COLOR: '1', ...env }))
  before = outcome.catch(() => undefined)
  return outcome
}

async function runHere(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map(name =>
    vi.spyOn(process[name], 'write').mockImplementation(text => {
      printed[name] += typeof text === 'string' ? text : Buffer.from(text).toString()
      return true
    })
  )
  const folder = process.cwd()
  const environment = Object.keys(env).map(name => [name, process.env[name]] as const)
  const exitCode = process.exitCode
  process.chdir(scratch)
  Object.assign(process.env, env)
  process.exitCode = undefined
  try {
    const failed = await exitCodeOf(words)
    return { code: failed ?? Number(process.exitCode ?? 0), signal: null, ...printed }
  } finally {
    process.exitCode = exitCode
    for (const [name, value] of environment)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    process.chdir(folder)
    for (const spy of spies) spy.mockRestore()
  }
}

/** Run `node args…`. */
export function node(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd ?? scratch,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: options.signalAll === true
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    if (options.deaf === true) child.stdout.destroy()
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    options.onStart?.({
      pid: child.pid ?? NaN,
      kill: signal => (options.signalAll === true ? process.kill(-child.pid!, signal) : child.kill(signal)),
      onStderr: listener => void child.stderr.on('data', listener)
    })
  })
}

/** Expect success and return what was printed on stdout as JSON. */
export async function json<T>(args: readonly (string | number)[]): Promise<T> {
  const outcome = await manystart(args)
  expect(outcome.stderr, 'stderr').not.toMatch(/^Error|\n\s+at /)
  expect(outcome.code, outcome.stderr).toBe(0)
  return JSON.parse(outcome.stdout) as T
}

/** Expect a refusal: the exit code, nothing on stdout, and one short sentence on stderr without a stack trace. */
export function expectRefusal(outcome: Outcome, code: 1 | 2, sentence: RegExp): void {
  expect(outcome.code, outcome.stderr).toBe(code)
  expect(outcome.stdout).toBe('')
  expect(outcome.stderr).toMatch(sentence)
  expect(outcome.stderr).not.toMatch(/\n\s+at |^\w*Error:|node:internal/)
  const lines = outcome.stderr.trim().split('\n')
  expect(lines.length, `one sentence on stderr, not:\n${outcome.stderr}`).toBeLessThanOrEqual(2)
  expect(lines.at(-1)).toMatch(/[.?)]$/)
}

export { csv, file, freshOut, scratch } from '../helpers/files.js'
export { root }
