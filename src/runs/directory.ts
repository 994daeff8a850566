/**
 * The directory of a study: its record (`study.json`), its parts with their list (`runs/`), and what is made of them. A directory is
 * ours by record and list together; nothing else in it is ever replaced or removed.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, WorkError } from '../core/errors.js'
import { claim, unusable } from './claim.js'
import { appendLine, hashOf, removeEmpty, removeTemporaries, replaceFile, setAside, Staged } from './files.js'
import {
  lineOf,
  newList,
  openName,
  partName,
  readIntact,
  readList,
  readListed,
  readPart,
  type Cost,
  type Entry,
  type Listed
} from './list.js'
import { acquireLock, type Lock } from './lock.js'
import {
  asideFolder,
  isOfRuns,
  isTemporary,
  listFile,
  lockFile,
  distinctFile,
  pointsFile,
  reportFile,
  runsFolder,
  studyFile,
  summaryFile,
  tableFiles
} from './names.js'
import { checkOurs, ourFiles } from './ours.js'
import { Scratch } from './parquet.js'
import { encodePart, type Part } from './part.js'

/** Whether a directory has nothing in it but what comes and goes, or what a kill has left: the empty beginning of a study. */
async function holdsNothing(path: string): Promise<boolean> {
  const entries = (await readdir(path)).filter(name => name !== lockFile && !isTemporary(name))
  if (entries.length !== 1 || entries[0] !== runsFolder) return entries.length === 0
  const files = (await readdir(join(path, runsFolder)).catch(() => ['?'])).filter(name => !isTemporary(name))
  if (files.length === 0) return true
  if (files.length > 1 || files[0] !== listFile) return false
  return readList(path).then(
    ({ parts, open }) => parts.length + open.length === 0,
    () => false
  )
}

/** A copy of a part of another directory. @throws InputError where it is not the one that was listed; WorkError as `Staged.copy` */
async function stagedPart(from: string, { file, sha256 }: Entry, to: string): Promise<Staged> {
  const staged = await Staged.copy(join(from, file), join(to, file))
  if (hashOf(await staged.read()) === sha256) return staged
  staged.drop()
  throw new InputError(`${join(from, file)} has changed while it was read; merge again when nobody writes it.`)
}

/** What goes with a summary beside the parts. */
export type Tables = Readonly<Record<typeof pointsFile | typeof distinctFile, Uint8Array>>

export interface CreateOptions {
  /** Replace a study of ours that is there. */
  readonly force?: boolean
  /** Files that the study reads: none of them is ever written. */
  readonly inputs?: readonly string[]
  /** Directories whose parts it begins with, as they are, and their notes. */
  readonly shards?: readonly { readonly path: string; readonly list: Listed }[]
}

/** A study directory that this process writes. */
export class StudyDirectory {
  private last: Promise<unknown> = Promise.resolve()
  private readonly scratch = new Scratch()

  private constructor(
    readonly path: string,
    readonly identity: string,
    private readonly lock: Lock,
    readonly parts: Entry[],
    private open: Entry[],
    readonly notes: string[],
    /** Where this process has begun the study: the topmost directory that was made for it. */
    private readonly begun: { readonly made: string | undefined } | undefined
  ) {}

  /** Sentences for the user about what was found. */
  get said(): readonly string[] {
    return this.lock.takenOver === undefined ? [] : [this.lock.takenOver]
  }

  /**
   * Begins a study. All that it begins with is on the disk before anything of one that it replaces is gone.
   * @param record the text of `study.json`
   * @throws InputError when the directory holds anything and is not to be replaced, or cannot be written
   */
  static async create(
    path: string,
    identity: string,
    record: string,
    options: CreateOptions = {}
  ): Promise<StudyDirectory> {
    const { force = false, inputs = [], shards = [] } = options
    const { made, replaces } = await claim(path, {
      kind: 'study',
      own: [studyFile, summaryFile, reportFile, runsFolder],
      inputs,
      force,
      resumes: true,
      isEmpty: holdsNothing
    })
    if (replaces) await this.checkStudy(path)
    const lock = await acquireLock(path)
    const runs = join(path, runsFolder)
    const staged: Staged[] = []
    const parts = shards.flatMap(({ list }) => list.parts)
    const notes = [...new Set(shards.flatMap(({ list }) => list.notes))]
    try {
      // Whoever had the lock before may have made a study since.
      if (!replaces && !(await holdsNothing(path)))
        throw new InputError(`Another process has just made a study in ${path}; give another directory with --out.`)
      await this.clean(path)
      await mkdir(runs, { recursive: true })
      for (const { path: from, list } of shards)
        for (const listed of list.parts) staged.push(await stagedPart(join(from, runsFolder), listed, runs))
      const lines = [...parts, ...notes.map(text => ({ note: text }))].map(line => `${lineOf(line)}\n`)
      staged.push(await Staged.write(join(runs, listFile), newList(identity) + lines.join('')))
      staged.push(await Staged.write(join(path, studyFile), record))
      if (replaces) await this.clear(path)
      for (const file of staged) await file.place()
    } catch (error) {
      for (const file of staged) file.drop()
      if (!replaces) await rmdir(runs).catch(() => undefined)
      await lock.release()
      await removeEmpty(path, made).catch(() => undefined)
      if (error instanceof InputError || error instanceof WorkError) throw error
      throw unusable(path, error)
    }
    return new StudyDirectory(path, identity, lock, parts, [], notes, { made })
  }

  /** @throws InputError unless the directory is that of a study of ours */
  private static async checkStudy(path: string): Promise<void> {
    try {
      await readList(path)
    } catch {
      throw new InputError(
        `${path} does not hold a study of this program, so --force does not replace it; give another directory with --out.`
      )
    }
    await ourFiles(path)
  }

  /** Removes a study of ours; what else is in the directory stays. The list goes last: with it the directory is known as ours. */
  private static async clear(path: string): Promise<void> {
    for (const name of await ourFiles(path)) if (name !== studyFile) await rm(join(path, name), { force: true })
    const runs = join(path, runsFolder)
    const aside = join(runs, asideFolder)
    for (const name of await readdir(runs)) if (isOfRuns(name) || tableFiles.includes(name)) await rm(join(runs, name))
    for (const name of await readdir(aside).catch(() => []))
      if (isOfRuns(name.replace(/^\d+-/, ''))) await rm(join(aside, name))
    await rmdir(aside).catch(() => undefined)
    await rm(join(path, studyFile), { force: true })
  }

  /** What a kill has left under a temporary name is nothing. */
  private static async clean(path: string): Promise<void> {
    for (const folder of [path, join(path, runsFolder)]) await removeTemporaries(folder)
  }

  /** Goes on with a study. @throws InputError as `readList`, or while another process writes it */
  static async resume(path: string, identity: string): Promise<StudyDirectory> {
    const before = await readList(path)
    if (before.identity !== identity)
      throw new InputError(
        `${join(path, studyFile)} and the runs of ${path} belong to different studies; restore the one that is wrong.`
      )
    const lock = await acquireLock(path)
    // Another process may have ended in between.
    const { parts, open, notes } = await readList(path)
    await this.clean(path)
    const directory = new StudyDirectory(path, identity, lock, parts, open, notes, undefined)
    await directory.tidy()
    return directory
  }

  /**
   * Reads every part, and sets aside those that are not as they were written, so that they are computed again.
   * @returns a sentence about each
   */
  async verify(): Promise<string[]> {
    const wrong: string[] = []
    for (const list of [this.parts, this.open])
      for (const listed of [...list]) {
        try {
          if (list === this.open) await readPart(this.path, listed, this.identity)
          else await readListed(this.path, listed)
        } catch (error) {
          if (!(error instanceof InputError)) throw error
          list.splice(list.indexOf(listed), 1)
          wrong.push(await this.outOfTheWay(listed, error.message))
        }
      }
    return wrong
  }

  /**
   * Removes files of runs that count for nothing: what there was of a part before it was complete, or a part that a kill has kept from
   * the list. Who reads all files in the folder would meet their runs twice.
   */
  private async tidy(): Promise<void> {
    const runs = join(this.path, runsFolder)
    const wanted = new Set([...this.parts, ...this.open].map(e => e.file))
    for (const name of await readdir(runs))
      if (isOfRuns(name) && !wanted.has(name)) await rm(join(runs, name), { force: true }).catch(() => undefined)
  }

  private async outOfTheWay(listed: Entry, why: string): Promise<string> {
    const kept = await setAside(join(this.path, runsFolder), listed.file)
    return `${why} Its ${listed.rows} runs are computed again.${kept === undefined ? '' : ` It is kept as ${kept}.`}`
  }

  /** Takes parts of starts from `end` on out of the list: a study that stops by itself has none of them. */
  async forget(end: number): Promise<void> {
    const late = [...this.parts, ...this.open].filter(e => e.first >= end)
    if (late.length === 0) return
    for (const listed of late) {
      await this.say({ forget: listed.file })
      await rm(join(this.path, runsFolder, listed.file), { force: true })
    }
    this.parts.splice(0, this.parts.length, ...this.parts.filter(e => e.first < end))
    this.open = this.open.filter(e => e.first < end)
  }

  read(listed: Entry): Promise<Part> {
    return readIntact(this.path, listed, this.identity)
  }

  /** Runs of parts that are under way. */
  async readOpen(): Promise<{ readonly part: Part; readonly cost: Cost }[]> {
    const out = []
    for (const listed of this.open) out.push({ part: await this.read(listed), cost: listed.cost })
    return out
  }

  /** Puts a complete part on the disk and lists it. */
  add(part: Part, spent: Cost): Promise<Entry> {
    return this.inTurn(async () => {
      const listed = await this.store(part, partName(part), spent)
      this.parts.push(listed)
      this.parts.sort((a, b) => a.first - b.first)
      const under = this.open.find(e => e.first === part.first)
      if (under) {
        this.open = this.open.filter(e => e !== under)
        await rm(join(this.path, runsFolder, under.file), { force: true }).catch(() => undefined)
      }
      return listed
    })
  }

  /** Puts the runs of a part that is under way on the disk, in place of those put there before; nothing once it is complete. */
  keep(part: Part, spent: Cost): Promise<void> {
    return this.inTurn(async () => {
      if (this.parts.some(e => e.first === part.first)) return
      const listed = await this.store(part, openName(part), spent)
      this.open = [...this.open.filter(e => e.first !== part.first), listed]
    })
  }

  /** One after the other: a part that is complete must not be followed by what there was of it before. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work)
    this.last = turn.catch(() => undefined)
    return turn
  }

  private async store(part: Part, file: string, spent: Cost): Promise<Entry> {
    this.lock.check()
    const bytes = encodePart(part, this.scratch)
    await replaceFile(join(this.path, runsFolder, file), bytes)
    const { first, count, rows } = part
    const sha256 = hashOf(bytes)
    const listed = { file, first, count, rows: rows.count, bytes: bytes.length, sha256, cost: spent }
    await this.say(listed)
    return listed
  }

  /** Adds a line to the list. */
  private say(line: Parameters<typeof lineOf>[0]): Promise<void> {
    return appendLine(join(this.path, runsFolder, listFile), lineOf(line))
  }

  /** Remembers what the summary must say, whenever it is made. */
  async remark(text: string): Promise<void> {
    if (this.notes.includes(text)) return
    this.notes.push(text)
    await this.say({ note: text })
  }

  /** Puts a file that follows from the parts in place. */
  async write(name: string, data: string | Uint8Array): Promise<void> {
    this.lock.check()
    await checkOurs(join(this.path, name))
    await replaceFile(join(this.path, name), data)
  }

  /**
   * Puts the summary of all parts in place, with the tables that go with it.
   * @param isWhole whether it has all details
   */
  async sumUp(text: string, tables: Tables, isWhole = true): Promise<void> {
    for (const [name, bytes] of Object.entries(tables)) await this.write(join(runsFolder, name), bytes)
    await this.write(summaryFile, text)
    const digests = { [pointsFile]: hashOf(tables[pointsFile]), [distinctFile]: hashOf(tables[distinctFile]) }
    await this.say({ summary: hashOf(text), tables: digests, isWhole })
  }

  /** Lets other processes have the directory. */
  async close(): Promise<void> {
    await this.lock.release()
  }

  /** Takes back a study that this process has begun and of which no run has ended: the directory is as it was found. */
  async undo(): Promise<void> {
    if (this.begun && this.parts.length + this.open.length === 0) {
      const runs = join(this.path, runsFolder)
      await rm(join(this.path, studyFile), { force: true })
      await rm(join(runs, listFile), { force: true })
      await rmdir(runs).catch(() => undefined)
    }
    await this.close()
    await removeEmpty(this.path, this.begun?.made).catch(() => undefined)
  }
}
