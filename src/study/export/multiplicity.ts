/** How far the predictions of good runs differ, row by row, as CSV, JSON or Parquet. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { quoted } from '../../core/printable.js'
import { StudyDirectory } from '../../runs/directory.js'
import { rowMultiplicity, type RowMultiplicity } from '../multiplicity/index.js'
import { readRecord } from '../record.js'
import { runSession } from '../session.js'
import { setUpAgain } from '../study.js'
import { csvLine } from './csv.js'

const formats = ['csv', 'json', 'parquet'] as const

/** Columns and what they are in Parquet. */
const types = {
  row: 'INT32',
  rows: 'STRING',
  output: 'STRING',
  epsilon: 'DOUBLE',
  class: 'STRING',
  prediction: 'DOUBLE',
  lowest: 'DOUBLE',
  highest: 'DOUBLE',
  ambiguous: 'DOUBLE',
  obscurity: 'DOUBLE',
  selfConsistency: 'DOUBLE',
  capacity: 'DOUBLE'
} as const satisfies Record<keyof RowMultiplicity, string>
const columns = Object.keys(types) as (keyof RowMultiplicity)[]

/** Every row of the training and held-out data within every ε, made of the runs that a directory holds. */
async function* rowsOf(path: string): AsyncGenerator<RowMultiplicity> {
  const saved = await readRecord(path)
  const setup = await setUpAgain(path, saved, undefined, {})
  try {
    const directory = await StudyDirectory.resume(path, saved.identity)
    try {
      const { folded } = await runSession(setup, directory.identity, saved.range, directory, { storedOnly: true })
      yield* rowMultiplicity(setup, folded)
    } finally {
      await directory.close()
    }
  } finally {
    setup.dispose()
  }
}

/** One table; what there is only of classes is null where the response is a number. */
async function parquetOf(rows: AsyncIterable<RowMultiplicity>): Promise<Uint8Array> {
  const data = Object.fromEntries(columns.map(name => [name, [] as unknown[]]))
  for await (const row of rows) for (const name of columns) data[name].push(row[name] ?? null)
  const columnData = columns.map(name => ({ name, data: data[name], type: types[name], nullable: true }))
  return new Uint8Array(parquetWriteBuffer({ columnData }))
}

/**
 * Text in pieces, or for Parquet bytes.
 * @throws InputError for another format, and for a directory that holds no study
 */
export async function* exportedMultiplicity(directory: string, format: string): AsyncGenerator<string | Uint8Array> {
  if (!formats.some(known => known === format))
    throw new InputError(`--format is ${quoted(format)}; with --multiplicity ${knownNames(format, formats)}.`)
  if (format === 'csv') {
    yield csvLine(columns)
    for await (const row of rowsOf(directory)) yield csvLine(columns.map(name => row[name] ?? ''))
    return
  }
  if (format === 'parquet') {
    yield await parquetOf(rowsOf(directory))
    return
  }
  let before = '[\n'
  for await (const row of rowsOf(directory)) {
    yield before + JSON.stringify(row)
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}
