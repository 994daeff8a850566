/** One start of a saved study again, with its path. */
import { InputError } from '../core/errors.js'
import { verdicts, type Verdict } from '../core/result.js'
import { userPoints } from '../models/model.js'
import type { SearchPrecision } from '../engines/types.js'
import { statusNames } from '../core/status.js'
import type { StudyConfig } from './config.js'
import { inSingle } from './config.js'
import { readRecord } from './record.js'
import { requestOf } from './run.js'
import { setUp } from './setup.js'

/** One run again, in the coordinates of the data as given. */
export interface Replay {
  /** Its number. */
  readonly start: number

  /** What lies at its end. */
  readonly verdict: Verdict

  /** How the optimiser ended: `converged`, `budget` and the like. */
  readonly status: string
  /** Certified. */
  readonly loss: number

  /** max |g_p| there, in conditioned coordinates. */
  readonly gradientNorm: number

  /** [P] there, of the columns as given. */
  readonly parameters: readonly number[]

  /** [P] names of the parameters. */
  readonly names: readonly string[]
  /** Where the optimiser stopped. */
  readonly found: {
    /** f there. */
    readonly loss: number
    /** max |g_p| there. */
    readonly gradientNorm: number
    /** [P] there. */
    readonly parameters: readonly number[]
  }

  /** Steps of the optimiser. */
  readonly steps: number
  /** Loss and gradient norm of the current point after each step. */
  readonly path: readonly {
    /** From 0, the start. */
    readonly step: number
    /** f after it. */
    readonly loss: number
    /** max |g_p| after it. */
    readonly gradientNorm: number
  }[]

  /** What computed it, in words. */
  readonly engine: string
}

/** How a start is run again; what is absent is as in the study. */
export interface ReplayOptions {
  /** What computes it. */
  readonly engine?: StudyConfig['engine']

  /** As in a study: gpu, cpu or wasm for tensorflow, an adapter for webgpu. */
  readonly device?: string

  /** Of the search. */
  readonly precision?: SearchPrecision
  /** Threads of the cpu engine. */
  readonly threads?: number
}

/**
 * Runs one start of a saved study again, and gives its path: bit for bit the same on the study's engine and device.
 * @param directory that `study` wrote
 * @param start its number, 0 … N−1
 * @param overrides engine, device and precision to use instead of the study's
 * @throws InputError when the start is not one of the study's, or the data have changed since
 */
export async function replay(directory: string, start: number, overrides: ReplayOptions = {}): Promise<Replay> {
  const saved = await readRecord(directory)
  const { threads, ...fields } = overrides
  const { device, ...rest } = saved.config
  const config: StudyConfig = {
    ...rest,
    // A device belongs to the engine that the study ran on.
    ...(device !== undefined && fields.engine === undefined ? { device } : {}),
    ...(fields.engine !== undefined && inSingle(fields.engine) ? { precision: 'f32' } : {}),
    ...fields
  }
  if (!Number.isInteger(start) || start < 0 || start >= config.starts.count)
    throw new InputError(`There is no start ${start} in ${directory}; its starts are 0 to ${config.starts.count - 1}.`)
  const setup = await setUp(config, threads === undefined ? {} : { threads })
  try {
    if (setup.data.hash !== saved.dataHash)
      throw new InputError(
        `The data ${setup.data.name} have changed since ${directory} was made, so the run cannot be repeated; restore the file.`
      )
    for await (const block of setup.objective.minimise(requestOf(setup, { first: start, count: 1 }, { trace: true }))) {
      const { ends: judged } = await setup.judgeRuns(block.theta, block, 1)
      const trace = block.traces?.[0] ?? new Float64Array(0)
      const { frame, model } = setup
      const user = (theta: Float64Array): number[] => [...userPoints(model, frame.toUser, theta)]
      return {
        start,
        verdict: verdicts[judged.verdict[0]],
        status: statusNames[block.status[0]],
        loss: frame.lossScale * judged.loss[0],
        gradientNorm: judged.gradientNorm[0],
        parameters: user(judged.theta),
        names: setup.names,
        found: {
          loss: frame.lossScale * block.loss[0],
          gradientNorm: block.gradientNorm[0],
          parameters: user(block.theta)
        },
        steps: block.steps[0],
        path: Array.from({ length: trace.length / 2 }, (_, i) => ({
          step: i + 1,
          loss: frame.lossScale * trace[2 * i],
          gradientNorm: trace[2 * i + 1]
        })),
        engine: setup.engine.name
      }
    }
    throw new Error('the engine delivered no run')
  } finally {
    setup.dispose()
  }
}
