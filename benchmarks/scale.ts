/**
 * How processor time and memory of a study grow with its starts: where all runs end at a few points, and where every one ends at another.
 *
 *     npm run bench:scale                      # all
 *     npm run bench:scale -- convex --most 1e6 # one of them, up to so many starts
 *
 * Each study is a process of its own that writes its runs into a directory: processor time, user and system, and the peak of its
 * resident memory, as the operating system counts them. A start more: what starts cost that a study has more than the one before, so
 * that reading data, compiling and the report, which every study has once, stay out.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { formatBytes, formatCount, formatSeconds } from '../src/core/units.js'
import type { StudyInput } from '../src/index.js'

const data = { builtin: 'iris2', standardize: true } as const

/** Starts of a study that is compared with the first. */
const least = 100

/** Studies without their starts, and the numbers of starts, ascending. */
const series: Readonly<Record<string, { readonly config: StudyInput; readonly starts: readonly number[] }>> = {
  convex: { config: { data, keep: 'end' }, starts: [1e4, 1e5, 1e6, 1e7] },
  network: { config: { data, model: { hidden: [5], ridge: 0.01 }, keep: 'end' }, starts: [1e4, 1e5, 1e6] },
  // A unit too many for two inputs alike: all end points are flat, and no two compute the same.
  flat: {
    config: { data, model: { hidden: [8] }, optimizer: { gd: {} }, stop: { steps: 30 }, keep: 'end' },
    starts: [1e4, 4e4, 1.6e5]
  },
  batches: {
    config: {
      data,
      model: { hidden: [5] },
      optimizer: { adam: { batchSize: 10 } },
      stop: { steps: 100 },
      keep: 'end'
    },
    starts: [1e4, 4e4, 1.6e5]
  }
}

interface Measured {
  /** Of all runs. */
  readonly seconds: number
  readonly bytes: number
  readonly points: number
}

const library = pathToFileURL(join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'index.js')).href

function measure(config: StudyInput, count: number): Measured {
  const out = mkdtempSync(join(tmpdir(), 'manystart-scale-'))
  const options = { ...config, engine: 'cpu', starts: { count } }
  const program = `
    const { study } = await import(${JSON.stringify(library)})
    const { minima, degenerate, saddles } = await study(${JSON.stringify(options)}, { out: ${JSON.stringify(join(out, 'study'))} })
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const points = minima.length + degenerate.length + saddles.length
    console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: 1024 * maxRSS, points }))`
  try {
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    return JSON.parse(text) as Measured
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: 'string', default: 'Infinity' } }
})
const print = (text: string): void => void process.stdout.write(`${text}\n`)

print(`${cpus()[0]?.model.trim() ?? ''}, ${availableParallelism()} threads, Node ${process.version}\n`)
print('| study | starts | distinct points | processor time | a start more | exponent | peak memory |')
print('| --- | --: | --: | --: | --: | --: | --: |')
for (const [name, { config, starts }] of Object.entries(series)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  let before = { count: least, seconds: measure(config, least).seconds }
  for (const count of starts.filter(n => n <= Number(values.most))) {
    const { seconds, bytes, points } = measure(config, count)
    const exponent =
      before.count > least ? (Math.log(seconds / before.seconds) / Math.log(count / before.count)).toFixed(2) : ''
    const more = formatSeconds((seconds - before.seconds) / (count - before.count))
    const cells = [formatCount(points), formatSeconds(seconds), more, exponent]
    print(`| ${name} | ${formatCount(count)} | ${cells.join(' | ')} | ${formatBytes(bytes)} |`)
    before = { count, seconds }
  }
}
