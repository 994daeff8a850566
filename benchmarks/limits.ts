/** Whole studies by the built program in a process of its own: how long they take and how much memory they need at most. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program } from '../scripts/bootstrap.mjs'
import type { Summary } from '../src/core/result.js'

export interface Limit {
  readonly name: string
  readonly starts: number
  /** Search, verdicts and clusters, as the summary says; and the whole process with results and report written. */
  readonly studySeconds: number
  readonly processSeconds: number
  /** High-water mark of resident memory. */
  readonly peakBytes: number
  readonly threads: number
  readonly verdicts: Summary['verdicts']
  readonly minima: number
  readonly bar: { readonly seconds?: number; readonly bytes?: number }
}

const net = ['--standardize', '--hidden', '5', '--activation', 'tanh', '--loss', 'logistic', '--ridge', '0.01']

export const limitCases = [
  { name: 'iris2 logistic, Newton', starts: 100_000, flags: [], bar: { seconds: 3 } },
  { name: 'iris2 4-5-1 tanh, ridge 0.01, Newton', starts: 100_000, flags: net, bar: { seconds: 120 } },
  { name: 'iris2 logistic, Newton', starts: 1_000_000, flags: [], bar: { bytes: 2 ** 30 } }
] as const

/** Prints the high-water mark of resident memory in KiB on stderr when the process ends. */
const tellMemory =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nmaxRSS "+process.resourceUsage().maxRSS+"\\n"))'

export async function runLimit({ name, starts, flags, bar }: (typeof limitCases)[number]): Promise<Limit> {
  const folder = mkdtempSync(join(tmpdir(), 'manystart-limit-'))
  try {
    const study = ['study', '--data', 'iris2', '--optimizer', 'newton', '--starts', String(starts), ...flags, '--quiet']
    const out = join(folder, 'study')
    const began = performance.now()
    const child = spawn(process.execPath, ['--import', tellMemory, program, ...study, '--out', out], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const processSeconds = (performance.now() - began) / 1000
    const memory = /maxRSS (\d+)/.exec(errors)
    if (code !== 0 || !memory) throw new Error(`${name} ended with exit code ${code}: ${errors.trim()}`)
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary
    return {
      name,
      starts,
      studySeconds: summary.timing.wallSeconds,
      processSeconds,
      peakBytes: Number(memory[1]) * 1024,
      threads: summary.engine.threads,
      verdicts: summary.verdicts,
      minima: summary.minima.length,
      bar
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
