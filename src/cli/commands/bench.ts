/** `manystart bench`: kernels against the machine's peak, convergence of the optimisers, two results compared. */
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { compareSides, shareFlag, sideOf } from '../../bench/compare/compare.js'
import { benchKernels } from '../../bench/kernels/kernels.js'
import { runConvergence, pageFile, writePage } from '../../bench/convergence/convergence.js'
import { convergencePage, convergenceText } from '../../bench/convergence/page.js'
import { defaultGrid, readGrid } from '../../bench/convergence/grid.js'
import { engineText, kernelNames, type KernelName } from '../../bench/kernels/records.js'
import { ladder, smallSizes } from '../../bench/kernels/sizes.js'
import { comparisonText, kernelText } from '../../bench/kernels/tables.js'
import { InputError, WorkError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { formatRate } from '../../core/units.js'
import { engines } from '../../engines/registry.js'
import type { EngineEntry, Precision } from '../../engines/types.js'
import type { Command, Flag, Flags, FlagTable, SubCommand } from '../command.js'
import { interruptSignal, print, printJson } from '../common.js'
import { countFlag } from '../flags.js'

const list = (describe: string, value?: string): Flag => ({
  type: 'array',
  string: true,
  requiresArg: true,
  describe,
  ...(value === undefined ? {} : { value })
})
const text = (describe: string, value?: string): Flag => ({
  type: 'string',
  requiresArg: true,
  describe,
  ...(value === undefined ? {} : { value })
})

const common: FlagTable = {
  quiet: { type: 'boolean', describe: 'no progress' },
  json: { type: 'boolean', describe: 'print the result alone, as JSON' },
  out: text('file for the result as JSON')
}
const kernelOptions: FlagTable = {
  engine: list(`engines to measure (${engines.map(e => e.name).join(', ')}); default: all that can run here`),
  device: list(
    'for engines with several devices: these alone, as `manystart engines` lists them; default: all but software GPUs beside hardware'
  ),
  precision: list('f64, f32; default: both where an engine has both'),
  kernel: list(`${kernelNames.join(', ')}; default: all`),
  sizes: text('ladder: up to 10 000 rows and 513 parameters; small: seconds on any engine'),
  threads: text('numbers of threads of the studies, e.g. 1,2; default: 1 and all cores'),
  ...common
}
/** `--engine cpu reference` and `--engine cpu,reference` alike. */
function wordsOf(flags: Flags, name: string): string[] | undefined {
  const value = flags[name] as unknown
  if (value === undefined) return undefined
  return (Array.isArray(value) ? value : [value]).flatMap(v => String(v).split(',')).map(v => v.trim())
}

function listed<T extends string>(flags: Flags, name: string, known: readonly T[]): T[] | undefined {
  return wordsOf(flags, name)?.map(part => {
    const found = known.find(k => k === part)
    if (found === undefined) throw new InputError(`--${name} is "${part}"; ${knownNames(part, known)}.`)
    return found
  })
}

/** @throws InputError now rather than after minutes of work */
function checkOutFile(flags: Flags): string | undefined {
  const out = flags['out']
  if (typeof out !== 'string') return undefined
  if (!existsSync(dirname(out))) throw new InputError(`The directory of --out ${out} does not exist; create it first.`)
  return out
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

/**
 * The devices that the words of --device mean: a name, or a part of one as with `study --device`.
 * @throws InputError for a word that no device of the chosen engines has in its name
 */
async function chosenDevices(flags: Flags, chosen: readonly EngineEntry[]): Promise<string[] | undefined> {
  const words = wordsOf(flags, 'device')
  if (words === undefined) return undefined
  const known: string[] = []
  for (const entry of chosen) known.push(...((await entry.devices?.()) ?? []).map(d => d.name))
  if (known.length === 0) {
    const have = chosen.length > 1 ? 'have' : 'has'
    const names = chosen.map(e => e.name).join(' and ')
    throw new InputError(`--device is given, but ${names} ${have} no devices to choose from; leave it out.`)
  }
  return words.flatMap(word => {
    if (known.includes(word)) return [word]
    const meant = known.filter(name => name.toLowerCase().includes(word.toLowerCase()))
    if (word === '' || meant.length === 0) throw new InputError(`--device is "${word}"; ${knownNames(word, known)}.`)
    return meant
  })
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
  const out = checkOutFile(flags)
  const quiet = flags['quiet'] === true || flags['json'] === true
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
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(results)}\n`)
    if (flags['json'] === true) printJson(results)
    else print(kernelText(results))
    // A wrong result is a failure of the work, however fast, and so is none.
    if (results.records.some(r => r.error !== undefined)) process.exitCode = 1
    if (results.records.length === 0 && !signal.aborted) process.exitCode = 1
  } finally {
    release()
  }
}

const kernelsCommand: SubCommand = {
  describe: 'gradient, Hessian, update, eigen-decomposition and runs per second beside the peak',
  flags: { Flags: kernelOptions },
  examples: [['manystart bench kernels --engine cpu --sizes small', 'seconds instead of minutes']],
  run: runKernels
}

const compareOptions: FlagTable = {
  'fail-above': text('exit code 3 when B is slower by more than this beyond noise, e.g. 5%'),
  runs: text('for builds and commands: runs of each side, in turn; default 10'),
  engine: list('for builds: engines to measure; default: cpu'),
  precision: list('for builds: f64, f32; default: both'),
  kernel: list(`for builds: ${kernelNames.join(', ')}; default: all but study`),
  sizes: text('for builds: ladder or small; default: small'),
  quiet: common['quiet'],
  json: common['json']
}

/** Exit code for "B is slower than allowed". */
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
  const quiet = flags['quiet'] === true || flags['json'] === true
  const comparison = compareSides(sideOf(String(flags['a'])), sideOf(String(flags['b'])), {
    failAbove,
    runs,
    flags: [
      ...['--engine', engine.join(','), '--kernel', kernel.join(',')],
      ...['--sizes', String(flags['sizes'] ?? 'small')],
      ...(precision ? ['--precision', precision.join(',')] : [])
    ],
    onRun: (done, total) => {
      if (!quiet) process.stderr.write(`${done} of ${total} pairs of runs\n`)
    }
  })
  if (flags['json'] === true) printJson(comparison)
  else print(comparisonText(comparison))
  if (comparison.failed.length > 0) process.exitCode = slower
}

const compareCommand: SubCommand = {
  describe: 'what changed beyond noise between two result files, builds or commands',
  positionals: [
    { name: 'a', describe: 'result file, folder of a build, or command in quotes', required: true },
    { name: 'b', describe: 'what to set beside it', required: true }
  ],
  flags: { Flags: compareOptions },
  examples: [['manystart bench compare old.json new.json --fail-above 5%', 'exit code 3 when something got slower']],
  run: runCompare
}

const convergenceOptions: FlagTable = {
  out: text('directory for cells, convergence.json and report.html; default: manystart-convergence'),
  force: { type: 'boolean', describe: 'start again where the directory holds results' },
  quiet: common['quiet'],
  json: common['json']
}

async function runGrid(flags: Flags): Promise<void> {
  const path = flags['grid']
  const grid = typeof path === 'string' ? readGrid(path) : defaultGrid
  const out = String(flags['out'] ?? 'manystart-convergence')
  const quiet = flags['quiet'] === true || flags['json'] === true
  const { signal, release } = interruptSignal()
  let stored = 0
  try {
    const results = await runConvergence(grid, typeof path === 'string' ? path : 'the built-in grid', {
      out,
      force: flags['force'] === true,
      signal,
      onCell: (cell, done, total, there) => {
        stored = done
        if (quiet || there) return
        process.stderr.write(`${done} of ${total}: ${cell.data}, ${cell.model}, ${cell.optimizer}, seed ${cell.seed}\n`)
      }
    })
    if (!results)
      throw new WorkError(`Stopped with ${stored} cells stored in ${out}; the same command goes on with the others.`)
    writePage(out, await convergencePage(results))
    if (flags['json'] === true) printJson(results)
    else {
      print(convergenceText(results))
      print(`Written to ${out}: convergence.json with every sample, ${pageFile}`)
    }
  } finally {
    release()
  }
}

const convergenceCommand: SubCommand = {
  describe: 'how the optimisers converge on convex and non-convex models',
  positionals: [{ name: 'grid', describe: 'grid.yaml; default: a built-in grid on iris2', required: false }],
  flags: { Flags: convergenceOptions },
  run: runGrid
}

export const benchCommand: Command = {
  commands: { kernels: kernelsCommand, convergence: convergenceCommand, compare: compareCommand }
}
