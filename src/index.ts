/**
 * Restart studies from a program: the same objects that the command line reads and writes, typed. Tables may be files, arrays or row
 * objects; θ [P] is in the order of the names that stand beside it, and everything refers to the columns as they were given.
 *
 * Errors are of two classes: {@link InputError} for what can be mended by whoever wrote the input, {@link WorkError} where an engine
 * or the disk failed. Each is one sentence: what is wrong, where, what is allowed, what to do.
 *
 * @packageDocumentation
 */
export {
  study,
  resumeStudy,
  sumUp,
  summaryOf,
  type ResumeOptions,
  type SessionOptions,
  type StudyFiles,
  type StudyOptions
} from './study/study.js'
export type { StudyProgress } from './study/session.js'
export type { Shard } from './study/record.js'
export type { Tolerances } from './analysis/cluster.js'
export type { StudyInput, DataInput, ModelInput, StartsInput, StopInput } from './study/input.js'
export type { Cell, Columns, LoadProgress, Preprocessing, TargetCoding, Term } from './data/types.js'
export { runs } from './study/runs.js'
export { readRuns, type StoredRun } from './study/storedRuns.js'
export type { Run } from './study/endedRun.js'
export { contrast, type ContrastInput, type ContrastOptions } from './study/contrast.js'
export type { ContrastResult } from './core/contrastResult.js'
export { variance, type VarianceInput, type VarianceOptions } from './study/variance/index.js'
export { check, type Check, type CheckOptions } from './study/check.js'
export {
  evaluate,
  evaluator,
  type Evaluator,
  type EvaluatorOptions,
  type Points,
  type Values
} from './study/evaluate.js'
export { compareStudies } from './study/compare/index.js'
export { comparisonMarkdown, comparisonText } from './report/comparison.js'
export { replay, type Replay, type ReplayOptions } from './study/replay.js'
export { predict, type NewData, type PredictOptions, type Predictions } from './study/predict.js'
export type { ModelChoice } from './study/fitted.js'
export type { Needs, Precision, SearchPrecision } from './engines/types.js'
export { InputError, WorkError } from './core/errors.js'
export { version } from './core/version.js'
export { renderReport, type ReportOptions } from './report/render.js'
export type { CoefficientOptions } from './report/inference.js'
export { conclusion } from './report/conclusion.js'
export { renderVariance, varianceConclusion, varianceText } from './report/variance.js'
export { contrastText } from './report/contrast.js'
export { studyText } from './report/text.js'
export type * from './core/result.js'
export type * from './core/comparisonResult.js'
export type * from './core/restartsResult.js'
export type * from './core/varianceResult.js'
