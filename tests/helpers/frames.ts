// Frames for tests: the one that changes nothing, and maps that do.
import type { PointQuestion } from '../../src/analysis/stationary.js'
import type { ParameterMap } from '../../src/models/network/parameterMap.js'
import type { Network } from '../../src/models/types.js'

export function identityMap({ inputs, outputs, bias }: Network): ParameterMap {
  const S = inputs + (bias ? 1 : 0)
  return {
    first: Float64Array.from({ length: S * S }, (_, n) => (n % (S + 1) === 0 ? 1 : 0)),
    scale: new Float64Array(outputs).fill(1),
    shift: new Float64Array(outputs)
  }
}

/** The user's coordinates are those of the problem. */
export function plainFrame(network: Network): PointQuestion['frame'] {
  const map = identityMap(network)
  return {
    toUser: map,
    fromUser: map,
    toAsked: map,
    fromAsked: undefined,
    standardized: false,
    lossScale: 1,
    askedLossScale: 1
  }
}
