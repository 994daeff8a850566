/** `manystart study`: one model, many starts. */
import { studyText } from '../../report/text.js'
import { reportFile } from '../../runs/names.js'
import { resumeStudy, runStudy, type SessionOptions } from '../../study/study.js'
import { InputError } from '../../core/errors.js'
import type { Command, Flags } from '../command.js'
import { configFile, interruptSignal, print, printJson, say, studyFrom } from '../common.js'
import { countFlag, resumeOptions, studyFlags } from '../flags.js'
import { lines, widthOf } from '../terminal.js'
import { createProgress, loadProgress } from '../progress.js'
import { shardFrom } from '../shard.js'

export const studyCommand: Command = {
  positionals: [configFile],
  flags: { ...studyFlags, 'Go on': resumeOptions },
  examples: [
    ['manystart study --data iris2 --hidden 3 --ridge 0.001', 'a network with three hidden units'],
    ['manystart study --data FILE.csv --target COLUMN --out DIR', 'a model without hidden layer, kept in DIR'],
    ['manystart study study.yaml --starts 100000 --out DIR', 'a study file, with more starts']
  ],
  async run(flags) {
    const resumed = typeof flags['resume'] === 'string' ? flags['resume'] : undefined
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    if (resumed !== undefined && out !== undefined)
      throw new InputError(
        '--resume names the directory that the study goes on in, so --out has no place; leave one of them.'
      )
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'lanes')
    const quiet = flags['quiet'] === true || flags['json'] === true
    const own = configFlags(flags)
    if (resumed !== undefined && own.length > 0 && !own.some(name => describing.includes(name)))
      throw new InputError(
        `--resume goes on with the study as ${resumed} has it, so --${own[0]} has no place; leave it out, or describe the whole study again, which is then compared.`
      )
    const config = resumed === undefined || own.length > 0 ? studyFrom(flags) : undefined
    const exponentiate = flags['exponentiate'] === true
    const progress = createProgress(process.stderr, 'study', quiet)
    progress.stage('reading the data')
    const { signal, release } = interruptSignal()
    const session: SessionOptions = {
      signal,
      ...(threads === undefined ? {} : { threads }),
      ...(lanes === undefined ? {} : { lanes }),
      onLoad: loadProgress(process.stderr, quiet),
      onProgress: p => progress.update(p),
      onStage: doing => progress.stage(doing),
      ...(quiet ? {} : { onFact: say }),
      onNote: say,
      ...(quiet ? {} : { onPlan: say }),
      finish: async (done, files) => {
        // A study that writes nothing draws nothing.
        const { renderReport } = await import('../../report/render.js')
        await files.write(reportFile, await renderReport([done], { title: done.name, exponentiate }))
      }
    }
    const force = flags['force'] === true
    const shard = typeof flags['shard'] === 'string' ? shardFrom(flags['shard']) : undefined
    if (shard && out === undefined && resumed === undefined)
      throw new InputError(
        'A shard is of no use unless it is kept; give --out DIR, and merge the directories of all shards.'
      )
    const inputs = typeof flags['config'] === 'string' ? [flags['config']] : []
    try {
      const starts = countFlag(flags, 'starts')
      const summary =
        resumed === undefined
          ? await runStudy(config!, {
              ...session,
              ...(out === undefined ? {} : { out }),
              ...(shard ? { shard } : {}),
              force,
              inputs
            })
          : await resumeStudy(resumed, {
              ...session,
              ...(starts === undefined ? {} : { starts }),
              ...(config ? { config, inputs } : {}),
              ...(shard ? { shard } : {})
            })
      progress.finish()
      const directory = resumed ?? out
      if (flags['json'] === true) printJson(summary)
      else {
        print(studyText(summary, widthOf(), { exponentiate }))
        if (directory !== undefined)
          print(lines([`Written to ${directory}: study.json, runs/, summary.json, report.html`]))
        else print('Nothing was written; give --out DIR to keep the study.')
        if (directory !== undefined && summary.interrupted)
          print(
            lines([
              `Stopped after ${summary.starts} of ${summary.startsRequested} runs; manystart study --resume ${directory} goes on.`
            ])
          )
      }
    } finally {
      release()
    }
  }
}

/** Flags that say how, not what, is studied. */
const howFlags = ['resume', 'shard', 'starts', 'threads', 'lanes', 'batch', 'quiet', 'json', 'force', 'exponentiate']

/** What names the data of a study, or its objective, without which there is none. */
const describing = ['config', 'data', 'generate', 'objective']

/** The flags, a file among them, that say what is studied. */
const configFlags = (flags: Flags): string[] =>
  Object.keys(flags).filter(name => flags[name] !== undefined && !howFlags.includes(name) && /^[a-z]/.test(name))
