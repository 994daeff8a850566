/** A fitted model for other programs: as data, or as a short function of Python or R; and the runs as CSV. */
import { InputError } from '../../core/errors.js'
import { shown } from '../../core/printable.js'
import { expressionOf, networkOf } from '../../models/model.js'
import { chooseModel, openStudy, type ModelChoice } from '../fitted.js'
import { runsCsv } from './csv.js'
import { modelData, type ModelData } from './model.js'
import { pythonOf } from './python.js'
import { rOf } from './r.js'

const writers = {
  json: (model: ModelData) => `${JSON.stringify(model, null, 2)}\n`,
  python: pythonOf,
  r: rOf
} as const

export type ModelFormat = keyof typeof writers
export const exportFormats = ['json', 'python', 'r', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

/**
 * Text of a model of a study, or with `csv` of its runs, in pieces.
 * @throws InputError for a directory without a study, and a model that is not there
 */
export async function* exported(
  directory: string,
  format: ExportFormat,
  choice: ModelChoice = {}
): AsyncGenerator<string> {
  if (format === 'csv') {
    yield* runsCsv(directory)
    return
  }
  const study = await openStudy(directory)
  const network = networkOf(study.model)
  if (!network)
    throw new InputError(
      `The model of ${shown(directory)} is the formula ${expressionOf(study.model)?.formula}, which is a function already; its parameters are in summary.json, and --format csv gives the runs.`
    )
  yield writers[format](modelData(await chooseModel(study, choice), network))
}

export { csvLine } from './csv.js'
export type { ModelData } from './model.js'
