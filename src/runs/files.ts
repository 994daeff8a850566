/** Files that are whole or not there: written under a temporary name that follows no link, brought to the disk, then renamed. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { copyFile, mkdir, readFile, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { WorkError } from '../core/errors.js'
import { asideFolder, isTemporary, temporaryOf } from './names.js'

/** Checksum of a file's content, in hexadecimal digits. */
export const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Why a file cannot be had, in words. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'it is not writable'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in the way'
  if (code === 'ENOENT') return 'nothing can be made there'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full'
  if (code === 'EFBIG') return 'a file may not be so large here'
  return code || (error instanceof Error ? error.message : String(error))
}

const temporaryName = (path: string): string => join(dirname(path), temporaryOf(basename(path)))

/** Creates a file that must not be there, not even as a link to elsewhere. */
export const createFlags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW

const toDisk = promisify(fsync)

/** What is in the way of a file that must not be there, as a kill leaves it, is removed. */
function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    rmSync(path, { force: true })
    return openSync(path, flags)
  }
}

/**
 * Opens a file, uses it, and brings it to the disk. Only that is waited for elsewhere: each other call takes less time than its way to a
 * thread and back.
 */
async function used(path: string, flags: number, use: (file: number) => void): Promise<void> {
  const file = opened(path, flags)
  try {
    use(file)
    await toDisk(file)
  } finally {
    closeSync(file)
  }
}

/** Brings the names in a directory to the disk, where the file system can. */
export async function syncDirectory(directory: string): Promise<void> {
  const file = openSync(directory, constants.O_RDONLY)
  try {
    await toDisk(file)
  } catch {
    // Some file systems cannot; their names are as safe as they make them.
  } finally {
    closeSync(file)
  }
}

/** A file that is on the disk under a temporary name and not in its place yet. */
export class Staged {
  private constructor(
    private readonly path: string,
    private readonly temporary: string
  ) {}

  /** @throws WorkError when it cannot be written */
  static write(path: string, data: string | Uint8Array): Promise<Staged> {
    return this.made(path, temporary => used(temporary, createFlags, file => writeFileSync(file, data)))
  }

  /** @throws WorkError when it cannot be read or written */
  static copy(from: string, path: string): Promise<Staged> {
    return this.made(path, async temporary => {
      await copyFile(from, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await used(temporary, constants.O_RDWR | constants.O_NOFOLLOW, () => undefined)
    })
  }

  private static async made(path: string, make: (temporary: string) => Promise<void>): Promise<Staged> {
    const staged = new Staged(path, temporaryName(path))
    try {
      await make(staged.temporary)
    } catch (error) {
      throw staged.failed(error)
    }
    return staged
  }

  /** What was written. */
  read(): Promise<Buffer> {
    return readFile(this.temporary)
  }

  /** Takes its place in one step. @throws WorkError when it cannot; what was there before stays */
  async place(): Promise<void> {
    try {
      renameSync(this.temporary, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** Takes its place where nothing is, not even a link. @returns false where something is, which stays @throws as `place` */
  async placeNew(): Promise<boolean> {
    try {
      linkSync(this.temporary, this.path)
    } catch {
      // It is there, or the file system has no links.
      if (lstatSync(this.path, { throwIfNoEntry: false }) === undefined) {
        await this.place()
        return true
      }
      this.drop()
      return false
    }
    this.drop()
    await syncDirectory(dirname(this.path))
    return true
  }

  drop(): void {
    try {
      rmSync(this.temporary, { force: true })
    } catch {
      // Whoever has the directory next removes it.
    }
  }

  private failed(error: unknown): WorkError {
    this.drop()
    return new WorkError(
      `${this.path} cannot be written: ${reason(error)}; free some space, or make the directory writable again.`
    )
  }
}

/** Puts a file in place in one step. @throws WorkError when it cannot be written; what was there before stays */
export async function replaceFile(path: string, data: string | Uint8Array): Promise<void> {
  const staged = await Staged.write(path, data)
  await staged.place()
}

/** Puts a file where nothing is, in one step. @returns false where something is, which stays @throws as `replaceFile` */
export async function createFile(path: string, data: string | Uint8Array): Promise<boolean> {
  const staged = await Staged.write(path, data)
  return staged.placeNew()
}

/** Whether a file could be put in place now: the reason where it could not. */
export function whyNotWritable(path: string): string | undefined {
  const temporary = temporaryName(path)
  try {
    closeSync(opened(temporary, createFlags))
    rmSync(temporary)
    return undefined
  } catch (error) {
    return reason(error)
  }
}

/** Whether the last line of an open file is cut short, as by a full disk or a kill. */
function endsWithinLine(file: number): boolean {
  const last = Buffer.alloc(1)
  const { size } = fstatSync(file)
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== '\n'
}

/** Adds a line to a file that is there; what there is of a line before it stays a line of its own. */
export async function appendLine(path: string, line: string): Promise<void> {
  try {
    await used(path, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW, file =>
      writeFileSync(file, `${endsWithinLine(file) ? '\n' : ''}${line}\n`)
    )
  } catch (error) {
    throw new WorkError(
      `${path} cannot be written: ${reason(error)}; free some space, or make the directory writable again.`
    )
  }
}

/** Puts a file of runs that is not as it was written out of the way. @returns where to; undefined where that cannot be done */
export async function setAside(runs: string, name: string): Promise<string | undefined> {
  const path = join(runs, asideFolder, `${Date.now()}-${name}`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await rename(join(runs, name), path)
    return path
  } catch {
    return undefined
  }
}

/** Removes what a kill has left in a directory under temporary names of ours, of which its writer needs none. */
export async function removeTemporaries(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => []))
    if (isTemporary(name)) await rm(join(directory, name), { force: true }).catch(() => undefined)
}

/** Whether there is something of that name, a broken link included. */
export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/** Where a name leads when all links have been followed; what is not there stands where it would be. */
export async function realPath(path: string): Promise<string> {
  const whole = resolve(path)
  try {
    return await realpath(whole)
  } catch {
    const above = dirname(whole)
    return above === whole ? whole : join(await realPath(above), basename(whole))
  }
}

/**
 * Makes a directory and its parents, and returns the topmost that was not there. Node's own `recursive` never returns where a file
 * system says that a directory in an existing parent does not exist, as /proc does.
 */
export async function makeDirectory(directory: string): Promise<string | undefined> {
  if (await isThere(directory)) return undefined
  const above = await makeDirectory(dirname(directory))
  await mkdir(directory)
  return above ?? directory
}

/** Removes `directory` and its parents down from `top`, as far as they are empty. */
export async function removeEmpty(directory: string, top: string | undefined): Promise<void> {
  if (top === undefined) return
  for (let at = resolve(directory); await isThere(at); at = dirname(at)) {
    if ((await readdir(at)).length > 0) return
    await rmdir(at)
    if (at === top) return
  }
}
