/** `bench convergence`: runs the grid cell by cell, keeps each as soon as it is done, and goes on where it was interrupted. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { InputError } from '../../core/errors.js'
import { isOfProgram } from '../../runs/ours.js'
import { answerProblem, measureCell, type CellResult, type ProblemAnswer } from './cell.js'
import { allFigures, profilesOf, type Figures, type ProfileCurve } from './figures.js'
import { cellsOf, type Grid } from './grid.js'
import { describeMachine, type Machine } from '../machine.js'
import { winnersOf, type Winners } from './winners.js'

export interface ConvergenceResults {
  readonly format: 'manystart/convergence'
  readonly version: 2
  readonly machine: Machine
  readonly grid: Grid
  readonly problems: readonly ProblemAnswer[]
  readonly figures: readonly Figures[]
  readonly profiles: readonly ProfileCurve[]
  /** Who won on which kind of model. */
  readonly winners: readonly Winners[]
  /** Every raw sample. */
  readonly cells: readonly CellResult[]
}

export interface ConvergenceOptions {
  readonly out: string
  readonly force: boolean
  readonly signal?: AbortSignal
  /** `stored`: the cell was there already. */
  readonly onCell?: (cell: CellResult, done: number, total: number, stored: boolean) => void
}

const gridFile = 'grid.json'
const resultFile = 'convergence.json'
export const pageFile = 'report.html'
export const pictureFolder = 'pictures'
export const iohFolder = 'ioh'
const ownEntries = [gridFile, resultFile, pageFile, 'cells', 'problems', pictureFolder, iohFolder]

/** Written aside and renamed, so that an interruption leaves no half file. */
function writeWhole(path: string, text: string): void {
  const making = `${path}.part`
  writeFileSync(making, text)
  renameSync(making, path)
}

/** What a file holds, or undefined where there is none or only a broken one. */
function readStored<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

/** @throws InputError where something else is in the way */
function openFolder(out: string, grid: Grid, force: boolean): void {
  const present = existsSync(out) ? readdirSync(out) : []
  const foreign = present.find(name => !ownEntries.includes(name))
  if (foreign !== undefined) throw new InputError(`${out} holds other files (${foreign}); give --out a new directory.`)
  const text = JSON.stringify({ format: 'manystart/grid', ...grid }, null, 2)
  if (present.length > 0) {
    const stored = existsSync(join(out, gridFile)) ? readFileSync(join(out, gridFile), 'utf8') : ''
    if (force && !isOfProgram(stored))
      throw new InputError(`${out} does not hold such results of this program; give --out a new directory.`)
    if (force) for (const name of ownEntries) rmSync(join(out, name), { recursive: true, force: true })
    else if (stored !== text)
      throw new InputError(
        `${out} holds the results of another grid; give --out another directory, or --force to replace it.`
      )
  }
  for (const folder of ['cells', 'problems']) mkdirSync(join(out, folder), { recursive: true })
  writeWhole(join(out, gridFile), text)
}

/**
 * Runs what is missing of a grid. Interrupted, it returns undefined and the same call goes on later.
 * @param source what to call the grid in messages
 */
export async function runConvergence(
  grid: Grid,
  source: string,
  options: ConvergenceOptions
): Promise<ConvergenceResults | undefined> {
  const { problems, cells } = cellsOf(grid, source)
  openFolder(options.out, grid, options.force)
  const stopped = (): boolean => options.signal?.aborted === true
  const answers = new Map<string, ProblemAnswer>()
  for (const problem of problems) {
    const path = join(options.out, 'problems', `${problem.key}.json`)
    let answer = readStored<ProblemAnswer>(path)
    if (!answer) {
      if (stopped()) return undefined
      answer = await answerProblem(problem)
      writeWhole(path, JSON.stringify(answer))
    }
    answers.set(problem.key, answer)
  }
  const results: CellResult[] = []
  for (const cell of cells) {
    const path = join(options.out, 'cells', `${cell.key}.json`)
    let result = readStored<CellResult>(path)
    const stored = result !== undefined
    if (!result) {
      if (stopped()) return undefined
      result = await measureCell(cell, answers.get(cell.problem.key)!, options.signal)
      // A cell whose runs were cut off says nothing.
      if (stopped()) return undefined
      writeWhole(path, JSON.stringify(result))
    }
    results.push(result)
    options.onCell?.(result, results.length, cells.length, stored)
  }
  const figures = allFigures(results, [...answers.values()])
  const whole: ConvergenceResults = {
    format: 'manystart/convergence',
    version: 2,
    machine: describeMachine(),
    grid,
    problems: [...answers.values()],
    figures,
    profiles: profilesOf(figures),
    winners: winnersOf(figures),
    cells: results
  }
  writeWhole(join(options.out, resultFile), JSON.stringify(whole))
  return whole
}

/** Puts the page, its pictures and the files for IOHprofiler beside the results. */
export function writeBeside(
  out: string,
  html: string,
  pictures: ReadonlyMap<string, string>,
  ioh: ReadonlyMap<string, string>
): void {
  writeWhole(join(out, pageFile), html)
  for (const [folder, files] of [
    [pictureFolder, pictures],
    [iohFolder, ioh]
  ] as const) {
    rmSync(join(out, folder), { recursive: true, force: true })
    for (const [name, text] of files) {
      mkdirSync(dirname(join(out, folder, name)), { recursive: true })
      writeFileSync(join(out, folder, name), text)
    }
  }
}
