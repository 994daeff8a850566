/** The directory of `bench convergence`: its grid, what is measured of it so far, and what is made of all that. */
import { readFile, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InputError } from '../../core/errors.js'
import { unusable } from '../../runs/claim.js'
import { makeDirectory, replaceFile } from '../../runs/files.js'
import { acquireLock, type Lock } from '../../runs/lock.js'
import { isTemporary, lockFile, temporaryOf } from '../../runs/names.js'
import { isOfProgram } from '../../runs/ours.js'
import type { Grid } from './grid.js'

const gridFile = 'grid.json'
const resultFile = 'convergence.json'
export const pageFile = 'report.html'
export const pictureFolder = 'pictures'
export const iohFolder = 'ioh'
/** What is measured, a file each. */
const folders = ['cells', 'problems'] as const
type Folder = (typeof folders)[number]
const ownEntries: readonly string[] = [gridFile, resultFile, pageFile, ...folders, pictureFolder, iohFolder]

/** What is made of the results. */
export interface Beside {
  readonly page: string
  readonly pictures: ReadonlyMap<string, string>
  readonly ioh: ReadonlyMap<string, string>
}

/** Whether a name is that of a lock, or of what a kill has left. */
const isPassing = (name: string): boolean =>
  name === lockFile || isTemporary(name) || ownEntries.some(own => name === temporaryOf(own))

export class GridDirectory {
  private constructor(
    private readonly path: string,
    private readonly lock: Lock
  ) {}

  /** @throws InputError where something else is in the way, or another process writes it */
  static async open(path: string, grid: Grid, force: boolean): Promise<GridDirectory> {
    try {
      await makeDirectory(path)
    } catch (error) {
      throw unusable(path, error)
    }
    const lock = await acquireLock(path)
    try {
      await this.claim(path, grid, force)
    } catch (error) {
      await lock.release()
      throw error
    }
    return new GridDirectory(path, lock)
  }

  /** What is there is ours or gone when this returns. */
  private static async claim(path: string, grid: Grid, force: boolean): Promise<void> {
    const present = (await readdir(path)).filter(name => !isPassing(name))
    const foreign = present.find(name => !ownEntries.includes(name))
    if (foreign !== undefined)
      throw new InputError(`${path} holds other files (${foreign}); give --out a new directory.`)
    const text = JSON.stringify({ format: 'manystart/grid', ...grid }, null, 2)
    if (present.length > 0) {
      const stored = await readFile(join(path, gridFile), 'utf8').catch(() => '')
      if (force && !isOfProgram(stored))
        throw new InputError(`${path} does not hold such results of this program; give --out a new directory.`)
      if (!force && stored !== text)
        throw new InputError(
          `${path} holds the results of another grid; give --out another directory, or --force to replace it.`
        )
      // The grid goes last: with it the directory is known as ours.
      if (force)
        for (const name of ownEntries.filter(own => own !== gridFile))
          await rm(join(path, name), { recursive: true, force: true })
    }
    for (const name of await readdir(path))
      if (isPassing(name) && name !== lockFile) await rm(join(path, name), { recursive: true, force: true })
    await replaceFile(join(path, gridFile), text)
    for (const folder of folders) await makeDirectory(join(path, folder))
  }

  /** What is stored under a key; undefined where there is nothing, or only what is broken. */
  async read<T>(folder: Folder, key: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(join(this.path, folder, `${key}.json`), 'utf8')) as T
    } catch {
      return undefined
    }
  }

  store(folder: Folder, key: string, value: unknown): Promise<void> {
    return this.write(join(folder, `${key}.json`), JSON.stringify(value))
  }

  /** Puts all results in place. */
  conclude(results: unknown): Promise<void> {
    return this.write(resultFile, JSON.stringify(results))
  }

  async putBeside({ page, pictures, ioh }: Beside): Promise<void> {
    for (const [folder, files] of [
      [pictureFolder, pictures],
      [iohFolder, ioh]
    ] as const) {
      await rm(join(this.path, folder), { recursive: true, force: true })
      for (const [name, text] of files) {
        await makeDirectory(join(this.path, folder, dirname(name)))
        await this.write(join(folder, name), text)
      }
    }
    await this.write(pageFile, page)
  }

  private async write(name: string, text: string): Promise<void> {
    this.lock.check()
    await replaceFile(join(this.path, name), text)
  }

  /** Lets other processes have the directory. */
  close(): Promise<void> {
    return this.lock.release()
  }
}
