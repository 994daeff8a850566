/**
 * How a run stopped, as the run loop sees it. The kernels write these numbers (kernels/cpu/run.h mirrors them); the
 * verdict on an end point is another matter and is decided later, by analysis/.
 */
export const Status = {
  /** The gradient norm of the current point is at or below the tolerance. */
  converged: 0,
  /** The optimiser can make no further progress at this precision (radius or step length at rounding level). */
  stalled: 1,
  /** The budget of steps is used up. */
  budget: 2,
  /** The loss or the gradient at the current point is not finite. */
  failed: 3
} as const
export type Status = (typeof Status)[keyof typeof Status]

export const statusNames = ['converged', 'stalled', 'budget', 'failed'] as const

/** One sentence for each status, by its number. */
export const statusSentences: readonly string[] = [
  'The gradient norm fell to the tolerance.',
  'No further progress was possible at this precision.',
  'The budget of steps was used up.',
  'The loss or its gradient was not finite.'
]
