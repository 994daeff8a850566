/** The library: the same objects that the program reads and writes, typed. */
export {
  study,
  resumeStudy,
  sumUp,
  summaryOf,
  type ResumeOptions,
  type StudyFiles,
  type StudyOptions
} from './study/study.js'
export { version } from './core/version.js'
export { contrast, contrastModels, type ContrastModel, type ContrastOptions } from './study/contrast.js'
export { variance, type VarianceOptions } from './study/variance.js'
export { replay, type Replay } from './study/replay.js'
export { predict, type NewData, type PredictOptions, type Predictions } from './study/predict.js'
export { resolveConfig, type StudyConfig } from './study/config.js'
export { InputError, WorkError } from './core/errors.js'
export { renderReport } from './report/render.js'
export { conclusion } from './report/conclusion.js'
export { renderVariance, varianceConclusion, varianceText } from './report/variance.js'
export { contrastText } from './report/contrast.js'
export { studyText } from './report/text.js'
export type * from './core/result.js'
export type * from './core/varianceResult.js'
export type { Network, Problem, Loss, Activation, Init } from './models/types.js'
