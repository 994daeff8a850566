/**
 * Gives the program spoilt tables, study files, flags and directories, and checks that each ends in time with exit 0, 1, 2 or 130, a
 * sentence where it failed, nothing non-finite or steering on the terminal, and no file changed outside its directory.
 *
 *     npm run fuzz -- --cases 2000 --seed 1
 *     npm run fuzz -- --seed 1 --only 17      # one case again
 *
 *     npm run fuzz -- --cases 100000 --jobs 2 # so many processes at a time, by default one for each core
 *
 * Cases run in a few processes, each of which is started anew when a case does not end; one in a hundred runs in a process of its own, as
 * the command that is installed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCases } from './child.js'

/** Seconds that a case may take, on a machine that is busy with other things. */
const seconds = 60

const { values } = parseArgs({
  args: process.argv.slice(2).filter(word => word !== '--'),
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    from: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    work: { type: 'string' }
  }
})
const [cases, seed] = [Number(values.cases), Number(values.seed)]

if (values.from !== undefined) {
  await runCases(values.work!, seed, Number(values.from), cases, line => process.stdout.write(`${line}\n`))
  process.exit(0)
}

const wrong: string[] = []
const codes = new Map<string, number>()

/** Runs cases from … to−1; returns where to go on. */
function batch(from: number, to: number): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'manystart-fuzz-'))
  return new Promise<number>((resolve, reject) => {
    const program = fileURLToPath(import.meta.url)
    const args = [process.argv[1], program, '--', '--from', String(from), '--cases', String(to), '--seed', String(seed)]
    const child = spawn(process.execPath, ['--max-old-space-size=2048', ...args, '--work', work], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let [at, last, stderr] = [-1, '', '']
    let hung = false
    const give = (): void => {
      hung = true
      child.kill('SIGKILL')
    }
    let timer = setTimeout(give, 2 * seconds * 1000)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2000)))
    createInterface({ input: child.stdout }).on('line', line => {
      clearTimeout(timer)
      timer = setTimeout(give, seconds * 1000)
      const [word, second] = line.split(' ')
      if (word === 'begin') {
        at = Number(second)
        last = line
      } else if (word === 'code') codes.set(second, (codes.get(second) ?? 0) + 1)
      else {
        wrong.push(line)
        process.stdout.write(`${line}\n`)
      }
    })
    child.once('error', reject)
    child.once('close', code => {
      clearTimeout(timer)
      if (code === 0 && !hung) return resolve(to)
      const line = `${hung ? `no end in ${seconds} s` : `the process ended with ${code}: ${stderr}`}: ${last}`
      wrong.push(line)
      process.stdout.write(`${line}\n`)
      if (at < 0) reject(new Error(line))
      else resolve(at + 1)
    })
  }).finally(() => rmSync(work, { recursive: true, force: true }))
}

const [begin, end] = values.only === undefined ? [0, cases] : [Number(values.only), Number(values.only) + 1]
/** Cases of a batch; making the studies that are spoilt takes as long as some fifty. */
const share = Math.min(2500, Math.ceil((end - begin) / Number(values.jobs)))
let next = begin
async function work(): Promise<void> {
  while (next < end) {
    const to = Math.min(end, next + share)
    let at = next
    next = to
    while (at < to) at = await batch(at, to)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work))
const tally = [...codes].sort().map(([code, times]) => `${times} with ${code}`)
process.stdout.write(
  `${values.only === undefined ? cases : 1} cases, seed ${seed}: ${tally.join(', ')}; ${wrong.length} wrong\n`
)
process.exit(wrong.length > 0 ? 1 : 0)
