/**
 * Processor time of what comes after the search: verdicts, scores, distinct points and aggregates, writing; and of whole studies.
 *
 *     npm run bench:fold                  # ratios within one run, and made-up blocks
 *     npm run bench:fold -- --runs 1e6    # so many made-up runs
 *
 * Runs are searched and judged, and timed; then the same blocks go through the rest as in a study, with a directory and without, then
 * all of it together, from the first start to the last part, and at last the call of the library that makes such a study, from its
 * configuration to its summary on the disk; the start of the program and the page are in none of them. Whatever a study proves on its way
 * it proves anew each time. Made-up blocks have no scores to compute: they show what fold and writer can take. All with one thread for the
 * kernels, as processor time of the whole process, collections of garbage and compilation of its own code included.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { JudgedRuns } from '../src/analysis/judgedRuns.js'
import type { Judged } from '../src/analysis/judge.js'
import type { RunBlock } from '../src/runs/table.js'
import type { StudyConfig } from '../src/study/config.js'
import type { Setup } from '../src/study/setup.js'
import type * as statusModule from '../src/core/status.js'
import type * as resultModule from '../src/core/result.js'
import type * as rngModule from '../src/core/rng.js'
import type * as spareModule from '../src/core/spare.js'
import type * as directoryModule from '../src/runs/directory.js'
import type * as configModule from '../src/study/config.js'
import type * as recordModule from '../src/study/record.js'
import type * as runModule from '../src/study/run.js'
import type * as sessionModule from '../src/study/session.js'
import type * as setupModule from '../src/study/setup.js'
import type * as studyModule from '../src/study/study.js'

// The program as it is built, not its sources: what runs them on the fly makes calls between files dearer.
const built = async <T>(path: string): Promise<T> =>
  (await import(new URL(`../dist/${path}`, import.meta.url).href)) as T
const { Status } = await built<typeof statusModule>('core/status.js')
const { VerdictCode } = await built<typeof resultModule>('core/result.js')
const { Stream, uniform, words } = await built<typeof rngModule>('core/rng.js')
const { Spare } = await built<typeof spareModule>('core/spare.js')
const { StudyDirectory } = await built<typeof directoryModule>('runs/directory.js')
const { resolveConfig } = await built<typeof configModule>('study/config.js')
const { identityOf, recordText } = await built<typeof recordModule>('study/record.js')
const { requestOf } = await built<typeof runModule>('study/run.js')
const { runSession } = await built<typeof sessionModule>('study/session.js')
const { setUp } = await built<typeof setupModule>('study/setup.js')
const { runStudy } = await built<typeof studyModule>('study/study.js')

/** Microseconds of processor time, all threads, user and system. */
const processor = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** A block of runs with what the judge and the scores said of them. */
interface Known {
  readonly block: RunBlock
  readonly judged: JudgedRuns
}

/** The verdicts of a block, or of some of its rows; those that are asked for again cost nothing. */
function lookUp(known: readonly Known[]): (block: RunBlock) => JudgedRuns {
  const made = new Map(known.map(k => [`${k.block.start[0]} ${k.block.count}`, k.judged]))
  return block => {
    const key = `${block.start[0]} ${block.count}`
    let judged = made.get(key)
    if (!judged) {
      const whole = known.find(k => k.block.start.includes(block.start[0]))!
      judged = {
        ...whole.judged,
        end: Uint32Array.from(block.start, start => whole.judged.end[whole.block.start.indexOf(start)])
      }
      made.set(key, judged)
    }
    return judged
  }
}

/** The setup whose runs are known: only what comes after is done. */
function replaying(
  setup: Setup,
  known: readonly Known[],
  scores?: Awaited<ReturnType<Setup['objective']['score']>>
): Setup {
  const objective = Object.create(setup.objective) as Setup['objective']
  objective.minimise = async function* () {
    for (const { block } of known) yield block
  }
  const certifying = Object.create(setup.certifier.objective) as Setup['certifier']['objective']
  if (scores) {
    const { values, classCounts } = scores
    const P = setup.objective.parameters
    certifying.score = theta => Promise.resolve({ values: values.subarray(0, (theta.length / P) * 5), classCounts })
  }
  const judgedOf = lookUp(known)
  return {
    ...setup,
    objective,
    certifier: { ...setup.certifier, objective: certifying },
    judgeRuns: (_, found) => Promise.resolve(judgedOf(found as RunBlock))
  }
}

/** Microseconds of processor time for each run of a session, into a directory or into memory alone. */
async function timeSession(setup: Setup, runs: number, isKept = true): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'manystart-fold-'))
  const range = { first: 0, count: runs }
  const identity = identityOf(setup)
  const path = join(work, 'a')
  const record = recordText(setup, range, undefined, path)
  const directory = isKept ? await StudyDirectory.create(path, identity, record) : undefined
  try {
    const began = processor()
    const outcome = await runSession(setup, identity, range, directory)
    const spent = processor() - began
    if (outcome.runs !== runs) throw new Error(`${outcome.runs} of ${runs} runs came through`)
    return spent / runs
  } finally {
    await directory?.close()
    rmSync(work, { recursive: true, force: true })
  }
}

/** The median of three, after one that is not counted. */
async function median(time: () => Promise<number>): Promise<number> {
  await time()
  const times = [await time(), await time(), await time()]
  return times.sort((a, b) => a - b)[1]
}

function configFor(study: object, runs: number): StudyConfig {
  const raw = { data: { builtin: 'iris2', standardize: true }, engine: 'cpu', starts: { count: runs }, keep: 'end' }
  return resolveConfig({ ...raw, ...study }, 'the benchmark')
}

const setUpFor = (study: object, runs: number): Promise<Setup> => setUp(configFor(study, runs), { threads: 1 })

/** Microseconds for each run of the search alone. */
async function timeSearch(setup: Setup, runs: number): Promise<number> {
  const began = processor()
  const spare = new Spare()
  for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: runs }), spare))
    spare.give(block)
  return (processor() - began) / runs
}

async function timeScores(setup: Setup, known: readonly Known[], runs: number): Promise<number> {
  const began = processor()
  const spare = new Spare()
  for (const { block } of known) spare.give(await setup.certifier.objective.score(block.theta, undefined, spare))
  return (processor() - began) / runs
}

/** Runs judged, and the microseconds of processor time for each, by a setup that has proved nothing yet. */
async function judgeAnew(study: object, blocks: readonly RunBlock[], runs: number) {
  const setup = await setUpFor(study, runs)
  const judged: JudgedRuns[] = []
  const began = processor()
  for (const block of blocks) judged.push(await setup.judgeRuns(block.theta, block, block.count))
  const time = (processor() - began) / runs
  setup.dispose()
  return { judged, time }
}

/** Microseconds for each run of a session that has proved nothing yet. */
async function timeSessionAnew(study: object, runs: number): Promise<number> {
  const setup = await setUpFor(study, runs)
  const time = await timeSession(setup, runs)
  setup.dispose()
  return time
}

/** Microseconds for each run of a study, from its configuration to its summary on the disk. */
async function timeStudy(study: object, runs: number): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'manystart-fold-'))
  try {
    const began = processor()
    await runStudy(configFor(study, runs), { threads: 1, out: join(work, 'a') })
    return (processor() - began) / runs
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Searches and judges for real, then times the rest by stages, and the whole. */
async function ratios(name: string, study: object, runs: number, most: number): Promise<void> {
  const setup = await setUpFor(study, runs)
  const blocks: RunBlock[] = []
  for await (const block of setup.objective.minimise(requestOf(setup, { first: 0, count: runs }))) blocks.push(block)
  const { judged } = await judgeAnew(study, blocks, runs)
  const known = blocks.map((block, n): Known => ({ block, judged: judged[n] }))
  const again = replaying(setup, known)
  const search = await median(() => timeSearch(setup, runs))
  const judging = await median(async () => (await judgeAnew(study, blocks, runs)).time)
  const scores = await median(() => timeScores(setup, known, runs))
  const folding = await median(() => timeSession(again, runs, false))
  const rest = await median(() => timeSession(again, runs))
  const session = await median(() => timeSessionAnew(study, runs))
  const whole = await median(() => timeStudy(study, runs))
  setup.dispose()
  const micro = (µs: number): string => `${µs.toFixed(2)} µs`
  console.log(
    `${name}, ${runs} runs, per run: search ${micro(search)}, verdicts ${micro(judging)}, scores ${micro(scores)}, ` +
      `distinct points and aggregates ${micro(folding - scores)}, writing ${micro(rest - folding)}, ` +
      `all of these ${micro(session)}, the study with its set-up and summary ${micro(whole)}`
  )
  bar('verdicts beside the search', judging / search, 0.1)
  bar('scores, points, aggregates and writing beside the search', rest / search, most)
  bar('the search beside all of these', search / session, 0.75, 'least')
  bar('the search beside the study with its set-up and summary', search / whole, 0.75, 'least')
}

function bar(what: string, ratio: number, wanted: number, side: 'most' | 'least' = 'most'): void {
  const isMet = side === 'most' ? ratio <= wanted : ratio >= wanted
  const percent = (share: number): string => `${(100 * share).toFixed(share < 0.2 ? 1 : 0)} %`
  console.log(`  ${what}: ${percent(ratio)}, at ${side} ${percent(wanted)} wanted: ${isMet ? 'met' : 'NOT MET'}`)
}

const emptyEnds = (count: number, P: number): Judged => ({
  count,
  verdict: new Uint8Array(count).fill(VerdictCode.minimum),
  reason: new Uint8Array(count),
  theta: new Float64Array(count * P),
  loss: new Float64Array(count),
  gradientNorm: new Float64Array(count),
  precision: new Float64Array(count),
  limit: new Float64Array(count).fill(NaN),
  limitError: new Float64Array(count).fill(NaN),
  index: new Uint32Array(count),
  nullity: new Uint32Array(count),
  steps: 0,
  losses: 0,
  ways: new Map()
})

/** Blocks of runs that end in one of a few minima: recognised, and so equal to the bit, or with last digits that differ from run to run. */
function madeUp(setup: Setup, runs: number, size: number, minima: number, isRecognised: boolean): Known[] {
  const P = setup.objective.parameters
  const known: Known[] = []
  const random = words(1, Stream.split, 0, 0, size * (P + 2))
  for (let first = 0; first < runs; first += size) {
    const count = Math.min(size, runs - first)
    const theta = new Float64Array(count * P)
    const own = { loss: new Float64Array(count), gradientNorm: new Float64Array(count) }
    const ends = emptyEnds(isRecognised ? minima : count, P)
    const end = new Uint32Array(count)
    for (let i = 0; i < count; i++) {
      const u = uniform(random[i * (P + 2)])
      const which = Math.floor(u * u * minima)
      const e = (end[i] = isRecognised ? which : i)
      for (let p = 0; p < P; p++) {
        const jitter = isRecognised ? 0 : uniform(random[i * (P + 2) + 1 + p]) * 2 ** -50
        ends.theta[e * P + p] = (which + 1) * (p + 1) + jitter
        theta[i * P + p] = ends.theta[e * P + p] + 1e-9 * jitter
      }
      ends.loss[e] = 0.05 + which / 1000
      own.loss[i] = ends.loss[e] + u * 1e-15
      own.gradientNorm[i] = u * 1e-12
      ends.gradientNorm[e] = isRecognised ? 1e-17 : own.gradientNorm[i]
      ends.precision[e] = 1e-15
    }
    const block: RunBlock = {
      count,
      start: Float64Array.from({ length: count }, (_, i) => first + i),
      theta,
      ...own,
      steps: Uint32Array.from({ length: count }, (_, i) => 5 + (random[i] % 8)),
      status: new Uint8Array(count).fill(Status.converged),
      report: new Float64Array(0)
    }
    known.push({ block, judged: { end, ends } })
  }
  return known
}

async function throughput(runs: number, isRecognised: boolean): Promise<void> {
  const setup = await setUpFor({}, runs)
  const size = 4096
  const known = madeUp(setup, runs, size, 4, isRecognised)
  const values = Float64Array.from(
    { length: size * 5 },
    (_, i) => [0.97, 0.96, 0.98, 0.995, 0.0596][i % 5] + (i % 3) / 1000
  )
  const classCounts = new Float64Array(setup.problem.rows * 2).fill(size / 2)
  const scores = { values, classCounts }
  const again = replaying(setup, known, scores)
  const time = await median(() => timeSession(again, runs))
  setup.dispose()
  console.log(
    `made-up blocks, ${isRecognised ? 'recognised' : 'last digits differ'}, P = 5, keep end, ${runs} runs: ${time.toFixed(3)} µs per run, ` +
      `${(1 / time).toFixed(2)} million runs per second and core, at least 1 wanted: ${time <= 1 ? 'met' : 'NOT MET'}`
  )
}

const { values: given } = parseArgs({
  args: process.argv.slice(2).filter(word => word !== '--'),
  options: { runs: { type: 'string', default: '1e6' }, only: { type: 'string' } }
})
console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}`)
const net = { model: { hidden: [5], ridge: 0.01, penalizeBias: true } }
if (given.only !== 'ratios')
  for (const isRecognised of [true, false]) await throughput(Number(given.runs), isRecognised)
if (given.only !== 'made-up') {
  for (const runs of [20_000, 200_000, 1_000_000]) await ratios('iris2 logistic', {}, runs, 0.15)
  await ratios('iris2 4-5-1, ridge 0.01 on all', net, 20_000, 0.1)
}
