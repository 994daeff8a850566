/** What should be known of the starts before a study runs: that they are far from the scale of the columns, or of the target. */
import { pickedRows } from '../analysis/rows.js'
import { isSaturated } from '../analysis/units.js'
import { columnMeans, columnSpread } from '../data/conditioning.js'
import type { Dataset } from '../data/types.js'
import { quoted } from '../core/printable.js'
import type { Objective } from '../engines/types.js'
import { lossTable } from '../models/losses/index.js'
import type { Network, Problem } from '../models/types.js'
import type { StudyConfig } from './config.js'
import type { StartPoints } from './starts.js'
import { isNetwork } from '../models/model.js'

/** Starts that are looked at, and rows. */
const [looked, rowsLooked] = [8, 2000]
/** Losses so many times that of a model of zeros: first steps from there jump. */
const steep = 1e4
/** Deviations of a target beyond which the outputs of starts of size 1 are far from it. */
const [wide, narrow] = [1e3, 1e-3]

const short = (v: number): string => String(Number(v.toPrecision(4)))

/** Some rows of a problem, evenly spaced. */
const evenRows = (problem: Problem<Network>): Problem<Network> =>
  problem.rows <= rowsLooked
    ? problem
    : pickedRows(
        problem,
        Array.from({ length: rowsLooked }, (_, i) => Math.floor((i * problem.rows) / rowsLooked))
      )

/** The column whose values are largest, with them. */
function largestColumn({ columns, x, inputs, rows }: Dataset): { name: string; size: number } {
  let [at, size] = [0, 0]
  for (let i = 0; i < rows; i++)
    for (let d = 0; d < inputs; d++)
      if (Math.abs(x[i * inputs + d]) > size) [at, size] = [d, Math.abs(x[i * inputs + d])]
  return { name: columns[at], size }
}

export interface StartQuestion {
  readonly config: StudyConfig
  readonly starts: StartPoints
  readonly data: Dataset
  readonly problem: Problem
  readonly objective: Pick<Objective, 'evaluate'>
}

/** A sentence for each way in which starts and data do not go together. */
export async function startNotes({ config, starts, data, problem, objective }: StartQuestion): Promise<string[]> {
  if (!isNetwork(problem) || data.columns.length === 0) return []
  const count = Math.min(looked, config.starts.count)
  const points = Array.from({ length: count }, (_, i) => starts.at(i))
  const P = points[0]?.length ?? 0
  const all = new Float64Array((count + 1) * P)
  points.forEach((point, i) => all.set(point, i * P))
  const { f } = await objective.evaluate(all, {})
  const calm = steep * Math.max(1, Math.abs(f[count]))
  const jumping = points.filter((_, i) => !(f[i] <= calm)).length
  const some = evenRows(problem)
  const saturated = points.filter(point => isSaturated(some, point)).length
  const { name, size } = largestColumn(data)
  const cause = `column ${quoted(name)} reaches ${short(size)}`
  const remedy = data.standardization
    ? 'take smaller starts (--init)'
    : '--standardize puts the columns on the scale of the starts'
  const notes: string[] = []
  if (2 * saturated > count)
    notes.push(
      `At ${saturated} of the first ${count} starts a unit is saturated on every row (${cause}), so that such runs may not move; ${remedy}.`
    )
  else if (2 * jumping > count)
    notes.push(
      `At ${jumping} of the first ${count} starts the loss is over ${steep} times that of a model of zeros (${cause}), so that first steps jump, and starts at which it overflows are moved towards 0; ${remedy}.`
    )
  const deviation = targetDeviation(problem.model, data)
  if (deviation !== undefined && (deviation > wide || deviation < narrow))
    notes.push(
      `The target has a standard deviation of ${short(deviation)}, far from the outputs of the starts, so that first steps jump; --standardize-target measures it in its own.`
    )
  return notes
}

/** Of a target that may be standardised and is not, in a model with hidden units. */
function targetDeviation(network: Network, data: Dataset): number | undefined {
  const loss = lossTable[network.loss]
  if (network.hidden.length === 0 || data.targetStandardization || loss.response === 'class' || !loss.inUnit)
    return undefined
  const given = { rows: data.rows, x: data.y, y: data.y, ...(data.weight ? { weight: data.weight } : {}) }
  const spread = Math.max(...columnSpread(given, network.outputs, columnMeans(given, network.outputs)))
  return spread > 0 ? spread : undefined
}
