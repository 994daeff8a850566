/** `bench convergence`: runs the grid cell by cell, keeps each as soon as it is done, and goes on where it was interrupted. */
import { answerProblem, measureCell, type CellResult, type ProblemAnswer } from './cell.js'
import { GridDirectory, type Beside } from './directory.js'
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
  /** Makes what is put beside the results. */
  readonly beside: (results: ConvergenceResults) => Promise<Beside>
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
  const asked = cellsOf(grid, source)
  const directory = await GridDirectory.open(options.out, grid, options.force)
  try {
    return await runIn(directory, grid, asked, options)
  } finally {
    await directory.close()
  }
}

async function runIn(
  directory: GridDirectory,
  grid: Grid,
  { problems, cells }: ReturnType<typeof cellsOf>,
  { signal, onCell, beside }: ConvergenceOptions
): Promise<ConvergenceResults | undefined> {
  const stopped = (): boolean => signal?.aborted === true
  const answers = new Map<string, ProblemAnswer>()
  for (const problem of problems) {
    let answer = await directory.read<ProblemAnswer>('problems', problem.key)
    if (!answer) {
      if (stopped()) return undefined
      answer = await answerProblem(problem)
      await directory.store('problems', problem.key, answer)
    }
    answers.set(problem.key, answer)
  }
  const results: CellResult[] = []
  for (const cell of cells) {
    let result = await directory.read<CellResult>('cells', cell.key)
    const stored = result !== undefined
    if (!result) {
      if (stopped()) return undefined
      result = await measureCell(cell, answers.get(cell.problem.key)!, signal)
      // A cell whose runs were cut off says nothing.
      if (stopped()) return undefined
      await directory.store('cells', cell.key, result)
    }
    results.push(result)
    onCell?.(result, results.length, cells.length, stored)
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
  await directory.conclude(whole)
  await directory.putBeside(await beside(whole))
  return whole
}
