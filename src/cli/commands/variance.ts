/** `manystart variance`: how much of what differs between runs is due to starts, to orders of mini-batches, and to the rows. */
import { join } from 'node:path'
import { renderVariance, varianceTables, varianceText } from '../../report/variance.js'
import { InputError } from '../../core/errors.js'
import type { VarianceResult } from '../../core/varianceResult.js'
import { reportFile } from '../../runs/names.js'
import { resumeVariance, runVariance, type VarianceRunOptions } from '../../study/variance/index.js'
import type { Command, Flags } from '../command.js'
import { configFile, interruptSignal, print, printJson, rawStudy, say } from '../common.js'
import { countFlag, resumeOptions, studyFlags, varianceOptions } from '../flags.js'
import { tablesFlag, tablesText } from '../tables.js'
import { lines, widthOf } from '../terminal.js'
import { createProgress, loadProgress, type Progress } from '../progress.js'

const { Resampling: _r, ...shared } = studyFlags
const { keep: _, ...rest } = shared['Output']
const output = { ...rest, ...tablesFlag }
const resume = { ...resumeOptions['resume'], describe: 'go on with the runs in DIR; with --starts, up to so many' }

export const varianceCommand: Command = {
  positionals: [configFile],
  flags: { ...shared, Design: varianceOptions, Output: output, 'Go on': { resume } },
  examples: [
    ['manystart variance --data iris2 --hidden 3 --optimizer adam --batch-size 20', '100 starts in 20 orders each'],
    ['manystart variance --resume DIR', 'what a stop has left'],
    ['manystart variance study.yaml --starts 50 --orders 10 --resamples 10', 'resamples of the rows, too']
  ],
  async run(flags) {
    const resumed = typeof flags['resume'] === 'string' ? flags['resume'] : undefined
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    if (resumed !== undefined && out !== undefined)
      throw new InputError(
        '--resume names the directory that the runs go on in, so --out has no place; leave one of them.'
      )
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'lanes')
    const json = flags['json'] === true
    const quiet = flags['quiet'] === true || json
    let progress: Progress | undefined
    const { signal, release } = interruptSignal()
    const options: VarianceRunOptions = {
      signal,
      ...(threads === undefined ? {} : { threads }),
      ...(lanes === undefined ? {} : { lanes }),
      onLoad: loadProgress(process.stderr, quiet),
      onNote: say,
      onModel: (n, total) => {
        progress?.finish()
        progress = createProgress(process.stderr, `model ${n} of ${total}`, quiet)
      },
      onProgress: p => progress?.update(p),
      finish: async (result, files) => files.write(reportFile, await renderVariance(result))
    }
    try {
      const result =
        resumed === undefined
          ? await fresh(flags, out, options)
          : await resumeVariance(resumed, { ...options, ...startsOf(flags) })
      progress?.finish()
      if (json) return printJson(result)
      const tables = tablesText(flags, () => varianceTables(result))
      if (tables !== undefined) return print(tables)
      print(varianceText(result, widthOf()))
      const directory = resumed ?? out
      print('')
      print(
        directory === undefined
          ? lines(['Nothing was written; give --out DIR to keep the result with its runs and report.'])
          : `Report: ${join(directory, reportFile)}`
      )
    } finally {
      release()
    }
  }
}

function startsOf(flags: Flags): { starts?: number } {
  const starts = countFlag(flags, 'starts')
  return starts === undefined ? {} : { starts }
}

function fresh(flags: Flags, out: string | undefined, options: VarianceRunOptions): Promise<VarianceResult> {
  const { raw, source } = rawStudy(flags)
  const own = (raw['variance'] ?? {}) as Record<string, unknown>
  const variance = {
    ...own,
    ...(flags['orders'] === undefined ? {} : { orders: countFlag(flags, 'orders') }),
    ...(flags['resamples'] === undefined ? {} : { resamples: countFlag(flags, 'resamples') }),
    ...(flags['resampling'] === undefined ? {} : { resampling: flags['resampling'] })
  }
  const kept =
    out === undefined
      ? {}
      : {
          out,
          force: flags['force'] === true,
          inputs: [flags['config'], flags['data'], flags['test-csv']].filter(v => typeof v === 'string')
        }
  return runVariance({ ...raw, variance }, { ...options, ...kept }, source)
}
