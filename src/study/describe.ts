/** The distinct points of a study in all detail: eigenvalues, standard errors, metrics, proofs. */
import { setImmediate } from 'node:timers/promises'
import { isMixed, polishedCopies } from '../analysis/balance.js'
import type { Cluster } from '../analysis/cluster.js'
import type { DistinctPoints } from '../analysis/distinctPoints.js'
import { defaultConfidence } from '../analysis/coverage.js'
import { describeFormulaPoint } from '../analysis/formulaPoint.js'
import { kinkedPoint } from '../analysis/kinks/describe.js'
import { hasKinks, Pieces } from '../analysis/kinks/pieces.js'
import { provedDistinct, provePoints, type Box } from '../analysis/proof.js'
import { describePoint } from '../analysis/stationary.js'
import type { DistinctTotals, MetricSet, StationaryPoint, Summary } from '../core/result.js'
import { formatCount } from '../core/units.js'
import { ranksOf } from '../core/ties.js'
import { wilsonInterval } from '../core/stats.js'
import { biasesAtMeans } from '../data/conditioning.js'
import { copiesPossible, expressionOf, isNetwork, networkOf, userPoints } from '../models/model.js'
import { scoresOf } from '../models/scores.js'
import type { Problem } from '../models/types.js'
import type { Folded } from './fold.js'
import { inferenceAt } from './inference.js'
import { userScores } from './present.js'
import type { Setup } from './setup.js'

/** Distinct points of a kind that get eigenvalues, standard errors and metrics of their own, the best first. */
const describedPoints = 1000
/** Points of a kind that are listed at most, the best first, and numbers of their parameters: a summary is a text that is held in memory. */
const listedPoints = 10_000
const listedNumbers = 2 ** 19
/** Hessians held at a time while points are described. */
export const hessianNumbers = 4e6
/** Points that are described between two looks at what the user wants; so many the summary of a stopped search has. */
export const together = 32

/** Hands over so many items at a time; in between, the process hears signals. */
export async function inGroups<T>(
  items: readonly T[],
  size: number,
  work: (part: readonly T[]) => Promise<void>
): Promise<void> {
  for (let from = 0; from < items.length; from += size) {
    await work(items.slice(from, from + size))
    await setImmediate()
  }
}

export const stacked = (rows: readonly Float64Array[], P: number): Float64Array => {
  const out = new Float64Array(rows.length * P)
  rows.forEach((row, i) => out.set(row, i * P))
  return out
}

/** Points of P parameters that are listed at most; details are given of the first of them. */
const listedOf = (P: number): number => Math.max(describedPoints, Math.min(listedPoints, Math.floor(listedNumbers / P)))

const wordOf = { minimum: 'minimum', degenerate: 'flat minimum', saddle: 'saddle' } as const

interface DescribeOptions {
  /** Points of a kind at most, the best first; default: 1000. */
  readonly described?: number | undefined
  readonly stop?: AbortSignal | undefined
  readonly onStage?: ((doing: string) => void) | undefined
}

async function describe(
  setup: Setup,
  distinct: DistinctPoints,
  kind: 'minimum' | 'degenerate' | 'saddle',
  runs: number,
  { described = describedPoints, stop, onStage }: DescribeOptions
): Promise<StationaryPoint[]> {
  const P = setup.objective.parameters
  const names = scoresOf(setup.model)
  const named = (values: Float64Array, row: number): MetricSet<number> =>
    Object.fromEntries(names.map((name, m) => [name, values[row * names.length + m]]))
  const points: StationaryPoint[] = []
  /** Boxes of proved points, by their places. */
  const boxes = new Map<number, Box>()
  const { model, frame, problem, certifier } = setup
  const clusters = distinct.slice(0, listedOf(P))
  const [network, expression] = [networkOf(model), expressionOf(model)]
  const pieces = isNetwork(problem) && hasKinks(problem.model) ? new Pieces(problem) : undefined
  const shared = (cluster: Cluster, parameters: Float64Array) => ({
    id: cluster.id,
    loss: frame.lossScale * cluster.loss,
    gradientNorm: cluster.gradientNorm,
    count: cluster.count,
    share: cluster.count / runs,
    shareInterval: wilsonInterval(cluster.count, runs, defaultConfidence),
    copies: cluster.copies,
    copiesPossible: copiesPossible(setup.model),
    parameters: [...parameters],
    names: setup.names,
    ...(network && frame.centring ? { atMeans: biasesAtMeans(network, frame.centring, cluster.parameters) } : {}),
    firstStart: cluster.firstStart,
    starts: cluster.starts
  })
  const size = Math.max(1, Math.min(together, Math.floor(hessianNumbers / (P * P))))
  await inGroups(clusters.slice(0, described), size, async part => {
    if (stop?.aborted) return
    onStage?.(
      `describing ${wordOf[kind]} ${formatCount(points.length + 1)} of ${formatCount(Math.min(clusters.length, described))}`
    )
    const own = stacked(
      part.map(c => c.parameters),
      P
    )
    const { g, H } = await certifier.objective.evaluate(own, { g: true, H: true })
    const scores = async (data?: Problem): Promise<Float64Array> =>
      userScores(model, frame, (await certifier.objective.score(own, data)).values)
    const train = await scores()
    const test = setup.test ? await scores(setup.test) : undefined
    const copies =
      kind === 'degenerate' && network && isMixed(network)
        ? await polishedCopies(certifier.objective, network, setup.judge, own)
        : undefined
    const kinked = part.map(c => (pieces ? kinkedPoint(pieces, setup.judge.scale, c.parameters) : null))
    const details = part.map((cluster, i) => {
      const at = kinked[i]
      const H_ = at?.H ?? H!.subarray(i * P * P, (i + 1) * P * P)
      const question = { theta: cluster.parameters, H: H_, names: setup.names }
      if (expression) return describeFormulaPoint(problem, question, expression)
      return describePoint({
        ...question,
        problem: { ...problem, model: network! },
        frame,
        ...(at ? { kinked: at } : {}),
        ...(copies
          ? {
              balanced: {
                theta: copies.theta.subarray(i * P, (i + 1) * P),
                H: copies.H.subarray(i * P * P, (i + 1) * P * P)
              }
            }
          : {})
      })
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
        ...shared(cluster, userPoints(model, frame.toUser, cluster.parameters)),
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
    const distinct = provedDistinct(setup.model, [...boxes.values()])
    ;[...boxes.keys()].forEach((at, n) => {
      const { proof, ...point } = points[at]
      points[at] = { ...point, proof: { ...proof!, distinct: distinct[n] } }
    })
  }
  const [first] = clusters
  if (first && kind === 'minimum' && points.length > 0) {
    const inference = await inferenceAt(setup, first.parameters)
    // Contrasts of classes have errors where the classes' own coefficients have none.
    const { standardErrorsReason: _, ...point } = points[0]
    if (inference) points[0] = { ...point, inference }
  }
  // What is beyond the limit, and what came after the user had had enough.
  for (const cluster of clusters.slice(points.length))
    points.push({ ...shared(cluster, userPoints(model, frame.toUser, cluster.parameters)), eigenvalues: [] })
  return points
}

/** Ranks of the losses of strict and flat minima among them all, and those that share the lowest one. */
function ranked({ minima, degenerate }: Folded) {
  const [strict, flat] = [minima.column('loss'), degenerate.column('loss')]
  const losses = new Float64Array(strict.length + flat.length)
  losses.set(strict)
  losses.set(flat, strict.length)
  const ranks = ranksOf(losses)
  let [points, runs] = [0, 0]
  for (const [counts, from] of [
    [minima.column('count'), 0],
    [degenerate.column('count'), strict.length]
  ] as const)
    counts.forEach((count, i) => {
      if (ranks[from + i] !== 1) return
      points++
      runs += count
    })
  return {
    ranks: { strict: ranks.subarray(0, strict.length), flat: ranks.subarray(strict.length) },
    lowest: { points, runs }
  }
}

/** The distinct points of a study, in all detail; from the signal on without it. */
export async function describeClusters(
  setup: Setup,
  folded: Folded,
  runs: number,
  options: DescribeOptions = {}
): Promise<Pick<Summary, 'distinct' | 'minima' | 'degenerate' | 'saddles'>> {
  const { ranks, lowest } = ranked(folded)
  const { lossScale } = setup.frame
  const totals = (points: DistinctPoints): DistinctTotals => {
    const [first, last] = [points.at(0), points.at(points.length - 1)]
    return {
      points: points.length,
      copies: points.copies,
      ...(first && last ? { losses: [lossScale * first.loss, lossScale * last.loss] } : {})
    }
  }
  const { minima, degenerate, saddles } = folded
  const withRanks = (points: StationaryPoint[], places: Uint32Array): StationaryPoint[] =>
    points.map((point, i) => ({ ...point, rank: places[i] }))
  return {
    distinct: {
      minima: totals(minima),
      degenerate: totals(degenerate),
      saddles: totals(saddles),
      ...(lowest.points > 0 ? { lowest } : {})
    },
    minima: withRanks(await describe(setup, minima, 'minimum', runs, options), ranks.strict),
    degenerate: withRanks(await describe(setup, degenerate, 'degenerate', runs, options), ranks.flat),
    saddles: await describe(setup, saddles, 'saddle', runs, options)
  }
}
