/** What the commands share: reading the study, stopping on Ctrl-C, printing. */
import { InputError, stoppedCode } from '../core/errors.js'
import { printable, printableJson, sentence, shownValue } from '../core/printable.js'
import { checkFields, readConfigFile, resolveConfig, type StudyConfig } from '../study/config.js'
import type { Flags, Positional } from './command.js'
import { mergeFlags } from './flags.js'
import { writeSentence } from './terminal.js'

/** The raw study from a file (if given) and flags. */
export function rawStudy(flags: Flags): { raw: Record<string, unknown>; source: string } {
  const path = flags['config']
  const file = typeof path === 'string' ? readConfigFile(path) : {}
  for (const [name, part] of Object.entries(file))
    if (['data', 'model', 'starts', 'stop'].includes(name) && (part === null || typeof part !== 'object'))
      throw new InputError(
        `${name} in ${String(path)} is ${shownValue(part)}; give a mapping${name === 'data' ? ', such as {builtin: iris2} or {csv: FILE}' : ''}.`
      )
  const raw = mergeFlags(file, flags)
  const source = typeof path === 'string' ? path : 'the command line'
  lookFor(raw)
  // An objective has none.
  const objective = (raw['model'] as Record<string, unknown> | undefined)?.['objective'] !== undefined
  if (Object.keys(raw['data'] ?? {}).length === 0 && !objective) {
    // The field may be there under a wrong name.
    checkFields(raw, source)
    throw new InputError(
      'No data are named; give --data FILE or a built-in name such as iris2, or a study file with a data field.'
    )
  }
  return { raw, source }
}

/** Without data, `--target` says what to look for: minima, or all stationary points. */
function lookFor(raw: Record<string, unknown>): void {
  const { objective } = (raw['model'] ?? {}) as Record<string, unknown>
  const data = raw['data'] as Record<string, unknown> | undefined
  const target = data?.['target']
  if (objective === undefined || target === undefined) return
  if (target !== 'stationary' && target !== 'minima')
    throw new InputError(
      `--target ${String(target)} names a column, but an objective has no data; give minima or stationary.`
    )
  const { target: _, ...rest } = data!
  raw['data'] = rest
  if (target === 'stationary') raw['optimizer'] ??= 'stationary'
}

export function studyFrom(flags: Flags): StudyConfig {
  const { raw, source } = rawStudy(flags)
  return resolveConfig(raw, source)
}

/**
 * A signal that Ctrl-C sets, a terminal that closes, and the system where it ends a job: the first time runs stop and those that have ended
 * are saved, the second time the program ends at once. What is on the disk is whole at any time.
 */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const controller = new AbortController()
  const release = (): void => {
    for (const name of signals) process.off(name, onInterrupt)
  }
  const onInterrupt = (): void => {
    if (controller.signal.aborted) {
      // To exit waits for calls to the system that have not returned, such as to open a pipe that nobody writes: from now on a signal
      // ends the program as it ends others.
      release()
      process.exit(stoppedCode)
    }
    process.stderr.write('\nStopping; results so far are being saved. Press Ctrl-C again to stop at once.\n')
    process.exitCode = stoppedCode
    controller.abort()
  }
  for (const name of signals) process.on(name, onInterrupt)
  return { signal: controller.signal, release }
}

/** The study file that `study`, `contrast` and `check` take. */
export const configFile: Positional = { name: 'config', describe: 'study.yaml or study.json', required: false }

/** Says something beside the result. */
export const say = (text: string): void => writeSentence(sentence(text))

/** Prints text for people: names and cells in it cannot steer the terminal. */
export const print = (text: string): void => {
  process.stdout.write(printable(text.endsWith('\n') ? text : `${text}\n`))
}

/** Prints a result for programs, on one line. */
export const printJson = (value: unknown): void => {
  process.stdout.write(`${printableJson(value)}\n`)
}
