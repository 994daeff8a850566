// Verdicts on given points of a function, and on the runs of a small study.
import type { Judge, Judged } from '../../src/analysis/judge.js'
import { judgeRuns } from '../../src/analysis/verdict.js'
import { reasonWords, verdicts } from '../../src/core/result.js'
import { Stream, uniform, words } from '../../src/core/rng.js'
import { Status } from '../../src/core/status.js'
import { buildClimbs } from '../../src/optimizers/climb.js'
import { buildFlow, flowSteps } from '../../src/optimizers/flow.js'
import { newton } from '../../src/optimizers/newton.js'
import { buildPolish, polishStepsFor } from '../../src/optimizers/polish.js'
import { resolveConfig } from '../../src/study/config.js'
import { requestOf } from '../../src/study/run.js'
import { setUp } from '../../src/study/setup.js'
import { objectiveOf, type Landscape } from './analytic.js'
import { csv as writeCsv } from './files.js'

const eps = 2 ** -52

/** Verdicts and reasons by their names. */
export const inWords = (judged: Judged) => ({
  ...judged,
  verdict: Array.from(judged.verdict, code => verdicts[code]),
  reason: Array.from(judged.reason, code => reasonWords[code])
})
export type Named = ReturnType<typeof inWords>

/** Verdicts on runs that stopped at these points. */
export async function judgePoints(
  landscape: Landscape,
  points: readonly (readonly number[])[],
  changes: Partial<Judge> = {},
  status: Status = Status.converged
): Promise<Named> {
  const objective = objectiveOf(landscape)
  const context = { eps, parameters: landscape.size }
  const rule: Judge = {
    objective,
    polish: buildPolish(context),
    polishSteps: polishStepsFor(landscape.size),
    newton: newton.build({ radius: 1 }, context),
    climbs: buildClimbs(context),
    flow: { program: buildFlow(context), steps: flowSteps },
    penalty: new Float64Array(landscape.size),
    separated: false,
    network: null,
    blankLoss: null,
    scale: new Float64Array(landscape.size).fill(1),
    bounded: false,
    receding: null,
    flatDirections: null,
    moveLimit: undefined,
    eps,
    ...changes
  }
  const theta = Float64Array.from(points.flat())
  const { f, g } = await objective.evaluate(theta, { g: true })
  const P = landscape.size
  const gradientNorm = Float64Array.from(points, (_, i) =>
    Math.max(...g!.subarray(i * P, (i + 1) * P).map(v => Math.abs(v)))
  )
  const found = { loss: f, gradientNorm, status: new Uint8Array(points.length).fill(status) }
  return inWords(await judgeRuns(rule, theta, found, points.length))
}

/** A sequence of numbers in (0, 1), the same each time. */
export function seeded(seed: number): () => number {
  let next = 0
  return () => uniform(words(seed, Stream.generator, 0, next++, 1)[0])
}

/** What became of the runs of a study. */
export interface StudyVerdicts {
  readonly counts: Readonly<Record<string, number>>
  /** Limits of the loss along diverging runs, in the unit of the target. */
  readonly limits: readonly number[]
  readonly reasons: readonly string[]
  /** Losses, certified, of the runs with a verdict. */
  readonly losses: (verdict: string) => number[]
}

let tables = 0
/** Runs and judges a study of columns x and y (or x1, x2, … and y). */
export async function judgeStudy(
  columns: Readonly<Record<string, readonly number[]>>,
  raw: {
    readonly model: object
    readonly starts: object
    readonly stop?: object
    readonly optimizer?: object | string
  },
  data: object = {}
): Promise<StudyVerdicts> {
  const names = Object.keys(columns)
  const rows = columns[names[0]].map((_, i) => names.map(name => columns[name][i]))
  const csv = writeCsv(`judged-${++tables}.csv`, names, rows)
  const config = { ...raw, engine: 'cpu', data: { csv, target: 'y', ...data } }
  const setup = await setUp(resolveConfig(config, 'the test'), { threads: 1 })
  const counts: Record<string, number> = {
    minimum: 0,
    degenerate: 0,
    saddle: 0,
    diverging: 0,
    unfinished: 0,
    failed: 0
  }
  const [limits, reasons]: [number[], string[]] = [[], []]
  const losses: [string, number][] = []
  for await (const block of setup.objective.minimise(
    requestOf(setup, { first: 0, count: setup.config.starts.count }, {})
  )) {
    const judged = inWords(await judgeRuns(setup.judge, block.theta, block, block.count))
    judged.verdict.forEach((verdict, i) => {
      counts[verdict]++
      losses.push([verdict, judged.loss[i]])
      const reason = judged.reason[i]
      if (reason) reasons.push(reason)
    })
    for (const { limit } of judged.ways.values()) limits.push(limit * setup.frame.lossScale)
  }
  setup.dispose()
  return { counts, limits, reasons, losses: verdict => losses.filter(([v]) => v === verdict).map(([, loss]) => loss) }
}
