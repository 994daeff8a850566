/** Measures one cell of the grid: where its runs end, what they spent on the way to each target, and how fast they closed in. */
import { symmetricEigen } from '../../core/linalg.js'
import type { Verdict } from '../../core/result.js'
import { quantileSorted } from '../../core/stats.js'
import { VerdictCode } from '../../core/result.js'
import { convexity, isRidged } from '../../models/model.js'
import { verdicts } from '../../core/result.js'
import { requestOf } from '../../study/run.js'
import { runInMemory } from '../../study/session.js'
import { setUp } from '../../study/setup.js'
import type { GridCell, GridProblem } from './grid.js'
import { fitRate, theoryOf, type RateFit, type Theory } from './rate.js'

/** What is known of a problem before anything is measured. */
export interface ProblemAnswer {
  readonly key: string
  readonly data: string
  readonly model: string
  readonly rows: number
  readonly parameters: number
  readonly convex: boolean
  /** Whether the loss has a ridge. */
  readonly ridge: boolean
  /** The loss that gaps are measured from: of the best strict minimum, or the lowest seen where there is none. */
  readonly floor: number
  readonly floorIs: 'minimum' | 'lowest loss seen'
  /** Losses of the strict minima that Newton's method found, ascending. */
  readonly minima: readonly number[]
  /** Hessian eigenvalues at the best minimum, ascending; [] where there is none. */
  readonly eigenvalues: readonly number[]
}

export async function answerProblem(problem: GridProblem): Promise<ProblemAnswer> {
  const setup = await setUp(problem.config)
  try {
    let lowest = Infinity
    const { folded } = await runInMemory(setup, {
      onPart: ({ rows }) => {
        for (const loss of rows.ends.loss) if (loss < lowest) lowest = loss
      }
    })
    const found = folded.minima
    const P = setup.objective.parameters
    const best = found.at(0)
    const H = best ? (await setup.certifier.objective.evaluate(best.parameters, { H: true })).H : undefined
    return {
      key: problem.key,
      data: problem.data,
      model: problem.model,
      rows: setup.problem.rows,
      parameters: P,
      convex: convexity(setup.model).model,
      ridge: isRidged(setup.problem),
      floor: best ? Math.min(best.loss, lowest) : lowest,
      floorIs: best ? 'minimum' : 'lowest loss seen',
      minima: [...found.column('loss')],
      eigenvalues: H ? [...symmetricEigen(H, P).values] : []
    }
  } finally {
    setup.dispose()
  }
}

/** Raw samples, one entry per run in the order of the starts. */
export interface CellRuns {
  readonly steps: readonly number[]
  readonly verdict: readonly Verdict[]
  /** Certified loss; null where it is not finite. */
  readonly loss: readonly (number | null)[]
  /** Per target: steps until the loss was within it of the floor; null where it never was. */
  readonly hits: readonly (readonly (number | null)[])[]
  /** Evaluations at which the best loss so far first came within 10^(k/5) of the floor, k falling, and that loss; the last is the end. */
  readonly progress: readonly (readonly (readonly [evaluations: number, loss: number])[])[]
  readonly gradientRate: readonly RateFit[]
  readonly gapRate: readonly RateFit[]
}

export interface Band {
  readonly q25: readonly number[]
  readonly median: readonly number[]
  readonly q75: readonly number[]
}

export interface CellResult {
  readonly key: string
  readonly problem: string
  readonly data: string
  readonly model: string
  readonly optimizer: string
  readonly engine: string
  readonly precision: string
  readonly device: string
  readonly threads: number
  readonly seed: number
  readonly starts: number
  readonly targets: readonly number[]
  /** Spent by one step of one run. */
  readonly perStep: { readonly f: number; readonly g: number; readonly H: number; readonly rows: number }
  /** Search alone, blocks collected and nothing else done; medians of `repeats`. */
  readonly seconds: readonly number[]
  readonly stepsTotal: number
  /** Strict minima that the runs reached, ascending. */
  readonly minima: readonly number[]
  readonly runs: CellRuns
  readonly theory: Theory
  /** Over runs at common steps; a run that has ended stays where it ended. */
  readonly curves: { readonly steps: readonly number[]; readonly lossGap: Band; readonly gradientNorm: Band }
  /** Whole paths of the first runs, thinned: step, loss, gradient norm. */
  readonly paths: readonly (readonly (readonly [number, number, number])[])[]
}

const timedRepeats = 3
const keptPaths = 10
const pathPoints = 120
/** Loss gaps below this share of the loss are rounding, and gradients below this. */
const gapFloor = 64 * 2 ** -52
const gradientFloor = 1e-13

/** Step numbers 1 … last, every one while few, then evenly on a log scale. */
export function thinnedSteps(last: number, points: number): number[] {
  if (last <= points) return Array.from({ length: last }, (_, k) => k + 1)
  const steps = Array.from({ length: points }, (_, k) => Math.round(last ** (k / (points - 1))))
  return [...new Set(steps)]
}

/** Steps until the loss of a path is within each target of the floor. */
export function hitsOf(
  losses: ArrayLike<number>,
  floor: number,
  targets: readonly number[],
  stride = 1
): (number | null)[] {
  return targets.map(target => {
    for (let k = stride - 1; k < losses.length; k += stride) if (losses[k] - floor <= target) return k + 1
    return null
  })
}

/** Gaps that progress is noted at: five to a decade, as COCO's experiments do, from 10^2 to 10^-8. */
const progressGaps = Array.from({ length: 51 }, (_, k) => 10 ** (2 - k / 5))

/** When the best loss so far first came within each of the gaps, and where it stood at the end. */
export function progressOf(losses: ArrayLike<number>, floor: number, stride = 1): [number, number][] {
  const found: [number, number][] = []
  let best = Infinity
  let next = 0
  let last = 0
  for (let k = stride - 1; k < losses.length; k += stride) {
    last = k + 1
    if (!(losses[k] < best)) continue
    best = losses[k]
    const before = next
    while (next < progressGaps.length && best - floor <= progressGaps[next]) next++
    if (next > before || found.length === 0) found.push([last, best])
  }
  if (last > 0 && Number.isFinite(best) && found.at(-1)?.[0] !== last) found.push([last, best])
  return found
}

const band = (columns: readonly Float64Array[]): Band => {
  const at = (q: number): number[] => columns.map(c => quantileSorted(c, q))
  return { q25: at(0.25), median: at(0.5), q75: at(0.75) }
}

/**
 * Runs a cell three ways: timed with nothing else going on, judged for verdicts and minima, and traced for its paths. A run's
 * result does not depend on how it is watched, so the three agree.
 */
export async function measureCell(cell: GridCell, answer: ProblemAnswer, signal?: AbortSignal): Promise<CellResult> {
  const setup = await setUp(cell.config)
  try {
    const { engine, program, problem, optimizer } = setup
    const count = cell.config.starts.count
    const request = (extra: object) =>
      requestOf(setup, { first: 0, count }, { ...extra, ...(signal ? { signal } : {}) })
    const seconds: number[] = []
    for (let repeat = 0; repeat < timedRepeats; repeat++) {
      const began = performance.now()
      for await (const block of setup.objective.minimise(request({}))) if (block.count === 0) break
      seconds.push((performance.now() - began) / 1000)
    }

    const verdict = new Array<Verdict>(count).fill('failed')
    const loss = new Array<number>(count).fill(NaN)
    const { folded } = await runInMemory(setup, {
      ...(signal ? { signal } : {}),
      onPart: ({ rows: { count, start, end, ends } }) => {
        for (let i = 0; i < count; i++) {
          verdict[start[i]] = verdicts.find(v => VerdictCode[v] === ends.verdict[end[i]]) ?? 'failed'
          loss[start[i]] = ends.loss[end[i]]
        }
      }
    })

    const traces = new Array<Float64Array>(count).fill(new Float64Array(0))
    for await (const block of setup.objective.minimise(request({ trace: true })))
      for (let i = 0; i < block.count; i++) traces[block.start[i]] = block.traces?.[i] ?? new Float64Array(0)
    const part = (r: number, which: 0 | 1): Float64Array => traces[r].filter((_, i) => i % 2 === which)
    // With mini-batches the loss over all rows is known at the end of an epoch only.
    const size = optimizer.batch ? Math.min(optimizer.batch.size, problem.rows) : problem.rows
    const stride = Math.ceil(problem.rows / size)
    const losses = traces.map((_, r) => part(r, 0))
    const norms = traces.map((_, r) => part(r, 1))
    const atEpochs = (values: Float64Array): Float64Array => values.filter((_, k) => (k + 1) % stride === 0)
    const steps = losses.map(l => l.length)

    const common = thinnedSteps(Math.max(1, ...steps), pathPoints)
    const column = (values: readonly Float64Array[], step: number, floor: number): Float64Array =>
      Float64Array.from(
        values.filter(v => v.length > 0),
        v => Math.max(0, v[Math.min(step, v.length) - 1] - floor)
      ).sort()
    const needsH = program.needs === 'H' ? 1 : 0
    const result: CellResult = {
      key: cell.key,
      problem: cell.problem.key,
      data: cell.problem.data,
      model: cell.problem.model,
      optimizer: cell.optimizer,
      engine: engine.name,
      precision: engine.precision,
      device: engine.device,
      threads: engine.threads,
      seed: cell.seed,
      starts: count,
      targets: cell.targets,
      perStep: { f: 1, g: 1, H: needsH, rows: size + (stride > 1 ? problem.rows / stride : 0) },
      seconds,
      stepsTotal: steps.reduce((a, b) => a + b, 0),
      minima: [...folded.minima.column('loss')],
      runs: {
        steps,
        verdict,
        loss,
        hits: losses.map(l => hitsOf(l, answer.floor, cell.targets, stride)),
        progress: losses.map(l => progressOf(l, answer.floor, stride)),
        gradientRate: norms.map(n => fitRate(atEpochs(n), gradientFloor)),
        // Each run closes in on its own minimum.
        gapRate: losses.map((l, r) =>
          fitRate(
            atEpochs(l).map(v => v - loss[r]),
            gapFloor * Math.max(1e-3, Math.abs(loss[r]))
          )
        )
      },
      theory: theoryOf(optimizer.name, optimizer.options, answer.eigenvalues),
      curves: {
        steps: common,
        lossGap: band(common.map(step => column(losses, step, answer.floor))),
        gradientNorm: band(common.map(step => column(norms, step, 0)))
      },
      paths: losses
        .slice(0, keptPaths)
        .map((l, r) => thinnedSteps(l.length, pathPoints).map(k => [k, l[k - 1], norms[r][k - 1]] as const))
    }
    // As it will be read back: what is not finite is null.
    return JSON.parse(JSON.stringify(result)) as CellResult
  } finally {
    setup.dispose()
  }
}
