/** `manystart bench compare`: results, builds or commands beside each other. */
import { compareSides, shareFlag } from '../../../bench/compare/compare.js'
import { sideOf } from '../../../bench/compare/sides.js'
import { comparisonTables, comparisonText } from '../../../bench/compare/text.js'
import { kernelNames, type KernelName } from '../../../bench/kernels/records.js'
import { engines } from '../../../engines/registry.js'
import type { Precision } from '../../../engines/types.js'
import type { Flags, FlagTable, SubCommand } from '../../command.js'
import { print, printJson } from '../../common.js'
import { countFlag } from '../../flags.js'
import { tablesFlag, tablesText } from '../../tables.js'
import { widthOf } from '../../terminal.js'
import { common, list, listed, text } from './flags.js'

const compareOptions: FlagTable = {
  'fail-above': text('exit code 3 when one is slower than the first by more than this beyond noise, e.g. 5%'),
  runs: text('for builds and commands: runs of each, in turn; default 10'),
  engine: list('for builds: engines to measure; default: cpu'),
  precision: list('for builds: f64, f32; default: both'),
  kernel: list(`for builds: ${kernelNames.join(', ')}; default: all but study`),
  sizes: text('for builds: ladder or small; default: small'),
  ...tablesFlag,
  quiet: common.quiet,
  json: common.json
}

/** Exit code for "slower than allowed". */
const slower = 3

async function runCompare(flags: Flags): Promise<void> {
  const failAbove = flags['fail-above'] === undefined ? null : shareFlag(String(flags['fail-above']))
  const engine = listed(
    flags,
    'engine',
    engines.map(e => e.name)
  ) ?? ['cpu']
  const precision = listed<Precision>(flags, 'precision', ['f64', 'f32'])
  const kernel = listed<KernelName>(flags, 'kernel', kernelNames) ?? kernelNames.filter(k => k !== 'study')
  const runs = countFlag(flags, 'runs') ?? 10
  // A format that there is not is said before anything is measured.
  tablesText(flags, () => [])
  const quiet = flags['quiet'] === true || flags['json'] === true || flags['tables'] !== undefined
  const comparison = compareSides(([] as string[]).concat(flags['results'] as unknown as string[]).map(sideOf), {
    failAbove,
    runs,
    flags: [
      ...['--engine', engine.join(','), '--kernel', kernel.join(',')],
      ...['--sizes', String(flags['sizes'] ?? 'small')],
      ...(precision ? ['--precision', precision.join(',')] : [])
    ],
    onRun: (done, total) => {
      if (!quiet) process.stderr.write(`${done} of ${total} rounds of runs\n`)
    }
  })
  if (flags['json'] === true) printJson(comparison)
  else print(tablesText(flags, () => comparisonTables(comparison)) ?? comparisonText(comparison, widthOf()))
  if (comparison.failed.length > 0) process.exitCode = slower
}

export const compareCommand: SubCommand = {
  describe: 'what is faster, slower or the same beyond noise: result files, builds or commands',
  positionals: [
    {
      name: 'results',
      describe:
        'result files, folders of builds, or commands in quotes, two or more; the first is what the others are set beside',
      required: true,
      many: true
    }
  ],
  flags: { Flags: compareOptions },
  examples: [['manystart bench compare old.json new.json --fail-above 5%', 'exit code 3 when something got slower']],
  run: runCompare
}
