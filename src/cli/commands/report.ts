/** `manystart report`: a study's directory → report.html. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { InputError } from '../../core/errors.js'
import { summaryFormat, type Summary } from '../../core/result.js'
import { renderReport } from '../../report/render.js'
import { replaceFile, reportFile, summaryFile } from '../../study/results.js'
import { asFlags, print } from '../common.js'
import type { Flags } from '../flags.js'

interface Saved {
  readonly format?: string
  readonly version?: number
  readonly models?: readonly Summary[]
}

/** Summaries of a study or a contrast. @throws InputError when the directory holds neither. */
function readSummaries(directory: string): readonly Summary[] {
  const path = join(directory, summaryFile)
  if (!existsSync(path))
    throw new InputError(`${directory} holds no ${summaryFile}; give the directory of a study or a contrast.`)
  let saved: Saved
  try {
    saved = JSON.parse(readFileSync(path, 'utf8')) as Saved
  } catch {
    throw new InputError(`${path} is not valid JSON; run the study again with --force.`)
  }
  if (saved.format === 'manystart/contrast' && saved.models) return saved.models
  if (saved.format !== summaryFormat)
    throw new InputError(`${path} has the format ${String(saved.format)}; this program reads ${summaryFormat}.`)
  return [saved as Summary]
}

export const reportCommand: CommandModule<object, Flags> = {
  command: 'report <directory>',
  describe: 'study directory → report.html',
  builder: yargs =>
    asFlags(yargs.positional('directory', { type: 'string', describe: 'directory of a study or contrast' })),
  async handler(flags) {
    const directory = String(flags['directory'])
    const summaries = readSummaries(directory)
    const title =
      summaries.length > 1 ? `${summaries[0].problem.data}: convex and non-convex models` : summaries[0].name
    replaceFile(join(directory, reportFile), await renderReport(summaries, { title }))
    print(`Report: ${join(directory, reportFile)}`)
  }
}
