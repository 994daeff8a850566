/** The library: the same objects that the program reads and writes, typed. */
export { study, version, type StudyOptions } from './study/study.js'
export { contrast, contrastModels, type ContrastModel, type ContrastOptions } from './study/contrast.js'
export { resolveConfig, type StudyConfig } from './study/config.js'
export { InputError, WorkError } from './core/errors.js'
export { renderReport } from './report/render.js'
export { contrastTable, conclusion, studyText } from './report/text.js'
export type * from './core/result.js'
export type { Network, Problem, Loss, Activation, Init } from './models/types.js'
