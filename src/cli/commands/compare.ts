/** `manystart compare`: two studies: what changed, which minima of one are in the other, and which does better. */
import { InputError } from '../../core/errors.js'
import { join } from 'node:path'
import { comparisonFormat } from '../../core/comparisonResult.js'
import { comparisonTables, comparisonText, renderComparison } from '../../report/comparison.js'
import { reportFile, summaryFile } from '../../runs/names.js'
import { claimResult } from '../../study/resultDirectory.js'
import { compareStudies } from '../../study/compare/index.js'
import type { Command } from '../command.js'
import { interruptSignal, print, printJson, say } from '../common.js'
import { flag, text } from '../flagValues.js'
import { jsonFlag } from '../flags.js'
import { tablesFlag, tablesText } from '../tables.js'
import { widthOf } from '../terminal.js'

export const compareCommand: Command = {
  positionals: [
    { name: 'directory', describe: 'directory of a study, A', required: true },
    { name: 'other', describe: 'directory of another one, B', required: true }
  ],
  flags: {
    Output: {
      out: text('DIR', 'directory for a page with pictures, and the result as JSON'),
      force: flag('replace such a result in that directory'),
      ...tablesFlag,
      ...jsonFlag
    }
  },
  examples: [
    ['manystart compare DIR DIR', 'two studies of the same data: models, optimisers, engines or seeds'],
    ['manystart compare DIR DIR --out OUT', 'the same with a page and pictures']
  ],
  async run(flags) {
    const isText = flags['tables'] === undefined && flags['json'] !== true
    if (flags['tables'] !== undefined && flags['json'] === true)
      throw new InputError('--tables and --json each say how the result is printed; give one of them.')
    // A format that is not known is said before the work.
    tablesText(flags, () => [])
    const directories = [String(flags['directory']), String(flags['other'])] as const
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    const kept =
      out === undefined
        ? undefined
        : await claimResult(out, comparisonFormat, { force: flags['force'] === true, inputs: [] })
    const { signal, release } = interruptSignal()
    try {
      const result = await compareStudies(directories, { signal, onNote: say })
      await kept?.write(summaryFile, `${JSON.stringify(result, null, 2)}\n`)
      await kept?.write(reportFile, await renderComparison(result))
      if (flags['json'] === true) printJson(result)
      else print(tablesText(flags, () => comparisonTables(result)) ?? comparisonText(result, widthOf()))
      if (out !== undefined && isText) print(`\nReport: ${join(out, reportFile)}`)
    } catch (error) {
      await kept?.undo()
      throw error
    } finally {
      release()
    }
  }
}
