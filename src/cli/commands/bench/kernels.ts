/** `manystart bench kernels`: the ladder of kernels and studies on every engine, beside the machine's peaks. */
import { availableParallelism } from 'node:os'
import { benchKernels } from '../../../bench/kernels/kernels.js'
import { engineText, kernelNames, type KernelName } from '../../../bench/kernels/records.js'
import { ladder, smallSizes } from '../../../bench/kernels/sizes.js'
import { allTables, kernelText } from '../../../bench/kernels/tables.js'
import { InputError } from '../../../core/errors.js'
import { knownNames } from '../../../core/names.js'
import { formatRate } from '../../../core/units.js'
import { engines } from '../../../engines/registry.js'
import type { EngineEntry, Precision } from '../../../engines/types.js'
import type { Flags, FlagTable, SubCommand } from '../../command.js'
import { interruptSignal, print, printJson } from '../../common.js'
import { tablesFlag, tablesText } from '../../tables.js'
import { widthOf } from '../../terminal.js'
import { checkOut, chosenDevices, common, list, listed, text, writeMeasured } from './flags.js'

const kernelOptions: FlagTable = {
  engine: list(`engines to measure (${engines.map(e => e.name).join(', ')}); default: all that can run here`),
  device: list(
    'for engines with several devices: these alone, as `manystart engines` lists them; default: all but software GPUs beside hardware'
  ),
  precision: list('f64, f32; default: both where an engine has both'),
  kernel: list(`${kernelNames.join(', ')}; default: all`),
  sizes: text('ladder: up to 10 000 rows and 513 parameters; small: seconds on any engine'),
  threads: text('numbers of threads of the studies, e.g. 1,2; default: 1 and all cores'),
  ...tablesFlag,
  ...common
}

function threadCounts(flags: Flags): number[] {
  const value = flags['threads']
  if (value === undefined) return [...new Set([1, availableParallelism()])]
  return String(value)
    .split(',')
    .map(part => {
      const n = Number(part)
      if (!(Number.isInteger(n) && n >= 1))
        throw new InputError(`--threads is "${String(value)}"; give whole numbers of at least 1 such as 1,2,4.`)
      return n
    })
}

async function outFile(flags: Flags): Promise<string | undefined> {
  const out = flags['out']
  if (typeof out !== 'string') return undefined
  await checkOut(out)
  return out
}

async function runKernels(flags: Flags): Promise<void> {
  const names = listed(
    flags,
    'engine',
    engines.map(e => e.name)
  )
  const precisions = listed<Precision>(flags, 'precision', ['f64', 'f32'])
  const kernels = listed<KernelName>(flags, 'kernel', kernelNames) ?? kernelNames
  const sizes = flags['sizes'] ?? 'ladder'
  if (sizes !== 'ladder' && sizes !== 'small')
    throw new InputError(`--sizes is "${String(sizes)}"; ${knownNames(String(sizes), ['ladder', 'small'])}.`)
  const out = await outFile(flags)
  // A format that there is not is said before anything is measured.
  tablesText(flags, () => [])
  const quiet = flags['quiet'] === true || flags['json'] === true || flags['tables'] !== undefined
  const chosen: readonly EngineEntry[] = names ? engines.filter(e => names.includes(e.name)) : engines
  const devices = await chosenDevices(flags, chosen)
  const { signal, release } = interruptSignal()
  try {
    const results = await benchKernels({
      engines: chosen,
      ...(devices ? { devices } : {}),
      ...(precisions ? { precisions } : {}),
      kernels,
      sizes: sizes === 'ladder' ? ladder : smallSizes,
      threads: threadCounts(flags),
      secondsPerKernel: sizes === 'ladder' ? 0.5 : 0.05,
      studyScale: sizes === 'ladder' ? 1 : 0.02,
      signal,
      onRecord: r => {
        if (quiet) return
        const what = [engineText(r), r.kernel, r.name].filter(Boolean).join(' ')
        const at = `N=${r.sizes.N} P=${r.sizes.P} R=${r.sizes.R}`
        process.stderr.write(`${what}, ${at}: ${r.error ?? formatRate(r.perSecond)}\n`)
      }
    })
    if (out !== undefined) await writeMeasured(out, `${JSON.stringify(results)}\n`, signal)
    const tables = tablesText(flags, () => allTables(results.records))
    if (flags['json'] === true) printJson(results)
    else print(tables ?? kernelText(results, widthOf()))
    // A wrong result is a failure of the work, however fast, and so is none.
    if (results.records.length === 0 || results.records.some(r => r.error !== undefined)) process.exitCode ||= 1
  } finally {
    release()
  }
}

export const kernelsCommand: SubCommand = {
  describe: 'gradient, Hessian, update, eigen-decomposition and runs per second beside the peak',
  flags: { Flags: kernelOptions },
  examples: [['manystart bench kernels --engine cpu --sizes small', 'seconds instead of minutes']],
  run: runKernels
}
