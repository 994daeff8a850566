/** Where benchmarks put their figures: one JSON file for each machine and day, and a page that is written from them. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeMachine, type Machine } from '../src/bench/machine.js'
import type { KernelResults } from '../src/bench/kernels/records.js'
import type { Limit } from './limits.js'
import type { FormulaResults } from './formulas/table.js'
import type { PeerResults } from './peers/types.js'

export const folder = dirname(fileURLToPath(import.meta.url))
export const root = dirname(folder)
const results = join(folder, 'results')

/** A kernel result with what the other benchmarks of the same machine and day found. */
export interface StoredResults extends KernelResults {
  readonly limits?: readonly Limit[]
  readonly peers?: PeerResults
  readonly formulas?: FormulaResults
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** Name of the result of this machine today, without extension. */
export const resultName = (machine: Machine): string =>
  `${slug(machine.cpu.name)}-${machine.cpu.cores}-cores${machine.gpus?.[0] ? `-${slug(machine.gpus[0].name)}` : ''}-${machine.date.slice(0, 10)}`

/** Adds parts to today's result of this machine. @returns its path */
export function store(part: Partial<StoredResults>): string {
  mkdirSync(results, { recursive: true })
  const machine = part.machine ?? describeMachine()
  const path = join(results, `${resultName(machine)}.json`)
  const empty = { format: 'manystart/bench', version: 1, machine, records: [], missing: [], wallSeconds: 0 }
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoredResults) : empty
  writeFileSync(path, `${JSON.stringify({ ...before, ...part })}\n`)
  return path
}

/**
 * The latest result of each machine, with the name of its file: that of the kernels where there is one, with what other benchmarks have found
 * since.
 */
export function latestResults(): { name: string; result: StoredResults }[] {
  const latest = new Map<string, { name: string; result: StoredResults }>()
  const names = existsSync(results) ? readdirSync(results).filter(name => name.endsWith('.json')) : []
  for (const name of names.sort()) {
    const machine = name.replace(/-\d{4}-\d\d-\d\d\.json$/, '')
    const result = JSON.parse(readFileSync(join(results, name), 'utf8')) as StoredResults
    const before = latest.get(machine)
    if (result.records.length > 0 || !before) latest.set(machine, { name, result })
    else {
      const { limits, peers, formulas } = result
      const parts = { ...(limits ? { limits } : {}), ...(peers ? { peers } : {}), ...(formulas ? { formulas } : {}) }
      latest.set(machine, { name: before.name, result: { ...before.result, ...parts } })
    }
  }
  return [...latest.values()]
}

/** Writes a picture beside the results. @returns its path from the page */
export function storePicture(name: string, svg: string): string {
  writeFileSync(join(results, name), svg)
  return `results/${name}`
}
