/** Directories of studies, without a search. */
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

export const begin = (path: string, force = false): Promise<StudyDirectory> =>
  StudyDirectory.create(path, identity, record(identity), { force })

/** A study with one complete part and one under way. */
export async function makeStudy(path: string): Promise<string> {
  const directory = await begin(path)
  await directory.add(part(0, 256), cost)
  await directory.keep(part(256, 10), cost)
  await directory.close()
  return path
}
