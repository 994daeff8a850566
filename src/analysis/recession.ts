/**
 * Directions of recession: rays along which the loss falls for ever. A point with one is not stationary, however small gradient
 * and curvature are there, and runs near it have no minimum to arrive at.
 */
import { thresholds } from '../core/thresholds.js'
import { activationTable } from '../models/activations.js'
import { layers } from '../models/network/network.js'
import type { Objective } from '../engines/types.js'
import type { Network } from '../models/types.js'

export type ValuedObjective = Pick<Objective, 'parameters' | 'evaluate'>

/** A point that may run away. */
export interface Suspect {
  /** [P], gradient-flat. */
  readonly theta: Float64Array
  readonly loss: number
  /** What rounding alone does to the loss there. */
  readonly noise: number
  /** [P], where the slope decides too (`slopeDecides`). */
  readonly gradient: Float64Array | undefined
  /** [P] each, of any length. */
  readonly candidates: readonly Float64Array[]
}

/** A relu unit that no row wakes is flat one way without any fall, so that a ray must begin with a downward slope. */
export const slopeDecides = (network: Network | null): boolean =>
  network !== null && network.hidden.length > 0 && !activationTable[network.activation].smooth

const maxAbs = (v: Float64Array): number => v.reduce((m, a) => Math.max(m, Math.abs(a)), 0)

/** Multiples of max(1, |θ|) at which a candidate direction is tried, forwards and backwards. */
const reaches = [1 / 16, 1 / 4, 1, 4, 16, 64, 256, thresholds.recessionReach]
/** Numbers held at a time while rays are tried. */
const heldNumbers = 4e6

/**
 * The first candidate of each suspect that is a direction of recession, or null: forwards the loss never rises, backwards it
 * does. A flat direction (a dead unit's bias) does neither, a bounded valley rises both ways. Lengths are in scaled variables
 * θ / scale.
 */
export async function recession(
  objective: ValuedObjective,
  scale: Float64Array,
  suspects: readonly Suspect[]
): Promise<(Float64Array | null)[]> {
  const P = objective.parameters
  const jobs: { point: number; d: Float64Array }[] = []
  suspects.forEach(({ candidates, gradient }, point) => {
    for (const d of candidates) {
      const length = maxAbs(d.map((v, p) => v / scale[p]))
      if (!(length > 0 && Number.isFinite(length))) continue
      if (gradient && !(d.reduce((sum, v, p) => sum + v * gradient[p], 0) < 0)) continue
      jobs.push({ point, d: d.map(v => v / length) })
    }
  })
  const T = reaches.length
  const result: (Float64Array | null)[] = suspects.map(() => null)
  const chunk = Math.max(1, Math.floor(heldNumbers / (2 * T * P)))
  for (let from = 0; from < jobs.length; from += chunk) {
    const part = jobs.slice(from, from + chunk).filter(({ point }) => !result[point])
    const theta = new Float64Array(part.length * 2 * T * P)
    part.forEach(({ point, d }, n) => {
      const at = suspects[point].theta
      const unit = Math.max(1, maxAbs(at.map((v, p) => v / scale[p])))
      for (let k = 0; k < 2 * T; k++) {
        const t = (k < T ? reaches[k] : -reaches[k - T]) * unit
        const row = (n * 2 * T + k) * P
        for (let p = 0; p < P; p++) theta[row + p] = at[p] + t * d[p]
      }
    })
    const { f } = await objective.evaluate(theta, {})
    part.forEach(({ point, d }, n) => {
      if (result[point]) return
      const { loss, noise } = suspects[point]
      const forward = f.subarray(n * 2 * T, n * 2 * T + T)
      const backward = f.subarray(n * 2 * T + T, (n + 1) * 2 * T)
      // Roundings grow with the parameters.
      const falls = forward.every((v, k) => v <= (k > 0 ? forward[k - 1] : loss) + noise * Math.max(1, reaches[k]))
      const rises = backward.some((v, k) => reaches[k] <= 1 && v - loss > thresholds.recessionRise * Math.abs(loss))
      if (falls && rises) result[point] = d
    })
  }
  return result
}

/** `vector` where `from` ≤ p < `to`, 0 elsewhere. */
const only = (vector: Float64Array, from: number, to: number): Float64Array =>
  vector.map((v, p) => (p >= from && p < to ? v : 0))

/** The output layer grows. */
export const outwards = (network: Network, theta: Float64Array): Float64Array =>
  only(theta, layers(network).at(-1)!.at, theta.length)

/**
 * Ways in which one hidden unit runs away: it saturates, so that what enters it grows alone; or the bias of a softplus unit grows, until
 * the unit is a line, and the biases above take up the shift.
 * @param theta [P] where a run is
 * @param moved [P] the way it was going
 */
export function unitDirections(network: Network, theta: Float64Array, moved: Float64Array): Float64Array[] {
  const all = layers(network)
  const list: Float64Array[] = []
  for (let l = 0; l + 1 < all.length; l++) {
    const { at, units, stride } = all[l]
    const next = all[l + 1]
    for (let k = 0; k < units; k++) {
      const from = at + k * stride
      list.push(only(theta, from, from + stride), only(moved, from, from + stride))
      if (!network.bias || !activationTable[network.activation].affineTail) continue
      const d = new Float64Array(theta.length)
      d[from] = 1
      for (let q = 0; q < next.units; q++) d[next.at + q * next.stride] = -theta[next.at + q * next.stride + 1 + k]
      list.push(d)
    }
  }
  return list
}

/** Signs of the perturbations that measure rounding. */
const sign = (k: number, p: number): number => (((k * 0x9e3779b1 + p * 0x85ebca6b) >>> 7) & 1 ? 1 : -1)
const perturbations = 8

/** How far the losses of points move when every parameter moves by one rounding, and at least 64 roundings of the loss. */
export async function lossNoise(
  objective: ValuedObjective,
  points: readonly Float64Array[],
  losses: readonly number[],
  eps: number
): Promise<number[]> {
  const P = objective.parameters
  const out: number[] = []
  const chunk = Math.max(1, Math.floor(heldNumbers / (perturbations * P)))
  for (let from = 0; from < points.length; from += chunk) {
    const part = points.slice(from, from + chunk)
    const theta = new Float64Array(part.length * perturbations * P)
    part.forEach((point, n) => {
      for (let k = 0; k < perturbations; k++)
        for (let p = 0; p < P; p++) theta[(n * perturbations + k) * P + p] = point[p] * (1 + sign(k, p) * eps)
    })
    const { f } = await objective.evaluate(theta, {})
    part.forEach((_, n) => {
      const loss = losses[from + n]
      let noise = 64 * eps * Math.abs(loss)
      for (let k = 0; k < perturbations; k++) noise = Math.max(noise, 8 * Math.abs(f[n * perturbations + k] - loss))
      out.push(noise)
    })
  }
  return out
}
