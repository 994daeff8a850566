/** `manystart bench convergence`: how the optimisers converge, over a grid of models. */
import { defaultGrid, readGrid } from '../../../bench/convergence/grid.js'
import { runConvergence } from '../../../bench/convergence/convergence.js'
import { iohFolder, pageFile, pictureFolder } from '../../../bench/convergence/directory.js'
import { iohFiles } from '../../../bench/convergence/ioh.js'
import { convergencePage, convergenceTables, convergenceText, drawPictures } from '../../../bench/convergence/page.js'
import { WorkError } from '../../../core/errors.js'
import type { Flags, FlagTable, SubCommand } from '../../command.js'
import { interruptSignal, print, printJson } from '../../common.js'
import { tablesFlag, tablesText } from '../../tables.js'
import { lines, widthOf } from '../../terminal.js'
import { common, text } from './flags.js'

const convergenceOptions: FlagTable = {
  out: text('directory for cells, convergence.json and report.html; default: manystart-convergence'),
  force: { type: 'boolean', describe: 'start again where the directory holds results' },
  ...tablesFlag,
  quiet: common.quiet,
  json: common.json
}

async function runGrid(flags: Flags): Promise<void> {
  const path = flags['grid']
  const grid = typeof path === 'string' ? readGrid(path) : defaultGrid
  const out = String(flags['out'] ?? 'manystart-convergence')
  // A format that there is not is said before anything is measured.
  tablesText(flags, () => [])
  const quiet = flags['quiet'] === true || flags['json'] === true || flags['tables'] !== undefined
  const { signal, release } = interruptSignal()
  let stored = 0
  try {
    const results = await runConvergence(grid, typeof path === 'string' ? path : 'the built-in grid', {
      out,
      force: flags['force'] === true,
      signal,
      onCell: (cell, done, total, there) => {
        stored = done
        if (quiet || there) return
        process.stderr.write(`${done} of ${total}: ${cell.data}, ${cell.model}, ${cell.optimizer}, seed ${cell.seed}\n`)
      },
      beside: async all => {
        const pictures = await drawPictures(all)
        return { page: convergencePage(all, pictures), pictures, ioh: iohFiles(all) }
      }
    })
    if (!results)
      throw new WorkError(`Stopped with ${stored} cells stored in ${out}; the same command goes on with the others.`)
    const tables = tablesText(flags, () => convergenceTables(results))
    if (flags['json'] === true) printJson(results)
    else if (tables !== undefined) print(tables)
    else {
      print(convergenceText(results, widthOf()))
      print(
        lines([
          `Written to ${out}: convergence.json with every sample, ${pageFile}, ${pictureFolder}/ (SVG), ${iohFolder}/ for IOHprofiler.`
        ])
      )
    }
  } finally {
    release()
  }
}

export const convergenceCommand: SubCommand = {
  describe: 'how the optimisers converge on convex and non-convex models',
  positionals: [{ name: 'grid', describe: 'grid.yaml; default: a built-in grid on iris2', required: false }],
  flags: { Flags: convergenceOptions },
  run: runGrid
}
