/** Directories of studies, without a search. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { StudyDirectory } from '../../src/runs/directory.js'
import type { Part } from '../../src/runs/part.js'
import { layout, partOf, rowsOf } from './parts.js'

export const identity = 'a'.repeat(64)
export const record = (of: string): string => JSON.stringify({ format: 'manystart/study', identity: of })
export const cost = { seconds: 1, f: 2, g: 3, H: 4 }
const bytes = new TextEncoder().encode('points')
/** Tables that go with a summary. */
export const tables = { 'points.parquet': bytes, 'distinct.parquet': bytes }
export const part = (first: number, count: number): Part => partOf(rowsOf(first, count), first, layout, identity)

/** A folder for the studies of each test of a file, by their names. */
export function studyFolders() {
  let work: string
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'manystart-runs-'))
  })
  afterEach(() => rmSync(work, { recursive: true, force: true }))

  const at = (...names: readonly string[]): string => join(work, ...names)
  const begin = (name = 'a', force = false): Promise<StudyDirectory> =>
    StudyDirectory.create(at(name), identity, record(identity), { force })
  /** A study with one complete part and one under way. */
  async function study(name = 'a'): Promise<string> {
    const directory = await begin(name)
    await directory.add(part(0, 256), cost)
    await directory.keep(part(256, 10), cost)
    await directory.close()
    return at(name)
  }
  return { at, begin, study }
}
