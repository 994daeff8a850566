// A study of what a file may hold: tests build configurations whose types the compiler widens.
import type { Summary } from '../../src/core/result.js'
import { resolveConfig } from '../../src/study/config.js'
import { runStudy, type StudyOptions } from '../../src/study/study.js'

export const study = (raw: unknown, options: StudyOptions = {}): Promise<Summary> =>
  runStudy(resolveConfig(raw, 'the study'), options)
