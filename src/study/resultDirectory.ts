/** A directory that holds a result alone: its summary.json and its report.html. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claim, foreign } from '../runs/claim.js'
import { checkOurs } from '../runs/ours.js'
import { reportFile, summaryFile } from '../runs/names.js'
import { removeEmpty, replaceFile } from '../runs/files.js'

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
  const own = [summaryFile, reportFile]
  const { made, replaces } = await claim(directory, { kind: 'result', own, inputs, force, resumes: false })
  if (replaces && !(await holdsResult(directory, format))) throw foreign(directory, 'such a result')
  return {
    async write(name, text) {
      await checkOurs(join(directory, name))
      await replaceFile(join(directory, name), text)
    },
    undo: () => removeEmpty(directory, made)
  }
}
