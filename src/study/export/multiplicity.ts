/** How far the predictions of good runs differ, row by row, as CSV or JSON. */
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { quoted } from '../../core/printable.js'
import { StudyDirectory } from '../../runs/directory.js'
import { rowMultiplicity, type RowMultiplicity } from '../multiplicity/index.js'
import { readRecord } from '../record.js'
import { runSession } from '../session.js'
import { setUpAgain } from '../study.js'
import { csvLine } from './csv.js'

const formats = ['csv', 'json'] as const

const columns = [
  'row',
  'rows',
  'output',
  'epsilon',
  'class',
  'prediction',
  'lowest',
  'highest',
  'ambiguous',
  'obscurity',
  'selfConsistency',
  'capacity'
] as const satisfies readonly (keyof RowMultiplicity)[]

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

/** @throws InputError for another format, and for a directory that holds no study */
export async function* exportedMultiplicity(directory: string, format: string): AsyncGenerator<string> {
  if (!formats.some(known => known === format))
    throw new InputError(`--format is ${quoted(format)}; with --multiplicity ${knownNames(format, formats)}.`)
  if (format === 'csv') {
    yield csvLine(columns)
    for await (const row of rowsOf(directory)) yield csvLine(columns.map(name => row[name] ?? ''))
    return
  }
  let before = '[\n'
  for await (const row of rowsOf(directory)) {
    yield before + JSON.stringify(row)
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}
