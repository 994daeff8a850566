/**
 * Kills studies at random moments, goes on with them, and compares parts and summary with those of a study that nobody disturbed.
 *
 *     npm run torture -- --kills 200 --seed 1
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const program = join(root, 'dist', 'cli', 'main.js')

/** Studies that differ in what is under way when they are killed. */
const studies: Readonly<Record<string, readonly string[]>> = {
  'two seconds of a small network': [
    '--data',
    'iris2',
    '--standardize',
    '--hidden',
    '3',
    '--ridge',
    '0.001',
    '--penalize-bias',
    '--starts',
    '20000'
  ],
  'many runs of a convex model': ['--data', 'iris2', '--standardize', '--starts', '150000'],
  'mini-batches': [
    '--data',
    'iris2',
    '--standardize',
    '--hidden',
    '2',
    '--optimizer',
    'adam',
    '--batch-size',
    '10',
    '--steps',
    '300',
    '--starts',
    '1000'
  ],
  'held-out rows, in f32': [
    '--data',
    'iris2',
    '--standardize',
    '--hidden',
    '2',
    '--ridge',
    '0.01',
    '--precision',
    'f32',
    '--test-fraction',
    '0.3',
    '--starts',
    '10000'
  ]
}

const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGINT'] as const

/** Uniform numbers from a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
  readonly milliseconds: number
}

function run(args: readonly string[], kill?: { after: number; signal: NodeJS.Signals }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const timer = kill && setTimeout(() => child.kill(kill.signal), kill.after)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stderr, milliseconds: performance.now() - began })
    })
  })
}

/** What must be the same, byte for byte: the parts, and the summary without time and machine. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256')
  const runs = join(directory, 'runs')
  for (const name of readdirSync(runs).sort())
    if (/^(part|open|points|distinct).*\.parquet$/.test(name)) hash.update(name).update(readFileSync(join(runs, name)))
  const summary = JSON.parse(readFileSync(join(directory, 'summary.json'), 'utf8')) as Record<string, unknown>
  return hash.update(JSON.stringify({ ...summary, timing: null, engine: null })).digest('hex')
}

const failures: string[] = []
function check(holds: boolean, what: string): void {
  if (!holds) failures.push(what)
}

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } }
})
const wanted = Number(values.kills)
const random = generator(Number(values.seed))
const work = mkdtempSync(join(tmpdir(), 'manystart-torture-'))
let kills = 0
let studiesDone = 0
try {
  for (let round = 0; kills < wanted && failures.length === 0; round++) {
    const [name, flags] = Object.entries(studies)[round % Object.keys(studies).length]
    const seed = String(1 + Math.floor(random() * 1000))
    const study = ['study', ...flags, '--seed', seed, '--quiet']
    const expected = join(work, 'expected')
    const whole = await run([...study, '--out', expected])
    check(whole.code === 0, `${name}: ${whole.stderr}`)
    const out = join(work, 'out')
    const share = Math.max(1, Math.ceil((wanted - kills) / 4))
    for (let k = 0, done = false; k < Math.min(share, 60) && !done; k++) {
      const args = existsSync(join(out, 'study.json'))
        ? ['study', '--resume', out, '--quiet']
        : [...study, '--out', out]
      const signal = signals[Math.floor(random() * signals.length)]
      const ended = await run(args, { after: 150 + random() * whole.milliseconds, signal })
      done = ended.code === 0
      if (!done) kills++
      check(
        done || ended.code === 130 || ended.signal !== null || /already|stopped before/.test(ended.stderr),
        `${name}, seed ${seed}: exit ${ended.code} after ${signal}: ${ended.stderr}`
      )
      if (!done && existsSync(join(out, 'study.json')) && random() < 0.2) {
        const report = await run(['report', out])
        check(
          report.code === 0 || /no runs|holds no/.test(report.stderr),
          `${name}, seed ${seed}: report after ${signal}: ${report.stderr}`
        )
      }
    }
    const last = await run(
      existsSync(join(out, 'study.json')) ? ['study', '--resume', out, '--quiet'] : [...study, '--out', out]
    )
    check(last.code === 0, `${name}, seed ${seed}: ${last.stderr}`)
    if (last.code === 0)
      check(fingerprint(out) === fingerprint(expected), `${name}, seed ${seed}: parts or summary differ`)
    studiesDone++
    process.stdout.write(`${kills} kills, ${studiesDone} studies: ${name}, seed ${seed}\n`)
    if (failures.length === 0)
      for (const directory of [out, expected]) rmSync(directory, { recursive: true, force: true })
  }
} finally {
  if (failures.length === 0) rmSync(work, { recursive: true, force: true })
}
if (failures.length > 0) {
  process.stderr.write(`${failures.join('\n')}\nThe directories are in ${work}.\n`)
  process.exit(1)
}
process.stdout.write(`${kills} kills survived, ${studiesDone} studies the same byte for byte, seed ${values.seed}\n`)
