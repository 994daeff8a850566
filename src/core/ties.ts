/** Losses that are equal but for rounding share a place: the order among them says nothing, and is that of the starts. */

/** Two losses are equal within this times max(1, |loss|). */
export const lossTolerance = 2 ** 19 * Number.EPSILON

interface Placed {
  readonly loss: number
  readonly firstStart: number
}

/** Whether two losses, neither of which is NaN, differ by rounding at most. */
export const areEqual = (a: number, b: number): boolean => Math.abs(a - b) <= lossTolerance * Math.max(1, Math.abs(a))

/** Points by loss, equal ones by the first start that met them. */
export function byLoss<T extends Placed>(points: readonly T[]): T[] {
  const list = [...points].sort((a, b) => a.loss - b.loss || a.firstStart - b.firstStart)
  const ranks = ranksOf(list.map(p => p.loss))
  return list
    .map((point, i) => ({ point, rank: ranks[i] }))
    .sort((a, b) => a.rank - b.rank || a.point.firstStart - b.point.firstStart)
    .map(({ point }) => point)
}

/** The place of each loss among all, from 1 on; equal losses share the place of the first of them. */
export function ranksOf(losses: readonly number[]): number[] {
  const order = losses.map((_, i) => i).sort((i, j) => losses[i] - losses[j])
  const ranks = new Array<number>(losses.length)
  let first = 0
  order.forEach((i, k) => {
    if (!areEqual(losses[order[first]], losses[i])) first = k
    ranks[i] = first + 1
  })
  return ranks
}
