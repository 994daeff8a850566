/**
 * The runs as files that IOHprofiler's tools read (IOHanalyzer, iohinspector): for each optimiser a folder, in it for each problem a JSON file
 * and a table of the best gap so far by evaluations, as IOHexperimenter's logger lays them out (https://iohprofiler.github.io, "Data format").
 */
import { version } from '../../core/version.js'
import type { CellResult } from './cell.js'
import type { ConvergenceResults } from './convergence.js'
import { solverName } from './figures.js'

const suite = 'manystart'

/** A name that may stand in a path on every system. */
const safe = (text: string): string => text.replace(/[^A-Za-z0-9.-]+/g, '_').replace(/^_|_$/g, '')

/** Above the floor; what lies below it by rounding is at it. */
const gap = (loss: number, floor: number): number => Math.max(0, loss - floor)

/** The table of some runs: their gap whenever it came down by a step. */
const table = (cells: readonly CellResult[], floor: number): string =>
  cells
    .flatMap(c => c.runs.progress)
    .map(run => ['evaluations raw_y', ...run.map(([at, loss]) => `${at} ${gap(loss, floor)}`)].join('\n'))
    .join('\n')

/** @returns texts by path, relative to a folder of their own */
export function iohFiles(r: ConvergenceResults): Map<string, string> {
  const files = new Map<string, string>()
  const solverOf = (c: CellResult): string =>
    solverName(
      r.figures.find(f => f.optimizer === c.optimizer && f.engine === `${c.engine} ${c.precision}`)!,
      r.figures
    )
  for (const solver of new Set(r.cells.map(solverOf)))
    r.problems.forEach((problem, k) => {
      const cells = r.cells.filter(c => c.problem === problem.key && solverOf(c) === solver)
      if (cells.length === 0) return
      const id = k + 1
      const name = safe(`${problem.data}_${problem.model}`)
      const data = `data_f${id}_${name}/IOHprofiler_f${id}_DIM${problem.parameters}.dat`
      const meta = {
        version: '0.3.18',
        suite,
        function_id: id,
        function_name: name,
        maximization: false,
        algorithm: { name: solver, info: `manystart ${version}, ${cells[0].engine} ${cells[0].precision}` },
        attributes: ['evaluations', 'raw_y'],
        scenarios: [
          {
            dimension: problem.parameters,
            path: data,
            // Every run is on the same rows: one instance.
            runs: cells.flatMap(c =>
              c.runs.progress.map(run => {
                const [evals, y] = run.at(-1) ?? [0, problem.floor]
                return { instance: 1, evals, best: { evals, y: gap(y, problem.floor), x: [] } }
              })
            )
          }
        ]
      }
      files.set(`${safe(solver)}/IOHprofiler_f${id}_${name}.json`, `${JSON.stringify(meta, null, 1)}\n`)
      files.set(`${safe(solver)}/${data}`, `${table(cells, problem.floor)}\n`)
    })
  return files
}
