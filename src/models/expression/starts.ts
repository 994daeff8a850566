/** Start points of a model given as an expression. */
import { Stream, normalQuantile, uniform, words } from '../../core/rng.js'
import { fromUser } from './coordinates.js'
import type { Expression, ParameterInit } from './types.js'

/** The value at the share u of the distribution. */
export function quantileOf(init: ParameterInit, u: number): number {
  switch (init.kind) {
    case 'uniform':
      return init.low + (init.high - init.low) * u
    case 'normal':
      return init.mean + init.deviation * normalQuantile(u)
    case 'logUniform':
      return init.low * Math.exp(u * Math.log(init.high / init.low))
    default:
      return init satisfies never
  }
}

/** The start from a word for each parameter, in the model's own coordinates: [P] each. @param out where it goes */
export function expressionPoint(
  model: Expression,
  random: Uint32Array,
  out = new Float64Array(random.length)
): Float64Array {
  for (let k = 0; k < out.length; k++) out[k] = quantileOf(model.parameters[k].init, uniform(random[k]))
  return fromUser(model, out, out)
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
  for (let done = 0; done < starts.count; done += chunk) {
    const count = Math.min(chunk, starts.count - done)
    const first = starts.first + done
    const theta = new Float64Array(count * P)
    for (let i = 0; i < count; i++) {
      const start = numbers ? numbers[done + i] : first + i
      words(starts.seed, Stream.init, start, 0, P, random)
      expressionPoint(model, random, theta.subarray(i * P, (i + 1) * P))
    }
    yield { kind: 'given', theta, count, first }
  }
}
