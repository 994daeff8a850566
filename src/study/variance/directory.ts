/** The directory of a crossed design: its record, its runs as they end, and what is made of them. */
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError, WorkError } from '../../core/errors.js'
import type { VarianceResult } from '../../core/varianceResult.js'
import { claim, foreign, unusable } from '../../runs/claim.js'
import { checkOurs } from '../../runs/ours.js'
import { decodeCrossed, encodeCrossed, varianceRecordFormat, type CrossedRuns } from '../../runs/crossed.js'
import { crossedPattern, reportFile, runsFolder, summaryFile, varianceFile } from '../../runs/names.js'
import {
  hashOf,
  isThere,
  makeDirectory,
  removeEmpty,
  removeTemporaries,
  replaceFile,
  setAside,
  Staged
} from '../../runs/files.js'
import { acquireLock, type Lock } from '../../runs/lock.js'
import { identityOf, recordText, savedFrom, type Saved } from '../record.js'
import type { Setup } from '../setup.js'
import type { Design, Raw } from './design.js'
import type { Kept } from './runs.js'

const recordVersion = 1
const whole = z.number().int().min(1)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const schema = z.looseObject({
  format: z.literal(varianceRecordFormat),
  version: z.literal(recordVersion),
  /** Checksum of the summary of all these runs; absent until it is there. */
  summary: digest.optional(),
  variance: z.object({ orders: whole, resamples: whole, resampling: z.string() }),
  study: z.record(z.string(), z.unknown())
})

/** A crossed design as its record tells it. */
export interface SavedVariance {
  readonly saved: Saved
  readonly variance: { readonly orders: number; readonly resamples: number; readonly resampling: string }
  /** Checksum of the summary of all these runs, where there is one. */
  readonly summary?: string | undefined
}

/** Which of the two models runs belong to. */
export type Side = 'model' | 'twin'

const partName = (side: Side, number: number): string => `${side}-${String(number).padStart(6, '0')}.parquet`

/** Whether a directory holds a crossed design. */
export const isVariance = (directory: string): Promise<boolean> => isThere(join(directory, varianceFile))

/** @throws InputError when the record is missing or not whole */
export async function readVariance(directory: string): Promise<SavedVariance> {
  const path = join(directory, varianceFile)
  let raw: unknown
  try {
    raw = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw new InputError(
      `${directory} holds no ${varianceFile} that can be read; give the directory of \`manystart variance\`.`
    )
  }
  const checked = schema.safeParse(raw)
  if (!checked.success)
    throw new InputError(
      `${checked.error.issues[0].path.map(String).join('.') || 'format'} in ${path} is missing or wrong; restore the file, or begin another directory.`
    )
  const { study, variance, summary } = checked.data
  return { saved: savedFrom(study, path, directory), variance, summary }
}

/** The result of the runs that the record tells of; undefined where there is none yet, or it has been touched. */
export async function sealedVariance(directory: string): Promise<VarianceResult | undefined> {
  const { summary } = await readVariance(directory)
  const text = await readFile(join(directory, summaryFile)).catch(() => undefined)
  return text !== undefined && hashOf(text) === summary
    ? (JSON.parse(text.toString('utf8')) as VarianceResult)
    : undefined
}

/** What all runs of a model follow from; more starts change nothing of those that are there. */
const runsIdentity = (setup: Setup, { levels: [, orders, resamples], how }: Design): string =>
  hashOf(JSON.stringify([identityOf(setup), orders, resamples, how]))

const textOf = (setup: Setup, { levels, given }: Design, directory: string, summary?: string): string => {
  const [starts, orders, resamples] = levels
  const record: z.input<typeof schema> = {
    format: varianceRecordFormat,
    version: recordVersion,
    ...(summary === undefined ? {} : { summary }),
    variance: { orders, resamples, resampling: given },
    study: JSON.parse(recordText(setup, { first: 0, count: starts }, undefined, directory)) as Raw
  }
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Parts of a side in a directory, the oldest first. */
async function partsOf(directory: string, side: Side): Promise<string[]> {
  const names = await readdir(join(directory, runsFolder)).catch(() => [])
  return names.filter(name => crossedPattern.exec(name)?.[1] === side).sort()
}

/** The runs of one side that a directory holds; those in damaged files count for nothing, of which `onDamaged` is told. */
export async function storedRuns(
  directory: string,
  side: Side,
  setup: Setup,
  design: Design,
  onDamaged?: (name: string, sentence: string) => Promise<void> | void
): Promise<CrossedRuns[]> {
  const identity = runsIdentity(setup, design)
  const list: CrossedRuns[] = []
  for (const name of await partsOf(directory, side)) {
    const path = join(directory, runsFolder, name)
    const part = await decodeCrossed(await readFile(path), identity, setup.names)
    if (part) list.push(part)
    else await onDamaged?.(name, `${path} is damaged or of other runs, and counts for nothing.`)
  }
  return list
}

export interface CreateOptions {
  /** Replace a design of ours that is there. */
  readonly force?: boolean
  /** Files that are read: none of them is ever written. */
  readonly inputs?: readonly string[]
}

/** A directory that this process writes. */
export class VarianceDirectory {
  private constructor(
    readonly path: string,
    private readonly lock: Lock,
    private readonly made: string | undefined
  ) {}

  /** @throws InputError when the directory holds anything and is not to be replaced, or cannot be written */
  static async create(setup: Setup, design: Design, path: string, options: CreateOptions): Promise<VarianceDirectory> {
    const { force = false, inputs = [] } = options
    const own = [varianceFile, summaryFile, reportFile, runsFolder]
    const { made, replaces } = await claim(path, { kind: 'result', own, inputs, force, resumes: true })
    if (replaces && !(await checkOurs(join(path, varianceFile)))) throw foreign(path, 'such a result')
    const lock = await acquireLock(path)
    let record: Staged | undefined
    try {
      // On the disk before anything of what it replaces is gone.
      record = await Staged.write(join(path, varianceFile), textOf(setup, design, path))
      for (const name of [reportFile, summaryFile]) if (await checkOurs(join(path, name))) await rm(join(path, name))
      for (const side of ['model', 'twin'] as const)
        for (const name of await partsOf(path, side)) await rm(join(path, runsFolder, name))
      // The record first: with it the directory is known as ours, and can be gone on with.
      await record.place()
      await this.prepare(path)
    } catch (error) {
      record?.drop()
      await lock.release()
      await removeEmpty(path, made).catch(() => undefined)
      if (error instanceof InputError || error instanceof WorkError) throw error
      throw unusable(path, error)
    }
    return new VarianceDirectory(path, lock, made)
  }

  /** The folder of the runs, without what a kill has left under a temporary name. */
  private static async prepare(path: string): Promise<void> {
    await makeDirectory(join(path, runsFolder))
    for (const folder of [path, join(path, runsFolder)]) await removeTemporaries(folder)
  }

  /** Goes on with what a directory holds. @throws InputError while another process writes it */
  static async resume(setup: Setup, design: Design, path: string): Promise<VarianceDirectory> {
    const lock = await acquireLock(path)
    const directory = new VarianceDirectory(path, lock, undefined)
    try {
      await this.prepare(path)
      // The summary stays that of the runs where none are added; the same runs made again are the same.
      const { saved, summary } = await readVariance(path)
      const same = saved.config.starts.count === design.levels[0]
      await directory.write(varianceFile, textOf(setup, design, path, same ? summary : undefined))
    } catch (error) {
      await lock.release()
      throw error
    }
    return directory
  }

  /** Sentences for the user about what was found. */
  get said(): readonly string[] {
    return this.lock.takenOver === undefined ? [] : [this.lock.takenOver]
  }

  /** Where the runs of one side are kept, with those that are there. */
  async kept(side: Side, setup: Setup, design: Design, onNote?: (sentence: string) => void): Promise<Kept> {
    const known = await storedRuns(this.path, side, setup, design, async (name, sentence) => {
      const kept = await setAside(join(this.path, runsFolder), name)
      onNote?.(kept === undefined ? sentence : `${sentence} It is kept as ${kept}.`)
    })
    const names = await partsOf(this.path, side)
    let next = 1 + Math.max(0, ...names.map(name => Number(crossedPattern.exec(name)![2])))
    const identity = runsIdentity(setup, design)
    return {
      known,
      keep: async runs => {
        this.lock.check()
        await replaceFile(
          join(this.path, runsFolder, partName(side, next++)),
          encodeCrossed(identity, setup.names, runs)
        )
      }
    }
  }

  /** Puts the summary of all runs of the design in place. */
  async sumUp(setup: Setup, design: Design, result: VarianceResult): Promise<void> {
    const text = `${JSON.stringify(result, null, 2)}\n`
    await this.write(summaryFile, text)
    await this.write(varianceFile, textOf(setup, design, this.path, hashOf(text)))
  }

  async write(name: string, text: string): Promise<void> {
    this.lock.check()
    await checkOurs(join(this.path, name))
    await replaceFile(join(this.path, name), text)
  }

  /** Ends the writing; a directory that was made for it and holds no run is removed. */
  async close(): Promise<void> {
    await this.lock.release()
    if (this.made === undefined || (await readdir(join(this.path, runsFolder)).catch(() => ['?'])).length > 0) return
    await rm(join(this.path, runsFolder), { recursive: true })
    await rm(join(this.path, varianceFile), { force: true })
    await removeEmpty(this.path, this.made)
  }
}
