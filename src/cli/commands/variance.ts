/** `manystart variance`: how much of what differs between runs is due to starts, to orders of mini-batches, and to the rows. */
import { join } from 'node:path'
import { renderVariance, varianceTables, varianceText } from '../../report/variance.js'
import { reportFile, summaryFile } from '../../runs/directory.js'
import { runVariance } from '../../study/variance.js'
import { claimResult } from '../../study/resultDirectory.js'
import { varianceFormat } from '../../core/varianceResult.js'
import type { Command } from '../command.js'
import { configFile, interruptSignal, print, printJson, rawStudy } from '../common.js'
import { countFlag, studyFlags, varianceOptions } from '../flags.js'
import { tablesFlag, tablesText } from '../tables.js'
import { widthOf } from '../terminal.js'
import { createProgress, loadProgress, type Progress } from '../progress.js'

const { keep: _, ...rest } = studyFlags['Output']
const output = { ...rest, ...tablesFlag }

export const varianceCommand: Command = {
  positionals: [configFile],
  flags: { ...studyFlags, Design: varianceOptions, Output: output },
  examples: [
    ['manystart variance --data iris2 --hidden 3 --optimizer adam --batch-size 20', '100 starts in 20 orders each'],
    ['manystart variance study.yaml --starts 50 --orders 10 --resamples 10', 'resamples of the rows, too']
  ],
  async run(flags) {
    const { raw, source } = rawStudy(flags)
    const own = (raw['variance'] ?? {}) as Record<string, unknown>
    const given = {
      ...own,
      ...(flags['orders'] === undefined ? {} : { orders: countFlag(flags, 'orders') }),
      ...(flags['resamples'] === undefined ? {} : { resamples: countFlag(flags, 'resamples') }),
      ...(flags['resampling'] === undefined ? {} : { resampling: flags['resampling'] })
    }
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'lanes')
    const json = flags['json'] === true
    const quiet = flags['quiet'] === true || json
    const out = typeof flags['out'] === 'string' ? flags['out'] : undefined
    const directory =
      out === undefined
        ? undefined
        : await claimResult(out, varianceFormat, {
            force: flags['force'] === true,
            inputs: [flags['config'], flags['data'], flags['test-csv']].filter(v => typeof v === 'string')
          })
    let progress: Progress | undefined
    const { signal, release } = interruptSignal()
    try {
      const result = await runVariance(
        { ...raw, variance: given },
        {
          signal,
          ...(threads === undefined ? {} : { threads }),
          ...(lanes === undefined ? {} : { lanes }),
          onLoad: loadProgress(process.stderr, quiet),
          onModel: (n, total) => {
            progress?.finish()
            progress = createProgress(process.stderr, `model ${n} of ${total}`, quiet)
          },
          onProgress: p => progress?.update(p)
        },
        source
      )
      progress?.finish()
      await directory?.write(summaryFile, `${JSON.stringify(result, null, 2)}\n`)
      await directory?.write(reportFile, await renderVariance(result))
      const tables = tablesText(flags, () => varianceTables(result))
      if (json) printJson(result)
      else if (tables !== undefined) print(tables)
      else {
        print(varianceText(result, widthOf()))
        print(
          out === undefined
            ? '\nNothing was written; give --out DIR to keep the result with its report.'
            : `\nReport: ${join(out, reportFile)}`
        )
      }
    } catch (error) {
      await directory?.undo()
      throw error
    } finally {
      release()
    }
  }
}
