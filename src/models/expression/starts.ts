/** Start points of a model given as an expression. */
import { Stream, normalQuantile, uniform, words } from '../../core/rng.js'
import { innerOf } from './coordinates.js'
import type { Expression, ParameterInit } from './types.js'

/** The value at the share u of the distribution; what does not depend on u is worked out once. */
function quantileOf(init: ParameterInit): (u: number) => number {
  switch (init.kind) {
    case 'uniform': {
      const { low, high } = init
      return u => low + (high - low) * u
    }
    case 'normal':
      return u => init.mean + init.deviation * normalQuantile(u)
    case 'logUniform': {
      const { low } = init
      const ratio = Math.log(init.high / low)
      return u => low * Math.exp(u * ratio)
    }
    default:
      return init satisfies never
  }
}

/** What makes starts from a word for each parameter: [P] numbers in the model's own coordinates, from `out[at]` on. */
function starter(model: Expression): (random: Uint32Array, out: Float64Array, at: number) => void {
  const quantiles = model.parameters.map(({ init }) => quantileOf(init))
  const inner = innerOf(model)
  return (random, out, at) => {
    for (let k = 0; k < quantiles.length; k++) out[at + k] = inner(k, quantiles[k](uniform(random[k])))
  }
}

/** The start from a word for each parameter, in the model's own coordinates: [P]. */
export function expressionPoint(model: Expression, random: Uint32Array): Float64Array {
  const out = new Float64Array(random.length)
  starter(model)(random, out, 0)
  return out
}

/** Starts made at a time. */
const chunk = 8192

/** Numbered random starts as given points, some at a time. `numbers` [count]: what they are drawn by where that is not their number. */
export function* startChunks(
  model: Expression,
  starts: { readonly seed: number; readonly first: number; readonly count: number },
  numbers?: Float64Array
): Generator<{ readonly kind: 'given'; readonly theta: Float64Array; readonly count: number; readonly first: number }> {
  const P = model.parameters.length
  const random = new Uint32Array(P)
  const make = starter(model)
  for (let done = 0; done < starts.count; done += chunk) {
    const count = Math.min(chunk, starts.count - done)
    const first = starts.first + done
    const theta = new Float64Array(count * P)
    for (let i = 0; i < count; i++) {
      const start = numbers ? numbers[done + i] : first + i
      words(starts.seed, Stream.init, start, 0, P, random)
      make(random, theta, i * P)
    }
    yield { kind: 'given', theta, count, first }
  }
}
