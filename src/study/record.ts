/** What `study.json` holds: all that is needed to repeat every run, and what tells one study from another. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError } from '../core/errors.js'
import { shownValue } from '../core/printable.js'
import type { SearchPrecision } from '../engines/types.js'
import { studyFile } from '../runs/names.js'
import type { Range } from '../runs/part.js'
import { judgeChoice } from './choice.js'
import { resolveConfig, studyFormat, type StudyConfig } from './config.js'
import { openedPath, openedPaths, storedPath, storedPaths } from './dataPaths.js'
import type { Setup } from './setup.js'
import { version } from '../core/version.js'

const studyVersion = 2
const whole = z.number().int().nonnegative()

const schema = z.looseObject({
  format: z.literal(studyFormat),
  version: z.literal(studyVersion),
  identity: z.string().regex(/^[0-9a-f]{64}$/),
  config: z.record(z.string(), z.unknown()),
  /** The starts that this directory is for: all, or those of a shard. */
  starts: z.object({ first: whole, count: whole.min(1) }),
  shard: z.object({ index: whole, of: whole }).optional(),
  dataHash: z.string(),
  versions: z.looseObject({ manystart: z.string() }),
  engine: z.looseObject({ name: z.string(), precision: z.enum(['f64', 'f32', 'mixed']), device: z.string() })
})

/** One of the pieces of a study that are run apart: `index` of 1 … `of`. */
export interface Shard {
  /** Which of them, from 1. */
  readonly index: number

  /** How many there are. */
  readonly of: number
}

/** @throws InputError for a study that shards do not see enough of */
export function checkSharded(config: StudyConfig): void {
  if (config.stop.unseen !== undefined)
    throw new InputError('stop.unseen ends a study by all of its runs, which a shard does not see; leave one of them.')
  if (judgeChoice(config).choose === 'best')
    throw new InputError(
      'judge: best takes the best runs of each part, and shards end within parts; run the study whole, or give judge: sample.'
    )
}

/** The starts of a shard. */
export function shardRange(count: number, { index, of }: Shard): Range {
  const border = (i: number): number => Number((BigInt(count) * BigInt(i)) / BigInt(of))
  return { first: border(index - 1), count: border(index) - border(index - 1) }
}

/** A study as its record tells it. */
export interface Saved {
  readonly identity: string
  readonly config: StudyConfig
  /** As it stands in the file. */
  readonly raw: Record<string, unknown>
  readonly range: Range
  readonly shard?: Shard
  readonly dataHash: string
  /** Of this program. */
  readonly program: string
  readonly engine: { readonly name: string; readonly precision: SearchPrecision }
}

/** The configuration that repeats the runs of a saved study, on the engine that it was made with. */
export const configAgain = ({ config, engine }: Saved): StudyConfig => ({
  ...config,
  engine: engine.name as StudyConfig['engine']
})

/** The configuration as resolved for the data: what every run follows from. */
function resolved(setup: Setup): StudyConfig {
  const { config, data, optimizer, steps } = setup
  return {
    ...config,
    model: {
      ...config.model,
      ...(config.model.objective === undefined ? { loss: config.model.loss ?? data.loss } : {})
    },
    precision: setup.precision,
    optimizer,
    stop: { ...config.stop, steps },
    keep: setup.keep
  }
}

/** The configuration as a study file says it. */
function asFile({ model, ...rest }: StudyConfig): Record<string, unknown> {
  const { ridgePath, ...own } = model
  const config = { ...rest, model: { ...own, ...(ridgePath === undefined ? {} : { ridge: ridgePath }) } }
  const { optimizer } = rest
  if (!optimizer) return config
  const { name, options, batch } = optimizer
  return {
    ...config,
    optimizer: { [name]: { ...options, ...(batch ? { batchSize: batch.size, order: batch.order } : {}) } }
  }
}

/** Everything that a run's result follows from, as fields with dots; where the data lie and how many starts there are is no part of it. */
function fieldsOf(config: StudyConfig, dataHash: string, engine: string, program: string): Map<string, string> {
  const { data, starts, stop, model, optimizer, precision } = config
  // Where the data lie, and those given as values, are told by their hash.
  const { test, ...source } = data
  const elsewhere = ['csv', 'parquet', 'builtin', 'rows', 'columns', 'hash']
  const readAs = Object.fromEntries(Object.entries(source).filter(([name]) => !elsewhere.includes(name)))
  // Starts of a file are told by their hash.
  const { count: _, file: __, ...drawn } = starts
  const { steps, gradient } = stop
  const fields = new Map<string, string>()
  const flatten = (value: unknown, path: string): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      for (const key of Object.keys(value).sort())
        flatten((value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`)
    else if (value !== undefined) fields.set(path, JSON.stringify(value))
  }
  const split = typeof test === 'object' && 'csv' in test ? undefined : test
  flatten({ data: { ...readAs, test: split }, model, starts: drawn, optimizer, stop: { steps, gradient } }, '')
  flatten({ 'the data': dataHash, engine, precision, 'the version of manystart': program }, '')
  return fields
}

/** What the runs of a saved study follow from, by the names that messages use. */
export const recordFields = ({ config, dataHash, engine, program }: Saved): ReadonlyMap<string, string> =>
  fieldsOf(config, dataHash, engine.name, program)

const hashOf = (fields: Map<string, string>): string =>
  createHash('sha256')
    .update(JSON.stringify([...fields].sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')

/** The name of a study by what its runs follow from: two studies of one identity have the same runs. */
export const identityOf = (setup: Setup): string =>
  hashOf(fieldsOf(resolved(setup), setup.data.hash, setup.engine.name, version))

/** The text of `study.json`. */
export function recordText(setup: Setup, range: Range, shard: Shard | undefined, directory: string): string {
  const { engine } = setup
  const config = resolved(setup)
  // What the data were expected to be is of no account any more: `dataHash` says what they were.
  const { hash: _, ...data } = config.data
  const record: z.input<typeof schema> = {
    format: studyFormat,
    version: studyVersion,
    identity: identityOf(setup),
    config: asFile({
      ...config,
      data: storedPaths(data, directory),
      starts: movedStarts(config.starts, path => storedPath(path, directory))
    }),
    starts: { first: range.first, count: range.count },
    ...(shard ? { shard: { ...shard } } : {}),
    dataHash: setup.data.hash,
    preprocessing: { ...setup.data.preprocessing, ...(setup.frame.centring ? { centring: setup.frame.centring } : {}) },
    versions: { manystart: version, node: process.version },
    engine: {
      name: engine.name,
      precision: setup.precision,
      device: engine.device,
      threads: engine.threads,
      why: setup.why
    }
  }
  return `${JSON.stringify(record, null, 2)}\n`
}

const movedStarts = (starts: StudyConfig['starts'], move: (path: string) => string): StudyConfig['starts'] => ({
  ...starts,
  ...(starts.file === undefined ? {} : { file: move(starts.file) })
})

const openedConfig = (config: StudyConfig, directory: string): StudyConfig => ({
  ...config,
  data: openedPaths(config.data, directory),
  starts: movedStarts(config.starts, path => openedPath(path, directory))
})

/** @throws InputError when the directory holds no record of a study, or one that is not whole */
export async function readRecord(directory: string): Promise<Saved> {
  const path = join(directory, studyFile)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new InputError(`${directory} holds no ${studyFile}; give the directory of a study.`)
  }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new InputError(`${path} is not valid JSON; restore it, or run the study again.`)
  }
  return savedFrom(raw, path, directory)
}

/**
 * A study as its record tells it.
 * @param path what to call the record in messages
 * @param directory that paths in it are relative to
 * @throws InputError when it is no record of a study, or not whole
 */
export function savedFrom(raw: unknown, path: string, directory: string): Saved {
  const checked = schema.safeParse(raw)
  if (!checked.success) {
    const [issue] = checked.error.issues
    const field = issue.path.map(String).join('.')
    const { format, version: found } = (raw ?? {}) as { format?: unknown; version?: unknown }
    if (format !== studyFormat)
      throw new InputError(`${path} is not the record of a study of this program; give the directory of a study.`)
    if (found !== studyVersion)
      throw new InputError(
        `${path} has version ${shownValue(found)} of the format; this program reads version ${studyVersion}, so run the study again.`
      )
    throw new InputError(`${field} in ${path} is missing or wrong; restore the file, or run the study again.`)
  }
  const { identity, config, starts, shard, dataHash, engine, versions } = checked.data
  return {
    identity,
    config: openedConfig(resolveConfig(config, path), directory),
    raw: config,
    range: starts,
    dataHash,
    program: versions.manystart,
    engine,
    ...(shard ? { shard } : {})
  }
}

/**
 * Checks that a setup repeats the runs of a saved study.
 * @throws InputError that names the first field which differs
 */
export function checkSame(directory: string, saved: Saved, setup: Setup): void {
  if (identityOf(setup) === saved.identity) return
  const now = fieldsOf(resolved(setup), setup.data.hash, setup.engine.name, version)
  const then = fieldsOf(saved.config, saved.dataHash, saved.engine.name, saved.program)
  const field = [...new Set([...then.keys(), ...now.keys()])].find(name => then.get(name) !== now.get(name))
  if (field === 'the data')
    throw new InputError(
      `The data ${setup.data.name} have changed since ${directory} was made, so its runs cannot be repeated; restore the file, or begin another study.`
    )
  const show = (fields: Map<string, string>): string => (field === undefined ? '' : (fields.get(field) ?? 'not set'))
  throw new InputError(
    field === undefined
      ? `${join(directory, studyFile)} does not agree with its own identity; restore the file.`
      : `${field} is ${show(then)} in ${directory} and ${show(now)} now; a study goes on as it began, so give that value again or begin another study.`
  )
}
