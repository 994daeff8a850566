/** Studies side by side in one directory: its record, and the summaries of the studies in it. */
import { readFile, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { InputError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { checkOurs, contrastFile, reportFile, studyFile, summaryFile } from '../runs/directory.js'
import { isThere, makeDirectory, reason, removeEmpty, replaceFile } from '../runs/files.js'
import { summaryOf, type SessionOptions } from './study.js'

const format = 'manystart/contrast'
const schema = z.looseObject({
  format: z.literal(format),
  version: z.literal(2),
  /** Names of the directories of its studies. */
  models: z.array(z.string().regex(/^[a-z0-9-]+$/))
})

/** A directory that holds several studies. */
export interface ContrastDirectory {
  /** Puts a page or a table over all of them in place. */
  write(name: string, text: string): Promise<void>
  /** Takes the record back where no study was begun, and the directory where it was made for it. */
  undo(): Promise<void>
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
  const files = [contrastFile, summaryFile, reportFile].map(name => resolve(directory, name))
  const clash = options.inputs.find(path => files.includes(resolve(path)))
  if (clash !== undefined)
    throw new InputError(
      `${clash} is read by this contrast and would be overwritten in ${directory}; give another directory with --out.`
    )
  let made: string | undefined
  let entries: string[]
  try {
    made = await makeDirectory(resolve(directory))
    entries = await readdir(directory)
  } catch (error) {
    throw new InputError(`The output directory ${directory} cannot be used: ${reason(error)}; give another with --out.`)
  }
  if (entries.length > 0) {
    if (!options.replace)
      throw new InputError(
        `The output directory ${directory} exists and is not empty; give another with --out, or --force to replace the contrast in it.`
      )
    if (!(await checkOurs(join(directory, contrastFile))))
      throw new InputError(
        `${directory} does not hold a contrast of this program, so it is not replaced; give another directory with --out.`
      )
    for (const name of [summaryFile, reportFile])
      if (await checkOurs(join(directory, name))) await rm(join(directory, name))
  }
  const record: z.input<typeof schema> = { format, version: 2, models: [...models] }
  await replaceFile(join(directory, contrastFile), `${JSON.stringify(record, null, 2)}\n`)
  return {
    async write(name, text) {
      await checkOurs(join(directory, name))
      await replaceFile(join(directory, name), text)
    },
    async undo() {
      const begun = (await readdir(directory)).some(name => models.includes(name))
      if (!begun && made !== undefined) await rm(join(directory, contrastFile), { force: true })
      await removeEmpty(directory, made)
    }
  }
}

/** Whether a directory holds several studies. */
export const isContrast = (directory: string): Promise<boolean> => isThere(join(directory, contrastFile))

/** Summaries of the studies of a contrast that have begun. @throws InputError when the record is not whole, or there are none */
export async function contrastSummaries(directory: string, options: SessionOptions = {}): Promise<Summary[]> {
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
  const summaries: Summary[] = []
  for (const model of checked.data.models)
    if (await isThere(join(directory, model, studyFile)))
      summaries.push(await summaryOf(join(directory, model), options))
  if (summaries.length === 0)
    throw new InputError(`${directory} holds a contrast of which no study has begun; run it again with --force.`)
  return summaries
}
