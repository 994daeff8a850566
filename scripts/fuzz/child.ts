/** Runs cases in one process, one after the other, and says a line about each: `begin N ARGS` before, `wrong N WHY` where one is not as it should be. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { failure, runProgram } from '../../src/cli/program.js'
import { program } from '../bootstrap.mjs'
import { makeCase, soundStudies, soundTable, type Case } from './cases.js'
import { Random } from '../random.js'

/** A study that goes on for longer is stopped as by Ctrl-C, which it must hear. */
const heard = 1500

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program in this process, in a directory of its own. */
async function inProcess(args: readonly string[], cwd: string, patience: number): Promise<Ended> {
  const texts = { stdout: '', stderr: '' }
  const own = {
    stdout: process.stdout.write.bind(process.stdout),
    stderr: process.stderr.write.bind(process.stderr)
  }
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = (chunk: string | Uint8Array) => {
      texts[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
      return true
    }
  const before = process.cwd()
  process.chdir(cwd)
  process.exitCode = 0
  const timer = setTimeout(() => process.emit('SIGINT'), patience)
  let code = 0
  // A command that does not listen is one that ends soon; without a listener the signal would end this process.
  const listening = (): void => undefined
  process.on('SIGINT', listening)
  try {
    await runProgram(args)
    code = Number(process.exitCode ?? 0)
  } catch (error) {
    const failed = failure(error)
    const stack = error instanceof Error ? error.stack : undefined
    texts.stderr += `${failed.text}\n`
    if (failed.text.startsWith('Unexpected')) texts.stderr += `${stack}\n`
    code = process.exitCode === 130 ? 130 : failed.code
  } finally {
    clearTimeout(timer)
    // What a command that was refused has left behind must not hear the next one's signal.
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(name)
    process.exitCode = 0
    process.chdir(before)
    for (const name of ['stdout', 'stderr'] as const) process[name].write = own[name]
  }
  return { code, ...texts }
}

/** Runs the command that is installed. */
function inItsOwn(args: readonly string[], cwd: string, patience: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (chunk: string) => (texts[name] += chunk))
    const timer = setTimeout(() => child.kill('SIGINT'), patience)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      // Before it listens, as while it is loaded, a signal ends a process by itself.
      resolve({ code: signal === 'SIGINT' ? 130 : (code ?? -1), ...texts })
    })
  })
}

/** What is in a folder, but for `out`. */
function contents(folder: string, out: string | undefined): string {
  const hash = createHash('sha256')
  const visit = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const inner = join(path, name)
      if (path === folder && name === out) continue
      const is = lstatSync(inner)
      hash.update(inner)
      if (is.isSymbolicLink()) hash.update(readlinkSync(inner))
      else if (is.isDirectory()) visit(inner)
      else hash.update(readFileSync(inner))
    }
  }
  visit(folder)
  return hash.digest('hex')
}

// eslint-disable-next-line no-control-regex
const steering = /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/
// Functions in Python and R say where they overflow.
const notFinite = /(?<![\w"'.-])-?(NaN|Infinity|inf|nan)(?![\w"'])/

/** What is wrong with the end of a case; undefined for nothing. */
export function complaint({ code, stdout, stderr }: Ended): string | undefined {
  if (![0, 1, 2, 130].includes(code)) return `exit ${code}`
  if (/Unexpected failure|\n {4}at /.test(stderr)) return `no sentence: ${stderr.slice(0, 1500)}`
  if (steering.test(stdout) || steering.test(stderr)) return `control characters: ${JSON.stringify(stderr.slice(-300))}`
  if (code === 0 && notFinite.test(stdout))
    return `not finite: ${stdout
      .split('\n')
      .find(l => notFinite.test(l))
      ?.slice(0, 300)}`
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  if (code !== 0 && code !== 130 && !/[.)…]$/.test(last)) return `no sentence: ${JSON.stringify(last.slice(-300))}`
  if (last.length > 5000) return `a sentence of ${last.length} characters`
  return undefined
}

function check(folder: string, made: Case, before: string, ended: Ended): string | undefined {
  if (contents(folder, made.out) !== before) return `files outside ${made.out} have changed`
  return complaint(ended)
}

/** @param say told every line */
export async function runCases(
  work: string,
  seed: number,
  from: number,
  to: number,
  say: (line: string) => void
): Promise<void> {
  const studies: string[] = []
  for (const [i, flags] of soundStudies.entries()) {
    const folder = join(work, `sound-${i}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'data.csv'), soundTable)
    const ended = await inProcess(['study', ...flags, '--seed', '3', '--out', 'out', '--quiet'], folder, 600_000)
    if (ended.code !== 0) throw new Error(`a sound study failed: ${ended.stderr}`)
    studies.push(join(folder, 'out'))
  }
  const folder = join(work, 'case')
  for (let n = from; n < to; n++) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const random = new Random(seed * 1_000_003 + n)
    const made = makeCase(folder, random, studies)
    const shown = JSON.stringify(made.args.map(arg => (arg.length > 80 ? `${arg.slice(0, 60)}…${arg.length}` : arg)))
    say(`begin ${n} ${made.kind} ${shown}`)
    const before = contents(folder, made.out)
    // An argument of more than 128 KiB cannot be given to a process.
    const alone = n % 100 === 99 && made.args.every(arg => Buffer.byteLength(arg) < 100_000)
    const ended = alone ? await inItsOwn(made.args, folder, 2 * heard) : await inProcess(made.args, folder, heard)
    const wrong = check(folder, made, before, ended)
    if (wrong !== undefined) say(`wrong ${n} ${made.kind} ${shown}: ${wrong.replace(/\n/g, '\n  ')}`)
    say(`code ${ended.code}`)
  }
}
