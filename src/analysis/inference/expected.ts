/** The expected information of a model without hidden layer, beside the observed one that its Hessian holds. */
import { scalarLoss, isScalar } from '../../models/losses/index.js'
import type { Problem } from '../../models/types.js'

/**
 * Per unit of weight, [n, n] over the parameters `free`, of a model of one output: Σ w h(z) x xᵀ / Σ w. 'observed' where it is the same,
 * as for softmax, whose link is canonical; undefined where it is not known.
 * @param z [N] linear predictors
 */
export function expectedInformation(
  { network, rows, x, weight }: Problem,
  z: Float64Array,
  free: readonly number[]
): Float64Array | 'observed' | undefined {
  if (!isScalar(network.loss)) return 'observed'
  const { information } = scalarLoss(network.loss)
  if (!information || network.outputs > 1) return undefined
  const n = free.length
  const bias = network.bias ? 1 : 0
  const D = network.inputs
  const h = new Float64Array(3)
  const out = new Float64Array(n * n)
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (w === 0) continue
    total += w
    information(z[i], h, network.lossParameters ?? [])
    const row = free.map(p => (p < bias ? 1 : x[i * D + p - bias]))
    for (let p = 0; p < n; p++) for (let q = 0; q < n; q++) out[p * n + q] += w * h[0] * row[p] * row[q]
  }
  return out.map(v => v / total)
}
