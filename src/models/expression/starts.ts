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

/** The start of a number, in the model's own coordinates: [P]. */
export const expressionStart = (model: Expression, seed: number, start: number): Float64Array =>
  expressionPoint(model, words(seed, Stream.init, start, 0, model.parameters.length))

/** The start from a word for each parameter, [P] each. */
export function expressionPoint(model: Expression, random: Uint32Array): Float64Array {
  return fromUser(
    model,
    model.parameters.map((p, k) => quantileOf(p.init, uniform(random[k])))
  )
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
  for (let done = 0; done < starts.count; done += chunk) {
    const count = Math.min(chunk, starts.count - done)
    const first = starts.first + done
    const theta = new Float64Array(count * P)
    for (let i = 0; i < count; i++)
      theta.set(expressionStart(model, starts.seed, numbers ? numbers[done + i] : first + i), i * P)
    yield { kind: 'given', theta, count, first }
  }
}
