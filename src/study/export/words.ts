/** What the exported functions have in common: how z becomes a prediction, and what they say of themselves. */
import { shown } from '../../core/printable.js'
import { version } from '../../core/version.js'
import type { Loss } from '../../models/losses/index.js'
import type { ModelData } from './model.js'

/** How z becomes a prediction. */
export type Link = 'z' | 'sigmoid' | 'Φ' | 'extreme' | 'exp' | 'shares'

const links: Readonly<Record<Loss, Link>> = {
  squared: 'z',
  logistic: 'sigmoid',
  probit: 'Φ',
  cloglog: 'extreme',
  poisson: 'exp',
  gamma: 'exp',
  softmax: 'shares',
  brier: 'sigmoid'
}

export const linkOf = (loss: Loss): Link => links[loss]

/** A line that says what the function predicts. */
export function whatItGives({ name, point, target, classes, loss }: ModelData): string {
  const link = linkOf(loss)
  const what =
    link === 'shares'
      ? `the probabilities of the classes of ${shown(target)}`
      : classes
        ? `the probability that ${shown(target)} is ${shown(classes[1])}`
        : shown(target)
  return `Predicts ${what}: ${shown(name)}, ${point}. Written by Manystart ${version}.`
}
