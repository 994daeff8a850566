/** Names of what this program writes into the directories of studies, contrasts and results. */
export const studyFile = 'study.json'
export const summaryFile = 'summary.json'
export const reportFile = 'report.html'
/** The record of studies side by side. */
export const contrastFile = 'contrast.json'
/** The record of starts, orders and resamples that were crossed. */
export const varianceFile = 'variance.json'
export const runsFolder = 'runs'
/** Which distinct point each run belongs to: follows from the parts and the tolerances. */
export const pointsFile = 'points.parquet'
/** All distinct points, of which a summary lists the best. */
export const distinctFile = 'distinct.parquet'
/** What lies beside the parts and follows from them, as the summary does. */
export const tableFiles: readonly string[] = [pointsFile, distinctFile]
/** The list of the parts. */
export const listFile = 'parts.jsonl'
/** Parts that are not as they were written. */
export const asideFolder = 'aside'
export const lockFile = '.lock'

/** Whether a file holds runs of a study. */
export const isOfRuns = (name: string): boolean => /^(part-\d{13,}-\d+|open-\d{13,})\.parquet$/.test(name)

/** Runs of a crossed design: the model that they belong to, and the number of the file. */
export const crossedPattern = /^(model|twin)-(\d{6,})\.parquet$/

const files = [studyFile, summaryFile, reportFile, contrastFile, varianceFile, ...tableFiles, listFile]
const isOfLock = (name: string): boolean => /^lock-\d+-\d+-\d+(-old)?$/.test(name)

/** The name under which a file is written before it takes its own. */
export const temporaryOf = (name: string): string => `.${name}.partial`

/** Whether a kill of this program may have left a file: another program's temporary files are its own. */
export function isTemporary(name: string): boolean {
  const [, of] = /^\.(.+)\.partial$/.exec(name) ?? []
  return of !== undefined && (files.includes(of) || isOfRuns(of) || crossedPattern.test(of) || isOfLock(of))
}
