/**
 * The model family by its definition in DESIGN §3, over any algebra and without a thought for speed: what evaluators with formulas for
 * derivatives are held against.
 */
import { activationTable } from './activations.js'
import { scaled, type Algebra } from './algebra.js'
import { lossTable } from './losses/index.js'
import { layers } from './network/network.js'
import { penaltyOf } from './model.js'
import { firthAt } from './penalty.js'
import type { Network, Problem } from './types.js'

/** z [C] of one row, without offset. */
export function outputsOf<T>(A: Algebra<T>, network: Network, theta: readonly T[], x: ArrayLike<number>): T[] {
  const all = layers(network)
  const phi = activationTable[network.activation]
  let below = Array.from({ length: network.inputs }, (_, d) => A.constant(x[d]))
  all.forEach((layer, l) => {
    below = Array.from({ length: layer.units }, (_, k) => {
      let at = layer.at + k * layer.stride
      let sum = network.bias ? theta[at++] : A.constant(0)
      for (const value of below) sum = A.add(sum, A.mul(theta[at++], value))
      return l === all.length - 1 ? sum : phi.value(A, sum)
    })
  })
  return below
}

/** ℓ of row i, offset included. */
export function rowLoss<T>(A: Algebra<T>, problem: Problem<Network>, theta: readonly T[], i: number): T {
  const { model: network, x, y, offset } = problem
  const D = network.inputs
  const z = outputsOf(A, network, theta, x.subarray(i * D, (i + 1) * D))
  const shifted = offset ? z.map(v => A.add(v, A.constant(offset[i]))) : z
  const definition = lossTable[network.loss]
  if (definition.response === 'class') return definition.value(A, shifted, y[i])
  const C = network.outputs
  return shifted
    .map((v, c) => definition.value(A, v, y[i * C + c], network.lossParameters ?? []))
    .reduce((a, b) => A.add(a, b))
}

/** The penalty at θ. */
export const penaltyAt = <T>(A: Algebra<T>, problem: Problem<Network>, theta: readonly T[]): T => {
  const ridge = penaltyOf(problem)
  return theta.reduce(
    (sum, v, p) => (ridge[p] > 0 ? A.add(sum, scaled(A, 0.5 * ridge[p], A.mul(v, v))) : sum),
    A.constant(0)
  )
}

/** z [N] of a model with one output, offsets included. */
function predictors<T>(A: Algebra<T>, { model: network, rows, x, offset }: Problem<Network>, theta: readonly T[]): T[] {
  const D = network.inputs
  return Array.from({ length: rows }, (_, i) =>
    A.add(outputsOf(A, network, theta, x.subarray(i * D, (i + 1) * D))[0], A.constant(offset?.[i] ?? 0))
  )
}

/** f(θ) */
export function objectiveOf<T>(A: Algebra<T>, problem: Problem<Network>, theta: readonly T[]): T {
  const { rows, weight } = problem
  let total = 0
  for (let i = 0; i < rows; i++) total += weight?.[i] ?? 1
  let sum = penaltyAt(A, problem, theta)
  if (problem.model.firth) sum = A.add(sum, firthAt(A, problem, predictors(A, problem, theta)))
  for (let i = 0; i < rows; i++) {
    const c = (weight?.[i] ?? 1) / total
    if (c > 0) sum = A.add(sum, scaled(A, c, rowLoss(A, problem, theta, i)))
  }
  return sum
}
