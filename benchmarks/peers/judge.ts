/** Whether a peer's results are right, and how its speed stands beside Manystart's. A wrong result scores nothing. */
import { median, speedRatio } from '../../src/bench/statistics.js'
import type { Objective } from '../../src/engines/types.js'
import type { Ends, KnownPoint, Nested, PeerAnswer, PeerBar, PeerFigure, PeerRow, SharedProblem } from './types.js'

/** Losses of the same stationary point: a gradient of 1e-8 leaves less than 1e-13 where the curvature is above 1e-3. */
const lossTolerance = 1e-9
/** A peer's own gradient differs from ours by rounding, which is far below this share of the stopping test. */
const gradientSlack = 1 + 1e-4
/** Between derivatives of the same function by other formulas, relative to the largest element. */
const derivativeTolerance = { f64: 1e-9, f32: 1e-3 } as const
const own = 'Manystart'
/** The end of the name of a method that is not the search alone. */
export const wholeStudy = 'whole study with verdicts, clusters and files'

export interface Judged {
  readonly shared: SharedProblem
  readonly objective: Objective
  readonly points: readonly KnownPoint[]
}

const flatten = (values: Nested): number[] =>
  values.flatMap(v => (v === null ? [NaN] : typeof v === 'number' ? [v] : flatten(v)))

const same = (a: number, b: number): boolean => Math.abs(a - b) <= lossTolerance * Math.max(1, Math.abs(b))

/** Our loss and gradient at every end. */
async function placesOf(
  { shared, objective, points }: Judged,
  figure: PeerFigure
): Promise<{ ends: Ends; best: number | undefined }> {
  const P = objective.parameters
  const rows = figure.ends ?? []
  const wrong = rows.find(row => row.length !== P)
  if (rows.length !== figure.count || wrong)
    throw new Error(`it gave ${rows.length} ends of ${wrong?.length ?? P} parameters, not ${figure.count} of ${P}`)
  const { f, g } = await objective.evaluate(Float64Array.from(flatten(rows)), { g: true })
  const known = points.map(() => 0)
  let [unknown, unfinished] = [0, 0]
  let best: number | undefined
  for (let i = 0; i < rows.length; i++) {
    const norm = Math.max(...g!.subarray(i * P, (i + 1) * P).map(Math.abs))
    if (!(norm <= shared.gradient * gradientSlack)) {
      unfinished++
      continue
    }
    if (best === undefined || f[i] < best) best = f[i]
    const at = points.findIndex(point => same(f[i], point.loss))
    if (at < 0) unknown++
    else known[at]++
  }
  return { ends: { known, unknown, unfinished }, best }
}

function studyError(points: readonly KnownPoint[], best: number | undefined): string | undefined {
  if (best === undefined) return 'no run met the stopping test'
  const lowest = Math.min(...points.map(p => p.loss))
  if (same(best, lowest)) return undefined
  return best < lowest
    ? `it found a lower loss, ${best}, than Manystart's ${lowest}`
    : `its lowest loss, ${best}, is above Manystart's ${lowest}`
}

async function sampleError({ shared, objective }: Judged, figure: PeerFigure): Promise<string | undefined> {
  const P = objective.parameters
  const size = figure.what === 'gradient' ? P : P * P
  const given = flatten(figure.sample ?? [])
  const count = given.length / size
  if (count < 1 || !Number.isInteger(count) || count > shared.starts.length)
    return `it gave ${given.length} numbers to check, no multiple of ${size}`
  const theta = Float64Array.from(shared.starts.slice(0, count).flat())
  const { g, H } = await objective.evaluate(theta, { g: true, H: figure.what === 'hessian' })
  const right = figure.what === 'hessian' ? H! : g!
  const scale = right.reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  const worst = given.reduce((a, v, i) => {
    const error = Math.abs(v - right[i])
    return error > a || Number.isNaN(error) ? (Number.isNaN(error) ? Infinity : error) : a
  }, 0)
  return worst <= derivativeTolerance[figure.precision ?? 'f64'] * scale
    ? undefined
    : `its ${figure.what} differs from Manystart's by ${worst.toExponential(1)}`
}

/** Checks one figure and says what it scores, without the ratio. */
export async function judge(problem: Judged, peer: string, figure: PeerFigure): Promise<PeerRow> {
  const { what, method, count, seconds } = figure
  const row = { peer, what, problem: problem.shared.name, method, count, seconds, ratio: null }
  const common = { ...row, ...(figure.ownStarts ? { ownStarts: true } : {}) }
  if (!(count > 0) || seconds.length === 0 || !seconds.every(s => s > 0))
    return { ...common, perSecond: 0, error: 'it gave no times' }
  if (what !== 'study') {
    const error = await sampleError(problem, figure)
    return error === undefined ? { ...common, perSecond: count / median(seconds) } : { ...common, perSecond: 0, error }
  }
  try {
    const { ends, best } = await placesOf(problem, figure)
    const error = studyError(problem.points, best)
    const perSecond = error === undefined ? (count - ends.unfinished) / median(seconds) : 0
    return {
      ...common,
      perSecond,
      ends,
      ...(best === undefined ? {} : { best }),
      ...(error === undefined ? {} : { error })
    }
  } catch (error) {
    return { ...common, perSecond: 0, error: (error as Error).message }
  }
}

/** Runs that count in a sample: those that met the stopping test. */
const counted = (r: PeerRow): number => r.count - (r.ends?.unfinished ?? 0)
const perItem = (r: PeerRow): number[] => r.seconds.map(s => s / counted(r))
const fastest = (rows: readonly PeerRow[]): PeerRow | undefined =>
  rows.reduce<PeerRow | undefined>((a, r) => (r.perSecond > (a?.perSecond ?? 0) ? r : a), undefined)

/** Adds to every right row how many times as fast Manystart's fastest row of the same figure and problem is. */
export function withRatios(rows: readonly PeerRow[]): PeerRow[] {
  return rows.map(r => {
    const ours = fastest(rows.filter(o => o.peer === own && o.what === r.what && o.problem === r.problem))
    if (!ours || ours === r || r.error !== undefined) return r
    return { ...r, ratio: speedRatio(perItem(r), perItem(ours)) }
  })
}

/** How many times as fast as JAX evaluations, and whole studies beside its search alone, are wanted to be. */
const wantedOfJax = { gradient: 4, hessian: 8, whole: 20 } as const

/** The wanted ratios of gradients and Hessians over JAX's fastest, where it was measured. */
export function evaluationBars(rows: readonly PeerRow[], problem: string): PeerBar[] {
  return (['gradient', 'hessian'] as const).flatMap(what => {
    const [ours, best] = [own, 'JAX'].map(peer =>
      fastest(rows.filter(r => r.peer === peer && r.what === what && r.problem === problem))
    )
    if (!ours || !best) return []
    const name = what === 'gradient' ? 'gradients' : 'exact Hessians'
    const ratio = ours.perSecond / best.perSecond
    return [{ what: `${name} of ${problem} beside JAX's (${best.method})`, wanted: wantedOfJax[what], ratio }]
  })
}

/** The wanted ratio of a whole study, verdicts, clusters and files included, over JAX's fastest search alone. */
export function wholeBars(rows: readonly PeerRow[], problem: string): PeerBar[] {
  const studies = rows.filter(r => r.what === 'study' && r.problem === problem)
  const ours = fastest(studies.filter(r => r.peer === own && r.method.endsWith(wholeStudy)))
  const best = fastest(studies.filter(r => r.peer === 'JAX'))
  if (!ours || !best) return []
  const ratio = ours.perSecond / best.perSecond
  const what = `runs of the whole study of ${problem} beside JAX's fastest search alone (${best.method})`
  return [{ what, wanted: wantedOfJax.whole, ratio }]
}

/**
 * The wanted ratios over a peer's fastest method, for the peers that were measured. Where no run of a peer met the test, all of its runs
 * count, in its favour.
 */
export function peerBars(rows: readonly PeerRow[], problem: string): PeerBar[] {
  const ours = fastest(rows.filter(r => r.peer === own && r.what === 'study' && r.problem === problem))
  if (!ours) return []
  return (
    [
      ['JAX', 10],
      ['jax-js', 50]
    ] as const
  ).flatMap(([peer, wanted]) => {
    const all = rows.filter(r => r.peer === peer && r.what === 'study' && r.problem === problem && r.seconds.length > 0)
    const right = fastest(all)
    const best = right ?? fastest(all.map(r => ({ ...r, perSecond: r.count / median(r.seconds) })))
    if (!best) return []
    const note = right ? '' : ', none of whose runs met the test: all are counted'
    const ratio = ours.perSecond / best.perSecond
    return [{ what: `runs of ${problem} beside ${peer}'s fastest (${best.method}${note})`, wanted, ratio }]
  })
}

export const versionsOf = (answers: readonly PeerAnswer[]): Record<string, PeerAnswer['versions']> =>
  Object.fromEntries(answers.map(a => [a.peer, a.versions]))
