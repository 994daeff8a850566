/** The losses by name, in the order in which they are listed to users (DESIGN §3). */
import { brier } from './brier.js'
import { cloglog } from './cloglog.js'
import { gamma } from './gamma.js'
import { huber } from './huber.js'
import { logistic } from './logistic.js'
import { negativeBinomial } from './negativeBinomial.js'
import { poisson } from './poisson.js'
import { probit } from './probit.js'
import { softmax } from './softmax.js'
import { squared } from './squared.js'
import { student } from './student.js'
import type { LossDefinition, LossParameters, ScalarLoss } from './types.js'

const table = {
  squared,
  logistic,
  probit,
  cloglog,
  poisson,
  gamma,
  softmax,
  brier,
  negativeBinomial,
  huber,
  student
} as const

export type Loss = keyof typeof table
export const lossTable: Readonly<Record<Loss, LossDefinition>> = table
export const losses = Object.keys(table) as Loss[]

/** Losses that outputs take one by one. */
export type ScalarLossName = { [K in Loss]: (typeof table)[K] extends ScalarLoss ? K : never }[Loss]
export const isScalar = (loss: Loss): loss is ScalarLossName => lossTable[loss].response !== 'class'

/** The definition of a loss of one output at a time. @throws Error for one of all outputs together */
export function scalarLoss(loss: Loss): ScalarLoss {
  const definition = lossTable[loss]
  if (definition.response === 'class') throw new Error(`${loss} takes all outputs together`)
  return definition
}

/** The loss that suits a target when the user names none. */
export const defaultLosses = { numbers: 'squared', twoLabels: 'logistic', labels: 'softmax' } as const
/** The loss itself where it is convex, else one for the same targets that is. */
export const convexTwin = (loss: Loss): Loss =>
  table[loss].convex ? loss : table[loss].response === 'share' ? 'logistic' : 'squared'
/** A loss for shares that is not convex. */
export const nonconvexTwin: Loss = 'brier'

/** The three numbers that kernels compute a loss with; 0 where it needs fewer. */
export function lossConstants(loss: Loss, parameters: LossParameters = []): readonly [number, number, number] {
  const [a = 0, b = 0, c = 0] = lossTable[loss].constants?.(parameters) ?? []
  return [a, b, c]
}

export type { ClassLoss, Link, LossDefinition, LossParameters, ScalarLoss } from './types.js'
