/** A directory that holds a result alone: its summary.json and its report.html. */
import { readFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InputError } from '../core/errors.js'
import { checkOurs, reportFile, summaryFile } from '../runs/directory.js'
import { makeDirectory, reason, removeEmpty, replaceFile } from '../runs/files.js'

export interface ResultDirectory {
  write(name: string, text: string): Promise<void>
  /** Removes the directory where it was made for the result and holds nothing. */
  undo(): Promise<void>
}

/** Whether the summary in a directory is of a format. */
export async function holdsResult(directory: string, format: string): Promise<boolean> {
  try {
    const { format: found } = JSON.parse(await readFile(join(directory, summaryFile), 'utf8')) as { format?: unknown }
    return found === format
  } catch {
    return false
  }
}

/** @throws InputError when the directory holds anything else, or the same kind of result without `force` */
export async function claimResult(
  directory: string,
  format: string,
  { force, inputs }: { readonly force: boolean; readonly inputs: readonly string[] }
): Promise<ResultDirectory> {
  const files = [summaryFile, reportFile]
  const clash = inputs.find(path => files.some(name => resolve(directory, name) === resolve(path)))
  if (clash !== undefined)
    throw new InputError(
      `${clash} is read and would be overwritten in ${directory}; give another directory with --out.`
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
    if (!force)
      throw new InputError(
        `The output directory ${directory} exists and is not empty; give another with --out, or --force to replace the result in it.`
      )
    if (!(await holdsResult(directory, format)))
      throw new InputError(
        `${directory} does not hold such a result of this program, so it is not replaced; give another directory with --out.`
      )
  }
  return {
    async write(name, text) {
      await checkOurs(join(directory, name))
      await replaceFile(join(directory, name), text)
    },
    undo: () => removeEmpty(directory, made)
  }
}
