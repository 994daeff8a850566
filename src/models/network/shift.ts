/**
 * The number that softmax lets one add to all outputs: as a function of the layer below, the same added to the parameters of every class
 * leaves f as it is, whatever the data. That is a matter of coding, not of the landscape: points are taken with parameters that sum to 0
 * over the classes, and verdicts leave these directions out.
 */
import { isScalar } from '../losses/index.js'
import { layers, type Layer } from './network.js'
import type { Model } from '../types.js'

interface Shifts extends Layer {
  /** Places in the slices of the last layer whose sum over the classes nothing determines. */
  readonly places: readonly number[]
}

/** All places without a ridge, the bias with one on weights; undefined where every place is determined. */
function shiftsOf(model: Model): Shifts | undefined {
  if (model.kind === 'expression' || isScalar(model.loss)) return undefined
  const layer = layers(model).at(-1)!
  if (!(model.ridge > 0)) return { ...layer, places: Array.from({ length: layer.stride }, (_, d) => d) }
  return model.bias && !model.penalizeBias ? { ...layer, places: [0] } : undefined
}

/** Dimension of the shifts that change nothing. */
export const shiftCount = (model: Model): number => shiftsOf(model)?.places.length ?? 0

/** Brings points [R, P] to parameters that sum to 0 over the classes where nothing determines their sum, in place. */
export function centre(model: Model, theta: Float64Array): void {
  const shifts = shiftsOf(model)
  if (!shifts) return
  const { at, stride, units, places } = shifts
  const P = at + units * stride
  for (let from = at; from < theta.length; from += P)
    for (const d of places) {
      let sum = 0
      for (let k = 0; k < units; k++) sum += theta[from + k * stride + d]
      for (let k = 0; k < units; k++) theta[from + k * stride + d] -= sum / units
    }
}

/** Points [R, P] brought there; the same array where nothing is to do. */
export function centred(model: Model, theta: Float64Array): Float64Array {
  if (!shiftsOf(model)) return theta
  const out = theta.slice()
  centre(model, out)
  return out
}

/** Orthonormal directions [K][P] of these shifts. */
export function shiftDirections(model: Model): Float64Array[] {
  const shifts = shiftsOf(model)
  if (!shifts) return []
  const { at, stride, units, places } = shifts
  return places.map(d => {
    const v = new Float64Array(at + stride * units)
    for (let k = 0; k < units; k++) v[at + k * stride + d] = 1 / Math.sqrt(units)
    return v
  })
}
