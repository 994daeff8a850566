/** Outputs z of a network on the rows of a problem, for judging end points: one point at a time, no derivatives. */
import { activate } from '../models/activations.js'
import { lossTable } from '../models/losses/index.js'
import { softmaxTerms } from '../models/losses/softmax.js'
import { layers } from '../models/network/network.js'
import { Tape } from '../language/formula/evaluate.js'
import { compileExpression } from '../models/expression/expression.js'
import type { Expression } from '../models/expression/types.js'
import type { Problem } from '../models/types.js'

/** z [N, C] row-major, offset included, at theta[at .. at+P); into `out` where given. */
export function outputs(problem: Problem, theta: Float64Array, at = 0, out?: Float64Array): Float64Array {
  const { network, rows, x, offset } = problem
  if (network.expression) return formulaOutputs(problem, network.expression, theta.subarray(at), out)
  const C = network.outputs
  const z = out ?? new Float64Array(rows * C)
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
  return z
}

/** ℓ of each row [N], summed over outputs, at linear predictors z [N, C]. */
export function rowLosses({ network, rows, y }: Problem, z: Float64Array): Float64Array {
  const C = network.outputs
  const definition = lossTable[network.loss]
  const out = new Float64Array(rows)
  const terms = new Float64Array(3)
  const [p, d] = [new Float64Array(C), new Float64Array(C)]
  for (let i = 0; i < rows; i++) {
    if (definition.response === 'class') out[i] = softmaxTerms(z.subarray(i * C, (i + 1) * C), y[i], p, d)
    else
      for (let c = 0; c < C; c++) {
        definition.terms(z[i * C + c], y[i * C + c], terms, network.lossParameters ?? [])
        out[i] = out[i] + terms[0]
      }
  }
  return out
}

function formulaOutputs(
  { rows, x, offset, network }: Problem,
  expression: Expression,
  theta: Float64Array,
  out?: Float64Array
): Float64Array {
  const { graph, z } = compileExpression(expression)
  const tape = new Tape(graph, [z])
  const values = out ?? new Float64Array(rows)
  const D = network.inputs
  for (let i = 0; i < rows; i++) {
    tape.run(x.subarray(i * D, (i + 1) * D), theta)
    values[i] = tape.root(0) + (offset ? offset[i] : 0)
  }
  return values
}
