/** `manystart bench` alone: what this machine gives, on a card. */
import { benchCard, measuredEngines } from '../../../bench/card/card.js'
import { fullScale, quickScale } from '../../../bench/card/definition.js'
import { cardPage } from '../../../bench/card/page.js'
import { cardMarkdown, cardText } from '../../../bench/card/text.js'
import { InputError } from '../../../core/errors.js'
import { engines } from '../../../engines/registry.js'
import type { EngineEntry } from '../../../engines/types.js'
import type { Command, Flags } from '../../command.js'
import { writeResult } from '../../../runs/ours.js'
import { interruptSignal, print, printJson } from '../../common.js'
import { countFlag } from '../../flags.js'
import { createTimeLeft } from '../../progress.js'
import { lines, widthOf } from '../../terminal.js'
import { checkOut, chosenDevices, common, list, listed, text, writeMeasured } from './flags.js'

const defaultRecord = 'manystart-bench.json'

/** The engines that --engine names; else those that are fast here, else the one that always runs. */
async function chosenEngines(flags: Flags): Promise<EngineEntry[]> {
  const names = listed(
    flags,
    'engine',
    engines.map(e => e.name)
  )
  return names ? engines.filter(e => names.includes(e.name)) : measuredEngines(engines)
}

/** Where the record goes, and the page beside it; undefined where nothing is to be written. */
async function files(flags: Flags): Promise<{ record: string; page: string } | undefined> {
  const out = flags['out']
  if (out === undefined && flags['json'] === true) return undefined
  const record = typeof out === 'string' ? out : defaultRecord
  if (!record.endsWith('.json'))
    throw new InputError(`--out is ${record}; give a name that ends in .json, beside which the page gets .html.`)
  const page = record.replace(/json$/, 'html')
  for (const path of [record, page]) await checkOut(path)
  return { record, page }
}

async function run(flags: Flags): Promise<void> {
  const written = await files(flags)
  const chosen = await chosenEngines(flags)
  const devices = await chosenDevices(flags, chosen)
  const threads = countFlag(flags, 'threads')
  const quick = flags['quick'] === true
  const json = flags['json'] === true
  const progress = createTimeLeft(process.stderr, flags['quiet'] === true || json)
  const { signal, release } = interruptSignal()
  try {
    const results = await benchCard({
      engines: chosen,
      ...(devices ? { devices } : {}),
      ...(threads === undefined ? {} : { threads }),
      scale: quick ? quickScale : fullScale,
      quick,
      onProgress: p => progress.update(p.share, p.secondsLeft, p.doing),
      signal
    })
    progress.finish()
    const isKept =
      written !== undefined && (await writeMeasured(written.record, `${JSON.stringify(results)}\n`, signal))
    if (isKept) await writeResult(written.page, await cardPage(results))
    if (json) printJson(results)
    else if (flags['markdown'] === true) print(cardMarkdown(results))
    else {
      print(cardText(results, widthOf()))
      if (isKept) print(lines([`Written to ${written.record} and ${written.page}.`]))
    }
    // A wrong result is a failure of the work, however fast, and so is none.
    if (results.records.length === 0 || results.records.some(r => r.error !== undefined)) process.exitCode ||= 1
  } finally {
    release()
  }
}

export const cardCommand: Command = {
  flags: {
    Flags: {
      engine: list('engines to measure; default: the processor and the GPUs that can run here'),
      device: list('for engines with several devices: these alone, as `manystart engines` lists them'),
      threads: text('threads of the processor; default: all'),
      quick: { type: 'boolean', describe: 'seconds in place of one to two minutes, to see that it works' },
      markdown: { type: 'boolean', describe: 'print the card as Markdown' },
      ...common,
      out: text(`file for the result as JSON, and the page beside it as .html; default: ${defaultRecord}`)
    }
  },
  examples: [
    ['manystart bench', 'a card of this machine, in one to two minutes'],
    ['manystart bench compare A.json B.json', 'two records: what is faster, what is slower']
  ],
  run
}
