/** What the commands share: reading the study, stopping on Ctrl-C, printing. */
import type { Argv } from 'yargs'
import { InputError } from '../core/errors.js'
import { readConfigFile, resolveConfig, type StudyConfig } from '../study/config.js'
import { mergeFlags, type Flags } from './flags.js'

/** The raw study from a file (if given) and flags. */
export function rawStudy(flags: Flags): { raw: Record<string, unknown>; source: string } {
  const path = flags['config']
  const file = typeof path === 'string' ? readConfigFile(path) : {}
  const raw = mergeFlags(file, flags)
  if (Object.keys(raw['data'] ?? {}).length === 0)
    throw new InputError(
      'No data are named; give --data FILE or a built-in name such as iris2, or a study file with a data field.'
    )
  return { raw, source: typeof path === 'string' ? path : 'the command line' }
}

export function studyFrom(flags: Flags): StudyConfig {
  const { raw, source } = rawStudy(flags)
  return resolveConfig(raw, source)
}

/** A signal that Ctrl-C sets: the first time runs stop and results are saved, the second time the program ends at once. */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const onInterrupt = (): void => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\nStopping; results so far are being saved. Press Ctrl-C again to stop at once.\n')
    controller.abort()
  }
  process.on('SIGINT', onInterrupt)
  return { signal: controller.signal, release: () => process.off('SIGINT', onInterrupt) }
}

export const print = (text: string): void => {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** yargs infers `unknown` for options that come from a table; they are text or booleans. */
export const asFlags = (yargs: unknown): Argv<Flags> => yargs as Argv<Flags>
