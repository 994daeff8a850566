/** φ, φ′ and φ″ of the hidden activations. */
import { sigmoid, softplus } from './special.js'
import type { Activation } from './types.js'

/** Writes φ(u), φ′(u), φ″(u) into `out`. relu takes φ′(0) = 0. */
export function activate(activation: Activation, u: number, out: Float64Array): void {
  switch (activation) {
    case 'identity':
      out[0] = u
      out[1] = 1
      out[2] = 0
      return
    case 'tanh': {
      const t = Math.tanh(u)
      // 1 − tanh² as 4e/(1+e)², e = e^(−2|u|): keeps its digits in the tails.
      const e = Math.exp(-2 * Math.abs(u))
      const s = (4 * e) / ((1 + e) * (1 + e))
      out[0] = t
      out[1] = s
      out[2] = -2 * t * s
      return
    }
    case 'logistic': {
      const up = sigmoid(u)
      const down = sigmoid(-u)
      out[0] = up
      out[1] = up * down
      out[2] = up * down * (down - up)
      return
    }
    case 'softplus': {
      const up = sigmoid(u)
      out[0] = softplus(u)
      out[1] = up
      out[2] = up * sigmoid(-u)
      return
    }
    case 'relu':
      out[0] = u <= 0 ? 0 : u
      out[1] = u > 0 ? 1 : 0
      out[2] = 0
      return
    default:
      activation satisfies never
  }
}
