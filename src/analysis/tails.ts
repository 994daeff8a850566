/**
 * Points that are flat for the sake of tails alone. Far out a tanh or logistic unit is a constant on a row, and a softplus unit 0 or a line,
 * but for rounding: what moves its net input there seems to change nothing, or nothing that other parameters cannot take back. In truth
 * φ is curved there, so that f has a slope that rounding hides, unless the row is fitted as well as it can be: such a point is on a way to
 * infinity or on a plateau, and no stationary one. So is one where the output of a row without a finite best one is free to go on.
 */
import { dot, symmetricEigen } from '../core/linalg.js'
import { thresholds } from '../core/thresholds.js'
import { activationTable } from '../models/activations.js'
import { isScalar, scalarLoss } from '../models/losses/index.js'
import { softmaxTerms } from '../models/losses/softmax.js'
import { layers } from '../models/network/network.js'
import { outputs } from '../models/outputs.js'
import { leaving, symmetrySpan } from './flat.js'
import { pick, type ValuedObjective } from './follow.js'
import type { Network, Problem } from '../models/types.js'

/** A row is in a unit's tail where the slope there differs from that of the tail by at most this. */
const tailSlope = 1e-6
/** ∂ℓ/∂z of rows with the same inputs, in sum, is 0 within this share of the largest one. */
const fitted = 2 ** -26
/** What a direction of length 1 in scaled variables moves a net input by, to count; and what must be left of one beside the symmetries. */
const moves = 1e-3
const beside = 1e-2

/**
 * Which of the points `which` of theta [·, P] are flat in directions that move the net inputs of rows in tails, of units that matter.
 * @param scale [P] of `columnScale`
 */
export async function flatInTails(
  objective: ValuedObjective,
  problem: Problem<Network> | null,
  theta: Float64Array,
  which: readonly number[],
  scale: Float64Array,
  eps: number
): Promise<number[]> {
  if (!problem || which.length === 0 || !hasTails(problem.model)) return []
  const P = objective.parameters
  const points = pick(theta, P, which)
  const { H } = await objective.evaluate(points, { H: true })
  return which.filter((_, n) =>
    isFlatInTails(problem, points.subarray(n * P, (n + 1) * P), H!.subarray(n * P * P, (n + 1) * P * P), scale, eps)
  )
}

/** Whether units of a network are constants or lines far out, without a kink. */
function hasTails({ hidden, activation }: Network): boolean {
  const { smooth, linear, antiperiod } = activationTable[activation]
  return hidden.length > 0 && smooth && !linear && antiperiod === undefined
}

function isFlatInTails(
  problem: Problem<Network>,
  theta: Float64Array,
  H: Float64Array,
  scale: Float64Array,
  eps: number
): boolean {
  const P = theta.length
  const { values, vectors } = symmetricEigen(H, P, scale)
  const band = thresholds.zeroBandFactor * eps * P * Math.max(Math.abs(values[0]), Math.abs(values[P - 1]))
  const known = symmetrySpan(problem, theta, scale)
  const z = outputs(problem, theta)
  const pulled = pulledRows(problem, z)
  const open = openOutputs(problem, z)
  for (let k = 0; k < P; k++) {
    if (!(Math.abs(values[k]) <= band)) continue
    const rest = Float64Array.from({ length: P }, (_, p) => vectors[p * P + k])
    for (const t of known) {
      const part = dot(rest, t)
      for (let p = 0; p < P; p++) rest[p] -= part * t[p]
    }
    const length = Math.sqrt(dot(rest, rest))
    if (!(length > beside)) continue
    const tangent = rest.map((v, p) => (v * scale[p]) / length)
    if (movesTails(problem, theta, tangent, pulled, open)) return true
  }
  return false
}

/** [N]: whether outputs other than a row's own, of z [N, C], would do better on it and the rows with the same inputs. */
function pulledRows(problem: Problem<Network>, z: Float64Array): Uint8Array {
  const { model: network, rows, x, y, weight, offset } = problem
  const { inputs: D, outputs: C, loss, lossParameters = [] } = network
  const [p, d, terms] = [new Float64Array(C), new Float64Array(C), new Float64Array(3)]
  const sums = new Map<string, Float64Array>()
  const keys: string[] = []
  let largest = 0
  for (let i = 0; i < rows; i++) {
    keys.push([...x.subarray(i * D, (i + 1) * D), offset ? offset[i] : 0].join())
    if (isScalar(loss))
      for (let c = 0; c < C; c++) {
        scalarLoss(loss).terms(z[i * C + c], y[i * C + c], terms, lossParameters)
        d[c] = terms[1]
      }
    else softmaxTerms(z.subarray(i * C, (i + 1) * C), y[i], p, d)
    const sum = sums.get(keys[i]) ?? new Float64Array(C)
    sums.set(keys[i], sum)
    for (let c = 0; c < C; c++) {
      const pull = (weight ? weight[i] : 1) * d[c]
      sum[c] = sum[c] + pull
      largest = Math.max(largest, Math.abs(pull))
    }
  }
  return Uint8Array.from(keys, key => (sums.get(key)!.some(v => Math.abs(v) > fitted * largest) ? 1 : 0))
}

/** [N, C]: outputs z [N, C] in a tail of the loss, which is lower still further out; of classes all outputs of a row, beside the target's. */
function openOutputs(problem: Problem<Network>, z: Float64Array): Uint8Array {
  const { model: network, rows, y, weight } = problem
  const { outputs: C, loss, lossParameters = [] } = network
  const open = new Uint8Array(rows * C)
  const [p, d, terms] = [new Float64Array(C), new Float64Array(C), new Float64Array(3)]
  for (let i = 0; i < rows; i++) {
    if (weight && !(weight[i] > 0)) continue
    if (!isScalar(loss)) {
      softmaxTerms(z.subarray(i * C, (i + 1) * C), y[i], p, d)
      if (-d[y[i]] <= tailSlope) open.fill(1, i * C, (i + 1) * C)
      continue
    }
    const definition = scalarLoss(loss)
    for (let n = i * C; n < (i + 1) * C; n++) {
      definition.terms(z[n], y[n], terms, lossParameters)
      const way = definition.recedes?.(y[n]) ?? 0
      if (way * z[n] > 0 && Math.abs(terms[2]) <= tailSlope) open[n] = 1
    }
  }
  return open
}

function movesTails(
  problem: Problem<Network>,
  theta: Float64Array,
  tangent: Float64Array,
  pulled: Uint8Array,
  open: Uint8Array
): boolean {
  const { model: network, rows, x } = problem
  const D = network.inputs
  const phi = activationTable[network.activation]
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const matters = leaving(problem, theta)
  const terms = new Float64Array(3)
  for (let i = 0; i < rows; i++) {
    const isOpen = open.subarray(i * network.outputs, (i + 1) * network.outputs).includes(1)
    if (pulled[i] === 0 && !isOpen) continue
    let below: Float64Array = x.subarray(i * D, (i + 1) * D)
    let change: Float64Array = new Float64Array(D)
    for (let l = 0; l + 1 < all.length; l++) {
      const layer = all[l]
      const [values, changes] = [new Float64Array(layer.units), new Float64Array(layer.units)]
      for (let k = 0; k < layer.units; k++) {
        const from = layer.at + k * layer.stride
        let u = bias ? theta[from] : 0
        let du = bias ? tangent[from] : 0
        for (let d = 0; d < layer.inputs; d++) {
          u += theta[from + bias + d] * below[d]
          du += tangent[from + bias + d] * below[d] + theta[from + bias + d] * change[d]
        }
        phi.terms(u, terms)
        const slope = Math.abs(terms[1])
        const isTail = slope <= tailSlope || (phi.affineTail === true && u > 0 && Math.abs(1 - slope) <= tailSlope)
        if (isTail && pulled[i] === 1 && matters[l][k] && Math.abs(du) > moves) return true
        values[k] = terms[0]
        changes[k] = terms[1] * du
      }
      below = values
      change = changes
    }
    const { at, stride, inputs } = all[all.length - 1]
    const moved = Float64Array.from({ length: network.outputs }, (_, c) => {
      const from = at + c * stride
      let dz = bias ? tangent[from] : 0
      for (let d = 0; d < inputs; d++) dz += tangent[from + bias + d] * below[d] + theta[from + bias + d] * change[d]
      return dz
    })
    const own = isScalar(network.loss) ? 0 : moved[problem.y[i]]
    if (isOpen && moved.some((dz, c) => open[i * network.outputs + c] === 1 && Math.abs(dz - own) > moves)) return true
  }
  return false
}
