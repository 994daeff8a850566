/** Files of ours are told by what they hold; nothing else is ever replaced. */
import { writeFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InputError } from '../core/errors.js'
import { varianceRecordFormat } from './crossed.js'
import { replaceFile, whyNotWritable } from './files.js'
import { contrastFile, reportFile, studyFile, summaryFile, varianceFile } from './names.js'

/** What a page of this program says in its head. */
export const generatorTag = '<meta name="generator" content="manystart">'

/** How a file of ours is told by what it holds. */
const isOurs: Readonly<Record<string, (text: string) => boolean>> = {
  [studyFile]: text => formatIn(text) === 'manystart/study',
  [contrastFile]: text => formatIn(text) === 'manystart/contrast',
  [varianceFile]: text => formatIn(text) === varianceRecordFormat,
  [summaryFile]: text => /^manystart\/(summary|contrast|variance|comparison)$/.test(String(formatIn(text))),
  [reportFile]: text => text.includes(generatorTag)
}

/** What a file holds; undefined where there is none. @throws InputError where that cannot be told */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new InputError(`${path} cannot be read, so it is not replaced; move it away, or give another with --out.`)
  }
}

/** Whether a file is there. @throws InputError when it is, and is not ours */
export async function checkOurs(path: string): Promise<boolean> {
  const text = await textOf(path)
  if (text === undefined) return false
  if (Object.hasOwn(isOurs, basename(path)) && !isOurs[basename(path)](text))
    throw new InputError(
      `${path} was not written by this program, so it is not replaced; move it away, or give another directory with --out.`
    )
  return true
}

/** Whether there is something of that name that is no plain file, such as a device or a pipe. */
const isSpecial = (path: string): Promise<boolean> =>
  stat(path).then(
    s => !s.isFile() && !s.isDirectory(),
    () => false
  )

/** @throws InputError where a result cannot be written under the name that the user chose: before the work that it takes */
export async function checkPlace(path: string): Promise<void> {
  await checkResult(path)
  if (await isSpecial(path)) return
  const why = whyNotWritable(path)
  if (why !== undefined) throw new InputError(`${path} cannot be written: ${why}; give another with --out.`)
}

/** @throws InputError when there is a file of the name that the user chose for a result, and it is not such a result */
async function checkResult(path: string): Promise<void> {
  if (await isSpecial(path)) return
  const text = await textOf(path)
  if (text === undefined) return
  const isResult = path.endsWith('.html') ? text.includes(generatorTag) : isOfProgram(text)
  if (!isResult)
    throw new InputError(
      `${path} was not written by this program, so it is not replaced; move it away, or give another with --out.`
    )
}

/** Puts a result in place under a name that the user chose. */
export async function writeResult(path: string, text: string): Promise<void> {
  await checkResult(path)
  if (await isSpecial(path)) writeFileSync(path, text)
  else await replaceFile(path, text)
}

/** Files that follow from a study of ours, and its record. */
export async function ourFiles(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const name of [reportFile, summaryFile, studyFile]) if (await checkOurs(join(directory, name))) found.push(name)
  return found
}

/** Whether a text is JSON that says that it is of this program. */
export const isOfProgram = (text: string): boolean => String(formatIn(text)).startsWith('manystart/')

function formatIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { format?: unknown } | null)?.format
  } catch {
    return undefined
  }
}
