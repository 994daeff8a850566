/** Start points θ0: the distribution of each parameter, and the point itself from (seed, start). */
import { normalQuantile, uniform } from '../../core/rng.js'
import { layers, networkParameterCount } from './network.js'
import { applyMap, type ParameterMap } from './parameterMap.js'
import type { Init, Network } from '../types.js'

/**
 * How θ0 is drawn: `scale_p (2u − 1)` for uniform, `scale_p Φ⁻¹(u)` for normal. glorot: U(±√(6 / (fan in + fan out))) (Glorot
 * and Bengio 2010); he: N(0, 2 / fan in) (He et al. 2015); both start biases at 0.
 */
export function initScales(network: Network, init: Init): { kind: 'uniform' | 'normal'; scale: Float64Array } {
  const scale = new Float64Array(networkParameterCount(network))
  if (typeof init === 'object') {
    if ('normal' in init) return { kind: 'normal', scale: scale.fill(init.normal) }
    return { kind: 'uniform', scale: scale.fill(init.uniform) }
  }
  for (const layer of layers(network)) {
    const s = init === 'glorot' ? Math.sqrt(6 / (layer.inputs + layer.units)) : Math.sqrt(2 / layer.inputs)
    const skip = network.bias ? 1 : 0
    for (let k = 0; k < layer.units; k++) {
      const at = layer.at + k * layer.stride
      scale.fill(s, at + skip, at + layer.stride)
    }
  }
  return { kind: init === 'glorot' ? 'uniform' : 'normal', scale }
}

/** θ0 [P] from a word for each parameter, which says how far along its distribution it lies. */
export function networkPoint(network: Network, init: Init, random: Uint32Array, map?: ParameterMap): Float64Array {
  const { kind, scale } = initScales(network, init)
  const theta = scale.map((s, p) => {
    const u = uniform(random[p])
    return kind === 'uniform' ? s * (2 * u - 1) : s * normalQuantile(u)
  })
  if (map) applyMap(network, map, theta, 0, theta, 0)
  return theta
}
