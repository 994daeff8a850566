/** Outputs z of a model on the rows of a problem, and what follows from them: one point at a time, without derivatives in θ of f. */
import { Tape } from '../language/formula/evaluate.js'
import { activate } from './activations.js'
import { compileExpression } from './expression/expression.js'
import { isScalar, lossTable, scalarLoss } from './losses/index.js'
import { softmaxTerms } from './losses/softmax.js'
import { layers } from './network/network.js'
import { hasLoss } from './model.js'
import type { ExpressionModel, Network, Problem } from './types.js'

/** z [N, C] row-major, offset included, at theta[at .. at+P); into `out` where given. */
export function outputs(problem: Problem, theta: Float64Array, at = 0, out?: Float64Array): Float64Array {
  const { model, rows } = problem
  const z = out ?? new Float64Array(rows * model.outputs)
  if (model.kind === 'network') networkOutputs(model, problem, theta, at, z)
  else expressionOutputs(model, problem, theta.subarray(at), z)
  return z
}

function networkOutputs(
  network: Network,
  { rows, x, offset }: Problem,
  theta: Float64Array,
  at: number,
  z: Float64Array
): void {
  const C = network.outputs
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const phi = new Float64Array(3)
  const widest = Math.max(network.inputs, ...all.map(layer => layer.units))
  let below = new Float64Array(widest)
  let here = new Float64Array(widest)
  for (let i = 0; i < rows; i++) {
    for (let d = 0; d < network.inputs; d++) below[d] = x[i * network.inputs + d]
    all.forEach((layer, l) => {
      for (let k = 0; k < layer.units; k++) {
        const from = at + layer.at + k * layer.stride
        let u = bias ? theta[from] : 0
        for (let d = 0; d < layer.inputs; d++) u += theta[from + bias + d] * below[d]
        if (l === all.length - 1) z[i * C + k] = u + (offset ? offset[i] : 0)
        else {
          activate(network.activation, u, phi)
          here[k] = phi[0]
        }
      }
      ;[below, here] = [here, below]
    })
  }
}

function expressionOutputs(
  { expression, inputs: D }: ExpressionModel,
  { rows, x, offset }: Problem,
  theta: Float64Array,
  values: Float64Array
): void {
  const { graph, z } = compileExpression(expression)
  const tape = new Tape(graph, [z])
  for (let i = 0; i < rows; i++) {
    tape.run(x.subarray(i * D, (i + 1) * D), theta)
    values[i] = tape.root(0) + (offset ? offset[i] : 0)
  }
}

/** ∂z/∂θ [P] of row i at θ, of a formula or a network without hidden layer and with one output. */
export function slopesOf({ model, x }: Problem, theta: Float64Array): (i: number) => ArrayLike<number> {
  const D = model.inputs
  if (model.kind === 'network') {
    const ones = model.bias ? [1] : []
    return i => [...ones, ...x.subarray(i * D, (i + 1) * D)]
  }
  const { graph, first } = compileExpression(model.expression)
  const tape = new Tape(graph, [...first])
  return i => {
    tape.run(x.subarray(i * D, (i + 1) * D), theta)
    return first.map((_, p) => tape.root(p))
  }
}

/** ℓ of each row [N], summed over outputs, at linear predictors z [N, C]. */
export function rowLosses({ model, rows, y }: Problem, z: Float64Array): Float64Array {
  const C = model.outputs
  const definition = lossTable[model.loss]
  const out = new Float64Array(rows)
  const terms = new Float64Array(3)
  const [p, d] = [new Float64Array(C), new Float64Array(C)]
  for (let i = 0; i < rows; i++) {
    if (definition.response === 'class') out[i] = softmaxTerms(z.subarray(i * C, (i + 1) * C), y[i], p, d)
    else
      for (let c = 0; c < C; c++) {
        definition.terms(z[i * C + c], y[i * C + c], terms, model.lossParameters ?? [])
        out[i] = out[i] + terms[0]
      }
  }
  return out
}

/**
 * Where ℓ is 0 at a perfect fit and never less: its mean over the rows where a model's outputs are all 0, the unit of what is left of it.
 * Null for other losses, and where it overflows.
 */
export function blankLoss({ model, rows, y, weight, offset }: Problem): number | null {
  const { loss, lossParameters = [], outputs: C } = model
  if (!hasLoss(model) || !isScalar(loss) || !lossTable[loss].attainsZero) return null
  const definition = scalarLoss(loss)
  const out = new Float64Array(3)
  let [sum, total] = [0, 0]
  for (let i = 0; i < rows; i++) {
    const w = weight ? weight[i] : 1
    if (!(w > 0)) continue
    total += w
    for (let c = 0; c < C; c++) {
      definition.terms(offset ? offset[i] : 0, y[i * C + c], out, lossParameters)
      sum += w * out[0]
    }
  }
  return Number.isFinite(sum / total) ? sum / total : null
}
