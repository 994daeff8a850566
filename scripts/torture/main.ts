/**
 * Kills studies at random moments, goes on with them, and compares parts and summary with those of a study that nobody disturbed.
 *
 *     npm run torture -- --kills 200 --seed 1
 *     npm run torture -- --engine webgpu --device swiftshader --kills 25
 *
 * Signals go to the program, or to all its processes as those of a terminal do; none of them may stay.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { program } from '../bootstrap.mjs'
import { Random } from '../random.js'
import { drawStudy } from './studies.js'

const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGINT'] as const
/** How long a process may take to notice that the program has ended. */
const lingerMilliseconds = 15_000

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
  readonly milliseconds: number
}

interface Kill {
  readonly after: number
  readonly signal: NodeJS.Signals
  /** As from a terminal. */
  readonly all: boolean
}

/** By this in their environment the processes of this script are told from those of others. */
const mark = `MANYSTART_TORTURE=${process.pid}`

function run(args: readonly string[], kill?: Kill): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, MANYSTART_TORTURE: String(process.pid) }
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const timer =
      kill &&
      setTimeout(() => {
        if (kill.all) process.kill(-child.pid!, kill.signal)
        else child.kill(kill.signal)
      }, kill.after)
    child.once('error', reject)
    child.once('exit', () => clearTimeout(timer))
    child.once('close', (code, signal) => resolve({ code, signal, stderr, milliseconds: performance.now() - began }))
  })
}

/** Processes that the program has begun and that are still there; none where the system does not say. */
const orphans = (): string[] =>
  (existsSync('/proc/self/environ') ? readdirSync('/proc') : []).filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)
    } catch {
      return false
    }
  })

async function untilAlone(): Promise<boolean> {
  for (let waited = 0; orphans().length > 0; waited += 100) {
    if (waited > lingerMilliseconds) return false
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return true
}

/** Files of a directory, at any depth, with what must be the same in each, byte for byte: the summary's time and machine are apart. */
function found(directory: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of (readdirSync(directory, { recursive: true }) as string[]).sort()) {
    const path = join(directory, name)
    if (name === 'summary.json') {
      const summary = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
      files.set(name, JSON.stringify({ ...summary, timing: null, engine: null }))
    } else if (name.endsWith('.parquet')) files.set(name, createHash('sha256').update(readFileSync(path)).digest('hex'))
    else files.set(name, '')
  }
  return files
}

/**
 * What differs between a study that was killed and one that was not. Where starts were added, the files of runs are cut at other starts, so
 * that the runs are compared as they are exported.
 */
async function differences(out: string, expected: string, grown: boolean): Promise<string[]> {
  const isCut = (name: string): boolean => grown && /(part-[\d-]+|points)\.parquet$/.test(name)
  const [a, b] = [found(out), found(expected)]
  const wrong = [...new Set([...a.keys(), ...b.keys()])].filter(name => a.get(name) !== b.get(name) && !isCut(name))
  if (!grown) return wrong
  const tables: string[] = []
  for (const directory of [out, expected]) {
    const table = `${directory}.csv`
    const { stderr } = await run(['export', directory, '--format', 'csv', '--out', table])
    tables.push(existsSync(table) ? readFileSync(table, 'utf8') : stderr)
    rmSync(table, { force: true })
  }
  return tables[0] === tables[1] ? wrong : [...wrong, 'runs']
}

const { values } = parseArgs({
  args: process.argv.slice(2).filter(word => word !== '--'),
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'cpu' },
    device: { type: 'string' }
  }
})
const wanted = Number(values.kills)
const random = new Random(Number(values.seed))
const work = mkdtempSync(join(tmpdir(), 'manystart-torture-'))
const out = join(work, 'out')
const expected = join(work, 'expected')
const failures: string[] = []
let kills = 0
let studies = 0

/** Kills one study until it has ended all the same. */
async function disturb(round: number): Promise<void> {
  const { name, flags, starts, first } = drawStudy(
    round,
    values.engine,
    values.device,
    random,
    join(work, 'starts.csv')
  )
  const check = (holds: boolean, what: string): void => {
    if (!holds) failures.push(`${name}: ${what}`)
  }
  const study = ['study', ...flags, '--quiet']
  const whole = await run([...study, '--starts', String(starts), '--out', expected])
  check(whole.code === 0, whole.stderr)
  const isGrown = first < starts
  /** Goes on, or begins. `grow`: with all starts; a study that has ended by itself would go on to them. */
  const on = (grow: boolean): string[] =>
    existsSync(join(out, 'study.json'))
      ? ['study', '--resume', out, '--quiet', ...(grow && isGrown ? ['--starts', String(starts)] : [])]
      : [...study, '--starts', String(grow ? starts : first), '--out', out]
  const share = Math.min(60, Math.max(1, Math.ceil((wanted - kills) / 4)))
  let grow = !isGrown
  for (let k = 0, done = false; k < share && !done; k++) {
    const signal = random.of(signals)
    const ended = await run(on(grow), {
      after: 150 + random.next() * whole.milliseconds,
      signal,
      all: random.chance(0.5)
    })
    done = ended.code === 0 && grow
    if (ended.code !== 0) kills++
    else grow = true
    check(
      ended.code === 0 || ended.code === 130 || ended.signal === signal || /already|stopped before/.test(ended.stderr),
      `exit ${ended.code} after ${signal}: ${ended.stderr}`
    )
    check(!/Unexpected|\n\s+at /.test(ended.stderr), `after ${signal}: ${ended.stderr}`)
    check(await untilAlone(), `processes ${orphans().join(', ')} stay after ${signal}`)
    if (isGrown && random.chance(0.3)) grow = true
    if (!done && existsSync(join(out, 'study.json')) && random.chance(0.2)) {
      const report = await run(['report', out])
      check(report.code === 0 || /no runs|holds no/.test(report.stderr), `report after ${signal}: ${report.stderr}`)
    }
  }
  const last = await run(on(true))
  check(last.code === 0, last.stderr)
  if (failures.length === 0) {
    const wrong = await differences(out, expected, isGrown)
    check(wrong.length === 0, `${wrong.join(', ')} differ`)
  }
  studies++
  process.stdout.write(`${kills} kills, ${studies} studies: ${name}\n`)
  if (failures.length === 0)
    for (const directory of [out, expected]) rmSync(directory, { recursive: true, force: true })
}

try {
  for (let round = 0; kills < wanted && failures.length === 0; round++) await disturb(round)
} finally {
  if (failures.length === 0) rmSync(work, { recursive: true, force: true })
}
if (failures.length > 0) {
  process.stderr.write(`${failures.join('\n')}\nThe directories are in ${work}.\n`)
  process.exit(1)
}
process.stdout.write(`${kills} kills survived, ${studies} studies the same byte for byte, seed ${values.seed}\n`)
