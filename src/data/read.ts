/** Opens the table that the `data` part of a study names. */
import { statSync } from 'node:fs'
import { InputError } from '../core/errors.js'
import { shown } from '../core/printable.js'
import { builtins, builtinTable, generateTable } from './builtin.js'
import { isParquet, openBytes, standardInput } from './bytes.js'
import { readDelimited } from './delimited.js'
import { tableOfColumns, tableOfRows } from './memory.js'
import type { Table } from './table.js'
import type { DataConfig, LoadProgress } from './types.js'

export interface ReadOptions {
  /** Told how far the reading of the table has come. */
  readonly onProgress?: (progress: LoadProgress) => void
}

const instead = `the path of a CSV or Parquet file or a built-in name (${Object.keys(builtins).join(', ')})`

/** Tables read last: the models of a contrast share one, and standard input can be read once only. */
const recent = new Map<string, Promise<Table>>()
const recentTables = 2

/** What the system tells of a file; nothing where it refuses, as for a name that is too long or links that go round in a circle. */
function statOf(path: string): { ino: bigint; size: bigint; mtimeNs: bigint } | undefined {
  try {
    return statSync(path, { bigint: true })
  } catch {
    return undefined
  }
}

/** What a file's table depends on, in a text that changes with it. */
function keyOf(path: string, dialect: Pick<DataConfig, 'delimiter' | 'decimal'>): string {
  const { delimiter, decimal } = dialect
  const stat = path === standardInput ? undefined : statOf(path)
  return JSON.stringify([path, delimiter, decimal, ...(stat ? [stat.ino, stat.size, stat.mtimeNs].map(String) : [])])
}

async function openFile(path: string, config: DataConfig, options: ReadOptions): Promise<Table> {
  const bytes = await openBytes(path, instead)
  // Loaded where there is one to read.
  if (isParquet(bytes.head)) return (await import('./parquet.js')).readParquet(bytes, options)
  if (config.parquet === path) throw new InputError(`${shown(path)} is not a Parquet file; name a text table as csv.`)
  const { delimiter, decimal } = config
  return readDelimited(bytes, {
    ...options,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(decimal === undefined ? {} : { decimal })
  })
}

/** The table of a file, a pipe or standard input. @throws InputError when it cannot be read */
export async function readFile(path: string, config: DataConfig, options: ReadOptions = {}): Promise<Table> {
  const key = keyOf(path, config)
  let table = recent.get(key)
  if (!table) {
    table = openFile(path, config, options)
    recent.set(key, table)
    for (const old of recent.keys()) if (recent.size > recentTables) recent.delete(old)
  }
  try {
    return await table
  } catch (error) {
    recent.delete(key)
    throw error
  }
}

const kinds = ['csv', 'parquet', 'builtin', 'generate', 'columns', 'rows'] as const

/** @throws InputError unless the configuration names one table that can be read */
export async function openTable(
  config: DataConfig,
  options: ReadOptions = {}
): Promise<{ readonly table: Table; readonly target: string | undefined }> {
  const given = kinds.filter(kind => config[kind] !== undefined)
  if (given.length !== 1)
    throw new InputError(
      `data must name exactly one of ${kinds.slice(0, -1).join(', ')} and ${kinds.at(-1)}, e.g. {builtin: iris2}.`
    )
  const path = config.csv ?? config.parquet
  if (path !== undefined) return { table: await readFile(path, config, options), target: undefined }
  if (config.builtin !== undefined) return builtinTable(config.builtin)
  if (config.columns !== undefined) return { table: tableOfColumns(config.columns), target: undefined }
  if (config.rows !== undefined) return { table: tableOfRows(config.rows), target: undefined }
  return { table: generateTable(config.generate!), target: 'y' }
}
