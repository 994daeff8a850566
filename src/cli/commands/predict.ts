/** `manystart predict`: predictions of a saved study for new rows, as CSV. */
import { InputError } from '../../core/errors.js'
import { printable, shown } from '../../core/printable.js'
import { createFile } from '../../runs/files.js'
import { csvLine } from '../../study/export/index.js'
import { predict } from '../../study/predict.js'
import type { Command, Flags, FlagTable } from '../command.js'
import { printJson } from '../common.js'
import { dataOptions, mergeData } from '../dataFlags.js'
import { flag, numberFlag, text } from '../flagValues.js'
import { jsonFlag } from '../flags.js'
import { loadProgress } from '../progress.js'
import type { ModelChoice } from '../../study/fitted.js'

/** Which model of a study is meant. */
export const choiceOptions: FlagTable = {
  point: text('ID', 'number of a distinct point; default: the minimum with the lowest loss'),
  start: text('N', 'the end point of the run of a start'),
  best: text('test.accuracy', 'the minimum with the best value of a metric')
}

export function choiceOf(flags: Flags): ModelChoice {
  const point = numberFlag(flags, 'point')
  const start = numberFlag(flags, 'start')
  const best = flags['best']
  return {
    ...(point === undefined ? {} : { point }),
    ...(start === undefined ? {} : { start }),
    ...(best === undefined ? {} : { best: String(best) })
  }
}

/** Text for a file or a pipe as it is, for a terminal so that it cannot steer it; bytes for a file or a pipe alone. */
export async function deliver(
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string>,
  out: unknown
): Promise<void> {
  if (typeof out === 'string') {
    const encoder = new TextEncoder()
    const whole: Uint8Array[] = []
    for await (const piece of pieces) whole.push(typeof piece === 'string' ? encoder.encode(piece) : piece)
    // Half of what was asked is worth nothing, and in the way of another try.
    const isNew = await createFile(out, Buffer.concat(whole)).catch(() => {
      throw new InputError(`The file ${shown(out)} cannot be written; give another with --out.`)
    })
    if (!isNew) throw new InputError(`The file ${shown(out)} exists; give another with --out, or remove it.`)
    return
  }
  for await (const piece of pieces) {
    if (process.stdout.isTTY && typeof piece !== 'string')
      throw new InputError('This format is not for a terminal; give a file with --out.')
    const safe = process.stdout.isTTY ? printable(String(piece)) : piece
    if (!process.stdout.write(safe)) await new Promise<void>(resolve => void process.stdout.once('drain', resolve))
  }
}

const { data, delimiter, decimal } = dataOptions

export const predictCommand: Command = {
  positionals: [{ name: 'directory', describe: 'directory of a study', required: true }],
  flags: {
    Data: { data, delimiter, decimal, 'drop-missing': dataOptions['drop-missing'] },
    Model: { ...choiceOptions, all: flag('the spread over all minima too') },
    Output: {
      out: text('FILE', 'file for the predictions; default: standard output'),
      quiet: flag('no progress'),
      ...jsonFlag
    }
  },
  examples: [['manystart predict DIR --data NEW.csv', 'a prediction for each row, as CSV']],
  async run(flags) {
    if (flags['data'] === undefined)
      throw new InputError('--data is missing; give the file with the rows to predict, or - for standard input.')
    const quiet = flags['quiet'] === true || flags['json'] === true
    const predictions = await predict(String(flags['directory']), mergeData({}, flags), {
      ...choiceOf(flags),
      all: flags['all'] === true,
      onProgress: loadProgress(process.stderr, quiet)
    })
    if (flags['json'] === true) {
      printJson(predictions)
      return
    }
    const names = Object.keys(predictions.columns)
    const columns = Object.values(predictions.columns)
    function* lines(): Generator<string> {
      yield csvLine(['row', ...names])
      for (const [i, row] of predictions.rows.entries()) yield csvLine([row, ...columns.map(column => column[i])])
    }
    await deliver(lines(), flags['out'])
  }
}
