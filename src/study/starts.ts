/** Where the runs of a study start: at numbered random points, at those of a design, or where the user says. */
import { InputError } from '../core/errors.js'
import { Sobol, sobolDimensions, sobolPoints } from '../core/sobol.js'
import { formatCount } from '../core/units.js'
import type { Starts } from '../engines/types.js'
import { parameterCount, startPoint } from '../models/model.js'
import { pointOf } from '../models/model.js'
import type { ParameterMap } from '../models/network/parameterMap.js'
import type { Model } from '../models/types.js'
import type { Range } from '../runs/part.js'
import type { StudyConfig } from './config.js'

export interface StartPoints {
  /** θ0 of a start, [P], in the coordinates of the problem. */
  at(number: number): Float64Array
  /** What an engine is asked to run. */
  of(range: Range): Starts
  /** Starts that are asked for at a time at most. */
  readonly together: number
}

/** Numbers of points that lie in memory. */
const pointNumbers = 2 ** 22

/** Points that an engine is given. */
function givenStarts(P: number, at: (number: number) => Float64Array): StartPoints {
  return {
    at,
    of({ first, count }) {
      const theta = new Float64Array(count * P)
      for (let i = 0; i < count; i++) theta.set(at(first + i), i * P)
      return { kind: 'given', theta, count, first }
    },
    together: Math.max(1024, Math.floor(pointNumbers / P))
  }
}

/** Starts of the user's own, θ [count, P]. */
export const ownPoints = (theta: Float64Array, count: number): StartPoints => {
  const P = theta.length / count
  return givenStarts(P, number => theta.slice(number * P, (number + 1) * P))
}

/**
 * Starts that the program makes.
 * @param map from the coordinates they are drawn in to those of the problem
 * @throws InputError for a design that does not reach so far
 */
export function madePoints({ starts }: StudyConfig, model: Model, map?: ParameterMap): StartPoints {
  const { seed, init, design } = starts
  if (design === 'random')
    return {
      at: number => startPoint(model, init, seed, number, map),
      of: range => ({ kind: 'random', seed, ...range, init, ...(map ? { map } : {}) }),
      together: Infinity
    }
  const P = parameterCount(model)
  if (P > sobolDimensions)
    throw new InputError(
      `A Sobol design has at most ${formatCount(sobolDimensions)} dimensions, and the model has ${formatCount(P)} parameters; give starts.design random.`
    )
  if (starts.count > sobolPoints)
    throw new InputError(
      `A Sobol design has ${formatCount(sobolPoints)} points, and starts.count is ${formatCount(starts.count)}; give fewer starts, or starts.design random.`
    )
  const sobol = new Sobol(P, seed)
  return givenStarts(P, number => pointOf(model, init, sobol.words(number), map))
}
