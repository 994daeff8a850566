/** `manystart check`: rank and separation of the data, before any training. */
import { checkStudy } from '../../study/check.js'
import type { Separation } from '../../core/result.js'
import type { Command } from '../command.js'
import { configFile, print, printJson, studyFrom } from '../common.js'
import { loadProgress } from '../progress.js'
import { lines } from '../terminal.js'
import { dataOptions, jsonFlag, modelOptions } from '../flags.js'

/** What makes the minimiser finite, as flags; it was tried. */
function remedyFlags(remedy: Separation['remedy']): string {
  if (!remedy) return 'No ridge that was tried makes the minimiser finite.'
  const flags = `--ridge ${remedy.ridge}${remedy.penalizeBias ? ' --penalize-bias' : ''}`
  return remedy.penalizeBias
    ? `A ridge on the weights alone does not make the minimiser finite; one on the biases too (${flags}) does.`
    : `A ridge (${flags}) makes the minimiser finite.`
}

export const checkCommand: Command = {
  positionals: [configFile],
  flags: { Data: dataOptions, Model: modelOptions, Output: jsonFlag },
  examples: [
    ['manystart check --data endometrial', 'separated data'],
    ['manystart check --data FILE.csv --target COLUMN', 'your own']
  ],
  async run(flags) {
    const json = flags['json'] === true
    const found = await checkStudy(studyFrom(flags), { onLoad: loadProgress(process.stderr, json) })
    if (json) return printJson(found)
    const { data, rows, columns, target, coding, loss, parameters: names, dataset, rank, separation } = found
    const sentences = [
      `${data}: ${rows} rows, ${columns.length} ${columns.length === 1 ? 'column' : 'columns'} (${columns.join(', ')})`,
      `target ${target}${coding === '' ? '' : ` (${coding})`}, loss ${loss}, ${names.length} parameters`,
      rank.full
        ? `rank ${rank.rank}: full`
        : `rank ${rank.rank} of ${rank.columns}: ${rank.aliased.join(', ')} depend on the other columns, so their weights are not determined`
    ]
    const infinite = Object.entries(separation.infinite)
    if (separation.status === 'complete' || separation.status === 'quasi-complete') {
      sentences.push(
        `separation: ${separation.status}. There is no finite minimiser: ${infinite
          .map(([name, sign]) => `${name} goes to ${sign > 0 ? '+' : '−'}infinity`)
          .join(', ')}.`,
        `direction: ${names
          .map((name, p) => [name, separation.direction[p]] as const)
          .filter(([, d]) => d !== 0)
          .map(([name, d]) => `${name} ${d.toPrecision(4)}`)
          .join(', ')}`,
        remedyFlags(separation.remedy),
        ...(separation.firth === true ? ['Firth’s penalty (--firth) does so, too.'] : [])
      )
    } else sentences.push(`separation: ${separation.status}. ${separation.reason ?? ''}`)
    sentences.push(...dataset.notes)
    print(lines(sentences))
  }
}
