/** From the outcome of a study to its summary: details of the distinct points, convexity, coverage, metrics. */
import type { Cluster, Tolerances } from '../analysis/cluster.js'
import { toleranceMeanings } from '../analysis/cluster.js'
import { coverageOf, defaultConfidence } from '../analysis/coverage.js'
import { boundary, boxAround } from '../analysis/boundary.js'
import { provedDistinct, provePoints, type Box } from '../analysis/proof.js'
import { describeFormulaPoint } from '../analysis/formulaPoint.js'
import { askedFor, describePoint } from '../analysis/stationary.js'
import { kinkedPoint } from '../analysis/kinks/describe.js'
import { hasKinks, Pieces } from '../analysis/kinks/pieces.js'
import { symmetricEigen } from '../core/linalg.js'
import {
  summaryFormat,
  summaryVersion,
  type Curves,
  type Decisions,
  type MetricSet,
  type RidgePathResult,
  type StationaryPoint,
  type Summary
} from '../core/result.js'
import { wilsonInterval } from '../core/stats.js'
import { thresholdMeanings, thresholds } from '../core/thresholds.js'
import { convexity, ridgeOnAll } from '../models/network/network.js'
import { shiftPlaces } from '../models/network/shift.js'
import { startPoint } from '../models/network/initialise.js'
import { scoresOf, twoClass } from '../models/scores.js'
import { copiesPossible } from '../models/network/symmetry.js'
import type { Preprocessing } from '../data/types.js'
import { failureCause } from './failure.js'
import type { Folded } from './fold.js'
import { inferenceAt } from './inference.js'
import { describeLimits } from './limitPoints.js'
import { landscapeOf } from './landscape.js'
import { notesOf } from './notes.js'
import { identityOf } from './record.js'
import type { Outcome } from './session.js'
import { biasesAtMeans, userPoints, userDirections } from '../data/conditioning.js'
import { userHessian } from '../analysis/eigenvalues.js'
import type { Problem } from '../models/types.js'
import { userScores } from './present.js'
import type { Setup } from './setup.js'

/** Distinct points that get eigenvalues, standard errors and metrics of their own, the best first. */
export const describedPoints = 1000
/** Starts at which a negative eigenvalue is looked for when a model is not convex. */
const witnessStarts = 64
/** Largest P for which that is done. */
const witnessParameters = 256
/** Hessians held at a time while points are described. */
const hessianNumbers = 4e6

async function inGroups<T>(
  items: readonly T[],
  size: number,
  work: (part: readonly T[]) => Promise<void>
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await work(items.slice(from, from + size))
}

const unitLength = (v: Float64Array): number[] => {
  const length = Math.hypot(...v)
  return Array.from(v, a => (length > 0 ? a / length : 0))
}

const stacked = (rows: readonly Float64Array[], P: number): Float64Array => {
  const out = new Float64Array(rows.length * P)
  rows.forEach((row, i) => out.set(row, i * P))
  return out
}

async function describe(
  setup: Setup,
  clusters: readonly Cluster[],
  kind: 'minimum' | 'degenerate' | 'saddle',
  runs: number
): Promise<StationaryPoint[]> {
  const P = setup.objective.parameters
  const names = scoresOf(setup.network)
  const named = (values: Float64Array, row: number): MetricSet<number> =>
    Object.fromEntries(names.map((name, m) => [name, values[row * names.length + m]]))
  const points: StationaryPoint[] = []
  /** Boxes of proved points, by their places. */
  const boxes = new Map<number, Box>()
  const { network, frame, problem, certifier } = setup
  const pieces = hasKinks(network) ? new Pieces(problem) : undefined
  const shared = (cluster: Cluster, parameters: Float64Array) => ({
    id: cluster.id,
    loss: frame.lossScale * cluster.loss,
    gradientNorm: cluster.gradientNorm,
    count: cluster.count,
    share: cluster.count / runs,
    shareInterval: wilsonInterval(cluster.count, runs, defaultConfidence),
    copies: cluster.copies,
    copiesPossible: copiesPossible(setup.network),
    parameters: [...parameters],
    names: setup.names,
    ...(frame.centring ? { atMeans: biasesAtMeans(network, frame.centring, cluster.parameters) } : {}),
    firstStart: cluster.firstStart,
    starts: cluster.starts
  })
  await inGroups(clusters.slice(0, describedPoints), Math.max(1, Math.floor(hessianNumbers / (P * P))), async part => {
    const own = stacked(
      part.map(c => c.parameters),
      P
    )
    const { g, H } = await certifier.objective.evaluate(own, { g: true, H: true })
    const scores = async (data?: Problem): Promise<Float64Array> =>
      userScores(network, frame, (await certifier.objective.score(own, data)).values)
    const train = await scores()
    const test = setup.test ? await scores(setup.test) : undefined
    const kinked = part.map(c => (pieces ? kinkedPoint(pieces, setup.judge.scale, c.parameters) : null))
    const details = part.map((cluster, i) => {
      const at = kinked[i]
      const H_ = at?.H ?? H!.subarray(i * P * P, (i + 1) * P * P)
      const question = {
        problem,
        theta: cluster.parameters,
        H: H_,
        names: setup.names,
        frame,
        ...(at ? { kinked: at } : {})
      }
      return network.expression ? describeFormulaPoint(question, network.expression) : describePoint(question)
    })
    const index = details.map(d => (kind === 'saddle' ? d.index : 0))
    const { proofs, radii } =
      kind === 'degenerate' ? { proofs: [], radii: own } : await provePoints(setup.certifier.objective, own, index)
    part.forEach((cluster, i) => {
      if (proofs[i]?.status === 'proved')
        boxes.set(points.length, {
          theta: cluster.parameters,
          radii: radii.slice(i * P, (i + 1) * P),
          loss: cluster.loss
        })
      const { eigenvalues, standardErrors, standardErrorsReason, expectedStandardErrors, standardized } = details[i]
      const { nullity, nullityExplained, flatParameters, condition } = details[i]
      const gradient = g!.subarray(i * P, (i + 1) * P)
      points.push({
        ...shared(cluster, userPoints(network, frame, cluster.parameters)),
        // At kinks the gradient is that of one side.
        gradientNorm: kinked[i] ? cluster.gradientNorm : gradient.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
        ...(kinked[i] ? { kinks: kinked[i].kinks, unitsPutOut: kinked[i].out } : {}),
        eigenvalues,
        ...(condition === undefined ? {} : { condition }),
        ...(standardErrors ? { standardErrors } : {}),
        ...(expectedStandardErrors ? { expectedStandardErrors } : {}),
        ...(standardErrorsReason === undefined ? {} : { standardErrorsReason }),
        ...(standardized ? { standardized } : {}),
        ...(kind === 'minimum' ? {} : { nullity, nullityExplained, flatParameters }),
        ...(kind === 'saddle' ? { index: index[i] } : {}),
        ...(proofs[i] ? { proof: proofs[i] } : {}),
        metrics: { train: named(train, i), ...(test ? { test: named(test, i) } : {}) }
      })
    })
  })
  if (kind === 'minimum') {
    const distinct = provedDistinct(setup.network, [...boxes.values()])
    ;[...boxes.keys()].forEach((at, n) => {
      const { proof, ...point } = points[at]
      points[at] = { ...point, proof: { ...proof!, distinct: distinct[n] } }
    })
  }
  const [first] = clusters
  if (first && kind === 'minimum') {
    const inference = await inferenceAt(setup, first.parameters)
    // Contrasts of classes have errors where the classes' own coefficients have none.
    const { standardErrorsReason: _, ...point } = points[0]
    if (inference) points[0] = { ...point, inference }
  }
  for (const cluster of clusters.slice(describedPoints))
    points.push({ ...shared(cluster, userPoints(network, frame, cluster.parameters)), eigenvalues: [] })
  return points
}

/** The most negative eigenvalue met at the first starts of a model that is not convex. */
async function findWitness(setup: Setup): Promise<Summary['convex']['witness']> {
  const P = setup.objective.parameters
  if (P > witnessParameters) return undefined
  const { starts } = setup.config
  const count = Math.min(witnessStarts, starts.count)
  const { network, frame } = setup
  let witness: Summary['convex']['witness']
  await inGroups(
    Array.from({ length: count }, (_, i) => startPoint(network, starts.init, starts.seed, i, frame.fromAsked)),
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
          frame.lossScale *
          (network.expression ? values : symmetricEigen(userHessian(network, frame.fromUser, A), P).values)[0]
        if (eigenvalue < (witness?.eigenvalue ?? 0))
          witness = { eigenvalue, parameters: [...userPoints(network, frame, theta)], loss: frame.lossScale * f[i] }
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
  const { model, reason } = convexity(setup.network)
  if (!model) return { model, strongly: false, modulus: null, reason, ...(witness ? { witness } : {}) }
  const { separated, flatDirections } = setup.judge
  const strongly = flatDirections === 0 && !separated && shiftPlaces(setup.network).length === 0
  const modulus = minima[0]?.eigenvalues[0] ?? null
  return { model, strongly, modulus, reason: `${reason} ${minimisers(setup, strongly)}` }
}

/** What a convex model's minimisers are, and why. */
function minimisers({ network, rank, judge, separation: { status } }: Setup, one: boolean): string {
  if (judge.separated) return 'The data are separated, so there is no finite minimiser.'
  if (ridgeOnAll(network)) return 'The ridge falls on every parameter, so there is exactly one minimiser.'
  if (one && network.ridge > 0)
    return 'The ridge falls on the weights, and the data bound the bias, so there is exactly one minimiser.'
  if (one)
    return `The design has full rank${status === 'none' ? ' and the data are not separated' : ''}, so there is exactly one minimiser.`
  if (rank.rank < rank.columns && !(network.ridge > 0))
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

/** The distinct points of a study, in all detail. */
export async function describeClusters(
  setup: Setup,
  folded: Folded,
  runs: number
): Promise<Pick<Summary, 'minima' | 'degenerate' | 'saddles'>> {
  const minima = await describe(setup, folded.minima, 'minimum', runs)
  const degenerate = await describe(setup, folded.degenerate, 'degenerate', runs)
  const saddles = await describe(setup, folded.saddles, 'saddle', runs)
  return { minima, degenerate, saddles }
}

/** Minima whose decision boundaries are drawn. */
const drawnMinima = 3
/** Rows up to which a picture of them can be read. */
const drawnRows = 2000

/** What the best minima decide, where that can be drawn: two inputs, two classes, not too many rows. */
function decisionsOf({ network, data }: Setup, minima: readonly StationaryPoint[]): Decisions | undefined {
  const [a, b] = data.columns
  if (network.inputs !== 2 || !twoClass(network.loss) || data.offset || data.rows > drawnRows || minima.length === 0)
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
        boundary(network, Float64Array.from(m.parameters), box).map(line =>
          line.map(([u, v]) => [short(u), short(v)] as const)
        )
      )
  }
}

export const initText = (init: Setup['config']['starts']['init']): string =>
  typeof init === 'string' ? init : 'normal' in init ? `normal(0, ${init.normal}²)` : `uniform(±${init.uniform})`

export function optimizerText({ name, options, batch }: Setup['optimizer']): string {
  const list = Object.entries(options).map(([key, value]) => `${key} ${value}`)
  if (batch) list.push(`batchSize ${batch.size}`, `order ${batch.order}`)
  return list.length > 0 ? `${name} (${list.join(', ')})` : name
}

export async function summarize(
  setup: Setup,
  outcome: Outcome,
  name: string,
  curves: Curves | undefined,
  ridgePath: RidgePathResult | undefined
): Promise<Summary> {
  const { config, data, frame, network, problem, engine } = setup
  const { folded, cost } = outcome
  const points = await describeClusters(setup, folded, outcome.runs)
  const { minima } = points
  const witness = convexity(network).model ? undefined : await findWitness(setup)
  const { diverging } = folded
  const decisions = decisionsOf(setup, minima)
  const landscape = outcome.interrupted ? undefined : await landscapeOf(setup, folded)
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
            norm: Math.hypot(...userPoints(network, frame, diverging.theta)),
            direction: unitLength(userDirections(network, frame, diverging.direction)),
            names: setup.names
          }
        }
      : {}),
    metrics: {
      train: folded.train,
      ...(folded.test ? { test: folded.test } : {}),
      asGoodAsBest: folded.asGoodAsBest,
      disagreement: folded.disagreement
    },
    coverage: coverageOf(
      folded.minima.map(m => ({ ...m, firstStart: m.firstStart - folded.range.first })),
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
      precision: engine.precision,
      device: engine.device,
      threads: engine.threads,
      why: setup.why
    },
    dataset: datasetSummary(data.preprocessing),
    problem: {
      data: data.name,
      rows: problem.rows,
      testRows: data.test?.rows ?? 0,
      inputs: network.inputs,
      outputs: network.outputs,
      parameters: setup.objective.parameters,
      hidden: network.hidden,
      activation: network.activation,
      loss: network.loss,
      ridge: network.ridge,
      penalizeBias: network.penalizeBias,
      bias: network.bias,
      standardize: data.standardization !== undefined,
      scale:
        askedFor(network, frame) || (data.standardization !== undefined && !network.bias) ? 'standardized' : 'data',
      target: data.target,
      coding: data.coding,
      optimizer: optimizerText(setup.optimizer),
      seed: config.starts.seed,
      init: initText(config.starts.init),
      stop: { steps: setup.steps, gradient: config.stop.gradient }
    },
    thresholds: thresholdsOf(folded.tolerances),
    waterfall: folded.waterfall,
    ...(curves ? { curves } : {}),
    ...(ridgePath ? { ridgePath } : {}),
    ...(landscape ? { landscape } : {}),
    ...(decisions ? { decisions } : {}),
    notes: notesOf(setup, outcome, {
      minima: minima.length,
      described: describedPoints,
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
