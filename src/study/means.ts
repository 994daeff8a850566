/** Outputs of a model as predictions: mean responses, or probabilities of the classes. */
import { lossTable } from '../models/losses/index.js'
import type { Network } from '../models/types.js'

/** z [·, C] row-major, offsets included → predictions [·, C]. */
export function predictedMeans(network: Network, z: Float64Array): Float64Array {
  const loss = lossTable[network.loss]
  if (loss.response !== 'class') return z.map(loss.mean)
  const C = network.outputs
  const p = new Float64Array(z.length)
  for (let i = 0; i < z.length; i += C) {
    let top = -Infinity
    for (let c = 0; c < C; c++) top = Math.max(top, z[i + c])
    let sum = 0
    for (let c = 0; c < C; c++) sum += Math.exp(z[i + c] - top)
    for (let c = 0; c < C; c++) p[i + c] = Math.exp(z[i + c] - top) / sum
  }
  return p
}
