/** Studies side by side in one directory: its record, and the summaries of the studies in it. */
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { contrastFormat } from '../core/contrastResult.js'
import { InputError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { checkOurs } from '../runs/ours.js'
import { contrastFile, reportFile, studyFile, summaryFile } from '../runs/names.js'
import { claim, foreign } from '../runs/claim.js'
import { isThere, removeEmpty, removeTemporaries, replaceFile } from '../runs/files.js'
import { acquireLock, type Lock } from '../runs/lock.js'
import { readList } from '../runs/list.js'
import type { VarianceResult } from '../core/varianceResult.js'
import { crossedKey } from './contrast.js'
import { summaryOf, type SessionOptions } from './study.js'
import { sealedVariance } from './variance/directory.js'

const directoryName = z.string().regex(/^[a-z0-9-]+$/)
const schema = z.looseObject({
  format: z.literal(contrastFormat),
  version: z.literal(2),
  /** Names of the directories of its studies. */
  models: z.array(directoryName),
  /** The same of the first of them on rows that it separates; absent until they are there. */
  separated: z.array(directoryName).optional()
})

/** A directory that holds several studies. */
export interface ContrastDirectory {
  /** Enters studies of the first model on rows that it separates, which are there by now. */
  enter(separated: readonly string[]): Promise<void>
  /** Puts a page or a table over all of them in place. */
  write(name: string, text: string): Promise<void>
  /** Sentences for the user about what was found. */
  readonly said: readonly string[]
  /** Takes the record back where no study was begun, and the directory where it was made for it. */
  undo(): Promise<void>
  /** Lets other processes have the directory. */
  close(): Promise<void>
}

/** Takes away what tells of an earlier contrast, so that none of its studies passes for one of this; their runs stay until they are replaced. */
async function forgetEarlier(directory: string, models: readonly string[]): Promise<void> {
  const tells: readonly (readonly [string, readonly string[]])[] = [
    ...models.map(name => [name, [reportFile, summaryFile, studyFile]] as const),
    [crossedKey, [reportFile, summaryFile]]
  ]
  const locks: Lock[] = []
  const gone: string[] = []
  try {
    for (const [name, files] of tells) {
      const path = join(directory, name)
      if (!(await isThere(path))) continue
      locks.push(await acquireLock(path))
      for (const file of files) if (await checkOurs(join(path, file))) gone.push(join(path, file))
    }
    for (const path of gone) await rm(path)
  } finally {
    for (const lock of locks) await lock.release()
  }
}

/**
 * Claims a directory for the studies of a contrast.
 * @param replace whether a contrast that is there may be replaced
 * @throws InputError when the directory holds anything else
 */
export async function claimContrast(
  directory: string,
  models: readonly string[],
  options: { readonly replace: boolean; readonly inputs: readonly string[] }
): Promise<ContrastDirectory> {
  const { inputs, replace } = options
  const own = [contrastFile, summaryFile, reportFile]
  const { made, replaces } = await claim(directory, { kind: 'contrast', own, inputs, force: replace, resumes: false })
  if (replaces && !(await checkOurs(join(directory, contrastFile)))) throw foreign(directory, 'a contrast')
  const lock = await acquireLock(directory)
  const record: z.input<typeof schema> = { format: contrastFormat, version: 2, models: [...models] }
  const save = (more: Partial<typeof record>): Promise<void> =>
    replaceFile(join(directory, contrastFile), `${JSON.stringify({ ...record, ...more }, null, 2)}\n`)
  try {
    for (const name of [summaryFile, reportFile])
      if (await checkOurs(join(directory, name))) await rm(join(directory, name))
    await removeTemporaries(directory)
    if (replaces) await forgetEarlier(directory, models)
    await save({})
  } catch (error) {
    await lock.release()
    await removeEmpty(directory, made).catch(() => undefined)
    throw error
  }
  return {
    said: lock.takenOver === undefined ? [] : [lock.takenOver],
    enter: separated => save({ separated: [...separated] }),
    async write(name, text) {
      lock.check()
      await checkOurs(join(directory, name))
      await replaceFile(join(directory, name), text)
    },
    async undo() {
      const begun = (await readdir(directory)).some(name => models.includes(name))
      if (!begun && made !== undefined) await rm(join(directory, contrastFile), { force: true })
      await lock.release()
      await removeEmpty(directory, made)
    },
    close: () => lock.release()
  }
}

/** Whether a directory holds several studies. */
export const isContrast = (directory: string): Promise<boolean> => isThere(join(directory, contrastFile))

/** Summaries of studies side by side. */
export interface ContrastSummaries {
  /** Of the models, the convex one first. */
  readonly models: Summary[]
  /** Of the first on rows that it separates, without and with a ridge; may be none. */
  readonly separated: Summary[]
}

/** Whether a study has begun and some of its runs have ended. */
const hasRuns = async (path: string): Promise<boolean> =>
  (await isThere(join(path, studyFile))) &&
  readList(path).then(
    ({ parts, open }) => parts.length + open.length > 0,
    // What is wrong is said by who reads it.
    () => true
  )

/** Summaries of the studies of a contrast that have runs. @throws InputError when the record is not whole, or there are none */
export async function contrastSummaries(directory: string, options: SessionOptions = {}): Promise<ContrastSummaries> {
  const path = join(directory, contrastFile)
  let raw: unknown
  try {
    raw = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw new InputError(`${path} is not valid JSON; restore it, or run the contrast again.`)
  }
  const checked = schema.safeParse(raw)
  if (!checked.success)
    throw new InputError(
      `${checked.error.issues[0].path.map(String).join('.') || 'format'} in ${path} is missing or wrong; restore the file, or run the contrast again.`
    )
  const summariesOf = async (names: readonly string[]): Promise<Summary[]> => {
    const summaries: Summary[] = []
    for (const name of names)
      if (await hasRuns(join(directory, name))) summaries.push(await summaryOf(join(directory, name), options))
    return summaries
  }
  const { models, separated = [] } = checked.data
  const found = { models: await summariesOf(models), separated: await summariesOf(separated) }
  if (found.models.length === 0)
    throw new InputError(`${directory} holds a contrast of which no run has ended; run it again with --force.`)
  return found
}

/** Why the runs of a contrast differ, where that was asked and has ended. */
export async function savedVariance(directory: string): Promise<VarianceResult | undefined> {
  try {
    return await sealedVariance(join(directory, crossedKey))
  } catch {
    return undefined
  }
}
