/** The models whose predictions are compared: the runs of a study, from its parts, and its certified minima; with their level sets. */
import { sameAccuracyTolerance, sameLossTolerance } from '../../analysis/aggregate.js'
import type { DistinctPoints } from '../../analysis/distinctPoints.js'
import { pick } from '../../analysis/follow.js'
import { firstEqual } from '../../core/equalRows.js'
import { Candidates, levelSets, type Compared, type Levels } from '../../analysis/multiplicity/candidates.js'
import type { LevelSets } from '../../analysis/multiplicity/measures.js'
import { conditionedPoints } from '../../models/model.js'
import { scoresOf, type ScoreName } from '../../models/scores.js'
import type { Part } from '../../runs/part.js'
import type { Setup } from '../setup.js'

/** Runs that are compared, at most and however many rows there are; numbers of their parameters, and of all predictions. */
const mostRuns = 2 ** 15
const fewestRuns = 2 ** 8
const parameterNumbers = 2 ** 22
const allPredictions = 2 ** 27

/** The share that is left unexplained is the error: of predicted classes, or of the deviance. */
function scoreName(setup: Setup): ScoreName | undefined {
  const names = scoresOf(setup.model)
  return (['accuracy', 'devianceExplained'] as const).find(name => names.includes(name))
}

/**
 * Gathers the runs that may be compared from the parts of a study; undefined for models without data.
 * @param expected runs at most
 */
export function openCandidates(setup: Setup, expected: number): Candidates | undefined {
  if (!scoreName(setup)) return undefined
  const { parameters } = setup.objective
  const { model, problem } = setup
  const cells = (problem.rows + (setup.test?.rows ?? 0)) * model.outputs
  const room = Math.min(mostRuns, allPredictions / cells, parameterNumbers / parameters)
  return new Candidates(parameters, Math.max(fewestRuns, 2 ** Math.floor(Math.log2(room))), expected)
}

/** Takes the runs of a part, with the hashes of their starts; those that failed have no scores. */
export function addCandidates(candidates: Candidates, setup: Setup, { rows, coded }: Part, hash: Uint32Array): void {
  const { start, end, ends, thetaFound } = rows
  const loss = coded.of('lossFound')
  const share = coded.of('train', scoresOf(setup.model).indexOf(scoreName(setup)!))
  const score = setup.config.multiplicity.of === 'loss' ? loss : { ...share, values: share.values.map(v => 1 - v) }
  const points = thetaFound ? { theta: thetaFound } : { theta: ends.conditioned, row: end }
  candidates.add({ start, hash, score, loss, ...points })
}

/** Models whose predictions are compared: [M, P], the best first. */
export interface Models {
  readonly theta: Float64Array
  readonly sets: LevelSets
}

/** Scores closer than this are equal. */
function toleranceOf(setup: Setup, best: number): number {
  const isShare = setup.config.multiplicity.of === 'error' && scoreName(setup) === 'accuracy'
  return isShare ? sameAccuracyTolerance : sameLossTolerance * Math.max(1, Math.abs(best))
}

const levelsOf = (setup: Setup, scores: Float64Array): Levels =>
  levelSets(scores, setup.config.multiplicity.epsilon, toleranceOf(setup, scores[0]))

/** Runs at one point, bit for bit, are one model, within each level: most runs end at one of a few points. */
function atPoints(theta: Float64Array, P: number, { order, sizes }: Levels): Models {
  const first = firstEqual(theta, P)
  const modelOf = new Map<number, number>()
  const places: number[] = []
  const runs: number[] = []
  const distinct: number[] = []
  for (let e = 0, n = 0; e < sizes.length; e++) {
    modelOf.clear()
    for (; n < sizes[e]; n++) {
      const m = modelOf.get(first[order[n]])
      if (m !== undefined) runs[m]++
      else {
        modelOf.set(first[order[n]], places.length)
        places.push(order[n])
        runs.push(1)
      }
    }
    distinct.push(places.length)
  }
  return { theta: pick(theta, P, places), sets: { runs: Float64Array.from(runs), sizes: distinct } }
}

/** The runs within the largest ε. */
export function runsOf(setup: Setup, { theta, score }: Compared): Models {
  const { model, frame } = setup
  const P = setup.objective.parameters
  const levels = levelsOf(setup, score)
  if (setup.keep !== 'all') return atPoints(theta, P, levels)
  return {
    theta: conditionedPoints(model, frame.fromUser, pick(theta, P, levels.order)),
    sets: { runs: new Float64Array(levels.order.length).fill(1), sizes: levels.sizes }
  }
}

/** The certified minima, strict and flat, and their ids. */
export async function minimaOf(
  setup: Setup,
  strict: DistinctPoints,
  flat: DistinctPoints
): Promise<(Models & { readonly ids: number[] }) | undefined> {
  const all = strict.slice(0, mostRuns)
  all.push(...flat.slice(0, mostRuns - all.length))
  const P = setup.objective.parameters
  const names = scoresOf(setup.model)
  const at = names.indexOf(scoreName(setup)!)
  const scored: { cluster: (typeof all)[number]; score: number }[] = []
  const together = 1024
  for (let from = 0; from < all.length; from += together) {
    const some = all.slice(from, from + together)
    const theta = new Float64Array(some.length * P)
    some.forEach((cluster, n) => theta.set(cluster.parameters, n * P))
    const { values } = await setup.certifier.objective.score(theta)
    some.forEach((cluster, n) => {
      const score =
        setup.config.multiplicity.of === 'loss'
          ? setup.frame.lossScale * cluster.loss
          : 1 - values[n * names.length + at]
      if (Number.isFinite(score)) scored.push({ cluster, score })
    })
  }
  if (scored.length === 0) return undefined
  // Equal ones by loss, as ids are.
  scored.sort((a, b) => a.score - b.score || a.cluster.id - b.cluster.id)
  const theta = new Float64Array(scored.length * P)
  scored.forEach(({ cluster }, n) => theta.set(cluster.parameters, n * P))
  const { sizes } = levelsOf(
    setup,
    Float64Array.from(scored, ({ score }) => score)
  )
  const runs = Float64Array.from(scored, ({ cluster }) => cluster.count)
  return { theta, sets: { runs, sizes }, ids: scored.map(({ cluster }) => cluster.id) }
}
