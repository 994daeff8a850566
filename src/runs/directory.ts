/**
 * The directory of a study: its record (`study.json`), its parts with their list (`runs/`), and what is made of them. A directory is
 * ours by record and list together; nothing else in it is ever replaced or removed.
 */
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, open, readFile, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError, WorkError } from '../core/errors.js'
import { claim, unusable } from './claim.js'
import { appendLine, hashOf, reason, removeEmpty, removeTemporaries, replaceFile, setAside } from './files.js'
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
import { decodePart, encodePart, type Part, type Range } from './part.js'

export const listFormat = 'manystart/parts'
const listVersion = 1

/** What the runs of a part cost. */
export interface Cost {
  readonly seconds: number
  readonly f: number
  readonly g: number
  readonly H: number
}

const whole = z.number().int().nonnegative()
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const header = z.object({ format: z.literal(listFormat), version: z.literal(listVersion), identity: digest })
const cost = z.object({ seconds: z.number(), f: whole, g: whole, H: whole })
const entry = z.object({
  file: z.string().regex(/^(part|open)-\d+(-\d+)?\.parquet$/),
  first: whole,
  /** Starts of the range; a part that is complete holds as many rows. */
  count: whole,
  rows: whole,
  bytes: whole,
  sha256: digest,
  cost
})
const note = z.object({ note: z.string() })
/**
 * The summary is that of the parts listed before it, and nobody has touched it, when its text has this checksum; the tables beside the
 * parts are those that go with it when they have theirs.
 */
const sealed = z.object({ summary: digest, tables: z.record(z.enum([pointsFile, distinctFile]), digest).optional() })
const forgotten = z.object({ forget: z.string() })
/** One line of the list. */
export type Entry = z.output<typeof entry>

const digits = (n: number): string => String(n).padStart(13, '0')
const partName = ({ first, count }: Range): string => `part-${digits(first)}-${count}.parquet`
const openName = ({ first }: Range): string => `open-${digits(first)}.parquet`

/** What a directory says of itself, without a look at its parts. */
export interface Listed {
  readonly identity: string
  /** Complete parts, by their first start. */
  readonly parts: Entry[]
  /** Parts under way. */
  readonly open: Entry[]
  readonly notes: string[]
  /** Checksums of the summary of all these parts and of the tables that go with it, where there is one. */
  readonly seal: z.output<typeof sealed> | undefined
}

/** @throws InputError when the directory has no list of ours */
export async function readList(directory: string): Promise<Listed> {
  const path = join(directory, runsFolder, listFile)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new InputError(`${directory} holds no ${runsFolder}/${listFile}; give the directory of a study.`)
  }
  const lines = text.split('\n').map(line => {
    try {
      return JSON.parse(line) as unknown
    } catch {
      // A line that a kill has cut short, or that was altered, lists nothing.
      return undefined
    }
  })
  const head = header.safeParse(lines[0])
  if (!head.success)
    throw new InputError(
      `The first line of ${path} is not that of this program's format; give the directory of a study.`
    )
  const parts = new Map<number, Entry>()
  const open = new Map<number, Entry>()
  const notes = new Set<string>()
  let seal: Listed['seal']
  for (const line of lines.slice(1)) {
    const said = note.safeParse(line)
    if (said.success) notes.add(said.data.note)
    const summed = sealed.safeParse(line)
    if (summed.success) seal = summed.data
    const gone = forgotten.safeParse(line)
    if (gone.success)
      for (const list of [parts, open])
        for (const [first, e] of list) if (e.file === gone.data.forget) list.delete(first)
    const read = entry.safeParse(line)
    if (!read.success) continue
    seal = undefined
    const isOpen = read.data.file === openName(read.data)
    if (!isOpen && (read.data.file !== partName(read.data) || read.data.rows !== read.data.count)) continue
    ;(isOpen ? open : parts).set(read.data.first, read.data)
  }
  for (const first of parts.keys()) open.delete(first)
  const sorted = [...parts.values()].sort((a, b) => a.first - b.first)
  // Two parts never share starts; a list that says so has been tampered with, and its later entry counts for nothing.
  const apart = sorted.filter((e, i) => i === 0 || e.first >= sorted[i - 1].first + sorted[i - 1].count)
  return { identity: head.data.identity, parts: apart, open: [...open.values()], notes: [...notes], seal }
}

/** The bytes of a listed part. @throws InputError when they are not those that were listed */
async function readListed(directory: string, listed: Entry): Promise<Uint8Array> {
  const path = join(directory, runsFolder, listed.file)
  let bytes: Uint8Array
  try {
    const size = (await lstat(path)).size
    if (size !== listed.bytes) throw new InputError(`${path} has ${size} bytes in place of ${listed.bytes}.`)
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      `${path} cannot be read (${reason(error) === 'nothing can be made there' ? 'it is missing' : reason(error)}).`
    )
  }
  if (hashOf(bytes) !== listed.sha256) throw new InputError(`${path} is not as it was written: its checksum differs.`)
  return bytes
}

/** The text of a study's summary; undefined where there is none of its parts as they are now, or it has been touched. */
export async function readSealed(directory: string): Promise<string | undefined> {
  const { seal } = await readList(directory)
  const read = (name: string): Promise<Buffer | undefined> => readFile(join(directory, name)).catch(() => undefined)
  const text = await read(summaryFile)
  if (!seal || !text || seal.summary !== hashOf(text)) return undefined
  for (const [name, digest] of Object.entries(seal.tables ?? {})) {
    const table = await read(join(runsFolder, name))
    if (!table || hashOf(table) !== digest) return undefined
  }
  return text.toString('utf8')
}

/** A listed part. @throws InputError when it is missing, truncated, altered or of another study */
export async function readPart(directory: string, listed: Entry, identity: string): Promise<Part> {
  const source = join(directory, runsFolder, listed.file)
  const part = await decodePart(await readListed(directory, listed), source)
  if (part.identity !== identity) throw new InputError(`${source} belongs to another study.`)
  if (part.first !== listed.first || part.count !== listed.count || part.rows.count !== listed.rows)
    throw new InputError(`${source} holds other runs than ${listFile} says.`)
  const { start } = part.rows
  for (let i = 0; i < part.rows.count; i++)
    if (!(start[i] >= part.first && start[i] < part.first + part.count && (i === 0 || start[i] > start[i - 1])))
      throw new InputError(`${source} holds start ${start[i]}, which is out of order.`)
  return part
}

/** A listed part, where no other can take its place. @throws InputError as `readPart`, with what mends it */
export const readIntact = (...[directory, listed, identity]: Parameters<typeof readPart>): Promise<Part> =>
  readPart(directory, listed, identity).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error
    const remedy = `\`manystart study --resume ${directory}\` sets it aside and makes its runs again.`
    throw new InputError(`${error.message.replace(/\.$/, '')}; ${remedy}`)
  })

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

/** What goes with a summary beside the parts. */
export type Tables = Readonly<Record<typeof pointsFile | typeof distinctFile, Uint8Array>>

export interface CreateOptions {
  /** Replace a study of ours that is there. */
  readonly force?: boolean
  /** Files that the study reads: none of them is ever written. */
  readonly inputs?: readonly string[]
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
   * Begins a study.
   * @param record the text of `study.json`
   * @throws InputError when the directory holds anything and is not to be replaced, or cannot be written
   */
  static async create(
    path: string,
    identity: string,
    record: string,
    options: CreateOptions = {}
  ): Promise<StudyDirectory> {
    const { force = false, inputs = [] } = options
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
    try {
      // Whoever had the lock before may have made a study since.
      if (!replaces && !(await holdsNothing(path)))
        throw new InputError(`Another process has just made a study in ${path}; give another directory with --out.`)
      if (replaces) await this.clear(path)
      await this.clean(path)
      await mkdir(join(path, runsFolder), { recursive: true })
      const head: z.input<typeof header> = { format: listFormat, version: listVersion, identity }
      await replaceFile(join(path, runsFolder, listFile), `${JSON.stringify(head)}\n`)
      await replaceFile(join(path, studyFile), record)
    } catch (error) {
      await lock.release()
      await removeEmpty(path, made).catch(() => undefined)
      if (error instanceof InputError || error instanceof WorkError) throw error
      throw unusable(path, error)
    }
    return new StudyDirectory(path, identity, lock, [], [], [], { made })
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
      await appendLine(join(this.path, runsFolder, listFile), JSON.stringify({ forget: listed.file }))
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
    return this.list({ file, first, count, rows: rows.count, bytes: bytes.length, sha256: hashOf(bytes), cost: spent })
  }

  private async list(listed: Entry): Promise<Entry> {
    await appendLine(join(this.path, runsFolder, listFile), JSON.stringify(listed))
    return listed
  }

  /** Takes over the parts of another directory of the same study, as they are. */
  async take(from: string, listed: Entry): Promise<void> {
    const bytes = await readListed(from, listed)
    const to = join(this.path, runsFolder, listed.file)
    try {
      await copyFile(join(from, runsFolder, listed.file), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      const handle = await open(to, 'r+')
      await handle.sync()
      await handle.close()
    } catch (error) {
      // A copy that was begun is no part; a file that was there before is not of this process.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(to, { force: true }).catch(() => undefined)
      throw new WorkError(`${to} cannot be written: ${reason(error)}; free some space or give another directory.`)
    }
    if (bytes.length !== listed.bytes) throw new InputError(`${join(from, listed.file)} has changed while it was read.`)
    this.parts.push(await this.list(listed))
  }

  /** Remembers what the summary must say, whenever it is made. */
  async remark(text: string): Promise<void> {
    if (this.notes.includes(text)) return
    this.notes.push(text)
    await appendLine(join(this.path, runsFolder, listFile), JSON.stringify({ note: text }))
  }

  /** Puts a file that follows from the parts in place. */
  async write(name: string, data: string | Uint8Array): Promise<void> {
    this.lock.check()
    await checkOurs(join(this.path, name))
    await replaceFile(join(this.path, name), data)
  }

  /**
   * Puts the summary of all parts in place, with the tables that go with it.
   * @param isWhole whether it is what `readSealed` gives from now on
   */
  async sumUp(text: string, tables: Tables, isWhole = true): Promise<void> {
    for (const [name, bytes] of Object.entries(tables)) await this.write(join(runsFolder, name), bytes)
    await this.write(summaryFile, text)
    if (!isWhole) return
    const seal: z.input<typeof sealed> = {
      summary: hashOf(text),
      tables: { [pointsFile]: hashOf(tables[pointsFile]), [distinctFile]: hashOf(tables[distinctFile]) }
    }
    await appendLine(join(this.path, runsFolder, listFile), JSON.stringify(seal))
  }

  /** Lets other processes have the directory. */
  async close(): Promise<void> {
    await this.lock.release()
  }

  /** Takes back a study that this process has begun, with the runs that it has put there. */
  async discard(): Promise<void> {
    if (this.begun) {
      for (const { file } of [...this.parts, ...this.open]) await rm(join(this.path, runsFolder, file), { force: true })
      this.parts.length = this.open.length = 0
    }
    await this.undo()
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
