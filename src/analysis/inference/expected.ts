/** The expected information of a model without hidden layer, or of a formula, beside the observed one that its Hessian holds. */
import { scalarLoss, isScalar } from '../../models/losses/index.js'
import { hasLoss } from '../../models/model.js'
import { slopesOf } from '../../models/outputs.js'
import type { Problem } from '../../models/types.js'

/**
 * Per unit of weight, [n, n] over the parameters `free`, of a model of one output: Σ w h(z) ∇z ∇zᵀ / Σ w; for least squares that is what the Gauss-Newton method has for a
 * Hessian. 'observed' where it is the same,
 * as for softmax, whose link is canonical; undefined where it is not known.
 * @param z [N] linear predictors, at `theta` [P]
 */
export function expectedInformation(
  problem: Problem,
  z: Float64Array,
  free: readonly number[],
  theta: Float64Array
): Float64Array | 'observed' | undefined {
  const { model, rows, weight } = problem
  if (!isScalar(model.loss)) return 'observed'
  const { information } = scalarLoss(model.loss)
  if (!information || model.outputs > 1 || !hasLoss(model)) return undefined
  const n = free.length
  const slopes = slopesOf(problem, theta)
  const h = new Float64Array(3)
  const out = new Float64Array(n * n)
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (w === 0) continue
    total += w
    information(z[i], h, model.lossParameters ?? [])
    const all = slopes(i)
    const row = free.map(p => all[p])
    for (let p = 0; p < n; p++) for (let q = 0; q < n; q++) out[p * n + q] += w * h[0] * row[p] * row[q]
  }
  return out.map(v => v / total)
}
