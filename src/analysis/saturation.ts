/** Hidden units that are flat on all rows for no better reason than that their net inputs are large. */
import { activationTable } from '../models/activations.js'
import { layers } from '../models/network/network.js'
import type { Problem } from '../models/types.js'

/** A unit is saturated when its slope is at most this on every row that counts. */
export const saturatedSlope = 1e-9

/** Whether a unit of the network is saturated at θ. A relu unit that no row wakes is flat indeed, and does not count. */
export function isSaturated({ network, rows, x, weight }: Problem, theta: Float64Array, at = 0): boolean {
  const { activation, hidden, inputs } = network
  const phi = activationTable[activation]
  if (hidden.length === 0 || !phi.smooth || phi.linear) return false
  const all = layers(network).slice(0, -1)
  const bias = network.bias ? 1 : 0
  const steepest = all.map(layer => new Float64Array(layer.units))
  const terms = new Float64Array(3)
  for (let i = 0; i < rows; i++) {
    if (weight && !(weight[i] > 0)) continue
    let below: Float64Array = x.subarray(i * inputs, (i + 1) * inputs)
    all.forEach((layer, l) => {
      const values = new Float64Array(layer.units)
      for (let k = 0; k < layer.units; k++) {
        const from = at + layer.at + k * layer.stride
        let u = bias ? theta[from] : 0
        for (let d = 0; d < layer.inputs; d++) u += theta[from + bias + d] * below[d]
        phi.terms(u, terms)
        values[k] = terms[0]
        steepest[l][k] = Math.max(steepest[l][k], terms[1])
      }
      below = values
    })
  }
  return steepest.some(layer => layer.some(slope => slope <= saturatedSlope))
}
