/** `manystart merge`: shards into one study. */
import { reportFile } from '../../runs/names.js'
import { renderReport } from '../../report/render.js'
import { studyText } from '../../report/text.js'
import { mergeStudies } from '../../study/merge.js'
import type { Command } from '../command.js'
import { interruptSignal, print, say } from '../common.js'
import { countFlag, jsonFlag } from '../flags.js'
import { lines, widthOf } from '../terminal.js'

export const mergeCommand: Command = {
  positionals: [
    { name: 'out', describe: 'directory for the whole study', required: true },
    { name: 'shards', describe: 'directories of its shards, or one that holds them', required: true, many: true }
  ],
  flags: {
    Output: {
      force: { type: 'boolean', describe: 'replace a study that is there' },
      threads: { type: 'string', requiresArg: true, describe: 'threads; default: all cores', value: 'N' },
      ...jsonFlag
    }
  },
  examples: [['manystart merge whole shard-1 shard-2 shard-3', 'three shards']],
  async run(flags) {
    const out = String(flags['out'])
    const threads = countFlag(flags, 'threads')
    const shards = flags['shards'] as unknown as readonly (string | number)[]
    const { signal, release } = interruptSignal()
    try {
      const summary = await mergeStudies(out, shards.map(String), {
        signal,
        force: flags['force'] === true,
        ...(threads === undefined ? {} : { threads }),
        onNote: say,
        finish: async (done, files) => files.write(reportFile, await renderReport([done], { title: done.name }))
      })
      if (flags['json'] === true) print(JSON.stringify(summary))
      else {
        print(studyText(summary, widthOf()))
        print(lines([`Written to ${out}: study.json, runs/, summary.json, report.html`]))
      }
    } finally {
      release()
    }
  }
}
