// The oracle for f, g and H: the model family by its definition (src/models/definition.ts) over hyper-dual numbers, which give first
// and second derivatives exact to rounding. It uses none of the formulas for derivatives of src/.
import { hyperDuals } from '../../src/models/algebra.js'
import { penaltyAt, rowLoss } from '../../src/models/definition.js'
import { layers } from '../../src/models/network/network.js'
import { parameterCount } from '../../src/models/model.js'
import type { Network, Problem } from '../../src/models/types.js'

/** Σ |w| |a| carried to the outputs: what a rounding error in the forward pass is relative to. */
function absoluteOutput(problem: Problem<Network>, theta: Float64Array, i: number): number {
  const { model: network, x, offset } = problem
  let below = Array.from({ length: network.inputs }, (_, d) => Math.abs(x[i * network.inputs + d]))
  for (const layer of layers(network))
    below = Array.from({ length: layer.units }, (_, k) => {
      let at = layer.at + k * layer.stride
      let sum = network.bias ? Math.abs(theta[at++]) : 0
      for (const value of below) sum += Math.abs(theta[at++]) * value
      return sum + 1
    })
  return Math.max(...below) + Math.abs(offset?.[i] ?? 0)
}

export interface Exact {
  readonly f: number
  readonly g: Float64Array
  readonly H: Float64Array
  /** Sums over the rows of the largest absolute contribution times (1 + Σ|w||a|), for f, g and H. */
  readonly magnitude: { readonly f: number; readonly g: number; readonly H: number }
}

/** f, g and H of a problem at θ. */
export function oracle(problem: Problem<Network>, theta: Float64Array): Exact {
  const { model: network, rows, weight } = problem
  const P = parameterCount(network)
  const g = new Float64Array(P)
  const H = new Float64Array(P * P)
  let f = 0
  let total = 0
  for (let i = 0; i < rows; i++) total += weight?.[i] ?? 1
  const magnitude = { f: 0, g: 0, H: 0 }
  const seeded = (p: number, q: number) =>
    Array.from(theta, (v, k) => ({ v, a: k === p ? 1 : 0, b: k === q ? 1 : 0, ab: 0 }))
  for (let i = 0; i < rows; i++) {
    const c = (weight?.[i] ?? 1) / total
    const size = c * (1 + absoluteOutput(problem, theta, i))
    let [fTop, gTop, hTop] = [0, 0, 0]
    for (let p = 0; p < P; p++)
      for (let q = p; q < P; q++) {
        const value = rowLoss(hyperDuals, problem, seeded(p, q), i)
        if (p === 0 && q === 0) f += c * value.v
        if (p === q) g[p] += c * value.a
        H[p * P + q] += c * value.ab
        fTop = Math.abs(value.v)
        gTop = Math.max(gTop, Math.abs(value.a))
        hTop = Math.max(hTop, Math.abs(value.ab))
      }
    // A rounding error of z moves f by ℓ′ and g by ℓ″: the larger of neighbours counts.
    magnitude.f += size * (fTop + gTop)
    magnitude.g += size * (gTop + hTop)
    magnitude.H += size * (gTop + hTop)
  }
  for (let p = 0; p < P; p++)
    for (let q = p; q < P; q++) {
      const value = penaltyAt(hyperDuals, problem, seeded(p, q))
      if (p === 0 && q === 0) {
        f += value.v
        magnitude.f += Math.abs(value.v)
      }
      if (p === q) {
        g[p] += value.a
        magnitude.g += Math.abs(value.a)
        magnitude.H += Math.abs(value.ab)
      }
      H[p * P + q] += value.ab
    }
  for (let p = 0; p < P; p++) for (let q = 0; q < p; q++) H[p * P + q] = H[q * P + p]
  return { f, g, H, magnitude }
}
