/** `manystart report`: a study's directory → report.html, with its end points told apart anew where tolerances are given. */
import { join } from 'node:path'
import { InputError } from '../../core/errors.js'
import type { Tolerances } from '../../analysis/cluster.js'
import { renderReport } from '../../report/render.js'
import { reportTables } from '../../report/tables.js'
import { studyText } from '../../report/text.js'
import { checkOurs } from '../../runs/ours.js'
import { reportFile } from '../../runs/names.js'
import { replaceFile } from '../../runs/files.js'
import { contrastSummaries, isContrast, savedVariance } from '../../study/contrastDirectory.js'
import { isVariance } from '../../study/variance/directory.js'
import { sumUp, summaryOf, type SessionOptions } from '../../study/study.js'
import type { Command, Flags } from '../command.js'
import { interruptSignal, print, say } from '../common.js'
import { numberFlag, outputOptions } from '../flags.js'
import { createProgress } from '../progress.js'
import { tablesFlag, tablesText } from '../tables.js'
import { widthOf } from '../terminal.js'

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
    Output: { ...tablesFlag, exponentiate: outputOptions['exponentiate'] },
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
    const tolerances = tolerancesFrom(flags)
    const exponentiate = flags['exponentiate'] === true
    if (await isVariance(directory))
      throw new InputError(
        `${directory} holds runs of \`manystart variance\`; \`manystart variance --resume ${directory}\` draws its page anew.`
      )
    const contrast = await isContrast(directory)
    const anew = Object.keys(tolerances).length > 0
    if (contrast && anew)
      throw new InputError(
        `${directory} holds several studies; give the directory of one of them, such as ${join(directory, 'convex')}.`
      )
    const { signal, release } = interruptSignal()
    const progress = createProgress(process.stderr, 'report', false)
    const session: SessionOptions = {
      signal,
      onNote: say,
      onProgress: p => progress.update(p),
      onStage: doing => progress.stage(doing)
    }
    try {
      const { models: summaries, separated } = contrast
        ? await contrastSummaries(directory, session)
        : {
            models: [anew ? await sumUp(directory, tolerances, session) : await summaryOf(directory, session)],
            separated: []
          }
      progress.finish()
      const tables = tablesText(flags, () => reportTables(summaries, { exponentiate }))
      if (tables !== undefined) return print(tables)
      const title =
        summaries.length > 1 ? `${summaries[0].problem.data}: convex and non-convex models` : summaries[0].name
      const path = join(directory, reportFile)
      const variance = await savedVariance(directory)
      const page = await renderReport(summaries, { title, exponentiate, separated, ...(variance ? { variance } : {}) })
      await checkOurs(path)
      await replaceFile(path, page)
      if (anew) print(studyText(summaries[0], widthOf(), { exponentiate }))
      print(`Report: ${path}`)
    } finally {
      release()
    }
  }
}
