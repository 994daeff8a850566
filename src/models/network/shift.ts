/**
 * The number that softmax lets one add to all outputs: as a function of the layer below, the same added to the parameters of every class
 * leaves f as it is, whatever the data. That is a matter of coding, not of the landscape: points are taken with parameters that sum to 0
 * over the classes, and verdicts leave these directions out.
 */
import { isScalar } from '../losses/index.js'
import { layers } from './network.js'
import type { Network } from '../types.js'

/** Places in the last layer's slices whose sum over the classes nothing determines: all without a ridge, the bias with one on weights. */
export function shiftPlaces(network: Network): number[] {
  if (network.expression || isScalar(network.loss)) return []
  const { stride } = layers(network).at(-1)!
  if (!(network.ridge > 0)) return Array.from({ length: stride }, (_, d) => d)
  return network.bias && !network.penalizeBias ? [0] : []
}

/** Brings points [R, P] to parameters that sum to 0 over the classes where nothing determines their sum, in place. */
export function centre(network: Network, theta: Float64Array): void {
  const places = shiftPlaces(network)
  if (places.length === 0) return
  const { at, stride, units } = layers(network).at(-1)!
  const P = at + units * stride
  for (let from = at; from < theta.length; from += P)
    for (const d of places) {
      let sum = 0
      for (let k = 0; k < units; k++) sum += theta[from + k * stride + d]
      for (let k = 0; k < units; k++) theta[from + k * stride + d] -= sum / units
    }
}

/** Points [R, P] brought there; the same array where nothing is to do. */
export function centred(network: Network, theta: Float64Array): Float64Array {
  if (shiftPlaces(network).length === 0) return theta
  const out = theta.slice()
  centre(network, out)
  return out
}

/** Orthonormal directions [K][P] of these shifts. */
export function shiftDirections(network: Network): Float64Array[] {
  const places = shiftPlaces(network)
  if (places.length === 0) return []
  const { at, stride, units } = layers(network).at(-1)!
  return places.map(d => {
    const v = new Float64Array(at + stride * units)
    for (let k = 0; k < units; k++) v[at + k * stride + d] = 1 / Math.sqrt(units)
    return v
  })
}
