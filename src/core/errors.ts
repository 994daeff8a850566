/**
 * Error classes that callers tell apart. Every message is one sentence: what is wrong, where, what is allowed, what to
 * do. Anything else that is thrown is a defect of this program.
 */

/** Wrong usage or wrong input: the command-line program exits with 2. */
export class InputError extends Error {
  /** Tells it from others where `instanceof` does not reach. */
  override readonly name = 'InputError'
}

/** The input was right but the work could not be done: the command-line program exits with 1. */
export class WorkError extends Error {
  /** Tells it from others where `instanceof` does not reach. */
  override readonly name = 'WorkError'
}

/** Whether an error says that memory has run out, or what the system lets a program have of threads. */
export const isExhausted = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && error.code === 'ENOMEM') ||
    (error instanceof RangeError && error.message.includes('allocation failed')))

export const exhausted =
  'There is not enough memory, or no further thread may begin; free some, or take fewer --threads or --lanes.'

/** Exit code of the command-line program after a signal that stopped the work. */
export const stoppedCode = 130
