/** `manystart contrast`: convex and non-convex models side by side on one data set, one report. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderReport } from '../../report/render.js'
import { conclusion } from '../../report/conclusion.js'
import { wrap } from '../../core/text.js'
import { contrastText } from '../../report/contrast.js'
import { contrastFormat } from '../../core/contrastResult.js'
import { separableText } from '../../report/separable.js'
import { renderVariance, varianceConclusion } from '../../report/variance.js'
import { contrastModels, runContrast } from '../../study/contrast.js'
import { separatedKeys } from '../../study/separable.js'
import { claimContrast } from '../../study/contrastDirectory.js'
import { contrastFile, reportFile, summaryFile } from '../../runs/names.js'
import type { DataConfig } from '../../data/types.js'
import type { Command } from '../command.js'
import { configFile, interruptSignal, print, printJson, rawStudy, say } from '../common.js'
import { contrastOptions, countFlag, numberFlag, studyFlags } from '../flags.js'
import { lines, widthOf } from '../terminal.js'
import { createProgress, loadProgress, type Progress } from '../progress.js'

const defaultDirectory = 'manystart-contrast'

/** The first of `manystart-contrast`, `manystart-contrast-2` … that is not there, is empty, or holds a contrast of the same data. */
function ownDirectory({ csv, parquet, builtin }: DataConfig): string {
  const data = csv ?? parquet ?? builtin ?? 'generated data'
  const isOurs = (directory: string): boolean => {
    if (!existsSync(directory) || readdirSync(directory).length === 0) return true
    if (!existsSync(join(directory, contrastFile))) return false
    try {
      const saved = JSON.parse(readFileSync(join(directory, summaryFile), 'utf8')) as {
        format?: string
        models?: readonly { problem?: { data?: string } }[]
      }
      return saved.format === contrastFormat && saved.models?.[0]?.problem?.data === data
    } catch {
      return false
    }
  }
  for (let n = 1; ; n++) {
    const directory = n === 1 ? defaultDirectory : `${defaultDirectory}-${n}`
    if (isOurs(directory)) return directory
  }
}

export const contrastCommand: Command = {
  positionals: [configFile],
  flags: { ...studyFlags, Model: { ...studyFlags['Model'], ...contrastOptions } },
  examples: [
    ['manystart contrast --data iris2', 'on built-in data'],
    ['manystart contrast --data FILE.csv --target COLUMN --starts 200', 'on your own, a first look']
  ],
  async run(flags) {
    const width = widthOf()
    const { raw: study, source } = rawStudy(flags)
    const glmRidge = numberFlag(flags, 'glm-ridge')
    const raw = glmRidge === undefined ? study : { ...study, contrast: { ridge: glmRidge } }
    const threads = countFlag(flags, 'threads')
    const lanes = countFlag(flags, 'lanes')
    const json = flags['json'] === true
    const quiet = flags['quiet'] === true || json
    // Without --out the report goes to a directory of its own, which the next contrast of the same data replaces.
    const named = typeof flags['out'] === 'string' ? flags['out'] : undefined
    const out = named ?? ownDirectory(raw['data'] as DataConfig)
    const force = named === undefined || flags['force'] === true
    const models = await contrastModels(raw, source, { onProgress: loadProgress(process.stderr, quiet) })
    const inputs = [flags['config'], flags['data'], flags['test-csv']].filter(v => typeof v === 'string')
    const directory = await claimContrast(
      out,
      models.map(m => m.key),
      { replace: force, inputs }
    )
    directory.said.forEach(say)
    const exponentiate = flags['exponentiate'] === true
    let progress: Progress | undefined
    const { signal, release } = interruptSignal()
    try {
      const result = await runContrast(
        raw,
        {
          signal,
          out,
          ...(threads === undefined ? {} : { threads }),
          ...(lanes === undefined ? {} : { lanes }),
          force,
          onPart: doing => {
            progress?.finish()
            progress = createProgress(process.stderr, doing, quiet)
            progress.stage('reading the data')
          },
          onLoad: loadProgress(process.stderr, quiet),
          onProgress: p => progress?.update(p),
          onNote: say,
          onSeparated: async summaries => {
            if (summaries.length > 0) await directory.enter(separatedKeys.slice(0, summaries.length))
          },
          finish: async (done, files) =>
            files.write(reportFile, await renderReport([done], { title: done.name, exponentiate })),
          finishVariance: async (done, files) => files.write(reportFile, await renderVariance(done))
        },
        source
      )
      progress?.finish()
      const { models: summaries, separated, variance } = result
      await directory.write(summaryFile, `${JSON.stringify(result, null, 2)}\n`)
      const title = `${summaries[0].problem.data}: convex and non-convex models`
      await directory.write(
        reportFile,
        await renderReport(summaries, { title, exponentiate, separated, ...(variance ? { variance } : {}) })
      )
      if (json) printJson(result)
      else {
        print(contrastText(summaries, width))
        print('')
        print(
          [
            ...conclusion(summaries),
            ...separableText(summaries, separated),
            ...(variance ? varianceConclusion(variance) : [])
          ]
            .flatMap(text => wrap(text, width))
            .join('\n')
        )
        if (summaries.length < models.length)
          print(
            `\n${lines([`Stopped: ${summaries.length} of ${models.length} models were run; give fewer --starts to see all.`])}`
          )
        print(`\nReport: ${join(out, reportFile)}`)
      }
    } catch (error) {
      await directory.undo()
      throw error
    } finally {
      await directory.close()
      release()
    }
  }
}
