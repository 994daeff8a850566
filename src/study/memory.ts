/** How much memory and disk a study takes, said before it begins rather than by a crash in its middle. */
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { formatBytes, formatCount } from '../core/units.js'
import { rowBytes, type Layout } from '../runs/table.js'
import type { StudyConfig } from './config.js'

/** Bytes that this process may have. */
function memoryBytes(): number {
  const limit = (process as { constrainedMemory?: () => number | undefined }).constrainedMemory?.() ?? 0
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

/** Cells of a made-up table: as text, and the numbers made of it, about so many bytes each. */
const cellBytes = 120

/** @throws InputError for a made-up table that does not fit */
export function checkTable({ data: { generate } }: StudyConfig): void {
  if (!generate) return
  const { rows, inputs } = generate
  const bytes = rows * (inputs + 1) * cellBytes
  if (bytes > memoryBytes() / 2)
    throw new InputError(
      `data.generate asks for ${formatCount(rows)} rows of ${formatCount(inputs)} inputs, which take about ${formatBytes(bytes)} of the ${formatBytes(memoryBytes())} here; give fewer rows or inputs.`
    )
}

/** Lanes of a thread in f64 at most, and matrices [P, P] of a lane while it certifies: the Hessian, its vectors, and scratch. */
const [lanes, matrices] = [8, 3]

/** @throws InputError for a model whose end points cannot be certified in the memory that there is */
export function checkModel(parameters: number, threads = availableParallelism()): void {
  const bytes = 8 * parameters * parameters * lanes * matrices * threads
  if (bytes <= memoryBytes()) return
  const fewest = 8 * parameters * parameters * lanes * matrices
  const help =
    fewest <= memoryBytes()
      ? 'give fewer threads (--threads 1) or fewer hidden units'
      : 'give fewer hidden units or inputs'
  throw new InputError(
    `The model has ${formatCount(parameters)} parameters, and to certify its end points takes about ${formatBytes(bytes)} for their Hessians, of the ${formatBytes(memoryBytes())} here; ${help}.`
  )
}

/** Bytes on the disk of a run, which has a row and a line in the table of points, and of the parameters of a point that is kept once. */
export function storedBytes(layout: Layout): { readonly run: number; readonly point: number } {
  const point = layout.keep === 'none' ? 8 * layout.parameters.length : 0
  return { run: rowBytes(layout) + 12 + (layout.keep === 'none' ? 8 : 0) - point, point }
}

/**
 * What the runs of a study will take in a directory, as a sentence.
 * @throws InputError where the disk has less room
 */
export function checkDisk(directory: string, layout: Layout, starts: number): string {
  const { run: each, point } = storedBytes(layout)
  const bytes = each * starts
  let at = resolve(directory)
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  const { bavail, bsize } = statfsSync(at)
  const free = bavail * bsize
  const takes = `Each start takes ${each} bytes on the disk, or fewer where runs end alike, all ${formatCount(starts)} of them up to ${formatBytes(bytes)} in ${shown(directory)}`
  if (bytes <= free) return `${takes}${point > 0 ? `, and each point that runs end at ${point} bytes more` : ''}.`
  const less = {
    all: '--keep end (which leaves out parameters as found), --keep none (which keeps those of distinct points alone), ',
    end: '--keep none (which keeps parameters of distinct points alone), ',
    none: ''
  }[layout.keep]
  throw new InputError(`${takes}, which has ${formatBytes(free)} left; give ${less}fewer starts, or another directory.`)
}
