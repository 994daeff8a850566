/** What the exported functions have in common: how z becomes a prediction, and what they say of themselves. */
import { shown } from '../../core/printable.js'
import { version } from '../../core/version.js'
import type { Loss } from '../../models/losses/index.js'
import type { ModelData } from './model.js'

/** How z becomes a prediction. */
export type Link = 'identity' | 'logistic' | 'probit' | 'cloglog' | 'exp' | 'softmax'

const links: Readonly<Record<Loss, Link>> = {
  squared: 'identity',
  logistic: 'logistic',
  probit: 'probit',
  cloglog: 'cloglog',
  poisson: 'exp',
  gamma: 'exp',
  softmax: 'softmax',
  brier: 'logistic'
}

export const linkOf = (loss: Loss): Link => links[loss]

/** A line that says what the function predicts. */
export function whatItGives({ name, point, target, classes, loss }: ModelData): string {
  const link = linkOf(loss)
  const what =
    link === 'softmax'
      ? `the probabilities of the classes of ${shown(target)}`
      : classes
        ? `the probability that ${shown(target)} is ${shown(classes[1])}`
        : shown(target)
  return `Predicts ${what}: ${shown(name)}, ${point}. Written by Manystart ${version}.`
}
