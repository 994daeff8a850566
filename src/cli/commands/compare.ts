/** `manystart compare`: two studies: what changed, which minima of one are in the other, and which does better. */
import { InputError } from '../../core/errors.js'
import { comparisonMarkdown, comparisonTables, comparisonText } from '../../report/comparison.js'
import { compareStudies } from '../../study/compare/index.js'
import type { Command } from '../command.js'
import { interruptSignal, print, printJson, say } from '../common.js'
import { flag } from '../flagValues.js'
import { jsonFlag } from '../flags.js'
import { csvTables } from '../tables.js'
import { widthOf } from '../terminal.js'

export const compareCommand: Command = {
  positionals: [
    { name: 'directory', describe: 'directory of a study, A', required: true },
    { name: 'other', describe: 'directory of another one, B', required: true }
  ],
  flags: { Output: { markdown: flag('tables in Markdown'), csv: flag('tables as CSV'), ...jsonFlag } },
  examples: [['manystart compare DIR DIR', 'two studies of the same data: models, optimisers, engines or seeds']],
  async run(flags) {
    const formats = ['markdown', 'csv', 'json'].filter(name => flags[name] === true)
    if (formats.length > 1)
      throw new InputError(`--${formats[0]} and --${formats[1]} each say how the result is printed; give one of them.`)
    const { signal, release } = interruptSignal()
    try {
      const result = await compareStudies([String(flags['directory']), String(flags['other'])], {
        signal,
        onNote: say
      })
      if (flags['json'] === true) printJson(result)
      else if (flags['csv'] === true) print(csvTables(comparisonTables(result)))
      else print(flags['markdown'] === true ? comparisonMarkdown(result) : comparisonText(result, widthOf()))
    } finally {
      release()
    }
  }
}
