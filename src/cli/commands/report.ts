/** `manystart report`: a study's directory → report.html, with its end points told apart anew where tolerances are given. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../core/errors.js'
import { summaryFormat, type Summary } from '../../core/result.js'
import type { Tolerances } from '../../analysis/cluster.js'
import { renderReport } from '../../report/render.js'
import { studyText } from '../../report/text.js'
import { recluster } from '../../study/recluster.js'
import { replaceFile, reportFile, studyFile, summaryFile } from '../../study/results.js'
import type { Command, Flags } from '../command.js'
import { print } from '../common.js'
import { numberFlag } from '../flags.js'
import { tablesFlag, tablesText } from '../tables.js'
import { widthOf } from '../terminal.js'

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

/** Tolerances as flags: which of analysis/cluster.ts each one sets, and what it says. */
const toleranceFlags = {
  'loss-tolerance': {
    sets: ['loss', 'degenerateLoss'],
    describe: 'end points are one only if their losses differ by at most this, relative to max(1, size)'
  },
  'parameter-tolerance': { sets: ['parameters'], describe: 'the same for the parameters of strict minima and saddles' },
  'output-tolerance': { sets: ['degenerateOutputs'], describe: 'the same for the outputs of flat minima on every row' }
} as const satisfies Record<string, { sets: readonly (keyof Tolerances)[]; describe: string }>

function tolerancesFrom(flags: Flags): Partial<Tolerances> {
  const given: Partial<Record<keyof Tolerances, number>> = {}
  for (const [name, { sets }] of Object.entries(toleranceFlags)) {
    const value = numberFlag(flags, name)
    if (value === undefined) continue
    if (!(value > 0 && value < 1)) throw new InputError(`--${name} is ${value}; give a number above 0 and below 1.`)
    for (const tolerance of sets) given[tolerance] = value
  }
  return given
}

export const reportCommand: Command = {
  positionals: [{ name: 'directory', describe: 'directory of a study or contrast', required: true }],
  flags: {
    Output: tablesFlag,
    'Told apart anew': Object.fromEntries(
      Object.entries(toleranceFlags).map(([name, { describe }]) => [
        name,
        { type: 'string', requiresArg: true, describe, value: 'T' }
      ])
    )
  },
  examples: [['manystart report DIR --loss-tolerance 1e-8', 'end points told apart by larger differences only']],
  async run(flags) {
    const directory = String(flags['directory'])
    const summaries = readSummaries(directory)
    const tolerances = tolerancesFrom(flags)
    if (Object.keys(tolerances).length > 0) {
      if (!existsSync(join(directory, studyFile)))
        throw new InputError(`${directory} holds no ${studyFile}; give the directory of one study of the contrast.`)
      const summary = await recluster(directory, tolerances, {
        finish: async (done, results) => results.write(reportFile, await renderReport([done], { title: done.name }))
      })
      print(studyText(summary, widthOf()))
      print(`Report: ${join(directory, reportFile)}`)
      return
    }
    const tables = tablesText(flags, summaries)
    if (tables !== undefined) return print(tables)
    const title =
      summaries.length > 1 ? `${summaries[0].problem.data}: convex and non-convex models` : summaries[0].name
    replaceFile(join(directory, reportFile), await renderReport(summaries, { title }))
    print(`Report: ${join(directory, reportFile)}`)
  }
}
