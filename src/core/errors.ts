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

/** Exit code of the command-line program after a signal that stopped the work. */
export const stoppedCode = 130
