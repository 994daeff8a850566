/** `bench compare A B …`: what is faster, slower or the same beyond noise, in results, builds or commands; the first is what the others are set beside. */
import { spawnSync } from 'node:child_process'
import { InputError, WorkError } from '../../core/errors.js'
import { readConditions, type Conditions } from '../conditions.js'
import { recordKey, type KernelRecord } from '../kernels/records.js'
import { median } from '../statistics.js'
import { ratioOf, type Blocks } from './ratio.js'
import { blocksOfResults, machineDifferences, type Side } from './sides.js'

export interface Change {
  readonly name: string
  /** Which of the sides is set beside the first, from 1. */
  readonly side: number
  /** Median seconds per gradient, run, … or per command, of the first side and of this one. */
  readonly secondsFirst: number
  readonly seconds: number
  /** How many times as fast this side is as the first. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly verdict: 'faster' | 'slower' | 'same' | 'not clear' | 'wrong result'
}

export interface Comparison {
  readonly sides: readonly string[]
  readonly changes: readonly Change[]
  /** All intervals hold together with this confidence: each has 1 − (1 − confidence) / rows (Bonferroni). */
  readonly confidence: number
  readonly rows: number
  /** `same`: the interval lies within this share of 1. */
  readonly sameWithin: number
  /** Measurements that one side has and the first has not, or the other way round. */
  readonly missing: readonly { readonly in: number; readonly name: string }[]
  /** What differs between the machines, in sentences; nothing for builds and commands. */
  readonly differences: readonly string[]
  /** Of each side, while it was measured. */
  readonly conditions: readonly (readonly Conditions[])[]
  readonly failAbove: number | null
  /** Names of what is slower than `failAbove` allows, noise taken into account, or newly wrong. */
  readonly failed: readonly string[]
}

const confidence = 0.95
const sameWithin = 0.03

/** Measurements by name. */
export type Measurements = Readonly<Record<string, Blocks>>

/** A wrong result takes for ever. */
const isWrong = (blocks: Blocks): boolean => !Number.isFinite(median(blocks.flat()))

function verdictOf(low: number, high: number): Change['verdict'] {
  if (low > 1) return 'faster'
  if (high < 1) return 'slower'
  return low >= 1 / (1 + sameWithin) && high <= 1 + sameWithin ? 'same' : 'not clear'
}

function change(name: string, side: number, first: Blocks, other: Blocks, paired: boolean, rows: number): Change {
  const secondsFirst = median(first.flat())
  const seconds = median(other.flat())
  if (isWrong(first) || isWrong(other)) {
    const ratio = seconds < secondsFirst ? Infinity : secondsFirst < seconds ? 0 : 1
    return { name, side, secondsFirst, seconds, ratio, low: ratio, high: ratio, verdict: 'wrong result' }
  }
  const { ratio, low, high } = ratioOf(first, other, paired, 1 - (1 - confidence) / rows)
  return { name, side, secondsFirst, seconds, ratio, low, high, verdict: verdictOf(low, high) }
}

export interface Told {
  readonly names: readonly string[]
  /** Whether block k of all sides was taken in one turn. */
  readonly paired: boolean
  readonly differences?: readonly string[]
  readonly conditions?: readonly (readonly Conditions[])[]
  /** A side may be slower by this share, e.g. 0.05; null: never fails. */
  readonly failAbove: number | null
}

export function compareMeasurements(sides: readonly Measurements[], told: Told): Comparison {
  const [first, ...others] = sides
  const has = (side: Measurements, name: string): boolean => Object.hasOwn(side, name)
  const pairs = others.flatMap((other, i) =>
    Object.keys(first)
      .filter(name => has(other, name))
      .map(name => ({ name, side: i + 1, other }))
  )
  const rows = pairs.filter(({ name, other }) => !isWrong(first[name]) && !isWrong(other[name])).length
  const changes = pairs.map(({ name, side, other }) => change(name, side, first[name], other[name], told.paired, rows))
  const { failAbove } = told
  const failed = failAbove === null ? [] : changes.filter(c => c.high < 1 - failAbove || (c.ratio === 0 && c.low === 0))
  return {
    sides: told.names,
    changes,
    confidence,
    rows,
    sameWithin,
    missing: others.flatMap((other, i) => [
      ...Object.keys(first).flatMap(name => (has(other, name) ? [] : [{ in: i + 1, name }])),
      ...Object.keys(other).flatMap(name => (has(first, name) ? [] : [{ in: 0, name }]))
    ]),
    differences: told.differences ?? [],
    conditions: told.conditions ?? [],
    failAbove,
    failed: failed.map(c => (sides.length > 2 ? `${told.names[c.side]}: ${c.name}` : c.name))
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

/** One turn of a side that runs: seconds per unit by name. */
function turn(side: Exclude<Side, { kind: 'results' }>, flags: readonly string[]): Record<string, number> {
  if (side.kind === 'command') return { 'wall clock of the command': runCommand(side.text) }
  return Object.fromEntries(
    runBuild(side.program, flags).map(r => [recordKey(r), r.error === undefined ? 1 / r.perSecond : Infinity])
  )
}

const kindText = { results: 'result file', build: 'build', command: 'command' } as const

export interface CompareOptions {
  readonly failAbove: number | null
  readonly runs: number
  /** Of `bench kernels`, for builds. */
  readonly flags: readonly string[]
  readonly onRun?: (done: number, total: number) => void
}

/**
 * Compares sides of one kind. Builds and commands are run in turn, A B C, C B A, …, after one run of each that does not count, so that a
 * machine that slows down slows all.
 */
export function compareSides(sides: readonly Side[], options: CompareOptions): Comparison {
  const names = sides.map(s => s.text)
  const { failAbove, runs, flags, onRun } = options
  if (sides.length < 2)
    throw new InputError(
      '`manystart bench compare` needs two results at least: files, builds or commands of which the others are set beside the first.'
    )
  const odd = sides.find(s => s.kind !== sides[0].kind)
  if (odd)
    throw new InputError(
      `${names[0]} is a ${kindText[sides[0].kind]} and ${odd.text} a ${kindText[odd.kind]}; compare result files, builds or commands with their own kind.`
    )
  const results = sides.flatMap(s => (s.kind === 'results' ? [s.results] : []))
  if (results.length > 0)
    return compareMeasurements(results.map(blocksOfResults), {
      names,
      paired: false,
      differences: machineDifferences(names, results),
      conditions: results.map(r => r.conditions ?? []),
      failAbove
    })
  const running = sides.flatMap(s => (s.kind === 'results' ? [] : [s]))
  const blocks = running.map((): Record<string, number[][]> => ({}))
  const conditions = running.map((): Conditions[] => [])
  for (const side of running) turn(side, flags)
  for (let k = 0; k < runs; k++) {
    const order = running.map((_, i) => (k % 2 === 0 ? i : running.length - 1 - i))
    for (const i of order) {
      conditions[i].push(readConditions())
      for (const [name, value] of Object.entries(turn(running[i], flags))) (blocks[i][name] ??= []).push([value])
    }
    onRun?.(k + 1, runs)
  }
  return compareMeasurements(blocks, { names, paired: true, conditions, failAbove })
}

/** "5%", "5 %" or "0.05" as a share. @throws InputError for anything else */
export function shareFlag(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text)
  const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : NaN
  if (!(value >= 0 && value < 1))
    throw new InputError(`--fail-above is "${text}"; give a share such as 5% or 0.05, below 100%.`)
  return value
}
