/** Which of two studies or designs does better, by the loss and by every score that both have. */
import { ofStarts, outperforms, type CrossedSide, type Pairing } from '../../analysis/restarts/crossed.js'
import type { Levels } from '../../analysis/variance.js'
import type { Better } from '../../core/comparisonResult.js'
import { VerdictCode } from '../../core/result.js'
import { readRuns } from '../../runs/points.js'

/** Runs of a study that are compared at most: the first ones. More make the intervals no narrower than anyone needs. */
export const mostRuns = 1 << 14
/** Starts of which the best is taken, as far as there are this many times as many runs: beyond, a bootstrap of extremes is wrong (Bickel and Freedman 1981). */
const several = [10, 100, 1000] as const
const runsForEach = 4
/** Scores of which less is better. */
const errors: ReadonlySet<string> = new Set(['logLoss', 'rmse'])
/** A probability of being better that matters (Bouthillier and others 2021). */
const mattering = 0.75

/** Rows on which runs are scored. */
const scored: readonly string[] = ['train', 'out', 'test']

/** Runs by start, or by the places of a design: their losses as found and their scores, by name. */
export interface Outcome {
  /** Of a design. */
  readonly levels?: Levels
  readonly losses: Float64Array
  readonly scores: ReadonlyMap<string, Float64Array>
}

/** The runs of the first starts of a directory, NaN where one failed or is not there. @throws InputError as `readRuns` */
export async function outcomesOf(directory: string, starts: number): Promise<Outcome> {
  const R = Math.min(starts, mostRuns)
  const losses = new Float64Array(R).fill(NaN)
  const scores = new Map<string, Float64Array>()
  const column = (name: string): Float64Array => {
    const known = scores.get(name) ?? new Float64Array(R).fill(NaN)
    scores.set(name, known)
    return known
  }
  for await (const { rows, layout } of readRuns(directory)) {
    const M = layout.metrics.length
    for (let i = 0; i < rows.count; i++) {
      const at = rows.start[i]
      if (at >= R || rows.ends.verdict[rows.end[i]] === VerdictCode.failed) continue
      losses[at] = rows.lossFound[i]
    }
    for (const part of ['train', 'test'] as const) {
      const values = rows[part]
      if (!values) continue
      layout.metrics.forEach((name, m) => {
        const own = column(`${part}.${name}`)
        for (let i = 0; i < rows.count; i++) if (rows.start[i] < R) own[rows.start[i]] = values[i * M + m]
      })
    }
    if (rows.count > 0 && rows.start[rows.count - 1] >= R) break
  }
  return { losses, scores }
}

/** Values of both, oriented so that less is better. */
function valuesOf(a: Outcome, b: Outcome, byLoss: boolean) {
  const names = [...a.scores.keys()].filter(name => b.scores.has(name) && scored.includes(name.split('.')[0]))
  const oriented = (outcome: Outcome, name: string): Float64Array => {
    const values = outcome.scores.get(name)!
    return errors.has(name.split('.')[1]) ? values : values.map(v => -v)
  }
  const side = (outcome: Outcome): CrossedSide => {
    const own = { losses: outcome.losses, values: names.map(name => oriented(outcome, name)) }
    if (byLoss) own.values.unshift(outcome.losses)
    return outcome.levels ? { ...own, levels: outcome.levels } : ofStarts(own)
  }
  return { names: [...(byLoss ? ['loss'] : []), ...names], a: side(a), b: side(b) }
}

/**
 * That A is better than B, by the loss and by scores.
 * @param byLoss whether the losses of both are of one kind
 */
export function betterOf(a: Outcome, b: Outcome, pairing: Pairing, byLoss: boolean): Record<string, Better> {
  const values = valuesOf(a, b, byLoss)
  const fewest = Math.min(...[values.a, values.b].map(({ levels }) => levels[0] * levels[1]))
  if (values.names.length === 0 || fewest === 0) return {}
  const ks = [1, ...several.filter(k => runsForEach * k <= fewest)]
  const found = outperforms(values.a, values.b, pairing, ks)
  return Object.fromEntries(
    values.names.map((name, m) => {
      const [{ probability, interval }, ...bestOf] = found[m]
      const winner = interval[0] > 0.5 ? 'A' : interval[1] < 0.5 ? 'B' : null
      const matters = winner !== null && Math.max(probability, 1 - probability) >= mattering
      return [name, { probability, interval, bestOf, winner, matters }]
    })
  )
}
