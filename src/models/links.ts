/** Mean responses as functions of the linear predictor, with their derivatives. */
import { sigmoid } from './special.js'
import type { Link } from './losses/types.js'

const root = Math.sqrt(2 * Math.PI)

/** Writes μ′ and μ″ at z into `out`; false where the mean is no function of one z. */
export function meanSlopes(link: Link, z: number, out: Float64Array): boolean {
  switch (link) {
    case 'z':
      out[0] = 1
      out[1] = 0
      return true
    case 'sigmoid': {
      const [up, down] = [sigmoid(z), sigmoid(-z)]
      out[0] = up * down
      out[1] = out[0] * (down - up)
      return true
    }
    case 'Φ':
      out[0] = Math.exp(-0.5 * z * z) / root
      out[1] = -z * out[0]
      return true
    case 'extreme': {
      const u = Math.exp(z)
      out[0] = Number.isFinite(u) ? u * Math.exp(-u) : 0
      out[1] = Number.isFinite(u) ? out[0] * (1 - u) : 0
      return true
    }
    case 'exp':
      out[0] = out[1] = Math.exp(z)
      return true
    case 'shares':
      return false
    default:
      return link satisfies never
  }
}
