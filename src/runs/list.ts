/** The list of the parts of a study (`runs/parts.jsonl`), and the parts and the summary that it vouches for. */
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError } from '../core/errors.js'
import { hashOf, reason } from './files.js'
import { distinctFile, listFile, pointsFile, runsFolder, summaryFile } from './names.js'
import { decodePart, type Part, type Range } from './part.js'

const listFormat = 'manystart/parts'
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
const sealed = z.object({
  summary: digest,
  tables: z.record(z.enum([pointsFile, distinctFile]), digest),
  /** False where it was made in haste, as when a study is stopped: it lacks details. */
  isWhole: z.boolean()
})
const forgotten = z.object({ forget: z.string() })
/** A part as a line of the list has it. */
export type Entry = z.output<typeof entry>
/** What a line says after the first. */
type Line = z.input<typeof entry> | z.input<typeof note> | z.input<typeof sealed> | z.input<typeof forgotten>

export const lineOf = (line: Line): string => JSON.stringify(line)

/** The text of a list without parts. */
export function newList(identity: string): string {
  const head: z.input<typeof header> = { format: listFormat, version: listVersion, identity }
  return `${JSON.stringify(head)}\n`
}

const digits = (n: number): string => String(n).padStart(13, '0')
export const partName = ({ first, count }: Range): string => `part-${digits(first)}-${count}.parquet`
export const openName = ({ first }: Range): string => `open-${digits(first)}.parquet`

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
export async function readListed(directory: string, listed: Entry): Promise<Uint8Array> {
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

/** The text of a summary, and whether it has all details. */
export interface Sealed {
  readonly text: string
  readonly isWhole: boolean
}

/** A study's summary; undefined where there is none of its parts as they are now, or it has been touched. */
export async function readSealed(directory: string): Promise<Sealed | undefined> {
  const { seal } = await readList(directory)
  const read = (name: string): Promise<Buffer | undefined> => readFile(join(directory, name)).catch(() => undefined)
  const text = await read(summaryFile)
  if (!seal || !text || seal.summary !== hashOf(text)) return undefined
  for (const [name, digest] of Object.entries(seal.tables)) {
    const table = await read(join(runsFolder, name))
    if (!table || hashOf(table) !== digest) return undefined
  }
  return { text: text.toString('utf8'), isWhole: seal.isWhole }
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
