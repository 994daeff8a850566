/** What the raw samples of the grid say: expected running times, success rates, rates beside theory, performance profiles. */
import { verdicts, type Verdict } from '../../core/result.js'
import { wilsonInterval } from '../../core/stats.js'
import type { CellResult, ProblemAnswer } from './cell.js'
import { rateKinds, type RateFit, type RateKind, type Theory } from './rate.js'
import {
  bootstrapConfidence,
  ecdf,
  median,
  performanceProfiles,
  restartedCosts,
  runningTime,
  type Attempt,
  type EcdfStep
} from '../statistics.js'

/** A cost with its bootstrap interval; null: not reached, so infinite. */
export interface Cost {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

export interface TargetFigures {
  readonly target: number
  readonly successRate: number
  /** Wilson, 95 %. */
  readonly successInterval: readonly [number, number]
  /** Expected cost of independent restarts until one reaches the target. */
  readonly evaluations: Cost
  readonly seconds: Cost
}

/** One optimiser on one problem by one engine, over all seeds. */
export interface Figures {
  readonly data: string
  readonly model: string
  readonly convex: boolean
  readonly ridge: boolean
  readonly optimizer: string
  readonly engine: string
  readonly runs: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  /** Totals of the search. */
  readonly evaluations: { readonly f: number; readonly g: number; readonly H: number; readonly rows: number }
  readonly seconds: number
  readonly distinctMinima: number
  readonly minimaPerSecond: number
  readonly targets: readonly TargetFigures[]
  /** Share of runs that had reached the closest target after so many evaluations, restarted where they had not (simulated). */
  readonly ecdf: readonly EcdfStep[]
  /** Median evaluations of the runs that end without: from there on the curve is of restarts. null where every run reaches the target. */
  readonly restartsFrom: { readonly cost: number; readonly share: number } | null
  readonly rate: {
    /** The commonest kind among runs that ended in a minimum, and its share. */
    readonly kind: RateKind
    readonly share: number
    readonly order: number | null
    /** Median factor per step of the gradient norm and of the loss gap. */
    readonly contraction: number | null
    readonly gapContraction: number | null
  }
  readonly theory: Theory
}

export interface ProfileCurve {
  readonly cost: 'evaluations' | 'seconds'
  readonly solver: string
  readonly points: readonly { readonly factor: number; readonly share: number }[]
}

const finiteOrNull = (v: number): number | null => (Number.isFinite(v) ? v : null)
const costOf = (attempts: readonly Attempt[]): Cost => {
  const { value, low, high } = runningTime(attempts)
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) }
}

const medianOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter(v => v !== null)
  return known.length > 0 ? median(known) : null
}

/** Losses of distinct minima over several seeds: equal within the tolerance of clustering. */
function distinct(losses: readonly number[]): number {
  const sorted = [...losses].sort((a, b) => a - b)
  return sorted.filter((v, i) => i === 0 || v - sorted[i - 1] > 1e-9 * Math.max(1, Math.abs(v))).length
}

function rateOf(gradient: readonly RateFit[], gap: readonly RateFit[]): Figures['rate'] {
  const counted = rateKinds.map(kind => ({ kind, count: gradient.filter(f => f.kind === kind).length }))
  const clear = counted.filter(c => c.kind !== 'unclear').sort((a, b) => b.count - a.count)[0]
  const kind = clear.count > 0 ? clear.kind : 'unclear'
  const same = gradient.filter(f => f.kind === kind)
  return {
    kind,
    share: gradient.length > 0 ? same.length / gradient.length : 0,
    order: medianOf(same.map(f => f.order)),
    contraction: medianOf(same.map(f => f.contraction)),
    gapContraction: medianOf(gap.map(f => f.contraction))
  }
}

/** Attempts at target number t over several cells; `unit`: what one step costs in a cell. */
function attemptsAt(cells: readonly CellResult[], t: number, unit: (cell: CellResult) => number): Attempt[] {
  return cells.flatMap(cell =>
    cell.runs.hits.map((hits, r) => {
      const hit = hits[t]
      return { cost: (hit ?? cell.runs.steps[r]) * unit(cell), reached: hit !== null }
    })
  )
}

/** Seconds of the whole engine for one step of one run, when its lanes are full. */
const secondsPerStep = (cell: CellResult): number => median(cell.seconds) / cell.stepsTotal

function figuresOf(cells: readonly CellResult[], problem: ProblemAnswer): Figures {
  const [first] = cells
  const steps = cells.reduce((sum, c) => sum + c.stepsTotal, 0)
  const seconds = cells.reduce((sum, c) => sum + median(c.seconds), 0)
  const runs = cells.flatMap(c => c.runs.verdict)
  const inMinimum = <T>(values: (cell: CellResult) => readonly T[]): T[] =>
    cells.flatMap(c =>
      values(c).filter((_, r) => c.runs.verdict[r] === 'minimum' || c.runs.verdict[r] === 'degenerate')
    )
  const minima = distinct(cells.flatMap(c => c.minima))
  const last = first.targets.length - 1
  return {
    data: first.data,
    model: first.model,
    convex: problem.convex,
    ridge: problem.ridge,
    optimizer: first.optimizer,
    engine: `${first.engine} ${first.precision}`,
    runs: runs.length,
    verdicts: Object.fromEntries(verdicts.map(v => [v, runs.filter(x => x === v).length])) as Record<Verdict, number>,
    evaluations: {
      f: steps * first.perStep.f,
      g: steps * first.perStep.g,
      H: steps * first.perStep.H,
      rows: steps * first.perStep.rows
    },
    seconds,
    distinctMinima: minima,
    minimaPerSecond: minima / seconds,
    targets: first.targets.map((target, t) => {
      const attempts = attemptsAt(cells, t, () => 1)
      const hits = attempts.filter(a => a.reached).length
      return {
        target,
        successRate: hits / attempts.length,
        successInterval: wilsonInterval(hits, attempts.length, bootstrapConfidence),
        evaluations: costOf(attempts),
        seconds: costOf(attemptsAt(cells, t, secondsPerStep))
      }
    }),
    ...restarts(attemptsAt(cells, last, () => 1)),
    rate: rateOf(
      inMinimum(c => c.runs.gradientRate),
      inMinimum(c => c.runs.gapRate)
    ),
    theory: first.theory
  }
}

/** The curve of restarted runs, and where restarts begin. */
export function restarts(attempts: readonly Attempt[]): Pick<Figures, 'ecdf' | 'restartsFrom'> {
  const curve = ecdf(restartedCosts(attempts).map(cost => ({ cost, reached: true })))
  const failed = attempts.filter(a => !a.reached).map(a => a.cost)
  if (failed.length === 0) return { ecdf: curve, restartsFrom: null }
  const cost = median(failed)
  return { ecdf: curve, restartsFrom: { cost, share: curve.findLast(step => step.cost <= cost)?.share ?? 0 } }
}

const groupOf = (cell: CellResult): string => [cell.problem, cell.optimizer, cell.engine, cell.precision].join(' ')

export function allFigures(cells: readonly CellResult[], problems: readonly ProblemAnswer[]): Figures[] {
  const groups = new Map<string, CellResult[]>()
  for (const cell of cells) groups.set(groupOf(cell), [...(groups.get(groupOf(cell)) ?? []), cell])
  return [...groups.values()].map(group =>
    figuresOf(
      group,
      problems.find(p => p.key === group[0].problem)!
    )
  )
}

/** The optimiser, with its engine where the grid has several. */
export function solverName(figures: Figures, all: readonly Figures[]): string {
  return new Set(all.map(f => f.engine)).size > 1 ? `${figures.optimizer} (${figures.engine})` : figures.optimizer
}

/** Dolan-Moré profiles over the pairs of problem and target. */
export function profilesOf(figures: readonly Figures[]): ProfileCurve[] {
  return (['evaluations', 'seconds'] as const).flatMap(cost => {
    const costs: Record<string, Record<string, number>> = {}
    for (const f of figures)
      for (const t of f.targets)
        (costs[solverName(f, figures)] ??= {})[`${f.data} ${f.model} ${t.target}`] = t[cost].value ?? Infinity
    return performanceProfiles(costs).map(profile => ({ cost, ...profile }))
  })
}
