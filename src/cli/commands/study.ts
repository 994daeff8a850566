/** `manystart study`: one model, many starts. */
import { renderReport } from '../../report/render.js'
import { studyText } from '../../report/text.js'
import { reportFile } from '../../study/results.js'
import { runStudy } from '../../study/study.js'
import type { Command } from '../command.js'
import { configFile, interruptSignal, print, printJson, studyFrom } from '../common.js'
import { countFlag, studyFlags } from '../flags.js'
import { widthOf } from '../terminal.js'
import { createProgress, loadProgress } from '../progress.js'

export const studyCommand: Command = {
  positionals: [configFile],
  flags: studyFlags,
  examples: [
    ['manystart study --data iris2 --hidden 3 --ridge 0.001', 'a network with three hidden units'],
    ['manystart study --data FILE.csv --target COLUMN --out DIR', 'a model without hidden layer, kept in DIR'],
    ['manystart study study.yaml --starts 100000 --out DIR', 'a study file, with more starts']
  ],
  async run(flags) {
    const config = studyFrom(flags)
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'lanes')
    const quiet = flags['quiet'] === true || flags['json'] === true
    const progress = createProgress(process.stderr, 'study', quiet)
    progress.stage('reading the data')
    const { signal, release } = interruptSignal()
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    try {
      const summary = await runStudy(config, {
        signal,
        ...(out === undefined ? {} : { out }),
        ...(threads === undefined ? {} : { threads }),
        ...(lanes === undefined ? {} : { lanes }),
        force: flags['force'] === true,
        onLoad: loadProgress(process.stderr, quiet),
        onProgress: p => progress.update(p),
        finish: async (done, results) => results.write(reportFile, await renderReport([done], { title: done.name }))
      })
      progress.finish()
      if (flags['json'] === true) printJson(summary)
      else {
        print(studyText(summary, widthOf()))
        if (out !== undefined) print(`Written to ${out}: study.json, runs.parquet, summary.json, report.html`)
        else print('Nothing was written; give --out DIR to keep the study.')
      }
    } finally {
      release()
    }
  }
}
