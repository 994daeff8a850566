/** Outputs of a model as predictions: mean responses, or probabilities of the classes. */
import { lossTable } from './losses/index.js'
import type { Model } from './types.js'

/** Outputs of C classes [·, C] row-major → their probabilities [·, C]. */
export function softmax(z: Float64Array, C: number): Float64Array {
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

/** z [·, C] row-major, offsets included → predictions [·, C]. */
export function predictedMeans(model: Model, z: Float64Array): Float64Array {
  const loss = lossTable[model.loss]
  return loss.response === 'class' ? softmax(z, model.outputs) : z.map(loss.mean)
}
