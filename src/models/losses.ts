/** ℓ(z, y) with its first two derivatives in z, for every loss but `softmax`, and softmax for itself (DESIGN §3). */
import { cloglogEvent, cloglogRatio, logNormalCdf, normalHazard, sigmoid } from './special.js'
import type { Loss } from './types.js'

export type ScalarLoss = Exclude<Loss, 'softmax'>

/** 0 · ∞ counts as 0: a term with weight nought is not there. */
const times = (weight: number, value: number): number => (weight === 0 ? 0 : weight * value)

/** Writes ℓ, ℓ′, ℓ″ at z into `out`. */
export function lossTerms(loss: ScalarLoss, z: number, y: number, out: Float64Array): void {
  switch (loss) {
    case 'squared':
      out[0] = 0.5 * (z - y) * (z - y)
      out[1] = z - y
      out[2] = 1
      return
    case 'logistic': {
      const up = sigmoid(z)
      const down = sigmoid(-z)
      out[0] = (z > 0 ? times(1 - y, z) : times(y, -z)) + Math.log1p(Math.exp(-Math.abs(z)))
      out[1] = (1 - y) * up - y * down
      out[2] = up * down
      return
    }
    case 'brier': {
      const up = sigmoid(z)
      const down = sigmoid(-z)
      const d = (1 - y) * up - y * down
      const s = up * down
      out[0] = 0.5 * d * d
      out[1] = d * s
      out[2] = s * s + d * s * (down - up)
      return
    }
    case 'probit': {
      const a = normalHazard(z)
      const b = normalHazard(-z)
      out[0] = -times(y, logNormalCdf(z)) - times(1 - y, logNormalCdf(-z))
      out[1] = (1 - y) * b.r - y * a.r
      out[2] = y * a.r * a.excess + (1 - y) * b.r * b.excess
      return
    }
    case 'cloglog': {
      const u = Math.exp(z)
      const { q, slope } = cloglogRatio(u)
      out[0] = times(y, cloglogEvent(z)) + times(1 - y, u)
      out[1] = times(1 - y, u) - y * q
      out[2] = times(1 - y, u) - y * slope
      return
    }
    case 'poisson': {
      const u = Math.exp(z)
      out[0] = u - y * z
      out[1] = u - y
      out[2] = u
      return
    }
    case 'gamma': {
      const u = times(y, Math.exp(-z))
      out[0] = z + u
      out[1] = 1 - u
      out[2] = u
      return
    }
    default:
      loss satisfies never
  }
}

/**
 * Softmax: returns ℓ = log Σ_c e^{z_c} − z_k and writes p_c and ∂ℓ/∂z_c = p_c − [c = k]; the entry of class k is minus the sum of
 * the other probabilities, so that it keeps its digits when p_k is near 1. ∂²ℓ/∂z_c∂z_d = p_c ([c = d] − p_d).
 */
export function softmaxTerms(z: Float64Array, k: number, p: Float64Array, d: Float64Array): number {
  const C = z.length
  let top = -Infinity
  for (let c = 0; c < C; c++) top = Math.max(top, z[c])
  let total = 0
  for (let c = 0; c < C; c++) total += p[c] = Math.exp(z[c] - top)
  let others = 0
  for (let c = 0; c < C; c++) {
    p[c] = p[c] / total
    d[c] = p[c]!
    if (c !== k) others += p[c]
  }
  d[k] = -others
  if (z[k] === top) {
    let rest = 0
    for (let c = 0; c < C; c++) if (c !== k) rest += Math.exp(z[c] - top)
    return Math.log1p(rest)
  }
  return top - z[k] + Math.log(total)
}

/** Second derivative of softmax; 1 − p_c for large p_c as the sum of the others, from d. */
export const softmaxSecond = (p: Float64Array, c: number, d: number): number => {
  if (c !== d) return -p[c] * p[d]
  let others = 0
  for (let e = 0; e < p.length; e++) if (e !== c) others += p[e]
  return p[c] * others
}
