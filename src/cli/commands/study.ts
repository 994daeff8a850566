/** `manystart study`: one model, many starts. */
import type { CommandModule } from 'yargs'
import { renderReport } from '../../report/render.js'
import { studyText } from '../../report/text.js'
import { reportFile } from '../../study/results.js'
import { runStudy } from '../../study/study.js'
import { asFlags, interruptSignal, print, studyFrom } from '../common.js'
import { countFlag, dataOptions, modelOptions, outputOptions, runOptions, type Flags } from '../flags.js'
import { createProgress } from '../progress.js'

export const studyCommand: CommandModule<object, Flags> = {
  command: 'study [config]',
  describe: 'one model, many starts; flags override the file',
  builder: yargs =>
    asFlags(
      yargs
        .positional('config', { type: 'string', describe: 'study.yaml or study.json' })
        .options({ ...dataOptions, ...modelOptions, ...runOptions, ...outputOptions })
    ),
  async handler(flags) {
    const config = studyFrom(flags)
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'batch')
    const quiet = flags['quiet'] === true || flags['json'] === true
    const progress = createProgress(process.stderr, 'study', quiet)
    const { signal, release } = interruptSignal()
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    try {
      const summary = await runStudy(config, {
        signal,
        ...(out === undefined ? {} : { out }),
        ...(threads === undefined ? {} : { threads }),
        ...(lanes === undefined ? {} : { lanes }),
        force: flags['force'] === true,
        onProgress: p => progress.update(p),
        finish: async (done, results) => results.write(reportFile, await renderReport([done], { title: done.name }))
      })
      progress.finish()
      if (flags['json'] === true) print(JSON.stringify(summary))
      else {
        print(studyText(summary))
        if (out !== undefined) print(`Written to ${out}: study.json, runs.parquet, summary.json, report.html`)
      }
    } finally {
      release()
    }
  }
}
