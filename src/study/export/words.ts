/** What the exported functions have in common: how z becomes a prediction, and what they say of themselves. */
import { shown } from '../../core/printable.js'
import { version } from '../../core/version.js'
import { lossTable, type Link, type Loss } from '../../models/losses/index.js'
import type { ModelData } from './model.js'

export const linkOf = (loss: Loss): Link => lossTable[loss].link

/** A line that says what the function predicts. */
export function whatItGives({ name, point, target, others, classes, loss }: ModelData): string {
  const link = linkOf(loss)
  const what =
    link === 'shares'
      ? `the probabilities of the classes of ${shown(target)}`
      : [{ target, classes }, ...(others ?? [])]
          .map(one =>
            one.classes ? `the probability that ${shown(one.target)} is ${shown(one.classes[1])}` : shown(one.target)
          )
          .join(', ')
  return `Predicts ${what}: ${shown(name)}, ${point}. Written by Manystart ${version}.`
}
