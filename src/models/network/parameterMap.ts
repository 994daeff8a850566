/**
 * Affine maps of θ that leave the function of a network as it is while its inputs and its target are measured otherwise: the slices
 * (bias, weights) of the first layer's units go through one matrix, the last layer is multiplied and its biases shifted.
 */
import { layers, networkParameterCount, type Layer } from './network.js'
import type { Network } from '../types.js'

export interface ParameterMap {
  /** [S, S] row-major: slice ↦ first · slice, S = inputs (+ 1 with biases). */
  readonly first: Float64Array
  /** [C]: then the last layer's unit k is multiplied by scale[k], and shift[k] added to its bias. */
  readonly scale: Float64Array
  readonly shift: Float64Array
}

/** Where a map reads and writes in a point, and room for a slice. */
interface Places {
  readonly first: Layer
  readonly last: Layer
  readonly bias: boolean
  readonly slice: Float64Array
}

function placesOf(network: Network): Places {
  const all = layers(network)
  const first = all[0]
  return { first, last: all[all.length - 1], bias: network.bias, slice: new Float64Array(first.stride) }
}

/** Brings the point out[to …] to its image, in place. */
function mapPoint({ first, last, bias, slice }: Places, map: ParameterMap, out: Float64Array, to: number): void {
  const { first: matrix, scale, shift } = map
  const S = first.stride
  for (let k = 0; k < first.units; k++) {
    const at = to + first.at + k * S
    for (let i = 0; i < S; i++) slice[i] = out[at + i]
    for (let i = 0, m = 0; i < S; i++) {
      let sum = 0
      for (let j = 0; j < S; j++, m++) sum += matrix[m] * slice[j]
      out[at + i] = sum
    }
  }
  for (let k = 0; k < last.units; k++) {
    const at = to + last.at + k * last.stride
    for (let i = 0; i < last.stride; i++) out[at + i] *= scale[k]
    if (bias) out[at] += shift[k]
  }
}

/**
 * Writes the image of theta[from .. from+P) to out[to .. to+P); kernels/cpu/philox.h does the same in the same order of operations.
 * `theta` and `out` may be one array.
 */
export function applyMap(
  network: Network,
  map: ParameterMap,
  theta: Float64Array,
  from: number,
  out: Float64Array,
  to: number
): void {
  const P = networkParameterCount(network)
  if (out !== theta || from !== to) out.set(theta.subarray(from, from + P), to)
  mapPoint(placesOf(network), map, out, to)
}

/** The images of theta [R, P], in `out`. */
export function mapPoints(
  network: Network,
  map: ParameterMap,
  theta: Float64Array,
  out: Float64Array = new Float64Array(theta.length)
): Float64Array {
  const places = placesOf(network)
  const P = networkParameterCount(network)
  out.set(theta)
  for (let to = 0; to < out.length; to += P) mapPoint(places, map, out, to)
  return out
}

/** The map of directions. */
export const linearPart = (map: ParameterMap): ParameterMap => ({ ...map, shift: new Float64Array(map.shift.length) })

/**
 * Covectors [R, P] (such as gradients) of the image pulled back to the source: Jᵀ v, J the linear part.
 * @param out where they go; may be `covectors` itself
 */
export function pullBack(
  network: Network,
  map: ParameterMap,
  covectors: Float64Array,
  out: Float64Array = new Float64Array(covectors.length)
): Float64Array {
  const all = layers(network)
  const P = networkParameterCount(network)
  const first = all[0]
  const last = all[all.length - 1]
  const S = first.stride
  if (out !== covectors) out.set(covectors)
  const slice = new Float64Array(S)
  for (let r = 0; r < out.length; r += P) {
    for (let k = 0; k < last.units; k++)
      for (let i = 0; i < last.stride; i++) out[r + last.at + k * last.stride + i] *= map.scale[k]
    for (let k = 0; k < first.units; k++) {
      const at = r + first.at + k * S
      for (let i = 0; i < S; i++) slice[i] = out[at + i]
      for (let j = 0; j < S; j++) {
        let sum = 0
        for (let i = 0; i < S; i++) sum += map.first[i * S + j] * slice[i]
        out[at + j] = sum
      }
    }
  }
  return out
}
