/** `bench compare A B`: what changed beyond noise between two results, two builds or two commands. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InputError, WorkError } from '../../core/errors.js'
import { recordKey, type KernelRecord } from '../kernels/records.js'
import { bootstrap, median } from '../statistics.js'

/** A result file, a folder with a built program, or a command line. */
export type Side =
  | { readonly kind: 'results'; readonly text: string; readonly records: readonly KernelRecord[] }
  | { readonly kind: 'build'; readonly text: string; readonly program: string }
  | { readonly kind: 'command'; readonly text: string }

/** Seconds per unit of work by name, in blocks: samples of one block were taken one right after the other. */
export type Blocks = Readonly<Record<string, readonly (readonly number[])[]>>

export interface Change {
  readonly name: string
  /** Median seconds per gradient, run, … or per command. */
  readonly secondsA: number
  readonly secondsB: number
  /** How many times as fast B is as A, with a 95 % bootstrap interval over blocks. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly verdict: 'faster' | 'slower' | 'no change seen' | 'wrong result'
}

export interface Comparison {
  readonly a: string
  readonly b: string
  readonly changes: readonly Change[]
  /** Measurements that only one side has. */
  readonly onlyA: readonly string[]
  readonly onlyB: readonly string[]
  readonly failAbove: number | null
  /** Names of what is slower than `failAbove` allows, noise taken into account, or newly wrong. */
  readonly failed: readonly string[]
}

function readRecords(path: string): readonly KernelRecord[] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new InputError(`${path} cannot be read as JSON (${why}); give a file that \`manystart bench --out\` wrote.`)
  }
  const { format, version, records } = (value ?? {}) as { format?: unknown; version?: unknown; records?: unknown }
  if (format !== 'manystart/bench' || version !== 1 || !Array.isArray(records))
    throw new InputError(
      `${path} is no result of version 1 of \`manystart bench kernels\`; give a file that \`manystart bench --out\` wrote.`
    )
  return records as KernelRecord[]
}

/** @throws InputError for a file or folder that holds nothing to compare */
export function sideOf(text: string): Side {
  if (text.endsWith('.json')) {
    if (!existsSync(text))
      throw new InputError(`There is no result file ${text}; \`manystart bench --out\` writes one.`)
    return { kind: 'results', text, records: readRecords(text) }
  }
  if (existsSync(text) && statSync(text).isDirectory()) {
    const program = join(text, 'dist/cli/main.js')
    if (!existsSync(program))
      throw new InputError(`${text} holds no built program (dist/cli/main.js); run \`npm run build\` there first.`)
    return { kind: 'build', text, program }
  }
  return { kind: 'command', text }
}

const wrong: readonly (readonly number[])[] = [[Infinity]]

/** Samples of a record per unit of work; a wrong result takes for ever. */
function blocksOf(record: KernelRecord): readonly (readonly number[])[] {
  if (record.error !== undefined || record.seconds.length === 0) return wrong
  const units = record.sizes.R * record.repeats
  const size = Math.ceil(record.seconds.length / record.rounds)
  return Array.from({ length: record.rounds }, (_, k) =>
    record.seconds.slice(k * size, (k + 1) * size).map(s => s / units)
  ).filter(block => block.length > 0)
}

export const blocksOfRecords = (records: readonly KernelRecord[]): Blocks =>
  Object.fromEntries(records.map(r => [recordKey(r), blocksOf(r)]))

function change(name: string, a: readonly (readonly number[])[], b: readonly (readonly number[])[]): Change {
  const pooled = (blocks: readonly (readonly number[])[]): number => median(blocks.flat())
  const secondsA = pooled(a)
  const secondsB = pooled(b)
  if (!Number.isFinite(secondsA) || !Number.isFinite(secondsB)) {
    const ratio = secondsB < secondsA ? Infinity : secondsA < secondsB ? 0 : 1
    return { name, secondsA, secondsB, ratio, low: ratio, high: ratio, verdict: 'wrong result' }
  }
  const { low, high } = bootstrap([a, b], (x, y) => pooled(x) / pooled(y))
  const verdict = low > 1 ? 'faster' : high < 1 ? 'slower' : 'no change seen'
  return { name, secondsA, secondsB, ratio: secondsA / secondsB, low, high, verdict }
}

/** @param failAbove B may be slower by this share, e.g. 0.05; null: never fails */
export function compareBlocks(
  a: Blocks,
  b: Blocks,
  names: { a: string; b: string },
  failAbove: number | null
): Comparison {
  const both = Object.keys(a).filter(name => Object.hasOwn(b, name))
  const changes = both.map(name => change(name, a[name], b[name]))
  const failed = failAbove === null ? [] : changes.filter(c => c.high < 1 - failAbove || (c.ratio === 0 && c.low === 0))
  return {
    ...names,
    changes,
    onlyA: Object.keys(a).filter(name => !both.includes(name)),
    onlyB: Object.keys(b).filter(name => !both.includes(name)),
    failAbove,
    failed: failed.map(c => c.name)
  }
}

function runCommand(text: string): number {
  const began = performance.now()
  const result = spawnSync(text, { shell: true, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  const seconds = (performance.now() - began) / 1000
  if (result.status !== 0) {
    const last = (result.stderr ?? '').trim().split('\n').at(-1)
    const how = result.signal ?? `exit code ${result.status}`
    throw new WorkError(`The command \`${text}\` ended with ${how}${last ? `: ${last}` : '.'}`)
  }
  return seconds
}

function runBuild(program: string, flags: readonly string[]): KernelRecord[] {
  const args = [program, 'bench', 'kernels', ...flags, '--json']
  const result = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28
  })
  if (result.stdout === '') {
    const last = result.stderr.trim().split('\n').at(-1) ?? ''
    throw new WorkError(`${program} bench kernels ended with exit code ${result.status} and no result: ${last}`)
  }
  return (JSON.parse(result.stdout) as { records: KernelRecord[] }).records
}

/** One round of a side that runs: seconds per unit by name. */
function round(side: Exclude<Side, { kind: 'results' }>, flags: readonly string[]): Record<string, number> {
  if (side.kind === 'command') return { 'wall clock of the command': runCommand(side.text) }
  return Object.fromEntries(
    runBuild(side.program, flags).map(r => [recordKey(r), r.error === undefined ? 1 / r.perSecond : Infinity])
  )
}

/**
 * Compares two sides of one kind. Builds and commands are run in turn, A B, B A, …, after one run of each that does not count, so
 * that a machine that slows down slows both.
 * @param flags of `bench kernels`, for builds
 */
export function compareSides(
  a: Side,
  b: Side,
  options: {
    readonly failAbove: number | null
    readonly runs: number
    readonly flags: readonly string[]
    readonly onRun?: (done: number, total: number) => void
  }
): Comparison {
  const names = { a: a.text, b: b.text }
  if (a.kind === 'results' && b.kind === 'results')
    return compareBlocks(blocksOfRecords(a.records), blocksOfRecords(b.records), names, options.failAbove)
  if (a.kind === 'results' || b.kind === 'results' || a.kind !== b.kind)
    throw new InputError(
      `${a.text} is a ${kindText[a.kind]} and ${b.text} a ${kindText[b.kind]}; compare two result files, two builds or two commands.`
    )
  const blocks = { a: {} as Record<string, number[][]>, b: {} as Record<string, number[][]> }
  const keep = (into: Record<string, number[][]>, values: Record<string, number>): void => {
    for (const [name, value] of Object.entries(values)) (into[name] ??= []).push([value])
  }
  round(a, options.flags)
  round(b, options.flags)
  for (let k = 0; k < options.runs; k++) {
    if (k % 2 === 0) {
      keep(blocks.a, round(a, options.flags))
      keep(blocks.b, round(b, options.flags))
    } else {
      keep(blocks.b, round(b, options.flags))
      keep(blocks.a, round(a, options.flags))
    }
    options.onRun?.(k + 1, options.runs)
  }
  return compareBlocks(blocks.a, blocks.b, names, options.failAbove)
}

const kindText = { results: 'result file', build: 'build', command: 'command' } as const

/** "5%", "5 %" or "0.05" as a share. @throws InputError for anything else */
export function shareFlag(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text)
  const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : NaN
  if (!(value >= 0 && value < 1))
    throw new InputError(`--fail-above is "${text}"; give a share such as 5% or 0.05, below 100%.`)
  return value
}
