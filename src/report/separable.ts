/** A model on the rows that it gets right, which its own boundary separates, in a sentence. */
import type { Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import { count, limitText, partOfRuns, short } from './words.js'

/**
 * What separation does, and what a ridge does against it.
 * @param summaries of the models side by side
 * @param separated the first of them on such rows, without and with a ridge; nothing where that was not tried
 * @returns one sentence or two, or none
 */
export function separableText(summaries: readonly Summary[], separated: readonly Summary[]): string[] {
  const [whole] = summaries
  const [free, held] = separated
  if (!free) return []
  const [limit] = free.limits
  const approached = free.limits.length === 1 ? ` and the loss approaches ${limitText(limit)}` : ''
  const without =
    `On the ${formatCount(free.problem.rows)} of ${count(whole.problem.rows, 'training row', 'training rows')} that ${whole.name} gets right, ` +
    `and so separates, the same model has no minimiser: in ${partOfRuns(free.verdicts.diverging, free.starts)} the weights run away${approached}.`
  if (!held) return [without]
  const { ridge, penalizeBias } = held.problem
  return [
    `${without} A ridge of ${short(ridge)}${penalizeBias ? ' on weights and biases' : ''} gives it ${held.minima.length === 1 ? 'one' : formatCount(held.minima.length)}, ` +
      `which ${partOfRuns(held.verdicts.minimum, held.starts)} reached.`
  ]
}
