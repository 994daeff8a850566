/** The expected information of a model without hidden layer, or of a formula, beside the observed one that its Hessian holds. */
import { Tape } from '../../language/formula/evaluate.js'
import { compileExpression } from '../../models/expression/expression.js'
import { scalarLoss, isScalar } from '../../models/losses/index.js'
import type { Problem } from '../../models/types.js'

/** ∂z/∂θ [P] of row i at θ. */
function slopesOf({ network, x }: Problem, theta: Float64Array): (i: number) => ArrayLike<number> {
  const D = network.inputs
  if (!network.expression) {
    const ones = network.bias ? [1] : []
    return i => [...ones, ...x.subarray(i * D, (i + 1) * D)]
  }
  const { graph, first } = compileExpression(network.expression)
  const tape = new Tape(graph, [...first])
  return i => {
    tape.run(x.subarray(i * D, (i + 1) * D), theta)
    return first.map((_, p) => tape.root(p))
  }
}

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
  const { network, rows, weight } = problem
  if (!isScalar(network.loss)) return 'observed'
  const { information } = scalarLoss(network.loss)
  if (!information || network.outputs > 1 || network.expression?.objective === true) return undefined
  const n = free.length
  const slopes = slopesOf(problem, theta)
  const h = new Float64Array(3)
  const out = new Float64Array(n * n)
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (w === 0) continue
    total += w
    information(z[i], h, network.lossParameters ?? [])
    const all = slopes(i)
    const row = free.map(p => all[p])
    for (let p = 0; p < n; p++) for (let q = 0; q < n; q++) out[p * n + q] += w * h[0] * row[p] * row[q]
  }
  return out.map(v => v / total)
}
