/** Runs a study: starts → minimise → judge → cluster → aggregate, block by block, so that memory does not grow with the starts. */
import { Aggregate } from '../analysis/aggregate.js'
import { openClusters, type Clusters } from '../analysis/cluster.js'
import type { Judged } from '../analysis/verdict.js'
import { WorkError } from '../core/errors.js'
import { LimitClusterer } from '../analysis/limits.js'
import { reasonWords, VerdictCode, type UnfinishedReason } from '../core/result.js'
import type { RunBlock } from '../engines/types.js'
import { linearPart, mapPoints } from '../models/network/parameterMap.js'
import { classCount, scoreNames } from '../models/scores.js'
import { requestOf } from './curves.js'
import { fileEndPoints, fileLimits } from './filing.js'
import { userBlock } from './present.js'
import type { Setup } from './setup.js'

export interface StudyProgress {
  readonly done: number
  readonly total: number
  readonly minima: number
}

/** Judged runs of one block, as they are saved. */
export interface JudgedBlock {
  readonly count: number
  readonly start: Float64Array
  /** `VerdictCode` */
  readonly verdict: Uint8Array
  readonly status: Uint8Array
  /** Id of the distinct point of that verdict; −1 for none. */
  readonly point: Int32Array
  readonly loss: Float64Array
  readonly lossFound: Float64Array
  readonly gradientNorm: Float64Array
  readonly gradientNormFound: Float64Array
  readonly precision: Float64Array
  readonly steps: Uint32Array
  /** [count, P] as certified and as the optimiser left them, in the user's coordinates, and as certified in conditioned ones. */
  readonly theta: Float64Array
  readonly conditioned: Float64Array
  readonly thetaFound: Float64Array
  /** [count, M] */
  readonly train: Float64Array
  readonly test?: Float64Array
}

export interface DivergingExample {
  readonly start: number
  readonly loss: number
  readonly theta: Float64Array
  readonly direction: Float64Array
}

export interface Outcome {
  readonly aggregate: Aggregate
  readonly clusters: Clusters
  readonly limits: LimitClusterer
  /** Unfinished runs by their reason. */
  readonly unfinished: Readonly<Record<UnfinishedReason, number>>
  readonly diverging: DivergingExample | undefined
  readonly runs: number
  readonly interrupted: boolean
  /** Why the engine could not go on, where it broke down after some runs had ended. */
  readonly failure: WorkError | undefined
  /** Evaluations by the optimiser and by certifying. */
  readonly evaluations: { readonly f: number; readonly g: number; readonly H: number }
  readonly wallSeconds: number
}

export interface RunOptions {
  readonly lanes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: StudyProgress) => void
  /** Receives every judged block; awaited, so a slow writer slows the study down instead of filling memory. */
  readonly onBlock?: (block: JudgedBlock) => Promise<void> | void
}

/** Blocks that are judged at the same time: enough to keep the cores busy while one is being clustered. */
const blocksInFlight = 2

/** Rows of θ of the runs that did not fail. */
function finite(block: RunBlock, judged: Judged, P: number): { theta: Float64Array; rows: number[] } {
  const rows: number[] = []
  for (let i = 0; i < block.count; i++) if (judged.verdict[i] !== VerdictCode.failed) rows.push(i)
  if (rows.length === block.count) return { theta: block.theta, rows }
  const theta = new Float64Array(rows.length * P)
  rows.forEach((i, n) => theta.set(block.theta.subarray(i * P, (i + 1) * P), n * P))
  return { theta, rows }
}

/** Scores back to the places of the block; failed runs get NaN. */
function spreadOut(values: Float64Array, rows: readonly number[], count: number, M: number): Float64Array {
  if (rows.length === count) return values
  const out = new Float64Array(count * M).fill(NaN)
  rows.forEach((i, n) => out.set(values.subarray(n * M, (n + 1) * M), i * M))
  return out
}

/**
 * @throws WorkError when the engine breaks down before any run has ended; later, the outcome holds what was done and why it ended
 */
export async function runStarts(setup: Setup, options: RunOptions = {}): Promise<Outcome> {
  const { config, frame, network, problem, test, certifier } = setup
  const total = config.starts.count
  const P = setup.objective.parameters
  const names = scoreNames(network.loss)
  const M = names.length
  const aggregate = new Aggregate({ parameters: P, metricNames: names, test: test !== undefined })
  const clusters = openClusters(problem, total)
  const limits = new LimitClusterer(network)
  let diverging: DivergingExample | undefined
  const unfinished = { budget: 0, saturated: 0, kink: 0, stalled: 0 } satisfies Record<UnfinishedReason, number>
  let runs = 0
  let searchSteps = 0
  let judgeSteps = 0
  let judgeLosses = 0
  const began = performance.now()

  const absorb = async (block: RunBlock): Promise<void> => {
    const judged = await setup.judgeRuns(block.theta, block, block.count)
    const { theta, rows } = finite(block, judged, P)
    const train = await certifier.objective.score(theta)
    const held = test ? await certifier.objective.score(theta, test) : undefined
    const { start, count } = block
    const point = await fileEndPoints(clusters, certifier.objective, { ...judged, start, count })
    judged.verdict.forEach((verdict, i) => {
      if (verdict !== VerdictCode.diverging || (diverging && diverging.start <= start[i])) return
      const apart = mapPoints(network, linearPart(frame.fromUser), Float64Array.from(setup.separation.direction))
      const direction = judged.ways.get(i)?.direction ?? apart
      diverging = { start: start[i], loss: judged.loss[i], theta: judged.theta.slice(i * P, (i + 1) * P), direction }
    })
    await fileLimits(limits, clusters, certifier.objective, { start, ways: judged.ways }, block.theta)
    for (const code of judged.reason) if (code > 0) unfinished[reasonWords[code] as UnfinishedReason]++
    const out: JudgedBlock = userBlock(network, frame, {
      count: block.count,
      start: block.start,
      verdict: judged.verdict,
      status: block.status,
      point,
      loss: judged.loss,
      lossFound: block.loss,
      gradientNorm: judged.gradientNorm,
      gradientNormFound: block.gradientNorm,
      precision: judged.precision,
      steps: block.steps,
      theta: judged.theta,
      thetaFound: block.theta,
      train: spreadOut(train.values, rows, block.count, M),
      ...(held ? { test: spreadOut(held.values, rows, block.count, M) } : {})
    })
    aggregate.addBlock(out)
    if (classCount(network) > 0) aggregate.addClassCounts(train.classCounts, rows.length)
    runs += block.count
    judgeSteps += judged.steps
    judgeLosses += judged.losses
    for (const n of block.steps) searchSteps += n
    await options.onBlock?.(out)
    options.onProgress?.({ done: runs, total, minima: clusters.minima.size })
  }

  const request = requestOf(setup, 0, total, {
    ...(options.lanes === undefined ? {} : { lanes: options.lanes }),
    ...(options.signal ? { signal: options.signal } : {})
  })
  const inFlight = new Set<Promise<void>>()
  const failures: unknown[] = []
  let failure: WorkError | undefined
  try {
    for await (const block of setup.objective.minimise(request)) {
      const work = absorb(block)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => inFlight.delete(work))
      inFlight.add(work)
      if (inFlight.size >= blocksInFlight) await Promise.race(inFlight)
      if (failures.length > 0) break
    }
  } catch (error) {
    if (!(error instanceof WorkError)) throw error
    failure = error
  }
  await Promise.all(inFlight)
  if (failures.length > 0) throw failures[0]
  if (failure && runs === 0) throw failure
  const H = judgeSteps + (setup.program.needs === 'H' ? searchSteps : 0)
  return {
    aggregate,
    clusters,
    limits,
    unfinished,
    diverging,
    runs,
    interrupted: runs < total,
    failure,
    evaluations: { f: searchSteps + judgeSteps + judgeLosses, g: searchSteps + judgeSteps, H },
    wallSeconds: (performance.now() - began) / 1000
  }
}
