/** The library's entry: run a study, go on with one, or sum up one that is on the disk. */
import { join } from 'node:path'
import { defaultTolerances, type Tolerances } from '../analysis/cluster.js'
import { exhausted, InputError, isExhausted, WorkError } from '../core/errors.js'
import { summaryVersion, type Summary } from '../core/result.js'
import { StudyDirectory } from '../runs/directory.js'
import { readSealed } from '../runs/list.js'
import { distinctFile, pointsFile, studyFile } from '../runs/names.js'
import type { ReadOptions } from '../data/read.js'
import { isThere } from '../runs/files.js'
import type { Range } from '../runs/part.js'
import { encodeDistinct, encodePoints } from '../runs/points.js'
import { resolveConfig, type StudyConfig } from './config.js'
import { convergenceCurves } from './curves.js'
import { together } from './describe.js'
import { distinctRows } from './distinctTable.js'
import { endedRuns, type Run } from './endedRun.js'
import type { StudyInput } from './input.js'
import { checkDisk } from './memory.js'
import {
  checkSame,
  checkSharded,
  identityOf,
  readRecord,
  recordText,
  shardRange,
  type Saved,
  type Shard
} from './record.js'
import { layoutOf } from './run.js'
import { checkResampling } from './resampling/plan.js'
import { ridgePathOf } from './ridgePath.js'
import { runSession, type Outcome, type StudyProgress } from './session.js'
import { isSeparated, setUp, type Setup } from './setup.js'
import { summarize } from './summary.js'
import { modelName } from '../models/model.js'

/** Puts files that follow from a summary beside it, such as a report. */
export interface StudyFiles {
  /** Replaces the file `name` of the study's directory. */
  write(name: string, text: string): Promise<void>
}

/** How runs are made, which changes no result, and who is told of what. */
export interface SessionOptions {
  /** Threads of the cpu engine; default: all cores. */
  readonly threads?: number
  /** Lanes over all threads; never changes a result. */
  readonly lanes?: number
  /** Stops the runs; those that have ended are summed up. */
  readonly signal?: AbortSignal
  /** Told how far the reading of the data has come. */
  readonly onLoad?: ReadOptions['onProgress']
  /** Told after each block of runs how many have ended. */
  readonly onProgress?: (progress: StudyProgress) => void
  /** Told what is done once the runs have ended, in words: it may take longer than they did. */
  readonly onStage?: (doing: string) => void
  /** Told the judged runs as they end, in blocks; awaited, so that a slow listener slows the study down. */
  readonly onRuns?: (runs: readonly Run[]) => Promise<void> | void
  /** Writes further files into the directory, such as a report. */
  readonly finish?: (summary: Summary, files: StudyFiles) => Promise<void> | void
  /** Told what the runs will take on the disk, before the first. */
  readonly onPlan?: (sentence: string) => void
  /** Told what is known before any run, in sentences. */
  readonly onFact?: (sentence: string) => void
  /** Told what the user should know, in sentences. */
  readonly onNote?: (sentence: string) => void
}

/** Starts that are wanted although the study has seen enough. */
interface Wanted {
  readonly atLeast?: number
}

/** What a study takes beside its configuration. */
export interface StudyOptions extends SessionOptions {
  /** Directory for study.json, runs/, summary.json; nothing is written without it. */
  readonly out?: string
  /** Replace a study that is there. */
  readonly force?: boolean
  /** Files that the study is read from, beside its data: none of them is ever written. */
  readonly inputs?: readonly string[]
  /** One of several pieces of the study that are run apart and merged afterwards. */
  readonly shard?: Shard
}

const setupOptions = ({ threads, onLoad }: SessionOptions) => ({
  ...(threads === undefined ? {} : { threads }),
  ...(onLoad ? { onLoad } : {})
})

/**
 * Runs a study. Nothing is written when it cannot be done.
 * @param config as in study.yaml; every field but `data` has a default
 * @throws InputError when the configuration or the data are wrong; WorkError when an engine cannot run, or breaks down: the runs that
 * had ended by then are saved in `out`
 */
export async function study(config: StudyInput, options: StudyOptions = {}): Promise<Summary> {
  return runStudy(resolveConfig(config, 'the study'), options)
}

export async function runStudy(config: StudyConfig, options: StudyOptions = {}): Promise<Summary> {
  const { shard } = options
  if (shard) checkSharded(config)
  const setup = await setUp(config, setupOptions(options))
  if (isSeparated(setup.separation)) options.onFact?.(separationFact(setup))
  try {
    checkResampling(setup)
    for (const note of setup.startNotes) options.onNote?.(note)
    const { starts } = setup.config
    if (shard && shard.of > starts.count)
      throw new InputError(
        `${starts.count} starts cannot be shared among ${shard.of} shards; give at most one shard for each start.`
      )
    const range = shard ? shardRange(starts.count, shard) : { first: 0, count: starts.count }
    if (options.out === undefined) return await runOn(setup, range, undefined, options)
    const { csv, parquet, test } = config.data
    const inputs = [
      ...(options.inputs ?? []),
      csv,
      parquet,
      starts.file,
      typeof test === 'object' && 'csv' in test ? test.csv : undefined
    ].filter(v => v !== undefined)
    const plan = checkDisk(options.out, layoutOf(setup), range.count)
    options.onPlan?.(plan)
    const directory = await StudyDirectory.create(
      options.out,
      identityOf(setup),
      recordText(setup, range, shard, options.out),
      {
        force: options.force ?? false,
        inputs
      }
    )
    return await runIn(setup, range, directory, options)
  } finally {
    setup.dispose()
  }
}

/** What going on with a study takes. */
export interface ResumeOptions extends SessionOptions {
  /** Starts in all; more than the study has adds to it. */
  readonly starts?: number
  /** The configuration that the study is thought to have; with it, a directory that is not there is begun. @internal */
  readonly config?: StudyConfig
  /** The piece that the directory is thought to hold. */
  readonly shard?: Shard
  /** Files that the study is read from, beside its data. @internal */
  readonly inputs?: readonly string[]
}

/** The setup of a saved study, on the engine that it was made with. */
export async function setUpAgain(
  directory: string,
  saved: Saved,
  given: StudyConfig | undefined,
  options: SessionOptions
): Promise<Setup> {
  const config = { ...(given ?? saved.config), engine: saved.engine.name as StudyConfig['engine'] }
  const { keep } = saved.config
  const setup = await setUp({ ...config, ...(keep === undefined ? {} : { keep }) }, setupOptions(options))
  try {
    checkSame(directory, saved, setup)
  } catch (error) {
    setup.dispose()
    throw error
  }
  return setup
}

/**
 * Goes on with a study where it stopped; with more starts, adds them.
 * @throws InputError when the directory holds no study, or one of other data or another configuration
 */
export async function resumeStudy(path: string, options: ResumeOptions = {}): Promise<Summary> {
  const { config, shard } = options
  // A task that a cluster starts again does not know whether it has run before.
  if (config && !(await isThere(join(path, studyFile)))) return runStudy(config, { ...options, out: path })
  const saved = await readRecord(path)
  if (shard && (shard.index !== saved.shard?.index || shard.of !== saved.shard.of))
    throw new InputError(
      `${path} holds ${saved.shard ? `shard ${saved.shard.index}/${saved.shard.of}` : 'a whole study'} and not shard ${shard.index}/${shard.of}; give another directory.`
    )
  const { starts = saved.range.count } = options
  if (!saved.shard && starts < saved.range.count)
    throw new InputError(
      `${path} has ${saved.range.count} starts and cannot go on with ${starts}; give at least as many, or another directory with --out.`
    )
  // A task that is started again says the same as before.
  if (saved.shard && options.starts !== undefined && options.starts !== saved.config.starts.count)
    throw new InputError(
      `${path} is shard ${saved.shard.index} of ${saved.shard.of}; merge the shards, then add starts to the whole.`
    )
  const range = saved.shard ? saved.range : { first: 0, count: starts }
  const total = saved.shard ? saved.config.starts.count : starts
  const withStarts = (config: StudyConfig): StudyConfig => ({ ...config, starts: { ...config.starts, count: total } })
  const setup = await setUpAgain(path, saved, withStarts(options.config ?? saved.config), options)
  try {
    if (range.count > saved.range.count) {
      const plan = checkDisk(path, layoutOf(setup), range.count - saved.range.count)
      options.onPlan?.(plan)
    }
    const directory = await StudyDirectory.resume(path, saved.identity)
    for (const sentence of [...directory.said, ...(await directory.verify())]) options.onNote?.(sentence)
    if (range.count > saved.range.count) await directory.write(studyFile, recordText(setup, range, saved.shard, path))
    const more = range.count > saved.range.count
    return await runIn(setup, range, directory, { ...options, ...(more ? { atLeast: range.count } : {}) })
  } finally {
    setup.dispose()
  }
}

/**
 * Sums up what a study directory holds, complete or not, and replaces its summary.
 * @param tolerances those that are to differ from the defaults
 * @throws InputError when the directory holds no study, a part of it is damaged, or its data have changed since
 */
export async function sumUp(
  path: string,
  tolerances: Partial<Tolerances> = {},
  options: SessionOptions = {}
): Promise<Summary> {
  const saved = await readRecord(path)
  const setup = await setUpAgain(path, saved, undefined, options)
  try {
    const directory = await StudyDirectory.resume(path, saved.identity)
    for (const sentence of directory.said) options.onNote?.(sentence)
    return await foldInto(setup, saved.range, directory, tolerances, options)
  } finally {
    setup.dispose()
  }
}

/** Sums up the runs of a directory and closes it. */
export async function foldInto(
  setup: Setup,
  range: Range,
  directory: StudyDirectory,
  tolerances: Partial<Tolerances>,
  options: SessionOptions
): Promise<Summary> {
  const { signal, onProgress } = options
  try {
    const outcome = await runSession(setup, directory.identity, range, directory, {
      storedOnly: true,
      tolerances: { ...defaultTolerances, ...tolerances },
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress } : {})
    })
    if (outcome.runs === 0)
      throw new InputError(
        `${directory.path} holds no runs yet; \`manystart study --resume ${directory.path}\` goes on with it.`
      )
    return await conclude(setup, outcome, directory, options)
  } finally {
    await directory.close()
  }
}

/** The summary of a study directory: the one that is there, where it is that of the runs as they are, or one made of them. */
export async function summaryOf(path: string, options: SessionOptions = {}): Promise<Summary> {
  await readRecord(path)
  const sealed = await readSealed(path)
  const summary = sealed?.isWhole ? (JSON.parse(sealed.text) as Summary) : undefined
  // The checksum says that it is as it was written, by this program or by an older one.
  return summary?.version === summaryVersion ? summary : sumUp(path, {}, options)
}

/** Runs what is missing and sums up. */
async function runOn(
  setup: Setup,
  range: Range,
  directory: StudyDirectory | undefined,
  options: SessionOptions & Wanted
): Promise<Summary> {
  const { lanes, signal, onProgress, onRuns } = options
  const { unseen } = setup.config.stop
  const outcome = await runSession(setup, identityOf(setup), range, directory, {
    ...(lanes === undefined ? {} : { lanes }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
    ...(onRuns ? { onRuns: (rows, layout) => onRuns(endedRuns(rows, layout)) } : {}),
    ...(unseen === undefined ? {} : { unseen }),
    ...(options.atLeast === undefined ? {} : { atLeast: options.atLeast })
  })
  const { failure, runs, requested, enough } = outcome
  // The record says where the study ended, so that whoever goes on with it has nothing left to do.
  if (enough)
    await directory?.write(studyFile, recordText(setup, outcome.folded.range, undefined, directory?.path ?? ''))
  const why = failure?.message.replace(/\.$/, '') ?? ''
  if (runs === 0) {
    await directory?.undo()
    throw failure ?? new WorkError('The study was stopped before its first run had ended, so there is nothing to save.')
  }
  const summary = await conclude(setup, outcome, directory, options)
  if (failure)
    throw new WorkError(
      directory
        ? `${why}; the ${runs} of ${requested} runs that had ended are saved in ${directory.path}.`
        : `${why}; ${runs} of ${requested} runs had ended.`
    )
  return summary
}

async function runIn(
  setup: Setup,
  range: Range,
  directory: StudyDirectory,
  options: SessionOptions & Wanted
): Promise<Summary> {
  try {
    return await runOn(setup, range, directory, options)
  } catch (error) {
    if (!isExhausted(error)) throw error
    throw new WorkError(
      `${exhausted.replace(/\.$/, '')}; what had ended is saved in ${directory.path}, and \`manystart study --resume ${directory.path}\` goes on.`
    )
  } finally {
    await directory.close()
  }
}

const tooLong = (error: unknown): boolean => error instanceof RangeError && /string length/i.test(error.message)

/** Makes the summary and what follows from it, from runs that are safe by now. */
async function conclude(
  setup: Setup,
  outcome: Outcome,
  directory: StudyDirectory | undefined,
  { signal, finish, onStage }: SessionOptions
): Promise<Summary> {
  try {
    onStage?.('the runs have ended; following some of them again')
    // An engine that broke down, or is to stop, cannot run a sample of the starts once more.
    const skipped = outcome.failure !== undefined || signal?.aborted === true
    const { range } = outcome.folded
    const curves = skipped
      ? undefined
      : await convergenceCurves(setup, range, outcome.folded.waterfall[0]?.loss ?? 0, signal)
    const path = skipped ? undefined : await ridgePathOf(setup, signal)
    // Who stopped the search waits for the best of what it found; who stops now has waited long enough.
    const early = signal?.aborted === true
    const stop = early ? undefined : signal
    const summary = await summarize(setup, outcome, {
      name: setup.config.name ?? modelName(setup.model),
      curves,
      ridgePath: path,
      described: early ? together : undefined,
      stop,
      onStage
    })
    const { minima, degenerate, saddles } = summary
    const isWhole = early
      ? outcome.interrupted && [minima, degenerate, saddles].every(list => list.length <= together)
      : !stop?.aborted
    onStage?.('writing the summary and what follows from it')
    if (directory) {
      const { identity } = directory
      const tables = {
        [pointsFile]: encodePoints(identity, outcome.folded.points),
        [distinctFile]: encodeDistinct(identity, setup.names, distinctRows(setup, outcome.folded))
      }
      const text = `${JSON.stringify(summary, null, 2)}\n`
      // A summary that lacks details is made anew whenever it is asked for.
      await directory.sumUp(text, tables, isWhole)
      await finish?.(summary, directory)
    }
    return summary
  } catch (error) {
    if (!directory) throw error
    const why = tooLong(error)
      ? 'it is longer than a text may be here, with so many distinct points; larger tolerances tell fewer apart'
      : error instanceof Error
        ? error.message.replace(/\.$/, '')
        : String(error)
    throw new WorkError(
      `The ${outcome.runs} runs are saved in ${directory.path}, but their summary could not be made (${why}); \`manystart report ${directory.path}\` tries again.`
    )
  }
}

/** That there is no finite minimiser, and what was tried against it. */
function separationFact({ separation: { status, infinite, remedy, firth } }: Setup): string {
  const list = Object.entries(infinite).map(([name, sign]) => `${name} to ${sign > 0 ? '+' : '−'}∞`)
  const helps = [
    ...(remedy ? [`--ridge ${remedy.ridge}${remedy.penalizeBias ? ' --penalize-bias' : ''}`] : []),
    ...(firth ? ['--firth'] : [])
  ]
  return (
    `The data are separated (${status}${list.length > 0 ? `: ${list.join(', ')}` : ''}), so there is no finite minimiser and every run will go on for ever` +
    `${helps.length > 0 ? `; ${helps.join(' and ')} ${helps.length > 1 ? 'were' : 'was'} tried and give${helps.length > 1 ? '' : 's'} one` : ''}.`
  )
}
