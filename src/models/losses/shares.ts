/** What the losses for a share in [0, 1] have in common. */
import { softplus } from '../special.js'

/** 0 · ∞ counts as 0: a term with weight nought is not there. */
export const times = (weight: number, value: number): number => (weight === 0 ? 0 : weight * value)

export const shares = {
  response: 'share',
  allowed: '0 and 1, or shares between them',
  fits: (y: number) => y >= 0 && y <= 1,
  parameters: [],
  recedes: (y: number) => (y === 0 ? -1 : y === 1 ? 1 : 0)
} as const

/** −[y log p + (1 − y) log(1 − p)] with p = logistic(z) */
export const logisticLogLoss = (z: number, y: number): number =>
  (y === 0 ? 0 : y * softplus(-z)) + (y === 1 ? 0 : (1 - y) * softplus(z))
