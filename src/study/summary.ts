/** From the outcome of a study to its summary: details of the distinct points, convexity, coverage, metrics. */
import type { Tolerances } from '../analysis/cluster.js'
import { toleranceMeanings } from '../analysis/cluster.js'
import { bestOf, restarts } from '../analysis/restarts/bestOf.js'
import { coverageOf } from '../analysis/coverage.js'
import { boundary, boxAround } from '../analysis/boundary.js'
import { askedFor } from '../analysis/stationary.js'
import { symmetricEigen } from '../core/linalg.js'
import {
  summaryFormat,
  summaryVersion,
  type Curves,
  type Decisions,
  type RidgePathResult,
  type StationaryPoint,
  type Summary
} from '../core/result.js'
import { thresholdMeanings, thresholds } from '../core/thresholds.js'
import {
  convexity,
  expressionOf,
  isRidged,
  layoutOf,
  networkOf,
  ridgeOnAll,
  userDirections,
  userPoints
} from '../models/model.js'
import { shiftCount } from '../models/network/shift.js'
import { scoresOf, twoClass } from '../models/scores.js'
import type { Preprocessing } from '../data/types.js'
import { describeClusters, hessianNumbers, inGroups, stacked } from './describe.js'
import { failureCause } from './failure.js'
import { describeLimits } from './limitPoints.js'
import { landscapeOf } from './landscape.js'
import { multiplicityOf } from './multiplicity/index.js'
import { notesOf } from './notes.js'
import { tiedRows } from '../analysis/ties.js'
import { identityOf } from './record.js'
import { resamplingOf } from './resampling/index.js'
import type { Outcome } from './session.js'
import { userHessian } from '../analysis/eigenvalues.js'
import type { Setup } from './setup.js'
import { initText, optimizerText } from './words.js'

/** Starts at which a negative eigenvalue is looked for when a model is not convex. */
const witnessStarts = 64
/** Largest P for which that is done. */
const witnessParameters = 256
const unitLength = (v: Float64Array): number[] => {
  const length = Math.hypot(...v)
  return Array.from(v, a => (length > 0 ? a / length : 0))
}

/** The most negative eigenvalue met at the first starts of a model that is not convex. */
async function findWitness(setup: Setup): Promise<Summary['convex']['witness']> {
  const P = setup.objective.parameters
  if (P > witnessParameters) return undefined
  const count = Math.min(witnessStarts, setup.config.starts.count)
  const { model, frame } = setup
  const network = networkOf(model)
  let witness: Summary['convex']['witness']
  await inGroups(
    Array.from({ length: count }, (_, i) => setup.starts.at(i)),
    Math.max(1, Math.floor(hessianNumbers / (P * P))),
    async part => {
      const { f, H } = await setup.certifier.objective.evaluate(stacked(part, P), { H: true })
      part.forEach((theta, i) => {
        const A = H!.subarray(i * P * P, (i + 1) * P * P)
        const { values } = symmetricEigen(A, P)
        const band = thresholds.zeroBandFactor * Number.EPSILON * P * Math.max(...values.map(Math.abs))
        if (!(values[0] < -band)) return
        // The sign is the same in the user's columns (Sylvester), where rounding allows to see it.
        const eigenvalue =
          frame.lossScale * (network ? symmetricEigen(userHessian(network, frame.fromUser, A), P).values : values)[0]
        if (eigenvalue < (witness?.eigenvalue ?? 0))
          witness = {
            eigenvalue,
            parameters: [...userPoints(model, frame.toUser, theta)],
            loss: frame.lossScale * f[i]
          }
      })
    }
  )
  return witness
}

function convexSection(
  setup: Setup,
  minima: readonly StationaryPoint[],
  witness: Summary['convex']['witness']
): Summary['convex'] {
  const { model, reason } = convexity(setup.model)
  if (!model) return { model, strongly: false, modulus: null, reason, ...(witness ? { witness } : {}) }
  const { separated, flatDirections } = setup.judge
  const strongly = flatDirections === 0 && !separated && shiftCount(setup.model) === 0
  const modulus = minima[0]?.eigenvalues[0] ?? null
  return { model, strongly, modulus, reason: `${reason} ${minimisers(setup, strongly)}` }
}

/** What a convex model's minimisers are, and why. */
function minimisers({ model, problem, rank, judge, separation: { status } }: Setup, one: boolean): string {
  if (judge.separated) return 'The data are separated, so there is no finite minimiser.'
  if (ridgeOnAll(model)) return 'The ridge falls on every parameter, so there is exactly one minimiser.'
  if (one && isRidged(problem))
    return 'The ridge falls on the weights, and the data bound the bias, so there is exactly one minimiser.'
  if (one)
    return `The design has full rank${status === 'none' ? ' and the data are not separated' : ''}, so there is exactly one minimiser.`
  if (rank.rank < rank.columns && !isRidged(problem))
    return 'The design does not have full rank, so the minimisers form a flat set.'
  return 'Adding the same number to all outputs changes nothing; but for that, there is exactly one minimiser.'
}

/** Everything that verdicts and clusters rest on, with its meaning. */
export function thresholdsOf(tolerances: Tolerances): Summary['thresholds'] {
  const meanings: Readonly<Record<string, string>> = { ...thresholdMeanings, ...toleranceMeanings }
  return Object.fromEntries(
    Object.entries({ ...thresholds, ...tolerances }).map(([key, value]) => [
      key,
      { value, meaning: meanings[key] ?? '' }
    ])
  )
}

/** Minima whose decision boundaries are drawn. */
const drawnMinima = 3
/** Rows up to which a picture of them can be read. */
const drawnRows = 2000

/** What the best minima decide, where that can be drawn: two inputs, two classes, not too many rows. */
function decisionsOf({ model, data }: Setup, minima: readonly StationaryPoint[]): Decisions | undefined {
  const [a, b] = data.columns
  if (model.inputs !== 2 || !twoClass(model.loss) || data.offset || data.rows > drawnRows || minima.length === 0)
    return undefined
  const short = (v: number): number => Number(v.toPrecision(4))
  const { x } = data
  const box = boxAround(x)
  return {
    columns: [a, b],
    rows: Array.from({ length: data.rows }, (_, i) => [short(x[2 * i]), short(x[2 * i + 1]), data.y[i] > 0.5 ? 1 : 0]),
    boundaries: minima
      .slice(0, drawnMinima)
      .map(m =>
        boundary(model, Float64Array.from(m.parameters), box).map(line =>
          line.map(([u, v]) => [short(u), short(v)] as const)
        )
      )
  }
}

/** What k starts give and cost, and how many of them find the lowest loss. */
function restartsOf(
  { model, program }: Setup,
  { folded, runs }: Outcome,
  { distinct, minima, degenerate }: Awaited<ReturnType<typeof describeClusters>>
): Summary['restarts'] {
  const best = [...minima, ...degenerate].filter(p => p.rank === 1)
  const needed = restarts(
    best.map(p => p.id),
    distinct.lowest?.runs ?? 0,
    runs
  )
  // Of the search, which is the same however often a study was stopped.
  const steps = folded.totalSteps / runs
  return {
    bestOf: bestOf(folded.outcomes, folded.test ? scoresOf(model) : [], {
      f: steps,
      g: steps,
      H: program.needs === 'H' ? steps : 0
    }),
    ...(needed ? { needed } : {})
  }
}

export interface SummaryOptions {
  /** Of the model. */
  readonly name: string
  readonly curves?: Curves | undefined
  readonly ridgePath?: RidgePathResult | undefined
  /** Distinct points of a kind that are described at most; default: 1000. */
  readonly described?: number | undefined
  /** Leaves the details of distinct points out from then on. */
  readonly stop?: AbortSignal | undefined
  /** Told what is done, in words. */
  readonly onStage?: ((doing: string) => void) | undefined
}

export async function summarize(
  setup: Setup,
  outcome: Outcome,
  { name, curves, ridgePath, described, stop, onStage }: SummaryOptions
): Promise<Summary> {
  const { config, data, frame, model, problem, engine } = setup
  const { hidden, activation, bias, ridge, penalizeBias, firth } = layoutOf(model)
  const expression = expressionOf(model)
  const { folded, cost } = outcome
  const points = await describeClusters(setup, folded, outcome.runs, { described, stop, onStage })
  const { minima } = points
  const witness = convexity(model).model ? undefined : await findWitness(setup)
  const { diverging } = folded
  const decisions = decisionsOf(setup, minima)
  const best = folded.minima.at(0)
  const ties = best ? tiedRows(setup.problem, best.parameters) : 0
  const needed = restartsOf(setup, outcome, points)
  const multiplicity = stop?.aborted ? undefined : await multiplicityOf(setup, folded)
  // A shard leaves it to the whole.
  const whole = !outcome.interrupted && (outcome.enough || folded.range.count >= config.starts.count)
  const resampling = !whole ? undefined : await resamplingOf(setup, folded, { stop, onStage })
  const landscape = outcome.interrupted || stop?.aborted ? undefined : await landscapeOf(setup, folded)
  return {
    format: summaryFormat,
    version: summaryVersion,
    identity: identityOf(setup),
    name,
    starts: outcome.runs,
    startsRequested: outcome.requested,
    interrupted: outcome.interrupted,
    verdicts: folded.verdicts,
    convex: convexSection(setup, minima, witness),
    separation: setup.separation,
    spread: folded.spread,
    ...points,
    limits: await describeLimits(setup, folded),
    unfinished: folded.unfinished,
    ...(folded.verdicts.failed > 0 ? { failure: await failureCause(setup) } : {}),
    ...(diverging
      ? {
          diverging: {
            start: diverging.start,
            loss: frame.lossScale * diverging.loss,
            norm: Math.hypot(...userPoints(model, frame.toUser, diverging.theta)),
            direction: unitLength(userDirections(model, frame.toUser, diverging.direction)),
            names: setup.names
          }
        }
      : {}),
    metrics: {
      train: folded.train,
      ...(folded.test ? { test: folded.test } : {}),
      ...(folded.histogram ? { histogram: folded.histogram } : {}),
      asGoodAsBest: folded.asGoodAsBest,
      disagreement: folded.disagreement
    },
    restarts: needed,
    ...(multiplicity
      ? {
          multiplicity: {
            ...multiplicity,
            bestOf: needed.bestOf.map(({ k, loss, interval }) => ({ k, loss, interval }))
          }
        }
      : {}),
    coverage: coverageOf(
      {
        count: folded.minima.column('count'),
        firstStart: folded.minima.column('firstStart').map(start => start - folded.range.first)
      },
      outcome.runs,
      { ...folded.firstHalf, end: folded.firstHalf.end - folded.range.first }
    ),
    steps: folded.steps,
    timing: {
      wallSeconds: cost.seconds,
      runsPerSecond: outcome.runs / cost.seconds,
      evaluations: { f: cost.f, g: cost.g, H: cost.H }
    },
    engine: {
      name: engine.name,
      precision: setup.precision,
      device: engine.device,
      threads: engine.threads,
      why: setup.why
    },
    dataset: datasetSummary(data.preprocessing),
    problem: {
      data: data.name,
      rows: problem.rows,
      testRows: data.test?.rows ?? 0,
      inputs: model.inputs,
      outputs: model.outputs,
      parameters: setup.objective.parameters,
      hidden,
      activation,
      loss: model.loss,
      ridge,
      penalizeBias,
      ...(firth === true ? { firth: true } : {}),
      bias,
      standardize: data.standardization !== undefined,
      scale:
        askedFor({ hidden, ridge }, frame) || (data.standardization !== undefined && !bias) ? 'standardized' : 'data',
      target: data.target,
      coding: data.coding,
      optimizer: optimizerText(setup.optimizer),
      seed: config.starts.seed,
      init: initText(config.starts, expression),
      ...(expression ? { expression: { text: expression.formula, objective: expression.objective } } : {}),
      stop: { steps: setup.steps, gradient: config.stop.gradient }
    },
    thresholds: thresholdsOf(folded.tolerances),
    waterfall: folded.waterfall,
    ...(curves ? { curves } : {}),
    ...(ridgePath ? { ridgePath } : {}),
    ...(resampling ? { resampling } : {}),
    ...(landscape ? { landscape } : {}),
    ...(decisions ? { decisions } : {}),
    ...(ties > 0 ? { tiedRows: ties } : {}),
    notes: notesOf(setup, outcome, {
      ties,
      points,
      exactQuantiles: folded.exactQuantiles
    })
  }
}

/** How the table was read, without the numbers that only a later table needs. */
function datasetSummary({ terms, columns, target, rows, notes, weights }: Preprocessing): Summary['dataset'] {
  const { column, coding, classes, trials } = target
  return {
    rows,
    columns: columns.length,
    features: terms.map(term => ({
      column: term.column,
      ...(term.kind === 'category' ? { levels: term.levels } : {})
    })),
    target: { column, coding, ...(classes ? { classes } : {}) },
    ...(weights === undefined ? {} : { weights }),
    ...(trials === undefined ? {} : { trials }),
    notes
  }
}
