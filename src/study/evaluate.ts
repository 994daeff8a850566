/** f, g and H of a study's model for batches of points: an engine's kernels, called from a program. */
import { userHessian } from '../analysis/eigenvalues.js'
import { InputError } from '../core/errors.js'
import { chooseEngine } from '../engines/registry.js'
import type { Evaluation, Needs } from '../engines/types.js'
import { inUserCoordinates, networkOf, parameterCount } from '../models/model.js'
import { mapPoints, pullBack } from '../models/network/parameterMap.js'
import { resolveConfig } from './config.js'
import type { StudyInput } from './input.js'
import { prepareProblem } from './setup.js'

/** R points: [R, P] row-major as one array, or an array of R points. */
export type Points = Float64Array | readonly ArrayLike<number>[]

/** What an {@link Evaluator} takes beside the configuration. */
export interface EvaluatorOptions {
  /** Threads of the cpu engine; default: all cores. Never changes a result. */
  readonly threads?: number
}

/** What {@link Evaluator.evaluate} gives of R points. */
export interface Values {
  /** R */
  readonly count: number
  /** [R] f; non-finite where it is. */
  readonly f: Float64Array
  /** [R, P] row-major, where it was asked for. */
  readonly g?: Float64Array
  /** [R, P, P], both triangles, where it was asked for. */
  readonly H?: Float64Array
}

/** A model on its data, prepared on an engine. */
export interface Evaluator {
  /** [P] names of the parameters, in the order of a point. */
  readonly names: readonly string[]
  /** N, training rows. */
  readonly rows: number

  /** What evaluates. */
  readonly engine: {
    /** `cpu`, `webgpu`, `tensorflow` or `reference`. */
    readonly name: string

    /** `f64` or `f32`. */
    readonly precision: string

    /** Processor or graphics card, in words. */
    readonly device: string

    /** Threads of the processor. */
    readonly threads: number
  }
  /**
   * f, and g and H where asked for, at R points in the coordinates of the data as given; in the units of f and of the columns.
   * @param needs g and H; f is always there
   * @param out an earlier answer of as many points, whose arrays may be written anew and come back: large fresh ones cost time
   * @throws InputError for points that have not P finite numbers each
   */
  evaluate(points: Points, needs?: Needs, out?: Values): Promise<Values>
  /** Frees what the engine holds; the evaluator cannot be used afterwards. */
  dispose(): void
}

function flat(points: Points, P: number): Float64Array {
  const list = points instanceof Float64Array ? undefined : points
  const wrong = list?.findIndex(point => point.length !== P) ?? -1
  if (wrong >= 0)
    throw new InputError(`Point ${wrong} has ${list![wrong].length} numbers; give ${P}, one for each parameter.`)
  const theta = list ? new Float64Array(list.length * P) : (points as Float64Array)
  list?.forEach((point, r) => theta.set(point, r * P))
  if (theta.length % P !== 0)
    throw new InputError(`The points have ${theta.length} numbers; give a multiple of ${P}, the number of parameters.`)
  const odd = theta.findIndex(v => !Number.isFinite(v))
  if (odd >= 0) throw new InputError(`Point ${Math.floor(odd / P)} holds ${theta[odd]}; give finite numbers.`)
  return theta
}

/**
 * Prepares a study's model on its data and on an engine, for many evaluations; nothing is run.
 * @param config the parts `data`, `model`, `engine`, `device` and `precision` of a study; `engine: 'auto'` takes the best in f64
 * @throws InputError when the configuration or the data are wrong, or the engine cannot compute the model
 */
export async function evaluator(config: StudyInput, { threads }: EvaluatorOptions = {}): Promise<Evaluator> {
  const resolved = resolveConfig(config, 'the study')
  const { data, model, names, problem, frame } = await prepareProblem(resolved)
  const { device, precision = resolved.engine === 'auto' ? 'f64' : undefined } = resolved
  const inUser = inUserCoordinates(problem)
  const { engine } = await chooseEngine(resolved.engine, {
    // What finishes a mixed search is what evaluates.
    ...(precision === undefined ? {} : { precision: precision === 'mixed' ? ('f64' as const) : precision }),
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    job: { problem: inUser, needs: { H: true } }
  })
  const objective = await engine.prepare(inUser)
  const P = parameterCount(model)
  const mapped = networkOf(model)

  /** An engine's answer becomes that in the data's coordinates, in its place: nobody else has its arrays. */
  const toUser = ({ f, g, H }: Evaluation): void => {
    if (!mapped) return
    const { lossScale, fromUser } = frame
    if (g) pullBack(mapped, fromUser, g, g)
    for (let at = 0; H && at < H.length; at += P * P) {
      const one = H.subarray(at, at + P * P)
      userHessian(mapped, fromUser, one, one)
    }
    if (lossScale === 1) return
    for (const array of [f, g, H]) if (array) for (let i = 0; i < array.length; i++) array[i] *= lossScale
  }
  return {
    names,
    rows: data.rows,
    engine: { name: engine.name, precision: engine.precision, device: engine.device, threads: engine.threads },
    async evaluate(points, needs = {}, out) {
      const theta = flat(points, P)
      const own = mapped ? mapPoints(mapped, frame.fromUser, theta) : theta
      const count = theta.length / P
      const values = await objective.evaluate(own, needs, out?.count === count ? out : undefined)
      toUser(values)
      return { count, ...values }
    },
    dispose() {
      objective.dispose()
      engine.dispose()
    }
  }
}

/**
 * f, and g and H where asked for, of a study's model at R points: {@link evaluator} for one call.
 * @param points R points in the coordinates of the data as given, P numbers each in the order of `check(config).parameters`
 * @throws InputError as {@link evaluator}, and for points that have not P finite numbers each
 */
export async function evaluate(
  config: StudyInput,
  points: Points,
  needs: Needs = {},
  options: EvaluatorOptions = {}
): Promise<Values> {
  const prepared = await evaluator(config, options)
  try {
    return await prepared.evaluate(points, needs)
  } finally {
    prepared.dispose()
  }
}
