/**
 * One process at a time writes a directory: a file that names host and process, refreshed while it is held. The lock of a process that
 * is gone is taken over: on the same host at once, on another when it has not been refreshed for a while.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { link, open, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { InputError, WorkError } from '../core/errors.js'
import { createFlags, reason } from './files.js'
import { lockFile, temporaryOf } from './names.js'

const refreshMilliseconds = 5000
/** A lock of another host that has not been refreshed for this long is nobody's. */
const staleMilliseconds = 45_000
const lookMilliseconds = 500

const holder = z.object({
  host: z.string(),
  /** In which the number of the process means something, as a container has its own; absent where the system does not say. */
  space: z.string().optional(),
  pid: z.number().int(),
  started: z.string(),
  token: z.string()
})
type Holder = z.output<typeof holder>

export interface Lock {
  /** Set when a process that is gone had left its lock. */
  readonly takenOver: string | undefined
  /** @throws WorkError when the lock has been lost, such as with the directory */
  check(): void
  release(): Promise<void>
}

/** What the system says of a process, from the letter of its state on; empty where it says nothing. */
function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** When a process began, so that a number that is used again does not stand for the process that had it; empty where unknown. */
const startIn = (stat: readonly string[]): string => stat[19] ?? ''

/** The name of the space of numbers that this process has its own in. */
function ownSpace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}

/** Whether the number of a process says here which one it is. Containers may share the name of a host. */
const isFromHere = ({ host, space }: Holder): boolean =>
  host === hostname() && (space === undefined || space === ownSpace())

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const stat = statOf(pid)
  // One that has ended keeps its number until whoever began it asks how: where nobody does, as in many containers, for good.
  if (/^[ZXx]/.test(stat[0] ?? '')) return false
  return started === '' || startIn(stat) === '' || startIn(stat) === started
}

/** Whether what is there is no lock of ours; one that a power cut has left is empty. */
async function isForeign(path: string): Promise<boolean> {
  const size = await stat(path).then(
    s => s.size,
    () => 0
  )
  return size > 0 && read(path) === undefined
}

function read(path: string): Holder | undefined {
  try {
    return holder.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    return undefined
  }
}

const modified = (path: string): Promise<number | undefined> =>
  stat(path).then(
    s => s.mtimeMs,
    () => undefined
  )

/** Whether whoever held a lock is gone. Waits where only time can tell. */
async function isStale(path: string, held: Holder | undefined): Promise<boolean> {
  if (held && isFromHere(held)) return !isAlive(held)
  const seen = await modified(path)
  // The clock of the file system need not be ours: what counts is whether the file changes.
  for (let waited = 0; waited < staleMilliseconds; waited += lookMilliseconds) {
    const now = await modified(path)
    if (now === undefined) return true
    if (now !== seen) return false
    if (Date.now() - now > 10 * staleMilliseconds) return true
    await new Promise(resolve => setTimeout(resolve, lookMilliseconds))
  }
  return true
}

let count = 0

/** @throws InputError while another process holds the directory */
export async function acquireLock(directory: string): Promise<Lock> {
  const path = join(directory, lockFile)
  const token = `${process.pid}-${Date.now()}-${++count}`
  const own: Holder = {
    host: hostname(),
    space: ownSpace(),
    pid: process.pid,
    started: startIn(statOf(process.pid)),
    token
  }
  const draft = join(directory, temporaryOf(`lock-${token}`))
  let takenOver: string | undefined
  try {
    const handle = await open(draft, createFlags)
    await handle.writeFile(JSON.stringify(own))
    await handle.close()
    for (;;) {
      try {
        await link(draft, path)
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      // Whoever has just let go of it leaves nothing to read: what is foreign stays.
      const held = read(path)
      if (held === undefined && (await isForeign(path)))
        throw new InputError(
          `${path} is no lock of this program; move it away where nothing else needs it, or give another directory with --out.`
        )
      const who = held ? `process ${held.pid} on ${held.host}` : 'another process'
      if (!(await isStale(path, held)))
        throw new InputError(
          `${directory} is being written by ${who}; wait until it has ended, or give another directory with --out.`
        )
      // Only who moves it away goes on; whoever has come in between keeps what is theirs.
      const aside = join(directory, temporaryOf(`lock-${token}-old`))
      await rename(path, aside).catch(() => undefined)
      const moved = read(aside)
      if (moved && moved.token !== held?.token) await link(aside, path).catch(() => undefined)
      await rm(aside, { force: true })
      takenOver = `${who} had left its lock on ${directory} and is gone; its lock has been taken over.`
    }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`The directory ${directory} cannot be used: ${reason(error)}; give another with --out.`)
  } finally {
    await rm(draft, { force: true }).catch(() => undefined)
  }
  const timer = setInterval(() => {
    const now = new Date()
    void utimes(path, now, now).catch(() => undefined)
  }, refreshMilliseconds)
  timer.unref()
  const mine = (): boolean => read(path)?.token === token
  return {
    takenOver,
    check() {
      if (!mine())
        throw new WorkError(
          `${directory} was removed, or taken over by another process, while the study ran; what had been written there is as it was left.`
        )
    },
    async release() {
      clearInterval(timer)
      if (mine()) await rm(path, { force: true }).catch(() => undefined)
    }
  }
}
