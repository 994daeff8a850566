/** `manystart export`: a model of a saved study for other programs, or its runs as CSV. */
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { quoted } from '../../core/printable.js'
import { exported, exportFormats, type ExportFormat } from '../../study/export/index.js'
import type { Command } from '../command.js'
import { exportedMultiplicity } from '../../study/export/multiplicity.js'
import { flag, text } from '../flagValues.js'
import { choiceOf, choiceOptions, deliver } from './predict.js'

export const exportCommand: Command = {
  positionals: [{ name: 'directory', describe: 'directory of a study', required: true }],
  flags: {
    Model: choiceOptions,
    Output: {
      format: text('NAME', `${exportFormats.join(', ')}; csv: the runs, the others: a model`),
      multiplicity: flag('how far the predictions of good runs differ, row by row, as csv, json or parquet'),
      out: text('FILE', 'file to write; default: standard output')
    }
  },
  examples: [
    ['manystart export DIR --format python', 'the best minimum as a function of Python'],
    ['manystart export DIR --multiplicity --out rows.csv', 'what good runs predict, row by row']
  ],
  async run(flags) {
    const multiplicity = flags['multiplicity'] === true
    const format = String(flags['format'] ?? (multiplicity ? 'csv' : ''))
    const choice = choiceOf(flags)
    if (multiplicity) {
      if (Object.keys(choice).length > 0)
        throw new InputError('--multiplicity is of all good runs; leave --point, --start and --best away.')
      return deliver(exportedMultiplicity(String(flags['directory']), format), flags['out'])
    }
    if (!(exportFormats as readonly string[]).includes(format))
      throw new InputError(`--format is ${quoted(format)}; ${knownNames(format, exportFormats)}.`)
    if (format === 'csv' && Object.keys(choice).length > 0)
      throw new InputError('csv gives all runs; leave --point, --start and --best away.')
    await deliver(exported(String(flags['directory']), format as ExportFormat, choice), flags['out'])
  }
}
