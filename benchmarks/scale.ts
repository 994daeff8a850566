/**
 * How processor time and memory of a study grow with its starts: where all runs end at a few points, and where every one ends at another.
 *
 *     npm run bench:scale                      # all
 *     npm run bench:scale -- convex --most 1e6 # one of them, up to so many starts
 *
 * `distinct` and `flat` have 2^24 minima that are known and as good as all met once, the flat ones because weights are one more than the
 * data determine; `wide` is a network with more parameters than rows, whose ends are strict or flat; in `batches` steps on few rows never
 * come to rest.
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

/**
 * Squared loss through the logistic function, two rows for each input, has two minima in each weight (after Auer, Herbster and Warmuth
 * 1996), so that `inputs` of them have 2^inputs. One input more, the sum of two, makes all of them flat.
 */
function product(inputs: number, more: 0 | 1): NonNullable<StudyInput['data']> {
  const rows = Array.from({ length: inputs }, (_, j) => [
    { j, x: 10, y: 0.55 },
    { j, x: 0.7, y: 0.25 }
  ]).flat()
  const columns: Record<string, number[]> = { y: rows.map(row => row.y) }
  for (let k = 0; k < inputs + more; k++)
    columns[`x${k}`] = rows.map(({ j, x }) => (j === k || (k === inputs && j < 2) ? x : 0))
  return { columns, target: 'y' }
}
const alone = { loss: 'brier', bias: false } as const

/** Starts of a study that is compared with the first. */
const least = 100

/** Studies without their starts, and the numbers of starts, ascending. */
const series: Readonly<Record<string, { readonly config: StudyInput; readonly starts: readonly number[] }>> = {
  convex: { config: { data, keep: 'end' }, starts: [1e4, 1e5, 1e6, 1e7] },
  network: { config: { data, model: { hidden: [5], ridge: 0.01 }, keep: 'end' }, starts: [1e4, 1e5, 1e6] },
  distinct: { config: { data: product(24, 0), model: alone, keep: 'end' }, starts: [1e4, 2e4, 4e4, 8e4] },
  flat: { config: { data: product(24, 1), model: alone, keep: 'end' }, starts: [1e4, 2e4, 4e4] },
  wide: {
    config: {
      data: { generate: { rows: 20, inputs: 2, overlap: 0.5, seed: 1 } },
      model: { hidden: [16], ridge: 1e-5 },
      keep: 'end'
    },
    starts: [2e3, 4e3, 8e3]
  },
  batches: {
    config: {
      data: product(24, 0),
      model: alone,
      optimizer: { adam: { batchSize: 8 } },
      stop: { steps: 200 },
      keep: 'end'
    },
    starts: [1e4, 2e4, 4e4]
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
    const { distinct } = await study(${JSON.stringify(options)}, { out: ${JSON.stringify(join(out, 'study'))} })
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const points = distinct.minima.points + distinct.degenerate.points + distinct.saddles.points
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
