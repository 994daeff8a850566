/** Losses that are equal but for rounding share a place: the order among them says nothing, and is that of the starts. */

/** Two losses are equal within this times the loss. */
export const lossTolerance = 2 ** 19 * Number.EPSILON

/** Smaller losses are rounded as this one: they are sums of terms that cancel, or squares of what rounding has left. */
const leastLoss = 2 ** -10

/** How far losses may differ from this one that are equal to it but for rounding. */
export const roundingOf = (loss: number): number => lossTolerance * Math.max(leastLoss, Math.abs(loss))

/** Whether two losses, neither of which is NaN, differ by rounding at most. */
export const areEqual = (a: number, b: number): boolean => Math.abs(a - b) <= roundingOf(a)

const placesOf = (losses: Float64Array): Uint32Array => Uint32Array.from(losses, (_, i) => i)

/** The places of points [n] by loss, equal ones by the first start that met them. */
export function orderByLoss(losses: Float64Array, firstStarts: Float64Array): Uint32Array {
  const order = placesOf(losses).sort((i, j) => losses[i] - losses[j] || firstStarts[i] - firstStarts[j])
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && (to === from || areEqual(losses[order[from]], losses[order[to]]))) to++
    order.subarray(from, to).sort((i, j) => firstStarts[i] - firstStarts[j])
  }
  return order
}

/** The place of each loss among all [n], from 1 on; equal losses share the place of the first of them. */
export function ranksOf(losses: Float64Array): Uint32Array {
  const order = placesOf(losses).sort((i, j) => losses[i] - losses[j])
  const ranks = new Uint32Array(losses.length)
  let first = 0
  order.forEach((i, k) => {
    if (!areEqual(losses[order[first]], losses[i])) first = k
    ranks[i] = first + 1
  })
  return ranks
}
