/** What a measurement was taken on: processor, graphics cards, memory, versions, commit, and energy where it can be read. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from '../core/prebuilt.js'
import { version } from '../core/version.js'
import { raplCounters } from './energy.js'

export interface Gpu {
  readonly name: string
  readonly driver: string
  readonly memoryBytes: number | null
  readonly clockMegahertz: number | null
  readonly watts: number | null
}

export interface Machine {
  readonly cpu: {
    readonly name: string
    /** Cores that this process may use. */
    readonly cores: number
    /** Current clock of each core; null where the system does not tell. */
    readonly clocksMegahertz: readonly number[] | null
  }
  /** Graphics cards that `nvidia-smi` lists; null where there is no `nvidia-smi`. */
  readonly gpus: readonly Gpu[] | null
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** This package and the optional engines that are installed. */
  readonly versions: Readonly<Record<string, string>>
  /** Commit of the repository, or that a bundle was made from, with `+` when files were changed since; null elsewhere. */
  readonly commit: string | null
  /** What energy can be read here. */
  readonly energy: {
    readonly cpu: 'rapl' | null
    readonly gpu: 'nvidia-smi' | null
    /** Why a part cannot be read. */
    readonly why?: readonly string[]
  }
  /** ISO 8601. */
  readonly date: string
}

/** A tool's output, or null where the tool is missing or fails. */
function output(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

const numberOrNull = (text: string | undefined): number | null => {
  const n = Number.parseFloat(text ?? '')
  return Number.isFinite(n) ? n : null
}

const gpuFields = 'name,driver_version,memory.total,clocks.sm,power.draw'

/** Lines of `nvidia-smi --query-gpu … --format=csv,noheader,nounits`. */
export const parseGpus = (text: string): Gpu[] =>
  text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [name = '', driver = '', memory, clock, watts] = line.split(',').map(cell => cell.trim())
      const mebibytes = numberOrNull(memory)
      return {
        name,
        driver,
        memoryBytes: mebibytes === null ? null : mebibytes * 2 ** 20,
        clockMegahertz: numberOrNull(clock),
        watts: numberOrNull(watts)
      }
    })

function gpus(): Gpu[] | null {
  const text = output('nvidia-smi', [`--query-gpu=${gpuFields}`, '--format=csv,noheader,nounits'])
  return text === null ? null : parseGpus(text)
}

function clocks(): number[] | null {
  const speeds = cpus().map(c => c.speed)
  return speeds.length > 0 && speeds.every(s => s > 0) ? speeds : null
}

function installedVersions(): Record<string, string> {
  const versions: Record<string, string> = { manystart: version }
  for (const name of [
    'webgpu',
    '@tensorflow/tfjs-backend-wasm',
    '@tensorflow/tfjs-node',
    '@tensorflow/tfjs-node-gpu'
  ]) {
    const file = join(root, 'node_modules', name, 'package.json')
    if (existsSync(file)) versions[name] = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return versions
}

function commit(): string | null {
  const bundle = join(root, 'bundle.json')
  if (existsSync(bundle)) return (JSON.parse(readFileSync(bundle, 'utf8')) as { commit: string | null }).commit
  if (!existsSync(join(root, '.git'))) return null
  const hash = output('git', ['rev-parse', '--short=12', 'HEAD'])
  if (hash === null) return null
  const changed = output('git', ['status', '--porcelain', '--untracked-files=no'])
  return changed === '' ? hash : `${hash}+`
}

function energySources(cards: readonly Gpu[] | null): Machine['energy'] {
  const counters = raplCounters()
  const gpu = cards?.some(c => c.watts !== null) ? ('nvidia-smi' as const) : null
  return {
    cpu: typeof counters === 'string' ? null : 'rapl',
    gpu,
    why: [
      ...(typeof counters === 'string' ? [`processor: ${counters}`] : []),
      ...(gpu !== null
        ? []
        : [cards === null ? 'graphics card: no nvidia-smi' : 'graphics card: nvidia-smi tells no power'])
    ]
  }
}

export function describeMachine(): Machine {
  const cards = gpus()
  return {
    cpu: {
      name: cpus()[0]?.model.trim() ?? 'unknown processor',
      cores: availableParallelism(),
      clocksMegahertz: clocks()
    },
    gpus: cards,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    versions: installedVersions(),
    commit: commit(),
    energy: energySources(cards),
    date: new Date().toISOString()
  }
}
