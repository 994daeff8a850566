/** What single hidden units do on the rows: saturated ones, and piecewise linear ones at their kinks. */
import { activationTable } from '../models/activations.js'
import { layers } from '../models/network/network.js'
import { penaltyOf } from '../models/model.js'
import type { Network, Problem } from '../models/types.js'

/** A unit is saturated when its slope is at most this on every row that counts. */
export const saturatedSlope = 1e-9
/** A net input is 0 within this times max(1, the largest term of its sum). */
export const kinkTolerance = 1e-9

/** Net inputs of hidden units on a row: `visit` gets the layer, the unit, its net input, and the largest term of it. */
export function netInputs(
  { model: network, rows, x, weight }: Problem<Network>,
  theta: Float64Array,
  at: number,
  visit: (layer: number, unit: number, u: number, size: number) => void
): void {
  const { activation, inputs } = network
  const phi = activationTable[activation]
  const all = layers(network).slice(0, -1)
  const bias = network.bias ? 1 : 0
  const terms = new Float64Array(3)
  for (let i = 0; i < rows; i++) {
    if (weight && !(weight[i] > 0)) continue
    let below: Float64Array = x.subarray(i * inputs, (i + 1) * inputs)
    all.forEach((layer, l) => {
      const values = new Float64Array(layer.units)
      for (let k = 0; k < layer.units; k++) {
        const from = at + layer.at + k * layer.stride
        let u = bias ? theta[from] : 0
        let size = Math.abs(u)
        for (let d = 0; d < layer.inputs; d++) {
          const term = theta[from + bias + d] * below[d]
          u += term
          size = Math.max(size, Math.abs(term))
        }
        visit(l, k, u, size)
        phi.terms(u, terms)
        values[k] = terms[0]
      }
      below = values
    })
  }
}

/** Whether a unit of the network is saturated at θ. A relu unit that no row wakes is flat indeed, and does not count. */
export function isSaturated(problem: Problem<Network>, theta: Float64Array, at = 0): boolean {
  const { activation, hidden } = problem.model
  const phi = activationTable[activation]
  if (hidden.length === 0 || !phi.smooth || phi.linear) return false
  const steepest = hidden.map(units => new Float64Array(units))
  const terms = new Float64Array(3)
  netInputs(problem, theta, at, (l, k, u) => {
    phi.terms(u, terms)
    steepest[l][k] = Math.max(steepest[l][k], terms[1])
  })
  return steepest.some(layer => layer.some(slope => slope <= saturatedSlope))
}

/** A unit is a step when its slope is at most this on every row that counts, and its values differ by more than so much. */
const stepSlope = 1e-6
const stepHeight = 0.5

/** Whether a unit has become a step at θ. */
export function hasStep(problem: Problem<Network>, theta: Float64Array, at = 0): boolean {
  const { activation, hidden } = problem.model
  const phi = activationTable[activation]
  if (hidden.length === 0 || !phi.smooth || phi.linear) return false
  const ranges = hidden.map(units =>
    Array.from({ length: units }, () => ({ slope: 0, least: Infinity, most: -Infinity }))
  )
  const terms = new Float64Array(3)
  netInputs(problem, theta, at, (l, k, u) => {
    phi.terms(u, terms)
    const range = ranges[l][k]
    range.slope = Math.max(range.slope, Math.abs(terms[1]))
    range.least = Math.min(range.least, terms[0])
    range.most = Math.max(range.most, terms[0])
  })
  return ranges.flat().some(({ slope, least, most }) => slope <= stepSlope && most - least > stepHeight)
}

/** Next to nothing is left of a unit when all that enters and leaves it, in scaled variables, is below this. */
export const putOut = 1e-5

/** A hidden unit's parameters, by their places in θ, and how far what enters it differs from its bias on the rows that count. */
export interface UnitParts {
  /** Null without one. */
  readonly bias: number | null
  readonly weights: readonly number[]
  readonly outgoing: readonly number[]
  readonly spread: number
}

/**
 * Whether next to nothing is left of a piecewise linear unit, and a ridge pulls its weights to 0: the pieces around it are as small. A bias
 * that is free stays where it is, so that it has to be as small as the kinks are near: from further out all rows are on one side.
 */
export function isNearlyOut(
  { bias, weights, outgoing, spread }: UnitParts,
  theta: Float64Array,
  scale: Float64Array,
  penalty: Float64Array
): boolean {
  const isLittle = (p: number): boolean => Math.abs(theta[p] / scale[p]) <= putOut
  if (![...weights, ...outgoing].every(p => penalty[p] > 0 && isLittle(p))) return false
  if (bias === null) return true
  return isLittle(bias) && (penalty[bias] > 0 || Math.abs(theta[bias]) <= Math.max(kinkTolerance, 2 * spread))
}

/** Whether next to nothing is left of a piecewise linear unit of a network. */
export function isGoingOut(problem: Problem<Network>, theta: Float64Array, scale: Float64Array): boolean {
  const { model: network } = problem
  if (network.hidden.length === 0 || activationTable[network.activation].smooth) return false
  const all = layers(network)
  const bias = network.bias ? 1 : 0
  const penalty = penaltyOf(problem)
  const spread = network.hidden.map(units => new Float64Array(units))
  netInputs(problem, theta, 0, (l, k, u) => {
    const constant = bias ? theta[all[l].at + k * all[l].stride] : 0
    spread[l][k] = Math.max(spread[l][k], Math.abs(u - constant))
  })
  return spread.some((units, l) =>
    units.some((own, k) => {
      const [from, next] = [all[l].at + k * all[l].stride, all[l + 1]]
      const parts = {
        bias: bias ? from : null,
        weights: Array.from({ length: all[l].inputs }, (_, d) => from + bias + d),
        outgoing: Array.from({ length: next.units }, (_, q) => next.at + q * next.stride + bias + k),
        spread: own
      }
      return isNearlyOut(parts, theta, scale, penalty)
    })
  )
}

/**
 * Whether a piecewise linear unit sits on its kink on some row. A unit that is all zero does on every row. What leaves the unit does not
 * matter: its outgoing weight may become anything.
 * @param uncertainty of each parameter, relative to max(1, |θ|): kinks as near as that cannot be told from those the point lies on
 */
export function onKink(problem: Problem<Network>, theta: Float64Array, uncertainty = 0): boolean {
  const { activation, hidden } = problem.model
  if (hidden.length === 0 || activationTable[activation].smooth) return false
  const near = Math.max(kinkTolerance, theta.length * uncertainty)
  let found = false
  netInputs(problem, theta, 0, (_l, _k, u, size) => {
    if (Math.abs(u) <= near * Math.max(1, size)) found = true
  })
  return found
}
