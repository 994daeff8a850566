/** Which of two studies does better, by the loss and by every score that both have. */
import { outperforms, type CrossedSide, type Pairing } from '../../analysis/restarts/crossed.js'
import { Contest, type Side } from '../../analysis/restarts/outperform.js'
import type { Better, Outperforms } from '../../core/comparisonResult.js'
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

/** Runs of a study by start: their losses as found and their scores, by name. */
export interface Outcome {
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
function valuesOf(a: Outcome, b: Outcome, byLoss: boolean, rows: readonly string[]) {
  const names = [...a.scores.keys()].filter(name => b.scores.has(name) && rows.includes(name.split('.')[0]))
  const oriented = (outcome: Outcome, name: string): Float64Array => {
    const values = outcome.scores.get(name)!
    return errors.has(name.split('.')[1]) ? values : values.map(v => -v)
  }
  const side = (outcome: Outcome): Side => ({
    losses: outcome.losses,
    values: [...(byLoss ? [outcome.losses] : []), ...names.map(name => oriented(outcome, name))]
  })
  return { names: [...(byLoss ? ['loss'] : []), ...names], sides: [side(a), side(b)] as const }
}

/**
 * That A is better than B, by the loss and by scores.
 * @param byLoss whether the losses of both are of one kind
 * @param rows on which both were scored: `train`, `test`
 */
export function betterOf(
  a: Outcome,
  b: Outcome,
  { paired, byLoss, rows }: { readonly paired: boolean; readonly byLoss: boolean; readonly rows: readonly string[] }
): Record<string, Better> {
  const { names, sides } = valuesOf(a, b, byLoss, rows)
  const fewest = Math.min(a.losses.length, b.losses.length)
  if (names.length === 0 || fewest === 0) return {}
  return judged(names, new Contest(...sides, paired).outperforms(ksUpTo(fewest)))
}

/** The same of two designs, over their starts, orders and resamples. */
export function betterOfDesigns(
  a: Outcome & Pick<CrossedSide, 'levels'>,
  b: Outcome & Pick<CrossedSide, 'levels'>,
  pairing: Pairing,
  byLoss: boolean
): Record<string, Better> {
  const { names, sides } = valuesOf(a, b, byLoss, ['train', 'out', 'test'])
  if (names.length === 0) return {}
  const [x, y] = [a, b].map(({ levels }, i) => ({ ...sides[i], levels }))
  const fewest = Math.min(...[x, y].map(({ levels }) => levels[0] * levels[1]))
  return judged(names, outperforms(x, y, pairing, ksUpTo(fewest)))
}

const ksUpTo = (runs: number): number[] => [1, ...several.filter(k => runsForEach * k <= runs)]

const judged = (names: readonly string[], found: readonly (readonly Outperforms[])[]): Record<string, Better> =>
  Object.fromEntries(
    names.map((name, m) => {
      const [{ probability, interval }, ...bestOf] = found[m]
      const winner = interval[0] > 0.5 ? 'A' : interval[1] < 0.5 ? 'B' : null
      const matters = winner !== null && Math.max(probability, 1 - probability) >= mattering
      return [name, { probability, interval, bestOf, winner, matters }]
    })
  )
