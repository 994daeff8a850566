/** Claims directories for what this program writes. No file that is read is written, and what else is in a directory stays. */
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InputError } from '../core/errors.js'
import { makeDirectory, realPath, reason } from './files.js'
import { isTemporary, lockFile } from './names.js'

export interface ClaimOptions {
  /** What it is for, as in "the study in it". */
  readonly kind: 'study' | 'contrast' | 'result'
  /** Names of the files and folders in it that are written. */
  readonly own: readonly string[]
  /** Files that are read. */
  readonly inputs: readonly string[]
  readonly force: boolean
  /** Whether --resume goes on with such a thing. */
  readonly resumes: boolean
  /** Whether there is nothing in the directory that counts; default: nothing but a lock and what kills leave. */
  readonly isEmpty?: (path: string) => Promise<boolean>
}

/** What a claim has found. */
export interface Claim {
  /** The topmost directory that was made. */
  readonly made: string | undefined
  /** Whether something is there, which the caller sees to be ours. */
  readonly replaces: boolean
}

const hasNoFiles = async (path: string): Promise<boolean> =>
  (await readdir(path)).every(name => name === lockFile || isTemporary(name))

/** The first input that is, or lies under, one of the names in a directory; whatever links lead there. */
async function inputAmong(
  inputs: readonly string[],
  path: string,
  own: readonly string[]
): Promise<string | undefined> {
  const directory = await realPath(path)
  const paths = own.flatMap(name => [join(directory, name), resolve(path, name)])
  for (const input of inputs)
    for (const at of [resolve(input), await realPath(input)])
      if (paths.some(p => at === p || at.startsWith(`${p}/`))) return input
  return undefined
}

/** Why an output directory cannot be used. */
export const unusable = (path: string, error: unknown): InputError =>
  new InputError(`The output directory ${path} cannot be used: ${reason(error)}; give another with --out.`)

/** @throws InputError when the directory holds anything and is not to be replaced, cannot be made, or holds a file that is read */
export async function claim(path: string, options: ClaimOptions): Promise<Claim> {
  const { kind, own, inputs, force, resumes, isEmpty = hasNoFiles } = options
  const clash = await inputAmong(inputs, path, own)
  if (clash !== undefined) {
    const reader = kind === 'result' ? '' : ` by this ${kind}`
    throw new InputError(
      `${clash} is read${reader} and would be overwritten in ${path}; give another directory with --out.`
    )
  }
  let made: string | undefined
  let replaces: boolean
  try {
    made = await makeDirectory(resolve(path))
    replaces = !(await isEmpty(path))
  } catch (error) {
    throw unusable(path, error)
  }
  if (replaces && !force) {
    const ways = resumes
      ? `, --force to replace the ${kind} in it, or --resume ${path} to go on with it`
      : `, or --force to replace the ${kind} in it`
    throw new InputError(`The output directory ${path} exists and is not empty; give another with --out${ways}.`)
  }
  return { made, replaces }
}

/** What is said of a directory that holds something else. */
export const foreign = (path: string, what: string): InputError =>
  new InputError(
    `${path} does not hold ${what} of this program, so it is not replaced; give another directory with --out.`
  )
